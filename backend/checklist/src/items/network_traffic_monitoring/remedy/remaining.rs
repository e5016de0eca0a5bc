//! What a person has to do: install a monitor, or mend one.

use super::switches::is_provider;
use crate::distribution::Distribution;
use crate::recognise::Installed;
use crate::recognise::program::Program;
use crate::remedy::{describe, remainder};
use crate::workloads::View;
use rampart_shared::{Finding, Remainder};
use std::collections::BTreeMap;

/// Each task with the findings that it is for.
pub(super) fn remaining(view: &View<'_>, installed: &Installed<'_>, findings: &[&Finding]) -> Vec<Remainder> {
    let mut tasks: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        tasks.entry(task(view, installed, finding)).or_default().push(finding);
    }
    tasks.into_iter().filter_map(|(task, findings)| remainder(task, findings)).collect()
}

fn task(view: &View<'_>, installed: &Installed<'_>, finding: &Finding) -> String {
    let observed = &finding.observed;
    let look = describe(&finding.subject);
    match finding.rule.as_str() {
        "no-monitor" => install(view, installed),
        "uncovered-nodes" => format!(
            "{observed}. Let the agent run there: by tolerations for the nodes' taints, or by a wider node selector \
             (`{look}`). Which nodes may stay without is for a person to say."
        ),
        "uncovered-pods" => format!(
            "{observed}. Put the others into the mesh as the remedy of item service-mtls does, or install a monitor \
             that sees pods without a proxy too. {}",
            install(view, installed)
        ),
        "not-ready" if finding.path.starts_with("DaemonSet") || finding.path.starts_with("Deployment") => {
            format!(
                "{} {}: {}. Its configuration is there and its program is not: install it, or see why its operator does not \
             (`{look}`). Rampart cannot install programs.",
                finding.subject.kind, finding.subject.name, finding.path
            )
        }
        "not-ready" => format!(
            "{observed}. Find out why and mend it: `{look}`, the events of its namespace, the logs of its pods. Rampart \
             sees that it is not ready, not what keeps it."
        ),
        _ => format!(
            "{} {}: {observed}. {}",
            finding.subject.kind,
            finding.subject.name,
            switch(finding, &look)
        ),
    }
}

/// How a monitor is switched on whose switch is not a field of an object that was seen whole.
fn switch(finding: &Finding, look: &str) -> String {
    let how = match (finding.path.as_str(), finding.subject.name.as_str()) {
        ("data[enable-hubble]" | "data[hubble-metrics]", _) => {
            "Where Cilium's agents are not ready everywhere, mend them first. Then switch Hubble on: `helm upgrade cilium \
             cilium/cilium --namespace kube-system --reuse-values --set hubble.enabled=true --set hubble.relay.enabled=true`, \
             https://docs.cilium.io/en/stable/observability/hubble/setup/. On GKE: `gcloud container clusters update CLUSTER \
             --enable-dataplane-v2-flow-observability`; on AKS: `az aks update --resource-group GROUP --name CLUSTER \
             --enable-acns`."
        }
        ("data[config.yaml].enablePodLevel", _) => {
            "Set enablePodLevel to true in config.yaml of that ConfigMap and restart Retina's agents, or `helm upgrade retina \
             oci://ghcr.io/microsoft/retina/charts/retina --namespace kube-system --reuse-values --set enablePodLevel=true`, \
             https://retina.sh/docs/Installation/Setup."
        }
        ("flowLogsGoldmaneServer", _) => {
            "Let Calico's agents send flow logs to it: with Calico's operator apply an object Goldmane named default, \
             https://docs.tigera.io/calico/latest/observability/enable-whisker."
        }
        ("flowExporter.enable", _) => {
            "Set flowExporter.enable to true in antrea-agent.conf of the ConfigMap antrea-config and restart the DaemonSet \
             antrea-agent, https://antrea.io/docs/main/docs/network-flow-visibility/."
        }
        ("flow-aggregator.conf", _) => {
            "Enable one of flowCollector, clickHouse, s3Uploader and flowLogger in flow-aggregator.conf of the ConfigMap \
             flow-aggregator-configmap: which one is for a person to choose, \
             https://antrea.io/docs/main/docs/network-flow-visibility/."
        }
        ("containers[name=system-probe]", _) => {
            "`helm upgrade datadog datadog/datadog --reuse-values --set datadog.networkMonitoring.enabled=true`, \
             https://docs.datadoghq.com/network_monitoring/cloud_network_monitoring/setup/."
        }
        ("Kiali", _) => {
            "Install Kiali, https://istio.io/latest/docs/ops/integrations/kiali/, with the Prometheus that it reads."
        }
        ("Linkerd Viz", _) => {
            "`linkerd viz install | kubectl apply -f -`, https://linkerd.io/2/tasks/extensions/."
        }
        ("FlowCollector", _) => {
            "Make a FlowCollector named cluster, with the store that it writes to: \
             https://github.com/netobserv/network-observability-operator/blob/main/docs/FlowCollector.md."
        }
        _ => return format!("Expected: {}. Look at it with `{look}`.", finding.expected),
    };
    how.to_owned()
}

/// Which monitor fits this cluster, and how it is installed.
fn install(view: &View<'_>, installed: &Installed<'_>) -> String {
    let has = |program: Program| !installed.workloads(program).is_empty();
    let fits = if has(Program::CalicoNode) && !is_provider(installed.workloads(Program::CalicoNode)) {
        "Calico 3.30 and newer, installed by its operator, brings Goldmane: \
         https://docs.tigera.io/calico/latest/observability/enable-whisker. Where the objects are given beside this, apply \
         them; the finding goes once the operator has made Goldmane, which Rampart does not imagine. Older ones: upgrade \
         Calico first."
    } else if has(Program::AntreaAgent) {
        "Antrea brings its Flow Aggregator: `helm install flow-aggregator antrea/flow-aggregator --namespace \
         flow-aggregator --create-namespace`, with flowExporter.enable in antrea-agent.conf, \
         https://antrea.io/docs/main/docs/network-flow-visibility/."
    } else {
        match view.distribution {
            Distribution::Gke => {
                "With Dataplane V2: `gcloud container clusters update CLUSTER --enable-dataplane-v2-flow-observability`, \
                 https://cloud.google.com/kubernetes-engine/docs/how-to/configure-dpv2-observability."
            }
            Distribution::Aks => {
                "`az aks update --resource-group GROUP --name CLUSTER --enable-acns`, \
                 https://learn.microsoft.com/azure/aks/container-network-observability-how-to."
            }
            Distribution::Eks => {
                "Amazon's add-on for CloudWatch Network Flow Monitor: \
                 https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-NetworkFlowMonitor-agents-kubernetes-eks.html."
            }
            Distribution::OpenShift => {
                "The Network Observability Operator of OpenShift's catalogue, with a FlowCollector: \
                 https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/network_observability/."
            }
            _ => {
                "Retina works with any network plugin: `helm upgrade --install retina \
                 oci://ghcr.io/microsoft/retina/charts/retina --namespace kube-system --set operator.enabled=true --set \
                 enablePodLevel=true --set remoteContext=true` with the --version that \
                 https://retina.sh/docs/Installation/Setup names, and a Prometheus that reads its metrics."
            }
        }
    };
    format!(
        "Install a flow monitor; which is for a person to choose, and Rampart cannot install programs. {fits} Any other \
         of those that the finding names does as well."
    )
}
