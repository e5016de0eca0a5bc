//! Upstream's own test data for Pod Security. It comes from the Go module `k8s.io/pod-security-admission`;
//! the Go toolchain fetches it.

use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = "k8s.io/pod-security-admission@v0.36.3";

/// The folder that has a folder per level.
pub(crate) fn test_data() -> PathBuf {
    // Outside of any module, so that the repository's own go.mod plays no part.
    let output = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .current_dir(std::env::temp_dir())
        .output()
        .expect("this test needs the Go toolchain to fetch upstream's data: install Go");
    assert!(output.status.success(), "go mod download {MODULE}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    Path::new(answer["Dir"].as_str().unwrap()).join("test/testdata")
}

/// What is in a folder.
pub(crate) fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The minor release that a folder is named for.
pub(crate) fn minor(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.strip_prefix("v1.")?.parse().ok()
}
