//! Whether pods are isolated: whether anything is dropped that nobody allowed.

use super::address::{IpFamily, IpRange, representatives as addresses};
use super::endpoint::{AddressesView, Endpoint, PodView, PortsView, Protocol};
use super::pipeline::Pipeline;
use super::policy::{Policy, PolicyReference, tier};
use super::rule::{Packet, representatives as ports};
use super::selector::Truth;
use super::{EnablePolicy, Network, NetworkPlugin};
use crate::inventory::{IpFamilies, NetworkPolicy, Pod, PolicyDirection};
use std::collections::BTreeSet;

/// Whether a pod is isolated in a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// What nobody allows is dropped; these policies see to that.
    Isolated {
        /// The policies.
        by: Vec<PolicyReference>,
    },
    /// Everything is let through.
    Open(Open),
    /// That cannot be told; why.
    Undecided(BTreeSet<String>),
}

/// Why everything is let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// No policy isolates the pod.
    NoPolicy,
    /// Policies isolate the pod, and these allow everything.
    AllowAll {
        /// The policies that take part in it.
        policies: Vec<PolicyReference>,
        /// What they allow.
        what: String,
    },
    /// Policies are there, and the network plugin is told not to enforce them.
    NotEnforced(&'static str),
    /// The pod is in the network of its node, where policies do not reach.
    HostNetwork,
}

/// What a pod of a namespace would meet that is made tomorrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceDefault {
    /// By the policies that select every pod, whatever its labels.
    pub of_all: Isolation,
    /// Policies that select some pods and open these up; what they allow.
    pub opened_for_some: Vec<(PolicyReference, String)>,
    /// Whether a policy that selects some pods opens these up cannot be told; why.
    pub undecided_for_some: BTreeSet<String>,
}

/// Packets times rules that are tried before the question is given up.
const MOST_COMPARISONS: usize = 500_000;

impl Network<'_> {
    /// Whether a pod is isolated in a direction.
    ///
    /// The question is asked of every packet at once: of one packet for each part into which the rules cut addresses,
    /// ports and protocols. A pod is isolated if any of them is surely dropped, and open if all of one address family
    /// are surely let through.
    pub fn isolation(&self, pod: &Pod, direction: PolicyDirection) -> Isolation {
        if pod.spec.host_network {
            return Isolation::Open(Open::HostNetwork);
        }
        if let Some(why) = self.not_enforced() {
            return Isolation::Open(Open::NotEnforced(why));
        }
        // Pods that share their labels share the answer: their addresses play no part in it.
        let view = PodView { addresses: AddressesView::NotSeen, ..self.view(pod) };
        let candidates = self.candidates(pod.meta.namespace_or_default());
        self.judge(&self.pipeline(candidates.into_iter(), &view, direction))
    }

    /// What a pod of a namespace with unknown labels would meet.
    pub fn namespace_default(&self, namespace: &str, direction: PolicyDirection) -> NamespaceDefault {
        if let Some(why) = self.not_enforced() {
            return NamespaceDefault {
                of_all: Isolation::Open(Open::NotEnforced(why)),
                opened_for_some: Vec::new(),
                undecided_for_some: BTreeSet::new(),
            };
        }
        let view = PodView::of_tomorrow(namespace, self.namespace_labels(namespace));
        let candidates = self.candidates(namespace);
        let of_all = self.judge(&self.pipeline(candidates.iter().copied(), &view, direction));
        let (for_all, for_some): (Vec<usize>, Vec<usize>) = (0..candidates.len())
            .filter(|place| selects(&candidates, *place, &view) != Truth::No)
            .partition(|place| selects(&candidates, *place, &view) != Truth::Depends);
        let (mut opened_for_some, mut undecided_for_some) = (BTreeSet::new(), BTreeSet::new());
        for place in for_some {
            let Some(some) = candidates.get(place) else { continue };
            match self.opens(some, place, &candidates, &for_all, &view, direction) {
                Some(Isolation::Open(Open::AllowAll { policies, what }))
                    if policies.contains(&some.reference) =>
                {
                    opened_for_some.insert((some.reference.clone(), what));
                }
                Some(Isolation::Undecided(reasons)) => undecided_for_some.extend(reasons),
                _ => {}
            }
        }
        NamespaceDefault {
            of_all,
            opened_for_some: opened_for_some.into_iter().collect(),
            undecided_for_some,
        }
    }

    /// Whether a NetworkPolicy alone would let everything through, for the pods that it selects.
    pub fn allows_everything(&self, policy: &NetworkPolicy, direction: PolicyDirection) -> bool {
        let namespace = policy.meta.namespace_or_default();
        let compiled = super::kubernetes::compile(policy, self.plugin != NetworkPlugin::Cilium);
        let selected = Policy { subject: super::Expression::Everything, ..compiled };
        let view = PodView::of_tomorrow(namespace, self.namespace_labels(namespace));
        let alone = self.judge(&self.pipeline(std::iter::once(&selected), &view, direction));
        matches!(alone, Isolation::Open(Open::AllowAll { .. }))
    }

    /// What the pods meet that a policy selects, by it and by the policies that select all; none where the policy
    /// does not allow everything.
    fn opens(
        &self,
        some: &Policy,
        place: usize,
        candidates: &[&Policy],
        for_all: &[usize],
        view: &PodView<'_>,
        direction: PolicyDirection,
    ) -> Option<Isolation> {
        let allows = |rule: &super::Rule| rule.action == super::Action::Allow;
        if !some.section(direction)?.rules.iter().any(allows) {
            return None;
        }
        let selected = Policy { subject: super::Expression::Everything, ..some.clone() };
        let alone = self.judge(&self.pipeline(std::iter::once(&selected), view, direction));
        if matches!(alone, Isolation::Isolated { .. }) {
            return None;
        }
        // Cilium's denials are a policy of their own, which selects the same pods.
        let denials: Vec<(usize, Policy)> = candidates
            .iter()
            .enumerate()
            .filter(|(other, policy)| {
                *other != place && policy.reference == some.reference && policy.subject == some.subject
            })
            .map(|(other, policy)| {
                (other, Policy { subject: super::Expression::Everything, ..(*policy).clone() })
            })
            .collect();
        let mut together: Vec<(usize, &Policy)> = for_all
            .iter()
            .filter_map(|place| Some((*place, *candidates.get(*place)?)))
            .chain(denials.iter().map(|(place, policy)| (*place, policy)))
            .chain([(place, &selected)])
            .collect();
        together.sort_by_key(|(place, _)| *place);
        Some(self.judge(&self.pipeline(together.into_iter().map(|(_, policy)| policy), view, direction)))
    }

    fn judge(&self, pipeline: &Pipeline<'_>) -> Isolation {
        if let EnablePolicy::Unknown(value) = &self.cilium.enable_policy {
            return Isolation::Undecided(BTreeSet::from([format!("Cilium's enable-policy is `{value}`")]));
        }
        if !pipeline.can_deny() {
            return Isolation::Open(Open::NoPolicy);
        }
        let mut scan = Scan::new(pipeline);
        let used: Vec<(IpFamily, Reach)> =
            used(self.families).map(|family| (family, scan.outside(family))).collect();
        let pods = scan.pods();
        // Cilium tells pods from addresses: who allows the world has not allowed the cluster.
        let apart = self.plugin == NetworkPlugin::Cilium;
        let pods_too = !apart || pods == Reach::All;
        let open: Vec<IpFamily> = used
            .iter()
            .filter(|(_, reach)| pods_too && *reach == Reach::All)
            .map(|(family, _)| *family)
            .collect();

        if !open.is_empty() {
            if !pipeline.isolates() {
                return Isolation::Open(Open::NoPolicy);
            }
            let everyone = pods == Reach::All && open.len() == used.len();
            let what = if everyone { "every peer".to_owned() } else { families(&open) };
            return Isolation::Open(Open::AllowAll { policies: scan.allowing(&open), what });
        }
        if pods == Reach::All
            && pipeline.isolates()
            && let Some(policies) = scan.admin()
        {
            let what = "every pod of the cluster".to_owned();
            return Isolation::Open(Open::AllowAll { policies, what });
        }
        let dropped = |reach: &Reach| *reach == Reach::NotAll;
        if used.iter().all(|(_, reach)| dropped(reach)) || apart && dropped(&pods) {
            return Isolation::Isolated { by: scan.isolating() };
        }
        let reasons =
            used.into_iter().map(|(_, reach)| reach).chain([pods]).filter_map(|reach| match reach {
                Reach::Perhaps(reason) => Some(reason),
                _ => None,
            });
        Isolation::Undecided(reasons.collect())
    }
}

fn selects(candidates: &[&Policy], place: usize, view: &PodView<'_>) -> Truth {
    candidates.get(place).map_or(Truth::No, |policy| policy.subject.selects(view))
}

fn used(families: IpFamilies) -> impl Iterator<Item = IpFamily> {
    [(families.v4, IpFamily::V4), (families.v6, IpFamily::V6)]
        .into_iter()
        .filter_map(|(used, family)| used.then_some(family))
}

fn families(open: &[IpFamily]) -> String {
    let names: Vec<&str> = open
        .iter()
        .map(|family| match family {
            IpFamily::V4 => "all of IPv4",
            IpFamily::V6 => "all of IPv6",
        })
        .collect();
    names.join(" and ")
}

/// How much of some peers gets through.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    /// Everything, surely.
    All,
    /// Something is surely dropped.
    NotAll,
    /// That cannot be told; why.
    Perhaps(String),
}

/// Tries one packet for each part into which rules cut the space of packets.
struct Scan<'s, 'a> {
    pipeline: &'s Pipeline<'a>,
    ports: Vec<(Protocol, u16)>,
    ranges: Vec<IpRange>,
    comparisons: usize,
    /// The policies that dropped a packet by a rule.
    denying: BTreeSet<&'a PolicyReference>,
}

impl<'s, 'a> Scan<'s, 'a> {
    fn new(pipeline: &'s Pipeline<'a>) -> Self {
        let mut ranges = Vec::new();
        for rule in pipeline.rules() {
            rule.peer.ranges(&mut ranges);
        }
        ranges.sort_unstable();
        ranges.dedup();
        let ports = ports(pipeline.ports());
        Scan { pipeline, ports, ranges, comparisons: 0, denying: BTreeSet::new() }
    }

    fn outside(&mut self, family: IpFamily) -> Reach {
        let peers = addresses(family, &self.ranges);
        self.reach(peers.into_iter().map(Endpoint::Outside))
    }

    fn pods(&mut self) -> Reach {
        self.reach([PodView::ANY, PodView::unmentioned()].into_iter().map(Endpoint::Pod))
    }

    fn reach(&mut self, peers: impl Iterator<Item = Endpoint<'static>>) -> Reach {
        let mut perhaps = None;
        for peer in peers {
            for (protocol, port) in self.ports.iter().copied() {
                self.comparisons += self.pipeline.len();
                if self.comparisons > MOST_COMPARISONS {
                    return Reach::Perhaps("there are too many rules to try them all".to_owned());
                }
                let outcome = self.pipeline.outcome(&packet(peer, protocol, port));
                if outcome.is_denied() {
                    self.denying
                        .extend(outcome.denied.into_iter().flat_map(|denier| self.pipeline.deniers(denier)));
                    return Reach::NotAll;
                }
                if !outcome.is_allowed() && perhaps.is_none() {
                    perhaps = Some(outcome.reason.unwrap_or_default().to_owned());
                }
            }
        }
        perhaps.map_or(Reach::All, Reach::Perhaps)
    }

    /// Every policy that takes part in letting these families through.
    fn allowing(&self, families: &[IpFamily]) -> Vec<PolicyReference> {
        let mut allowing = BTreeSet::new();
        let mut comparisons = 0;
        for family in families {
            for peer in addresses(*family, &self.ranges) {
                for (protocol, port) in self.ports.iter().copied() {
                    comparisons += self.pipeline.len();
                    if comparisons > MOST_COMPARISONS {
                        return allowing.into_iter().cloned().collect();
                    }
                    let packet = packet(Endpoint::Outside(peer), protocol, port);
                    allowing.extend(self.pipeline.allowing(&packet).map(|policy| &policy.reference));
                }
            }
        }
        allowing.into_iter().cloned().collect()
    }

    /// The policies of administrators that let every pod of the cluster through, over what namespaces say; none where
    /// it is not they who do.
    fn admin(&self) -> Option<Vec<PolicyReference>> {
        let mut policies = BTreeSet::new();
        for (protocol, port) in self.ports.iter().copied() {
            let outcome = self.pipeline.outcome(&packet(Endpoint::Pod(PodView::ANY), protocol, port));
            let policy = outcome.allowed.flatten()?;
            if !matches!(policy.tier(), tier::ADMIN_NETWORK_POLICY | tier::ADMIN) || policy.own_tier.is_some()
            {
                return None;
            }
            policies.insert(policy.reference.clone());
        }
        Some(policies.into_iter().collect())
    }

    fn isolating(&self) -> Vec<PolicyReference> {
        let isolating = self.pipeline.isolating();
        let by = if isolating.is_empty() { &self.denying } else { &isolating };
        by.iter().map(|reference| (*reference).clone()).collect()
    }
}

fn packet<'p>(peer: Endpoint<'p>, protocol: Protocol, port: u16) -> Packet<'p> {
    Packet { peer, protocol, port, target_ports: PortsView::Differ }
}
