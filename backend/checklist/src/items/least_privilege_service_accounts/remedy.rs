//! Narrower roles, bindings without the accounts that hold too much, and pods without tokens.

use super::dangerous_grants;
use crate::authorization::{Account, Authorization, BoundRole, Holder, holder};
use crate::inventory::{Kind, RoleRule, RoleSubject};
use crate::judge::judge;
use crate::remedy::{Draft, Placed, Stays, Texts, document, remainder, remediation, simulate};
use crate::workloads::View;
use rampart_shared::{
    Finding, ItemResult, Remainder, Remediation, RemediationDocument, RemediationTarget, Scope,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What would turn the item green. Static credentials have no document: a cloud's role has to be made first.
pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Takes the service accounts that hold too much out of the bindings that give it, and gives them a new role \
                  with the rules of the old one that are not dangerous; default accounts get nothing back. Pods whose account \
                  is bound to nothing lose their token of the API.",
        may_break: "What a workload did with a right that it loses fails with 403: look for `forbidden` in its log, and add \
                    that verb, on that resource, by name where it has one. A group that is taken out of a binding loses its \
                    rights for everybody in it: accounts that pods use are named in its place, people are not. Operators \
                    often need more: list their namespace under system_namespaces, and they are reported apart. \
                    A program that reads the token of the API without needing it may not start.",
        undo: "Apply the second file: bindings get their former subjects back, and workloads and accounts give up the field. \
               Then delete the new roles and bindings, whose names end in -narrowed.",
    };
    let mut documents = Vec::new();
    let by_rule =
        |wanted: fn(&str) -> bool| result.application_findings().filter(move |finding| wanted(&finding.rule));
    let bindings: BTreeSet<(&str, Option<&str>, &str)> =
        by_rule(|rule| rule != TOKEN && rule != CREDENTIAL).map(key).collect();
    let mut without_rights = Vec::new();
    if !bindings.is_empty() {
        let authorization = Authorization::new(view.inventory);
        let used = Used::of(view);
        for bound in authorization.bindings() {
            let binding = bound.binding;
            if bindings.contains(&(binding.kind.kind(), bound.namespace, binding.meta.name.as_str())) {
                documents.extend(narrow(view, &used, bound));
            }
        }
        without_rights = tokens_after(view, &documents);
    }
    // An account that loses its last right needs its token no more.
    let tokens: Vec<&Finding> = by_rule(|rule| rule == TOKEN).chain(&without_rights).collect();
    let mut remaining = Vec::new();
    documents.extend(without_token(view, &tokens, &mut remaining));
    remaining.extend(remainder(
        "Give each workload an identity of the cloud in place of static credentials: a role for its service account (IRSA or \
         Pod Identity on EKS, Workload Identity on GKE and AKS). That role has to be made in the cloud first; then take the \
         variables and key files out of the manifests, and revoke the credentials.",
        by_rule(|rule| rule == CREDENTIAL),
    ));
    Remediation { remaining, ..remediation(result, texts, documents) }
}

const TOKEN: &str = "token-of-unbound-account";
const CREDENTIAL: &str = "static-cloud-credential";

fn key(finding: &Finding) -> (&str, Option<&str>, &str) {
    let subject = &finding.subject;
    (&subject.kind, subject.namespace.as_deref(), &subject.name)
}

/// The findings about tokens that there would be with these documents in force.
fn tokens_after(view: &View<'_>, documents: &[RemediationDocument]) -> Vec<Finding> {
    let after = simulate(view, documents);
    let observation = super::observe(&View::new(&after, view.parameters));
    // An item that contradicts itself says so where it is evaluated.
    let Ok(result) = judge(super::ITEM.id, super::ITEM.needs, &after, observation) else { return Vec::new() };
    result.application_findings().filter(|finding| finding.rule == TOKEN).cloned().collect()
}

/// The accounts that pods use, by whether they decide. Default accounts get nothing and are not among those that do.
struct Used<'a> {
    applications: BTreeSet<Account<'a>>,
    system: BTreeSet<Account<'a>>,
}

impl<'a> Used<'a> {
    fn of(view: &'a View<'_>) -> Self {
        let mut used = Used { applications: BTreeSet::new(), system: BTreeSet::new() };
        for workload in &view.workloads {
            for spec in super::specs(workload) {
                let account = super::account_of(workload, spec);
                match workload.scope {
                    Scope::System => used.system.insert(account),
                    Scope::Application => account.name != super::DEFAULT && used.applications.insert(account),
                };
            }
        }
        used
    }
}

/// Those among these accounts whom a binding gives its role.
fn held<'u>(accounts: &BTreeSet<Account<'u>>, holders: &[Holder<'u>]) -> BTreeSet<Account<'u>> {
    let mut held = BTreeSet::new();
    for holder in holders {
        match holder {
            Holder::User(_) => {}
            Holder::ServiceAccount(named) => held.extend(accounts.get(named)),
            Holder::Group(_) => held.extend(accounts.iter().filter(|account| holder.covers(**account))),
        }
    }
    held
}

/// The binding without the accounts that decide, and what they keep.
fn narrow(view: &View<'_>, used: &Used<'_>, bound: &BoundRole<'_>) -> Vec<RemediationDocument> {
    let binding = bound.binding;
    let cluster_wide = bound.namespace.is_none();
    let is_dangerous =
        bound.rules.iter().any(|granted| !dangerous_grants::of(granted.rule, cluster_wide).is_empty());
    let accounts = held(&used.applications, &bound.holders);
    let taken: Vec<&RoleSubject> = binding
        .subjects
        .iter()
        .filter(|subject| is_taken(view, bound, subject, &accounts, is_dangerous))
        .collect();
    let mut subjects: Vec<Value> = binding
        .subjects
        .iter()
        .filter(|subject| !taken.contains(subject))
        .map(|subject| subject_value(subject, bound))
        .collect();
    // Of a group that is taken out, those stay that are none of its business here.
    let groups: Vec<Holder<'_>> = taken
        .iter()
        .filter_map(|subject| holder(&subject.kind, &subject.name, &subject.namespace, bound.namespace))
        .filter(|holder| matches!(holder, Holder::Group(_)))
        .collect();
    let mut stay = held(&used.system, &groups);
    if !is_dangerous {
        stay.extend(held(&used.applications, &groups));
    }
    for account in stay.into_iter().map(account_value) {
        if !subjects.contains(&account) {
            subjects.push(account);
        }
    }
    let safe: Vec<Value> = bound
        .rules
        .iter()
        .filter_map(|granted| without_wildcard_verbs(granted.rule, cluster_wide))
        .map(|rule| rule_value(&rule))
        .collect();
    let mut documents = Vec::new();
    let (role_kind, binding_kind) =
        if cluster_wide { ("ClusterRole", "ClusterRoleBinding") } else { ("Role", "RoleBinding") };
    let name = format!("{}-narrowed", binding.meta.name);
    let metadata = |name: &str| match bound.namespace {
        Some(namespace) => json!({ "name": name, "namespace": namespace }),
        None => json!({ "name": name }),
    };
    let api_version = binding.kind.api_version();
    if is_dangerous && !safe.is_empty() && !accounts.is_empty() {
        let role = json!({ "apiVersion": api_version, "kind": role_kind, "metadata": metadata(&name), "rules": safe });
        let comment =
            format!("What {} {} allows without what is dangerous.", binding.role.kind, binding.role.name);
        documents.push(document(RemediationTarget::NewObject, comment, &role));
        let holders: Vec<Value> = accounts.iter().copied().map(account_value).collect();
        let object = json!({
            "apiVersion": api_version, "kind": binding_kind, "metadata": metadata(&name),
            "roleRef": { "apiGroup": GROUP, "kind": role_kind, "name": name }, "subjects": holders,
        });
        documents.push(document(RemediationTarget::NewObject, "Gives it to the accounts.", &object));
    }
    let of_binding = |subjects: Vec<Value>| {
        json!({
            "apiVersion": api_version, "kind": binding_kind, "metadata": metadata(&binding.meta.name),
            "roleRef": { "apiGroup": GROUP, "kind": binding.role.kind, "name": binding.role.name }, "subjects": subjects,
        })
    };
    let comment = format!("{binding_kind} {}: without the accounts that hold too much.", binding.meta.name);
    let mut applied = document(RemediationTarget::Apply, comment, &of_binding(subjects));
    let former = binding.subjects.iter().map(|subject| subject_value(subject, bound)).collect();
    applied.undo = Some(of_binding(former));
    documents.push(applied);
    documents
}

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether a subject is a default account that decides, or one that a workload uses and holds too much, or a group of such.
fn is_taken(
    view: &View<'_>,
    bound: &BoundRole<'_>,
    subject: &RoleSubject,
    used: &BTreeSet<Account<'_>>,
    is_dangerous: bool,
) -> bool {
    let decides = |namespace: &str| view.scope(namespace) == Scope::Application;
    match holder(&subject.kind, &subject.name, &subject.namespace, bound.namespace) {
        Some(Holder::ServiceAccount(account)) => {
            decides(account.namespace)
                && (account.name == super::DEFAULT || is_dangerous && used.contains(&account))
        }
        Some(group @ Holder::Group(_)) => group.is_every_account() || group.namespace().is_some_and(decides),
        Some(Holder::User(_)) | None => false,
    }
}

fn account_value(account: Account<'_>) -> Value {
    json!({ "kind": "ServiceAccount", "name": account.name, "namespace": account.namespace })
}

/// A rule without what is dangerous: a wildcard of verbs on named resources becomes the verbs.
fn without_wildcard_verbs(rule: &RoleRule, cluster_wide: bool) -> Option<RoleRule> {
    let mut rule = rule.clone();
    if !rule.resources.is_empty() && rule.verbs.iter().any(|verb| verb == "*") {
        rule.verbs =
            ["get", "list", "watch", "create", "update", "patch", "delete"].map(str::to_owned).to_vec();
    }
    dangerous_grants::of(&rule, cluster_wide).is_empty().then_some(rule)
}

fn rule_value(rule: &RoleRule) -> Value {
    let mut value = Map::from_iter([("verbs".to_owned(), json!(rule.verbs))]);
    for (field, list) in [
        ("apiGroups", &rule.api_groups),
        ("resources", &rule.resources),
        ("resourceNames", &rule.resource_names),
        ("nonResourceURLs", &rule.non_resource_urls),
    ] {
        if !list.is_empty() {
            value.insert(field.to_owned(), json!(list));
        }
    }
    Value::Object(value)
}

fn subject_value(subject: &RoleSubject, bound: &BoundRole<'_>) -> Value {
    let RoleSubject { kind, name, namespace } = subject;
    if kind == "ServiceAccount" {
        let namespace =
            if namespace.is_empty() { bound.namespace.unwrap_or_default() } else { namespace.as_str() };
        json!({ "kind": kind, "name": name, "namespace": namespace })
    } else {
        json!({ "kind": kind, "name": name, "apiGroup": GROUP })
    }
}

/// Workloads whose pods get no token. Where a template cannot be changed the account says it for new pods.
fn without_token(
    view: &View<'_>,
    findings: &[&Finding],
    remaining: &mut Vec<Remainder>,
) -> Vec<RemediationDocument> {
    let mut placed = Placed::new(view, findings.iter().copied());
    let mut documents = Vec::new();
    let (mut by_hand, mut unchanged) = (Vec::new(), Vec::new());
    for (mut draft, _, findings) in std::mem::take(&mut placed.changeable) {
        let found = findings.iter().map(|at| at.finding);
        if draft.template().mounts_token {
            by_hand.extend(found);
        } else if !draft.set_automount_token(false) {
            unchanged.extend(found);
        }
        documents
            .extend(draft.document("its account is bound to nothing, so new pods get no token of the API"));
    }
    for finding in unchanged {
        placed.stay(Stays::Admission, finding);
    }
    let accounts: BTreeSet<Account<'_>> = findings
        .iter()
        .filter_map(|finding| view.workload(&finding.subject))
        .filter(|workload| Draft::of(workload).is_none())
        .flat_map(|workload| super::specs(workload).map(|spec| super::account_of(workload, spec)))
        .collect();
    for account in view.inventory.service_accounts.seen.iter().filter(|account| {
        account.automount_token != Some(false) && accounts.contains(&super::name_of(account))
    }) {
        let named = super::name_of(account);
        let metadata = json!({ "name": named.name, "namespace": named.namespace });
        let object = |mounts: bool| {
            json!({
                "apiVersion": Kind::ServiceAccounts.api_version(), "kind": "ServiceAccount", "metadata": metadata,
                "automountServiceAccountToken": mounts,
            })
        };
        let comment = format!("Account {}: new pods get no token unless they ask for it.", named.full_name());
        let mut document = document(RemediationTarget::Apply, comment, &object(false));
        if let Some(former) = account.automount_token {
            document.undo = Some(object(former));
        }
        documents.push(document);
    }
    remaining.extend(remainder(
        "Take the volume with a serviceAccountToken for the API server out of these workloads' manifests: it was written by \
         hand, and automountServiceAccountToken does nothing about it.",
        by_hand,
    ));
    remaining.extend(placed.remaining(view, "automountServiceAccountToken: false in the pod's spec"));
    documents
}
