//! Read-only root filesystems, and empty volumes where programs are known to write.

use super::writable_paths;
use crate::remedy::{FindingAt, Placed, Stays, Texts, remediation};
use crate::workloads::View;
use rampart_shared::{ItemResult, Remediation};
use serde_json::json;

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Makes the root filesystem of each named container read-only, and mounts an empty volume of its own at /tmp \
                  and where images that are known to write do so. Each document says which paths are assumed, and from where \
                  that is known.",
        may_break: "A program that writes elsewhere fails with EROFS (Read-only file system). Look for that in its log \
                    after the roll-out of one replica, and mount a volume there. An empty volume hides what the image \
                    has at its path, and is lost with its pod.",
        undo: "Apply the second file: it gives up the fields and the volumes. Or kubectl rollout undo the workload.",
    };
    let mut placed = Placed::new(view, result.application_findings());
    let mut documents = Vec::new();
    let mut unchanged = Vec::new();
    for (mut draft, _, findings) in std::mem::take(&mut placed.changeable) {
        let mut told = Vec::new();
        for FindingAt { container, finding } in findings {
            let Some((container_type, name)) = container else { continue };
            if !draft.set_security_context(container_type, name, &json!({ "readOnlyRootFilesystem": true })) {
                unchanged.push(finding);
                continue;
            }
            let image = draft.container(container_type, name).map_or("", |container| &container.image);
            let known = writable_paths::of(image);
            let mut mounted = Vec::new();
            for path in ["/tmp"].iter().chain(known.map_or(&[][..], |known| known.paths)) {
                if draft.mount_empty(container_type, name, path) {
                    mounted.push(*path);
                }
            }
            let source = known
                .filter(|known| known.paths.iter().any(|path| mounted.contains(path)))
                .map_or(String::new(), |known| format!(" (see {})", known.source));
            told.push(match mounted.as_slice() {
                [] => format!("{name}: no volume, its own mounts are enough for what is known to be written"),
                paths => format!("{name}: assumed to write {}{source}", paths.join(", ")),
            });
        }
        documents.extend(draft.document(&told.join("\n")));
    }
    for finding in unchanged {
        placed.stay(Stays::Admission, finding);
    }
    let mut remediation = remediation(result, texts, documents);
    remediation.remaining = placed
        .remaining(view, "securityContext.readOnlyRootFilesystem: true on every container, and emptyDir volumes where it writes");
    remediation
}
