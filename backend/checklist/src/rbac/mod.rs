//! The grants that reading a cluster takes, generated from what the items need.

mod dry_run;

pub use dry_run::remediation_dry_run;

use crate::{Kind, needed_kinds};
use rampart_shared::{Gap, GapReason, PolicyRule};
use std::fmt;
use std::str::FromStr;

/// How kubelets are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KubeletAccess {
    /// Not at all.
    #[default]
    Off,
    /// Through the API server's node proxy. The grant is `nodes/proxy`, whose `get` alone can run commands in
    /// every container of a node, over WebSocket.
    Proxy,
    /// At their own port, with short-lived tokens of this service account, which may do nothing else.
    Direct(AccountName),
}

/// A service account by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Default for AccountName {
    fn default() -> Self {
        AccountName { namespace: "rampart".to_owned(), name: "kubelet-reader".to_owned() }
    }
}

impl FromStr for AccountName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The names become parts of a path and of YAML.
        let is_name = |name: &str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            name.len() <= 253
                && name.chars().all(inner)
                && !name.contains("..")
                && edge(name.chars().next())
                && edge(name.chars().next_back())
        };
        match text.split_once('/') {
            Some((namespace, name)) if is_name(namespace) && is_name(name) => {
                Ok(AccountName { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(format!(
                "service account `{}` is not namespace/name, as in rampart/kubelet-reader",
                text.escape_debug()
            )),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What Rampart's account may read beside the kinds that items need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// How kubelets are read.
    pub kubelets: KubeletAccess,
    /// Whether the API server's `/flagz` and `/metrics` are read.
    pub control_plane_metrics: bool,
    /// Whether admission is asked, in dry-run, what it would refuse.
    pub admission_probe: bool,
}

/// The rules of the minimal ClusterRole.
pub fn rules(access: &Access) -> Vec<PolicyRule> {
    let mut rules: Vec<PolicyRule> = needed_kinds().into_iter().filter_map(rule).collect();
    // The UID of `kube-system` is the cluster's identity.
    if let Some(identity) = rule(Kind::Namespaces)
        && !rules.contains(&identity)
    {
        rules.insert(0, identity);
    }
    if access.kubelets == KubeletAccess::Proxy {
        rules.push(node_proxy());
    }
    if access.control_plane_metrics {
        rules.push(control_plane_metrics());
    }
    if access.admission_probe {
        rules.push(admission_probe());
    }
    rules
}

/// The grant for one kind; none where no grant on a kind helps.
pub fn rule(kind: Kind) -> Option<PolicyRule> {
    // Gatekeeper's constraints are as many kinds as there are templates.
    let resource = if kind.resource().is_empty() { "*" } else { kind.resource() };
    kind.is_listed().then(|| on(kind.group(), resource, "list"))
}

/// The grant for one kind, for those too that are read in a way of their own: of kubelets, through the API server.
pub fn rule_of_any(kind: Kind) -> Option<PolicyRule> {
    match kind {
        Kind::KubeletConfigz => Some(node_proxy()),
        Kind::ApiServerFlagz | Kind::ApiServerMetrics => Some(control_plane_metrics()),
        Kind::AdmissionProbe => Some(admission_probe()),
        kind => rule(kind),
    }
}

/// The grant for reading kubelets through the API server.
pub fn node_proxy() -> PolicyRule {
    on("", "nodes/proxy", "get")
}

/// The grant for reading a kubelet's configuration at its own port; kubelets ask for it from 1.33 on.
pub fn node_configz() -> PolicyRule {
    on("", "nodes/configz", "get")
}

/// The grant, in the account's namespace, for short-lived tokens of this account.
pub fn account_token(account: &AccountName) -> PolicyRule {
    PolicyRule { resource_names: vec![account.name.clone()], ..on("", "serviceaccounts/token", "create") }
}

/// The grant for the API server's `/flagz` and `/metrics`.
pub fn control_plane_metrics() -> PolicyRule {
    PolicyRule {
        non_resource_urls: vec!["/flagz".to_owned(), "/metrics".to_owned()],
        verbs: vec!["get".to_owned()],
        ..PolicyRule::default()
    }
}

/// The grant for asking admission in dry-run: about pods, and about containers that are added to running ones.
pub fn admission_probe() -> PolicyRule {
    PolicyRule {
        resources: vec!["pods".to_owned(), "pods/ephemeralcontainers".to_owned()],
        verbs: vec!["create".to_owned(), "patch".to_owned()],
        ..on("", "pods", "create")
    }
}

/// The ClusterRole as YAML, with a remark on every grant that deserves one, and what else a choice takes.
pub fn cluster_role(access: &Access) -> String {
    let mut yaml = String::from(if access.admission_probe {
        "# What Rampart needs to evaluate the checklist and to ask admission. It creates nothing, and never reads a Secret.\n"
    } else {
        "# The least that Rampart needs to evaluate the checklist. It reads; it never writes, and never reads a Secret.\n"
    });
    yaml.push_str(
        "apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRole\n\
         metadata:\n  name: rampart\n\
         rules:\n",
    );
    for rule in rules(access) {
        if rule == node_proxy() {
            yaml.push_str(
                "# Reads each kubelet's configuration through the API server. Careful: `get` on nodes/proxy also lets its\n\
                 # holder run commands in every container of every node, over WebSocket. `--kubelets off` leaves it out.\n",
            );
        }
        if rule == control_plane_metrics() {
            yaml.push_str(
                "# Reads flags and metrics of the API server; the built-in ClusterRole system:monitoring allows the same.\n",
            );
        }
        if rule == admission_probe() {
            yaml.push_str(
                "# Asks, with dryRun=All, what admission would refuse. Careful: RBAC cannot grant dry-run alone, so this\n\
                 # lets its holder create pods in every namespace, and with them take any service account there. Better\n\
                 # leave it out here and grant it by a RoleBinding in the namespaces that are to be probed.\n",
            );
        }
        yaml.push_str(&rule_yaml(&rule));
    }
    if let KubeletAccess::Direct(account) = &access.kubelets {
        yaml.push_str(&direct_reading(account));
    }
    yaml
}

/// The account whose tokens kubelets get, its one right, and the right to its tokens.
fn direct_reading(account: &AccountName) -> String {
    let AccountName { namespace, name } = account;
    let (configz, token) = (rule_yaml(&node_configz()), rule_yaml(&account_token(account)));
    format!(
        "---\n\
         # Kubelets are sent short-lived tokens of this account and no others: it may read their configuration (from\n\
         # kubelet 1.33 on) and nothing else, so that a token is worth nothing to whoever catches it. Bind nothing else\n\
         # to it. Kubelets need authentication.webhook.enabled and enableDebuggingHandlers, which are the defaults.\n\
         apiVersion: v1\n\
         kind: ServiceAccount\n\
         metadata:\n  name: {name}\n  namespace: {namespace}\n\
         automountServiceAccountToken: false\n\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRole\n\
         metadata:\n  name: rampart-{name}\n\
         rules:\n{configz}\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRoleBinding\n\
         metadata:\n  name: rampart-{name}\n\
         roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: rampart-{name}\n\
         subjects:\n- kind: ServiceAccount\n  name: {name}\n  namespace: {namespace}\n\
         ---\n\
         # Bind this Role, beside ClusterRole rampart, to Rampart's own account.\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: Role\n\
         metadata:\n  name: rampart-{name}-token\n  namespace: {namespace}\n\
         rules:\n{token}"
    )
}

/// One rule as the YAML of a list entry.
pub fn rule_yaml(rule: &PolicyRule) -> String {
    let list = |texts: &[String]| {
        let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut yaml = if rule.non_resource_urls.is_empty() {
        format!("- apiGroups: {}\n  resources: {}\n", list(&rule.api_groups), list(&rule.resources))
    } else {
        format!("- nonResourceURLs: {}\n", list(&rule.non_resource_urls))
    };
    if !rule.resource_names.is_empty() {
        yaml.push_str(&format!("  resourceNames: {}\n", list(&rule.resource_names)));
    }
    yaml.push_str(&format!("  verbs: {}\n", list(&rule.verbs)));
    yaml
}

fn on(group: &str, resource: &str, verb: &str) -> PolicyRule {
    PolicyRule {
        api_groups: vec![group.to_owned()],
        resources: vec![resource.to_owned()],
        verbs: vec![verb.to_owned()],
        ..PolicyRule::default()
    }
}

/// A gap with what would close it, unless its maker said so already.
pub fn with_remedy(mut gap: Gap) -> Gap {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == gap.kind);
    if gap.reason == GapReason::Forbidden && gap.rule.is_none() {
        gap.rule = kind.and_then(rule_of_any);
    }
    if gap.closed_by.is_empty() {
        gap.closed_by = match gap.reason {
            GapReason::Forbidden => match &gap.rule {
                Some(rule) => format!(
                    "Grant {} on {} to Rampart's account.",
                    rule.verbs.join(", "),
                    if rule.resources.is_empty() { &rule.non_resource_urls } else { &rule.resources }.join(", ")
                ),
                None => "Grant Rampart's account the read that was refused.".to_owned(),
            },
            GapReason::NotServed => {
                "The API server does not serve it; nothing closes this gap on this version.".to_owned()
            }
            GapReason::Failed => "The next run tries again; if it stays, look at the cause above.".to_owned(),
            GapReason::NotCollected if kind == Some(Kind::KubeletConfigz) => {
                "Let Rampart read the kubelets (`--kubelets direct` or `--kubelets proxy`, with the grants that \
                 `rampart rbac --kubelets direct` or `--kubelets proxy` prints); in a snapshot, add the output of `kubectl get --raw /api/v1/nodes/NODE/proxy/configz` as \
                 configz/NODE.json."
                    .to_owned()
            }
            GapReason::NotCollected => format!(
                "Add the output of `kubectl get {} -A -o yaml` to the snapshot, or pass --assume-complete if there is none.",
                gap.kind
            ),
            GapReason::ProviderManaged => "The provider runs it and does not show it.".to_owned(),
        };
    }
    gap
}
