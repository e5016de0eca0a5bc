//! What the items on network policies share: what they read, who enforces policies, how findings rest on kinds.

use crate::enforcement::{EnforcedNetwork, Enforcement};
use crate::inventory::{Kind, OTHER_POLICY_KINDS};
use crate::judge::{Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::network::POLICY_KINDS;
use rampart_shared::{Gap, GapReason, ResourceName, RestsOn, Scope};
use std::collections::BTreeSet;

pub(super) const NEEDS: [Need; 25] = [
    Need::required(Kind::Pods),
    Need::required(Kind::Deployments),
    Need::required(Kind::ReplicaSets),
    Need::required(Kind::StatefulSets),
    Need::required(Kind::DaemonSets),
    Need::required(Kind::Jobs),
    Need::required(Kind::CronJobs),
    // Peers and subjects are selected by the labels of namespaces.
    Need::required(Kind::Namespaces),
    Need::required(Kind::NetworkPolicies),
    Need::required(Kind::CiliumNetworkPolicies),
    Need::required(Kind::CiliumClusterwideNetworkPolicies),
    Need::required(Kind::CalicoNetworkPolicies),
    Need::required(Kind::CalicoGlobalNetworkPolicies),
    Need::required(Kind::CalicoTiers),
    Need::required(Kind::CalicoCrdNetworkPolicies),
    Need::required(Kind::CalicoCrdGlobalNetworkPolicies),
    Need::required(Kind::CalicoCrdTiers),
    Need::required(Kind::AdminNetworkPolicies),
    Need::required(Kind::BaselineAdminNetworkPolicies),
    Need::required(Kind::ClusterNetworkPolicies),
    Need::required(Kind::OtherPolicyKinds),
    // Each says on some clusters whether policies are enforced.
    Need::conditional(Kind::Nodes),
    Need::conditional(Kind::ConfigMaps),
    Need::conditional(Kind::PolicyEndpoints),
    // The remedy keeps the API server's way to webhooks open.
    Need::supporting(Kind::MutatingWebhookConfigurations),
];

/// Adds what concerns all that was examined: who enforces policies, and which policies cannot be read.
pub(super) fn judge(network: &EnforcedNetwork<'_>, observation: &mut Observation) {
    observation.undecided.extend_from_slice(network.policies.gaps());
    for (kind, count) in network.policies.ignored() {
        observation.notes.push(format!(
            "{count} objects of {} are there, which the network plugin does not enforce.",
            kind.name()
        ));
    }
    match &network.enforcement {
            Enforcement::Yes(subject, _) => {
                observation.notes.push(format!("{} {} enforces NetworkPolicies.", subject.kind, subject.name));
            }
            Enforcement::No(subject, why) => observation.seen.push(SeenViolation(Violation {
                rule: "not-enforced",
                scope: Scope::Application,
                subject: subject.clone(),
                path: "NetworkPolicy enforcement".to_owned(),
                observed: (*why).to_owned(),
                expected: "a network plugin that enforces NetworkPolicies".to_owned(),
                note: None,
                discriminator: String::new(),
                units: observation.examined.iter().cloned().collect(),
                rests_on: vec![RestsOn { kind: Kind::DaemonSets.name(), object: None }],
            })),
            Enforcement::Unknown(why) => observation.undecided.push(
                enforcement_gap(&format!("Whether NetworkPolicies are enforced is not known: {why}"))
                    .closed_by("Include the network plugin's DaemonSet in what Rampart reads, or run a plugin that it recognises."),
            ),
        }
}

pub(super) fn enforcement_gap(detail: &str) -> Gap {
    let name = ResourceName::from("networkpolicies.networking.k8s.io/enforcement");
    Gap::new(name, GapReason::NotCollected, detail.to_owned())
}

/// The gap where rules cannot be evaluated; `what` starts a sentence.
pub(super) fn isolated_by(what: &str, object: &str, reasons: &BTreeSet<String>) -> Gap {
    let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
    let detail = format!("{what}: whether policies isolate it cannot be told: {}", reasons.join("; "));
    Gap::new(ResourceName::from("networkpolicies.networking.k8s.io/isolation"), GapReason::Failed, detail)
        .for_objects(vec![object.to_owned()])
        .closed_by("Write the policy without what is not understood, or wait for a later version of Rampart.")
}

/// The kinds that could have isolated a pod.
pub(super) fn suppliers() -> Vec<Kind> {
    POLICY_KINDS.into_iter().chain([Kind::OtherPolicyKinds]).collect()
}

/// What a finding about policies rests on.
pub(super) fn rests_on() -> Vec<RestsOn> {
    POLICY_KINDS
        .into_iter()
        .chain([Kind::Pods])
        .map(Kind::name)
        .chain(OTHER_POLICY_KINDS.map(|other| other.name()))
        .map(|kind| RestsOn { kind, object: None })
        .collect()
}
