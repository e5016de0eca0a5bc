//! Which compiler makes WebAssembly: the current toolchain if it has the target, else rustup adds it, else
//! Debian's packages build the standard library from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{self, Limited};
use crate::{setup, workspace};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler with the sources of the standard library, and the linker for it.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Where rustup's server is out of reach it does not fail but hangs. With Debian's packages as another way
/// there is no point in waiting long; without, a slow line deserves its time.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);
const RUSTUP_LIMIT_WITHOUT_DEBIAN: Duration = Duration::from_secs(300);

/// A compiler that can build for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WasmToolchain {
    /// The toolchain that builds everything else.
    Current,
    /// Debian's, which builds the standard library with each clean build.
    Debian,
}

impl WasmToolchain {
    /// `cargo build` for the target, to which packages and profile are to be added.
    pub(crate) fn build(self) -> Command {
        let mut command = match self {
            Self::Current => workspace::cargo(),
            Self::Debian => workspace::command(DEBIAN_CARGO),
        };
        // Meant for native code, where they are set at all.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.args(["build", "--target", TARGET]);
        if self == Self::Debian {
            command
                .env("RUSTC", DEBIAN_RUSTC)
                // `-Zbuild-std` is not stable; Debian's compiler is a stable one.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
                // `cargo run` points this at the libraries of the other toolchain.
                .env_remove("LD_LIBRARY_PATH")
                .env_remove("CARGO")
                .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
        }
        command
    }
}

/// Finds a toolchain, and installs one if there is none.
pub(crate) fn ensure() -> Result<WasmToolchain> {
    if current_has_target()? {
        return Ok(WasmToolchain::Current);
    }
    let memory = Memory::for_current()?;
    if memory.rustup_failed() && debian_is_complete() {
        return Ok(WasmToolchain::Debian);
    }
    if !memory.rustup_failed() && add_with_rustup(setup::can_install_packages()) && current_has_target()? {
        return Ok(WasmToolchain::Current);
    }
    memory.remember_that_rustup_failed()?;
    if !debian_is_complete() {
        if !setup::has_apt() {
            bail!(
                "the current Rust toolchain has no {TARGET}, and without it the dashboard cannot be built. \
                 Install it (`rustup target add {TARGET}`) and run this again"
            );
        }
        setup::install_packages(
            "a Rust compiler that can build WebAssembly",
            &DEBIAN_PACKAGES,
            "usually half a minute",
        )?;
        if !debian_is_complete() {
            bail!(
                "the packages {} are installed, but {DEBIAN_RUSTC} has no sources of its standard library or wasm-ld is not on the PATH",
                DEBIAN_PACKAGES.join(" ")
            );
        }
    }
    Ok(WasmToolchain::Debian)
}

fn current_has_target() -> Result<bool> {
    let printed =
        process::output(workspace::command("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    let folder = PathBuf::from(String::from_utf8(printed)?.trim());
    Ok(holds_standard_library(&folder))
}

fn holds_standard_library(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

fn add_with_rustup(debian_is_possible: bool) -> bool {
    if process::find(&["rustup"]).is_none() {
        return false;
    }
    let limit = if debian_is_possible { RUSTUP_LIMIT } else { RUSTUP_LIMIT_WITHOUT_DEBIAN };
    println!("Adding {TARGET} to the Rust toolchain (usually a few seconds, at most {} s)", limit.as_secs());
    match process::run_limited(workspace::command("rustup").args(["target", "add", TARGET]), limit) {
        Ok(Limited::Success) => return true,
        Ok(Limited::Failure) => println!("rustup could not add it."),
        Ok(Limited::TimedOut) => println!("rustup did not finish in time."),
        Err(error) => println!("rustup did not run: {error:#}"),
    }
    false
}

fn debian_is_complete() -> bool {
    if !Path::new(DEBIAN_CARGO).is_file() || !Path::new(DEBIAN_RUSTC).is_file() {
        return false;
    }
    let sysroot = workspace::command(DEBIAN_RUSTC)
        .args(["--print", "sysroot"])
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let Some(sysroot) = sysroot else { return false };
    Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std").is_dir()
        && process::find(&["wasm-ld"]).is_some()
}

/// A note in `target/` that rustup cannot add the target to this very toolchain.
struct Memory {
    file: PathBuf,
    toolchain: String,
}

impl Memory {
    fn for_current() -> Result<Self> {
        let printed = process::output(workspace::command("rustc").arg("-vV"))?;
        Ok(Self {
            file: workspace::own_state().join("rustup-cannot-add-the-target-to"),
            toolchain: String::from_utf8(printed)?,
        })
    }

    fn rustup_failed(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|remembered| remembered == self.toolchain)
    }

    fn remember_that_rustup_failed(&self) -> Result<()> {
        fs::create_dir_all(workspace::own_state())?;
        fs::write(&self.file, &self.toolchain)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_libstd_is_no_target() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds_standard_library(folder.path()));
        assert!(!holds_standard_library(&folder.path().join("missing")));
        fs::write(folder.path().join("libstd-0123456789abcdef.rlib"), "").unwrap();
        assert!(holds_standard_library(folder.path()));
    }

    #[test]
    fn a_failure_is_remembered_for_that_toolchain_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("note");
        let older = Memory { file: file.clone(), toolchain: "rustc 1.95.0".into() };
        let newer = Memory { file, toolchain: "rustc 1.96.0".into() };
        assert!(!older.rustup_failed());
        fs::write(&older.file, &older.toolchain).unwrap();
        assert!(older.rustup_failed());
        assert!(!newer.rustup_failed());
    }
}
