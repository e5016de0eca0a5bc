//! Which pods use the API server, and what lets them reach it.

use super::traffic::{Traffic, as_json, blocks};
use crate::authorization::{Account, Authorization};
use crate::distribution::Distribution;
use crate::inventory::{Labels, PodSpec, ServiceAccount};
use crate::network::NetworkPlugin;
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{ChosenField, RemediationInput, Scope};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Who reaches the API server, and how.
#[derive(Debug)]
pub(super) struct ApiServerAccess {
    /// Whether Cilium's own word for the API server is used: there, ranges of addresses do not mean nodes.
    pub(super) is_cilium: bool,
    /// The egress rules of a NetworkPolicy.
    pub(super) rules: Vec<Value>,
    pub(super) choices: Vec<ChosenField>,
    reachers: BTreeMap<String, Reachers>,
}

/// The pods of a namespace that use the API server.
#[derive(Debug)]
pub(super) enum Reachers {
    /// All of them.
    Everyone,
    /// Those with these labels; the workload's name.
    Some(BTreeMap<Labels, String>),
}

const INPUT: &str = "api-server-addresses";

/// Labels that controllers give to pods and change.
const VOLATILE: [&str; 10] = [
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index",
    "controller-uid",
    "job-name",
];

impl ApiServerAccess {
    /// The access of the pods of these namespaces.
    pub(super) fn of(view: &View<'_>, traffic: &Traffic<'_>, namespaces: &BTreeSet<&str>) -> ApiServerAccess {
        // Dataplane V2 of GKE does not serve Cilium's kinds for namespaces.
        let is_cilium = view.network().enforcement.plugin() == NetworkPlugin::Cilium
            && view.distribution != Distribution::Gke;
        let mut rules: Vec<Value> = traffic
            .api_server()
            .iter()
            .map(|(ports, addresses)| json!({ "to": blocks(addresses), "ports": as_json(ports) }))
            .collect();
        let mut choices = Vec::new();
        if rules.is_empty() {
            rules.push(json!({
                "to": [{ "ipBlock": { "cidr": everywhere(view) } }],
                "ports": [{ "protocol": "TCP", "port": 443 }, { "protocol": "TCP", "port": 6443 }],
            }));
            choices.push(ChosenField {
                pointer: "/spec/egress/0/to/0/ipBlock/cidr".to_owned(),
                input: INPUT.to_owned(),
                template: "{}".to_owned(),
            });
        }
        let reachers = if namespaces.is_empty() { BTreeMap::new() } else { reachers(view, namespaces) };
        ApiServerAccess { is_cilium, rules, choices, reachers }
    }

    pub(super) fn of_namespace(&self, namespace: &str) -> Option<&Reachers> {
        self.reachers.get(namespace)
    }
}

/// Asks where the API server is, where that was not seen.
pub(super) fn input(view: &View<'_>) -> RemediationInput {
    let default = everywhere(view);
    RemediationInput {
        name: INPUT.to_owned(),
        label: "Addresses of the API server".to_owned(),
        help: "A range of addresses, as in 192.0.2.10/32. The EndpointSlice default/kubernetes, which names them, was \
               not seen; until you say, pods that use the API server reach every address on ports 443 and 6443."
            .to_owned(),
        default: Some(default.to_owned()),
        example: if default == "0.0.0.0/0" { "192.0.2.10/32" } else { "2001:db8::10/128" }.to_owned(),
        options: Vec::new(),
    }
}

fn everywhere(view: &View<'_>) -> &'static str {
    if view.network().policies.families().v4 { "0.0.0.0/0" } else { "::/0" }
}

/// A workload uses the API server where a token is mounted and its account may do what not everybody may.
fn reachers(view: &View<'_>, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Reachers> {
    let authorization = Authorization::new(view.inventory);
    let bindings = [&view.inventory.role_bindings, &view.inventory.cluster_role_bindings];
    let rights_are_known =
        bindings.iter().all(|list| list.is_complete()) && authorization.undecided().is_empty();
    let accounts: HashMap<Account<'_>, &ServiceAccount> = view
        .inventory
        .service_accounts
        .seen
        .iter()
        .map(|account| {
            (Account { namespace: account.meta.namespace_or_default(), name: &account.meta.name }, account)
        })
        .collect();
    let uses = |workload: &OwnedWorkload<'_>| {
        let mut specs = workload.pods.iter().map(|pod| &*pod.spec).chain(workload.template);
        specs.any(|spec| {
            let account = Account { namespace: workload.namespace(), name: &spec.service_account };
            mounts_token(spec, accounts.get(&account).copied())
                && (!rights_are_known || authorization.is_bound(account))
        })
    };
    let mut found: BTreeMap<String, (BTreeMap<Labels, String>, bool)> = BTreeMap::new();
    for workload in &view.workloads {
        let namespace = workload.namespace();
        if workload.scope != Scope::Application || !workload.has_pods() || !namespaces.contains(namespace) {
            continue;
        }
        let (users, all) = found.entry(namespace.to_owned()).or_insert_with(|| (BTreeMap::new(), true));
        if uses(workload) {
            users.entry(labels(workload)).or_insert_with(|| workload.subject.name.clone());
        } else {
            *all = false;
        }
    }
    found
        .into_iter()
        .filter(|(_, (users, _))| !users.is_empty())
        .map(|(namespace, (users, all))| {
            // Pods without labels cannot be told from others.
            let everyone = all || users.contains_key(&Labels::new());
            (namespace, if everyone { Reachers::Everyone } else { Reachers::Some(users) })
        })
        .collect()
}

/// What runs shows it; of a template it follows from the pod's field, else the account's, else it is yes.
fn mounts_token(spec: &PodSpec, account: Option<&ServiceAccount>) -> bool {
    spec.mounts_token
        || spec
            .automount_token
            .or_else(|| account.and_then(|account| account.automount_token))
            .unwrap_or(true)
}

/// The labels that the pods of a workload keep.
fn labels(workload: &OwnedWorkload<'_>) -> Labels {
    let labels = match (workload.controller, workload.pods.first()) {
        (Some(controller), _) => &controller.template_labels,
        (None, Some(pod)) => &pod.meta.labels,
        (None, None) => return Labels::new(),
    };
    let kept = labels.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
