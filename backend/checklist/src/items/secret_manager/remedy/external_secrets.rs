//! An ExternalSecret for each Secret that applications use and no manager produces.

use super::super::super::no_secrets_in_kubernetes;
use crate::inventory::Kind;
use crate::recognise::image::version;
use crate::recognise::program::Program;
use crate::recognise::{Installed, subject};
use crate::remedy::document;
use crate::workloads::View;
use rampart_shared::{
    ChosenField, Finding, Remediation, RemediationDocument, RemediationInput, RemediationTarget, Scope,
};
use serde_json::json;
use std::collections::BTreeSet;

/// The input's name; whoever else asks for the store asks by the same.
const STORE: &str = "secret-store";

/// Adds the documents where the operator runs and no ExternalSecret of an application is there yet; whether it did.
/// Where one is there and not in sync, another would not be either.
pub(super) fn add(
    remediation: &mut Remediation,
    view: &View<'_>,
    installed: &Installed<'_>,
    findings: &[&Finding],
) -> bool {
    let operators = installed.workloads(Program::ExternalSecrets);
    let waits = findings.iter().any(|finding| {
        finding.rule == "not-used" && operators.iter().any(|operator| subject(operator) == finding.subject)
    });
    let is_used = view
        .inventory
        .resources(Kind::ExternalSecrets)
        .seen
        .iter()
        .any(|object| view.scope(object.meta.namespace_or_default()) == Scope::Application);
    if !waits || is_used {
        return false;
    }
    let api_version = api_version(view, installed);
    let documents: Vec<RemediationDocument> =
        secrets(view).iter().map(|(namespace, name)| external_secret(api_version, namespace, name)).collect();
    if documents.is_empty() {
        return false;
    }
    remediation.documents.extend(documents);
    remediation.inputs.push(store(view));
    true
}

/// The Secrets that item 16 finds to be consumed and produced by nobody: no certificates, tokens and the like.
fn secrets(view: &View<'_>) -> BTreeSet<(String, String)> {
    (no_secrets_in_kubernetes::ITEM.observe)(view)
        .absent
        .into_iter()
        .map(|absent| absent.violation)
        .filter(|violation| {
            violation.rule == no_secrets_in_kubernetes::UNMANAGED && violation.scope == Scope::Application
        })
        .filter_map(|violation| Some((violation.subject.namespace?, violation.subject.name)))
        .collect()
}

fn external_secret(api_version: &str, namespace: &str, secret: &str) -> RemediationDocument {
    let object = json!({
        "apiVersion": api_version,
        "kind": "ExternalSecret",
        "metadata": { "name": secret, "namespace": namespace },
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": { "kind": "ClusterSecretStore", "name": "" },
            // The Secret outlives the ExternalSecret.
            "target": { "name": secret, "creationPolicy": "Orphan" },
            "dataFrom": [{ "extract": { "key": format!("{namespace}/{secret}") } }],
        },
    });
    let comment = format!(
        "Secret {namespace}/{secret}: from the key {namespace}/{secret} of the store. Put the present values there first."
    );
    let mut document = document(RemediationTarget::NewObject, comment, &object);
    document.choices.push(ChosenField {
        pointer: "/spec/secretStoreRef/name".to_owned(),
        input: STORE.to_owned(),
        template: "{}".to_owned(),
    });
    document
}

/// The store from which the secrets come: the one that others of this cluster come from, if there is one.
fn store(view: &View<'_>) -> RemediationInput {
    let named: BTreeSet<&str> = view
        .inventory
        .resources(Kind::ExternalSecrets)
        .seen
        .iter()
        .map(|object| &object.body["spec"]["secretStoreRef"])
        .chain(
            view.inventory
                .resources(Kind::ClusterExternalSecrets)
                .seen
                .iter()
                .map(|object| &object.body["spec"]["externalSecretSpec"]["secretStoreRef"]),
        )
        .filter(|reference| reference["kind"] == "ClusterSecretStore")
        .filter_map(|reference| reference["name"].as_str())
        .collect();
    let default = match named.into_iter().collect::<Vec<_>>()[..] {
        [name] => Some(name.to_owned()),
        _ => None,
    };
    RemediationInput {
        name: STORE.to_owned(),
        label: "Secret store".to_owned(),
        help: "The ClusterSecretStore of the External Secrets Operator from which secrets come. Make one for your store first: \
               https://external-secrets.io/latest/api/clustersecretstore/"
            .to_owned(),
        default,
        example: "vault".to_owned(),
        options: Vec::new(),
    }
}

/// The version that is served: that of objects that were seen, else by the operator's own, which serves `v1` from 0.16 on.
/// <https://github.com/external-secrets/external-secrets/releases/tag/v0.17.0>
fn api_version(view: &View<'_>, installed: &Installed<'_>) -> &'static str {
    const V1: &str = "external-secrets.io/v1";
    const V1BETA1: &str = "external-secrets.io/v1beta1";
    let mut seen =
        view.inventory.resources_of([Kind::ExternalSecrets, Kind::ClusterExternalSecrets]).peekable();
    if seen.peek().is_some() {
        return if seen.any(|object| object.api_version == V1) { V1 } else { V1BETA1 };
    }
    let is_old = installed
        .workloads(Program::ExternalSecrets)
        .iter()
        .flat_map(|operator| &operator.template.containers)
        .filter_map(|container| version(&container.image))
        .any(|found| found < (0, 16));
    if is_old { V1BETA1 } else { V1 }
}
