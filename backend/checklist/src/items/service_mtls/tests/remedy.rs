//! What the remedy changes by stages, what it leaves, and that it turns the item green.

use super::*;
use crate::inventory::Inventory;
use crate::remedy::simulate;
use crate::testing::evaluated;
use crate::workloads::View;
use rampart_shared::{Remediation, RemediationDocument, RemediationStage};
use serde_json::json;

fn remedy_of(yaml: &str) -> Remediation {
    evaluated(ID, &inventory(yaml), &Parameters::default()).remediation
}

/// The objects of a stage.
fn objects(remedy: &Remediation, stage: RemediationStage) -> Vec<Value> {
    remedy.of_stage(stage).map(|document| document.object.clone()).collect()
}

#[track_caller]
fn remedied(yaml: &str) -> Outcome {
    assert_remedied(ID, &inventory(yaml), &Parameters::default())
}

/// With the documents of a stage in force, and then undone.
fn applied_and_undone(yaml: &str) -> (Inventory, Inventory) {
    let seen = inventory(yaml);
    let parameters = Parameters::default();
    let remedy = evaluated(ID, &seen, &parameters).remediation;
    let documents: Vec<&RemediationDocument> = remedy.of_stage(RemediationStage::Enforce).collect();
    let undo: Vec<RemediationDocument> = documents
        .iter()
        .map(|document| RemediationDocument { object: document.undo.clone().unwrap(), ..(*document).clone() })
        .collect();
    let view = View::new(&seen, &parameters);
    (simulate(&view, documents.clone()), simulate(&view, documents.into_iter().chain(&undo)))
}

fn deployment(annotations: &str, spec: &str) -> String {
    let controller = |kind: &str, name: &str| {
        format!("[{{apiVersion: apps/v1, kind: {kind}, name: {name}, controller: true}}]")
    };
    let template = format!(
        "template: {{metadata: {{labels: {{app: cart}}, annotations: {{{annotations}}}}}, spec: {{{spec}}}}}"
    );
    all(&[
        &format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop, annotations: {{deployment.kubernetes.io/revision: '1'}}}}, spec: {{{template}}}}}"
        ),
        &format!(
            "{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: cart-1, namespace: shop, annotations: {{deployment.kubernetes.io/revision: '1'}}, ownerReferences: {}}}, spec: {{{template}}}}}",
            controller("Deployment", "cart")
        ),
        &pod_with(annotations, spec).replace(
            "labels: {app: cart},",
            &format!("labels: {{app: cart}}, ownerReferences: {},", controller("ReplicaSet", "cart-1")),
        ),
    ])
}

fn istiod(labels: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: istiod, namespace: istio-system, labels: {{app: istiod{labels}}}}}, \
         spec: {{template: {{spec: {{containers: []}}}}}}}}"
    )
}

const LINKERD_CONTROL: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: linkerd-destination, namespace: linkerd, labels: {linkerd.io/control-plane-component: destination}}, spec: {template: {spec: {containers: []}}}}";

#[test]
fn the_remedy_makes_istio_and_linkerd_strict() {
    let server = object(
        "policy.linkerd.io/v1beta3",
        "Server",
        "web",
        "{podSelector: {}, port: 8080, accessPolicy: all-unauthenticated}",
    );
    let plain = object("policy.linkerd.io/v1beta3", "Server", "web", "{podSelector: {}, port: 8080}");
    let authorization = |client: &str| {
        object(
            "policy.linkerd.io/v1beta1",
            "ServerAuthorization",
            "clients",
            &format!("{{server: {{name: web}}, client: {client}}}"),
        )
    };
    let on_port = peer_authentication(
        "shop/cart",
        "{selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}, portLevelMtls: {'8080': {mode: DISABLE}}}",
    );
    for (yaml, documents) in [
        (istio(&[&pod(SIDECAR)]), 1),
        (
            istio(&[
                &pod(SIDECAR),
                &peer_authentication("istio-system/default", "{mtls: {mode: PERMISSIVE}}"),
            ]),
            1,
        ),
        (istio(&[&pod(SIDECAR), &peer_authentication("shop/default", "{mtls: {mode: PERMISSIVE}}")]), 1),
        (istio(&[&pod(SIDECAR), &peer_authentication("shop/inherits", "{}")]), 1),
        (istio(&[&pod(SIDECAR), &on_port]), 1),
        (all(&[SERVICE, &linkerd("deny"), &server]), 1),
        (all(&[SERVICE, &linkerd("deny"), &plain, &authorization("{unauthenticated: true}")]), 1),
        // Each of two that let clients in.
        (all(&[SERVICE, &linkerd("deny"), &server, &authorization("{unauthenticated: true}")]), 2),
    ] {
        assert_eq!(outcome(ID, &yaml), Outcome::Fail, "{yaml}");
        assert_eq!(objects(&remedy_of(&yaml), RemediationStage::Enforce).len(), documents, "{yaml}");
        assert_eq!(remedied(&yaml), Outcome::Pass, "{yaml}");
    }
}

#[test]
fn an_authorization_keeps_its_clients_and_every_other_authentication() {
    let plain = object("policy.linkerd.io/v1beta3", "Server", "web", "{podSelector: {}, port: 8080}");
    let with = |document: &str| all(&[SERVICE, &linkerd("deny"), &plain, document]);
    let named = with(&object(
        "policy.linkerd.io/v1beta1",
        "ServerAuthorization",
        "clients",
        "{server: {name: web}, client: {meshTLS: {unauthenticatedTLS: true, serviceAccounts: [{name: till}]}}}",
    ));
    let client = &objects(&remedy_of(&named), RemediationStage::Enforce)[0]["spec"]["client"];
    assert_eq!(*client, json!({ "unauthenticated": false, "meshTLS": { "unauthenticatedTLS": false } }));
    assert_eq!(remedied(&named), Outcome::Pass);

    let network = with(&object(
        "policy.linkerd.io/v1alpha1",
        "AuthorizationPolicy",
        "routes",
        "{targetRef: {kind: Server, name: web}, requiredAuthenticationRefs: [{kind: NetworkAuthentication, group: policy.linkerd.io, name: nodes}]}",
    ));
    let given = objects(&remedy_of(&network), RemediationStage::Enforce);
    assert_eq!(
        (&given[0]["kind"], &given[0]["spec"]),
        (&json!("MeshTLSAuthentication"), &json!({ "identities": ["*"] }))
    );
    let names: Vec<&Value> = given[1]["spec"]["requiredAuthenticationRefs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reference| &reference["name"])
        .collect();
    assert_eq!(names, ["nodes", "any-identity"]);
    assert_eq!(remedied(&network), Outcome::Pass);
}

#[test]
fn plaintext_is_let_in_until_the_last_stage() {
    let yaml = istio(&[&pod(PLAIN), &istiod("")]);
    let remedy = remedy_of(&yaml);
    for (stage, mode) in [
        (RemediationStage::Observe, "PERMISSIVE"),
        (RemediationStage::Warn, "PERMISSIVE"),
        (RemediationStage::Enforce, "STRICT"),
    ] {
        let given = objects(&remedy, stage);
        assert_eq!(given[0]["metadata"]["labels"], json!({ "istio-injection": "enabled" }));
        assert_eq!(given[1]["spec"]["mtls"]["mode"], mode);
        assert_eq!(given[1]["metadata"]["name"], "default");
    }
    let disabled = istio(&[&pod(SIDECAR), &peer_authentication("shop/default", "{mtls: {mode: DISABLE}}")]);
    let remedy = remedy_of(&disabled);
    assert_eq!(objects(&remedy, RemediationStage::Observe)[0]["spec"]["mtls"]["mode"], "PERMISSIVE");
    for document in &remedy.documents {
        assert_eq!(document.undo.as_ref().unwrap()["spec"], json!({ "mtls": { "mode": "DISABLE" } }));
    }
    let linkerd = remedy_of(&all(&[SERVICE, &pod(PLAIN), LINKERD_CONTROL]));
    let policy = |stage| {
        objects(&linkerd, stage)[0]["metadata"]["annotations"]["config.linkerd.io/default-inbound-policy"]
            .clone()
    };
    assert_eq!(policy(RemediationStage::Observe), "all-unauthenticated");
    assert_eq!(policy(RemediationStage::Enforce), "all-authenticated");
    let ztunnel = remedy_of(&all(&[SERVICE, &pod(PLAIN), &cilium("enable-ztunnel: 'true'")]));
    assert!(objects(&ztunnel, RemediationStage::Observe).is_empty(), "enrolment is enforcement there");
}

#[test]
fn namespaces_come_into_the_mesh_that_is_there_and_none_is_chosen() {
    let of = |documents: &[&str]| {
        let yaml = all(&[&[SERVICE, pod(PLAIN).as_str()], documents].concat());
        remedied(&yaml);
        remedy_of(&yaml)
    };
    let labels =
        |remedy: &Remediation| objects(remedy, RemediationStage::Enforce)[0]["metadata"]["labels"].clone();
    let none = of(&[]);
    assert!(none.documents.is_empty() && none.changes.contains("for a person to choose"), "{}", none.changes);
    for mesh in ["istio.io", "linkerd.io", "docs.cilium.io"] {
        assert!(none.remaining[0].task.contains(mesh), "{mesh}");
    }
    assert_eq!(labels(&of(&[ISTIO, &istiod("")])), json!({ "istio-injection": "enabled" }));
    assert_eq!(labels(&of(&[ISTIO, &istiod(", istio.io/rev: canary")])), json!({ "istio.io/rev": "canary" }));
    let both = of(&[LINKERD_CONTROL, &istiod("")]);
    assert!(both.documents.is_empty() && both.remaining[0].task.starts_with("More than one mesh"));
    let namespace = |labels: &str, annotations: &str| {
        format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{{labels}}}, annotations: {{{annotations}}}}}}}"
        )
    };
    let out = of(&[ISTIO, &istiod(""), &namespace("istio-injection: disabled", "")]);
    assert_eq!(
        out.documents[0].undo.as_ref().unwrap()["metadata"]["labels"],
        json!({ "istio-injection": "disabled" })
    );
    // What is enrolled already has but to be restarted.
    let strict = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    let waiting = of(&[ISTIO, &istiod(""), &namespace("istio-injection: enabled", ""), &strict]);
    assert!(waiting.documents.is_empty() && waiting.remaining.len() == 1);
    let waiting = of(&[
        LINKERD_CONTROL,
        &namespace("", "linkerd.io/inject: enabled, config.linkerd.io/default-inbound-policy: deny"),
    ]);
    assert!(waiting.documents.is_empty() && waiting.remaining.len() == 1);
    // Without a restart.
    assert_eq!(remedied(&all(&[SERVICE, &pod(PLAIN), &cilium("enable-ztunnel: 'true'")])), Outcome::Pass);
}

#[test]
fn what_a_person_does_is_named_with_its_command() {
    let mesh = [ISTIO, SERVICE, &istiod("")];
    let with = |documents: &[&str]| all(&[&mesh, documents].concat());
    let udp = SERVICE.replace("port: 80,", "port: 80, protocol: UDP,");
    for (yaml, expected) in [
        (with(&[&deployment("", PLAIN)]), "`kubectl -n shop rollout restart deployment/cart`"),
        (with(&[&pod(PLAIN)]), "delete their pods, or wait for the next run: Pod cart"),
        (with(&[&deployment("sidecar.istio.io/inject: 'false'", PLAIN)]), "sidecar.istio.io/inject"),
        (with(&[&pod(&format!("hostNetwork: true, {PLAIN}"))]), "hostNetwork to false"),
        (all(&[ISTIO, &udp, &istiod(""), &pod(PLAIN)]), "TCP alone"),
        (with(&[&pod(PLAIN)]).replace("namespace: shop", "namespace: istio-system"), "system_namespaces"),
        (
            all(&[SERVICE, &pod(PLAIN), &cilium("mesh-auth-mutual-enabled: 'true'")]),
            "encryption.type=wireguard",
        ),
        (
            all(&[
                SERVICE,
                &pod(PLAIN),
                &cilium("mesh-auth-mutual-enabled: 'true', enable-wireguard: 'true'"),
            ]),
            "authentication.mode: required",
        ),
    ] {
        let remedy = remedy_of(&yaml);
        assert!(remedy.remaining[0].task.contains(expected), "{:?}", remedy.remaining);
        assert_eq!(remedied(&yaml), Outcome::Fail, "{yaml}");
    }
    let hostile = with(&[&deployment("", PLAIN)]).replace("name: cart,", "name: 'cart; reboot',");
    assert!(
        !remedy_of(&hostile).remaining[0].task.contains("restart deployment"),
        "no such name in a command"
    );
}

#[test]
fn annotations_lose_the_ports_that_are_served_and_get_them_back() {
    let strict = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    let exclude = "traffic.sidecar.istio.io/excludeInboundPorts";
    for (annotation, former, new) in [
        (exclude, "9090,8080", "9090"),
        ("traffic.sidecar.istio.io/includeInboundPorts", "80", "*"),
        ("sidecar.istio.io/interceptionMode", "NONE", "REDIRECT"),
    ] {
        let annotations = format!("{annotation}: '{former}'");
        let yaml = istio(&[&deployment(&annotations, SIDECAR), &strict]);
        assert_eq!(outcome(ID, &yaml), Outcome::Fail, "{annotation}");
        assert_eq!(remedied(&yaml), Outcome::Pass, "{annotation}");
        let given = objects(&remedy_of(&yaml), RemediationStage::Enforce);
        assert_eq!(given[0]["spec"]["template"]["metadata"]["annotations"], json!({ annotation: new }));
        assert_eq!(given[0]["metadata"], json!({ "name": "cart", "namespace": "shop" }));
        let (after, undone) = applied_and_undone(&yaml);
        assert_eq!(result(ID, &after).outcome(), Outcome::Pass);
        assert_eq!(
            result(ID, &undone).evidence().findings,
            result(ID, &inventory(&yaml)).evidence().findings
        );
        // Plaintext that the proxy then lets in is refused by the same documents.
        assert_eq!(remedied(&istio(&[&deployment(&annotations, SIDECAR)])), Outcome::Pass, "{annotation}");
        // A pod without controller keeps its annotations.
        let bare = istio(&[&pod_with(&annotations, SIDECAR), &strict]);
        assert!(remedy_of(&bare).documents.is_empty() && remedied(&bare) == Outcome::Fail);
    }
    // What the injector made of the annotation before is there until it makes the pods anew.
    let init = format!("{SIDECAR}, initContainers: [{{name: istio-init, args: ['-d', '15090,8080']}}]");
    let started = istio(&[&deployment(&format!("{exclude}: '8080'"), &init), &strict]);
    assert_eq!(remedied(&started), Outcome::Fail);
    assert!(remedy_of(&started).remaining[0].task.contains("rollout restart deployment/cart"));
    // The mesh's installation says it.
    let installed = istio(&[&deployment("", &init), &strict]);
    assert!(remedy_of(&installed).documents.is_empty());
    assert!(remedy_of(&installed).remaining[0].task.contains("values.global.proxy"));
}

#[test]
fn linkerds_skipped_ports_are_taken_out_of_the_namespace_too() {
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: {config.linkerd.io/skip-inbound-ports: '25,8000-8100'}}}";
    let proxy = PROXY.replace("GIVEN", "deny");
    let yaml = all(&[SERVICE, &deployment("", &proxy), namespace]);
    assert_eq!(remedied(&yaml), Outcome::Pass);
    let given = objects(&remedy_of(&yaml), RemediationStage::Enforce);
    assert_eq!(
        given[0]["metadata"]["annotations"],
        json!({ "config.linkerd.io/skip-inbound-ports": "25,8000-8079,8081-8100" })
    );
    let open = all(&[SERVICE, &deployment("", &PROXY.replace("GIVEN", "all-unauthenticated")), namespace]);
    assert_eq!(remedied(&open), Outcome::Fail);
    // A policy of the workload's own comes before its namespace's.
    let own = deployment("config.linkerd.io/default-inbound-policy: audit", &proxy);
    let given = objects(&remedy_of(&all(&[SERVICE, &own])), RemediationStage::Enforce);
    assert_eq!(
        given[1]["spec"]["template"]["metadata"]["annotations"]["config.linkerd.io/default-inbound-policy"],
        "all-authenticated"
    );
    assert_eq!(remedied(&all(&[SERVICE, &own])), Outcome::Pass);
}

#[test]
fn pods_that_would_be_cut_off_are_shown() {
    let other = |namespace: &str, spec: &str| {
        pod(spec)
            .replace("namespace: shop", &format!("namespace: {namespace}"))
            .replace("app: cart", "app: other")
    };
    let yaml = istio(&[
        &pod(SIDECAR),
        &istiod(""),
        &other("bank", PLAIN),
        &other("edge", &format!("hostNetwork: true, {SIDECAR}")),
        &other("till", SIDECAR),
    ]);
    let tables = remedy_of(&yaml).tables;
    let rows: Vec<[&str; 2]> = tables[0].rows.iter().map(|row| [row[0].as_str(), row[3].as_str()]).collect();
    assert_eq!(
        rows,
        [["bank", "its namespace is in no mesh"], ["edge", "it is on the node's network, where no mesh is"]]
    );
    let enrolled = remedy_of(&istio(&[&pod(PLAIN), &istiod("")])).tables;
    assert!(enrolled[0].rows[0][3].starts_with("until it is in the mesh"));
    assert!(remedy_of(&all(&[SERVICE, &pod(PLAIN)])).tables.is_empty());
}

#[test]
fn every_port_of_a_headless_service_becomes_strict() {
    let headless = SERVICE.replace("ports: [{port: 80, targetPort: 8080}]", "clusterIP: None");
    let on_port = peer_authentication(
        "shop/cart",
        "{selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}, portLevelMtls: {'9090': {mode: DISABLE}, '81': {mode: PERMISSIVE}}}",
    );
    assert_eq!(remedied(&all(&[ISTIO, &headless, &pod(SIDECAR), &on_port])), Outcome::Pass);
}
