//! A policy of any kind, compiled to what all kinds share.

use super::rule::Rule;
use super::selector::Expression;
use crate::inventory::{ObjectMeta, PolicyDirection};
use rampart_shared::Subject;

/// Names a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyReference {
    /// `group/version`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; none for policies of the cluster.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Which one.
    pub reference: PolicyReference,
    /// The pods that it selects.
    pub subject: Expression,
    /// The tier that it is in, by name.
    pub tier: &'static str,
    /// A tier that people made.
    pub own_tier: Option<String>,
    /// Its place in its tier; the lowest comes first.
    pub order: f64,
    /// What it says of ingress; none where it does not concern ingress.
    pub ingress: Option<Section>,
    /// What it says of egress; none where it does not concern egress.
    pub egress: Option<Section>,
}

/// What a policy says of one direction.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Whether what no rule of the tier matches is dropped.
    pub default_deny: DefaultDeny,
}

/// Whether a policy drops what no rule matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DefaultDeny {
    /// It does.
    Yes,
    /// It does not.
    #[default]
    No,
    /// That is not known; why.
    Unknown(String),
}

/// The tiers that are always there. Their orders are Calico's, whose own tiers stand between them:
/// <https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy>.
pub(super) mod tier {
    /// AdminNetworkPolicies.
    pub(in crate::network) const ADMIN_NETWORK_POLICY: &str = "adminnetworkpolicy";
    /// ClusterNetworkPolicies of the tier Admin.
    pub(in crate::network) const ADMIN: &str = "kube-admin";
    /// NetworkPolicies, Cilium's policies, Calico's without a tier.
    pub(in crate::network) const DEFAULT: &str = "default";
    /// BaselineAdminNetworkPolicies.
    pub(in crate::network) const BASELINE_ADMIN_NETWORK_POLICY: &str = "baselineadminnetworkpolicy";
    /// ClusterNetworkPolicies of the tier Baseline.
    pub(in crate::network) const BASELINE: &str = "kube-baseline";
}

/// A tier of policies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tier {
    /// Its name.
    pub name: String,
    /// Its place; the lowest comes first.
    pub order: f64,
    /// Whether it drops what none of its policies decided, for the pods that they select.
    pub denies: bool,
}

impl Tier {
    /// The tiers that are always there.
    pub(super) fn built_in() -> Vec<Tier> {
        [
            (tier::ADMIN_NETWORK_POLICY, 1e3, false),
            (tier::ADMIN, 1e3, false),
            (tier::DEFAULT, 1e6, true),
            (tier::BASELINE_ADMIN_NETWORK_POLICY, 1e7, false),
            (tier::BASELINE, 1e7, false),
        ]
        .map(|(name, order, denies)| Tier { name: name.to_owned(), order, denies })
        .to_vec()
    }
}

impl PolicyReference {
    /// The reference of an object.
    pub fn new(api_version: &str, kind: &str, meta: &ObjectMeta, namespaced: bool) -> PolicyReference {
        PolicyReference {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespaced.then(|| meta.namespace_or_default().to_owned()),
            name: meta.name.clone(),
        }
    }

    /// As findings name it.
    pub fn subject(&self) -> Subject {
        Subject {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

impl std::fmt::Display for PolicyReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl Policy {
    /// What it says of a direction.
    pub fn section(&self, direction: PolicyDirection) -> Option<&Section> {
        match direction {
            PolicyDirection::Ingress => self.ingress.as_ref(),
            PolicyDirection::Egress => self.egress.as_ref(),
        }
    }

    /// A policy whose object cannot be read: it may select any pod of its namespace and do anything.
    pub(super) fn unreadable(reference: PolicyReference, reason: &str) -> Policy {
        let section = || {
            let rules =
                [super::Action::Deny, super::Action::Allow].map(|action| Rule::unreadable(action, reason));
            Some(Section { rules: rules.to_vec(), default_deny: DefaultDeny::Unknown(reason.to_owned()) })
        };
        let unreadable = Expression::Unreadable(reason.to_owned());
        let subject = match &reference.namespace {
            Some(namespace) => Expression::All(vec![Expression::in_namespace(namespace), unreadable]),
            None => unreadable,
        };
        Policy {
            reference,
            subject,
            tier: tier::DEFAULT,
            own_tier: None,
            order: 0.0,
            ingress: section(),
            egress: section(),
        }
    }

    pub(super) fn tier(&self) -> &str {
        self.own_tier.as_deref().unwrap_or(self.tier)
    }
}
