//! What a pod may mount.

use crate::pod_security::pod::Pod;
use crate::pod_security::wording::{Violation, counted, quoted, uses};
use std::collections::BTreeSet;

const ALLOWED_SOURCES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

const RESTRICTED_SOURCES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

/// Every source that a volume can have.
pub(in crate::pod_security) fn volume_sources() -> impl Iterator<Item = &'static str> {
    ALLOWED_SOURCES.into_iter().chain(RESTRICTED_SOURCES)
}

/// No volume is a path of the node.
pub(in crate::pod_security) fn host_path_volumes(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let bad: Vec<_> =
        pod.volumes.iter().filter(|volume| volume.has("hostPath")).map(|volume| volume.name).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "hostPath volumes",
        detail: format!("{} {}", counted("volume", bad.len()), quoted(bad)),
    })
}

/// Every volume has one of the allowed sources.
pub(in crate::pod_security) fn restricted_volumes(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let mut names = Vec::new();
    let mut sources = BTreeSet::new();
    for volume in &pod.volumes {
        if !volume.has_no_source() && !ALLOWED_SOURCES.into_iter().any(|source| volume.has(source)) {
            let source = RESTRICTED_SOURCES.into_iter().find(|source| volume.has(source));
            names.push(volume.name);
            sources.insert(source.unwrap_or("unknown"));
        }
    }
    (!names.is_empty()).then(|| Violation {
        reason: "restricted volume types",
        detail: format!(
            "{} {} {} {} {}",
            counted("volume", names.len()),
            quoted(&names),
            uses(names.len()),
            counted("restricted volume type", sources.len()),
            quoted(sources)
        ),
    })
}
