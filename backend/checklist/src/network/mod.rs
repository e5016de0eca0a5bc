//! Effective network isolation and reachability: what all policies of a cluster together let through.
//!
//! Policies of every kind are compiled to one form, [`Policy`]: a selector of pods, and per direction rules with an
//! action for peers on ports. For a pod and a direction they make a pipeline of tiers; the first rule that matches a
//! packet decides it, and what no rule of a tier matches meets the tier's default. What cannot be evaluated is kept
//! apart: a packet that it could let through or drop is undecided, and never guessed.

mod address;
mod calico;
mod calico_selector;
mod cilium;
mod cluster_network_policy;
mod endpoint;
mod isolation;
mod kubernetes;
mod pipeline;
mod policy;
mod reachability;
mod rule;
mod selector;

#[cfg(test)]
mod calico_tests;
#[cfg(test)]
mod cilium_tests;
#[cfg(test)]
mod cluster_network_policy_tests;
#[cfg(test)]
mod kubernetes_tests;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod testing;

pub use address::{IpFamily, IpRange};
pub use cilium::{CiliumConfiguration, EnablePolicy};
pub use endpoint::Protocol;
pub use isolation::{Isolation, NamespaceDefault, Open};
pub use policy::{Policy, PolicyReference};
pub use reachability::{Peer, Reachability};
pub use rule::{Action, PeerMatch, PortMatch, Rule};
pub use selector::{Expression, Truth};

use crate::inventory::{Inventory, IpFamilies, Kind, Labels, Pod, PolicyDirection, Resource};
use endpoint::{AddressesView, LabelsView, PodView, PortsView};
use pipeline::Pipeline;
use policy::Tier;
use rampart_shared::{Gap, GapReason};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Who runs the network, as far as that decides which policies are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NetworkPlugin {
    /// Cilium: its own policies and Kubernetes'.
    Cilium,
    /// Calico: its own policies and Kubernetes'.
    Calico,
    /// Antrea: Kubernetes' policies, and its own, which are not read.
    Antrea,
    /// The VPC CNI of EKS: Kubernetes' policies.
    AmazonVpcCni,
    /// The policy manager of AKS: Kubernetes' policies.
    AzureNpm,
    /// One that knows neither Cilium's policies nor Calico's.
    Other,
    /// Not recognised: every policy counts.
    #[default]
    Unknown,
}

/// Every kind that [`Network`] reads policies from.
pub const POLICY_KINDS: [Kind; 12] = [
    Kind::NetworkPolicies,
    Kind::CiliumNetworkPolicies,
    Kind::CiliumClusterwideNetworkPolicies,
    Kind::CalicoNetworkPolicies,
    Kind::CalicoGlobalNetworkPolicies,
    Kind::CalicoTiers,
    Kind::CalicoCrdNetworkPolicies,
    Kind::CalicoCrdGlobalNetworkPolicies,
    Kind::CalicoCrdTiers,
    Kind::AdminNetworkPolicies,
    Kind::BaselineAdminNetworkPolicies,
    Kind::ClusterNetworkPolicies,
];

/// The policies of a cluster, compiled.
#[derive(Debug)]
pub struct Network<'a> {
    /// In the order of their tiers, and their own within them.
    policies: Vec<Policy>,
    tiers: Vec<Tier>,
    /// Policies that select pods of any namespace, as positions.
    cluster_wide: Vec<usize>,
    by_namespace: HashMap<String, Vec<usize>>,
    namespaces: HashMap<&'a str, &'a Labels>,
    plugin: NetworkPlugin,
    cilium: CiliumConfiguration,
    families: IpFamilies,
    /// Objects that cannot be read, by kind.
    gaps: Vec<Gap>,
    /// Policies that nobody enforces, by kind.
    ignored: BTreeMap<Kind, usize>,
}

/// Why a policy cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadablePolicy(pub String);

impl UnreadablePolicy {
    const FORM: &'static str = "it has another form than its API gives it";
}

impl From<serde_json::Error> for UnreadablePolicy {
    /// The text of such an error can hold values of the object, and is not passed on.
    fn from(_: serde_json::Error) -> Self {
        UnreadablePolicy(UnreadablePolicy::FORM.to_owned())
    }
}

impl<'a> Network<'a> {
    /// Compiles every policy that was seen.
    pub fn of(inventory: &'a Inventory, plugin: NetworkPlugin) -> Network<'a> {
        let cilium = match inventory.config_map("kube-system", "cilium-config") {
            Some(map) if plugin == NetworkPlugin::Cilium => CiliumConfiguration::of(&map.data),
            _ => CiliumConfiguration::default(),
        };
        let mut network = Network {
            policies: Vec::new(),
            tiers: Tier::built_in(),
            cluster_wide: Vec::new(),
            by_namespace: HashMap::new(),
            namespaces: inventory
                .namespaces
                .seen
                .iter()
                .map(|namespace| (namespace.name.as_str(), &*namespace.labels))
                .collect(),
            plugin,
            cilium,
            families: families(inventory),
            gaps: Vec::new(),
            ignored: BTreeMap::new(),
        };
        network.add_network_policies(inventory);
        network.add_resources(inventory);
        network.sort();
        network
    }

    /// Objects that were seen and cannot be read, by kind.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// How many policies of each kind are there that nobody enforces.
    pub fn ignored(&self) -> &BTreeMap<Kind, usize> {
        &self.ignored
    }

    /// The address families that pods use; IPv4 where no pod shows its addresses.
    pub fn families(&self) -> IpFamilies {
        self.families
    }

    /// Policies of a namespace that let the whole cluster through on every port: they isolate from outside only.
    pub fn wide(&self, namespace: &str) -> Vec<(&PolicyReference, PolicyDirection)> {
        let of_namespace = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        let mut wide = Vec::new();
        for policy in of_namespace.iter().filter_map(|position| self.policies.get(*position)) {
            for direction in [PolicyDirection::Ingress, PolicyDirection::Egress] {
                let rules = policy.section(direction).map_or(&[][..], |section| &section.rules);
                if rules.iter().any(Rule::is_wide) {
                    wide.push((&policy.reference, direction));
                }
            }
        }
        wide
    }

    fn add_network_policies(&mut self, inventory: &Inventory) {
        let policies = &inventory.network_policies.seen;
        if self.cilium.ignores_network_policies {
            if !policies.is_empty() {
                self.ignored.insert(Kind::NetworkPolicies, policies.len());
            }
            return;
        }
        let blocks_match_pods = self.plugin != NetworkPlugin::Cilium;
        self.policies.extend(policies.iter().map(|policy| kubernetes::compile(policy, blocks_match_pods)));
    }

    fn add_resources(&mut self, inventory: &Inventory) {
        // Calico's API server shows the same objects as the custom resources behind it.
        let v3 = [Kind::CalicoNetworkPolicies, Kind::CalicoGlobalNetworkPolicies, Kind::CalicoTiers];
        let crd =
            [Kind::CalicoCrdNetworkPolicies, Kind::CalicoCrdGlobalNetworkPolicies, Kind::CalicoCrdTiers];
        let calico = if inventory.resources_of(v3).next().is_some() { v3 } else { crd };
        let cilium = [Kind::CiliumNetworkPolicies, Kind::CiliumClusterwideNetworkPolicies];
        let admin =
            [Kind::AdminNetworkPolicies, Kind::BaselineAdminNetworkPolicies, Kind::ClusterNetworkPolicies];

        let (runs_cilium, runs_calico) = match self.plugin {
            NetworkPlugin::Unknown => (true, true),
            plugin => (plugin == NetworkPlugin::Cilium, plugin == NetworkPlugin::Calico),
        };
        for resource in inventory.resources_of(calico).filter(|resource| is_tier(resource)) {
            self.add_tier(resource);
        }
        let policies =
            cilium.map(|kind| (kind, runs_cilium)).into_iter().chain(calico.map(|kind| (kind, runs_calico)));
        for (kind, runs) in policies.chain(admin.map(|kind| (kind, true))) {
            for resource in inventory.resources(kind).seen.iter().filter(|resource| !is_tier(resource)) {
                if runs {
                    self.add_resource(resource);
                } else {
                    *self.ignored.entry(kind).or_default() += 1;
                }
            }
        }
    }

    fn add_tier(&mut self, resource: &Resource) {
        match calico::tier(&resource.meta.name, spec(resource)) {
            Ok(tier) => {
                self.tiers.retain(|known| known.name != tier.name);
                self.tiers.push(tier);
            }
            // Its policies find no tier of its name, and are not read either.
            Err(reason) => self.gaps.push(unreadable(resource, &reason)),
        }
    }

    fn add_resource(&mut self, resource: &Resource) {
        let reference = PolicyReference::new(
            &resource.api_version,
            &resource.object_kind,
            &resource.meta,
            resource.kind.is_namespaced(),
        );
        let compiled = match resource.kind {
            Kind::CiliumNetworkPolicies | Kind::CiliumClusterwideNetworkPolicies => {
                cilium::compile(&reference, &resource.body)
            }
            Kind::AdminNetworkPolicies
            | Kind::BaselineAdminNetworkPolicies
            | Kind::ClusterNetworkPolicies => {
                cluster_network_policy::compile(resource.kind, reference.clone(), spec(resource))
                    .map(|policy| vec![policy])
            }
            _ => calico::compile(reference.clone(), spec(resource))
                .map(|policy| policy.into_iter().collect())
                .and_then(|policies: Vec<Policy>| {
                    match policies.iter().find(|policy| !self.knows_tier(policy)) {
                        Some(policy) => {
                            Err(UnreadablePolicy(format!("its tier `{}` was not seen", policy.tier())))
                        }
                        None => Ok(policies),
                    }
                }),
        };
        match compiled {
            Ok(policies) => self.policies.extend(policies),
            Err(reason) => {
                self.gaps.push(unreadable(resource, &reason));
                self.policies.push(Policy::unreadable(reference, &reason.0));
            }
        }
    }

    fn knows_tier(&self, policy: &Policy) -> bool {
        self.tiers.iter().any(|tier| tier.name == policy.tier())
    }

    fn sort(&mut self) {
        self.tiers.sort_by(|a, b| a.order.total_cmp(&b.order).then_with(|| a.name.cmp(&b.name)));
        let places: HashMap<&str, usize> =
            self.tiers.iter().enumerate().map(|(place, tier)| (tier.name.as_str(), place)).collect();
        self.policies.sort_by(|a, b| {
            let place = |policy: &Policy| places.get(policy.tier()).copied();
            place(a)
                .cmp(&place(b))
                .then_with(|| a.order.total_cmp(&b.order))
                .then_with(|| a.reference.name.cmp(&b.reference.name))
        });
        for (position, policy) in self.policies.iter().enumerate() {
            match &policy.reference.namespace {
                Some(namespace) => self.by_namespace.entry(namespace.clone()).or_default().push(position),
                None => self.cluster_wide.push(position),
            }
        }
    }

    /// The policies that can select pods of a namespace, in order.
    fn candidates(&self, namespace: &str) -> Vec<&Policy> {
        let of_namespace = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        let mut positions: Vec<usize> = self.cluster_wide.iter().chain(of_namespace).copied().collect();
        positions.sort_unstable();
        positions.into_iter().filter_map(|position| self.policies.get(position)).collect()
    }

    fn pipeline<'p>(
        &'p self,
        policies: impl Iterator<Item = &'p Policy>,
        pod: &PodView<'_>,
        direction: PolicyDirection,
    ) -> Pipeline<'p> {
        let always = self.cilium.enable_policy == EnablePolicy::Always;
        Pipeline::new(policies, &self.tiers, always, pod, direction)
    }

    fn namespace_labels(&self, namespace: &str) -> LabelsView<'_> {
        self.namespaces.get(namespace).map_or(LabelsView::NotSeen, |labels| LabelsView::Seen(labels))
    }

    fn view<'p>(&'p self, pod: &'p Pod) -> PodView<'p> {
        let namespace = pod.meta.namespace_or_default();
        PodView {
            namespace: Some(namespace),
            namespace_labels: self.namespace_labels(namespace),
            labels: LabelsView::Seen(&pod.meta.labels),
            addresses: if pod.ips.is_empty() {
                AddressesView::NotSeen
            } else {
                AddressesView::Seen(&pod.ips)
            },
            ports: PortsView::Seen(&pod.spec),
            service_account: Some(&pod.spec.service_account),
        }
    }

    /// Why no policy is in force, where Cilium is told to enforce none.
    fn not_enforced(&self) -> Option<&'static str> {
        match self.cilium.enable_policy {
            EnablePolicy::Never => Some("Cilium runs with enable-policy: never"),
            _ if self.cilium.policy_audit_mode => Some("Cilium runs with policy-audit-mode: true"),
            _ => None,
        }
    }
}

fn is_tier(resource: &Resource) -> bool {
    matches!(resource.kind, Kind::CalicoTiers | Kind::CalicoCrdTiers)
}

fn spec(resource: &Resource) -> &Value {
    resource.body.get("spec").unwrap_or(&Value::Null)
}

fn unreadable(resource: &Resource, reason: &UnreadablePolicy) -> Gap {
    let detail = format!("{} {} is not understood: {reason}", resource.object_kind, resource.name());
    Gap::new(resource.kind.name(), GapReason::Failed, detail).for_objects(vec![resource.name()])
}

fn families(inventory: &Inventory) -> IpFamilies {
    let mut families = IpFamilies::default();
    for pod in &inventory.pods.seen {
        families.v4 |= pod.ip_families().v4;
        families.v6 |= pod.ip_families().v6;
    }
    if families == IpFamilies::default() { IpFamilies { v4: true, v6: false } } else { families }
}
