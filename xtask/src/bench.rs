pub(crate) fn run() -> anyhow::Result<()> {
    let _ = crate::measure::usage;
    Ok(())
}
