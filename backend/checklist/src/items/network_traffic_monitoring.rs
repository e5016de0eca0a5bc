//! **A monitor sees the traffic between pods.**
//!
//! One flow-level monitor is enough, if it is installed, ready on every Linux node that runs application pods, and
//! something collects what it sees. Monitors of processes are shown and do not decide. How each monitor is recognised
//! and judged stands in `recognise`.

use super::Item;
use crate::Kind;
use crate::judge::Observation;
use crate::need::Need;
use crate::recognise::candidate::{Question, decide};
use crate::recognise::program::Program;
use crate::recognise::{Installed, flow_monitors};
use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{
    Category, ItemId, ItemResult, Remediation, RemediationDocument, RemediationTarget, Scope,
};
use serde_json::json;

pub(super) const ITEM: Item = Item {
    id: ItemId::NetworkTrafficMonitoring,
    number: 9,
    category: Category::Network,
    title: "A monitor sees the traffic between pods",
    short_title: "Traffic monitoring",
    checks: "A monitor that sees flows is installed, ready, and something collects what it sees: Hubble with Hubble Relay, \
             hubble-metrics or an export file; Calico Goldmane or flow logs; Retina; NetObserv; Antrea Flow Aggregator; \
             Pixie; Datadog Cloud Network Monitoring; NeuVector; StackRox; Amazon CloudWatch Network Flow Monitor; Tetragon \
             with a policy that watches connections; Istio with Kiali, or Linkerd with Viz, over every application pod. Its \
             agents must run on every Linux node with application pods. One is enough. More can be recognised by image or \
             label, in the configuration.",
    why: "Policies say what may talk to what; only a monitor says what does. Without one, whoever moves through the \
          network or carries data out leaves no trace, and a policy that is too wide is never noticed.",
    cannot_see: "Whether anybody looks at the flows or is warned by them, how long they are kept, monitors outside the \
                 cluster (flow logs of a cloud's network among them), and monitors that are not in the table. Monitors of \
                 processes, such as Falco, are shown and do not decide.",
    references: &[
        (
            "Cilium: Setting up Hubble observability",
            "https://docs.cilium.io/en/stable/observability/hubble/setup/",
        ),
        (
            "Calico: Flow logs with Goldmane and Whisker",
            "https://docs.tigera.io/calico/latest/observability/enable-whisker",
        ),
        (
            "GKE: Dataplane V2 observability",
            "https://cloud.google.com/kubernetes-engine/docs/concepts/about-dpv2-observability",
        ),
        (
            "NSA/CISA Kubernetes Hardening Guidance: audit logging and threat detection",
            "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::conditional(Kind::Deployments),
        Need::conditional(Kind::ReplicaSets),
        Need::conditional(Kind::StatefulSets),
        Need::conditional(Kind::DaemonSets),
        Need::conditional(Kind::Jobs),
        Need::conditional(Kind::CronJobs),
        Need::conditional(Kind::Nodes),
        Need::conditional(Kind::ConfigMaps),
        Need::conditional(Kind::CalicoFelixConfigurations),
        Need::conditional(Kind::CalicoCrdFelixConfigurations),
        Need::conditional(Kind::Goldmanes),
        Need::conditional(Kind::FlowCollectors),
        Need::conditional(Kind::TetragonTracingPolicies),
    ],
    observe,
    remedy,
};

const UNIT: &str = "cluster";

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: UNIT, ..Observation::default() };
    let has_applications =
        view.workloads.iter().any(|workload| workload.scope == Scope::Application && workload.has_pods());
    if !has_applications {
        // What was not listed could be an application.
        for need in ITEM_WORKLOADS {
            observation.undecided.extend_from_slice(view.inventory.gaps(need));
        }
        return observation;
    }
    observation.examined.insert(UNIT.to_owned());
    let question = Question {
        unit: UNIT,
        none: (
            "no-monitor",
            "flow monitor",
            format!("none was recognised; looked for: {}", flow_monitors::LOOKED_FOR),
        ),
        expected: "a monitor that sees flows, ready, and something that collects them",
        suppliers: &flow_monitors::SUPPLIERS,
    };
    decide(&mut observation, view.inventory, &question, flow_monitors::candidates(view));
    observation.notes.extend(flow_monitors::runtime_monitors(view));
    observation
}

/// The kinds that make application pods.
const ITEM_WORKLOADS: [Kind; 6] =
    [Kind::Deployments, Kind::ReplicaSets, Kind::StatefulSets, Kind::DaemonSets, Kind::Jobs, Kind::CronJobs];

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Switches on the flow monitor that the cluster's network plugin brings along, or gives the settings of one \
                  that works with any. Where a finding names a monitor that is installed and not ready, mend that one \
                  instead: `kubectl describe` the workload that it names.",
        may_break: "The agents restart, one node after the other; connections stay. Watching flows costs each node some \
                    processor time and memory: look at both on one node first. Metrics by pod can be many series.",
        undo: "Put the former values back and restart the agents, or delete the objects that were added.",
    };
    let mut documents = Vec::new();
    let rules: Vec<&str> = result.application_findings().map(|finding| finding.rule.as_str()).collect();
    if rules.iter().any(|rule| matches!(*rule, "no-monitor" | "switched-off" | "no-consumer" | "no-flows")) {
        let installed = Installed::of(view.inventory);
        if !installed.workloads(Program::CiliumAgent).is_empty() {
            documents.push(hubble(view));
        } else if installed
            .workloads(Program::CalicoNode)
            .iter()
            .any(|node| node.meta.namespace == "calico-system")
        {
            documents.extend([calico("Goldmane"), calico("Whisker")]);
        } else {
            documents.push(retina());
        }
    }
    remediation(result, texts, documents)
}

fn hubble(view: &View<'_>) -> RemediationDocument {
    let namespace = view
        .inventory
        .config_maps
        .seen
        .iter()
        .find(|map| map.meta.name == "cilium-config")
        .map_or("kube-system", |map| map.meta.namespace_or_default());
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "cilium-config", "namespace": namespace },
        "data": {
            "enable-hubble": "true",
            "hubble-metrics": "dns drop tcp flow",
            "hubble-metrics-server": ":9965",
        },
    });
    let comment = format!(
        "Hubble counts flows as metrics on port 9965 of each node. Where Helm installed Cilium, set hubble.enabled=true and\n\
         hubble.metrics.enabled={{dns,drop,tcp,flow}} there instead, and hubble.relay.enabled=true to look at single flows:\n\
         its next upgrade puts this ConfigMap back. Then: kubectl -n {namespace} rollout restart daemonset/cilium"
    );
    document(RemediationTarget::Apply, comment, &object)
}

fn calico(kind: &str) -> RemediationDocument {
    let object = json!({
        "apiVersion": "operator.tigera.io/v1",
        "kind": kind,
        "metadata": { "name": "default" },
    });
    let what = if kind == "Goldmane" { "collects the flow logs" } else { "shows them" };
    document(
        RemediationTarget::NewObject,
        format!("Calico 3.30 and newer, installed by its operator: {kind} {what}"),
        &object,
    )
}

fn retina() -> RemediationDocument {
    let object = json!({ "operator": { "enabled": true }, "enablePodLevel": true, "remoteContext": true });
    let comment = "Retina works with any network plugin. These are values of its Helm chart, not an object: save them as FILE, then\n\
                   helm upgrade --install retina oci://ghcr.io/microsoft/retina/charts/retina --namespace kube-system --values FILE\n\
                   with the --version that https://retina.sh/docs/Installation/Setup names. Let Prometheus read its metrics.";
    document(RemediationTarget::Node, comment, &object)
}

#[cfg(test)]
mod tests;
