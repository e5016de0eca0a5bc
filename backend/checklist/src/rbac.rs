//! The grants that reading a cluster takes, generated from what the items need.

use crate::{Kind, needed_kinds};
use rampart_shared::{Gap, GapReason, PolicyRule};

/// How kubelets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubeletAccess {
    /// Not at all.
    Off,
    /// Through the API server's node proxy. The grant is `nodes/proxy`, whose `get` alone can run commands in
    /// every container of a node, over WebSocket.
    Proxy,
}

/// The rules of the minimal ClusterRole.
pub fn rules(kubelets: KubeletAccess) -> Vec<PolicyRule> {
    let mut rules: Vec<PolicyRule> = needed_kinds().into_iter().filter_map(rule).collect();
    // The UID of `kube-system` is the cluster's identity.
    if let Some(identity) = rule(Kind::Namespaces)
        && !rules.contains(&identity)
    {
        rules.insert(0, identity);
    }
    if kubelets == KubeletAccess::Proxy {
        rules.push(node_proxy());
    }
    rules
}

/// The grant for one kind; none where no grant on a kind helps.
pub fn rule(kind: Kind) -> Option<PolicyRule> {
    kind.is_listed().then(|| PolicyRule {
        api_groups: vec![kind.group().to_owned()],
        // Gatekeeper's constraints are as many kinds as there are templates.
        resources: vec![if kind.resource().is_empty() { "*" } else { kind.resource() }.to_owned()],
        resource_names: Vec::new(),
        verbs: vec!["list".to_owned()],
    })
}

/// The grant for reading kubelets through the API server.
pub fn node_proxy() -> PolicyRule {
    PolicyRule {
        api_groups: vec![String::new()],
        resources: vec!["nodes/proxy".to_owned()],
        resource_names: Vec::new(),
        verbs: vec!["get".to_owned()],
    }
}

/// The ClusterRole as YAML, with a remark on every grant that deserves one.
pub fn cluster_role(kubelets: KubeletAccess) -> String {
    let mut yaml = String::from(
        "# The least that Rampart needs to evaluate the checklist. It reads; it never writes, and never reads a Secret.\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRole\n\
         metadata:\n  name: rampart\n\
         rules:\n",
    );
    for rule in rules(kubelets) {
        if rule == node_proxy() {
            yaml.push_str(
                "# Reads each kubelet's configuration through the API server. Careful: `get` on nodes/proxy also lets its\n\
                 # holder run commands in every container of every node, over WebSocket. `--kubelets off` leaves it out.\n",
            );
        }
        yaml.push_str(&rule_yaml(&rule));
    }
    yaml
}

/// One rule as the YAML of a list entry.
pub fn rule_yaml(rule: &PolicyRule) -> String {
    let list = |texts: &[String]| {
        let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut yaml =
        format!("- apiGroups: {}\n  resources: {}\n", list(&rule.api_groups), list(&rule.resources));
    if !rule.resource_names.is_empty() {
        yaml.push_str(&format!("  resourceNames: {}\n", list(&rule.resource_names)));
    }
    yaml.push_str(&format!("  verbs: {}\n", list(&rule.verbs)));
    yaml
}

/// A gap with what would close it, unless its maker said so already.
pub fn with_remedy(mut gap: Gap) -> Gap {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == gap.kind);
    if gap.reason == GapReason::Forbidden && gap.rule.is_none() {
        gap.rule = match kind {
            Some(Kind::KubeletConfigz) => Some(node_proxy()),
            Some(kind) => rule(kind),
            None => None,
        };
    }
    if gap.closed_by.is_empty() {
        gap.closed_by = match gap.reason {
            GapReason::Forbidden => match &gap.rule {
                Some(rule) => format!(
                    "Grant {} on {} to Rampart's account.",
                    rule.verbs.join(", "),
                    rule.resources.join(", ")
                ),
                None => "Grant Rampart's account the read that was refused.".to_owned(),
            },
            GapReason::NotServed => {
                "The API server does not serve it; nothing closes this gap on this version.".to_owned()
            }
            GapReason::Failed => "The next run tries again; if it stays, look at the cause above.".to_owned(),
            GapReason::NotCollected if kind == Some(Kind::KubeletConfigz) => {
                "Let Rampart read the kubelets (`--kubelets proxy`, with the grant that `rampart rbac --kubelets proxy` \
                 prints); in a snapshot, add the output of `kubectl get --raw /api/v1/nodes/NODE/proxy/configz` as \
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
