//! What the remedy changes, and that it turns the item green.

use super::*;
use crate::inventory::{Inventory, Object};
use rampart_shared::{Remediation, Source};

fn remedy_of(inventory: &Inventory) -> Remediation {
    let items = crate::evaluate(inventory, &crate::Parameters::default()).unwrap();
    items.into_iter().find(|item| item.result.id() == ID).unwrap().remediation
}

fn yamls(remediation: &Remediation) -> Vec<Value> {
    remediation.documents.iter().map(|document| document.object.clone()).collect()
}

/// Applies documents as server-side apply does to maps, and inserts them.
fn applied(yaml: &str, documents: Vec<Value>) -> Inventory {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    for document in documents {
        let same = |object: &&mut Value| {
            object["kind"] == document["kind"]
                && object["metadata"]["name"] == document["metadata"]["name"]
                && object["metadata"]["namespace"] == document["metadata"]["namespace"]
        };
        match objects.iter_mut().find(same) {
            Some(object) => merge(object, document),
            None => objects.push(document),
        }
    }
    let mut inventory = Inventory::empty(Source::Snapshot);
    for object in objects {
        let api_version = object["apiVersion"].as_str().unwrap().to_owned();
        let kind = Kind::of(&api_version, object["kind"].as_str().unwrap()).unwrap();
        inventory.insert(Object::deserialize(kind, &api_version, object).unwrap());
    }
    inventory
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[test]
fn the_remedy_makes_istio_and_linkerd_strict() {
    let server = object(
        "policy.linkerd.io/v1beta3",
        "Server",
        "web",
        "{podSelector: {}, port: 8080, accessPolicy: all-unauthenticated}",
    );
    let authorized = [
        object("policy.linkerd.io/v1beta3", "Server", "web", "{podSelector: {}, port: 8080}"),
        object(
            "policy.linkerd.io/v1beta1",
            "ServerAuthorization",
            "clients",
            "{server: {name: web}, client: {unauthenticated: true}}",
        ),
    ]
    .join("\n---\n");
    let on_port = peer_authentication(
        "shop/cart",
        "{selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}, portLevelMtls: {'8080': {mode: DISABLE}}}",
    );
    for yaml in [
        istio(&[&pod(SIDECAR)]),
        istio(&[&pod(SIDECAR), &peer_authentication("istio-system/default", "{mtls: {mode: PERMISSIVE}}")]),
        istio(&[&pod(SIDECAR), &peer_authentication("shop/default", "{mtls: {mode: PERMISSIVE}}")]),
        istio(&[&pod(SIDECAR), &peer_authentication("shop/inherits", "{}")]),
        istio(&[&pod(SIDECAR), &on_port]),
        all(&[SERVICE, &linkerd("deny"), &server]),
        all(&[SERVICE, &linkerd("deny"), &authorized]),
    ] {
        let seen = inventory(&yaml);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Fail, "{yaml}");
        let documents = yamls(&remedy_of(&seen));
        assert_eq!(documents.len(), 1, "{documents:?}");
        let fixed = applied(&yaml, documents);
        assert_eq!(result(ID, &fixed).outcome(), Outcome::Pass, "{yaml}");
        assert!(remedy_of(&fixed).documents.is_empty(), "a second time there is nothing to do");
    }
}

#[test]
fn the_remedy_enrols_into_the_mesh_that_is_there_and_chooses_none() {
    let istiod = |labels: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: istiod, namespace: istio-system, labels: {{app: istiod{labels}}}}}, \
             spec: {{template: {{spec: {{containers: []}}}}}}}}"
        )
    };
    let linkerd_control = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: linkerd-destination, namespace: linkerd, labels: {linkerd.io/control-plane-component: destination}}, spec: {template: {spec: {containers: []}}}}";
    let of = |documents: &[&str]| {
        let yaml = all(&[&[SERVICE, pod(PLAIN).as_str()], documents].concat());
        remedy_of(&inventory(&yaml))
    };
    let none = of(&[]);
    assert!(none.documents.is_empty() && none.changes.contains("for a person to choose"), "{}", none.changes);
    let istio = yamls(&of(&[ISTIO, &istiod("")]));
    assert_eq!(istio[0]["metadata"]["labels"]["istio-injection"], "enabled");
    assert_eq!(istio[1]["spec"]["mtls"]["mode"], "STRICT");
    let revised = yamls(&of(&[ISTIO, &istiod(", istio.io/rev: canary")]));
    assert_eq!(revised[0]["metadata"]["labels"]["istio.io/rev"], "canary");
    let linkerd = yamls(&of(&[linkerd_control]));
    assert_eq!(
        linkerd[0]["metadata"]["annotations"]["config.linkerd.io/default-inbound-policy"],
        "all-authenticated"
    );
    assert!(of(&[linkerd_control, &istiod("")]).documents.is_empty());
    let config = cilium("enable-ztunnel: 'true'");
    let yaml = all(&[SERVICE, &pod(PLAIN), &config]);
    let documents = yamls(&remedy_of(&inventory(&yaml)));
    assert_eq!(result(ID, &applied(&yaml, documents)).outcome(), Outcome::Pass);
}
