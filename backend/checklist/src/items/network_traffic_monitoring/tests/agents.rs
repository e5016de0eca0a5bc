//! Monitors with agents of their own on each node.

use super::*;

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
