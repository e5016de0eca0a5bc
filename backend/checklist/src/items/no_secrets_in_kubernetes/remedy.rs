//! References to Secrets in place of literals, and ExternalSecrets where a store is known. Never a value.

use super::managers::{SecretName, Stores, stores};
use super::{IN_ENVIRONMENT, UNMANAGED, consumed};
use crate::remedy::{Texts, document, remediation, workload_documents};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationDocument, RemediationTarget, Subject};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut documents = Vec::new();
    let findings: Vec<&Finding> = result.application_findings().collect();
    let (stores, taken) = if findings.is_empty() {
        (Stores::default(), BTreeSet::new())
    } else {
        (stores(view), consumed::names(view))
    };
    for finding in findings.iter().filter(|finding| finding.rule == UNMANAGED) {
        let Subject { namespace: Some(namespace), name, .. } = &finding.subject else { continue };
        documents.extend(external_secret(&stores, namespace, name, None));
    }
    let mut by_subject: BTreeMap<&Subject, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.rule == IN_ENVIRONMENT) {
        by_subject.entry(&finding.subject).or_default().push(finding);
    }
    for (subject, findings) in by_subject {
        documents.extend(references(view, &stores, &taken, subject, &findings));
    }
    let texts = Texts {
        changes: "Replaces credentials in environment variables by references to a Secret, and, where an ExternalSecret \
                  already names a store, adds an ExternalSecret for each Secret that no manager produces. Credentials in \
                  commands, ConfigMaps and annotations are for you to move: into an environment variable or a file that \
                  comes from a Secret. Change every credential that was found: it stood where many could read it, and \
                  old revisions and backups still have it.",
        may_break: "Pods do not start while their Secret, or a key of it, is not there: put the values into the store, \
                    or make the Secret as the comment of each document says, before you apply it. An ExternalSecret for \
                    a Secret that is there takes it over and writes its data anew from the store.",
        undo: "kubectl rollout undo the workload, or apply its former manifest; kubectl delete the ExternalSecret, which \
               deletes its Secret too.",
    };
    remediation(result, texts, documents)
}

/// What makes a workload refer to a Secret in place of its literals, after what makes that Secret.
fn references(
    view: &View<'_>,
    stores: &Stores,
    taken: &BTreeSet<SecretName>,
    subject: &Subject,
    findings: &[&Finding],
) -> Vec<RemediationDocument> {
    let Some(namespace) = subject.namespace.as_deref() else { return Vec::new() };
    let secret = free_name(taken, namespace, &format!("{}-credentials", subject.name));
    let variables: BTreeSet<&str> = findings.iter().filter_map(|finding| variable(&finding.path)).collect();
    let applied = workload_documents(
        view,
        findings.iter().copied(),
        |_, container, container_type| {
            let of_container = format!(".{}[name={container}].env", container_type.field());
            let env: Vec<Value> = findings
                .iter()
                .filter(|finding| finding.path.contains(&of_container))
                .filter_map(|finding| variable(&finding.path))
                // The empty value takes the literal's place, for a variable may not have both.
                .map(|name| {
                    let reference = json!({ "name": secret, "key": key(name) });
                    json!({ "name": name, "value": "", "valueFrom": { "secretKeyRef": reference } })
                })
                .collect();
            Map::from_iter([("env".to_owned(), Value::Array(env))])
        },
        |_, _| Map::new(),
    );
    let made = (!applied.is_empty())
        .then(|| external_secret(stores, namespace, &secret, Some(&variables)))
        .flatten();
    let create = create_command(namespace, &secret, &variables);
    let is_made = made.is_some();
    let applied = applied.into_iter().map(|mut document| {
        if !is_made {
            document.comment.push_str(&format!(
                "\nMake the Secret first, with the new values after the equals signs:\n{create}\n\
                 A secret manager should produce it; until one does, the item does not hold."
            ));
        }
        document
    });
    made.into_iter().chain(applied).collect()
}

/// An ExternalSecret, if a store is known: for these keys, or for all that the store has under one name.
fn external_secret(
    stores: &Stores,
    namespace: &str,
    secret: &str,
    variables: Option<&BTreeSet<&str>>,
) -> Option<RemediationDocument> {
    let store = stores.of_namespace(namespace)?;
    let remote = format!("{namespace}/{secret}");
    let mut spec = json!({
        "refreshInterval": "1h",
        "secretStoreRef": { "kind": store.kind, "name": store.name },
        "target": { "name": secret },
    });
    match variables {
        Some(variables) => {
            let data: Vec<Value> = variables
                .iter()
                .map(|name| {
                    json!({ "secretKey": key(name), "remoteRef": { "key": remote, "property": key(name) } })
                })
                .collect();
            spec["data"] = Value::Array(data);
        }
        None => spec["dataFrom"] = json!([{ "extract": { "key": remote } }]),
    }
    let object = json!({
        "apiVersion": store.api_version,
        "kind": "ExternalSecret",
        "metadata": { "name": secret, "namespace": namespace },
        "spec": spec,
    });
    let comment = format!("Put the values into {} {} under {remote} first", store.kind, store.name);
    Some(document(RemediationTarget::NewObject, comment, &object))
}

/// The variable that a finding's path names: `…env[name=DB_PASSWORD].value`.
fn variable(path: &str) -> Option<&str> {
    path.rsplit_once(".env[name=")?.1.strip_suffix("].value")
}

/// The key for a variable: a Secret's keys have fewer characters than a variable's name may.
fn key(variable: &str) -> String {
    variable
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
        .collect()
}

fn create_command(namespace: &str, secret: &str, variables: &BTreeSet<&str>) -> String {
    let literals: String = variables.iter().map(|name| format!(" --from-literal={}=", key(name))).collect();
    format!("kubectl -n {} create secret generic {}{literals}", key(namespace), key(secret))
}

/// A name that no pod uses yet: what is there must stay as it is.
fn free_name(taken: &BTreeSet<SecretName>, namespace: &str, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while taken.contains(&(namespace.to_owned(), name.clone())) {
        name.push_str("-rampart");
    }
    name
}
