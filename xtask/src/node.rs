//! Node.js: packages as a lock file pins them, and wasm-opt, which comes as one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{assets, process, workspace};

const OLDEST_NODE: u32 = 20;

/// Fails with what to do if Node.js or npm is missing or too old.
pub(crate) fn require() -> Result<()> {
    match node_version() {
        _ if process::find(&["npm"]).is_none() => bail!(
            "npm is not on the PATH. Install Node.js {OLDEST_NODE} or newer with npm (https://nodejs.org) and run this again"
        ),
        None => bail!(
            "Node.js is not on the PATH. Install version {OLDEST_NODE} or newer with npm (https://nodejs.org) and run this again"
        ),
        Some(version) if version < OLDEST_NODE => bail!(
            "Node.js {version} is too old: version {OLDEST_NODE} or newer is needed (https://nodejs.org)"
        ),
        Some(_) => Ok(()),
    }
}

/// Whether [`require`] would succeed.
pub(crate) fn is_there() -> bool {
    require().is_ok()
}

/// Installs exactly what a folder's lock file says, unless that was done before.
pub(crate) fn install_packages(folder: &Path, what: &str) -> Result<()> {
    let lock_file = folder.join("package-lock.json");
    let lock = fs::read(&lock_file).with_context(|| format!("cannot read {}", lock_file.display()))?;
    let digest = assets::digest(&lock);
    let note = folder.join("node_modules/.installed-from");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == digest) {
        return Ok(());
    }
    println!("Installing {what} (usually a few seconds)");
    process::run(
        workspace::command("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )?;
    fs::write(&note, digest).with_context(|| format!("cannot write {}", note.display()))
}

/// The wasm-opt that this repository pins.
pub(crate) fn wasm_opt() -> Result<Command> {
    require()?;
    let folder: PathBuf = workspace::root().join("xtask/wasm-opt");
    install_packages(&folder, "wasm-opt")?;
    let mut command = workspace::command("node");
    command.arg(folder.join("node_modules/binaryen/bin/wasm-opt"));
    Ok(command)
}

fn node_version() -> Option<u32> {
    let printed = workspace::command("node").arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&printed.stdout))
}

fn major(printed: &str) -> Option<u32> {
    printed.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("nonsense"), None);
    }
}
