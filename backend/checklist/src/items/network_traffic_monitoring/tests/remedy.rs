//! What the remedy switches on, and what it leaves to a person.

use super::*;
use crate::remedy::simulate;
use crate::workloads::View;
use rampart_shared::{Remediation, RemediationDocument, RemediationTarget};
use serde_json::json;

fn remedy_of(yaml: &str) -> Remediation {
    evaluated(ID, &inventory(yaml), &Parameters::default()).remediation
}

/// The outcome with the remedy's documents in force.
#[track_caller]
fn remedied(yaml: &str) -> rampart_shared::Outcome {
    assert_remedied(ID, &inventory(yaml), &Parameters::default())
}

#[test]
fn hubble_is_switched_on_and_what_is_set_stays() {
    let base = app() + &cilium();
    let off = base.clone() + &cilium_config("enable-hubble: 'false', hubble-metrics-server: ':9999'");
    assert_eq!(remedied(&off), Pass);
    let document = &remedy_of(&off).documents[0];
    assert_eq!(
        document.object["data"],
        json!({ "enable-hubble": "true", "hubble-metrics": "dns drop tcp flow" })
    );
    assert_eq!(document.undo.as_ref().unwrap()["data"], json!({ "enable-hubble": "false" }));
    assert_eq!(document.target, RemediationTarget::Apply);
    let unset = remedy_of(&(base.clone() + &cilium_config("hubble-metrics: tcp")));
    assert_eq!(unset.documents[0].object["data"], json!({ "enable-hubble": "true" }));
    assert!(unset.documents[0].undo.as_ref().unwrap().get("data").is_none(), "it was not set");
    // Undone, everything is as it was.
    let seen = inventory(&off);
    let parameters = Parameters::default();
    let view = View::new(&seen, &parameters);
    let undone = RemediationDocument { object: document.undo.clone().unwrap(), ..document.clone() };
    let after = simulate(&view, [document, &undone]);
    assert_eq!(result(ID, &after).outcome(), Fail);
}

#[test]
fn hubble_waits_for_agents_that_are_ready_and_for_the_provider() {
    let config = cilium_config("enable-hubble: 'false'");
    let waiting = app() + &cilium().replace("numberReady: 1", "numberReady: 0") + &config;
    let busy = app()
        + &cilium()
        + &config
        + &node("node-1")
        + &node("node-2")
        + &pod("node-2", "containers: [{name: c}]", "{}");
    let google = app()
        + &agent("kube-system", "anetd", "{name: cilium-agent, image: 'gke.gcr.io/anetd:1'}", &["node-1"])
        + &node("node-1").replace("labels: {", "labels: {cloud.google.com/gke-nodepool: p, ")
        + &config;
    for yaml in [waiting, busy, google] {
        let remedy = remedy_of(&yaml);
        assert!(remedy.documents.is_empty(), "{:?}", remedy.documents);
        assert!(remedy.remaining[0].task.contains("--enable-dataplane-v2-flow-observability"));
        assert_eq!(remedied(&yaml), Fail);
    }
}

#[test]
fn goldmane_is_asked_for_where_calicos_operator_knows_it() {
    let calico = |namespace: &str, image: &str| {
        app() + &agent(namespace, "calico-node", &format!("{{name: a, image: '{image}'}}"), &["node-1"])
    };
    let known = calico("calico-system", "quay.io/calico/node:v3.30.1");
    let remedy = remedy_of(&known);
    let kinds: Vec<&str> =
        remedy.documents.iter().map(|document| document.object["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Goldmane", "Whisker"]);
    // What its operator makes of them is not imagined.
    assert_eq!(remedied(&known), Fail);
    assert!(remedy.remaining[0].task.contains("Goldmane"), "{}", remedy.remaining[0].task);
    for (namespace, image) in [
        ("calico-system", "quay.io/calico/node:v3.29.0"),
        ("calico-system", "calico/node"),
        ("kube-system", "quay.io/calico/node:v3.32.2"),
    ] {
        let other = calico(namespace, image);
        assert!(remedy_of(&other).documents.is_empty(), "{namespace} {image}");
        assert_eq!(remedied(&other), Fail);
    }
    let felix = "\n---\n{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: default}, spec: {flowLogsFileEnabled: false}}";
    let enterprise = calico("calico-system", "quay.io/tigera/cnx-node:v3.20.0") + felix;
    assert_eq!(remedied(&enterprise), Pass);
    let undo = remedy_of(&enterprise).documents[0].undo.clone().unwrap();
    assert_eq!(undo["spec"], json!({ "flowLogsFileEnabled": false }));
}

#[test]
fn one_line_of_retinas_configuration_changes() {
    let with = |text: &str| {
        app()
            + &agent(
                "kube-system",
                "retina-agent",
                "{name: retina, image: 'ghcr.io/microsoft/retina/retina-agent:v1.0.0'}",
                &["node-1"],
            )
            + &config_map("kube-system", "retina-config", "config.yaml", text)
    };
    let text = "apiServer: {port: 10093}\nenablePodLevel: false\nremoteContext: false\n";
    assert_eq!(remedied(&with(text)), Pass);
    let document = &remedy_of(&with(text)).documents[0];
    assert_eq!(
        document.object["data"]["config.yaml"],
        json!(text.replace("enablePodLevel: false", "enablePodLevel: true"))
    );
    assert_eq!(document.undo.as_ref().unwrap()["data"]["config.yaml"], json!(text));
    assert!(document.comment.contains("kubectl -n kube-system rollout restart daemonset/retina-agent"));
    // A text of another form, or one that is not all there, is not written anew.
    for text in ["{enablePodLevel: false}", "enablePodLevel: false\ntoken: AKIAIOSFODNN7EXAMPLQ\n"] {
        let remedy = remedy_of(&with(text));
        assert!(remedy.documents.is_empty(), "{text}");
        assert!(remedy.remaining[0].task.contains("Set enablePodLevel to true"), "{text}");
    }
}

#[test]
fn tetragon_watches_connections_where_it_runs() {
    let image = "{name: tetragon, image: 'quay.io/cilium/tetragon:v1.6.0'}";
    let tetragon = app() + &agent("kube-system", "tetragon", image, &["node-1"]);
    assert_eq!(remedied(&tetragon), Pass);
    let taken = tetragon.clone()
        + "\n---\n{apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: watch-connections}, spec: {kprobes: []}}";
    assert_eq!(remedy_of(&taken).documents[0].object["metadata"]["name"], "watch-connections-rampart");
    assert_eq!(remedied(&taken), Pass);
    let waiting = tetragon.replace("numberReady: 1", "numberReady: 0");
    assert!(remedy_of(&waiting).documents.is_empty());
}

#[test]
fn what_a_person_installs_or_mends_is_said_for_this_cluster() {
    let node = |label: &str| node("node-1").replace("labels: {", &format!("labels: {{{label}: a, "));
    for (yaml, expected) in [
        (app(), "retina/charts/retina"),
        (app() + &node("cloud.google.com/gke-nodepool"), "gcloud container clusters update"),
        (app() + &node("kubernetes.azure.com/cluster"), "az aks update"),
        (app() + &node("eks.amazonaws.com/nodegroup"), "NetworkFlowMonitor"),
        (app() + &node("node.openshift.io/os_id"), "Network Observability Operator"),
        (
            app() + &retina().replace("numberReady: 1", "numberReady: 0"),
            "kubectl -n kube-system describe daemonset/retina-agent",
        ),
    ] {
        let remedy = remedy_of(&yaml);
        assert!(remedy.documents.is_empty() && remedy.remaining.len() == 1, "{remedy:?}");
        assert!(remedy.remaining[0].task.contains(expected), "{}", remedy.remaining[0].task);
    }
}
