//! The documents of each stage: before the last, namespaces are enrolled and plaintext is let in.

use super::capture::namespace_subject;
use super::plan::{Annotations, DEFAULT_POLICY, ENFORCING, Plan, is_weak};
use crate::inventory::{Kind, Labels, Resource};
use crate::mesh::{Mesh, Meshes, ObjectReference};
use crate::remedy::document;
use crate::workloads::View;
use rampart_shared::{RemediationDocument, RemediationStage, RemediationTarget, Subject};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The documents of every stage, in order.
pub(super) fn documents(view: &View<'_>, plan: &Plan<'_>) -> Vec<RemediationDocument> {
    RemediationStage::ALL.into_iter().flat_map(|stage| of_stage(view, plan, stage)).collect()
}

fn of_stage(view: &View<'_>, plan: &Plan<'_>, stage: RemediationStage) -> Vec<RemediationDocument> {
    let enforces = stage == RemediationStage::Enforce;
    let mut documents = namespaces(view, plan, enforces);
    documents.extend(plan.annotations.iter().filter_map(|(subject, annotations)| {
        (subject.kind != "Namespace").then(|| template(subject, annotations, enforces)).flatten()
    }));
    if enforces {
        documents.extend(linkerd(view, plan));
    }
    let mode = if enforces { "STRICT" } else { "PERMISSIVE" };
    documents.extend(
        plan.peer_authentications
            .iter()
            .filter_map(|(object, (whole, ports))| peer_authentication(plan, object, *whole, ports, mode)),
    );
    for namespace in &plan.new_peer_authentications {
        let policy = json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "PeerAuthentication",
            "metadata": {
                "name": free_name(view, Kind::PeerAuthentications, namespace, "default"),
                "namespace": namespace,
            },
            "spec": { "mtls": { "mode": mode } },
        });
        let comment = match enforces {
            true => format!(
                "Namespace {namespace}: mutual TLS alone. Restart its workloads before, so that they have proxies"
            ),
            false => format!(
                "Namespace {namespace}: mutual TLS beside plaintext, whatever the rest of the mesh demands"
            ),
        };
        documents.push(document(RemediationTarget::NewObject, comment, &policy));
    }
    documents.iter_mut().for_each(|document| document.stage = stage);
    documents
}

/// Labels and annotations of namespaces, all of one namespace together.
fn namespaces(view: &View<'_>, plan: &Plan<'_>, enforces: bool) -> Vec<RemediationDocument> {
    let none = Labels::new();
    let revision = revision(view);
    let names: BTreeSet<&String> = plan
        .enrolled
        .keys()
        .chain(&plan.linkerd_policies)
        .chain(
            plan.annotations
                .keys()
                .filter(|subject| subject.kind == "Namespace")
                .map(|subject| &subject.name),
        )
        .collect();
    let mut documents = Vec::new();
    for name in names {
        let meta = plan.namespace(name);
        let labels_there = meta.map_or(&none, |meta| &meta.labels);
        let annotations_there = meta.map_or(&none, |meta| &meta.annotations);
        let mesh = plan.enrolled.get(name).copied();
        let labels: Labels = label(mesh, labels_there, revision.as_deref(), enforces).into_iter().collect();
        let mut annotations = Labels::new();
        let there = |key: &str| annotations_there.get(key).map(String::as_str);
        if mesh == Some(Mesh::Linkerd) && !matches!(there("linkerd.io/inject"), Some("enabled" | "ingress")) {
            annotations.insert("linkerd.io/inject".to_owned(), "enabled".to_owned());
        }
        if plan.linkerd_policies.contains(name) {
            let policy = there(DEFAULT_POLICY);
            if enforces && !policy.is_some_and(|policy| ENFORCING.contains(&policy)) {
                annotations.insert(DEFAULT_POLICY.to_owned(), ENFORCING[0].to_owned());
            } else if !enforces && mesh.is_some() && policy.is_none() {
                annotations.insert(DEFAULT_POLICY.to_owned(), "all-unauthenticated".to_owned());
            }
        }
        for (annotation, (_, new)) in plan.annotations.get(&namespace_subject(name)).into_iter().flatten() {
            annotations.insert(annotation.clone(), new.clone());
        }
        if labels.is_empty() && annotations.is_empty() {
            continue;
        }
        let with = |labels: &Labels, annotations: &Labels| {
            let mut metadata = json!({ "name": name });
            for (field, values) in [("labels", labels), ("annotations", annotations)] {
                if !values.is_empty() {
                    metadata[field] = json!(values);
                }
            }
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })
        };
        let mut comment = format!("Namespace {name}: takes effect when its workloads are restarted");
        if matches!(mesh, Some(Mesh::IstioAmbient | Mesh::CiliumZtunnel)) {
            comment = format!("Namespace {name}: into the mesh, without a restart");
        }
        if labels.contains_key("istio.io/rev") && labels_there.contains_key("istio-injection") {
            comment.push_str(
                "\nThe label istio-injection comes before the revision: take it off with `kubectl label namespace NAME istio-injection-`",
            );
        }
        let mut document = document(RemediationTarget::Apply, comment, &with(&labels, &annotations));
        document.undo =
            Some(with(&former(labels.keys(), labels_there), &former(annotations.keys(), annotations_there)));
        documents.push(document);
    }
    documents
}

/// The label that puts a namespace into a mesh, unless it has it.
fn label(
    mesh: Option<Mesh>,
    there: &Labels,
    revision: Option<&str>,
    enforces: bool,
) -> Option<(String, String)> {
    let (name, value) = match mesh? {
        Mesh::Istio if there.contains_key("istio.io/rev") && !there.contains_key("istio-injection") => {
            return None;
        }
        Mesh::Istio => revision.map_or(("istio-injection", "enabled"), |revision| ("istio.io/rev", revision)),
        Mesh::IstioAmbient => ("istio.io/dataplane-mode", "ambient"),
        // Enrolled, only clients that are enrolled too get in.
        Mesh::CiliumZtunnel if enforces => ("io.cilium/mtls-enabled", "true"),
        Mesh::CiliumZtunnel | Mesh::CiliumMutualAuthentication | Mesh::Linkerd => return None,
    };
    let has_it = there.get(name).is_some_and(|found| found == value);
    (!has_it).then(|| (name.to_owned(), value.to_owned()))
}

fn former<'k>(names: impl Iterator<Item = &'k String>, there: &Labels) -> Labels {
    names.filter_map(|name| Some((name.clone(), there.get(name)?.clone()))).collect()
}

/// Annotations of a workload's pods.
fn template(subject: &Subject, annotations: &Annotations, enforces: bool) -> Option<RemediationDocument> {
    let changed: Vec<(&String, &(String, String))> =
        annotations.iter().filter(|(name, _)| enforces || *name != DEFAULT_POLICY).collect();
    if changed.is_empty() {
        return None;
    }
    let with = |values: BTreeMap<&String, &String>| {
        json!({
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "metadata": { "name": subject.name, "namespace": subject.namespace },
            "spec": { "template": { "metadata": { "annotations": values } } },
        })
    };
    let comment = format!(
        "{} {}/{}: its proxies see the ports that a Service sends to",
        subject.kind,
        subject.namespace.as_deref().unwrap_or_default(),
        subject.name
    );
    let new = with(changed.iter().map(|(name, (_, new))| (*name, new)).collect());
    let mut document = document(RemediationTarget::Apply, comment, &new);
    document.undo = Some(with(changed.iter().map(|(name, (former, _))| (*name, former)).collect()));
    Some(document)
}

/// A PeerAuthentication that is there, with another mode; none where it has that mode already, or a stricter one.
fn peer_authentication(
    plan: &Plan<'_>,
    object: &ObjectReference,
    whole: bool,
    ports: &BTreeSet<String>,
    mode: &str,
) -> Option<RemediationDocument> {
    let spec = plan.policy(object).map_or(&Value::Null, |policy| &policy.body["spec"]);
    // Where PERMISSIVE is the aim, only DISABLE is too weak.
    let changes = |there: &Value| mode == "STRICT" || there == "DISABLE";
    let (mut new, mut former) = (json!({}), json!({}));
    if whole && changes(&spec["mtls"]["mode"]) {
        new["mtls"] = json!({ "mode": mode });
        if spec["mtls"]["mode"].is_string() {
            former["mtls"] = json!({ "mode": spec["mtls"]["mode"] });
        }
    }
    for port in ports {
        let there = &spec["portLevelMtls"][port]["mode"];
        if changes(there) {
            new["portLevelMtls"][port] = json!({ "mode": mode });
            if is_weak(there) {
                former["portLevelMtls"][port] = json!({ "mode": there });
            }
        }
    }
    if new == json!({}) {
        return None;
    }
    let comment = format!("PeerAuthentication {}/{}: {mode}", object.namespace, object.name);
    Some(changed(object, &new, &former, comment))
}

/// Linkerd's Servers and authorizations, which then demand an identity.
fn linkerd(view: &View<'_>, plan: &Plan<'_>) -> Vec<RemediationDocument> {
    let kinds: BTreeSet<Kind> = plan.linkerd_objects.iter().map(|object| object.kind).collect();
    let there: HashMap<(Kind, &str, &str), &Resource> = view
        .inventory
        .resources_of(kinds)
        .map(|resource| {
            ((resource.kind, resource.meta.namespace_or_default(), resource.meta.name.as_str()), resource)
        })
        .collect();
    let mut documents = Vec::new();
    let mut identities: BTreeMap<&str, String> = BTreeMap::new();
    for object in &plan.linkerd_objects {
        let key = (object.kind, object.namespace.as_str(), object.name.as_str());
        let spec = there.get(&key).map_or(&Value::Null, |resource| &resource.body["spec"]);
        let (new, former) = match object.kind {
            Kind::LinkerdServers => {
                (json!({ "accessPolicy": ENFORCING[0] }), json!({ "accessPolicy": spec["accessPolicy"] }))
            }
            Kind::LinkerdServerAuthorizations => server_authorization(&spec["client"]),
            Kind::LinkerdAuthorizationPolicies => {
                let authentication = identities.entry(&object.namespace).or_insert_with(|| {
                    free_name(view, Kind::LinkerdMeshTlsAuthentications, &object.namespace, "any-identity")
                });
                let former = spec["requiredAuthenticationRefs"].as_array().cloned().unwrap_or_default();
                let mut new = former.clone();
                new.push(json!({
                    "group": "policy.linkerd.io",
                    "kind": "MeshTLSAuthentication",
                    "name": authentication,
                }));
                (
                    json!({ "requiredAuthenticationRefs": new }),
                    json!({ "requiredAuthenticationRefs": former }),
                )
            }
            _ => continue,
        };
        let comment =
            format!("{} {}/{}: demands an identity", object.kind.kind(), object.namespace, object.name);
        documents.push(changed(object, &new, &former, comment));
    }
    let authentications = identities.into_iter().map(|(namespace, name)| {
        let object = json!({
            "apiVersion": "policy.linkerd.io/v1alpha1",
            "kind": "MeshTLSAuthentication",
            "metadata": { "name": name, "namespace": namespace },
            "spec": { "identities": ["*"] },
        });
        let comment = format!("Namespace {namespace}: any client with an identity of the mesh");
        document(RemediationTarget::NewObject, comment, &object)
    });
    authentications.chain(documents).collect()
}

/// A ServerAuthorization's client with an identity: those that it names, or any.
fn server_authorization(client: &Value) -> (Value, Value) {
    let names = |field: &str| client["meshTLS"][field].as_array().is_some_and(|names| !names.is_empty());
    let mut mesh_tls = Map::from_iter([("unauthenticatedTLS".to_owned(), json!(false))]);
    if !names("identities") && !names("serviceAccounts") {
        mesh_tls.insert("identities".to_owned(), json!(["*"]));
    }
    let new = json!({ "client": { "unauthenticated": false, "meshTLS": mesh_tls } });
    let mut former = json!({ "client": {} });
    if client["unauthenticated"].is_boolean() {
        former["client"]["unauthenticated"] = client["unauthenticated"].clone();
    }
    if client["meshTLS"]["unauthenticatedTLS"].is_boolean() {
        former["client"]["meshTLS"] =
            json!({ "unauthenticatedTLS": client["meshTLS"]["unauthenticatedTLS"] });
    }
    (new, former)
}

/// Fields of an object that is there; undone, they have their former values.
fn changed(object: &ObjectReference, new: &Value, former: &Value, comment: String) -> RemediationDocument {
    let with = |spec: &Value| {
        json!({
            "apiVersion": object.api_version,
            "kind": object.kind.kind(),
            "metadata": { "name": object.name, "namespace": object.namespace },
            "spec": spec,
        })
    };
    let mut document = document(RemediationTarget::Apply, comment, &with(new));
    if *former != json!({}) {
        document.undo = Some(with(former));
    }
    document
}

/// The revision by which namespaces choose the one control plane of Istio that runs; none where it is the default.
fn revision(view: &View<'_>) -> Option<String> {
    let revisions: BTreeSet<&str> = Meshes::control_planes(view.inventory)
        .filter_map(|deployment| deployment.meta.labels.get("istio.io/rev").map(String::as_str))
        .collect();
    match revisions.into_iter().collect::<Vec<_>>().as_slice() {
        [revision] if *revision != "default" => Some((*revision).to_owned()),
        _ => None,
    }
}

/// A name that no object of the kind has in the namespace: applying must add, never change what is there.
fn free_name(view: &View<'_>, kind: Kind, namespace: &str, wanted: &str) -> String {
    let taken: BTreeSet<&str> = view
        .inventory
        .resources(kind)
        .seen
        .iter()
        .filter(|object| object.meta.namespace_or_default() == namespace)
        .map(|object| object.meta.name.as_str())
        .collect();
    let mut name = wanted.to_owned();
    while taken.contains(name.as_str()) {
        name.push_str("-rampart");
    }
    name
}
