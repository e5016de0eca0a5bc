//! The programs that items recognise, one row each. To know another one, add a variant and a row.

/// A program that watches traffic, collects what was watched, or manages secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is documented by its row")]
pub enum Program {
    CiliumAgent,
    HubbleRelay,
    CalicoNode,
    Goldmane,
    CalicoLogCollector,
    Retina,
    NetObservAgent,
    AntreaAgent,
    AntreaFlowAggregator,
    PixieAgent,
    PixieQueryBroker,
    DatadogAgent,
    NeuVectorEnforcer,
    NeuVectorController,
    StackRoxCollector,
    StackRoxSensor,
    NetworkFlowMonitorAgent,
    Istiod,
    Kiali,
    LinkerdControlPlane,
    LinkerdViz,
    Falco,
    Tetragon,
    Sysdig,
    Tracee,
    ExternalSecrets,
    SecretsStoreCsiDriver,
    VaultAgentInjector,
    VaultSecretsOperator,
    SealedSecrets,
}

/// What is known of a program. One match of any column recognises it.
#[derive(Debug)]
pub struct Row {
    /// The program.
    pub program: Program,
    /// What it is called.
    pub name: &'static str,
    /// What it does, for a person.
    pub what: &'static str,
    /// The last components of its image's repository, as many as make it unmistakable.
    pub images: &'static [&'static str],
    /// A label of the workload or of its pods that nothing else has.
    pub labels: &'static [(&'static str, &'static str)],
    /// Namespace and name of the workload, where the project or provider fixes both.
    pub names: &'static [(&'static str, &'static str)],
    /// Where that is documented.
    pub source: &'static str,
}

/// In the order of [`Program`].
pub const ROWS: [Row; 30] = [
    Row {
        program: Program::CiliumAgent,
        name: "Cilium",
        what: "the agent on each node that sees the flows for Hubble",
        images: &["cilium/cilium", "cilium/cilium-ci", "cilium/cilium-distroless"],
        labels: &[("app.kubernetes.io/name", "cilium-agent")],
        // GKE Dataplane V2 calls its Cilium agent anetd.
        names: &[("kube-system", "anetd"), ("kube-system", "cilium")],
        source: "https://docs.cilium.io/en/stable/observability/hubble/setup/",
    },
    Row {
        program: Program::HubbleRelay,
        name: "Hubble Relay",
        what: "collects Hubble's flows from every node",
        images: &["cilium/hubble-relay", "hubble-relay"],
        labels: &[("app.kubernetes.io/name", "hubble-relay"), ("k8s-app", "hubble-relay")],
        names: &[("gke-managed-dpv2-observability", "hubble-relay")],
        source: "https://docs.cilium.io/en/stable/observability/hubble/setup/",
    },
    Row {
        program: Program::CalicoNode,
        name: "Calico",
        what: "the agent on each node whose Felix logs flows",
        images: &["calico/node", "tigera/cnx-node", "tigera/calico-node"],
        labels: &[],
        names: &[("calico-system", "calico-node"), ("kube-system", "calico-node")],
        source: "https://docs.tigera.io/calico/latest/observability/enable-whisker",
    },
    Row {
        program: Program::Goldmane,
        name: "Calico Goldmane",
        what: "collects Calico's flow logs from every node",
        images: &["calico/goldmane", "tigera/goldmane"],
        labels: &[],
        names: &[("calico-system", "goldmane")],
        source: "https://docs.tigera.io/calico/latest/observability/enable-whisker",
    },
    Row {
        program: Program::CalicoLogCollector,
        name: "Calico log collector",
        what: "ships Calico's flow log files from every node",
        images: &["tigera/fluentd", "tigera/fluent-bit"],
        labels: &[],
        names: &[("tigera-fluentd", "fluentd-node"), ("calico-fluent-bit", "calico-fluent-bit")],
        source: "https://docs.tigera.io/calico-enterprise/latest/observability/elastic/flow/datatypes",
    },
    Row {
        program: Program::Retina,
        name: "Retina",
        what: "the agent on each node that sees flows",
        // AKS installs the same agent for Advanced Container Networking Services.
        images: &["retina/retina-agent", "retina-agent", "retina-agent-enterprise"],
        labels: &[("k8s-app", "retina")],
        names: &[],
        source: "https://retina.sh/docs/Installation/Setup",
    },
    Row {
        program: Program::NetObservAgent,
        name: "NetObserv",
        what: "the eBPF agent on each node that sees flows",
        images: &["netobserv/netobserv-ebpf-agent", "network-observability-ebpf-agent-rhel9"],
        labels: &[("app", "netobserv-ebpf-agent")],
        names: &[],
        source: "https://github.com/netobserv/network-observability-operator/blob/main/docs/FlowCollector.md",
    },
    Row {
        program: Program::AntreaAgent,
        name: "Antrea",
        what: "the agent on each node that exports flow records",
        images: &["antrea/antrea-agent-ubuntu", "antrea/antrea-agent-ubi", "antrea/antrea-ubuntu"],
        labels: &[("component", "antrea-agent")],
        names: &[("kube-system", "antrea-agent")],
        source: "https://antrea.io/docs/main/docs/network-flow-visibility/",
    },
    Row {
        program: Program::AntreaFlowAggregator,
        name: "Antrea Flow Aggregator",
        what: "collects the flow records of every Antrea agent",
        images: &["antrea/flow-aggregator"],
        labels: &[],
        names: &[("flow-aggregator", "flow-aggregator")],
        source: "https://antrea.io/docs/main/docs/network-flow-visibility/",
    },
    Row {
        program: Program::PixieAgent,
        name: "Pixie",
        what: "the agent on each node that sees flows",
        images: &["vizier-pem_image"],
        labels: &[("name", "vizier-pem")],
        names: &[],
        source: "https://docs.px.dev/reference/architecture/",
    },
    Row {
        program: Program::PixieQueryBroker,
        name: "Pixie's query broker",
        what: "answers queries over what Pixie's agents saw",
        images: &["vizier-query_broker_server_image"],
        labels: &[("name", "vizier-query-broker")],
        names: &[],
        source: "https://docs.px.dev/reference/architecture/",
    },
    Row {
        program: Program::DatadogAgent,
        name: "Datadog Cloud Network Monitoring",
        what: "the agent on each node whose system probe sees flows, where that is switched on",
        images: &["datadog/agent", "datadoghq/agent", "datadog/docker-dd-agent"],
        labels: &[("agent.datadoghq.com/component", "agent")],
        names: &[],
        source: "https://docs.datadoghq.com/network_monitoring/cloud_network_monitoring/setup/",
    },
    Row {
        program: Program::NeuVectorEnforcer,
        name: "NeuVector",
        what: "the enforcer on each node that sees flows",
        images: &["neuvector/enforcer", "neuvector-enforcer"],
        labels: &[],
        names: &[
            ("neuvector", "neuvector-enforcer-pod"),
            ("cattle-neuvector-system", "neuvector-enforcer-pod"),
        ],
        source: "https://open-docs.neuvector.com/basics/overview",
    },
    Row {
        program: Program::NeuVectorController,
        name: "NeuVector's controller",
        what: "collects what NeuVector's enforcers saw",
        images: &["neuvector/controller", "neuvector-controller"],
        labels: &[],
        names: &[
            ("neuvector", "neuvector-controller-pod"),
            ("cattle-neuvector-system", "neuvector-controller-pod"),
        ],
        source: "https://open-docs.neuvector.com/basics/overview",
    },
    Row {
        program: Program::StackRoxCollector,
        name: "StackRox",
        what: "the collector on each node that sees flows",
        images: &[
            "stackrox-io/collector",
            "stackrox/collector",
            "rhacs-eng/collector",
            "advanced-cluster-security/rhacs-collector-rhel8",
            "advanced-cluster-security/rhacs-collector-rhel9",
        ],
        labels: &[],
        names: &[("stackrox", "collector")],
        source: "https://docs.redhat.com/en/documentation/red_hat_advanced_cluster_security_for_kubernetes",
    },
    Row {
        program: Program::StackRoxSensor,
        name: "StackRox's sensor",
        what: "collects what StackRox's collectors saw",
        images: &[],
        labels: &[],
        names: &[("stackrox", "sensor")],
        source: "https://docs.redhat.com/en/documentation/red_hat_advanced_cluster_security_for_kubernetes",
    },
    Row {
        program: Program::NetworkFlowMonitorAgent,
        name: "Amazon CloudWatch Network Flow Monitor",
        what: "the EKS add-on whose agent on each node sends TCP flows to CloudWatch",
        images: &["aws-network-sonar-agent", "aws-network-flow-monitor-agent"],
        labels: &[("name", "aws-network-flow-monitor-agent")],
        names: &[("amazon-network-flow-monitor", "aws-network-flow-monitor-agent")],
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-NetworkFlowMonitor-agents-kubernetes-eks.html",
    },
    Row {
        program: Program::Istiod,
        name: "Istio",
        what: "the control plane of the proxies that see flows",
        images: &["istio/pilot", "istio-release/pilot"],
        labels: &[("app", "istiod")],
        names: &[],
        source: "https://istio.io/latest/docs/ops/integrations/kiali/",
    },
    Row {
        program: Program::Kiali,
        name: "Kiali",
        what: "shows the flows that Istio's proxies saw",
        images: &[
            "kiali/kiali",
            "kiali-ossmc",
            "openshift-service-mesh/kiali-rhel8",
            "openshift-service-mesh/kiali-rhel9",
        ],
        labels: &[("app.kubernetes.io/name", "kiali"), ("app", "kiali")],
        names: &[],
        source: "https://kiali.io/docs/configuration/",
    },
    Row {
        program: Program::LinkerdControlPlane,
        name: "Linkerd",
        what: "the control plane of the proxies that see flows",
        images: &[],
        labels: &[("linkerd.io/control-plane-component", "destination")],
        names: &[],
        source: "https://linkerd.io/2/reference/architecture/",
    },
    Row {
        program: Program::LinkerdViz,
        name: "Linkerd Viz",
        what: "shows the flows that Linkerd's proxies saw",
        images: &["linkerd/metrics-api"],
        labels: &[("linkerd.io/extension", "viz")],
        names: &[("linkerd-viz", "metrics-api")],
        source: "https://linkerd.io/2/reference/extension-list/",
    },
    Row {
        program: Program::Falco,
        name: "Falco",
        what: "watches system calls",
        images: &["falcosecurity/falco", "falcosecurity/falco-no-driver"],
        labels: &[("app.kubernetes.io/name", "falco")],
        names: &[],
        source: "https://falco.org/docs/setup/kubernetes/",
    },
    Row {
        program: Program::Tetragon,
        name: "Tetragon",
        what: "watches processes, and connections where a tracing policy asks for them",
        images: &["cilium/tetragon"],
        labels: &[("app.kubernetes.io/name", "tetragon")],
        names: &[],
        source: "https://tetragon.io/docs/use-cases/network-observability/",
    },
    Row {
        program: Program::Sysdig,
        name: "Sysdig",
        what: "watches system calls",
        images: &["sysdig/agent", "sysdig/agent-slim"],
        labels: &[("app.kubernetes.io/name", "sysdig-agent")],
        names: &[],
        source: "https://docs.sysdig.com/en/docs/installation/sysdig-secure/install-agent-components/kubernetes/",
    },
    Row {
        program: Program::Tracee,
        name: "Tracee",
        what: "watches system calls",
        images: &["aquasec/tracee"],
        labels: &[("app.kubernetes.io/name", "tracee")],
        names: &[],
        source: "https://aquasecurity.github.io/tracee/latest/docs/install/kubernetes/",
    },
    Row {
        program: Program::ExternalSecrets,
        name: "External Secrets Operator",
        what: "copies secrets from an external store",
        images: &["external-secrets/external-secrets"],
        labels: &[("app.kubernetes.io/name", "external-secrets")],
        names: &[],
        source: "https://external-secrets.io/latest/introduction/getting-started/",
    },
    Row {
        program: Program::SecretsStoreCsiDriver,
        name: "Secrets Store CSI driver",
        what: "mounts secrets from an external store into pods",
        images: &[
            "csi-secrets-store/driver",
            // Azure Key Vault provider for AKS.
            "kubernetes-csi/secrets-store/driver",
            "openshift4/ose-secrets-store-csi-driver-rhel9",
        ],
        labels: &[
            ("app", "secrets-store-csi-driver"),
            ("app.kubernetes.io/name", "secrets-store-csi-driver"),
        ],
        names: &[("kube-system", "aks-secrets-store-csi-driver")],
        source: "https://secrets-store-csi-driver.sigs.k8s.io/getting-started/installation",
    },
    Row {
        program: Program::VaultAgentInjector,
        name: "Vault Agent Injector",
        what: "adds an agent to pods that fetches secrets from Vault",
        images: &["hashicorp/vault-k8s", "hashicorp/vault-k8s-ubi"],
        labels: &[("app.kubernetes.io/name", "vault-agent-injector")],
        names: &[],
        source: "https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector",
    },
    Row {
        program: Program::VaultSecretsOperator,
        name: "Vault Secrets Operator",
        what: "copies secrets from Vault",
        images: &["hashicorp/vault-secrets-operator", "hashicorp/vault-secrets-operator-ubi"],
        labels: &[("app.kubernetes.io/name", "vault-secrets-operator")],
        names: &[],
        source: "https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso",
    },
    Row {
        program: Program::SealedSecrets,
        name: "Sealed Secrets",
        what: "decrypts in the cluster what stands encrypted in git",
        images: &[
            "bitnami/sealed-secrets-controller",
            "bitnami-labs/sealed-secrets-controller",
            "bitnami/sealed-secrets",
        ],
        labels: &[("app.kubernetes.io/name", "sealed-secrets")],
        names: &[("kube-system", "sealed-secrets-controller")],
        source: "https://github.com/bitnami-labs/sealed-secrets",
    },
];

impl Program {
    /// The table stands in the order of the variants; a test compares them.
    pub const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        self.row().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_variants_and_every_row_recognises_something() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.program as usize, index, "{}", row.name);
            assert!(
                !(row.images.is_empty() && row.labels.is_empty() && row.names.is_empty()),
                "{}",
                row.name
            );
            assert!(row.source.starts_with("https://") && !row.what.is_empty(), "{}", row.name);
        }
    }
}
