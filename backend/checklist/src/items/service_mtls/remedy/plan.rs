//! Which changes there are, each once, and which findings they leave.

use super::super::{Surveyed, rule, survey};
use super::capture::{self, Captured};
use super::remaining::{Remaining, Task};
use crate::inventory::{Kind, ObjectMeta, Resource};
use crate::mesh::{Cause, Exposure, Mesh, Meshes, ObjectReference, Protocol};
use crate::workloads::View;
use rampart_shared::{Fingerprint, ItemResult, Scope, Subject};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The changes.
pub(super) struct Plan<'a> {
    /// The meshes that run here.
    pub(super) present: BTreeSet<Mesh>,
    /// Namespaces that come into a mesh, and into which.
    pub(super) enrolled: BTreeMap<String, Mesh>,
    /// Namespaces whose default inbound policy has to demand an identity.
    pub(super) linkerd_policies: BTreeSet<String>,
    /// Namespaces that need a PeerAuthentication.
    pub(super) new_peer_authentications: BTreeSet<String>,
    /// PeerAuthentications to change: the mode for the whole, and ports.
    pub(super) peer_authentications: BTreeMap<ObjectReference, (bool, BTreeSet<String>)>,
    /// Linkerd's Servers and authorizations to change.
    pub(super) linkerd_objects: BTreeSet<ObjectReference>,
    /// By workload or namespace, annotations with their former and new values.
    pub(super) annotations: BTreeMap<Subject, Annotations>,
    /// What is left to a person.
    pub(super) remaining: Remaining,
    /// The namespaces that were seen.
    pub(super) namespaces: HashMap<&'a str, &'a ObjectMeta>,
    policies: HashMap<(&'a str, &'a str), &'a Resource>,
}

/// Annotations with their former and new values.
pub(super) type Annotations = BTreeMap<String, (String, String)>;

/// Findings by their workload, path and rule.
type Findings<'r> = HashMap<(&'r Subject, &'r str, &'r str), &'r Fingerprint>;

impl<'a> Plan<'a> {
    /// The changes for every finding; nothing for what is not known to be wrong.
    pub(super) fn of(view: &View<'a>, meshes: &Meshes<'a>, result: &ItemResult) -> Self {
        let mut plan = Plan {
            present: BTreeSet::new(),
            enrolled: BTreeMap::new(),
            linkerd_policies: BTreeSet::new(),
            new_peer_authentications: BTreeSet::new(),
            peer_authentications: BTreeMap::new(),
            linkerd_objects: BTreeSet::new(),
            annotations: BTreeMap::new(),
            remaining: Remaining::default(),
            namespaces: HashMap::new(),
            policies: HashMap::new(),
        };
        let findings: Findings<'_> = result
            .application_findings()
            .map(|finding| {
                ((&finding.subject, finding.path.as_str(), finding.rule.as_str()), &finding.fingerprint)
            })
            .collect();
        if findings.is_empty() {
            return plan;
        }
        plan.present = meshes.present(view.inventory);
        plan.namespaces =
            view.inventory.namespaces.seen.iter().map(|meta| (meta.name.as_str(), meta)).collect();
        plan.policies = view
            .inventory
            .resources(Kind::PeerAuthentications)
            .seen
            .iter()
            .map(|policy| ((policy.meta.namespace_or_default(), policy.meta.name.as_str()), policy))
            .collect();
        let control_planes: BTreeSet<&str> = Meshes::control_planes(view.inventory)
            .map(|deployment| deployment.meta.namespace_or_default())
            .collect();
        let surveyed = survey(view, meshes);
        let mut captured: BTreeMap<&Subject, Captured<'_, 'a>> = BTreeMap::new();
        for found in surveyed.iter().filter(|found| found.workload.scope == Scope::Application) {
            let path = format!("port {}", found.port);
            for (exposure, _) in found.exposures.values() {
                let (name, _, _) = rule(exposure.cause);
                let key = (&found.workload.subject, path.as_str(), name);
                let Some(fingerprint) = findings.get(&key).copied() else { continue };
                if exposure.cause == Cause::NotCaptured {
                    let captured = captured
                        .entry(&found.workload.subject)
                        .or_insert_with(|| Captured::of(found.workload));
                    captured.ports.insert(found.port, fingerprint.clone());
                } else if control_planes.contains(found.workload.namespace()) {
                    plan.remaining
                        .add(Task::ControlPlane(found.workload.namespace().to_owned()), fingerprint);
                } else {
                    plan.add(meshes, found, exposure, fingerprint);
                }
            }
        }
        for captured in captured.into_values() {
            capture::add(&mut plan, meshes, captured);
        }
        plan
    }

    /// Whether clients without an identity are refused where they were let in.
    pub(super) fn demands(&self) -> bool {
        !(self.new_peer_authentications.is_empty()
            && self.peer_authentications.is_empty()
            && self.linkerd_policies.is_empty()
            && self.linkerd_objects.is_empty()
            && !self.enrolled.values().any(|mesh| *mesh == Mesh::CiliumZtunnel))
    }

    /// The labels and annotations of a namespace.
    pub(super) fn namespace(&self, name: &str) -> Option<&'a ObjectMeta> {
        self.namespaces.get(name).copied()
    }

    /// A PeerAuthentication as it is.
    pub(super) fn policy(&self, object: &ObjectReference) -> Option<&'a Resource> {
        self.policies.get(&(object.namespace.as_str(), object.name.as_str())).copied()
    }

    fn add(
        &mut self,
        meshes: &Meshes<'_>,
        found: &Surveyed<'_, '_>,
        exposure: &Exposure,
        fingerprint: &Fingerprint,
    ) {
        let namespace = found.workload.namespace();
        let is_tcp = found.port.protocol == Protocol::Tcp;
        let task = match exposure.cause {
            Cause::NotStrict => {
                self.make_strict(meshes, namespace, found.port.number, exposure);
                return;
            }
            Cause::LinkerdAuthorization => {
                self.linkerd_objects.extend(exposure.objects.iter().cloned());
                return;
            }
            Cause::LinkerdDefaultPolicy => {
                self.linkerd_policies.insert(namespace.to_owned());
                let own = found.workload.controller.map(|controller| &controller.template_annotations);
                if let Some(former) =
                    own.and_then(|own| own.get(DEFAULT_POLICY)).filter(|_| capture::rolls_out(found.workload))
                {
                    let changed = (former.clone(), ENFORCING[0].to_owned());
                    self.annotations
                        .entry(found.workload.subject.clone())
                        .or_default()
                        .insert(DEFAULT_POLICY.to_owned(), changed);
                }
                Task::Restart(namespace.to_owned())
            }
            Cause::NoMesh | Cause::EncryptionAlone if !is_tcp && !self.present.is_empty() => Task::NotTcp,
            Cause::NoMesh | Cause::EncryptionAlone => {
                // Which of several meshes a workload belongs into is for a person to say.
                let mut present = self.present.iter();
                match (present.next().copied(), present.next()) {
                    (None, _) => Task::NoMesh,
                    (Some(_), Some(_)) => Task::SeveralMeshes,
                    (Some(mesh), None) => match self.enrol(meshes, mesh, found) {
                        Some(task) => task,
                        None => return,
                    },
                }
            }
            Cause::HostNetwork => Task::HostNetwork,
            Cause::NotTcp => Task::NotTcp,
            Cause::AuthenticationAlone => Task::Encryption,
            Cause::CiliumPolicy => Task::CiliumPolicy(exposure.observed.clone()),
            Cause::NotCaptured => Task::NotCaptured(exposure.observed.clone()),
        };
        self.remaining.add_of(task, fingerprint, found.workload);
    }

    /// What is done about an exposure that appears once another is mended; whether nothing is left of it then.
    pub(super) fn settle(
        &mut self,
        meshes: &Meshes<'_>,
        namespace: &str,
        port: Option<u16>,
        exposure: &Exposure,
    ) -> bool {
        match exposure.cause {
            Cause::NotStrict => self.make_strict(meshes, namespace, port, exposure),
            Cause::LinkerdAuthorization => self.linkerd_objects.extend(exposure.objects.iter().cloned()),
            Cause::LinkerdDefaultPolicy => {
                self.linkerd_policies.insert(namespace.to_owned());
                return false;
            }
            _ => return false,
        }
        true
    }

    /// The policy that is in force where it is the namespace's own, else one for the namespace. The older of two is in
    /// force: one that is there has to be changed, not joined.
    fn make_strict(&mut self, meshes: &Meshes<'_>, namespace: &str, port: Option<u16>, exposure: &Exposure) {
        let own = exposure.objects.iter().find(|object| object.namespace == namespace);
        let Some(object) = own else {
            match meshes.peer_authentication_of(namespace) {
                Some(policy) => self.peer_authentications.entry(policy).or_default().0 = true,
                None => drop(self.new_peer_authentications.insert(namespace.to_owned())),
            }
            return;
        };
        let ports: Vec<String> = match (exposure.on_port, port) {
            (false, _) => Vec::new(),
            (true, Some(number)) => vec![number.to_string()],
            // Every port: each of which the policy says that it is weaker.
            (true, None) => self
                .policy(object)
                .and_then(|policy| policy.body["spec"]["portLevelMtls"].as_object())
                .into_iter()
                .flatten()
                .filter(|(_, mutual)| is_weak(&mutual["mode"]))
                .map(|(port, _)| port.clone())
                .collect(),
        };
        let (whole, of_ports) = self.peer_authentications.entry(object.clone()).or_default();
        *whole |= !exposure.on_port;
        of_ports.extend(ports);
    }

    /// Puts a namespace into a mesh; what a person has to do then.
    fn enrol(&mut self, meshes: &Meshes<'_>, mesh: Mesh, found: &Surveyed<'_, '_>) -> Option<Task> {
        let namespace = found.workload.namespace();
        self.enrolled.insert(namespace.to_owned(), mesh);
        match mesh {
            Mesh::CiliumZtunnel => None,
            // It is no mesh of namespaces.
            Mesh::CiliumMutualAuthentication => Some(Task::NoMesh),
            Mesh::Linkerd => {
                self.linkerd_policies.insert(namespace.to_owned());
                Some(restart(found, "linkerd.io/inject", &["disabled"]))
            }
            Mesh::Istio | Mesh::IstioAmbient => {
                let exposure =
                    found.workload.pods.first().and_then(|pod| meshes.istio_exposure(pod, found.port));
                if let Some(exposure) = exposure {
                    self.make_strict(meshes, namespace, found.port.number, &exposure);
                }
                Some(if mesh == Mesh::Istio {
                    restart(found, "sidecar.istio.io/inject", &["false"])
                } else if own(found, "istio.io/dataplane-mode").is_some_and(|mode| mode == "none") {
                    Task::OptedOut("istio.io/dataplane-mode".to_owned())
                } else {
                    Task::Ambient(namespace.to_owned())
                })
            }
        }
    }
}

/// The annotation by which Linkerd's default inbound policy is chosen.
pub(super) const DEFAULT_POLICY: &str = "config.linkerd.io/default-inbound-policy";
/// The default inbound policies that demand an identity, or let nobody in; the first is the one that is set.
pub(super) const ENFORCING: [&str; 3] = ["all-authenticated", "cluster-authenticated", "deny"];

/// Whether a mode is set and lets plaintext in.
pub(super) fn is_weak(mode: &Value) -> bool {
    matches!(mode.as_str(), Some("DISABLE" | "PERMISSIVE"))
}

/// What a workload has to do for its proxies: be made anew, unless it says that it wants none.
fn restart(found: &Surveyed<'_, '_>, name: &str, refusals: &[&str]) -> Task {
    match own(found, name) {
        Some(value) if refusals.contains(&value) => Task::OptedOut(name.to_owned()),
        _ => Task::Restart(found.workload.namespace().to_owned()),
    }
}

/// A label or an annotation of the workload's pods.
fn own<'f>(found: &'f Surveyed<'_, '_>, name: &str) -> Option<&'f str> {
    let of_template = found
        .workload
        .controller
        .and_then(|owner| owner.template_labels.get(name).or_else(|| owner.template_annotations.get(name)));
    let of_pod = || {
        let meta = &found.workload.pods.first()?.meta;
        meta.labels.get(name).or_else(|| meta.annotations.get(name))
    };
    of_template.or_else(of_pod).map(String::as_str)
}
