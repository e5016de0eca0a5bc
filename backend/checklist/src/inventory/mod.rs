//! What was seen of a cluster, and why the rest was not.

mod api_server;
mod config_map;
mod credential;
mod fact;
mod field_owner;
mod kind;
mod kubelet;
mod label_selector;
mod meta;
mod network_policy;
mod node;
mod object;
mod pod;
mod pod_security;
mod pod_spec;
mod raw_pod_spec;
mod rbac;
mod resource;
mod service;
mod workload;

pub use api_server::{ApiServerFlags, ApiServerMetrics, ProbeAnswer};
pub use config_map::ConfigMap;
pub use credential::CredentialAt;
pub use fact::Fact;
pub use field_owner::FieldOwner;
pub use kind::{Kind, OTHER_POLICY_KINDS, OtherPolicyKind};
pub use kubelet::{
    AnonymousAuthentication, KubeletAuthentication, KubeletAuthorization, KubeletConfiguration,
    WebhookAuthentication,
};
pub use label_selector::{LabelSelector, LabelSelectorRequirement};
pub(crate) use meta::null_is_default;
pub use meta::{Labels, ObjectMeta, OwnerReference};
pub use network_policy::{
    IpBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicyRule, NetworkPolicySpec,
    PolicyDirection, PolicyPort,
};
pub use node::{K3sServer, Node};
pub use object::Object;
pub use pod::{Component, IpFamilies, Pod, PodPhase};
pub use pod_security::PodSecurityBreaches;
pub use pod_spec::{
    AppArmorProfile, Container, ContainerPort, EnvironmentVariable, PodSecurityContext, PodSpec,
    SeccompProfile, SecretMount, SecretReference, SecurityContext, Volume,
};
pub use rbac::{Binding, Role, RoleReference, RoleRule, RoleSubject, ServiceAccount};
pub use resource::Resource;
pub use service::{Endpoint, EndpointPort, EndpointSlice, Service, ServicePort, ServiceSpec};
pub use workload::{Readiness, TemplateMount, TemplateVolumes, Workload};

use chrono::{DateTime, Utc};
use rampart_shared::Source;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Pods; shared with the copies of an inventory in which remedies are simulated.
    pub pods: Fact<Vec<Arc<Pod>>>,
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
    /// ServiceAccounts.
    pub service_accounts: Fact<Vec<ServiceAccount>>,
    /// Services.
    pub services: Fact<Vec<Service>>,
    /// EndpointSlices.
    pub endpoint_slices: Fact<Vec<EndpointSlice>>,
    /// ConfigMaps.
    pub config_maps: Fact<Vec<ConfigMap>>,
    /// Roles.
    pub roles: Fact<Vec<Role>>,
    /// ClusterRoles.
    pub cluster_roles: Fact<Vec<Role>>,
    /// RoleBindings.
    pub role_bindings: Fact<Vec<Binding>>,
    /// ClusterRoleBindings.
    pub cluster_role_bindings: Fact<Vec<Binding>>,
    /// Policy kinds that the cluster serves and that are not understood here, each as a gap.
    pub other_policy_kinds: Fact<()>,
    /// The effective configuration of each kubelet, by node.
    pub kubelet_configurations: Fact<BTreeMap<String, KubeletConfiguration>>,
    /// Whether a node's kubelet let in a request without credentials, where one was sent.
    pub kubelet_anonymous: BTreeMap<String, bool>,
    /// What the API server's `/flagz` says.
    pub api_server_flags: Fact<Option<ApiServerFlags>>,
    /// What the API server's `/metrics` says.
    pub api_server_metrics: Fact<Option<ApiServerMetrics>>,
    /// What admission answered to the probe's canaries.
    pub admission_probe: Fact<Vec<ProbeAnswer>>,
    /// Every other kind.
    resources: BTreeMap<Kind, Fact<Vec<Resource>>>,
}

/// A kind that was listed, and there are none.
static NONE: Fact<Vec<Resource>> = Fact { seen: Vec::new(), gaps: Vec::new() };

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
            service_accounts: Fact::default(),
            services: Fact::default(),
            endpoint_slices: Fact::default(),
            config_maps: Fact::default(),
            roles: Fact::default(),
            cluster_roles: Fact::default(),
            role_bindings: Fact::default(),
            cluster_role_bindings: Fact::default(),
            other_policy_kinds: Fact::default(),
            kubelet_configurations: Fact::default(),
            kubelet_anonymous: BTreeMap::new(),
            api_server_flags: Fact::default(),
            api_server_metrics: Fact::default(),
            admission_probe: Fact::default(),
            resources: BTreeMap::new(),
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
            Object::Pod(pod) => self.pods.seen.push(Arc::new(pod)),
            Object::Workload(workload) => {
                if let Some(list) = self.workloads_mut(workload.kind) {
                    list.seen.push(workload);
                }
            }
            Object::NetworkPolicy(policy) => self.network_policies.seen.push(policy),
            Object::ConfigMap(map) => self.config_maps.seen.push(map),
            Object::ServiceAccount(account) => self.service_accounts.seen.push(account),
            Object::Service(service) => self.services.seen.push(service),
            Object::EndpointSlice(slice) => self.endpoint_slices.seen.push(slice),
            Object::Role(role) if role.kind == Kind::Roles => self.roles.seen.push(role),
            Object::Role(role) => self.cluster_roles.seen.push(role),
            Object::Binding(binding) if binding.kind == Kind::RoleBindings => {
                self.role_bindings.seen.push(binding);
            }
            Object::Binding(binding) => self.cluster_role_bindings.seen.push(binding),
            Object::Resource(resource) => {
                self.resources.entry(resource.kind).or_default().seen.push(resource);
            }
        }
    }

    /// Adds the effective configuration of a node's kubelet.
    pub fn insert_kubelet(&mut self, node: String, configuration: KubeletConfiguration) {
        self.kubelet_configurations.seen.insert(node, configuration);
    }

    /// The objects of a kind that has no projection of its own.
    pub fn resources(&self, kind: Kind) -> &Fact<Vec<Resource>> {
        self.resources.get(&kind).unwrap_or(&NONE)
    }

    /// Every object of a kind that has no projection of its own.
    pub(crate) fn all_resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values().flat_map(|fact| &fact.seen)
    }

    /// Objects of several kinds that have no projection of their own.
    pub fn resources_of<'a>(
        &'a self,
        kinds: impl IntoIterator<Item = Kind> + 'a,
    ) -> impl Iterator<Item = &'a Resource> {
        kinds.into_iter().flat_map(|kind| &self.resources(kind).seen)
    }

    /// The first object of a kind without projection that is meant.
    pub(crate) fn resource_mut(
        &mut self,
        kind: Kind,
        is_meant: impl Fn(&Resource) -> bool,
    ) -> Option<&mut Resource> {
        self.resources.get_mut(&kind)?.seen.iter_mut().find(|resource| is_meant(resource))
    }

    /// Takes away the objects that are meant, of the kinds that are replaced as a whole.
    pub(crate) fn remove(&mut self, kind: Kind, is_meant: impl Fn(&ObjectMeta) -> bool) {
        match kind {
            Kind::Services => self.services.seen.retain(|service| !is_meant(&service.meta)),
            Kind::Roles => self.roles.seen.retain(|role| !is_meant(&role.meta)),
            Kind::ClusterRoles => self.cluster_roles.seen.retain(|role| !is_meant(&role.meta)),
            Kind::RoleBindings => self.role_bindings.seen.retain(|binding| !is_meant(&binding.meta)),
            Kind::ClusterRoleBindings => {
                self.cluster_role_bindings.seen.retain(|binding| !is_meant(&binding.meta));
            }
            _ => {}
        }
    }

    /// The ConfigMap of this name.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        self.config_maps.seen.iter().find(|map| map.meta.name == name && map.meta.namespace == namespace)
    }

    /// Takes away what was seen of a kind and adds this gap instead, as a refused list does.
    pub fn refuse(&mut self, kind: Kind, gap: rampart_shared::Gap) {
        match kind {
            Kind::Namespaces => self.namespaces = Fact::default(),
            Kind::Nodes => self.nodes = Fact::default(),
            Kind::Pods => self.pods = Fact::default(),
            Kind::NetworkPolicies => self.network_policies = Fact::default(),
            Kind::ServiceAccounts => self.service_accounts = Fact::default(),
            Kind::Services => self.services = Fact::default(),
            Kind::EndpointSlices => self.endpoint_slices = Fact::default(),
            Kind::ConfigMaps => self.config_maps = Fact::default(),
            Kind::Roles => self.roles = Fact::default(),
            Kind::ClusterRoles => self.cluster_roles = Fact::default(),
            Kind::RoleBindings => self.role_bindings = Fact::default(),
            Kind::ClusterRoleBindings => self.cluster_role_bindings = Fact::default(),
            Kind::OtherPolicyKinds => self.other_policy_kinds = Fact::default(),
            Kind::KubeletConfigz => {
                self.kubelet_configurations = Fact::default();
                self.kubelet_anonymous.clear();
            }
            Kind::ApiServerFlagz => self.api_server_flags = Fact::default(),
            Kind::ApiServerMetrics => self.api_server_metrics = Fact::default(),
            Kind::AdmissionProbe => self.admission_probe = Fact::default(),
            kind => match self.workloads_mut(kind) {
                Some(list) => *list = Fact::default(),
                None => drop(self.resources.remove(&kind)),
            },
        }
        self.add_gap(kind, gap);
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
            Kind::ServiceAccounts => &self.service_accounts.gaps,
            Kind::Services => &self.services.gaps,
            Kind::EndpointSlices => &self.endpoint_slices.gaps,
            Kind::ConfigMaps => &self.config_maps.gaps,
            Kind::Roles => &self.roles.gaps,
            Kind::ClusterRoles => &self.cluster_roles.gaps,
            Kind::RoleBindings => &self.role_bindings.gaps,
            Kind::ClusterRoleBindings => &self.cluster_role_bindings.gaps,
            Kind::OtherPolicyKinds => &self.other_policy_kinds.gaps,
            Kind::KubeletConfigz => &self.kubelet_configurations.gaps,
            Kind::ApiServerFlagz => &self.api_server_flags.gaps,
            Kind::ApiServerMetrics => &self.api_server_metrics.gaps,
            Kind::AdmissionProbe => &self.admission_probe.gaps,
            kind => &self.resources(kind).gaps,
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
            Kind::ServiceAccounts => &mut self.service_accounts.gaps,
            Kind::Services => &mut self.services.gaps,
            Kind::EndpointSlices => &mut self.endpoint_slices.gaps,
            Kind::ConfigMaps => &mut self.config_maps.gaps,
            Kind::Roles => &mut self.roles.gaps,
            Kind::ClusterRoles => &mut self.cluster_roles.gaps,
            Kind::RoleBindings => &mut self.role_bindings.gaps,
            Kind::ClusterRoleBindings => &mut self.cluster_role_bindings.gaps,
            Kind::OtherPolicyKinds => &mut self.other_policy_kinds.gaps,
            Kind::KubeletConfigz => &mut self.kubelet_configurations.gaps,
            Kind::ApiServerFlagz => &mut self.api_server_flags.gaps,
            Kind::ApiServerMetrics => &mut self.api_server_metrics.gaps,
            Kind::AdmissionProbe => &mut self.admission_probe.gaps,
            kind => &mut self.resources.entry(kind).or_default().gaps,
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
    pub(crate) fn workloads_mut(&mut self, kind: Kind) -> Option<&mut Fact<Vec<Workload>>> {
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
