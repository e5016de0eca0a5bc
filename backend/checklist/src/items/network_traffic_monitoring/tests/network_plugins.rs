//! Monitors that network plugins bring along: Hubble, Calico's, Antrea's.

use super::*;

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
