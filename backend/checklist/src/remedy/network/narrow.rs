//! NetworkPolicies without the rules by which they allow everything.

use crate::inventory::{
    Kind, NetworkPolicy, NetworkPolicyRule, NetworkPolicySpec, PolicyDirection, PolicyPort,
};
use crate::network::{Network, PolicyReference};
use crate::remedy::document;
use crate::workloads::View;
use rampart_shared::{RemediationDocument, RemediationTarget};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A configuration for each of these NetworkPolicies, with its narrower rules. What each is depends on the policy alone.
pub(super) fn documents(
    view: &View<'_>,
    open: &BTreeSet<(PolicyReference, PolicyDirection)>,
) -> Vec<RemediationDocument> {
    let mut wanted: BTreeMap<(&str, &str), Vec<PolicyDirection>> = BTreeMap::new();
    for (policy, direction) in open.iter().filter(|(policy, _)| is_network_policy(policy)) {
        let namespace = policy.namespace.as_deref().unwrap_or_default();
        wanted.entry((namespace, &policy.name)).or_default().push(*direction);
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    let seen = view.inventory.network_policies.seen.iter();
    let policies: HashMap<(&str, &str), &NetworkPolicy> = seen
        .map(|policy| ((policy.meta.namespace_or_default(), policy.meta.name.as_str()), policy))
        .collect();
    wanted
        .into_iter()
        .filter_map(|(name, directions)| {
            narrowed(&view.network().policies, policies.get(&name)?, &directions)
        })
        .collect()
}

pub(super) fn is_network_policy(policy: &PolicyReference) -> bool {
    Kind::of(&policy.api_version, &policy.kind) == Some(Kind::NetworkPolicies)
}

fn narrowed(
    network: &Network<'_>,
    policy: &NetworkPolicy,
    directions: &[PolicyDirection],
) -> Option<RemediationDocument> {
    let (mut spec, mut former) = (Map::new(), Map::new());
    let mut told = Vec::new();
    for direction in directions {
        let rules = policy.spec.rules(*direction);
        let kept = narrower(network, policy, *direction);
        if kept.len() < rules.len() {
            let field = direction.as_str().to_lowercase();
            told.push(format!("{} of {} {field} rules", rules.len() - kept.len(), rules.len()));
            spec.insert(field.clone(), json!(kept));
            former.insert(field, json!(rules));
        }
    }
    if told.is_empty() {
        return None;
    }
    // Their default depends on the rules, which change.
    let types: Vec<&str> = [PolicyDirection::Ingress, PolicyDirection::Egress]
        .into_iter()
        .filter(|direction| policy.spec.isolates(*direction))
        .map(PolicyDirection::as_str)
        .collect();
    spec.insert("policyTypes".to_owned(), json!(types));
    former.insert("policyTypes".to_owned(), json!(types));
    let namespace = policy.meta.namespace_or_default();
    let object = |spec: Map<String, Value>| {
        json!({
            "apiVersion": Kind::NetworkPolicies.api_version(),
            "kind": Kind::NetworkPolicies.kind(),
            "metadata": { "name": policy.meta.name, "namespace": namespace },
            "spec": spec,
        })
    };
    let comment = format!(
        "Namespace {namespace}: takes from {} what allows everything: {}",
        policy.meta.name,
        told.join(", ")
    );
    let narrower = document(RemediationTarget::Apply, comment, &object(spec));
    Some(RemediationDocument { undo: Some(object(former)), ..narrower })
}

/// The rules of a policy but for those that allow everything, alone or all together.
fn narrower(
    network: &Network<'_>,
    policy: &NetworkPolicy,
    direction: PolicyDirection,
) -> Vec<NetworkPolicyRule> {
    let rules = policy.spec.rules(direction);
    let open = |rules: &[NetworkPolicyRule]| {
        let mut spec = NetworkPolicySpec {
            policy_types: Some(vec![direction.as_str().to_owned()]),
            ..NetworkPolicySpec::default()
        };
        match direction {
            PolicyDirection::Ingress => spec.ingress = rules.to_vec(),
            PolicyDirection::Egress => spec.egress = rules.to_vec(),
        }
        network.allows_everything(&NetworkPolicy { meta: policy.meta.clone(), spec }, direction)
    };
    let kept: Vec<NetworkPolicyRule> =
        rules.iter().filter(|rule| !open(std::slice::from_ref(*rule))).cloned().collect();
    // None is open alone where only several are together, of this policy or of several.
    if kept.len() < rules.len() && !open(&kept) {
        return kept;
    }
    kept.into_iter().filter(|rule| is_narrow(rule, direction)).collect()
}

/// Whether a rule names pods alone, or single ports.
fn is_narrow(rule: &NetworkPolicyRule, direction: PolicyDirection) -> bool {
    let peers = rule.peers(direction);
    let single = |port: &crate::inventory::NetworkPolicyPort| {
        matches!(port.port, Some(PolicyPort::Number(_) | PolicyPort::Name(_))) && port.end_port.is_none()
    };
    !peers.is_empty() && peers.iter().all(|peer| peer.ip_block.is_none())
        || !rule.ports.is_empty() && rule.ports.iter().all(single)
}
