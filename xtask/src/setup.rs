//! Finds out what the machine lacks and installs it: packages with apt-get as root, never with sudo.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use nix::unistd::geteuid;

use crate::{node, process, wasm_toolchain, workspace};

const CHROMIUM_VARIABLE: &str = "RAMPART_CHROMIUM";
const CHROMIUM_NAMES: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const CHROME_ON_MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Installs everything that any command needs.
pub(crate) fn run() -> Result<()> {
    let chromium = for_tests()?;
    let toolchain = wasm_toolchain::ensure()?;
    node::wasm_opt()?;
    println!("\nReady. WebAssembly: {toolchain:?} toolchain; browser: {}", chromium.display());
    Ok(())
}

/// Installs what the browser tests need and returns the browser.
pub(crate) fn for_tests() -> Result<PathBuf> {
    require_go()?;
    node::require()?;
    let chromium = chromium()?;
    node::install_packages(&workspace::root().join("e2e"), "the browser tests' packages")?;
    Ok(chromium)
}

/// Whether packages can be installed without asking a person.
pub(crate) fn can_install_packages() -> bool {
    has_apt() && geteuid().is_root()
}

/// Whether this is Debian or one of its family.
pub(crate) fn has_apt() -> bool {
    process::find(&["apt-get"]).is_some()
}

/// Installs Debian packages as root; without root the error is the command for the person.
pub(crate) fn install_packages(what: &str, packages: &[&str], usual: &str) -> Result<()> {
    if !geteuid().is_root() {
        bail!(
            "{what} is missing. Install it with\n\n    {}\n\nand run this again",
            command_for_a_person(packages)
        );
    }
    println!("Installing {what}: {} ({usual})", packages.join(" "));
    process::run(workspace::command("apt-get").args(["update", "--quiet=2"]))?;
    process::run(
        workspace::command("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
            .args(packages),
    )
}

fn command_for_a_person(packages: &[&str]) -> String {
    format!("sudo apt-get update && sudo apt-get install --no-install-recommends {}", packages.join(" "))
}

fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(CHROMIUM_VARIABLE) {
        let program = PathBuf::from(named);
        if !program.is_file() {
            bail!("{CHROMIUM_VARIABLE} is {}, and there is no such file", program.display());
        }
        return Ok(program);
    }
    if let Some(found) = installed_chromium() {
        return Ok(found);
    }
    if !has_apt() {
        bail!(
            "the browser tests need Chromium or Chrome. Install one, or set {CHROMIUM_VARIABLE} to its program"
        );
    }
    install_packages("a browser for the browser tests", &["chromium"], "usually a minute")?;
    match installed_chromium() {
        Some(found) => Ok(found),
        None => bail!("the package chromium is installed, but none of {CHROMIUM_NAMES:?} is on the PATH"),
    }
}

fn installed_chromium() -> Option<PathBuf> {
    process::find(&CHROMIUM_NAMES)
        .or_else(|| Some(PathBuf::from(CHROME_ON_MACOS)).filter(|program| program.is_file()))
}

fn require_go() -> Result<()> {
    if process::find(&["go"]).is_none() {
        let wanted = wanted_go(&workspace::root().join("e2e/testcluster/go.mod"));
        bail!(
            "Go is not on the PATH. The browser tests build their Kubernetes control plane with it: \
             install Go{wanted} (https://go.dev/dl) and run this again"
        );
    }
    Ok(())
}

/// The version that the module asks for, to tell a person; go itself checks it.
fn wanted_go(module: &Path) -> String {
    std::fs::read_to_string(module)
        .ok()
        .and_then(|text| {
            let version = text.lines().find_map(|line| line.strip_prefix("go "))?;
            Some(format!(" {} or newer", version.trim()))
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_a_person_names_every_package() {
        assert_eq!(
            command_for_a_person(&["rustc-web", "lld"]),
            "sudo apt-get update && sudo apt-get install --no-install-recommends rustc-web lld"
        );
    }

    #[test]
    fn the_wanted_go_is_the_modules() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("go.mod");
        std::fs::write(&module, "module example\n\ngo 1.26.0\n").unwrap();
        assert_eq!(wanted_go(&module), " 1.26.0 or newer");
        assert_eq!(wanted_go(&folder.path().join("missing")), "");
    }
}
