//! Whether a connection gets through: out of its source and into its target.

use super::endpoint::{Endpoint, PortsView, Protocol};
use super::pipeline::Pipeline;
use super::rule::Packet;
use super::{EnablePolicy, Network, PolicyReference};
use crate::inventory::{Pod, PolicyDirection};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub enum Peer<'a> {
    /// A pod.
    Pod(&'a Pod),
    /// An address outside the cluster.
    Address(IpAddr),
}

/// Whether a connection gets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reachability {
    /// It does.
    Allowed,
    /// It does not.
    Denied {
        /// The policies that drop it.
        by: BTreeSet<PolicyReference>,
    },
    /// That cannot be told; why.
    Undecided(BTreeSet<String>),
}

impl Network<'_> {
    /// Whether a connection gets through to a pod's own port, after what Services translate.
    pub fn reachable(&self, from: Peer<'_>, to: &Pod, port: u16, protocol: Protocol) -> Reachability {
        if let Peer::Pod(pod) = from
            && pod.meta.name == to.meta.name
            && pod.meta.namespace_or_default() == to.meta.namespace_or_default()
        {
            // No policy keeps a pod from itself.
            return Reachability::Allowed;
        }
        if self.not_enforced().is_some() {
            return Reachability::Allowed;
        }
        if let EnablePolicy::Unknown(value) = &self.cilium.enable_policy {
            return undecided(format!("Cilium's enable-policy is `{value}`"));
        }
        let on_host = |pod: &Pod| pod.spec.host_network;
        if on_host(to) || matches!(from, Peer::Pod(pod) if on_host(pod)) {
            return undecided(
                "what policies mean for pods in the network of their node is not defined".to_owned(),
            );
        }
        let target = self.view(to);
        let peer = match from {
            Peer::Pod(pod) => Endpoint::Pod(self.view(pod)),
            Peer::Address(address) => Endpoint::Address(address),
        };
        let packet = |peer| Packet { peer, protocol, port, target_ports: PortsView::Seen(&to.spec) };
        let into = through(&self.of_pod(to, PolicyDirection::Ingress), &packet(peer));
        match from {
            Peer::Address(_) => into,
            Peer::Pod(pod) => {
                let out = through(&self.of_pod(pod, PolicyDirection::Egress), &packet(Endpoint::Pod(target)));
                both(out, into)
            }
        }
    }

    /// Whether a pod's connection to an address that is no pod's gets out.
    pub fn reaches_address(&self, from: &Pod, to: IpAddr, port: u16, protocol: Protocol) -> Reachability {
        if from.spec.host_network || self.not_enforced().is_some() {
            return Reachability::Allowed;
        }
        if let EnablePolicy::Unknown(value) = &self.cilium.enable_policy {
            return undecided(format!("Cilium's enable-policy is `{value}`"));
        }
        let peer = Endpoint::Address(to);
        let packet = Packet { peer, protocol, port, target_ports: PortsView::Differ };
        through(&self.of_pod(from, PolicyDirection::Egress), &packet)
    }

    fn of_pod<'p>(&'p self, pod: &'p Pod, direction: PolicyDirection) -> Pipeline<'p> {
        let candidates = self.candidates(pod.meta.namespace_or_default());
        self.pipeline(candidates.into_iter(), &self.view(pod), direction)
    }
}

fn undecided(reason: String) -> Reachability {
    Reachability::Undecided(BTreeSet::from([reason]))
}

fn through(pipeline: &Pipeline<'_>, packet: &Packet<'_>) -> Reachability {
    let outcome = pipeline.outcome(packet);
    if outcome.is_allowed() {
        return Reachability::Allowed;
    }
    if !outcome.is_denied() {
        return undecided(outcome.reason.unwrap_or_default().to_owned());
    }
    let by = outcome.denied.into_iter().flat_map(|denier| pipeline.deniers(denier)).cloned().collect();
    Reachability::Denied { by }
}

fn both(out: Reachability, into: Reachability) -> Reachability {
    match (out, into) {
        (Reachability::Denied { by: mut out }, Reachability::Denied { by: into }) => {
            out.extend(into);
            Reachability::Denied { by: out }
        }
        (denied @ Reachability::Denied { .. }, _) | (_, denied @ Reachability::Denied { .. }) => denied,
        (Reachability::Undecided(mut out), Reachability::Undecided(into)) => {
            out.extend(into);
            Reachability::Undecided(out)
        }
        (undecided @ Reachability::Undecided(_), _) | (_, undecided @ Reachability::Undecided(_)) => {
            undecided
        }
        (Reachability::Allowed, Reachability::Allowed) => Reachability::Allowed,
    }
}
