//! Files that are generated from the code and kept in the repository, so that they can be read and reviewed.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// Each file with the command of `rampart` that prints it.
const GENERATED: [(&str, &str); 2] =
    [("docs/openapi.json", "openapi"), ("docs/checklist.md", "docs-checklist")];

/// Writes the files, or with `check` only compares them.
pub(crate) fn run(check: bool) -> Result<()> {
    process::run(workspace::cargo().args(["build", "--package", "rampart"]))?;
    for (path, subcommand) in GENERATED {
        let generated = process::output(workspace::command(workspace::rampart("debug")).arg(subcommand))?;
        let file = workspace::root().join(path);
        if fs::read(&file).is_ok_and(|kept| kept == generated) {
            println!("{path} is as the code has it");
        } else if check {
            bail!("{path} is not what the code generates: run `cargo xtask generate` and commit it");
        } else {
            fs::write(&file, generated).with_context(|| format!("cannot write {}", file.display()))?;
            println!("{path} written");
        }
    }
    Ok(())
}
