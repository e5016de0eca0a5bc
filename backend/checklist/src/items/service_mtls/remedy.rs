//! What puts the workloads into the mesh that is there, and makes it demand mutual TLS.

use super::{Surveyed, survey};
use crate::inventory::Kind;
use crate::mesh::{Cause, Mesh, Meshes, ObjectReference};
use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{ItemResult, Remediation, RemediationDocument, RemediationTarget, Scope};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const WITH_MESH: Texts = Texts {
    changes: "Puts namespaces into the mesh that runs here, and makes it demand mutual TLS: for Istio a PeerAuthentication \
              with STRICT, for Linkerd a default inbound policy or an authorization that demands an identity, for Cilium the \
              enrolment of the namespace. Ports that are kept from the proxy, pods on the node's network, protocols other \
              than TCP and the rules of Cilium's policies are not in this file: they are changed in the workloads and policies \
              that the findings name.",
    may_break: "Clients without a proxy are refused at once: workloads outside the mesh, monitors that scrape ports, ingress \
                controllers and load balancers' health checks. Put the clients into the mesh first, look at the mesh's \
                metrics for plaintext connections (Istio: connection_security_policy=none), and apply the STRICT step last, \
                namespace by namespace. A namespace's label or annotation takes effect when its workloads are restarted.",
    undo: "Delete the PeerAuthentications that this file adds, set the mode, label or annotation of the others back, and \
           restart the workloads.",
};

const WITHOUT_MESH: Texts = Texts {
    changes: "Nothing by itself: no mesh was recognised here, or more than one, and which to use is for a person to choose. \
              Istio, Linkerd and Cilium with ztunnel are understood. Once one runs, this remedy puts the namespaces into it.",
    may_break: "A mesh stands in the way of all traffic. Start with one namespace, with plaintext still allowed.",
    undo: "Take the namespaces out of the mesh and restart their workloads before it is removed.",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let meshes = Meshes::of(view);
    let present = meshes.present(view.inventory);
    let mut plan = Plan::default();
    if result.application_findings().next().is_some() {
        for found in survey(view, &meshes) {
            if found.workload.scope == Scope::Application {
                plan.add(view, &meshes, &present, &found);
            }
        }
    }
    let documents = plan.documents(view);
    let texts = if documents.is_empty() && present.len() != 1 { WITHOUT_MESH } else { WITH_MESH };
    remediation(result, texts, documents)
}

/// The changes, each once.
#[derive(Default)]
struct Plan {
    /// Namespaces to label, with the label.
    labels: BTreeMap<String, (String, String)>,
    /// Namespaces whose default inbound policy has to demand an identity.
    linkerd_policies: BTreeSet<String>,
    /// Namespaces that need a PeerAuthentication.
    new_peer_authentications: BTreeSet<String>,
    /// PeerAuthentications to change: the mode for the whole, and ports.
    peer_authentications: BTreeMap<ObjectReference, (bool, BTreeSet<u16>)>,
    /// Linkerd's Servers and ServerAuthorizations to change.
    linkerd_objects: BTreeSet<ObjectReference>,
}

impl Plan {
    fn add(
        &mut self,
        view: &View<'_>,
        meshes: &Meshes<'_>,
        present: &BTreeSet<Mesh>,
        found: &Surveyed<'_, '_>,
    ) {
        let namespace = found.workload.namespace();
        for (exposure, _) in found.exposures.values() {
            match exposure.cause {
                Cause::NotStrict => match &exposure.object {
                    Some(object) if object.namespace == namespace => {
                        let (whole, ports) = self.peer_authentications.entry(object.clone()).or_default();
                        match found.port.number {
                            Some(number) if exposure.on_port => drop(ports.insert(number)),
                            _ => *whole = true,
                        }
                    }
                    _ => self.make_strict(meshes, namespace),
                },
                Cause::NoMesh | Cause::EncryptionAlone => {
                    // Which of several meshes a workload belongs into is for a person to say.
                    let mut present = present.iter();
                    if let (Some(mesh), None) = (present.next(), present.next()) {
                        self.enrol(view, meshes, *mesh, namespace);
                    }
                }
                Cause::LinkerdDefaultPolicy => drop(self.linkerd_policies.insert(namespace.to_owned())),
                Cause::LinkerdAuthorization => {
                    let changed = |object: &&ObjectReference| {
                        matches!(object.kind, Kind::LinkerdServers | Kind::LinkerdServerAuthorizations)
                    };
                    self.linkerd_objects.extend(exposure.object.iter().filter(changed).cloned());
                }
                Cause::HostNetwork
                | Cause::NotCaptured
                | Cause::NotTcp
                | Cause::AuthenticationAlone
                | Cause::CiliumPolicy => {}
            }
        }
    }

    /// The older of two policies is in force: one that is there has to be changed, not joined.
    fn make_strict(&mut self, meshes: &Meshes<'_>, namespace: &str) {
        match meshes.peer_authentication_of(namespace) {
            Some(policy) => self.peer_authentications.entry(policy).or_default().0 = true,
            None => drop(self.new_peer_authentications.insert(namespace.to_owned())),
        }
    }

    fn enrol(&mut self, view: &View<'_>, meshes: &Meshes<'_>, mesh: Mesh, namespace: &str) {
        let mut label = |name: &str, value: &str| {
            self.labels.insert(namespace.to_owned(), (name.to_owned(), value.to_owned()));
        };
        match mesh {
            Mesh::Istio => match revision(view) {
                Some(revision) => label("istio.io/rev", &revision),
                None => label("istio-injection", "enabled"),
            },
            Mesh::IstioAmbient => label("istio.io/dataplane-mode", "ambient"),
            Mesh::CiliumZtunnel => label("io.cilium/mtls-enabled", "true"),
            Mesh::Linkerd => drop(self.linkerd_policies.insert(namespace.to_owned())),
            Mesh::CiliumMutualAuthentication => {}
        }
        if matches!(mesh, Mesh::Istio | Mesh::IstioAmbient) && !meshes.istio_is_strict_in(namespace) {
            self.make_strict(meshes, namespace);
        }
    }

    fn documents(self, view: &View<'_>) -> Vec<RemediationDocument> {
        let mut documents = Vec::new();
        let mut apply = |comment: String, object: Value| {
            documents.push(document(RemediationTarget::Apply, comment, &object));
        };
        for (namespace, (label, value)) in self.labels {
            apply(
                format!("Namespace {namespace}: into the mesh, when its workloads are restarted"),
                json!({
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": { "name": namespace, "labels": { (label): value } },
                }),
            );
        }
        for namespace in self.linkerd_policies {
            apply(
                format!(
                    "Namespace {namespace}: into the mesh, with an identity demanded, when its workloads are restarted"
                ),
                json!({
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {
                        "name": namespace,
                        "annotations": {
                            "linkerd.io/inject": "enabled",
                            "config.linkerd.io/default-inbound-policy": "all-authenticated",
                        },
                    },
                }),
            );
        }
        for object in self.linkerd_objects {
            let spec = match object.kind {
                Kind::LinkerdServers => json!({ "accessPolicy": "all-authenticated" }),
                _ => json!({
                    "client": {
                        "unauthenticated": false,
                        "meshTLS": { "unauthenticatedTLS": false, "identities": ["*"] },
                    },
                }),
            };
            apply(
                format!("{} {}/{}: demands an identity", object.kind.kind(), object.namespace, object.name),
                existing(&object, &spec),
            );
        }
        for (object, (whole, ports)) in self.peer_authentications {
            let mut spec = json!({});
            if whole {
                spec["mtls"] = json!({ "mode": "STRICT" });
            }
            if !ports.is_empty() {
                let ports = ports.iter().map(|port| (port.to_string(), json!({ "mode": "STRICT" })));
                spec["portLevelMtls"] = Value::Object(ports.collect());
            }
            apply(
                format!("PeerAuthentication {}/{}: STRICT", object.namespace, object.name),
                existing(&object, &spec),
            );
        }
        for namespace in self.new_peer_authentications {
            let policy = json!({
                "apiVersion": "security.istio.io/v1",
                "kind": "PeerAuthentication",
                "metadata": { "name": free_name(view, &namespace), "namespace": namespace },
                "spec": { "mtls": { "mode": "STRICT" } },
            });
            let comment = format!("Namespace {namespace}: mutual TLS alone");
            documents.push(document(RemediationTarget::NewObject, comment, &policy));
        }
        documents
    }
}

fn existing(object: &ObjectReference, spec: &Value) -> Value {
    json!({
        "apiVersion": object.api_version,
        "kind": object.kind.kind(),
        "metadata": { "name": object.name, "namespace": object.namespace },
        "spec": spec,
    })
}

/// The revision by which namespaces choose the one control plane of Istio that runs; none where it is the default.
fn revision(view: &View<'_>) -> Option<String> {
    let revisions: BTreeSet<&str> = view
        .inventory
        .deployments
        .seen
        .iter()
        .filter(|deployment| Meshes::is_control_plane(deployment))
        .filter_map(|deployment| deployment.meta.labels.get("istio.io/rev").map(String::as_str))
        .collect();
    match revisions.into_iter().collect::<Vec<_>>().as_slice() {
        [revision] if *revision != "default" => Some((*revision).to_owned()),
        _ => None,
    }
}

/// A name that no PeerAuthentication of the namespace has: applying must add, never change what is there.
fn free_name(view: &View<'_>, namespace: &str) -> String {
    let taken = |name: &str| {
        view.inventory
            .resources(Kind::PeerAuthentications)
            .seen
            .iter()
            .any(|policy| policy.meta.namespace_or_default() == namespace && policy.meta.name == name)
    };
    let mut name = "default".to_owned();
    while taken(&name) {
        name.push_str("-rampart");
    }
    name
}
