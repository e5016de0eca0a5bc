//! Where things are, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // Set by `cargo run`; it stays right when a target folder is copied to another place.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf)
}

/// What xtask makes for other parts of the workspace to find: it does not move with CARGO_TARGET_DIR.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// What xtask remembers for itself.
pub(crate) fn own_state() -> PathBuf {
    target().join("xtask")
}

/// The `rampart` that cargo built in a profile's folder (`debug`, `release`).
pub(crate) fn rampart(profile_folder: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target, |folder| root().join(folder));
    target.join(profile_folder).join(format!("rampart{}", std::env::consts::EXE_SUFFIX))
}

/// The program that runs here. On Linux its path would be wrong once cargo has built a newer one.
pub(crate) fn own_program() -> std::io::Result<PathBuf> {
    let by_process = PathBuf::from("/proc/self/exe");
    if by_process.exists() { Ok(by_process) } else { std::env::current_exe() }
}

/// A program that starts in the workspace's folder, without what `cargo run` added to our environment:
/// build scripts that watch those variables would run again in every build that we start.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_set_by_cargo_run) {
            command.env_remove(name);
        }
    }
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn is_set_by_cargo_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn only_what_cargo_run_adds_is_removed() {
        assert!(is_set_by_cargo_run("CARGO_PKG_VERSION"));
        assert!(is_set_by_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(!is_set_by_cargo_run("CARGO_HOME"));
        assert!(!is_set_by_cargo_run("CARGO_TARGET_DIR"));
    }
}
