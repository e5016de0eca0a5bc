//! What closes namespaces to what nobody allowed: default denies, and the policies that keep what is evidently used
//! working. The items on network policies share it, so that both ask for the same objects.

mod access;
mod narrow;
mod policies;
mod remaining;
mod table;
mod traffic;

#[cfg(test)]
mod tests;

use super::{Texts, document, remediation, simulate};
use crate::inventory::{Kind, NetworkPolicySpec, PolicyDirection};
use crate::network::{
    CiliumConfiguration, Isolation, NamespaceDefault, NetworkPlugin, Open, PolicyReference,
};
use crate::workloads::View;
use access::ApiServerAccess;
use policies::{Common, Draft};
use rampart_shared::{Finding, Fingerprint, ItemResult, Remediation, RemediationDocument, RemediationTarget};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use traffic::Traffic;

/// What is to be closed.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Namespaces that need a default deny.
    pub deny: BTreeSet<(&'a str, PolicyDirection)>,
    /// Policies that allow everything, with where they do.
    pub open: BTreeSet<(PolicyReference, PolicyDirection)>,
}

/// A remedy that closes what is wanted. What the item, as `evaluated` again with the remedy in force, still finds is
/// left to a person.
pub fn close(
    view: &View<'_>,
    result: &ItemResult,
    texts: Texts,
    wanted: &Wanted<'_>,
    evaluated: impl Fn(&View<'_>) -> Option<ItemResult>,
) -> Remediation {
    let mut remediation = remediation(result, texts, Vec::new());
    if result.application_findings().next().is_none() {
        return remediation;
    }
    let traffic = Traffic::of(view.inventory);
    let found: HashSet<&Fingerprint> =
        result.application_findings().map(|finding| &finding.fingerprint).collect();
    let mut wanted = wanted.clone();
    let mut openers = Openers::new();
    // A default deny that another policy opens again is no remedy: without it the finding stays and says so. Each time
    // round, namespaces go; the second is the last as a rule.
    let left: Option<HashSet<Fingerprint>> = loop {
        remediation.documents =
            if ignores_network_policies(view) { Vec::new() } else { documents(view, &traffic, &wanted) };
        if remediation.documents.is_empty() {
            break None;
        }
        let inventory = simulate(view, &remediation.documents);
        let after = View::new(&inventory, view.parameters);
        let Some(again) = evaluated(&after) else { break None };
        let new: Vec<&Finding> =
            again.application_findings().filter(|finding| !found.contains(&finding.fingerprint)).collect();
        if !give_up(&after, &new, &mut wanted, &mut openers) {
            remediation.tables.extend(table::reachability(view, &after, &traffic, &namespaces(&wanted)));
            break Some(again.application_findings().map(|finding| finding.fingerprint.clone()).collect());
        }
    };
    if remediation.documents.iter().any(|document| !document.choices.is_empty()) {
        remediation.inputs.push(access::input(view));
    }
    let stays = |finding: &&Finding| left.as_ref().is_none_or(|left| left.contains(&finding.fingerprint));
    let findings = result.application_findings().filter(stays);
    remediation.remaining = remaining::of(view, findings, &wanted, &openers);
    remediation
}

/// Policies that would open a namespace again that denied by default.
type Openers = BTreeMap<String, BTreeSet<PolicyReference>>;

/// Takes the namespaces away that come out with findings which were not there before, and notes by which policies.
/// Whether there were any.
fn give_up(after: &View<'_>, new: &[&Finding], wanted: &mut Wanted<'_>, openers: &mut Openers) -> bool {
    if new.is_empty() {
        return false;
    }
    let before = wanted.deny.len();
    wanted.deny.retain(|(namespace, direction)| {
        let NamespaceDefault { of_all, opened_for_some, .. } =
            after.network().policies.namespace_default(namespace, *direction);
        let mut by: BTreeSet<PolicyReference> =
            opened_for_some.into_iter().map(|(policy, _)| policy).collect();
        if let Isolation::Open(Open::AllowAll { policies, .. }) = of_all {
            by.extend(policies);
        }
        let is_here = |finding: &&Finding| finding.subject.namespace.as_deref() == Some(*namespace);
        let stays = by.is_empty() && !new.iter().any(is_here);
        if !stays {
            openers.entry((*namespace).to_owned()).or_default().extend(by);
        }
        stays
    });
    wanted.deny.len() < before
}

/// The namespaces in which something changes, by direction.
fn namespaces<'w>(wanted: &'w Wanted<'_>) -> BTreeSet<(&'w str, PolicyDirection)> {
    let open = wanted
        .open
        .iter()
        .filter(|(policy, _)| narrow::is_network_policy(policy))
        .filter_map(|(policy, direction)| Some((policy.namespace.as_deref()?, *direction)));
    open.chain(wanted.deny.iter().copied()).collect()
}

/// Whether Cilium is told to leave NetworkPolicies out of account.
fn ignores_network_policies(view: &View<'_>) -> bool {
    view.network().enforcement.plugin() == NetworkPlugin::Cilium
        && view
            .inventory
            .config_map("kube-system", "cilium-config")
            .is_some_and(|map| CiliumConfiguration::of(&map.data).ignores_network_policies)
}

/// What allows comes before what denies: each set is applied in order.
fn documents(view: &View<'_>, traffic: &Traffic<'_>, wanted: &Wanted<'_>) -> Vec<RemediationDocument> {
    let closed = namespaces(wanted);
    let common = Common::of(traffic);
    let egress: BTreeSet<&str> = closed
        .iter()
        .filter(|(_, direction)| *direction == PolicyDirection::Egress)
        .map(|(namespace, _)| *namespace)
        .collect();
    let access = ApiServerAccess::of(view, traffic, &egress);
    let mut there = There::of(view);
    let mut documents = Vec::new();
    for (namespace, direction) in closed {
        let mut drafts = match direction {
            PolicyDirection::Ingress => policies::ingress(traffic, &common, namespace),
            PolicyDirection::Egress => policies::egress(traffic, &common, &access, namespace),
        };
        if wanted.deny.contains(&(namespace, direction)) {
            drafts.push(policies::default_deny(direction));
        }
        documents.extend(drafts.into_iter().filter_map(|draft| there.add(namespace, draft)));
    }
    documents.extend(narrow::documents(view, &wanted.open));
    documents
}

/// The policies of a namespace, by name, those that are to be among them.
#[derive(Default)]
struct OfNamespace<'a> {
    names: HashSet<(bool, String)>,
    specs: Vec<&'a NetworkPolicySpec>,
    cilium_specs: Vec<&'a Value>,
}

/// The policies that are there: applying must add, never change what is there, nor say what is said.
struct There<'a>(HashMap<&'a str, OfNamespace<'a>>);

impl<'a> There<'a> {
    fn of(view: &View<'a>) -> There<'a> {
        let mut there: HashMap<&str, OfNamespace<'_>> = HashMap::new();
        for policy in &view.inventory.network_policies.seen {
            let of_namespace = there.entry(policy.meta.namespace_or_default()).or_default();
            of_namespace.names.insert((false, policy.meta.name.clone()));
            of_namespace.specs.push(&policy.spec);
        }
        for policy in &view.inventory.resources(Kind::CiliumNetworkPolicies).seen {
            let of_namespace = there.entry(policy.meta.namespace_or_default()).or_default();
            of_namespace.names.insert((true, policy.meta.name.clone()));
            of_namespace.cilium_specs.push(&policy.body["spec"]);
        }
        There(there)
    }

    fn add(&mut self, namespace: &str, draft: Draft) -> Option<RemediationDocument> {
        let Draft { name, comment, spec, is_cilium, choices } = draft;
        let mut name = shortened(name);
        if let Some(there) = self.0.get_mut(namespace) {
            let same = NetworkPolicySpec::deserialize(&spec).ok();
            if there.cilium_specs.contains(&&spec) || same.is_some_and(|same| there.specs.contains(&&same)) {
                return None;
            }
            while !there.names.insert((is_cilium, name.clone())) {
                name.push_str("-rampart");
            }
        }
        let kind = if is_cilium { Kind::CiliumNetworkPolicies } else { Kind::NetworkPolicies };
        let object = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.kind(),
            "metadata": { "name": name, "namespace": namespace },
            "spec": spec,
        });
        let comment = format!("Namespace {namespace}: {comment}");
        Some(RemediationDocument { choices, ..document(RemediationTarget::NewObject, comment, &object) })
    }
}

/// A name with room for what keeps it apart: names have at most 253 characters.
fn shortened(mut name: String) -> String {
    const MOST: usize = 200;
    if name.len() > MOST {
        name = name.chars().take(MOST).collect();
        name.truncate(name.trim_end_matches(['-', '.']).len());
    }
    name
}
