//! **Services talk to each other over mutual TLS.**
//!
//! Every running application pod that stands behind a Service, per port on which the Service sends it traffic: a
//! client without an identity of the mesh is refused there. All of them must hold.

mod remedy;

use super::Item;
use crate::inventory::{Kind, PodPhase};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::mesh::{Cause, Exposure, Mesh, Meshes, Protection, ServedPort, ServedPorts};
use crate::need::Need;
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{Basis, Category, Gap, ItemId, RestsOn, Scope};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ITEM: Item = Item {
    id: ItemId::ServiceMtls,
    number: 18,
    category: Category::Data,
    title: "Services talk to each other over mutual TLS",
    short_title: "Mutual TLS",
    checks: "Every running application pod behind a Service, on every port that the Service sends to, refuses clients \
             without an identity of the mesh. Istio: the pod is in the mesh, its proxy sees the port, and the \
             PeerAuthentication in force is STRICT. Linkerd: the default inbound policy, or the Server for the port with \
             all its authorizations, demands mesh TLS. Cilium: ztunnel with the namespace enrolled, or mutual \
             authentication demanded by every rule that admits traffic, with WireGuard or IPsec. Pods on the node's \
             network and protocols other than TCP are beyond a sidecar.",
    why: "Without it, whoever gets onto the network of the cluster reads what services tell each other and can pose as \
          any of them. With it both sides prove who they are, and nobody between them can listen.",
    cannot_see: "TLS that programs do themselves without a mesh; whether certificates are sound and the mesh works; Istio's \
                 EnvoyFilters; health checks that meshes let in without identity. Consul and Kuma are recognised, and what \
                 they demand is not read.",
    references: &[
        (
            "Istio: PeerAuthentication",
            "https://istio.io/latest/docs/reference/config/security/peer_authentication/",
        ),
        (
            "Istio: mutual TLS migration",
            "https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/",
        ),
        ("Linkerd: authorization policy", "https://linkerd.io/2/reference/authorization-policy/"),
        (
            "Cilium: mutual authentication",
            "https://docs.cilium.io/en/stable/network/servicemesh/mutual-authentication/mutual-authentication/",
        ),
        (
            "Cilium: ztunnel transparent encryption",
            "https://docs.cilium.io/en/latest/security/network/encryption-ztunnel/",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::required(Kind::Deployments),
        Need::required(Kind::ReplicaSets),
        Need::required(Kind::StatefulSets),
        Need::required(Kind::DaemonSets),
        Need::required(Kind::Jobs),
        Need::required(Kind::CronJobs),
        Need::required(Kind::Services),
        Need::required(Kind::EndpointSlices),
        Need::conditional(Kind::Namespaces),
        Need::conditional(Kind::ConfigMaps),
        Need::conditional(Kind::PeerAuthentications),
        Need::conditional(Kind::LinkerdServers),
        Need::conditional(Kind::LinkerdServerAuthorizations),
        Need::conditional(Kind::LinkerdAuthorizationPolicies),
        Need::conditional(Kind::CiliumNetworkPolicies),
        Need::conditional(Kind::CiliumClusterwideNetworkPolicies),
        Need::conditional(Kind::NetworkPolicies),
    ],
    observe,
    remedy: remedy::remedy,
};

/// What reaches one port of a workload's pods.
struct Surveyed<'v, 'a> {
    workload: &'v OwnedWorkload<'a>,
    port: ServedPort,
    /// How many pods serve it.
    pods: usize,
    /// By cause, how it is exposed, and in how many pods.
    exposures: BTreeMap<Cause, (Exposure, usize)>,
    gaps: BTreeSet<Gap>,
    meshes: BTreeSet<Mesh>,
}

/// Every port on which a Service sends traffic to a workload's running pods.
fn survey<'v, 'a>(view: &'v View<'a>, meshes: &Meshes<'a>) -> Vec<Surveyed<'v, 'a>> {
    let served = ServedPorts::of(view.inventory);
    let mut surveyed = Vec::new();
    for workload in &view.workloads {
        let mut by_port: BTreeMap<ServedPort, Surveyed<'v, 'a>> = BTreeMap::new();
        // A pod that has not started serves nobody.
        for pod in workload.pods.iter().filter(|pod| pod.phase != PodPhase::Pending) {
            for port in served.of_pod(pod) {
                let entry = by_port.entry(port).or_insert_with(|| Surveyed {
                    workload,
                    port,
                    pods: 0,
                    exposures: BTreeMap::new(),
                    gaps: BTreeSet::new(),
                    meshes: BTreeSet::new(),
                });
                entry.pods += 1;
                match meshes.protection(pod, port) {
                    Protection::Mutual(mesh) => drop(entry.meshes.insert(mesh)),
                    Protection::Unknown(gaps) => entry.gaps.extend(gaps),
                    Protection::Exposed(exposure) => {
                        let (kept, pods) =
                            entry.exposures.entry(exposure.cause).or_insert_with(|| (exposure.clone(), 0));
                        *pods += 1;
                        // Whichever pod comes first, the same one speaks for all.
                        if exposure.observed < kept.observed {
                            *kept = exposure;
                        }
                    }
                }
            }
        }
        surveyed.extend(by_port.into_values());
    }
    surveyed
}

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "serving port", ..Observation::default() };
    let meshes = Meshes::of(view);
    let mut protected: BTreeMap<Mesh, usize> = BTreeMap::new();
    let mut undecided: BTreeMap<Gap, BTreeSet<String>> = BTreeMap::new();
    let mut exposed_namespaces = BTreeSet::new();
    let surveyed = survey(view, &meshes);
    for found in &surveyed {
        let workload = found.workload;
        let decides = workload.scope == Scope::Application;
        let unit = found.unit();
        if decides {
            observation.examined.insert(unit.clone());
            for mesh in &found.meshes {
                *protected.entry(*mesh).or_default() += 1;
            }
            for gap in &found.gaps {
                undecided.entry(gap.clone()).or_default().insert(format!(
                    "{}/{}",
                    workload.namespace(),
                    workload.subject.name
                ));
            }
        }
        for (exposure, pods) in found.exposures.values() {
            let violation = found.violation(exposure, *pods, unit.clone());
            let hidden = exposure.suppliers.iter().any(|kind| !view.inventory.gaps(*kind).is_empty());
            if exposure.suppliers.is_empty() || !hidden {
                observation.seen.push(SeenViolation(violation));
            } else if decides {
                let suppliers = exposure.suppliers.clone();
                observation.absent.push(AbsentViolation { violation, suppliers });
            }
            if decides {
                exposed_namespaces.insert(workload.namespace());
            }
        }
    }
    for (gap, workloads) in undecided {
        // A gap that is about pods, not about a kind that was not listed, names whose pods they are.
        let about_pods = gap.objects.is_empty() && gap.kind.0.starts_with("pods/");
        observation.undecided.push(if about_pods {
            gap.for_objects(workloads.into_iter().collect())
        } else {
            gap
        });
    }
    if !observation.examined.is_empty() {
        observation.listed.extend(meshes.unread().iter().cloned());
    }
    if exposed_namespaces.is_empty() && protected.keys().any(|mesh| is_declared(*mesh)) {
        observation.bases.insert(Basis::Declared);
    }
    observation.notes = notes(view, &protected, &exposed_namespaces);
    observation
}

/// Whether a ConfigMap says that it is in force, and nothing in the pod shows it.
fn is_declared(mesh: Mesh) -> bool {
    matches!(mesh, Mesh::CiliumMutualAuthentication | Mesh::CiliumZtunnel)
}

fn notes(
    view: &View<'_>,
    protected: &BTreeMap<Mesh, usize>,
    exposed_namespaces: &BTreeSet<&str>,
) -> Vec<String> {
    let mut notes: Vec<String> = protected
        .iter()
        .map(|(mesh, ports)| {
            let ports = if *ports == 1 { "1 serving port".to_owned() } else { format!("{ports} serving ports") };
            let remark = match mesh {
                Mesh::CiliumMutualAuthentication => {
                    ". It is a beta feature that is deprecated in Cilium 1.20 and will be removed"
                }
                Mesh::CiliumZtunnel => {
                    ". It is a beta feature; traffic from namespaces that are not enrolled is documented as not supported"
                }
                Mesh::Istio | Mesh::IstioAmbient | Mesh::Linkerd => "",
            };
            format!("{} protects {ports}{remark}.", mesh.name())
        })
        .collect();
    let control_planes: BTreeSet<&str> = Meshes::control_planes(view.inventory)
        .map(|deployment| deployment.meta.namespace_or_default())
        .filter(|namespace| exposed_namespaces.contains(namespace))
        .collect();
    notes.extend(control_planes.into_iter().map(|namespace| {
        format!(
            "Namespace {namespace} runs a mesh's own control plane. List it under system_namespaces to have it reported apart."
        )
    }));
    notes
}

impl Surveyed<'_, '_> {
    fn unit(&self) -> String {
        let Self { workload, port, .. } = self;
        format!("{}/{}/{}:{port}", workload.namespace(), workload.subject.kind, workload.subject.name)
    }

    fn violation(&self, exposure: &Exposure, pods: usize, unit: String) -> Violation {
        let (rule, expected, kinds) = rule(exposure.cause);
        let mut rests_on = self.workload.rests_on.clone();
        rests_on.extend(
            [Kind::Services, Kind::EndpointSlices]
                .iter()
                .chain(kinds)
                .map(|kind| RestsOn { kind: kind.name(), object: None }),
        );
        Violation {
            rule,
            scope: self.workload.scope,
            subject: self.workload.subject.clone(),
            path: format!("port {}", self.port),
            observed: exposure.observed.clone(),
            expected: expected.to_owned(),
            note: (pods < self.pods).then(|| format!("In {pods} of {} pods.", self.pods)),
            discriminator: String::new(),
            units: vec![unit],
            rests_on,
        }
    }
}

/// The rule that a cause breaks, what is expected, and the kinds whose objects could mend it.
const fn rule(cause: Cause) -> (&'static str, &'static str, &'static [Kind]) {
    match cause {
        Cause::HostNetwork => ("host-network", "a pod of its own network, in a mesh", &[]),
        Cause::NoMesh => ("no-mesh", "a mesh that demands mutual TLS", &[Kind::Namespaces, Kind::ConfigMaps]),
        Cause::NotCaptured => ("not-captured", "traffic to the port goes through the mesh's proxy", &[]),
        Cause::NotTcp => ("not-tcp", "TCP, which the mesh can protect", &[]),
        Cause::NotStrict => (
            "not-strict",
            "STRICT by the PeerAuthentication in force",
            &[Kind::PeerAuthentications, Kind::ConfigMaps],
        ),
        Cause::LinkerdDefaultPolicy => (
            "linkerd-default-policy",
            "all-authenticated, cluster-authenticated or deny",
            &[Kind::LinkerdServers],
        ),
        Cause::LinkerdAuthorization => (
            "linkerd-authorization",
            "every authorization demands mesh TLS with an identity",
            &[Kind::LinkerdServers, Kind::LinkerdServerAuthorizations, Kind::LinkerdAuthorizationPolicies],
        ),
        Cause::EncryptionAlone => {
            ("encryption-alone", "mutual authentication beside the encryption", &[Kind::ConfigMaps])
        }
        Cause::AuthenticationAlone => {
            ("authentication-alone", "WireGuard or IPsec beside the authentication", &[Kind::ConfigMaps])
        }
        Cause::CiliumPolicy => (
            "cilium-policy",
            "authentication.mode: required on every rule that admits traffic",
            &[
                Kind::CiliumNetworkPolicies,
                Kind::CiliumClusterwideNetworkPolicies,
                Kind::NetworkPolicies,
                Kind::ConfigMaps,
            ],
        ),
    }
}

#[cfg(test)]
mod tests;
