//! **A monitor sees the traffic between pods.**
//!
//! One flow-level monitor is enough, if it is installed, ready on every Linux node that runs application pods, and
//! something collects what it sees. Monitors of processes are shown and do not decide. How each monitor is recognised
//! and judged stands in `recognise`.

mod remedy;

use super::Item;
use crate::Kind;
use crate::judge::Observation;
use crate::need::Need;
use crate::recognise::candidate::{Question, decide};
use crate::recognise::flow_monitors;
use crate::workloads::View;
use rampart_shared::{Category, ItemId, Scope};

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
    remedy: remedy::remedy,
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

#[cfg(test)]
mod tests;
