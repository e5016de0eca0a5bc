//! NetworkPolicies of `networking.k8s.io`.
//!
//! They isolate the pods that they select, and allow what any of them allows:
//! <https://kubernetes.io/docs/concepts/services-networking/network-policies/>.

use super::address::IpRange;
use super::endpoint::Protocol;
use super::policy::{DefaultDeny, Policy, PolicyReference, Section, tier};
use super::rule::{Action, PeerMatch, PortMatch, Rule};
use super::selector::Expression;
use crate::inventory::{
    IpBlock, Kind, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, PolicyDirection, PolicyPort,
};

/// Compiles a policy. `blocks_match_pods` says whether the network plugin compares `ipBlock` with pods' addresses;
/// Cilium does not.
pub(super) fn compile(policy: &NetworkPolicy, blocks_match_pods: bool) -> Policy {
    let namespace = policy.meta.namespace_or_default();
    let section = |direction| {
        policy.spec.isolates(direction).then(|| Section {
            rules: rules(policy, namespace, direction, blocks_match_pods),
            default_deny: DefaultDeny::Yes,
        })
    };
    Policy {
        reference: PolicyReference::new(
            &Kind::NetworkPolicies.api_version(),
            Kind::NetworkPolicies.kind(),
            &policy.meta,
            true,
        ),
        subject: Expression::all(vec![
            Expression::in_namespace(namespace),
            Expression::of_pods(&policy.spec.pod_selector),
        ]),
        tier: tier::DEFAULT,
        own_tier: None,
        // Among Calico's policies of the default tier they stand at 1000.
        order: 1e3,
        ingress: section(PolicyDirection::Ingress),
        egress: section(PolicyDirection::Egress),
    }
}

fn rules(
    policy: &NetworkPolicy,
    namespace: &str,
    direction: PolicyDirection,
    blocks_match_pods: bool,
) -> Vec<Rule> {
    policy
        .spec
        .rules(direction)
        .iter()
        .map(|rule| {
            let peers = rule.peers(direction);
            let peer = if peers.is_empty() {
                PeerMatch::Anyone
            } else {
                PeerMatch::Any(peers.iter().map(|one| peer(one, namespace, blocks_match_pods)).collect())
            };
            let port = if rule.ports.is_empty() {
                PortMatch::Every
            } else {
                PortMatch::Any(rule.ports.iter().map(port).collect())
            };
            Rule::new(Action::Allow, peer, port)
        })
        .collect()
}

fn peer(peer: &NetworkPolicyPeer, namespace: &str, blocks_match_pods: bool) -> PeerMatch {
    let NetworkPolicyPeer { pod_selector, namespace_selector, ip_block } = peer;
    match (ip_block, namespace_selector, pod_selector) {
        (Some(block), None, None) => addresses(block, blocks_match_pods),
        (None, Some(namespaces), pods) => PeerMatch::Pods(Expression::all(vec![
            Expression::of_namespaces(namespaces),
            pods.as_ref().map_or(Expression::Everything, Expression::of_pods),
        ])),
        (None, None, Some(pods)) => PeerMatch::Pods(Expression::all(vec![
            Expression::in_namespace(namespace),
            Expression::of_pods(pods),
        ])),
        _ => PeerMatch::Unreadable("a peer is neither pods nor an ipBlock".to_owned()),
    }
}

fn addresses(block: &IpBlock, match_pods: bool) -> PeerMatch {
    let except: Option<Vec<IpRange>> = block.except.iter().map(|cidr| IpRange::parse(cidr)).collect();
    match (IpRange::parse(&block.cidr), except) {
        (Some(range), Some(except)) if match_pods => PeerMatch::Addresses { range, except },
        (Some(range), Some(except)) => PeerMatch::OutsideAddresses { range, except },
        _ => PeerMatch::Unreadable(format!("the ipBlock `{}` cannot be read", block.cidr)),
    }
}

fn port(port: &NetworkPolicyPort) -> PortMatch {
    let name = port.protocol.as_deref().unwrap_or("TCP");
    let Some(protocol) = Protocol::parse(name) else {
        return PortMatch::Unreadable(format!("the protocol `{name}` is not known"));
    };
    match (&port.port, port.end_port) {
        (None, None) => PortMatch::all_of(protocol),
        (Some(PolicyPort::Number(first)), last) => {
            PortMatch::range(Some(protocol), *first, last.unwrap_or(*first))
        }
        (Some(PolicyPort::Name(name)), None) => {
            PortMatch::Named { protocol: Some(protocol), name: name.clone() }
        }
        _ => PortMatch::Unreadable("endPort is set without a port's number".to_owned()),
    }
}
