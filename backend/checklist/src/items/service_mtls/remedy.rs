//! What puts the workloads into the mesh that is there, and makes it demand mutual TLS.

mod capture;
mod cut_off;
mod documents;
mod plan;
mod remaining;

use crate::mesh::Meshes;
use crate::remedy::{Texts, remediation};
use crate::workloads::View;
use plan::Plan;
use rampart_shared::{ItemResult, Remediation};

const WITH_MESH: Texts = Texts {
    changes: "Puts namespaces into the mesh that runs here, and makes it demand mutual TLS: for Istio a PeerAuthentication \
              with STRICT, for Linkerd a default inbound policy or authorizations that demand an identity, for Cilium the \
              enrolment of the namespace. Ports that annotations keep from the proxy are taken out of these. The stages \
              observe and warn enrol and still let plaintext in; enforce demands mutual TLS. Proxies come into pods when \
              these are made anew: the commands stand beside this.",
    may_break: "Clients without a proxy are refused at once: workloads outside the mesh, monitors that scrape ports, ingress \
                controllers and load balancers' health checks. The table names those that were seen. The kubelet's \
                probes go on: Istio rewrites them, Linkerd lets them in. Apply observe first, restart the workloads, look \
                at the mesh's metrics for plaintext connections (Istio: connection_security_policy=none, Linkerd: \
                tls!=\"true\"), and apply enforce namespace by namespace.",
    undo: "Delete the objects that were added and apply the undo file, which puts the former modes, labels and annotations \
           back; then restart the workloads, since a proxy stays in a pod as long as the pod does.",
};

const WITHOUT_MESH: Texts = Texts {
    changes: "Nothing by itself: no mesh was recognised here, or more than one, and which to use is for a person to choose. \
              Istio, Linkerd and Cilium with ztunnel are understood. Once one runs, this remedy puts the namespaces into it.",
    may_break: "A mesh stands in the way of all traffic. Start with one namespace, with plaintext still allowed.",
    undo: "Take the namespaces out of the mesh and restart their workloads before it is removed.",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let meshes = Meshes::of(view);
    let plan = Plan::of(view, &meshes, result);
    let documents = documents::documents(view, &plan);
    let texts = if documents.is_empty() && plan.present.len() != 1 { WITHOUT_MESH } else { WITH_MESH };
    let mut remediation = remediation(result, texts, documents);
    if plan.demands() {
        remediation.tables.push(cut_off::table(view, &plan));
    }
    remediation.remaining = plan.remaining.into_remainders();
    remediation
}
