//! `rampart snapshot`: reads a cluster once and keeps what was read as an archive.

use super::CommonArguments;
use crate::{
    clock::{Clock, SystemClock},
    collect::{Access, SLACK, too_slow},
    config::{Reading, ReadingArguments},
};
use anyhow::{Context, bail};
use rampart_checklist::credentials::FingerprintKey;
use rampart_cluster::{
    archive,
    live::{self, CollectOptions},
};
use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tempfile::NamedTempFile;

#[derive(Debug, clap::Args)]
pub(super) struct SnapshotArguments {
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: String,
    /// The archive to write, such as prod.tar.gz
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write over a file that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    common: CommonArguments,
    #[command(flatten)]
    reading: ReadingArguments,
}

pub(super) fn run(arguments: &SnapshotArguments) -> anyhow::Result<ExitCode> {
    let mut configuration = arguments.common.configuration("warn")?;
    super::use_fingerprint_key(&mut configuration);
    let output = &arguments.output;
    // Before a cluster is read for minutes; what decides is the renaming.
    if output.exists() && !arguments.force {
        bail!("{} exists already: name another file, or add --force to write over it", output.display());
    }
    let reading = Reading::resolve(&arguments.reading, &configuration);
    let parameters = &configuration.parameters;
    let key = match &parameters.fingerprint_key {
        Some(key) => key.clone(),
        // Nothing is compared with it later, and nothing that looks like a credential may go into the archive.
        None => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).context("the operating system gives no random bytes")?;
            FingerprintKey::new(random)
        }
    };
    let options = CollectOptions { record: Some(Arc::new(key)), ..reading.collect_options(parameters) };
    let access =
        Access::Context { kubeconfig: reading.kubeconfig.clone(), context: Some(arguments.context.clone()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let most = options.timeout + SLACK;
    let collected = runtime.block_on(async {
        let read = async {
            let connection = access.connect().await?;
            anyhow::Ok(live::collect(&connection, &options, SystemClock.now(), |_| {}).await?)
        };
        tokio::time::timeout(most, read).await.unwrap_or_else(|_| Err(too_slow(most).into()))
    })?;
    write(output, arguments.force, |file| archive::write(file, &collected))
        .with_context(|| format!("cannot write {}", output.display()))?;
    let gaps = collected.inventory.all_gaps().count();
    let objects: u64 = collected.read.iter().map(|read| read.objects).sum();
    super::print(&format!(
        "{}: {objects} objects; {gaps} reasons why something is missing, which its evaluation shows\n",
        output.display()
    ))
}

/// Writes a file that only its owner reads, whole or not at all.
pub(super) fn write(
    path: &Path,
    force: bool,
    content: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    let mut buffered = BufWriter::new(&mut file);
    content(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    if force {
        file.persist(path)?;
    } else {
        file.persist_noclobber(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn nothing_is_written_over_unless_it_is_said_and_nothing_half() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        write(&path, false, |file| file.write_all(b"one")).unwrap();
        assert!(write(&path, false, |file| file.write_all(b"two")).is_err());
        assert!(write(&path, true, |_| Err(std::io::Error::other("no"))).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, true, |file| file.write_all(b"three")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
