//! A cluster from YAML, and answers as short texts.

use super::{Isolation, Network, NetworkPlugin, Open, Peer, Protocol, Reachability};
use crate::inventory::{Inventory, Pod, PolicyDirection};

pub(super) const INGRESS: PolicyDirection = PolicyDirection::Ingress;
pub(super) const EGRESS: PolicyDirection = PolicyDirection::Egress;

/// A cluster and who runs its network.
pub(super) struct Cluster(Inventory, NetworkPlugin);

/// Three namespaces, `shop`, `bank` and `kube-system`, with a pod in each: `cart`, `vault`, `dns`.
const PODS: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red, kubernetes.io/metadata.name: shop}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: bank, labels: {team: blue, kubernetes.io/metadata.name: bank}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system, labels: {kubernetes.io/metadata.name: kube-system}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cart, namespace: shop, labels: {app: cart}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}, status: {podIPs: [{ip: 10.1.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c}]}, status: {podIPs: [{ip: 10.1.0.2}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: vault, namespace: bank, labels: {app: vault}}, spec: {serviceAccountName: keeper, containers: [{name: c}]}, status: {podIPs: [{ip: 10.1.1.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}, spec: {containers: [{name: c}]}, status: {podIPs: [{ip: 10.1.2.1}]}}
---
";

impl Cluster {
    pub(super) fn new(plugin: NetworkPlugin, policies: &str) -> Cluster {
        Cluster(crate::testing::inventory(&format!("{PODS}{policies}")), plugin)
    }

    /// The same pods with a second address each.
    pub(super) fn dual_stack(mut self) -> Cluster {
        for pod in &mut self.0.pods.seen {
            std::sync::Arc::make_mut(pod).ips.push("fd00::1".parse().unwrap());
        }
        self
    }

    pub(super) fn network(&self) -> Network<'_> {
        Network::of(&self.0, self.1)
    }

    pub(super) fn pod(&self, name: &str) -> &Pod {
        self.0.pods.seen.iter().find(|pod| pod.meta.name == name).unwrap()
    }

    /// `isolated by X`, `open`, `open to X by Y`, `undecided`.
    pub(super) fn isolation(&self, pod: &str, direction: PolicyDirection) -> String {
        text(&self.network().isolation(self.pod(pod), direction))
    }

    pub(super) fn default(&self, namespace: &str, direction: PolicyDirection) -> String {
        let default = self.network().namespace_default(namespace, direction);
        let mut all = text(&default.of_all);
        for (policy, what) in default.opened_for_some {
            all.push_str(&format!(", some open to {what} by {}", policy.name));
        }
        if !default.undecided_for_some.is_empty() {
            all.push_str(", some undecided");
        }
        all
    }

    /// From a pod or an address to a pod: `allowed`, `denied by X`, `undecided`.
    pub(super) fn reach(&self, from: &str, to: &str, port: u16) -> String {
        self.reach_by(from, to, port, Protocol::Tcp)
    }

    pub(super) fn reach_by(&self, from: &str, to: &str, port: u16, protocol: Protocol) -> String {
        let from = match from.parse() {
            Ok(address) => Peer::Address(address),
            Err(_) => Peer::Pod(self.pod(from)),
        };
        match self.network().reachable(from, self.pod(to), port, protocol) {
            Reachability::Allowed => "allowed".to_owned(),
            Reachability::Denied { by } => {
                format!(
                    "denied by {}",
                    by.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(" ")
                )
            }
            Reachability::Undecided(reasons) => {
                assert!(reasons.iter().all(|reason| !reason.is_empty()));
                "undecided".to_owned()
            }
        }
    }
}

fn text(isolation: &Isolation) -> String {
    let names = |policies: &[super::PolicyReference]| {
        policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    match isolation {
        Isolation::Isolated { by } => format!("isolated by {}", names(by)),
        Isolation::Open(Open::NoPolicy) => "open".to_owned(),
        Isolation::Open(Open::AllowAll { policies, what }) => {
            format!("open to {what} by {}", names(policies))
        }
        Isolation::Open(Open::NotEnforced(why)) => format!("not enforced: {why}"),
        Isolation::Open(Open::HostNetwork) => "on the host's network".to_owned(),
        Isolation::Undecided(reasons) => {
            assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()), "{reasons:?}");
            "undecided".to_owned()
        }
    }
}
