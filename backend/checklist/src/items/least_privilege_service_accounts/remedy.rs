//! Narrower roles, bindings without the accounts that hold too much, and pods without tokens.

use super::dangerous_grants;
use crate::authorization::{Account, Authorization, BoundRole, Holder, holder};
use crate::inventory::{Kind, RoleRule, RoleSubject};
use crate::remedy::{Texts, document, pod_spec_document, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationDocument, RemediationTarget, Scope};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What would turn the item green. Static credentials have no document: a cloud's role has to be made first.
pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Takes the service accounts that hold too much out of the bindings that give it, and gives them a new role \
                  with the rules of the old one that are not dangerous. Pods whose account is bound to nothing lose their \
                  token of the API. Static cloud credentials have no document here: give the account a role of the cloud \
                  (IRSA or Pod Identity on EKS, Workload Identity on GKE and AKS), then take the variables and key files \
                  away.",
        may_break: "What a workload did with a right that it loses fails with 403: look for `forbidden` in its log, and add \
                    that verb, on that resource, by name where it has one. Operators often need more: list their namespace \
                    under system_namespaces, and they are reported apart. \
                    A program that reads the token of the API without needing it may not start. Only new pods are without \
                    a token, so workloads roll out.",
        undo: "Apply the former binding, and delete the new role and binding (RoleBinding or ClusterRoleBinding, their names \
               end in -narrowed). For tokens, apply the former account and workload.",
    };
    let mut documents = Vec::new();
    let by_rule = |wanted: fn(&str) -> bool| result.application_findings().filter(move |f| wanted(&f.rule));
    let bindings: BTreeSet<(&str, Option<&str>, &str)> =
        by_rule(|rule| rule != TOKEN && rule != CREDENTIAL).map(key).collect();
    if !bindings.is_empty() {
        let authorization = Authorization::new(view.inventory);
        for bound in authorization.bindings() {
            let binding = bound.binding;
            if bindings.contains(&(binding.kind.kind(), bound.namespace, binding.meta.name.as_str())) {
                documents.extend(narrow(view, bound));
            }
        }
    }
    let tokens: BTreeSet<_> = by_rule(|rule| rule == TOKEN).map(|finding| &finding.subject).collect();
    documents.extend(without_token(view, &tokens));
    remediation(result, texts, documents)
}

const TOKEN: &str = "token-of-unbound-account";
const CREDENTIAL: &str = "static-cloud-credential";

fn key(finding: &Finding) -> (&str, Option<&str>, &str) {
    let subject = &finding.subject;
    (&subject.kind, subject.namespace.as_deref(), &subject.name)
}

/// The binding without the accounts that decide, and what they keep.
fn narrow(view: &View<'_>, bound: &BoundRole<'_>) -> Vec<RemediationDocument> {
    let binding = bound.binding;
    let cluster_wide = bound.namespace.is_none();
    // Default accounts get nothing back, and of a group the accounts that workloads use do.
    let mut accounts: BTreeSet<Account<'_>> = BTreeSet::new();
    for workload in view.workloads.iter().filter(|workload| workload.scope == Scope::Application) {
        for spec in super::specs(workload) {
            let account = super::account_of(workload, spec);
            if account.name != super::DEFAULT && bound.holders.iter().any(|holder| holder.covers(account)) {
                accounts.insert(account);
            }
        }
    }
    let kept: Vec<Value> = binding
        .subjects
        .iter()
        .filter(|subject| !is_taken(view, bound, subject, &accounts))
        .map(|subject| subject_value(subject, bound))
        .collect();
    let safe: Vec<Value> = bound
        .rules
        .iter()
        .filter_map(|granted| without_wildcard_verbs(granted.rule, cluster_wide))
        .map(|rule| rule_value(&rule))
        .collect();
    let holders: Vec<Value> = accounts
        .iter()
        .map(|account| json!({ "kind": "ServiceAccount", "name": account.name, "namespace": account.namespace }))
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
    if !safe.is_empty() && !holders.is_empty() {
        let role = json!({ "apiVersion": api_version, "kind": role_kind, "metadata": metadata(&name), "rules": safe });
        let comment =
            format!("What {} {} allows without what is dangerous.", binding.role.kind, binding.role.name);
        documents.push(document(RemediationTarget::NewObject, comment, &role));
        let object = json!({
            "apiVersion": api_version, "kind": binding_kind, "metadata": metadata(&name),
            "roleRef": { "apiGroup": GROUP, "kind": role_kind, "name": name }, "subjects": holders,
        });
        documents.push(document(RemediationTarget::NewObject, "Gives it to the accounts.", &object));
    }
    let object = json!({
        "apiVersion": api_version, "kind": binding_kind, "metadata": metadata(&binding.meta.name),
        "roleRef": { "apiGroup": GROUP, "kind": binding.role.kind, "name": binding.role.name }, "subjects": kept,
    });
    let comment = format!("{binding_kind} {}: without the accounts that hold too much.", binding.meta.name);
    documents.push(document(RemediationTarget::Apply, comment, &object));
    documents
}

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether a subject is a default account or one that a workload uses, and decides, or a group of such.
fn is_taken(
    view: &View<'_>,
    bound: &BoundRole<'_>,
    subject: &RoleSubject,
    used: &BTreeSet<Account<'_>>,
) -> bool {
    let decides = |namespace: &str| view.scope(namespace) == Scope::Application;
    match holder(&subject.kind, &subject.name, &subject.namespace, bound.namespace) {
        Some(Holder::ServiceAccount(account)) => {
            decides(account.namespace) && (account.name == super::DEFAULT || used.contains(&account))
        }
        Some(group @ Holder::Group(_)) => group.is_every_account() || group.namespace().is_some_and(decides),
        Some(Holder::User(_)) | None => false,
    }
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

/// Accounts that mount no token by themselves, and workloads that say so too and so roll out.
fn without_token(view: &View<'_>, subjects: &BTreeSet<&rampart_shared::Subject>) -> Vec<RemediationDocument> {
    let mut accounts: BTreeMap<Account<'_>, ()> = BTreeMap::new();
    let mut documents = Vec::new();
    for workload in view.workloads.iter().filter(|workload| subjects.contains(&workload.subject)) {
        for spec in super::specs(workload) {
            accounts.insert(super::account_of(workload, spec), ());
        }
        let fields = Map::from_iter([("automountServiceAccountToken".to_owned(), json!(false))]);
        let comment = format!("{} {}/{}", workload.subject.kind, workload.namespace(), workload.subject.name);
        documents.extend(pod_spec_document(view, &workload.subject, &fields, comment));
    }
    let accounts = accounts.into_keys().map(|account| {
        let object = json!({
            "apiVersion": Kind::ServiceAccounts.api_version(), "kind": "ServiceAccount",
            "metadata": { "name": account.name, "namespace": account.namespace },
            "automountServiceAccountToken": false,
        });
        let comment =
            format!("Account {}: new pods get no token unless they ask for it.", account.full_name());
        document(RemediationTarget::Apply, comment, &object)
    });
    accounts.chain(documents).collect()
}
