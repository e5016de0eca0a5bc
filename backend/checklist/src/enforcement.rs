//! Whether something in the cluster enforces network policies.

use crate::distribution::Distribution;
use crate::inventory::{Container, Kind, Node, Pod, Workload};
use crate::network::{CiliumConfiguration, EnablePolicy, Network, NetworkPlugin};
use crate::recognise::image;
use crate::workloads::View;
use rampart_shared::Subject;

/// The network policies of a cluster, and who enforces them.
#[derive(Debug)]
pub struct EnforcedNetwork<'a> {
    /// The policies, as the network plugin reads them.
    pub policies: Network<'a>,
    /// Who enforces them.
    pub enforcement: Enforcement,
}

impl<'a> EnforcedNetwork<'a> {
    /// Puts them together.
    pub fn of(view: &View<'a>) -> EnforcedNetwork<'a> {
        let enforcement = Enforcement::of(view);
        EnforcedNetwork { policies: Network::of(view.inventory, enforcement.plugin()), enforcement }
    }
}

/// Whether NetworkPolicies take effect, with the object that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enforcement {
    /// This object enforces them.
    Yes(Subject, NetworkPlugin),
    /// This object runs the network and does not enforce them; why, in words.
    No(Subject, &'static str),
    /// Nothing that is recognised was seen; in words.
    Unknown(String),
}

/// Whether they take effect for one pod, where that is not the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodEnforcement {
    /// As everywhere.
    AsElsewhere,
    /// They do not; why.
    No(&'static str),
    /// That is not known; why.
    Unknown(&'static str),
}

/// Repositories of images that enforce NetworkPolicies, by their last path components.
const ENFORCERS: [(&str, NetworkPlugin); 20] = [
    ("calico/node", NetworkPlugin::Calico),
    ("rancher/mirrored-calico-node", NetworkPlugin::Calico),
    ("rancher/hardened-calico", NetworkPlugin::Calico),
    ("cilium/cilium", NetworkPlugin::Cilium),
    ("cilium/cilium-agent", NetworkPlugin::Cilium),
    ("cilium/cilium-ci", NetworkPlugin::Cilium),
    ("rancher/mirrored-cilium-cilium", NetworkPlugin::Cilium),
    ("antrea/antrea-agent-ubuntu", NetworkPlugin::Antrea),
    ("antrea/antrea-agent-ubi", NetworkPlugin::Antrea),
    ("antrea/antrea-ubuntu", NetworkPlugin::Antrea),
    ("ovn-kubernetes/ovn-kube-ubuntu", NetworkPlugin::Other),
    ("ovn-kubernetes/ovn-kube-fedora", NetworkPlugin::Other),
    ("cloudnativelabs/kube-router", NetworkPlugin::Other),
    ("networking/kube-network-policies", NetworkPlugin::Other),
    ("kube-network-policies/kube-network-policies", NetworkPlugin::Other),
    ("kubeovn/kube-ovn", NetworkPlugin::Other),
    ("weaveworks/weave-npc", NetworkPlugin::Other),
    ("containernetworking/azure-npm", NetworkPlugin::AzureNpm),
    ("oss/azure-npm", NetworkPlugin::AzureNpm),
    ("kube-router/kube-router", NetworkPlugin::Other),
];

/// DaemonSets that enforce them, by namespace and name: their images are named by digest alone or by no fixed name.
const DAEMON_SETS: [(&str, &str, NetworkPlugin); 4] = [
    // GKE Dataplane V2: https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2
    ("kube-system", "anetd", NetworkPlugin::Cilium),
    ("openshift-ovn-kubernetes", "ovnkube-node", NetworkPlugin::Other),
    ("ovn-kubernetes", "ovnkube-node", NetworkPlugin::Other),
    ("kube-system", "azure-npm", NetworkPlugin::AzureNpm),
];

/// Repositories of flannel, which enforces nothing.
const FLANNEL: [&str; 5] = [
    "flannel/flannel",
    "flannel-io/flannel",
    "coreos/flannel",
    "rancher/mirrored-flannel-flannel",
    "rancher/hardened-flannel",
];

impl Enforcement {
    /// Looks at the DaemonSets for a network plugin that is known, and at its configuration.
    pub fn of(view: &View<'_>) -> Enforcement {
        let mut enforcing: Vec<(Subject, NetworkPlugin)> = Vec::new();
        let mut not_enforcing = None;
        let mut unknown = None;
        for daemon_set in &view.inventory.daemon_sets.seen {
            match recognise(view, daemon_set) {
                Some(Recognised::Enforces(plugin)) => enforcing.push((subject(daemon_set), plugin)),
                Some(Recognised::DoesNot(why)) => {
                    not_enforcing = Some(Enforcement::No(subject(daemon_set), why));
                }
                Some(Recognised::Unclear(why)) => unknown = Some(Enforcement::Unknown(why.to_owned())),
                None => {}
            }
        }
        if let Some((first, plugin)) = enforcing.first() {
            // Two at once: each kind of policy may be in force.
            let same = enforcing.iter().all(|(_, other)| other == plugin);
            let plugin = if same { *plugin } else { NetworkPlugin::Unknown };
            return match cilium_off(view).filter(|_| plugin == NetworkPlugin::Cilium) {
                Some(off) => off,
                None => Enforcement::Yes(first.clone(), plugin),
            };
        }
        k3s(view).or_else(|| auto_mode(view)).or(unknown).or(not_enforcing).unwrap_or_else(|| {
            Enforcement::Unknown(
                "no network plugin that is known to enforce NetworkPolicies was recognised among the DaemonSets".to_owned(),
            )
        })
    }

    /// The network plugin.
    pub fn plugin(&self) -> NetworkPlugin {
        match self {
            Enforcement::Yes(_, plugin) => *plugin,
            // Cilium that is told to enforce nothing is Cilium still; other plugins have no policies of their own.
            Enforcement::No(subject, _) if subject.name == "cilium-config" => NetworkPlugin::Cilium,
            Enforcement::No(..) | Enforcement::Unknown(_) => NetworkPlugin::Unknown,
        }
    }

    /// Whether policies take effect for a pod on this node, where they do elsewhere.
    pub fn for_pod(&self, pod: &Pod, node: Option<&Node>) -> PodEnforcement {
        if let Some(node) = node.filter(|node| node.is_virtual()) {
            let fargate =
                node.meta.labels.get("eks.amazonaws.com/compute-type").is_some_and(|kind| kind == "fargate");
            return if fargate {
                PodEnforcement::No("it runs on Fargate, which does not enforce NetworkPolicies")
            } else {
                PodEnforcement::Unknown("it runs on a virtual node, of whose network nothing is known")
            };
        }
        match (pod.spec.windows, self.plugin()) {
            (false, _) | (true, NetworkPlugin::Calico | NetworkPlugin::Antrea) => PodEnforcement::AsElsewhere,
            (true, NetworkPlugin::AmazonVpcCni | NetworkPlugin::Cilium) => PodEnforcement::No(
                "it runs on Windows, where the network plugin does not enforce NetworkPolicies",
            ),
            (true, _) => PodEnforcement::Unknown(
                "it runs on Windows, and what the network plugin does there is not known",
            ),
        }
    }
}

enum Recognised {
    Enforces(NetworkPlugin),
    DoesNot(&'static str),
    Unclear(&'static str),
}

fn recognise(view: &View<'_>, daemon_set: &Workload) -> Option<Recognised> {
    let (namespace, name) = (daemon_set.meta.namespace_or_default(), daemon_set.meta.name.as_str());
    if let Some((_, _, plugin)) = DAEMON_SETS.iter().find(|(ns, known, _)| *ns == namespace && *known == name)
    {
        return Some(Recognised::Enforces(*plugin));
    }
    let mut found = None;
    for container in &daemon_set.template.containers {
        match by_image(view, container) {
            Some(enforces @ Recognised::Enforces(_)) => return Some(enforces),
            Some(other) => found = Some(other),
            None => {}
        }
    }
    found
}

fn by_image(view: &View<'_>, container: &Container) -> Option<Recognised> {
    let repository = image::repository(&container.image);
    let ends_with = |known: &str| image::is(repository, known);
    if let Some((_, plugin)) = ENFORCERS.iter().find(|(known, _)| ends_with(known)) {
        return Some(Recognised::Enforces(*plugin));
    }
    if ends_with("kindest/kindnetd") {
        // kindnetd enforces since v20240813, the release of kind v0.24.
        let date = container.image.rsplit_once(":v").and_then(|(_, tag)| tag.get(..8)?.parse::<u32>().ok());
        return match date {
            Some(date) if date >= 20_240_813 => Some(Recognised::Enforces(NetworkPlugin::Other)),
            Some(_) => Some(Recognised::DoesNot("kindnetd enforces NetworkPolicies only since v20240813")),
            None => None,
        };
    }
    if container.name == "aws-eks-nodeagent" || ends_with("aws-network-policy-agent") {
        return Some(vpc_cni(view, container));
    }
    FLANNEL
        .iter()
        .any(|known| ends_with(known))
        .then_some(Recognised::DoesNot("flannel does not enforce NetworkPolicies"))
}

/// The VPC CNI's agent is there even when it is off, and enforces what a controller of the control plane hands to it
/// as PolicyEndpoints: <https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html>.
fn vpc_cni(view: &View<'_>, agent: &Container) -> Recognised {
    let on = agent.command.iter().chain(&agent.args).rfind(|arg| arg.starts_with("--enable-network-policy"));
    if !on
        .is_some_and(|arg| matches!(arg.as_str(), "--enable-network-policy" | "--enable-network-policy=true"))
    {
        return Recognised::DoesNot("the VPC CNI's node agent runs without --enable-network-policy=true");
    }
    let endpoints = view.inventory.resources(Kind::PolicyEndpoints);
    if view.inventory.network_policies.seen.is_empty() || !endpoints.seen.is_empty() {
        Recognised::Enforces(NetworkPlugin::AmazonVpcCni)
    } else if endpoints.is_complete() {
        Recognised::DoesNot(
            "the VPC CNI's node agent is on, and no controller makes PolicyEndpoints of the NetworkPolicies",
        )
    } else {
        Recognised::Unclear(
            "whether a controller makes PolicyEndpoints for the VPC CNI's node agent was not seen",
        )
    }
}

/// k3s enforces with a controller of its own, unless it is switched off.
fn k3s(view: &View<'_>) -> Option<Enforcement> {
    let servers: Vec<_> =
        view.inventory.nodes.seen.iter().filter_map(|node| Some((node, node.k3s.as_ref()?))).collect();
    let off = servers.iter().find(|(_, server)| server.network_policy_disabled);
    let (node, server) = off.or(servers.first())?;
    let node = Subject {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        namespace: None,
        name: node.meta.name.clone(),
    };
    Some(if server.network_policy_disabled {
        Enforcement::No(node, "k3s was started with --disable-network-policy")
    } else {
        Enforcement::Yes(node, NetworkPlugin::Other)
    })
}

/// EKS Auto Mode runs its agent outside the cluster's sight; a ConfigMap switches it on:
/// <https://docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html>.
fn auto_mode(view: &View<'_>) -> Option<Enforcement> {
    let auto = |node: &Node| {
        node.meta.labels.get("eks.amazonaws.com/compute-type").is_some_and(|kind| kind == "auto")
    };
    if view.distribution != Distribution::Eks || !view.inventory.nodes.seen.iter().any(auto) {
        return None;
    }
    let map = config_map("amazon-vpc-cni");
    let on = view
        .inventory
        .config_map("kube-system", "amazon-vpc-cni")
        .and_then(|map| map.data.get("enable-network-policy-controller"))
        .is_some_and(|value| value == "true");
    Some(if on {
        Enforcement::Yes(map, NetworkPlugin::AmazonVpcCni)
    } else if view.inventory.config_maps.is_complete() {
        Enforcement::No(map, "EKS Auto Mode runs without enable-network-policy-controller: \"true\"")
    } else {
        Enforcement::Unknown(
            "ConfigMap kube-system/amazon-vpc-cni, which switches EKS Auto Mode's agent on, was not seen"
                .to_owned(),
        )
    })
}

/// Cilium that is told to enforce nothing, or of whose configuration nothing was seen.
fn cilium_off(view: &View<'_>) -> Option<Enforcement> {
    let Some(map) = view.inventory.config_map("kube-system", "cilium-config") else {
        return (!view.inventory.config_maps.is_complete()).then(|| {
            Enforcement::Unknown(
                "Cilium runs, and ConfigMap kube-system/cilium-config, which can switch policies off, was not seen"
                    .to_owned(),
            )
        });
    };
    let configuration = CiliumConfiguration::of(&map.data);
    if configuration.enable_policy == EnablePolicy::Never {
        Some(Enforcement::No(config_map("cilium-config"), "Cilium runs with enable-policy: never"))
    } else if configuration.policy_audit_mode {
        Some(Enforcement::No(config_map("cilium-config"), "Cilium runs with policy-audit-mode: \"true\""))
    } else {
        None
    }
}

fn config_map(name: &str) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some("kube-system".to_owned()),
        name: name.to_owned(),
    }
}

fn subject(daemon_set: &Workload) -> Subject {
    Subject {
        api_version: daemon_set.api_version.clone(),
        kind: Kind::DaemonSets.kind().to_owned(),
        namespace: Some(daemon_set.meta.namespace_or_default().to_owned()),
        name: daemon_set.meta.name.clone(),
    }
}
