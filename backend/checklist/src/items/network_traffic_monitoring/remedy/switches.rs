//! Monitors whose programs run, and the switch of each.

use crate::inventory::{ConfigMap, Kind, Workload};
use crate::recognise::candidate::ready;
use crate::recognise::image::version;
use crate::recognise::program::Program;
use crate::recognise::readiness::uncovered;
use crate::recognise::{Installed, name};
use crate::remedy::{document, kubectl};
use crate::workloads::View;
use rampart_shared::{Finding, RemediationDocument, RemediationTarget};
use serde_json::{Map, Value, json};

/// What switches on the first monitor that would then work.
pub(super) fn documents(
    view: &View<'_>,
    installed: &Installed<'_>,
    findings: &[&Finding],
) -> Vec<RemediationDocument> {
    hubble(view, installed, findings)
        .or_else(|| calico_flow_logs(view, installed))
        .or_else(|| retina(view, installed, findings))
        .or_else(|| tetragon(view, installed, findings))
        .into_iter()
        .collect()
}

/// What makes Calico's operator install Goldmane, where its version knows it: 3.30 and newer.
/// <https://docs.tigera.io/calico/latest/observability/enable-whisker>
pub(super) fn calico_operator(installed: &Installed<'_>, findings: &[&Finding]) -> Vec<RemediationDocument> {
    let knows_it = installed.workloads(Program::CalicoNode).iter().any(|node| {
        node.meta.namespace == "calico-system"
            && node
                .template
                .containers
                .iter()
                .any(|container| version(&container.image).is_some_and(|found| found >= (3, 30)))
    });
    let is_missing = |finding: &&Finding| {
        finding.rule == "no-monitor" || finding.rule == "no-flows" && finding.path == "flowLogsGoldmaneServer"
    };
    if !knows_it || !findings.iter().any(is_missing) {
        return Vec::new();
    }
    [("Goldmane", "collects the flow logs of every node"), ("Whisker", "shows them in a browser")]
        .into_iter()
        .map(|(kind, what)| {
            let object = json!({
                "apiVersion": "operator.tigera.io/v1",
                "kind": kind,
                "metadata": { "name": "default" },
            });
            document(
                RemediationTarget::NewObject,
                format!("Calico's operator installs {kind}, which {what}"),
                &object,
            )
        })
        .collect()
}

/// Hubble counts flows as metrics, which needs nothing but Cilium's agents.
/// <https://docs.cilium.io/en/stable/observability/metrics/#hubble-metrics>
fn hubble(view: &View<'_>, installed: &Installed<'_>, findings: &[&Finding]) -> Option<RemediationDocument> {
    let finding = findings.iter().find(|finding| {
        finding.subject.kind == "ConfigMap"
            && finding.subject.name == "cilium-config"
            && matches!(finding.rule.as_str(), "switched-off" | "no-consumer")
    })?;
    let agents = installed.workloads(Program::CiliumAgent);
    // A provider that runs Cilium puts its configuration back.
    if view.distribution.hides_control_plane() && is_provider(agents) || !runs_everywhere(view, agents) {
        return None;
    }
    let config = view.inventory.config_map(finding.subject.namespace.as_deref()?, "cilium-config")?;
    let is_set = |key: &str| config.data.get(key).is_some_and(|value| !value.trim().is_empty());
    let mut data = vec![("enable-hubble", "true")];
    if !is_set("hubble-metrics") && !is_set("hubble-export-file-path") {
        data.push(("hubble-metrics", "dns drop tcp flow"));
        if !is_set("hubble-metrics-server") {
            data.push(("hubble-metrics-server", ":9965"));
        }
    }
    let restart = kubectl(config.meta.namespace_or_default(), "rollout restart daemonset/cilium");
    let comment = format!(
        "Hubble counts flows as metrics, on port 9965 of each node. Then restart Cilium's agents:\n{restart}\n\
         Where Helm installed Cilium, set hubble.enabled=true and hubble.metrics.enabled={{dns,drop,tcp,flow}} there too,\n\
         and hubble.relay.enabled=true to look at single flows: its next upgrade puts this ConfigMap back."
    );
    Some(config_map(config, &data, comment))
}

/// A FelixConfiguration that has the field is of a Calico that knows it.
/// <https://docs.tigera.io/calico-enterprise/latest/reference/resources/felixconfig>
fn calico_flow_logs(view: &View<'_>, installed: &Installed<'_>) -> Option<RemediationDocument> {
    let agents = installed.workloads(Program::CalicoNode);
    let kinds = [Kind::CalicoFelixConfigurations, Kind::CalicoCrdFelixConfigurations];
    let felix = view
        .inventory
        .resources_of(kinds)
        .filter(|felix| felix.body["spec"]["flowLogsFileEnabled"] == Value::Bool(false))
        .min_by_key(|felix| (felix.meta.name != "default", &felix.meta.name, felix.kind))?;
    if agents.is_empty() || !runs_everywhere(view, agents) {
        return None;
    }
    let with = |enabled: bool| {
        json!({
            "apiVersion": felix.api_version,
            "kind": felix.object_kind,
            "metadata": { "name": felix.meta.name },
            "spec": { "flowLogsFileEnabled": enabled },
        })
    };
    let comment = "Calico's agents write flow logs to /var/log/calico/flowlogs on each node, without a restart. Let a log\n\
                   collector ship them.";
    let mut document = document(RemediationTarget::Apply, comment, &with(true));
    document.undo = Some(with(false));
    Some(document)
}

/// The whole of `config.yaml` is one text: one line of it changes.
/// <https://retina.sh/docs/Installation/Config>
fn retina(view: &View<'_>, installed: &Installed<'_>, findings: &[&Finding]) -> Option<RemediationDocument> {
    let finding = findings.iter().find(|finding| {
        finding.rule == "no-flows"
            && finding.subject.kind == "ConfigMap"
            && finding.subject.name == "retina-config"
    })?;
    let namespace = finding.subject.namespace.as_deref()?;
    let config = view.inventory.config_map(namespace, "retina-config")?;
    let agents = installed.workloads(Program::Retina);
    // What is not the text as it stands must not be written back.
    if config.shortened || !config.credentials.is_empty() || !runs_everywhere(view, agents) {
        return None;
    }
    let text = config.data.get("config.yaml")?;
    let is_switch = |line: &&str| line.starts_with("enablePodLevel:");
    let [line] = text.lines().filter(is_switch).collect::<Vec<_>>()[..] else { return None };
    let (_, value) = line.split_once(':')?;
    if value.trim() != "false" {
        return None;
    }
    let changed = text.replacen(line, "enablePodLevel: true", 1);
    let restart: Vec<String> = agents
        .iter()
        .filter_map(|agent| crate::remedy::reference(agent.kind.kind(), &agent.meta.name))
        .map(|agent| kubectl(namespace, &format!("rollout restart {agent}")))
        .collect();
    let comment = format!(
        "Retina counts flows by pod: one line of config.yaml changes, enablePodLevel. Then restart its agents:\n{}\n\
         Where Helm installed Retina, set enablePodLevel=true there too.",
        restart.join("\n")
    );
    Some(config_map(config, &[("config.yaml", &changed)], comment))
}

/// <https://github.com/cilium/tetragon/blob/main/examples/tracingpolicy/tcp-connect.yaml>
fn tetragon(
    view: &View<'_>,
    installed: &Installed<'_>,
    findings: &[&Finding],
) -> Option<RemediationDocument> {
    let agents = installed.workloads(Program::Tetragon);
    let is_missing = findings.iter().any(|finding| finding.rule == "no-monitor");
    if !is_missing || agents.is_empty() || !runs_everywhere(view, agents) {
        return None;
    }
    let taken = |name: &str| {
        view.inventory
            .resources(Kind::TetragonTracingPolicies)
            .seen
            .iter()
            .any(|policy| policy.meta.name == name)
    };
    let mut name = "watch-connections".to_owned();
    while taken(&name) {
        name.push_str("-rampart");
    }
    let watched =
        |call: &str| json!({ "call": call, "syscall": false, "args": [{ "index": 0, "type": "sock" }] });
    let object = json!({
        "apiVersion": "cilium.io/v1alpha1",
        "kind": "TracingPolicy",
        "metadata": { "name": name },
        "spec": { "kprobes": [watched("tcp_connect"), watched("tcp_close")] },
    });
    let comment = "Tetragon, which runs on every node, writes an event for each TCP connection that is opened or closed. Let a\n\
                   log collector ship its events.";
    Some(document(RemediationTarget::NewObject, comment, &object))
}

/// A ConfigMap with these values; undone, the former ones come back.
fn config_map(config: &ConfigMap, data: &[(&str, &str)], comment: String) -> RemediationDocument {
    let with = |data: Map<String, Value>| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": config.meta.name, "namespace": config.meta.namespace_or_default() },
            "data": data,
        })
    };
    let new = data.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let former: Map<String, Value> =
        data.iter().filter_map(|(key, _)| Some(((*key).to_owned(), json!(config.data.get(*key)?)))).collect();
    let mut document = document(RemediationTarget::Apply, comment, &with(new));
    if !former.is_empty() {
        document.undo = Some(with(former));
    }
    document
}

/// Whether agents are ready and leave out no node with application pods: switched on, they see everything.
fn runs_everywhere(view: &View<'_>, agents: &[&Workload]) -> bool {
    let agents: Vec<&Workload> = agents.iter().copied().filter(|agent| !agent.template.windows).collect();
    let daemon_sets: Vec<&Workload> =
        agents.iter().copied().filter(|agent| agent.kind == Kind::DaemonSets).collect();
    !daemon_sets.is_empty()
        && ready("", &agents).is_ok()
        && uncovered(view, &daemon_sets).with_applications.is_empty()
}

/// Whether these are the agents that a provider runs, not ones that a person installed.
pub(super) fn is_provider(agents: &[&Workload]) -> bool {
    agents.iter().any(|agent| {
        name(agent) == "DaemonSet kube-system/anetd"
            || agent.template.containers.iter().any(|container| {
                container.image.contains("mcr.microsoft.com/") || container.image.contains("gke.gcr.io/")
            })
    })
}
