//! **Every application namespace denies by default.**
//!
//! Per application namespace with pods, and per direction: would a pod that is made tomorrow, with labels that nobody
//! knows, be denied? Only NetworkPolicies that select every pod can answer yes. They must isolate the direction, all
//! of them together must not allow everything, and no policy that selects some pods may allow everything either. The
//! network plugin must be one that enforces policies.

use super::Item;
use crate::enforcement::Enforcement;
use crate::inventory::{
    IpFamilies, Kind, NetworkPolicy, NetworkPolicyRule, OTHER_POLICY_KINDS, PolicyDirection, PolicyPort,
};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{
    Category, Gap, GapReason, ItemId, ItemResult, Remediation, RemediationTarget, ResourceName, RestsOn,
    Scope, Subject,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) const ITEM: Item = Item {
    id: ItemId::DefaultDeny,
    number: 8,
    category: Category::Network,
    title: "Every application namespace denies traffic by default",
    short_title: "Default deny",
    checks: "In every application namespace with pods, NetworkPolicies that select every pod isolate ingress and egress, \
             and no policy of the namespace allows everything. A network plugin that is known to enforce policies runs.",
    why: "Without a default deny, every pod of the cluster reaches every other, and a pod made tomorrow is open to all \
          of them. With it, whoever takes one pod over reaches what was meant to be reached from there, and no more.",
    cannot_see: "Whether the plugin works, policies of the network outside the cluster, and policy kinds of network \
                 plugins (Cilium, Calico, AdminNetworkPolicy): where a cluster serves these, the item is unknown.",
    references: &[
        (
            "Kubernetes: Network Policies, default policies",
            "https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies",
        ),
        ("CIS Kubernetes Benchmark 5.3.2", "https://www.cisecurity.org/benchmark/kubernetes"),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::required(Kind::Deployments),
        Need::required(Kind::ReplicaSets),
        Need::required(Kind::StatefulSets),
        Need::required(Kind::DaemonSets),
        Need::required(Kind::Jobs),
        Need::required(Kind::CronJobs),
        Need::required(Kind::NetworkPolicies),
        Need::required(Kind::OtherPolicyKinds),
        Need::conditional(Kind::Nodes),
    ],
    observe,
    remedy,
};

const DIRECTIONS: [PolicyDirection; 2] = [PolicyDirection::Ingress, PolicyDirection::Egress];

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "namespace", ..Observation::default() };
    let mut policies: BTreeMap<&str, Vec<&NetworkPolicy>> = BTreeMap::new();
    for policy in &view.inventory.network_policies.seen {
        policies.entry(policy.meta.namespace_or_default()).or_default().push(policy);
    }
    let families = ip_families(view);
    for namespace in namespaces(view) {
        observation.examined.insert(namespace.to_owned());
        let of_namespace = policies.get(namespace).map_or(&[][..], Vec::as_slice);
        for direction in DIRECTIONS {
            judge_direction(&mut observation, namespace, of_namespace, direction, families);
        }
    }
    if !observation.examined.is_empty() {
        judge_enforcement(&mut observation, view);
    }
    observation
}

/// Application namespaces that have pods, or a workload that would make some.
fn namespaces<'a>(view: &'a View<'_>) -> BTreeSet<&'a str> {
    view.workloads
        .iter()
        .filter(|workload| workload.scope == Scope::Application)
        .filter(|workload| !workload.pods.is_empty() || workload.older_pods > 0 || workload.makes_pods)
        .map(|workload| workload.namespace())
        .collect()
}

fn judge_direction(
    observation: &mut Observation,
    namespace: &str,
    policies: &[&NetworkPolicy],
    direction: PolicyDirection,
    families: IpFamilies,
) {
    let isolating: Vec<&&NetworkPolicy> =
        policies.iter().filter(|policy| policy.spec.isolates(direction)).collect();
    let (for_all, for_some): (Vec<&NetworkPolicy>, Vec<&NetworkPolicy>) =
        isolating.into_iter().partition(|policy| policy.spec.pod_selector.selects_everything());
    let name = direction.as_str();

    if for_all.is_empty() {
        observation.absent.push(AbsentViolation {
            violation: Violation {
                rule: match direction {
                    PolicyDirection::Ingress => "no-ingress-default-deny",
                    PolicyDirection::Egress => "no-egress-default-deny",
                },
                scope: Scope::Application,
                subject: Subject {
                    api_version: "v1".to_owned(),
                    kind: "Namespace".to_owned(),
                    namespace: None,
                    name: namespace.to_owned(),
                },
                path: format!("NetworkPolicy {name}"),
                observed: "no policy selects every pod".to_owned(),
                expected: format!("a NetworkPolicy with an empty podSelector and policyTypes {name}"),
                note: none_isolates_though(policies, direction),
                discriminator: String::new(),
                units: vec![namespace.to_owned()],
                rests_on: rests_on(),
            },
            suppliers: vec![Kind::NetworkPolicies, Kind::OtherPolicyKinds],
        });
    }
    let rules = for_all.iter().flat_map(|policy| policy.spec.rules(direction));
    if let Some(open) = open_families(rules, families) {
        for policy in for_all.iter().filter(|policy| contributes(policy, direction)) {
            observation.seen.push(allow_all(namespace, policy, direction, &open));
        }
    }
    for policy in for_some {
        if let Some(open) = open_families(policy.spec.rules(direction).iter(), families) {
            observation.seen.push(allow_all(namespace, policy, direction, &open));
        }
    }
    for policy in policies.iter().filter(|policy| policy.spec.isolates(direction)) {
        if policy.spec.rules(direction).iter().any(is_wide) {
            observation.notes.push(format!(
                "NetworkPolicy {namespace}/{} allows the whole cluster on every port ({name}): it isolates from outside only.",
                policy.meta.name
            ));
        }
    }
}

/// Policies that select every pod and leave this direction alone deserve a word: `policyTypes` has a default.
fn none_isolates_though(policies: &[&NetworkPolicy], direction: PolicyDirection) -> Option<String> {
    let policy = policies.iter().find(|policy| policy.spec.pod_selector.selects_everything())?;
    Some(format!(
        "NetworkPolicy {} selects every pod and does not isolate {}.",
        policy.meta.name,
        direction.as_str()
    ))
}

fn allow_all(
    namespace: &str,
    policy: &NetworkPolicy,
    direction: PolicyDirection,
    open: &str,
) -> SeenViolation {
    let (rule, field) = match direction {
        PolicyDirection::Ingress => ("allows-all-ingress", "spec.ingress"),
        PolicyDirection::Egress => ("allows-all-egress", "spec.egress"),
    };
    SeenViolation(Violation {
        rule,
        scope: Scope::Application,
        subject: Subject {
            api_version: Kind::NetworkPolicies.api_version(),
            kind: "NetworkPolicy".to_owned(),
            namespace: Some(namespace.to_owned()),
            name: policy.meta.name.clone(),
        },
        path: field.to_owned(),
        observed: format!("allows {open} on every port"),
        expected: "named peers or ports".to_owned(),
        note: None,
        discriminator: String::new(),
        units: vec![namespace.to_owned()],
        rests_on: rests_on(),
    })
}

fn rests_on() -> Vec<RestsOn> {
    [Kind::NetworkPolicies, Kind::Pods]
        .map(Kind::name)
        .into_iter()
        .chain(OTHER_POLICY_KINDS.map(|other| other.name()))
        .map(|kind| RestsOn { kind, object: None })
        .collect()
}

fn judge_enforcement(observation: &mut Observation, view: &View<'_>) {
    match Enforcement::of(view) {
        Enforcement::Yes(subject) => {
            observation.notes.push(format!("{} {} enforces NetworkPolicies.", subject.kind, subject.name));
        }
        Enforcement::No(subject, why) => observation.seen.push(SeenViolation(Violation {
            rule: "not-enforced",
            scope: Scope::Application,
            subject,
            path: "NetworkPolicy enforcement".to_owned(),
            observed: why.to_owned(),
            expected: "a network plugin that enforces NetworkPolicies".to_owned(),
            note: None,
            discriminator: String::new(),
            units: observation.examined.iter().cloned().collect(),
            rests_on: vec![RestsOn { kind: Kind::DaemonSets.name(), object: None }],
        })),
        Enforcement::Unknown(why) => observation.undecided.push(
            Gap::new(
                ResourceName::from("networkpolicies.networking.k8s.io/enforcement"),
                GapReason::NotCollected,
                format!("Whether NetworkPolicies are enforced is not known: {why}"),
            )
            .closed_by("Include the network plugin's DaemonSet in what Rampart reads, or run a plugin that it recognises."),
        ),
    }
}

/// The address families that pods use; IPv4 where no pod shows its addresses.
fn ip_families(view: &View<'_>) -> IpFamilies {
    let mut families = IpFamilies::default();
    for pod in &view.inventory.pods.seen {
        families.v4 |= pod.ip_families().v4;
        families.v6 |= pod.ip_families().v6;
    }
    if families == IpFamilies::default() { IpFamilies { v4: true, v6: false } } else { families }
}

/// What rules together open completely: everything, or a whole address family that the cluster uses.
fn open_families<'r>(
    rules: impl Iterator<Item = &'r NetworkPolicyRule>,
    families: IpFamilies,
) -> Option<String> {
    let mut ranges: Vec<Range> = Vec::new();
    for rule in rules.filter(|rule| every_port(rule)) {
        if rule.peers.is_empty() {
            return Some("every peer".to_owned());
        }
        for block in
            rule.peers.iter().filter_map(|peer| peer.ip_block.as_ref()).filter(|b| b.except.is_empty())
        {
            ranges.extend(Range::parse(&block.cidr));
        }
    }
    let open = [(4, families.v4, "all of IPv4"), (6, families.v6, "all of IPv6")]
        .into_iter()
        .filter(|(family, used, _)| *used && covers(&ranges, *family))
        .map(|(_, _, name)| name)
        .collect::<Vec<_>>();
    (!open.is_empty()).then(|| open.join(" and "))
}

/// Whether a policy takes part in opening everything.
fn contributes(policy: &NetworkPolicy, direction: PolicyDirection) -> bool {
    policy.spec.rules(direction).iter().filter(|rule| every_port(rule)).any(|rule| {
        rule.peers.is_empty()
            || rule
                .peers
                .iter()
                .filter_map(|peer| peer.ip_block.as_ref())
                .any(|block| block.except.is_empty())
    })
}

/// Whether a rule admits every port of every protocol.
fn every_port(rule: &NetworkPolicyRule) -> bool {
    let whole = |protocol: &str| {
        rule.ports.iter().any(|port| {
            port.protocol.as_deref().unwrap_or("TCP") == protocol
                && match (&port.port, port.end_port) {
                    (None, _) => true,
                    (Some(PolicyPort::Number(first)), Some(last)) => *first <= 1 && last >= 65535,
                    _ => false,
                }
        })
    };
    rule.ports.is_empty() || ["TCP", "UDP", "SCTP"].into_iter().all(whole)
}

/// Whether a rule admits every pod of the cluster on every port.
fn is_wide(rule: &NetworkPolicyRule) -> bool {
    every_port(rule)
        && rule.peers.iter().any(|peer| {
            peer.namespace_selector.as_ref().is_some_and(|selector| selector.selects_everything())
                && peer.pod_selector.as_ref().is_none_or(|selector| selector.selects_everything())
        })
}

/// A range of addresses, as positions in the space of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    family: u8,
    first: u128,
    last: u128,
}

impl Range {
    /// None if it cannot be read. IPv4 takes the upper 32 bits.
    fn parse(cidr: &str) -> Option<Range> {
        let (address, length) = cidr.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (family, position, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (4, u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (6, u128::from(address), 128),
        };
        // Shifting by all 128 bits is the whole space, which `checked_shr` says with none.
        let host = u128::MAX.checked_shr(length).unwrap_or(0);
        (length <= bits).then_some(Range { family, first: position & !host, last: position | host })
    }
}

/// Whether ranges together cover a family.
fn covers(ranges: &[Range], family: u8) -> bool {
    let mut of_family: Vec<Range> = ranges.iter().copied().filter(|range| range.family == family).collect();
    of_family.sort_unstable();
    let mut next = 0;
    for range in of_family {
        if range.first > next {
            return false;
        }
        match range.last.checked_add(1) {
            Some(after) => next = next.max(after),
            None => return true,
        }
    }
    false
}

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut directions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in result.application_findings() {
        let direction = match finding.rule.as_str() {
            "no-ingress-default-deny" => "Ingress",
            "no-egress-default-deny" => "Egress",
            _ => continue,
        };
        directions.entry(&finding.subject.name).or_default().insert(direction);
    }
    let mut documents = Vec::new();
    for (namespace, directions) in directions {
        let metadata =
            |name: &str| json!({ "name": free_name(view, namespace, name), "namespace": namespace });
        let policy = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata("default-deny"),
            "spec": { "podSelector": {}, "policyTypes": directions },
        });
        let names: Vec<&str> = directions.iter().copied().collect();
        let comment = format!("Namespace {namespace}: denies {} by default", names.join(" and "));
        documents.push(document(RemediationTarget::NewObject, comment, &policy));
        if directions.contains("Egress") {
            let dns = json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": metadata("allow-dns"),
                "spec": {
                    "podSelector": {},
                    "policyTypes": ["Egress"],
                    "egress": [{
                        "to": [{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } },
                                 "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } } }],
                        "ports": [{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }],
                    }],
                },
            });
            documents.push(document(
                RemediationTarget::NewObject,
                format!("Namespace {namespace}: keeps DNS working"),
                &dns,
            ));
        }
    }
    let texts = Texts {
        changes: "Adds to each namespace a NetworkPolicy that selects every pod and allows nothing, and for egress one \
                  that keeps DNS working. Where a policy allows everything, narrow or delete it: that is not in this file.",
        may_break: "All traffic that no other policy of the namespace allows stops, new connections at once. Write the \
                    policies that allow what is used first, and apply these last. DNS is allowed to pods labelled \
                    k8s-app: kube-dns in kube-system; a node-local cache needs a rule of its own.",
        undo: "kubectl delete -f this file. It removes the policies that it added and nothing else.",
    };
    remediation(result, texts, documents)
}

/// A name that no policy of the namespace has: applying must add, never change what is there.
fn free_name(view: &View<'_>, namespace: &str, wanted: &str) -> String {
    let taken = |name: &str| {
        view.inventory
            .network_policies
            .seen
            .iter()
            .any(|policy| policy.meta.namespace_or_default() == namespace && policy.meta.name == name)
    };
    let mut name = wanted.to_owned();
    while taken(&name) {
        name.push_str("-rampart");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Object;
    use crate::testing::{assert_findings, forbid, inventory, outcome, result};
    use rampart_shared::Outcome;

    const ID: ItemId = ItemId::DefaultDeny;
    const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}}";
    const PLUGIN: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: net, namespace: kube-system}, spec: {template: {spec: {containers: [{name: a, image: 'registry.k8s.io/networking/kube-network-policies:v0.9.0'}]}}}}";

    fn policy(name: &str, spec: &str) -> String {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}"
        )
    }

    fn cluster(documents: &[String]) -> String {
        let mut all = vec![POD.to_owned(), PLUGIN.to_owned()];
        all.extend_from_slice(documents);
        all.join("\n---\n")
    }

    fn deny() -> String {
        policy("deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
    }

    #[test]
    fn an_empty_policy_for_both_directions_passes() {
        assert_findings(ID, &cluster(&[deny()]), Outcome::Pass, &[]);
        let dns = policy(
            "deny",
            "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}",
        );
        assert_findings(ID, &cluster(&[dns]), Outcome::Pass, &[]);
    }

    #[test]
    fn a_policy_without_policy_types_is_for_ingress_only() {
        let yaml = cluster(&[policy("deny", "{podSelector: {}}")]);
        assert_findings(
            ID,
            &yaml,
            Outcome::Fail,
            &["shop NetworkPolicy Egress: no policy selects every pod"],
        );
        let note = result(ID, &inventory(&yaml)).evidence().findings[0].note.clone().unwrap();
        assert_eq!(note, "NetworkPolicy deny selects every pod and does not isolate Egress.");
    }

    #[test]
    fn a_policy_for_some_pods_is_no_default() {
        let some = policy("deny", "{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress, Egress]}");
        assert_findings(
            ID,
            &cluster(&[some]),
            Outcome::Fail,
            &[
                "shop NetworkPolicy Egress: no policy selects every pod",
                "shop NetworkPolicy Ingress: no policy selects every pod",
            ],
        );
    }

    #[test]
    fn allow_all_in_any_form_voids_it() {
        for (rules, observed) in [
            ("[{}]", "allows every peer on every port"),
            ("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", "allows all of IPv4 on every port"),
            (
                "[{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/1}}]}]",
                "allows all of IPv4 on every port",
            ),
            (
                "[{ports: [{port: 1, endPort: 65535}, {protocol: UDP}, {protocol: SCTP}]}]",
                "allows every peer on every port",
            ),
        ] {
            for selector in ["{}", "{matchLabels: {app: a}}"] {
                let open = policy(
                    "open",
                    &format!("{{podSelector: {selector}, policyTypes: [Ingress], ingress: {rules}}}"),
                );
                let expected = format!("open spec.ingress: {observed}");
                assert_findings(ID, &cluster(&[deny(), open]), Outcome::Fail, &[&expected]);
            }
        }
    }

    #[test]
    fn what_is_not_allow_all() {
        for rules in [
            "[{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]",
            "[{from: [{ipBlock: {cidr: '::/0'}}]}]",
            "[{from: [{namespaceSelector: {}}]}]",
            "[{ports: [{port: 80}]}]",
            "[{ports: [{protocol: TCP}]}]",
            "[{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/2}}]}]",
        ] {
            let policy =
                policy("some", &format!("{{podSelector: {{}}, policyTypes: [Ingress], ingress: {rules}}}"));
            assert_eq!(outcome(ID, &cluster(&[deny(), policy])), Outcome::Pass, "{rules}");
        }
    }

    #[test]
    fn one_open_family_of_two_is_a_violation() {
        let open = policy(
            "six",
            "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]}",
        );
        let yaml = cluster(&[deny(), open]).replace("[{ip: 10.0.0.1}]", "[{ip: 10.0.0.1}, {ip: 'fd00::1'}]");
        assert_findings(ID, &yaml, Outcome::Fail, &["six spec.ingress: allows all of IPv6 on every port"]);
    }

    #[test]
    fn an_absence_needs_every_supplier() {
        for kind in [Kind::NetworkPolicies, Kind::OtherPolicyKinds] {
            let mut seen = inventory(&cluster(&[]));
            forbid(&mut seen, kind);
            assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
        }
        let open = policy("open", "{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}");
        let mut seen = inventory(&cluster(&[deny(), open]));
        seen.add_gap(
            Kind::OtherPolicyKinds,
            Gap::new("ciliumnetworkpolicies.cilium.io", GapReason::NotCollected, "not understood"),
        );
        assert_eq!(result(ID, &seen).outcome(), Outcome::Fail);
    }

    #[test]
    fn policies_that_nobody_enforces_do_not_pass() {
        let unrecognised = cluster(&[deny()]).replace("kube-network-policies", "something");
        assert_eq!(outcome(ID, &unrecognised), Outcome::Unknown);
        let flannel = cluster(&[deny()])
            .replace("registry.k8s.io/networking/kube-network-policies", "ghcr.io/flannel-io/flannel");
        assert_findings(
            ID,
            &flannel,
            Outcome::Fail,
            &["net NetworkPolicy enforcement: flannel does not enforce NetworkPolicies"],
        );
        let old = |date: &str| {
            cluster(&[deny()]).replace(
                "registry.k8s.io/networking/kube-network-policies:v0.9.0",
                &format!("docker.io/kindest/kindnetd:v{date}-c6f155d6"),
            )
        };
        assert_eq!(outcome(ID, &old("20240813")), Outcome::Pass);
        assert_eq!(outcome(ID, &old("20240202")), Outcome::Fail);
    }

    #[test]
    fn namespaces_without_pods_and_system_namespaces_do_not_count() {
        assert_eq!(outcome(ID, PLUGIN), Outcome::NotApplicable);
        let scaled = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: idle}, spec: {replicas: 0, template: {spec: {containers: [{name: c}]}}}}";
        assert_eq!(outcome(ID, &cluster(&[deny(), scaled.to_owned()])), Outcome::Pass);
        assert_eq!(
            outcome(ID, &cluster(&[deny(), scaled.replace("replicas: 0", "replicas: 2")])),
            Outcome::Fail
        );
    }

    #[test]
    fn the_remedy_turns_it_green() {
        // A policy of that name is there already, for ingress only: it must stay as it is.
        let mut seen = inventory(&cluster(&[policy("default-deny", "{podSelector: {}}")]));
        let items = crate::evaluate(&seen, &crate::Parameters::default()).unwrap();
        let item = items.iter().find(|item| item.result.id() == ID).unwrap();
        for document in &item.remediation.documents {
            let value: serde_json::Value = serde_saphyr::from_str(&document.yaml).unwrap();
            seen.insert(Object::deserialize(Kind::NetworkPolicies, "networking.k8s.io/v1", value).unwrap());
        }
        let names: BTreeSet<&str> =
            seen.network_policies.seen.iter().map(|policy| policy.meta.name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["allow-dns", "default-deny", "default-deny-rampart"]));
        assert_eq!(result(ID, &seen).outcome(), Outcome::Pass);
    }
}
