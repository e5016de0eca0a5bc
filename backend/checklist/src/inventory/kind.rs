//! The kinds that the checklist reads.

use rampart_shared::{Gap, GapReason, ResourceName};

/// A kind that items read, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `namespaces`.
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
    /// `serviceaccounts`.
    ServiceAccounts,
    /// `services`.
    Services,
    /// `endpointslices.discovery.k8s.io`.
    EndpointSlices,
    /// `configmaps`.
    ConfigMaps,
    /// `roles.rbac.authorization.k8s.io`.
    Roles,
    /// `clusterroles.rbac.authorization.k8s.io`.
    ClusterRoles,
    /// `rolebindings.rbac.authorization.k8s.io`.
    RoleBindings,
    /// `clusterrolebindings.rbac.authorization.k8s.io`.
    ClusterRoleBindings,
    /// `certificatesigningrequests.certificates.k8s.io`.
    CertificateSigningRequests,
    /// `networkpolicies.networking.k8s.io`.
    NetworkPolicies,
    /// `validatingadmissionpolicies.admissionregistration.k8s.io`.
    ValidatingAdmissionPolicies,
    /// `validatingadmissionpolicybindings.admissionregistration.k8s.io`.
    ValidatingAdmissionPolicyBindings,
    /// `validatingwebhookconfigurations.admissionregistration.k8s.io`.
    ValidatingWebhookConfigurations,
    /// `mutatingwebhookconfigurations.admissionregistration.k8s.io`.
    MutatingWebhookConfigurations,
    /// `ciliumnetworkpolicies.cilium.io`.
    CiliumNetworkPolicies,
    /// `ciliumclusterwidenetworkpolicies.cilium.io`.
    CiliumClusterwideNetworkPolicies,
    /// `networkpolicies.projectcalico.org`.
    CalicoNetworkPolicies,
    /// `globalnetworkpolicies.projectcalico.org`.
    CalicoGlobalNetworkPolicies,
    /// `tiers.projectcalico.org`.
    CalicoTiers,
    /// `felixconfigurations.projectcalico.org`.
    CalicoFelixConfigurations,
    /// `networkpolicies.crd.projectcalico.org`.
    CalicoCrdNetworkPolicies,
    /// `globalnetworkpolicies.crd.projectcalico.org`.
    CalicoCrdGlobalNetworkPolicies,
    /// `tiers.crd.projectcalico.org`.
    CalicoCrdTiers,
    /// `felixconfigurations.crd.projectcalico.org`.
    CalicoCrdFelixConfigurations,
    /// `adminnetworkpolicies.policy.networking.k8s.io`.
    AdminNetworkPolicies,
    /// `baselineadminnetworkpolicies.policy.networking.k8s.io`.
    BaselineAdminNetworkPolicies,
    /// `clusternetworkpolicies.policy.networking.k8s.io`.
    ClusterNetworkPolicies,
    /// `policyendpoints.networking.k8s.aws`.
    PolicyEndpoints,
    /// `goldmanes.operator.tigera.io`.
    Goldmanes,
    /// `flowcollectors.flows.netobserv.io`.
    FlowCollectors,
    /// `tracingpolicies.cilium.io`.
    TetragonTracingPolicies,
    /// `clusterpolicies.kyverno.io`.
    KyvernoClusterPolicies,
    /// `policies.kyverno.io`.
    KyvernoPolicies,
    /// `validatingpolicies.policies.kyverno.io`.
    KyvernoValidatingPolicies,
    /// `policyexceptions.kyverno.io`.
    KyvernoPolicyExceptions,
    /// `constrainttemplates.templates.gatekeeper.sh`.
    GatekeeperConstraintTemplates,
    /// Every kind of `constraints.gatekeeper.sh`; each ConstraintTemplate makes one.
    GatekeeperConstraints,
    /// `clusteradmissionpolicies.policies.kubewarden.io`.
    KubewardenClusterAdmissionPolicies,
    /// `admissionpolicies.policies.kubewarden.io`.
    KubewardenAdmissionPolicies,
    /// `securitycontextconstraints.security.openshift.io`.
    SecurityContextConstraints,
    /// `apiservers.config.openshift.io`.
    OpenShiftApiServers,
    /// `authentications.config.openshift.io`.
    OpenShiftAuthentications,
    /// `oauths.config.openshift.io`.
    OpenShiftOAuths,
    /// `externalsecrets.external-secrets.io`.
    ExternalSecrets,
    /// `clusterexternalsecrets.external-secrets.io`.
    ClusterExternalSecrets,
    /// `secretproviderclasses.secrets-store.csi.x-k8s.io`.
    SecretProviderClasses,
    /// `sealedsecrets.bitnami.com`.
    SealedSecrets,
    /// `vaultstaticsecrets.secrets.hashicorp.com`.
    VaultStaticSecrets,
    /// `vaultdynamicsecrets.secrets.hashicorp.com`.
    VaultDynamicSecrets,
    /// `vaultpkisecrets.secrets.hashicorp.com`.
    VaultPkiSecrets,
    /// `certificates.cert-manager.io`.
    Certificates,
    /// `peerauthentications.security.istio.io`.
    PeerAuthentications,
    /// `servers.policy.linkerd.io`.
    LinkerdServers,
    /// `serverauthorizations.policy.linkerd.io`.
    LinkerdServerAuthorizations,
    /// `authorizationpolicies.policy.linkerd.io`.
    LinkerdAuthorizationPolicies,
    /// `meshtlsauthentications.policy.linkerd.io`.
    LinkerdMeshTlsAuthentications,
    /// `networkauthentications.policy.linkerd.io`.
    LinkerdNetworkAuthentications,
    /// `meshes.kuma.io`.
    KumaMeshes,
    /// `meshes.consul.hashicorp.com`.
    ConsulMeshes,
    /// `jwtauthenticators.authentication.concierge.pinniped.dev`.
    JwtAuthenticators,
    /// `webhookauthenticators.authentication.concierge.pinniped.dev`.
    WebhookAuthenticators,
    /// Network policy kinds that are not understood, known from discovery alone.
    OtherPolicyKinds,
    /// The effective configuration of each kubelet.
    KubeletConfigz,
    /// `/flagz` of the API server: every effective flag, since 1.36.
    ApiServerFlagz,
    /// `/metrics` of the API server, reduced to a few series.
    ApiServerMetrics,
    /// What admission answered to the canaries of the probe.
    AdmissionProbe,
}

/// How a kind comes to be in a cluster, and how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Every supported API server serves it: not served is a gap.
    BuiltIn,
    /// A custom resource, or one of some versions alone: not served is a fact, and there are none.
    Optional,
    /// Not listed, but read in a way of its own.
    Special,
}

/// What is known of a kind.
#[derive(Debug)]
struct Facts {
    kind: Kind,
    group: &'static str,
    /// The versions that are understood, the best first.
    versions: &'static [&'static str],
    resource: &'static str,
    /// As objects name it; empty for what is no kind of its own.
    object_kind: &'static str,
    presence: Presence,
}

/// In the order of [`Kind`], one on a line.
#[rustfmt::skip]
const FACTS: [Facts; 75] = [
    built_in(Kind::Namespaces, "", &["v1"], "namespaces", "Namespace"),
    built_in(Kind::Nodes, "", &["v1"], "nodes", "Node"),
    built_in(Kind::Pods, "", &["v1"], "pods", "Pod"),
    built_in(Kind::Deployments, "apps", &["v1"], "deployments", "Deployment"),
    built_in(Kind::ReplicaSets, "apps", &["v1"], "replicasets", "ReplicaSet"),
    built_in(Kind::StatefulSets, "apps", &["v1"], "statefulsets", "StatefulSet"),
    built_in(Kind::DaemonSets, "apps", &["v1"], "daemonsets", "DaemonSet"),
    built_in(Kind::Jobs, "batch", &["v1"], "jobs", "Job"),
    built_in(Kind::CronJobs, "batch", &["v1"], "cronjobs", "CronJob"),
    built_in(Kind::ServiceAccounts, "", &["v1"], "serviceaccounts", "ServiceAccount"),
    built_in(Kind::Services, "", &["v1"], "services", "Service"),
    built_in(Kind::EndpointSlices, "discovery.k8s.io", &["v1"], "endpointslices", "EndpointSlice"),
    built_in(Kind::ConfigMaps, "", &["v1"], "configmaps", "ConfigMap"),
    built_in(Kind::Roles, "rbac.authorization.k8s.io", &["v1"], "roles", "Role"),
    built_in(Kind::ClusterRoles, "rbac.authorization.k8s.io", &["v1"], "clusterroles", "ClusterRole"),
    built_in(Kind::RoleBindings, "rbac.authorization.k8s.io", &["v1"], "rolebindings", "RoleBinding"),
    built_in(Kind::ClusterRoleBindings, "rbac.authorization.k8s.io", &["v1"], "clusterrolebindings", "ClusterRoleBinding"),
    built_in(Kind::CertificateSigningRequests, "certificates.k8s.io", &["v1"], "certificatesigningrequests", "CertificateSigningRequest"),
    built_in(Kind::NetworkPolicies, "networking.k8s.io", &["v1"], "networkpolicies", "NetworkPolicy"),
    optional(Kind::ValidatingAdmissionPolicies, "admissionregistration.k8s.io", &["v1", "v1beta1"], "validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
    optional(Kind::ValidatingAdmissionPolicyBindings, "admissionregistration.k8s.io", &["v1", "v1beta1"], "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
    built_in(Kind::ValidatingWebhookConfigurations, "admissionregistration.k8s.io", &["v1"], "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
    built_in(Kind::MutatingWebhookConfigurations, "admissionregistration.k8s.io", &["v1"], "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    optional(Kind::CiliumNetworkPolicies, "cilium.io", &["v2"], "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
    optional(Kind::CiliumClusterwideNetworkPolicies, "cilium.io", &["v2"], "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy"),
    optional(Kind::CalicoNetworkPolicies, "projectcalico.org", &["v3"], "networkpolicies", "NetworkPolicy"),
    optional(Kind::CalicoGlobalNetworkPolicies, "projectcalico.org", &["v3"], "globalnetworkpolicies", "GlobalNetworkPolicy"),
    optional(Kind::CalicoTiers, "projectcalico.org", &["v3"], "tiers", "Tier"),
    optional(Kind::CalicoFelixConfigurations, "projectcalico.org", &["v3"], "felixconfigurations", "FelixConfiguration"),
    optional(Kind::CalicoCrdNetworkPolicies, "crd.projectcalico.org", &["v1"], "networkpolicies", "NetworkPolicy"),
    optional(Kind::CalicoCrdGlobalNetworkPolicies, "crd.projectcalico.org", &["v1"], "globalnetworkpolicies", "GlobalNetworkPolicy"),
    optional(Kind::CalicoCrdTiers, "crd.projectcalico.org", &["v1"], "tiers", "Tier"),
    optional(Kind::CalicoCrdFelixConfigurations, "crd.projectcalico.org", &["v1"], "felixconfigurations", "FelixConfiguration"),
    optional(Kind::AdminNetworkPolicies, "policy.networking.k8s.io", &["v1alpha1"], "adminnetworkpolicies", "AdminNetworkPolicy"),
    optional(Kind::BaselineAdminNetworkPolicies, "policy.networking.k8s.io", &["v1alpha1"], "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy"),
    optional(Kind::ClusterNetworkPolicies, "policy.networking.k8s.io", &["v1alpha2"], "clusternetworkpolicies", "ClusterNetworkPolicy"),
    optional(Kind::PolicyEndpoints, "networking.k8s.aws", &["v1alpha1"], "policyendpoints", "PolicyEndpoint"),
    optional(Kind::Goldmanes, "operator.tigera.io", &["v1"], "goldmanes", "Goldmane"),
    optional(Kind::FlowCollectors, "flows.netobserv.io", &["v1beta2", "v1beta1"], "flowcollectors", "FlowCollector"),
    optional(Kind::TetragonTracingPolicies, "cilium.io", &["v1alpha1"], "tracingpolicies", "TracingPolicy"),
    optional(Kind::KyvernoClusterPolicies, "kyverno.io", &["v1", "v2beta1"], "clusterpolicies", "ClusterPolicy"),
    optional(Kind::KyvernoPolicies, "kyverno.io", &["v1", "v2beta1"], "policies", "Policy"),
    optional(Kind::KyvernoValidatingPolicies, "policies.kyverno.io", &["v1", "v1beta1", "v1alpha1"], "validatingpolicies", "ValidatingPolicy"),
    optional(Kind::KyvernoPolicyExceptions, "kyverno.io", &["v2", "v2beta1"], "policyexceptions", "PolicyException"),
    optional(Kind::GatekeeperConstraintTemplates, "templates.gatekeeper.sh", &["v1", "v1beta1"], "constrainttemplates", "ConstraintTemplate"),
    optional(Kind::GatekeeperConstraints, "constraints.gatekeeper.sh", &["v1beta1"], "", ""),
    optional(Kind::KubewardenClusterAdmissionPolicies, "policies.kubewarden.io", &["v1"], "clusteradmissionpolicies", "ClusterAdmissionPolicy"),
    optional(Kind::KubewardenAdmissionPolicies, "policies.kubewarden.io", &["v1"], "admissionpolicies", "AdmissionPolicy"),
    optional(Kind::SecurityContextConstraints, "security.openshift.io", &["v1"], "securitycontextconstraints", "SecurityContextConstraints"),
    optional(Kind::OpenShiftApiServers, "config.openshift.io", &["v1"], "apiservers", "APIServer"),
    optional(Kind::OpenShiftAuthentications, "config.openshift.io", &["v1"], "authentications", "Authentication"),
    optional(Kind::OpenShiftOAuths, "config.openshift.io", &["v1"], "oauths", "OAuth"),
    optional(Kind::ExternalSecrets, "external-secrets.io", &["v1", "v1beta1"], "externalsecrets", "ExternalSecret"),
    optional(Kind::ClusterExternalSecrets, "external-secrets.io", &["v1", "v1beta1"], "clusterexternalsecrets", "ClusterExternalSecret"),
    optional(Kind::SecretProviderClasses, "secrets-store.csi.x-k8s.io", &["v1"], "secretproviderclasses", "SecretProviderClass"),
    optional(Kind::SealedSecrets, "bitnami.com", &["v1alpha1"], "sealedsecrets", "SealedSecret"),
    optional(Kind::VaultStaticSecrets, "secrets.hashicorp.com", &["v1beta1"], "vaultstaticsecrets", "VaultStaticSecret"),
    optional(Kind::VaultDynamicSecrets, "secrets.hashicorp.com", &["v1beta1"], "vaultdynamicsecrets", "VaultDynamicSecret"),
    optional(Kind::VaultPkiSecrets, "secrets.hashicorp.com", &["v1beta1"], "vaultpkisecrets", "VaultPKISecret"),
    optional(Kind::Certificates, "cert-manager.io", &["v1"], "certificates", "Certificate"),
    optional(Kind::PeerAuthentications, "security.istio.io", &["v1", "v1beta1"], "peerauthentications", "PeerAuthentication"),
    optional(Kind::LinkerdServers, "policy.linkerd.io", &["v1beta3", "v1beta2", "v1beta1"], "servers", "Server"),
    optional(Kind::LinkerdServerAuthorizations, "policy.linkerd.io", &["v1beta1"], "serverauthorizations", "ServerAuthorization"),
    optional(Kind::LinkerdAuthorizationPolicies, "policy.linkerd.io", &["v1alpha1"], "authorizationpolicies", "AuthorizationPolicy"),
    optional(Kind::LinkerdMeshTlsAuthentications, "policy.linkerd.io", &["v1alpha1"], "meshtlsauthentications", "MeshTLSAuthentication"),
    optional(Kind::LinkerdNetworkAuthentications, "policy.linkerd.io", &["v1alpha1"], "networkauthentications", "NetworkAuthentication"),
    optional(Kind::KumaMeshes, "kuma.io", &["v1alpha1"], "meshes", "Mesh"),
    optional(Kind::ConsulMeshes, "consul.hashicorp.com", &["v1alpha1"], "meshes", "Mesh"),
    optional(Kind::JwtAuthenticators, "authentication.concierge.pinniped.dev", &["v1alpha1"], "jwtauthenticators", "JWTAuthenticator"),
    optional(Kind::WebhookAuthenticators, "authentication.concierge.pinniped.dev", &["v1alpha1"], "webhookauthenticators", "WebhookAuthenticator"),
    special(Kind::OtherPolicyKinds, "networkpolicies/other"),
    special(Kind::KubeletConfigz, "nodes/configz"),
    special(Kind::ApiServerFlagz, "kube-apiserver/flagz"),
    special(Kind::ApiServerMetrics, "kube-apiserver/metrics"),
    special(Kind::AdmissionProbe, "pods/dry-run"),
];

const fn built_in(
    kind: Kind,
    group: &'static str,
    versions: &'static [&'static str],
    resource: &'static str,
    object_kind: &'static str,
) -> Facts {
    Facts { kind, group, versions, resource, object_kind, presence: Presence::BuiltIn }
}

const fn optional(
    kind: Kind,
    group: &'static str,
    versions: &'static [&'static str],
    resource: &'static str,
    object_kind: &'static str,
) -> Facts {
    Facts { kind, group, versions, resource, object_kind, presence: Presence::Optional }
}

const fn special(kind: Kind, resource: &'static str) -> Facts {
    Facts { kind, group: "", versions: &[], resource, object_kind: "", presence: Presence::Special }
}

/// The group whose kinds Gatekeeper makes, one for each ConstraintTemplate.
const GATEKEEPER_CONSTRAINTS: &str = "constraints.gatekeeper.sh";

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Kind; FACTS.len()] = {
        let mut all = [Kind::Namespaces; FACTS.len()];
        let mut index = 0;
        while index < FACTS.len() {
            all[index] = FACTS[index].kind;
            index += 1;
        }
        all
    };

    /// The table stands in the order of the variants; a test compares them.
    const fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }

    /// The API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        self.facts().group
    }

    /// The versions that are understood, the best first; empty for what is not listed.
    pub const fn versions(self) -> &'static [&'static str] {
        self.facts().versions
    }

    /// `group/version`, or `version` in the core group, with the best version.
    pub fn api_version(self) -> String {
        self.api_version_of(self.versions().first().copied().unwrap_or("v1"))
    }

    /// `group/version`, or `version` in the core group.
    pub fn api_version_of(self, version: &str) -> String {
        match self.group() {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        }
    }

    /// The plural resource; empty for Gatekeeper's constraints, which are many.
    pub const fn resource(self) -> &'static str {
        self.facts().resource
    }

    /// The kind as objects name it; empty for what is no kind of its own.
    pub const fn kind(self) -> &'static str {
        self.facts().object_kind
    }

    /// `resource.group`, as gaps name it.
    pub fn name(self) -> ResourceName {
        match (self.resource(), self.group()) {
            (resource, "") => ResourceName::from(resource),
            ("", group) => ResourceName(format!("*.{group}")),
            (resource, group) => ResourceName(format!("{resource}.{group}")),
        }
    }

    /// Whether the kind is read by listing it; the others are read in their own ways.
    pub const fn is_listed(self) -> bool {
        !matches!(self.facts().presence, Presence::Special)
    }

    /// Whether a cluster may do without the kind: then not served means that there are none.
    pub const fn is_optional(self) -> bool {
        matches!(self.facts().presence, Presence::Optional)
    }

    /// Whether a CustomResourceDefinition or an aggregated API brings the kind into a cluster.
    pub const fn is_custom(self) -> bool {
        self.is_optional()
            && !matches!(self, Kind::ValidatingAdmissionPolicies | Kind::ValidatingAdmissionPolicyBindings)
    }

    /// The kind that holds the same objects where a cluster serves both: Calico's aggregated API gives what its custom
    /// resources hold. The first of the two is the aggregated one.
    pub fn same_objects(self) -> Option<(Kind, Kind)> {
        const PAIRS: [(Kind, Kind); 4] = [
            (Kind::CalicoNetworkPolicies, Kind::CalicoCrdNetworkPolicies),
            (Kind::CalicoGlobalNetworkPolicies, Kind::CalicoCrdGlobalNetworkPolicies),
            (Kind::CalicoTiers, Kind::CalicoCrdTiers),
            (Kind::CalicoFelixConfigurations, Kind::CalicoCrdFelixConfigurations),
        ];
        PAIRS.into_iter().find(|(first, second)| self == *first || self == *second)
    }

    /// Whether it makes pods by a template.
    pub const fn is_workload(self) -> bool {
        matches!(
            self,
            Kind::Deployments
                | Kind::ReplicaSets
                | Kind::StatefulSets
                | Kind::DaemonSets
                | Kind::Jobs
                | Kind::CronJobs
        )
    }

    /// Whether objects of the kind are in a namespace.
    pub const fn is_namespaced(self) -> bool {
        !matches!(
            self,
            Kind::Namespaces
                | Kind::Nodes
                | Kind::ClusterRoles
                | Kind::ClusterRoleBindings
                | Kind::CertificateSigningRequests
                | Kind::ValidatingAdmissionPolicies
                | Kind::ValidatingAdmissionPolicyBindings
                | Kind::ValidatingWebhookConfigurations
                | Kind::MutatingWebhookConfigurations
                | Kind::CiliumClusterwideNetworkPolicies
                | Kind::CalicoGlobalNetworkPolicies
                | Kind::CalicoTiers
                | Kind::CalicoFelixConfigurations
                | Kind::CalicoCrdGlobalNetworkPolicies
                | Kind::CalicoCrdTiers
                | Kind::CalicoCrdFelixConfigurations
                | Kind::AdminNetworkPolicies
                | Kind::BaselineAdminNetworkPolicies
                | Kind::ClusterNetworkPolicies
                | Kind::Goldmanes
                | Kind::FlowCollectors
                | Kind::TetragonTracingPolicies
                | Kind::KyvernoClusterPolicies
                | Kind::KyvernoValidatingPolicies
                | Kind::GatekeeperConstraintTemplates
                | Kind::GatekeeperConstraints
                | Kind::KubewardenClusterAdmissionPolicies
                | Kind::SecurityContextConstraints
                | Kind::OpenShiftApiServers
                | Kind::OpenShiftAuthentications
                | Kind::OpenShiftOAuths
                | Kind::ClusterExternalSecrets
                | Kind::KumaMeshes
                | Kind::JwtAuthenticators
                | Kind::WebhookAuthenticators
        )
    }

    /// The kind of an object, whatever the version of its group.
    pub fn of(api_version: &str, kind: &str) -> Option<Kind> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if group == GATEKEEPER_CONSTRAINTS && !kind.is_empty() {
            return Some(Kind::GatekeeperConstraints);
        }
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
pub const OTHER_POLICY_KINDS: [OtherPolicyKind; 2] = [
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_variants() {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index, "{kind:?}");
        }
    }

    #[test]
    fn names_are_unique_and_objects_find_their_kind() {
        let names: std::collections::BTreeSet<_> = Kind::ALL.map(Kind::name).into_iter().collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL.into_iter().filter(|kind| !kind.kind().is_empty()) {
            assert_eq!(Kind::of(&kind.api_version(), kind.kind()), Some(kind));
        }
        assert_eq!(
            Kind::of("constraints.gatekeeper.sh/v1beta1", "K8sAllowedRepos"),
            Some(Kind::GatekeeperConstraints)
        );
        assert_eq!(Kind::of("v1", ""), None);
    }
}
