use super::*;
use crate::inventory::Inventory;
use crate::testing::{assert_findings, forbid, inventory, outcome, result};
use crate::{Object, Parameters, evaluate};
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

/// https://docs.cilium.io/en/stable/observability/hubble/setup/ and …/configuration/export/
#[test]
fn hubble_counts_with_any_of_its_consumers() {
    let base = app() + &cilium();
    assert_findings(ID, &(base.clone() + &cilium_config("enable-hubble: 'true'") + &relay(1)), Pass, &[]);
    for consumer in
        ["hubble-metrics: dns drop tcp flow", "hubble-export-file-path: /var/run/cilium/hubble/events.log"]
    {
        let yaml = base.clone() + &cilium_config(&format!("enable-hubble: 'true', {consumer}"));
        assert_findings(ID, &yaml, Pass, &[]);
    }
    for (config, finding) in [
        ("enable-hubble: 'false'", "cilium-config data[enable-hubble]: false"),
        ("hubble-metrics: tcp", "cilium-config data[enable-hubble]: unset"),
    ] {
        assert_findings(ID, &(base.clone() + &cilium_config(config)), Fail, &[finding]);
    }
    for config in ["enable-hubble: 'true'", "enable-hubble: 'true', hubble-metrics: ' '"] {
        let result = result(ID, &inventory(&(base.clone() + &cilium_config(config))));
        assert_eq!((result.outcome(), result.evidence().findings[0].rule.as_str()), (Fail, "no-consumer"));
    }
    let waiting = base.clone() + &cilium_config("enable-hubble: 'true'") + &relay(0);
    assert_findings(
        ID,
        &waiting,
        Fail,
        &["hubble-relay status.readyReplicas: Hubble Relay: 0 of 2 pods ready"],
    );
    let exporters =
        cilium_config("enable-hubble: 'true', hubble-flowlogs-config-path: /flowlog-config/flowlogs.yaml");
    assert_eq!(outcome(ID, &(base.clone() + &exporters)), Unknown, "what the file exports is not seen");
    assert_eq!(outcome(ID, &base), Unknown, "without cilium-config nobody knows whether Hubble is on");
    let config_alone = app() + &cilium_config("enable-hubble: 'true', hubble-metrics: tcp");
    assert_findings(ID, &config_alone, Fail, &["cilium-config DaemonSet cilium: not found"]);
}

/// https://cloud.google.com/kubernetes-engine/docs/how-to/configure-dpv2-observability
#[test]
fn dataplane_v2_counts_by_its_relay() {
    let agents = app()
        + &agent("kube-system", "anetd", "{name: cilium-agent, image: 'gke.gcr.io/anetd:1'}", &["node-1"]);
    let relay = deployment("gke-managed-dpv2-observability", "hubble-relay", "gke.gcr.io/relay:1", "{}", 1);
    assert_findings(ID, &(agents.clone() + &relay), Pass, &[]);
    assert_eq!(outcome(ID, &agents), Unknown);
}

#[test]
fn agents_must_be_ready_on_every_node_with_application_pods() {
    let few = app() + &retina().replace("numberReady: 1", "numberReady: 0");
    assert_findings(ID, &few, Fail, &["retina-agent status.numberReady: Retina: 0 of 1 pods ready"]);
    let nowhere = app()
        + "\n---\n{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: retina-agent, namespace: kube-system}, spec: {template: \
           {spec: {containers: [{name: retina, image: retina/retina-agent}]}}}, status: {desiredNumberScheduled: 0, numberReady: 0}}";
    assert_findings(ID, &nowhere, Fail, &["retina-agent status.numberReady: Retina: 0 of 0 pods ready"]);

    let base = app() + &retina() + &node("node-1") + &node("node-2");
    assert_eq!(outcome(ID, &base), Pass);
    assert!(notes(&base).contains("no pod on these nodes, which run no application pods: node-2"));
    let busy = base.clone() + &pod("node-2", "containers: [{name: c}]", "{}");
    assert_findings(
        ID,
        &busy,
        Fail,
        &["retina-agent spec.template.spec: no pod on 1 nodes that run application pods: node-2"],
    );
    let windows = busy.replace(
        "name: node-2, labels: {kubernetes.io/os: linux}",
        "name: node-2, labels: {kubernetes.io/os: windows}",
    );
    assert_eq!(outcome(ID, &windows), Pass);
    let fargate = busy.replace(
        "name: node-2, labels: {",
        "name: node-2, labels: {eks.amazonaws.com/compute-type: fargate, ",
    );
    assert_eq!(outcome(ID, &fargate), Pass);
    assert!(notes(&fargate).contains("virtual nodes"));
    let mut unseen = inventory(&busy);
    forbid(&mut unseen, Kind::Nodes);
    assert_eq!(result(ID, &unseen).outcome(), Unknown, "the node could be one of Windows");
}

#[test]
fn a_manifest_without_status_is_a_gap_and_no_pass() {
    let manifest =
        app() + &retina().replace("status: {desiredNumberScheduled: 1, numberReady: 1}", "status: {}");
    let result = result(ID, &inventory(&manifest));
    assert_eq!(result.outcome(), Unknown);
    assert!(result.evidence().gaps[0].detail.contains("status"), "{:?}", result.evidence().gaps);
}

/// https://docs.tigera.io/calico/latest/observability/enable-whisker and …/reference/resources/felixconfig
#[test]
fn calico_counts_by_goldmane_or_by_flow_log_files() {
    let node = agent(
        "calico-system",
        "calico-node",
        "{name: calico-node, image: 'quay.io/calico/node:v3.32.2'}",
        &["node-1"],
    );
    let goldmane = deployment("calico-system", "goldmane", "quay.io/calico/goldmane:v3.32.2", "{}", 1);
    let asked = "\n---\n{apiVersion: operator.tigera.io/v1, kind: Goldmane, metadata: {name: default}}";
    let base = app() + &node;
    assert_findings(ID, &(base.clone() + &goldmane + asked), Pass, &[]);
    assert_findings(ID, &(base.clone() + asked), Fail, &["default Deployment goldmane: not found"]);
    assert_findings(
        ID,
        &(base.clone() + &goldmane),
        Fail,
        &["goldmane flowLogsGoldmaneServer: no agent of Calico sends flow logs to it"],
    );
    let by_variable = base.replace(
        "calico/node:v3.32.2'",
        "calico/node:v3.32.2', env: [{name: FELIX_FLOWLOGSGOLDMANESERVER, value: 'goldmane:7443'}]",
    );
    assert_eq!(outcome(ID, &(by_variable + &goldmane)), Pass);
    for group in ["projectcalico.org/v3", "crd.projectcalico.org/v1"] {
        let felix = |spec: &str| {
            format!(
                "\n---\n{{apiVersion: {group}, kind: FelixConfiguration, metadata: {{name: default}}, spec: {{{spec}}}}}"
            )
        };
        assert_eq!(
            outcome(ID, &(base.clone() + &goldmane + &felix("flowLogsGoldmaneServer: 'goldmane:7443'"))),
            Pass
        );
        assert_eq!(outcome(ID, &(base.clone() + &felix("flowLogsFileEnabled: true"))), Pass);
        assert_eq!(outcome(ID, &(base.clone() + &felix("flowLogsFileEnabled: false"))), Fail);
    }
    assert_eq!(outcome(ID, &base), Fail, "Calico alone logs no flows");
}

/// https://retina.sh/docs/Introduction/architecture
#[test]
fn retina_counts_by_pod_and_not_by_node() {
    assert_findings(ID, &(app() + &retina()), Pass, &[]);
    let by_node = app() + &retina().replace("enablePodLevel: true", "enablePodLevel: false");
    assert_findings(
        ID,
        &by_node,
        Fail,
        &["retina-config data[config.yaml].enablePodLevel: false: it counts per node"],
    );
    assert_eq!(outcome(ID, &(app() + &retina().replace("enablePodLevel: true", "["))), Unknown);
    let mut hidden = inventory(&(app() + &retina()));
    forbid(&mut hidden, Kind::ConfigMaps);
    assert_eq!(result(ID, &hidden).outcome(), Unknown, "it may count per node");
    assert_eq!(outcome(ID, &(app() + &retina().replace("name: retina-config", "name: other"))), Unknown);
}

/// https://github.com/netobserv/network-observability-operator/blob/main/docs/FlowCollector.md
#[test]
fn netobserv_counts_when_its_flow_collector_is_ready() {
    let agents = app()
        + &agent(
            "netobserv-privileged",
            "netobserv-ebpf-agent",
            "{name: a, image: 'quay.io/netobserv/netobserv-ebpf-agent:1.9'}",
            &["node-1"],
        );
    let collector = |conditions: &str| {
        format!(
            "\n---\n{{apiVersion: flows.netobserv.io/v1beta2, kind: FlowCollector, metadata: {{name: cluster}}, \
             spec: {{deploymentModel: Direct}}, status: {{conditions: [{conditions}]}}}}"
        )
    };
    assert_findings(ID, &(agents.clone() + &collector("{type: Ready, status: 'True'}")), Pass, &[]);
    assert_findings(
        ID,
        &(agents.clone() + &collector("{type: Ready, status: 'False'}")),
        Fail,
        &["cluster status.conditions[type=Ready]: False"],
    );
    assert_eq!(outcome(ID, &(agents.clone() + &collector(""))), Unknown);
    assert_eq!(outcome(ID, &agents), Fail);
    assert_findings(
        ID,
        &(app() + &collector("{type: Ready, status: 'True'}")),
        Fail,
        &["cluster DaemonSet netobserv-ebpf-agent: not found"],
    );
}

/// https://antrea.io/docs/main/docs/network-flow-visibility/
#[test]
fn antrea_counts_when_agents_export_and_the_aggregator_passes_on() {
    let base = app()
        + &agent(
            "kube-system",
            "antrea-agent",
            "{name: antrea-agent, image: 'antrea/antrea-agent-ubuntu:v2.4.0'}",
            &["node-1"],
        )
        + &deployment("flow-aggregator", "flow-aggregator", "antrea/flow-aggregator:v2.4.0", "{}", 1);
    let agent_config = |conf: &str| config_map("kube-system", "antrea-config", "antrea-agent.conf", conf);
    let config =
        |conf: &str| config_map("flow-aggregator", "flow-aggregator-configmap", "flow-aggregator.conf", conf);
    let exports = "featureGates: {FlowExporter: true}\nflowExporter: {enable: true}\n";
    let passes_on = "flowCollector: {enable: false}\nclickHouse: {enable: true}\n";
    for conf in [exports, "featureGates: {FlowExporter: true}\n"] {
        assert_findings(ID, &(base.clone() + &agent_config(conf) + &config(passes_on)), Pass, &[]);
    }
    assert_eq!(
        outcome(ID, &(base.clone() + &agent_config("flowExporter: {enable: false}") + &config(passes_on))),
        Fail
    );
    assert_eq!(
        outcome(ID, &(base.clone() + &agent_config(exports) + &config("clickHouse: {enable: false}"))),
        Fail
    );
    assert_eq!(outcome(ID, &(base.clone() + &agent_config(exports))), Unknown);
    assert_eq!(outcome(ID, &(base.clone() + &config(passes_on))), Unknown);
}

/// https://docs.datadoghq.com/network_monitoring/cloud_network_monitoring/setup/
#[test]
fn datadog_counts_when_its_system_probe_sees_the_network() {
    let datadog = |containers: &str| {
        app()
            + &agent(
                "datadog",
                "datadog",
                &format!("{{name: agent, image: 'gcr.io/datadoghq/agent:7'}}{containers}"),
                &["node-1"],
            )
    };
    let probe = |env: &str| {
        datadog(&format!(", {{name: system-probe, image: 'gcr.io/datadoghq/agent:7', env: [{env}]}}"))
    };
    assert_eq!(outcome(ID, &probe("{name: DD_SYSTEM_PROBE_NETWORK_ENABLED, value: 'true'}")), Pass);
    let file = |value: &str| {
        config_map(
            "datadog",
            "datadog-system-probe-config",
            "system-probe.yaml",
            &format!("network_config: {{enabled: {value}}}"),
        )
    };
    assert_eq!(outcome(ID, &(probe("") + &file("true"))), Pass);
    assert_eq!(outcome(ID, &(probe("") + &file("false"))), Fail);
    assert_eq!(outcome(ID, &datadog("")), Fail);
    assert_eq!(
        outcome(
            ID,
            &probe(
                "{name: DD_SYSTEM_PROBE_NETWORK_ENABLED, valueFrom: {configMapKeyRef: {name: a, key: b}}}"
            )
        ),
        Unknown
    );
}

/// https://docs.px.dev/reference/architecture/, https://open-docs.neuvector.com/basics/overview,
/// https://docs.redhat.com/en/documentation/red_hat_advanced_cluster_security_for_kubernetes
#[test]
fn agents_count_with_who_collects_what_they_see() {
    for (namespace, name, image, collector, collector_image, labels) in [
        (
            "pl",
            "vizier-pem",
            "ghcr.io/pixie-io/vizier-pem_image:0.14",
            "vizier-query-broker",
            "ghcr.io/pixie-io/vizier-query_broker_server_image:0.14",
            "{}",
        ),
        (
            "neuvector",
            "neuvector-enforcer-pod",
            "docker.io/neuvector/enforcer:5.4",
            "neuvector-controller-pod",
            "docker.io/neuvector/controller:5.4",
            "{}",
        ),
        (
            "stackrox",
            "collector",
            "quay.io/stackrox-io/collector:4.9",
            "sensor",
            "quay.io/stackrox-io/main:4.9",
            "{app: sensor}",
        ),
    ] {
        let agents = app() + &agent(namespace, name, &format!("{{name: a, image: '{image}'}}"), &["node-1"]);
        let collects = |ready| deployment(namespace, collector, collector_image, labels, ready);
        assert_findings(ID, &(agents.clone() + &collects(1)), Pass, &[]);
        assert_eq!(outcome(ID, &(agents.clone() + &collects(0))), Fail, "{name}");
        let alone = result(ID, &inventory(&agents));
        assert_eq!((alone.outcome(), alone.evidence().findings[0].rule.as_str()), (Fail, "no-consumer"));
    }
}

/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-NetworkFlowMonitor-agents-kubernetes-eks.html
#[test]
fn the_eks_add_on_counts() {
    let image = "{name: a, image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/aws-network-sonar-agent:v1.1.2-eksbuild.1'}";
    let yaml =
        app() + &agent("amazon-network-flow-monitor", "aws-network-flow-monitor-agent", image, &["node-1"]);
    assert_findings(ID, &yaml, Pass, &[]);
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

#[test]
fn the_remedy_fits_the_network_plugin_and_turns_hubble_on() {
    let documents = |seen: &Inventory| {
        let items = evaluate(seen, &Parameters::default()).unwrap();
        items.into_iter().find(|item| item.result.id() == ID).unwrap().remediation.documents
    };
    let mut seen = inventory(&(app() + &cilium() + &cilium_config("enable-hubble: 'false'")));
    let given = documents(&seen);
    assert_eq!(given.len(), 1);
    let object: serde_json::Value = given[0].object.clone();
    seen.config_maps.seen.clear();
    seen.insert(Object::deserialize(Kind::ConfigMaps, "v1", object).unwrap());
    assert_eq!(result(ID, &seen).outcome(), Pass);
    assert!(documents(&seen).is_empty());

    let calico = app() + &agent("calico-system", "calico-node", "{name: a, image: calico/node}", &["node-1"]);
    assert_eq!(documents(&inventory(&calico))[0].object["kind"], "Goldmane");
    let other = documents(&inventory(&app()));
    assert_eq!(other[0].target, RemediationTarget::Node);
}
