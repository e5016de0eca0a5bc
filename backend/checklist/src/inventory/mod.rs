//! What was seen of a cluster, and why the rest was not.

mod fact;
mod kind;
mod kubelet;
mod meta;
mod network_policy;
mod node;
mod object;
mod pod;
mod workload;

pub use fact::Fact;
pub use kind::{Kind, OTHER_POLICY_KINDS, OtherPolicyKind};
pub use kubelet::{
    AnonymousAuthentication, KubeletAuthentication, KubeletAuthorization, KubeletConfiguration,
    WebhookAuthentication,
};
pub use meta::{Labels, ObjectMeta, OwnerReference};
pub use network_policy::{
    IpBlock, LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicyRule,
    NetworkPolicySpec, PolicyDirection, PolicyPort,
};
pub use node::{K3sServer, Node};
pub use object::Object;
pub use pod::{
    AppArmorProfile, Component, Container, EnvironmentVariable, IpFamilies, Pod, PodPhase,
    PodSecurityContext, PodSpec, SeccompProfile, SecurityContext,
};
pub use workload::Workload;

use chrono::{DateTime, Utc};
use rampart_shared::Source;
use std::collections::BTreeMap;

/// What was seen of one cluster.
///
/// Every kind is a [`Fact`], so that nobody can mistake what was refused for what is not there.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Where it came from.
    pub source: Source,
    /// When collecting it began; none where a snapshot does not say.
    pub collected_at: Option<DateTime<Utc>>,
    /// The UID of the namespace `kube-system`: the cluster's identity.
    pub identity: Option<String>,
    /// The API server's version, such as `v1.36.3`.
    pub version: Option<String>,
    /// Namespaces.
    pub namespaces: Fact<Vec<ObjectMeta>>,
    /// Nodes.
    pub nodes: Fact<Vec<Node>>,
    /// Pods.
    pub pods: Fact<Vec<Pod>>,
    /// Deployments.
    pub deployments: Fact<Vec<Workload>>,
    /// ReplicaSets.
    pub replica_sets: Fact<Vec<Workload>>,
    /// StatefulSets.
    pub stateful_sets: Fact<Vec<Workload>>,
    /// DaemonSets.
    pub daemon_sets: Fact<Vec<Workload>>,
    /// Jobs.
    pub jobs: Fact<Vec<Workload>>,
    /// CronJobs.
    pub cron_jobs: Fact<Vec<Workload>>,
    /// NetworkPolicies of `networking.k8s.io`.
    pub network_policies: Fact<Vec<NetworkPolicy>>,
    /// Policy kinds that the cluster serves and that are not understood here, each as a gap.
    pub other_policy_kinds: Fact<()>,
    /// The effective configuration of each kubelet, by node.
    pub kubelet_configurations: Fact<BTreeMap<String, KubeletConfiguration>>,
    /// What ConfigMap `kube-system/kubelet-config` declares.
    pub kubelet_config_map: Fact<Option<KubeletConfiguration>>,
}

impl Inventory {
    /// An inventory of which nothing was missed: every kind complete and empty.
    pub fn empty(source: Source) -> Self {
        Inventory {
            source,
            collected_at: None,
            identity: None,
            version: None,
            namespaces: Fact::default(),
            nodes: Fact::default(),
            pods: Fact::default(),
            deployments: Fact::default(),
            replica_sets: Fact::default(),
            stateful_sets: Fact::default(),
            daemon_sets: Fact::default(),
            jobs: Fact::default(),
            cron_jobs: Fact::default(),
            network_policies: Fact::default(),
            other_policy_kinds: Fact::default(),
            kubelet_configurations: Fact::default(),
            kubelet_config_map: Fact::default(),
        }
    }

    /// Adds an object that was seen.
    pub fn insert(&mut self, object: Object) {
        match object {
            Object::Namespace(namespace) => {
                if namespace.name == "kube-system" && !namespace.uid.is_empty() {
                    self.identity = Some(namespace.uid.clone());
                }
                self.namespaces.seen.push(namespace);
            }
            Object::Node(node) => self.nodes.seen.push(node),
            Object::Pod(pod) => self.pods.seen.push(pod),
            Object::Workload(workload) => {
                if let Some(list) = self.workloads_mut(workload.kind) {
                    list.seen.push(workload);
                }
            }
            Object::NetworkPolicy(policy) => self.network_policies.seen.push(policy),
            Object::KubeletConfigMap(configuration) => self.kubelet_config_map.seen = configuration,
        }
    }

    /// Adds the effective configuration of a node's kubelet.
    pub fn insert_kubelet(&mut self, node: String, configuration: KubeletConfiguration) {
        self.kubelet_configurations.seen.insert(node, configuration);
    }

    /// Why not all of a kind was seen; empty when it was.
    pub fn gaps(&self, kind: Kind) -> &[rampart_shared::Gap] {
        match kind {
            Kind::Namespaces => &self.namespaces.gaps,
            Kind::Nodes => &self.nodes.gaps,
            Kind::Pods => &self.pods.gaps,
            Kind::Deployments => &self.deployments.gaps,
            Kind::ReplicaSets => &self.replica_sets.gaps,
            Kind::StatefulSets => &self.stateful_sets.gaps,
            Kind::DaemonSets => &self.daemon_sets.gaps,
            Kind::Jobs => &self.jobs.gaps,
            Kind::CronJobs => &self.cron_jobs.gaps,
            Kind::NetworkPolicies => &self.network_policies.gaps,
            Kind::OtherPolicyKinds => &self.other_policy_kinds.gaps,
            Kind::KubeletConfigz => &self.kubelet_configurations.gaps,
            Kind::KubeletConfigMap => &self.kubelet_config_map.gaps,
        }
    }

    /// Adds a reason why not all of a kind was seen.
    pub fn add_gap(&mut self, kind: Kind, gap: rampart_shared::Gap) {
        let gaps = match kind {
            Kind::Namespaces => &mut self.namespaces.gaps,
            Kind::Nodes => &mut self.nodes.gaps,
            Kind::Pods => &mut self.pods.gaps,
            Kind::Deployments => &mut self.deployments.gaps,
            Kind::ReplicaSets => &mut self.replica_sets.gaps,
            Kind::StatefulSets => &mut self.stateful_sets.gaps,
            Kind::DaemonSets => &mut self.daemon_sets.gaps,
            Kind::Jobs => &mut self.jobs.gaps,
            Kind::CronJobs => &mut self.cron_jobs.gaps,
            Kind::NetworkPolicies => &mut self.network_policies.gaps,
            Kind::OtherPolicyKinds => &mut self.other_policy_kinds.gaps,
            Kind::KubeletConfigz => &mut self.kubelet_configurations.gaps,
            Kind::KubeletConfigMap => &mut self.kubelet_config_map.gaps,
        };
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }

    /// Every gap of every kind.
    pub fn all_gaps(&self) -> impl Iterator<Item = &rampart_shared::Gap> {
        Kind::ALL.into_iter().flat_map(|kind| self.gaps(kind))
    }

    /// The list that holds workloads of a kind; none for kinds that are no workload controllers.
    fn workloads_mut(&mut self, kind: Kind) -> Option<&mut Fact<Vec<Workload>>> {
        match kind {
            Kind::Deployments => Some(&mut self.deployments),
            Kind::ReplicaSets => Some(&mut self.replica_sets),
            Kind::StatefulSets => Some(&mut self.stateful_sets),
            Kind::DaemonSets => Some(&mut self.daemon_sets),
            Kind::Jobs => Some(&mut self.jobs),
            Kind::CronJobs => Some(&mut self.cron_jobs),
            _ => None,
        }
    }

    /// All workload controllers.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        [
            &self.deployments,
            &self.replica_sets,
            &self.stateful_sets,
            &self.daemon_sets,
            &self.jobs,
            &self.cron_jobs,
        ]
        .into_iter()
        .flat_map(|fact| &fact.seen)
    }
}
