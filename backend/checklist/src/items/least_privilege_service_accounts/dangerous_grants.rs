//! Rights with which whoever takes a pod takes more than that pod
//! (<https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks>).

use crate::authorization::{Action, Extent, allows};
use crate::inventory::RoleRule;

/// What `resourceNames` do to a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// A right on named objects is a narrow one.
    Narrow,
    /// A right on these names is as good as the whole one; `prefix/*` ends in anything.
    NarrowUnless(&'static [&'static str]),
    /// A right on one object is dangerous too.
    Same,
}

/// A right that no workload's account should hold.
pub(super) struct DangerousGrant {
    /// The rule of the item.
    pub(super) rule: &'static str,
    /// What it lets its holder do.
    pub(super) means: &'static str,
    /// Whether it counts where a RoleBinding gives it.
    in_namespace: bool,
    names: Names,
    verbs: &'static [&'static str],
    /// Group and resource.
    resources: &'static [(&'static str, &'static str)],
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// The table.
pub(super) const GRANTS: [DangerousGrant; 16] = [
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
    grant("reads-secrets", "reads every Secret", false, Names::Narrow, &["get"], &[("", "secrets")]),
    grant("lists-secrets", "reads every Secret", true, Names::Narrow, &["list", "watch"], &[("", "secrets")]),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation
    grant(
        "writes-workloads",
        "runs pods under any account of a namespace",
        false,
        Names::Narrow,
        &["create", "update", "patch"],
        &[
            ("", "pods"),
            ("", "replicationcontrollers"),
            ("apps", "deployments"),
            ("apps", "replicasets"),
            ("apps", "statefulsets"),
            ("apps", "daemonsets"),
            ("batch", "jobs"),
            ("batch", "cronjobs"),
        ],
    ),
    // A WebSocket begins with GET: https://github.com/kubernetes/kubernetes/issues/133515
    grant(
        "enters-pods",
        "runs commands in other pods, or talks to their ports",
        false,
        Names::Narrow,
        &["create", "get"],
        &[("", "pods/exec"), ("", "pods/attach"), ("", "pods/portforward")],
    ),
    grant(
        "debugs-pods",
        "adds containers to other pods",
        false,
        Names::Narrow,
        &["update", "patch"],
        &[("", "pods/ephemeralcontainers")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes
    grant(
        "proxies-nodes",
        "runs commands in every container of a node, even with get alone",
        false,
        Names::Same,
        &["get", "create", "update", "patch", "delete"],
        &[("", "nodes/proxy")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#token-request
    grant(
        "requests-tokens",
        "takes tokens of other accounts",
        true,
        Names::Narrow,
        &["create"],
        &[("", "serviceaccounts/token")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#escalate-verb
    grant("escalates-roles", "gives roles any right", true, Names::Same, &["escalate"], &[(RBAC, "roles")]),
    grant(
        "escalates-cluster-roles",
        "gives roles any right",
        false,
        Names::Same,
        &["escalate"],
        &[(RBAC, "clusterroles")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#bind-verb
    grant(
        "binds-roles",
        "gives itself any role",
        true,
        Names::NarrowUnless(&["cluster-admin", "admin", "edit"]),
        &["bind"],
        &[(RBAC, "roles"), (RBAC, "clusterroles")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#impersonate-verb
    grant(
        "impersonates",
        "acts as anybody",
        false,
        Names::NarrowUnless(&["system:masters", "system:nodes"]),
        &["impersonate"],
        &[("", "users"), ("", "groups")],
    ),
    grant(
        "impersonates-accounts",
        "acts as other accounts",
        true,
        Names::Narrow,
        &["impersonate"],
        &[("", "serviceaccounts")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#csrs-and-certificate-issuing
    grant(
        "approves-certificates",
        "lets itself be issued a client certificate of any user",
        false,
        Names::NarrowUnless(&["kubernetes.io/*"]),
        &["approve"],
        &[("certificates.k8s.io", "signers")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks
    grant(
        "writes-admission",
        "reads or changes what is admitted",
        false,
        Names::Narrow,
        &["create", "update", "patch", "delete", "deletecollection"],
        &[
            (ADMISSION, "mutatingwebhookconfigurations"),
            (ADMISSION, "validatingwebhookconfigurations"),
            (ADMISSION, "validatingadmissionpolicies"),
            (ADMISSION, "validatingadmissionpolicybindings"),
            (ADMISSION, "mutatingadmissionpolicies"),
            (ADMISSION, "mutatingadmissionpolicybindings"),
        ],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#persistent-volume-creation
    grant(
        "creates-persistent-volumes",
        "mounts any path of a node",
        false,
        Names::Narrow,
        &["create"],
        &[("", "persistentvolumes")],
    ),
    // https://kubernetes.io/docs/concepts/security/rbac-good-practices/#namespace-modification
    grant(
        "changes-namespaces",
        "takes Pod Security labels off namespaces",
        false,
        Names::Narrow,
        &["patch", "update"],
        &[("", "namespaces")],
    ),
];

const fn grant(
    rule: &'static str,
    means: &'static str,
    in_namespace: bool,
    names: Names,
    verbs: &'static [&'static str],
    resources: &'static [(&'static str, &'static str)],
) -> DangerousGrant {
    DangerousGrant { rule, means, in_namespace, names, verbs, resources }
}

/// The dangerous rights that a rule gives: the item's rule, and what it lets its holder do.
pub(super) fn of(rule: &RoleRule, cluster_wide: bool) -> Vec<(&'static str, &'static str)> {
    let has_star = |list: &[String]| list.iter().any(|entry| entry == "*");
    let (verbs, resources) = (has_star(&rule.verbs), has_star(&rule.resources));
    let mut found = Vec::new();
    if !rule.resources.is_empty() && rule.resource_names.is_empty() {
        // In a namespace, a wildcard counts where it is one of everything.
        if verbs && resources && (cluster_wide || has_star(&rule.api_groups)) {
            return vec![("wildcard", "does anything to anything")];
        }
        if cluster_wide && (verbs || resources) {
            found.push(("wildcard", "does more than its role says by name"));
        }
    }
    found.extend(
        GRANTS
            .iter()
            .filter(|grant| (cluster_wide || grant.in_namespace) && grant.is_given_by(rule))
            .map(|grant| (grant.rule, grant.means)),
    );
    found
}

impl DangerousGrant {
    fn is_given_by(&self, rule: &RoleRule) -> bool {
        self.resources.iter().any(|(group, resource)| {
            self.verbs.iter().any(|verb| match allows(rule, Action { verb, group, resource }) {
                Some(Extent::All) => true,
                Some(Extent::Named(names)) => self.names.are_dangerous(names),
                None => false,
            })
        })
    }
}

impl Names {
    fn are_dangerous(self, given: &[String]) -> bool {
        match self {
            Names::Narrow => false,
            Names::Same => true,
            Names::NarrowUnless(dangerous) => given.iter().any(|name| {
                dangerous.iter().any(|known| match known.strip_suffix('*') {
                    Some(prefix) => name.starts_with(prefix),
                    None => name == known,
                })
            }),
        }
    }
}
