//! Upstream's own test data for Pod Security, `restricted`, newest version, against items 13 and 14.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::{Inventory, Kind, Object, Parameters, results};
use rampart_shared::{ItemId, Outcome, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use upstream_data::{minor, sorted, test_data};

mod upstream_data;

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
    results(&inventory, &Parameters::default())
        .unwrap()
        .into_iter()
        .map(|result| (result.id(), result.outcome()))
        .collect()
}

fn newest(folder: &Path) -> PathBuf {
    sorted(folder).into_iter().max_by_key(|folder| minor(folder)).unwrap()
}
