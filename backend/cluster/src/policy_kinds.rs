//! Kinds of other groups that can isolate pods, and that this version does not understand.
//!
//! An absence of NetworkPolicies proves nothing while one of these is there.

use rampart_shared::{Gap, GapReason};

/// A kind that can isolate pods.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PolicyKind {
    /// Its API group.
    pub(crate) group: &'static str,
    /// Its kind, as objects name it.
    pub(crate) kind: &'static str,
    /// Its resource.
    pub(crate) resource: &'static str,
}

const fn policy(group: &'static str, kind: &'static str, resource: &'static str) -> PolicyKind {
    PolicyKind { group, kind, resource }
}

/// Every such kind.
pub(crate) static POLICY_KINDS: [PolicyKind; 11] = [
    policy("cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies"),
    policy("cilium.io", "CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies"),
    policy("projectcalico.org", "NetworkPolicy", "networkpolicies"),
    policy("projectcalico.org", "GlobalNetworkPolicy", "globalnetworkpolicies"),
    policy("crd.projectcalico.org", "NetworkPolicy", "networkpolicies"),
    policy("crd.projectcalico.org", "GlobalNetworkPolicy", "globalnetworkpolicies"),
    policy("policy.networking.k8s.io", "AdminNetworkPolicy", "adminnetworkpolicies"),
    policy("policy.networking.k8s.io", "BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies"),
    policy("policy.networking.k8s.io", "ClusterNetworkPolicy", "clusternetworkpolicies"),
    policy("crd.antrea.io", "NetworkPolicy", "networkpolicies"),
    policy("crd.antrea.io", "ClusterNetworkPolicy", "clusternetworkpolicies"),
];

impl PolicyKind {
    /// The kind of an object, whatever the version of its group.
    pub(crate) fn of(api_version: &str, kind: &str) -> Option<&'static PolicyKind> {
        let (group, _) = api_version.split_once('/')?;
        POLICY_KINDS.iter().find(|known| known.group == group && known.kind == kind)
    }

    /// `resource.group`, as gaps name it.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.resource, self.group)
    }

    /// The gap that it leaves; `place` says where it was seen.
    pub(crate) fn gap(&self, place: &str) -> Gap {
        let detail = format!(
            "{place} {} ({}), which this version of Rampart does not understand",
            self.kind, self.group
        );
        Gap::new(self.name(), GapReason::NotCollected, detail)
            .closed_by("Nothing yet: a later version of Rampart reads this kind.")
    }
}
