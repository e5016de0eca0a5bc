//! Which pods could no longer reach the workloads that demand mutual TLS.

use super::plan::Plan;
use crate::mesh::{Mesh, Meshes};
use crate::remedy;
use crate::workloads::View;
use rampart_shared::RemediationTable;

/// The pods without a proxy, whatever they call: who calls whom is not seen.
pub(super) fn table(view: &View<'_>, plan: &Plan<'_>) -> RemediationTable {
    let by_namespace = plan.present.contains(&Mesh::CiliumZtunnel);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for workload in &view.workloads {
        let namespace = workload.namespace();
        let is_enrolled = by_namespace
            && plan
                .namespace(namespace)
                .and_then(|meta| meta.labels.get("io.cilium/mtls-enabled"))
                .is_some_and(|value| value == "true");
        if is_enrolled || workload.controller.is_some_and(Meshes::is_control_plane) {
            continue;
        }
        let without: Vec<_> = workload
            .pods
            .iter()
            .filter(|pod| !pod.is_mirror() && (pod.spec.host_network || !Meshes::is_enrolled(pod)))
            .collect();
        let Some(first) = without.first() else { continue };
        let why = if first.spec.host_network {
            "it is on the node's network, where no mesh is"
        } else if plan.enrolled.get(namespace) == Some(&Mesh::CiliumZtunnel) {
            continue;
        } else if plan.enrolled.contains_key(namespace) {
            "until it is in the mesh: these documents enrol its namespace"
        } else {
            "its namespace is in no mesh"
        };
        rows.push(vec![
            namespace.to_owned(),
            format!("{} {}", workload.subject.kind, workload.subject.name),
            without.len().to_string(),
            why.to_owned(),
        ]);
    }
    rows.sort();
    remedy::table(
        "Pods that would be cut off where they call a port that demands mutual TLS",
        &["Namespace", "Workload", "Pods", "Why"],
        rows,
    )
}
