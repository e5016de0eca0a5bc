//! Upstream's own test data for Pod Security, every level and version, against our evaluation of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::pod_security::{
    ENFORCE_LABEL, ENFORCE_VERSION_LABEL, Forbidden, NEWEST_MINOR, NamespacePolicy, Pod, rejects,
};
use std::collections::BTreeSet;
use std::path::Path;
use upstream_data::{minor, sorted, test_data};

mod upstream_data;

/// Controls of `baseline` that one of `restricted` stands for, from which minor release on.
const OVERRIDDEN: [(&str, u64, &str); 4] = [
    ("capabilities_baseline", 22, "capabilities_restricted"),
    ("hostpathvolumes", 0, "restrictedvolumes"),
    ("procmount", 35, "procmount_restricted"),
    ("seccompprofile_baseline", 19, "seccompprofile_restricted"),
];

/// What else a failing pod breaks: file, level, from which minor release on, control. The API's validation
/// asks for the first two, `hostNetwork` of a host process and no `allowPrivilegeEscalation: false` of a
/// privileged container; the third has no security context at all.
const ALSO_BROKEN: [(&str, &str, u64, &str); 4] = [
    ("windowshostprocess", "baseline", 0, "hostnamespaces"),
    ("windowshostprocess", "restricted", 0, "hostnamespaces"),
    ("privileged", "restricted", 8, "allowprivilegeescalation"),
    ("allowprivilegeescalation3", "restricted", 22, "capabilities_restricted"),
];

#[test]
fn every_file_of_every_level_and_version_agrees() {
    let data = test_data();
    let mut disagreements = Vec::new();
    let mut files = 0;
    for level in ["baseline", "restricted"] {
        let mut versions = Vec::new();
        for folder in sorted(&data.join(level)) {
            let minor = minor(&folder).unwrap();
            versions.push(minor);
            for verdict in ["pass", "fail"] {
                for file in sorted(&folder.join(verdict)) {
                    files += 1;
                    let name = file.file_stem().unwrap().to_str().unwrap();
                    let expected = match verdict {
                        "fail" => broken(level, minor, name),
                        _ => BTreeSet::new(),
                    };
                    let ours = forbidden(level, minor, &file);
                    if ours != expected {
                        disagreements.push((format!("{level}/v1.{minor}/{verdict}/{name}"), ours));
                    }
                }
            }
        }
        versions.sort_unstable();
        assert_eq!(versions, Vec::from_iter(0..=35), "{level}");
    }
    assert!(files >= 4240, "upstream has {files} files only: is this the right folder?");
    assert_eq!(disagreements, []);
}

/// The controls that a failing pod breaks: first of all the one that its file is named for.
fn broken(level: &str, minor: u64, file: &str) -> BTreeSet<String> {
    let named = file.trim_end_matches(|character: char| character.is_ascii_digit());
    let control = OVERRIDDEN
        .iter()
        .find(|(control, since, _)| level == "restricted" && *control == named && minor >= *since)
        .map_or(named, |(_, _, by)| by);
    let also = ALSO_BROKEN
        .iter()
        .filter(|(of, at, since, _)| (*of == named || *of == file) && *at == level && minor >= *since)
        .map(|(_, _, _, control)| *control);
    std::iter::once(control).chain(also).map(str::to_owned).collect()
}

/// What a namespace with the level's labels refuses a pod for, in small letters as upstream names its files.
fn forbidden(level: &str, minor: u64, file: &Path) -> BTreeSet<String> {
    let labels = [(ENFORCE_LABEL, level.to_owned()), (ENFORCE_VERSION_LABEL, format!("v1.{minor}"))]
        .map(|(label, value)| (label.to_owned(), value))
        .into();
    let (policy, invalid) = NamespacePolicy::from_labels(&labels, NamespacePolicy::default());
    assert!(invalid.is_empty(), "{invalid:?}");
    let pod: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    rejects(&policy, &Pod::read(&pod).unwrap(), Some(NEWEST_MINOR))
        .unwrap_or_default()
        .iter()
        .map(|Forbidden { control, .. }| control.to_lowercase())
        .collect()
}
