//! Monitors as their projects install them, ready and not.

mod agents;
mod network_plugins;
mod remedy;

use super::*;
use crate::testing::{
    assert_findings, assert_remedied, evaluated, forbid, inventory, remedied_outcome as outcome, result,
};
use crate::{Parameters, evaluate};
use rampart_shared::Basis;
use rampart_shared::Outcome::{Fail, NotApplicable, Pass, Unknown};

const ID: ItemId = ItemId::NetworkTrafficMonitoring;

/// An application pod on a node of its own.
fn pod(node: &str, spec: &str, annotations: &str) -> String {
    format!(
        "\n---\n{{apiVersion: v1, kind: Pod, metadata: {{name: cart-{node}, namespace: shop, annotations: {annotations}}}, \
         spec: {{nodeName: {node}, {spec}}}, status: {{phase: Running}}}}"
    )
}

fn app() -> String {
    pod("node-1", "containers: [{name: cart}]", "{}")
}

fn node(name: &str) -> String {
    format!(
        "\n---\n{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{kubernetes.io/os: linux}}}}}}"
    )
}

/// A DaemonSet with a pod on each of these nodes, all ready.
fn agent(namespace: &str, name: &str, containers: &str, nodes: &[&str]) -> String {
    let count = nodes.len();
    let mut yaml = format!(
        "\n---\n{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: {name}, namespace: {namespace}}}, \
         spec: {{template: {{spec: {{containers: [{containers}]}}}}}}, \
         status: {{desiredNumberScheduled: {count}, numberReady: {count}}}}}"
    );
    for node in nodes {
        yaml.push_str(&format!(
            "\n---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}-{node}, namespace: {namespace}, ownerReferences: \
             [{{apiVersion: apps/v1, kind: DaemonSet, name: {name}, controller: true}}]}}, \
             spec: {{nodeName: {node}, containers: [{containers}]}}, status: {{phase: Running}}}}"
        ));
    }
    yaml
}

fn deployment(namespace: &str, name: &str, image: &str, labels: &str, ready: u32) -> String {
    format!(
        "\n---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{replicas: 2, \
         template: {{metadata: {{labels: {labels}}}, spec: {{containers: [{{name: a, image: '{image}'}}]}}}}}}, \
         status: {{replicas: 2, readyReplicas: {ready}}}}}"
    )
}

fn config_map(namespace: &str, name: &str, key: &str, value: &str) -> String {
    format!(
        "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {{{key}: {value:?}}}"
    )
}

fn cilium() -> String {
    agent(
        "kube-system",
        "cilium",
        "{name: cilium-agent, image: 'quay.io/cilium/cilium:v1.19.4'}",
        &["node-1"],
    )
}

fn cilium_config(data: &str) -> String {
    format!(
        "\n---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cilium-config, namespace: kube-system}}, data: {{{data}}}}}"
    )
}

fn relay(ready: u32) -> String {
    deployment(
        "kube-system",
        "hubble-relay",
        "quay.io/cilium/hubble-relay:v1.19.4",
        "{k8s-app: hubble-relay}",
        ready,
    )
}

fn retina() -> String {
    // https://retina.sh/docs/Installation/Setup
    agent(
        "kube-system",
        "retina-agent",
        "{name: retina, image: 'ghcr.io/microsoft/retina/retina-agent:v1.0.0'}",
        &["node-1"],
    ) + &config_map("kube-system", "retina-config", "config.yaml", "enablePodLevel: true")
}

fn notes(yaml: &str) -> String {
    result(ID, &inventory(yaml)).evidence().notes.join("\n")
}

/// https://istio.io/latest/docs/ops/integrations/kiali/ and https://linkerd.io/2/reference/extension-list/
#[test]
fn a_mesh_counts_with_its_viewer_and_every_application_pod() {
    let istio = deployment("istio-system", "istiod", "docker.io/istio/pilot:1.28.0", "{app: istiod}", 1);
    let kiali = deployment(
        "istio-system",
        "kiali",
        "quay.io/kiali/kiali:v2.17",
        "{app.kubernetes.io/name: kiali}",
        1,
    );
    let sidecar = pod("node-1", "containers: [{name: c}, {name: istio-proxy}]", "{}");
    let native = pod(
        "node-1",
        "initContainers: [{name: istio-proxy, restartPolicy: Always}], containers: [{name: c}]",
        "{}",
    );
    let ambient = pod("node-1", "containers: [{name: c}]", "{ambient.istio.io/redirection: enabled}");
    for enrolled in [&sidecar, &native, &ambient] {
        // Its own pods have no proxy.
        let own = pod("node-1", "containers: [{name: discovery}]", "{}").replace("shop", "istio-system");
        let yaml = enrolled.clone() + &istio + &kiali + &own;
        assert_findings(ID, &yaml, Pass, &[]);
        let partly = yaml.clone() + &pod("node-2", "containers: [{name: c}]", "{}");
        assert_findings(
            ID,
            &partly,
            Fail,
            &["istiod application pods: 1 of 2 application pods are in the mesh"],
        );
    }
    assert_findings(ID, &(sidecar.clone() + &istio), Fail, &["istiod Kiali: Istio without Kiali"]);
    let linkerd = deployment(
        "kube-system",
        "linkerd-destination",
        "cr.l5d.io/linkerd/controller:edge-26.1.1",
        "{linkerd.io/control-plane-component: destination}",
        1,
    ) + &deployment(
        "kube-system",
        "metrics-api",
        "cr.l5d.io/linkerd/metrics-api:edge-26.1.1",
        "{linkerd.io/extension: viz}",
        1,
    );
    let proxied = pod("node-1", "containers: [{name: c}, {name: linkerd-proxy}]", "{}");
    assert_findings(ID, &(proxied + &linkerd), Pass, &[]);
}

/// https://falco.org/docs/setup/kubernetes/ and https://tetragon.io/docs/use-cases/network-observability/
#[test]
fn monitors_of_processes_are_shown_and_do_not_decide() {
    let falco = app()
        + &agent(
            "falco",
            "falco",
            "{name: falco, image: 'docker.io/falcosecurity/falco:0.42.0'}",
            &["node-1"],
        );
    assert_eq!(outcome(ID, &falco), Fail);
    assert!(notes(&falco).contains("Falco watches system calls"));
    let tetragon = app()
        + &agent(
            "kube-system",
            "tetragon",
            "{name: tetragon, image: 'quay.io/cilium/tetragon:v1.6.0'}",
            &["node-1"],
        );
    assert_eq!(outcome(ID, &tetragon), Fail);
    let policy = |call: &str| {
        format!(
            "\n---\n{{apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {{name: connect}}, spec: {{kprobes: [{{call: {call}, syscall: false}}]}}}}"
        )
    };
    assert_eq!(outcome(ID, &(tetragon.clone() + &policy("tcp_connect"))), Pass);
    assert_eq!(outcome(ID, &(tetragon + &policy("fd_install"))), Fail);
    assert_eq!(outcome(ID, &(app() + &policy("tcp_connect"))), Fail, "nobody loads the policy");
}

#[test]
fn nothing_recognised_is_an_absence_that_says_what_was_looked_for() {
    let seen = inventory(&app());
    let bare = result(ID, &seen);
    let finding = &bare.evidence().findings[0];
    assert_eq!((bare.outcome(), finding.rule.as_str()), (Fail, "no-monitor"));
    assert!(
        finding.observed.contains("Hubble") && finding.observed.contains("Kiali"),
        "{}",
        finding.observed
    );
    for kind in flow_monitors::SUPPLIERS {
        let mut seen = seen.clone();
        forbid(&mut seen, kind);
        assert_eq!(result(ID, &seen).outcome(), Unknown, "{kind:?}");
    }
    let system = app().replace("namespace: shop", "namespace: kube-system");
    assert_eq!(outcome(ID, &system), NotApplicable);
    let mut hidden = inventory(&system);
    forbid(&mut hidden, Kind::CronJobs);
    assert_eq!(result(ID, &hidden).outcome(), Unknown, "an application could be among what was not listed");
}

#[test]
fn what_falls_short_is_a_remark_where_another_works_or_could() {
    let broken = app() + &retina().replace("numberReady: 1", "numberReady: 0");
    let mut hidden = inventory(&broken);
    forbid(&mut hidden, Kind::ConfigMaps);
    let result = result(ID, &hidden);
    assert_eq!(result.outcome(), Unknown);
    assert!(result.evidence().notes[0].contains("0 of 1 pods ready"), "{:?}", result.evidence().notes);
    let both = broken + &cilium() + &cilium_config("enable-hubble: 'true', hubble-metrics: tcp");
    assert_eq!(outcome(ID, &both), Pass);
    assert!(notes(&both).contains("Retina does not count"));
    let unsure = app() + &retina() + &cilium();
    assert_eq!(outcome(ID, &unsure), Pass, "an open question about one does not matter where another works");
}

#[test]
fn a_recogniser_of_ones_own_counts_as_declared() {
    let parameters: Parameters = serde_saphyr::from_str(
        "{network-traffic-monitoring: {recognise: [{name: Flow Watcher, image: acme/flow-agent}]}}",
    )
    .unwrap();
    let yaml = app()
        + &agent(
            "kube-system",
            "flow",
            "{name: a, image: 'registry.example/acme/flow-agent:2'}",
            &["node-1"],
        );
    let judge = |yaml: &str| {
        let items = evaluate(&inventory(yaml), &parameters).unwrap();
        let result = items.into_iter().map(|item| item.result).find(|result| result.id() == ID).unwrap();
        (result.outcome(), result.basis())
    };
    assert_eq!(judge(&yaml), (Pass, Some(Basis::Declared)));
    assert_eq!(judge(&yaml.replace("numberReady: 1", "numberReady: 0")).0, Fail);
    assert_eq!(judge(&app()).0, Fail);
}
