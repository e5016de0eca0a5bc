//! Upstream's own test data for Pod Security, `restricted`, newest version, against items 13 and 14.
//!
//! The data comes from the Go module `k8s.io/pod-security-admission`; the Go toolchain fetches it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::{Inventory, Kind, Object, Parameters, evaluate};
use rampart_shared::{ItemId, Outcome, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = "k8s.io/pod-security-admission@v0.36.3";

/// Where we and upstream disagree: file, item, upstream's verdict, ours, and why. A new or vanished one fails.
const DISAGREEMENTS: [(&str, ItemId, Outcome, Outcome, &str); 1] = [(
    "pass/base_windows.yaml",
    ItemId::SeccompApparmor,
    Outcome::Pass,
    Outcome::NotApplicable,
    "Windows has neither seccomp nor AppArmor: upstream lets it pass, we have nothing to examine",
)];

#[test]
fn items_13_and_14_agree_with_upstream() {
    let folder = newest(&test_data().join("restricted"));
    let mut disagreements = Vec::new();
    let mut files = 0;
    for verdict in ["pass", "fail"] {
        for file in sorted(&folder.join(verdict)) {
            files += 1;
            let name = format!("{verdict}/{}", file.file_name().unwrap().to_str().unwrap());
            let ours = outcomes(&std::fs::read_to_string(&file).unwrap());
            for item in [ItemId::NonRootContainers, ItemId::SeccompApparmor] {
                let upstream = upstream(&name, item);
                if ours[&item] != upstream {
                    disagreements.push((name.clone(), item, upstream, ours[&item]));
                }
            }
        }
    }
    assert!(files >= 80, "upstream has {files} files only: is this the right folder?");
    let listed: Vec<_> = DISAGREEMENTS
        .iter()
        .map(|(file, item, upstream, ours, _)| ((*file).to_owned(), *item, *upstream, *ours))
        .collect();
    assert_eq!(disagreements, listed);
}

/// What upstream says of the controls that an item stands for. A failing pod breaks the control that its file is
/// named for, and no other.
fn upstream(file: &str, item: ItemId) -> Outcome {
    let controls: &[&str] = match item {
        ItemId::NonRootContainers => &["fail/runasnonroot", "fail/runasuser"],
        _ => &["fail/seccompprofile_", "fail/apparmorprofile", "fail/privileged"],
    };
    let breaks = controls.iter().any(|control| file.starts_with(control));
    if breaks { Outcome::Fail } else { Outcome::Pass }
}

fn outcomes(yaml: &str) -> BTreeMap<ItemId, Outcome> {
    let mut pod: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    // The defaults of the API server that the data leaves out.
    pod["metadata"]["namespace"] = "test".into();
    let mut inventory = Inventory::empty(Source::Snapshot);
    inventory.insert(Object::deserialize(Kind::Pods, "v1", pod).unwrap());
    evaluate(&inventory, &Parameters::default())
        .unwrap()
        .into_iter()
        .map(|item| (item.result.id(), item.result.outcome()))
        .collect()
}

fn test_data() -> PathBuf {
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

fn newest(folder: &Path) -> PathBuf {
    let version = |path: &PathBuf| -> u32 {
        path.file_name().and_then(|name| name.to_str()?.strip_prefix("v1.")?.parse().ok()).unwrap_or(0)
    };
    sorted(folder).into_iter().max_by_key(version).unwrap()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
