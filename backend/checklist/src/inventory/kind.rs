//! The kinds that the checklist reads.

use rampart_shared::{Gap, GapReason, ResourceName};

/// A kind that items read, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `namespaces`: the cluster's identity.
    Namespaces,
    /// `nodes`.
    Nodes,
    /// `pods`.
    Pods,
    /// `deployments.apps`.
    Deployments,
    /// `replicasets.apps`.
    ReplicaSets,
    /// `statefulsets.apps`.
    StatefulSets,
    /// `daemonsets.apps`.
    DaemonSets,
    /// `jobs.batch`.
    Jobs,
    /// `cronjobs.batch`.
    CronJobs,
    /// `networkpolicies.networking.k8s.io`.
    NetworkPolicies,
    /// Network policy kinds of other groups, known from discovery alone.
    OtherPolicyKinds,
    /// `nodes/configz`: the effective configuration of each kubelet.
    KubeletConfigz,
    /// ConfigMap `kube-system/kubelet-config`.
    KubeletConfigMap,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 13] = [
        Kind::Namespaces,
        Kind::Nodes,
        Kind::Pods,
        Kind::Deployments,
        Kind::ReplicaSets,
        Kind::StatefulSets,
        Kind::DaemonSets,
        Kind::Jobs,
        Kind::CronJobs,
        Kind::NetworkPolicies,
        Kind::OtherPolicyKinds,
        Kind::KubeletConfigz,
        Kind::KubeletConfigMap,
    ];

    /// The API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        match self {
            Kind::Deployments | Kind::ReplicaSets | Kind::StatefulSets | Kind::DaemonSets => "apps",
            Kind::Jobs | Kind::CronJobs => "batch",
            Kind::NetworkPolicies => "networking.k8s.io",
            _ => "",
        }
    }

    /// The version that is asked for.
    pub const fn version(self) -> &'static str {
        "v1"
    }

    /// `group/version`, or `version` in the core group.
    pub fn api_version(self) -> String {
        match self.group() {
            "" => self.version().to_owned(),
            group => format!("{group}/{}", self.version()),
        }
    }

    /// The plural resource.
    pub const fn resource(self) -> &'static str {
        match self {
            Kind::Namespaces => "namespaces",
            Kind::Nodes => "nodes",
            Kind::Pods => "pods",
            Kind::Deployments => "deployments",
            Kind::ReplicaSets => "replicasets",
            Kind::StatefulSets => "statefulsets",
            Kind::DaemonSets => "daemonsets",
            Kind::Jobs => "jobs",
            Kind::CronJobs => "cronjobs",
            Kind::NetworkPolicies => "networkpolicies",
            Kind::OtherPolicyKinds => "networkpolicies/other",
            Kind::KubeletConfigz => "nodes/configz",
            Kind::KubeletConfigMap => "configmaps",
        }
    }

    /// The kind as objects name it; empty for what is no kind of its own.
    pub const fn kind(self) -> &'static str {
        match self {
            Kind::Namespaces => "Namespace",
            Kind::Nodes => "Node",
            Kind::Pods => "Pod",
            Kind::Deployments => "Deployment",
            Kind::ReplicaSets => "ReplicaSet",
            Kind::StatefulSets => "StatefulSet",
            Kind::DaemonSets => "DaemonSet",
            Kind::Jobs => "Job",
            Kind::CronJobs => "CronJob",
            Kind::NetworkPolicies => "NetworkPolicy",
            Kind::KubeletConfigMap => "ConfigMap",
            Kind::OtherPolicyKinds | Kind::KubeletConfigz => "",
        }
    }

    /// `resource.group`, as gaps name it.
    pub fn name(self) -> ResourceName {
        match self.group() {
            "" => ResourceName::from(self.resource()),
            group => ResourceName(format!("{}.{group}", self.resource())),
        }
    }

    /// Whether the kind is read by listing it; the others are read in their own ways.
    pub const fn is_listed(self) -> bool {
        !matches!(self, Kind::OtherPolicyKinds | Kind::KubeletConfigz | Kind::KubeletConfigMap)
    }

    /// The kind of an object, whatever the version of its group.
    pub fn of(api_version: &str, kind: &str) -> Option<Kind> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Kind::ALL.into_iter().find(|known| !kind.is_empty() && known.kind() == kind && known.group() == group)
    }
}

/// A kind of network policy that Rampart knows by name and does not evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherPolicyKind {
    /// The API group.
    pub group: &'static str,
    /// The plural resource.
    pub resource: &'static str,
    /// The kind.
    pub kind: &'static str,
}

/// Kinds of other groups that can isolate pods or open them up. Where one is served, default deny is unknown.
pub const OTHER_POLICY_KINDS: [OtherPolicyKind; 11] = [
    other("cilium.io", "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
    other("cilium.io", "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy"),
    other("projectcalico.org", "networkpolicies", "NetworkPolicy"),
    other("projectcalico.org", "globalnetworkpolicies", "GlobalNetworkPolicy"),
    other("crd.projectcalico.org", "networkpolicies", "NetworkPolicy"),
    other("crd.projectcalico.org", "globalnetworkpolicies", "GlobalNetworkPolicy"),
    other("policy.networking.k8s.io", "adminnetworkpolicies", "AdminNetworkPolicy"),
    other("policy.networking.k8s.io", "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy"),
    other("policy.networking.k8s.io", "clusternetworkpolicies", "ClusterNetworkPolicy"),
    other("crd.antrea.io", "networkpolicies", "NetworkPolicy"),
    other("crd.antrea.io", "clusternetworkpolicies", "ClusterNetworkPolicy"),
];

impl OtherPolicyKind {
    /// The kind of an object, whatever the version of its group.
    pub fn of(api_version: &str, kind: &str) -> Option<OtherPolicyKind> {
        let (group, _) = api_version.split_once('/')?;
        OTHER_POLICY_KINDS.into_iter().find(|known| known.group == group && known.kind == kind)
    }

    /// `resource.group`, as gaps name it.
    pub fn name(self) -> ResourceName {
        ResourceName(format!("{}.{}", self.resource, self.group))
    }

    /// The gap that it leaves; `place` says where it was seen.
    pub fn gap(self, place: &str) -> Gap {
        let detail = format!(
            "{place} {} ({}), which this version of Rampart does not understand",
            self.kind, self.group
        );
        Gap::new(self.name(), GapReason::NotCollected, detail)
            .closed_by("Nothing yet: a later version of Rampart reads this kind.")
    }
}

const fn other(group: &'static str, resource: &'static str, kind: &'static str) -> OtherPolicyKind {
    OtherPolicyKind { group, resource, kind }
}
