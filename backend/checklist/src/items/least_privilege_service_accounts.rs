//! Item 17: service accounts hold no more rights than their pods need.

mod cloud_credentials;
mod dangerous_grants;
mod remedy;

use super::Item;
use crate::Kind;
use crate::authorization::{Account, Authorization, BoundRole, Holder};
use crate::inventory::{PodPhase, PodSpec, RoleRule, ServiceAccount};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{Category, ItemId, RestsOn, Scope, Subject};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::LeastPrivilegeServiceAccounts,
    number: 17,
    category: Category::Data,
    title: "Service accounts hold no more rights than their pods need",
    short_title: "Least privilege",
    checks: "Four things of every account that application pods use, and of every namespace's default account. No container \
             has a cloud's static credentials in its variables or as mounted key files. Nothing is bound to a default \
             account. A pod whose account is bound to nothing mounts no token of the API. And no account holds, in the \
             whole cluster: a wildcard, Secrets, writing pods or workloads, exec and its like, nodes/proxy, tokens of \
             others, escalate, bind, impersonate, approval of certificates, admission configuration, PersistentVolumes \
             or namespaces; in a namespace: everything, escalate, bind, impersonate, tokens of others, listing Secrets. \
             Roles are resolved through aggregation, wildcards, resourceNames and the groups of service accounts.",
    why: "Whoever takes a container has its account's token and its cloud credentials. With these rights that is the way \
          from one pod to the whole cluster, or to the cloud behind it; without them it ends there.",
    cannot_see: "Rights outside RBAC: other authorizers, and EKS Pod Identity, which the cloud's API keeps. Variables that \
                 a container takes whole from a Secret (envFrom) or reads from a file under another name. Whether a right \
                 is needed: an operator that needs more falls short like any other account.",
    references: &[
        (
            "Kubernetes: RBAC good practices",
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
        ),
        (
            "Kubernetes: opt out of API credential automounting",
            "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting",
        ),
        (
            "Amazon EKS: IAM roles for service accounts",
            "https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html",
        ),
        (
            "CIS Kubernetes Benchmark 5.1: RBAC and service accounts",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: &NEEDS,
    observe,
    remedy: remedy::remedy,
};

const NEEDS: [Need; 12] = [
    Need::required(Kind::Pods),
    Need::required(Kind::Deployments),
    Need::required(Kind::ReplicaSets),
    Need::required(Kind::StatefulSets),
    Need::required(Kind::DaemonSets),
    Need::required(Kind::Jobs),
    Need::required(Kind::CronJobs),
    Need::required(Kind::ServiceAccounts),
    Need::required(Kind::Roles),
    Need::required(Kind::ClusterRoles),
    Need::required(Kind::RoleBindings),
    Need::required(Kind::ClusterRoleBindings),
];
const RBAC: [Kind; 4] = [Kind::Roles, Kind::ClusterRoles, Kind::RoleBindings, Kind::ClusterRoleBindings];
const DEFAULT: &str = "default";

/// Accounts by namespace and name, with whether they decide.
type Accounts<'a> = BTreeMap<Account<'a>, Scope>;

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "service account", ..Observation::default() };
    let authorization = Authorization::new(view.inventory);
    observation.undecided.extend_from_slice(authorization.undecided());

    let mut used = Accounts::new();
    let by_name: HashMap<Account<'_>, &ServiceAccount> =
        view.inventory.service_accounts.seen.iter().map(|account| (name_of(account), account)).collect();
    for workload in &view.workloads {
        for spec in specs(workload) {
            let account = account_of(workload, spec);
            used.insert(account, workload.scope);
            if workload.scope == Scope::Application {
                observation.examined.insert(account.full_name());
            }
        }
        observe_credentials(&mut observation, workload);
        observe_token(&mut observation, &authorization, &by_name, workload);
    }
    let mut defaults = Accounts::new();
    for account in by_name.keys().chain(used.keys()).filter(|account| account.name == DEFAULT) {
        let scope = view.scope(account.namespace);
        defaults.insert(*account, scope);
        if scope == Scope::Application {
            observation.examined.insert(account.full_name());
        }
    }
    observe_bindings(&mut observation, &authorization, &used, &defaults);
    observation
}

fn name_of(account: &ServiceAccount) -> Account<'_> {
    Account { namespace: account.meta.namespace_or_default(), name: &account.meta.name }
}

/// The pod specs that are judged.
fn specs<'w, 'a>(workload: &'w OwnedWorkload<'a>) -> impl Iterator<Item = &'a PodSpec> + 'w {
    let template = workload.template.filter(|_| workload.judges_template());
    workload.pods.iter().map(|pod| &*pod.spec).chain(template)
}

fn account_of<'w>(workload: &'w OwnedWorkload<'_>, spec: &'w PodSpec) -> Account<'w> {
    Account { namespace: workload.namespace(), name: &spec.service_account }
}

/// (a) No static credentials of a cloud.
fn observe_credentials(observation: &mut Observation, workload: &OwnedWorkload<'_>) {
    for unit in workload.containers() {
        let mut told = HashSet::new();
        for instance in &unit.instances {
            for (path, observed) in cloud_credentials::of(instance.container) {
                if told.insert(path.clone()) {
                    observation.seen.push(SeenViolation(Violation {
                        rule: "static-cloud-credential",
                        scope: workload.scope,
                        subject: workload.subject.clone(),
                        path: format!("{}.{path}", unit.path),
                        observed,
                        expected:
                            "an identity of the workload's own, which the cloud gives its service account"
                                .to_owned(),
                        note: None,
                        discriminator: String::new(),
                        units: vec![account_of(workload, instance.spec).full_name()],
                        rests_on: workload.rests_on.clone(),
                    }));
                }
            }
        }
    }
}

/// (c) A pod whose account is bound to nothing mounts no token of the API.
fn observe_token(
    observation: &mut Observation,
    authorization: &Authorization<'_>,
    accounts: &HashMap<Account<'_>, &ServiceAccount>,
    workload: &OwnedWorkload<'_>,
) {
    let running = workload.pods.iter().filter_map(|pod| {
        // A bare Pod in a manifest is what admission has not seen yet.
        let is_manifest = pod.phase == PodPhase::Pending && pod.meta.uid.is_empty();
        Some((&*pod.spec, mount(&pod.spec, accounts, workload, is_manifest)?))
    });
    let template = workload
        .template
        .filter(|_| workload.judges_template())
        .and_then(|spec| Some((spec, mount(spec, accounts, workload, true)?)));
    // Replicas share what they are: one finding for the workload.
    let unbound =
        running.chain(template).find(|(spec, _)| !authorization.is_bound(account_of(workload, spec)));
    let Some((spec, observed)) = unbound else { return };
    let account = account_of(workload, spec);
    let prefix = workload.template_path.unwrap_or("pod:spec");
    observation.absent.push(AbsentViolation {
        violation: Violation {
            rule: "token-of-unbound-account",
            scope: workload.scope,
            subject: workload.subject.clone(),
            path: format!("{prefix}.automountServiceAccountToken"),
            observed: format!("{observed}; nothing is bound to account {}", account.name),
            expected: "false, here or on the account".to_owned(),
            note: None,
            discriminator: String::new(),
            units: vec![account.full_name()],
            rests_on: workload.rests_on.iter().cloned().chain(rests_on()).collect(),
        },
        // Only complete lists show that nothing is bound, and that the account does not say otherwise.
        suppliers: RBAC.into_iter().chain([Kind::ServiceAccounts]).collect(),
    });
}

/// How a pod comes to have a token of the API. What runs shows it; of a template it follows from the pod's field, else
/// the account's, else it is yes.
fn mount(
    spec: &PodSpec,
    accounts: &HashMap<Account<'_>, &ServiceAccount>,
    workload: &OwnedWorkload<'_>,
    before_admission: bool,
) -> Option<&'static str> {
    if spec.mounts_token {
        return Some("a token of the API is mounted");
    }
    let of_account = || accounts.get(&account_of(workload, spec)).and_then(|account| account.automount_token);
    match (spec.automount_token, before_admission) {
        (_, false) | (Some(false), _) => None,
        (Some(true), _) => Some("true"),
        (None, _) => match of_account() {
            Some(false) => None,
            Some(true) => Some("unset, and true on the account"),
            None => Some("unset, here and on the account"),
        },
    }
}

/// (b) Default accounts carry nothing, and (d) no account carries too much.
fn observe_bindings<'a>(
    observation: &mut Observation,
    authorization: &Authorization<'a>,
    used: &Accounts<'_>,
    defaults: &Accounts<'_>,
) {
    // A group's accounts are told in full by the first binding that names it: thousands of bindings may.
    let mut told: HashSet<(&str, Holder<'a>)> = HashSet::new();
    for bound in authorization.bindings() {
        let rules: Vec<_> = bound.rules_beyond_defaults().collect();
        if rules.is_empty() {
            continue;
        }
        let holders = held_by(bound, defaults, "default-account-bound", &mut told);
        if !holders.is_empty() {
            let observed = format!(
                "{} {} is given to default accounts",
                bound.binding.role.kind, bound.binding.role.name
            );
            let expected =
                "default accounts without rights; an account of its own for each workload that needs some";
            observation.push_binding(bound, "default-account-bound", observed, expected, &holders);
        }
        let mut dangers: BTreeMap<&'static str, (&'static str, &RoleRule, &str)> = BTreeMap::new();
        for granted in &rules {
            for (rule, means) in dangerous_grants::of(granted.rule, bound.namespace.is_none()) {
                dangers.entry(rule).or_insert((means, granted.rule, &granted.role.meta.name));
            }
        }
        for (rule, (means, role_rule, source)) in dangers {
            let holders = held_by(bound, used, rule, &mut told);
            if !holders.is_empty() {
                let role = &bound.binding.role;
                let from = if *source == *role.name {
                    String::new()
                } else {
                    format!(" (from ClusterRole {source})")
                };
                let observed = format!("{} {}{from}: {}; {means}", role.kind, role.name, text(role_rule));
                let expected = "only the verbs, resources and names that the workload needs";
                observation.push_binding(bound, rule, observed, expected, &holders);
            }
        }
    }
}

/// The accounts among these that a binding gives its role.
fn held_by<'b, 'a: 'b>(
    bound: &BoundRole<'a>,
    accounts: &'b Accounts<'b>,
    rule: &'static str,
    told: &mut HashSet<(&'static str, Holder<'a>)>,
) -> Vec<(Account<'b>, Scope)> {
    let mut held = Vec::new();
    for holder in &bound.holders {
        match holder {
            Holder::User(_) => {}
            Holder::ServiceAccount(named) => {
                held.extend(accounts.get_key_value(named).map(|(account, scope)| (*account, *scope)));
            }
            Holder::Group(_) => {
                let members = accounts
                    .iter()
                    .filter(|(account, _)| holder.covers(**account))
                    .map(|(account, scope)| (*account, *scope));
                if told.insert((rule, *holder)) {
                    held.extend(members);
                } else {
                    // One that decides, where there is one.
                    let first: Option<(Account<'_>, Scope)> = members.min_by_key(|(_, scope)| *scope);
                    held.extend(first);
                }
            }
        }
    }
    held
}

impl Observation {
    fn push_binding(
        &mut self,
        bound: &BoundRole<'_>,
        rule: &'static str,
        observed: String,
        expected: &str,
        holders: &[(Account<'_>, Scope)],
    ) {
        let units: Vec<String> = holders
            .iter()
            .filter(|(_, scope)| *scope == Scope::Application)
            .map(|(account, _)| account.full_name())
            .collect();
        let all: Vec<String> = holders.iter().map(|(account, _)| account.full_name()).collect();
        let more = if all.len() > TOLD { format!(" and {} more", all.len() - TOLD) } else { String::new() };
        self.seen.push(SeenViolation(Violation {
            rule,
            scope: if units.is_empty() { Scope::System } else { Scope::Application },
            subject: Subject {
                api_version: bound.binding.kind.api_version(),
                kind: bound.binding.kind.kind().to_owned(),
                namespace: bound.namespace.map(str::to_owned),
                name: bound.binding.meta.name.clone(),
            },
            path: "roleRef".to_owned(),
            observed,
            expected: expected.to_owned(),
            note: Some(format!("Held by {}{more}.", all[..all.len().min(TOLD)].join(", "))),
            discriminator: String::new(),
            units,
            rests_on: rests_on()
                .chain(WORKLOADS.map(|kind| RestsOn { kind: kind.name(), object: None }))
                .collect(),
        }));
    }
}

/// How many accounts a remark names.
const TOLD: usize = 5;
/// Which accounts are used is known from these.
const WORKLOADS: [Kind; 1] = [Kind::Pods];

fn rests_on() -> impl Iterator<Item = RestsOn> {
    RBAC.into_iter().chain([Kind::ServiceAccounts]).map(|kind| RestsOn { kind: kind.name(), object: None })
}

/// A rule in one line.
fn text(rule: &RoleRule) -> String {
    let named = match rule.resource_names.as_slice() {
        [] => String::new(),
        names => format!(" named {}", listed(names)),
    };
    format!("{} on {}{named}", listed(&rule.verbs), listed(&rule.resources))
}

fn listed(texts: &[String]) -> String {
    let more = if texts.len() > 2 * TOLD { ", …" } else { "" };
    format!("[{}{more}]", texts.iter().take(2 * TOLD).map(String::as_str).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
