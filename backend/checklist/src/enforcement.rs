//! Whether something in the cluster enforces NetworkPolicies.

use crate::inventory::{Container, Kind, Workload};
use crate::workloads::View;
use rampart_shared::Subject;

/// Whether NetworkPolicies take effect, with the object that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enforcement {
    /// This object enforces them.
    Yes(Subject),
    /// This object runs the network and does not enforce them; why, in words.
    No(Subject, &'static str),
    /// Nothing that is recognised was seen; in words.
    Unknown(String),
}

/// Repositories of images that enforce NetworkPolicies, by their last path components.
const ENFORCERS: [&str; 13] = [
    "calico/node",
    "cilium/cilium",
    "cilium/cilium-agent",
    "antrea/antrea-agent-ubuntu",
    "antrea/antrea-agent-ubi",
    "antrea/antrea-ubuntu",
    "ovn-kubernetes/ovn-kube-ubuntu",
    "cloudnativelabs/kube-router",
    "networking/kube-network-policies",
    "kube-network-policies/kube-network-policies",
    "kubeovn/kube-ovn",
    "weaveworks/weave-npc",
    "containernetworking/azure-npm",
];

impl Enforcement {
    /// Looks at the DaemonSets for a network plugin that is known.
    pub fn of(view: &View<'_>) -> Enforcement {
        let mut network_without_policies = None;
        for daemon_set in &view.inventory.daemon_sets.seen {
            for container in &daemon_set.template.containers {
                match recognise(container, &daemon_set.meta.name) {
                    Some(Recognised::Enforces) => return Enforcement::Yes(subject(daemon_set)),
                    Some(Recognised::DoesNot(why)) => {
                        network_without_policies = Some(Enforcement::No(subject(daemon_set), why));
                    }
                    None => {}
                }
            }
        }
        // k3s enforces with a controller of its own, unless it is switched off.
        let servers: Vec<_> =
            view.inventory.nodes.seen.iter().filter_map(|node| Some((node, node.k3s.as_ref()?))).collect();
        if let Some((node, server)) = servers.first() {
            let node = Subject {
                api_version: "v1".to_owned(),
                kind: "Node".to_owned(),
                namespace: None,
                name: node.meta.name.clone(),
            };
            return if server.network_policy_disabled {
                Enforcement::No(node, "k3s was started with --disable-network-policy")
            } else {
                Enforcement::Yes(node)
            };
        }
        network_without_policies.unwrap_or_else(|| {
            Enforcement::Unknown(
                "no network plugin that is known to enforce NetworkPolicies was recognised among the DaemonSets".to_owned(),
            )
        })
    }
}

enum Recognised {
    Enforces,
    DoesNot(&'static str),
}

fn recognise(container: &Container, daemon_set: &str) -> Option<Recognised> {
    let repository = repository(&container.image);
    let ends_with = |known: &str| {
        repository == known || repository.strip_suffix(known).is_some_and(|rest| rest.ends_with('/'))
    };
    if ENFORCERS.iter().any(|known| ends_with(known)) || daemon_set == "anetd" {
        return Some(Recognised::Enforces);
    }
    if ends_with("kindest/kindnetd") {
        // kindnetd enforces since v20240813, the release of kind v0.24.
        let date = container.image.rsplit_once(":v").and_then(|(_, tag)| tag.get(..8)?.parse::<u32>().ok());
        return match date {
            Some(date) if date >= 20_240_813 => Some(Recognised::Enforces),
            Some(_) => Some(Recognised::DoesNot("kindnetd enforces NetworkPolicies only since v20240813")),
            None => None,
        };
    }
    if ends_with("aws-network-policy-agent")
        && container.args.iter().any(|arg| arg == "--enable-network-policy=false")
    {
        return Some(Recognised::DoesNot("the VPC CNI's node agent runs with --enable-network-policy=false"));
    }
    if ends_with("flannel/flannel") || ends_with("flannel-io/flannel") || ends_with("coreos/flannel") {
        return Some(Recognised::DoesNot("flannel does not enforce NetworkPolicies"));
    }
    None
}

/// An image without tag and digest.
fn repository(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        // A colon before a slash belongs to a port.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
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
