//! Monitors that see flows between pods: each counts when it is installed, ready on every node that runs application
//! pods, and something collects what it sees.

use super::candidate::{Candidate, ready};
use super::program::Program;
use super::readiness::{some_of, uncovered};
use super::{Installed, recognised_by, subject};
use crate::inventory::{ConfigMap, Kind, Pod, Resource, Workload};
use crate::workloads::View;
use rampart_shared::{Basis, Gap, GapReason, Scope, Subject};
use serde_json::Value;

/// Every kind in which a flow monitor could show itself.
pub const SUPPLIERS: [Kind; 10] = [
    Kind::Pods,
    Kind::Deployments,
    Kind::StatefulSets,
    Kind::DaemonSets,
    Kind::ConfigMaps,
    Kind::CalicoFelixConfigurations,
    Kind::CalicoCrdFelixConfigurations,
    Kind::Goldmanes,
    Kind::FlowCollectors,
    Kind::TetragonTracingPolicies,
];

/// What is looked for, in words.
pub const LOOKED_FOR: &str = "Hubble, Calico Goldmane and flow logs, Retina, NetObserv, Antrea Flow Aggregator, Pixie, \
                              Datadog Cloud Network Monitoring, NeuVector, StackRox, Amazon CloudWatch Network Flow \
                              Monitor, Tetragon's network policies, Istio with Kiali, Linkerd with Viz";

/// Monitors that watch what processes do; they see no flows, or only some.
const RUNTIME_MONITORS: [Program; 4] = [Program::Falco, Program::Tetragon, Program::Sysdig, Program::Tracee];

/// Agents on each node, with who collects what they see; none where that is a service outside the cluster.
const AGENTS: [(Program, Option<Program>); 4] = [
    (Program::PixieAgent, Some(Program::PixieQueryBroker)),
    (Program::NeuVectorEnforcer, Some(Program::NeuVectorController)),
    (Program::StackRoxCollector, Some(Program::StackRoxSensor)),
    (Program::NetworkFlowMonitorAgent, None),
];

/// A monitor that works, with remarks, or what is the matter with it.
type Outcome = Result<Vec<String>, Box<Candidate>>;

/// Every flow monitor that was recognised, and how it stands.
pub fn candidates(view: &View<'_>) -> Vec<Candidate> {
    let monitors = Monitors { view, installed: Installed::of(view.inventory) };
    let mut candidates: Vec<Candidate> = [
        ("Hubble", monitors.hubble()),
        ("Calico Goldmane", monitors.goldmane()),
        ("Calico flow logs", monitors.calico_flow_logs()),
        ("Retina", monitors.retina()),
        ("NetObserv", monitors.netobserv()),
        ("Antrea Flow Aggregator", monitors.antrea()),
        ("Datadog Cloud Network Monitoring", monitors.datadog()),
        ("Tetragon", monitors.tetragon()),
        ("Istio with Kiali", monitors.mesh(Program::Istiod, Program::Kiali, has_istio_proxy)),
        (
            "Linkerd with Viz",
            monitors.mesh(Program::LinkerdControlPlane, Program::LinkerdViz, has_linkerd_proxy),
        ),
    ]
    .into_iter()
    .filter_map(|(name, outcome)| Some(candidate(name, outcome?)))
    .collect();
    candidates.extend(
        AGENTS.into_iter().filter_map(|(agent, collector)| {
            Some(candidate(agent.name(), monitors.agent(agent, collector)?))
        }),
    );
    for recogniser in &view.parameters.network_traffic_monitoring.recognise {
        let workloads = recognised_by(view.inventory, recogniser);
        if !workloads.is_empty() {
            candidates.push(match monitors.covers(recogniser.name(), &workloads) {
                Ok(mut notes) => {
                    notes.push("recognised by the configuration, which says that it sees flows".to_owned());
                    let standing = super::candidate::Standing::Works(Basis::Declared, notes);
                    Candidate { name: recogniser.name().to_owned(), standing }
                }
                Err(candidate) => *candidate,
            });
        }
    }
    candidates
}

/// Runtime monitors, which do not decide.
pub fn runtime_monitors(view: &View<'_>) -> Vec<String> {
    Installed::of(view.inventory)
        .among(&RUNTIME_MONITORS)
        .map(|program| {
            let row = program.row();
            format!("{} {}: it does not see every flow, so it does not decide.", row.name, row.what)
        })
        .collect()
}

fn candidate(name: &str, outcome: Outcome) -> Candidate {
    match outcome {
        Ok(notes) => Candidate::works(name, notes),
        Err(candidate) => *candidate,
    }
}

struct Monitors<'v, 'a> {
    view: &'v View<'a>,
    installed: Installed<'a>,
}

impl<'a> Monitors<'_, 'a> {
    /// Hubble's agent is Cilium's own, and takes flows nowhere unless somebody asks for them.
    fn hubble(&self) -> Option<Outcome> {
        let agents = self.installed.workloads(Program::CiliumAgent);
        let relays = self.installed.workloads(Program::HubbleRelay);
        let config = self.config_map("cilium-config");
        // Retina has a Hubble relay of its own.
        if agents.is_empty() && config.is_none() {
            return None;
        }
        Some(self.hubble_outcome(agents, relays, config))
    }

    fn hubble_outcome(
        &self,
        agents: &[&'a Workload],
        relays: &[&'a Workload],
        config: Option<&'a ConfigMap>,
    ) -> Outcome {
        // GKE installs this relay when Dataplane V2 observability is switched on, and manages its agents.
        let managed = relays.iter().any(|relay| relay.meta.namespace == "gke-managed-dpv2-observability");
        let value = |key: &str| {
            config
                .and_then(|map| map.data.get(key))
                .map(|value| value.trim())
                .filter(|value| !value.is_empty())
        };
        if !managed {
            let Some(config) = config else {
                return Err(Box::new(Candidate::open(
                    "Hubble",
                    not_seen(Kind::ConfigMaps, "the ConfigMap cilium-config"),
                )));
            };
            let enabled = value("enable-hubble");
            if enabled != Some("true") {
                return falls(
                    "Hubble",
                    "switched-off",
                    config_map_subject(config),
                    "data[enable-hubble]",
                    enabled.unwrap_or("unset"),
                    "true",
                );
            }
        }
        if agents.is_empty() {
            let config = config.map_or_else(|| subject_of_cluster("cilium-config"), config_map_subject);
            return falls(
                "Hubble",
                "not-ready",
                config,
                "DaemonSet cilium",
                "not found",
                "Cilium's agents, ready",
            );
        }
        let mut notes = self.covers("Hubble", agents)?;
        let relay = if relays.is_empty() { None } else { Some(ready("Hubble Relay", relays)) };
        if matches!(relay, Some(Ok(()))) {
            notes.push("Hubble Relay collects the flows of every node".to_owned());
        } else if let Some(metrics) = value("hubble-metrics") {
            notes.push(format!("flows are counted as metrics (hubble-metrics: {metrics})"));
        } else if let Some(path) = value("hubble-export-file-path") {
            notes.push(format!("flows are written to {path} on each node"));
        } else if let Some(key) = ["hubble-flowlogs-config-path", "hubble-dynamic-metrics-config-path"]
            .into_iter()
            .find(|key| value(key).is_some())
        {
            let gap = not_seen(Kind::ConfigMaps, &format!("what the file that {key} names exports"));
            return Err(Box::new(Candidate::open("Hubble", gap)));
        } else if let Some(Err(relay)) = relay {
            return Err(relay);
        } else {
            return falls(
                "Hubble",
                "no-consumer",
                config.map_or_else(|| subject_of_cluster("cilium-config"), config_map_subject),
                "data[hubble-metrics]",
                "Hubble keeps flows on each node, and neither Hubble Relay nor hubble-metrics nor hubble-export-file-path takes them further",
                "a Hubble Relay that is ready, hubble-metrics or hubble-export-file-path",
            );
        }
        Ok(notes)
    }

    fn goldmane(&self) -> Option<Outcome> {
        const WHAT: &str = "Calico Goldmane";
        let collectors = self.installed.workloads(Program::Goldmane);
        let asked_for = self.view.inventory.resources(Kind::Goldmanes).seen.first();
        let object =
            collectors.first().map(|workload| subject(workload)).or(asked_for.map(resource_subject))?;
        Some((|| {
            if collectors.is_empty() {
                return falls(
                    WHAT,
                    "not-ready",
                    object,
                    "Deployment goldmane",
                    "not found",
                    "Goldmane, ready",
                );
            }
            ready(WHAT, collectors)?;
            let agents = self.installed.workloads(Program::CalicoNode);
            let sends = asked_for.is_some()
                || agents.iter().any(|agent| has_variable(agent, "FELIX_FLOWLOGSGOLDMANESERVER", |_| true))
                || self.felix().any(|felix| {
                    felix["flowLogsGoldmaneServer"].as_str().is_some_and(|server| !server.is_empty())
                });
            if agents.is_empty() || !sends {
                let observed = "no agent of Calico sends flow logs to it";
                return falls(
                    WHAT,
                    "no-flows",
                    object,
                    "flowLogsGoldmaneServer",
                    observed,
                    "agents that send flow logs",
                );
            }
            self.covers(WHAT, agents)
        })())
    }

    fn calico_flow_logs(&self) -> Option<Outcome> {
        let agents = self.installed.workloads(Program::CalicoNode);
        if agents.is_empty() || !self.felix().any(|felix| felix["flowLogsFileEnabled"] == Value::Bool(true)) {
            return None;
        }
        let mut notes = match self.covers("Calico flow logs", agents) {
            Ok(notes) => notes,
            Err(candidate) => return Some(Err(candidate)),
        };
        notes.push(if self.installed.workloads(Program::CalicoLogCollector).is_empty() {
            "flow logs are written to files on each node; no collector of theirs was recognised".to_owned()
        } else {
            "flow logs are written to files, and Calico's log collector ships them".to_owned()
        });
        Some(Ok(notes))
    }

    /// The `spec` of every FelixConfiguration, of either group.
    fn felix(&self) -> impl Iterator<Item = &'a Value> {
        let kinds = [Kind::CalicoFelixConfigurations, Kind::CalicoCrdFelixConfigurations];
        self.view.inventory.resources_of(kinds).map(|resource| &resource.body["spec"])
    }

    fn retina(&self) -> Option<Outcome> {
        let agents = self.installed.workloads(Program::Retina);
        (!agents.is_empty()).then(|| {
            if let Some(config) = self.config_map("retina-config") {
                match yaml(config, "config.yaml") {
                    Some(value) if value["enablePodLevel"] == Value::Bool(false) => {
                        return falls(
                            "Retina",
                            "no-flows",
                            config_map_subject(config),
                            "data[config.yaml].enablePodLevel",
                            "false: it counts per node",
                            "true",
                        );
                    }
                    Some(_) => {}
                    None => {
                        let gap = not_seen(Kind::ConfigMaps, "config.yaml of the ConfigMap retina-config");
                        return Err(Box::new(Candidate::open("Retina", gap)));
                    }
                }
            }
            let mut notes = self.covers("Retina", agents)?;
            notes.push("flows are served as metrics".to_owned());
            Ok(notes)
        })
    }

    fn netobserv(&self) -> Option<Outcome> {
        const WHAT: &str = "NetObserv";
        let agents = self.installed.workloads(Program::NetObservAgent);
        let Some(collector) = self.view.inventory.resources(Kind::FlowCollectors).seen.first() else {
            let agent = agents.first()?;
            let observed = "agents without a FlowCollector";
            return Some(falls(
                WHAT,
                "no-consumer",
                subject(agent),
                "FlowCollector",
                observed,
                "a FlowCollector that is ready",
            ));
        };
        let object = resource_subject(collector);
        Some((|| match condition(collector, "Ready") {
            None => Err(Box::new(Candidate::open(
                WHAT,
                not_seen(
                    Kind::FlowCollectors,
                    &format!("the condition Ready of FlowCollector {}", collector.meta.name),
                ),
            ))),
            Some(status) if status != "True" => {
                falls(WHAT, "not-ready", object, "status.conditions[type=Ready]", status, "True")
            }
            Some(_) if agents.is_empty() => falls(
                WHAT,
                "not-ready",
                object,
                "DaemonSet netobserv-ebpf-agent",
                "not found",
                "NetObserv's agents, ready",
            ),
            Some(_) => self.covers(WHAT, agents),
        })())
    }

    fn antrea(&self) -> Option<Outcome> {
        const WHAT: &str = "Antrea Flow Aggregator";
        let aggregators = self.installed.workloads(Program::AntreaFlowAggregator);
        let aggregator = subject(aggregators.first()?);
        Some((|| {
            ready(WHAT, aggregators)?;
            let open = |what: &str| Err(Box::new(Candidate::open(WHAT, not_seen(Kind::ConfigMaps, what))));
            let agents = self.installed.workloads(Program::AntreaAgent);
            let Some(agent) = self.config_map("antrea-config").and_then(|map| yaml(map, "antrea-agent.conf"))
            else {
                return open("antrea-agent.conf of the ConfigMap antrea-config");
            };
            // Older versions have the feature gate alone.
            let exports = match &agent["flowExporter"]["enable"] {
                Value::Bool(enable) => *enable,
                _ => agent["featureGates"]["FlowExporter"] == Value::Bool(true),
            };
            if agents.is_empty() || !exports {
                let observed = "Antrea's agents export no flow records";
                return falls(
                    WHAT,
                    "no-flows",
                    aggregator,
                    "flowExporter.enable",
                    observed,
                    "true in antrea-agent.conf",
                );
            }
            let Some(config) = self
                .config_map("flow-aggregator-configmap")
                .and_then(|map| yaml(map, "flow-aggregator.conf"))
            else {
                return open("flow-aggregator.conf of the ConfigMap flow-aggregator-configmap");
            };
            let consumed = ["flowCollector", "clickHouse", "s3Uploader", "flowLogger"]
                .into_iter()
                .any(|exporter| config[exporter]["enable"] == Value::Bool(true))
                || config["externalFlowCollectorAddr"].as_str().is_some_and(|address| !address.is_empty());
            if !consumed {
                let observed = "none of flowCollector, clickHouse, s3Uploader, flowLogger is enabled";
                return falls(
                    WHAT,
                    "no-consumer",
                    aggregator,
                    "flow-aggregator.conf",
                    observed,
                    "one of them enabled",
                );
            }
            self.covers(WHAT, agents)
        })())
    }

    /// The Datadog agent sees flows only with a system probe whose network module is on.
    fn datadog(&self) -> Option<Outcome> {
        const WHAT: &str = "Datadog Cloud Network Monitoring";
        const VARIABLE: &str = "DD_SYSTEM_PROBE_NETWORK_ENABLED";
        let agents: Vec<&Workload> = self
            .installed
            .workloads(Program::DatadogAgent)
            .iter()
            .copied()
            .filter(|workload| workload.kind == Kind::DaemonSets)
            .collect();
        let agent = agents.first()?;
        Some((|| {
            let probes = agent.template.containers.iter().any(|container| container.name == "system-probe");
            let config = self.view.inventory.config_maps.seen.iter().find(|map| {
                map.meta.namespace == agent.meta.namespace && map.meta.name.ends_with("system-probe-config")
            });
            let by_file = config
                .and_then(|map| yaml(map, "system-probe.yaml"))
                .is_some_and(|value| value["network_config"]["enabled"] == Value::Bool(true));
            let by_variable = has_variable(agent, VARIABLE, |value| value == Some("true"));
            if probes && (by_file || by_variable) {
                let mut notes = self.covers(WHAT, &agents)?;
                notes.push("flows are sent to Datadog".to_owned());
                return Ok(notes);
            }
            let elsewhere = has_variable(agent, VARIABLE, |value| value.is_none());
            if probes && (elsewhere || config.is_some_and(|map| map.shortened)) {
                return Err(Box::new(Candidate::open(
                    WHAT,
                    not_seen(Kind::DaemonSets, "whether the system probe's network module is on"),
                )));
            }
            let observed = "the agent runs without a system probe whose network module is on";
            falls(
                WHAT,
                "switched-off",
                subject(agent),
                "containers[name=system-probe]",
                observed,
                format!("{VARIABLE}=true"),
            )
        })())
    }

    /// Tetragon sees flows where a policy for the whole cluster watches connections.
    fn tetragon(&self) -> Option<Outcome> {
        let agents = self.installed.workloads(Program::Tetragon);
        let policy = self
            .view
            .inventory
            .resources(Kind::TetragonTracingPolicies)
            .seen
            .iter()
            .find(|policy| sees_connections(policy))?;
        (!agents.is_empty()).then(|| {
            let mut notes = self.covers("Tetragon", agents)?;
            notes.push(format!("TracingPolicy {} watches TCP connections", policy.meta.name));
            Ok(notes)
        })
    }

    /// Proxies report flows to a mesh's viewer; a pod without one is not seen.
    fn mesh(
        &self,
        control_plane: Program,
        viewer: Program,
        is_enrolled: fn(&Pod) -> bool,
    ) -> Option<Outcome> {
        let control_planes = self.installed.workloads(control_plane);
        let viewers = self.installed.workloads(viewer);
        let object = subject(control_planes.first()?);
        Some((|| {
            if viewers.is_empty() {
                let observed = format!("{} without {}", control_plane.name(), viewer.name());
                return falls(
                    control_plane.name(),
                    "no-consumer",
                    object,
                    viewer.name(),
                    observed,
                    format!("{}, ready", viewer.name()),
                );
            }
            ready(control_plane.name(), control_planes)?;
            ready(viewer.name(), viewers)?;
            let view = self.view;
            let pods = view.inventory.pods.seen.iter().filter(|pod| {
                pod.is_active() && view.scope(pod.meta.namespace_or_default()) == Scope::Application
            });
            let (enrolled, others): (Vec<&Pod>, Vec<&Pod>) = pods.partition(|pod| is_enrolled(pod));
            if !others.is_empty() || enrolled.is_empty() {
                let all = enrolled.len() + others.len();
                let observed = format!("{} of {all} application pods are in the mesh", enrolled.len());
                return falls(
                    control_plane.name(),
                    "uncovered-pods",
                    object,
                    "application pods",
                    observed,
                    "all of them",
                );
            }
            Ok(vec![format!("all {} application pods are in the mesh", enrolled.len())])
        })())
    }

    fn agent(&self, agent: Program, collector: Option<Program>) -> Option<Outcome> {
        let agents = self.installed.workloads(agent);
        let first = agents.first()?;
        Some((|| {
            let Some(collector) = collector else { return self.covers(agent.name(), agents) };
            let collectors = self.installed.workloads(collector);
            if collectors.is_empty() {
                let observed = format!("{} was not found", collector.name());
                let expected = format!("{}, ready", collector.name());
                return falls(
                    agent.name(),
                    "no-consumer",
                    subject(first),
                    collector.name(),
                    observed,
                    expected,
                );
            }
            ready(collector.name(), collectors)?;
            self.covers(agent.name(), agents)
        })())
    }

    /// Whether agents are ready and leave out no node on which application pods run.
    fn covers(&self, what: &str, workloads: &[&'a Workload]) -> Outcome {
        let agents: Vec<&Workload> =
            workloads.iter().copied().filter(|workload| !workload.template.windows).collect();
        ready(what, &agents)?;
        let daemon_sets: Vec<&Workload> =
            agents.iter().copied().filter(|workload| workload.kind == Kind::DaemonSets).collect();
        let Some(first) = daemon_sets.first() else { return Ok(Vec::new()) };
        let nodes = uncovered(self.view, &daemon_sets);
        if !nodes.with_applications.is_empty() {
            let observed = format!(
                "no pod on {} nodes that run application pods: {}",
                nodes.with_applications.len(),
                some_of(&nodes.with_applications)
            );
            let expected = "a pod on every Linux node that runs application pods";
            return falls(what, "uncovered-nodes", subject(first), "spec.template.spec", observed, expected);
        }
        if let Some(gap) = self.view.inventory.gaps(Kind::Nodes).first()
            && !nodes.not_known.is_empty()
        {
            return Err(Box::new(Candidate::open(what, gap.clone())));
        }
        let mut notes = Vec::new();
        if !nodes.idle.is_empty() {
            notes.push(format!(
                "it has no pod on these nodes, which run no application pods: {}",
                some_of(&nodes.idle)
            ));
        }
        if !nodes.virtual_nodes.is_empty() {
            notes.push(format!(
                "it cannot run on virtual nodes, so that it does not see the flows of {}",
                some_of(&nodes.virtual_nodes)
            ));
        }
        Ok(notes)
    }

    fn config_map(&self, name: &str) -> Option<&'a ConfigMap> {
        let maps = &self.view.inventory.config_maps.seen;
        maps.iter().find(|map| map.meta.name == name)
    }
}

fn falls(
    what: &str,
    rule: &'static str,
    subject: Subject,
    path: &'static str,
    observed: impl Into<String>,
    expected: impl Into<String>,
) -> Outcome {
    Err(Box::new(Candidate::falls(what, rule, subject, path, observed, expected)))
}

fn not_seen(kind: Kind, what: &str) -> Gap {
    Gap::new(kind.name(), GapReason::NotCollected, format!("{what} was not seen"))
        .closed_by("Let Rampart read it, or add it to the snapshot.")
}

fn has_variable(workload: &Workload, name: &str, accepts: fn(Option<&str>) -> bool) -> bool {
    workload
        .template
        .containers
        .iter()
        .flat_map(|container| &container.env)
        .any(|variable| variable.name == name && accepts(variable.value.as_deref()))
}

/// A key of a ConfigMap that holds YAML.
fn yaml(map: &ConfigMap, key: &str) -> Option<Value> {
    serde_saphyr::from_str(map.data.get(key)?).ok()
}

/// The status of a condition; none where the object has none of that type.
pub(super) fn condition<'r>(resource: &'r Resource, kind: &str) -> Option<&'r str> {
    let conditions = resource.body["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)?["status"].as_str()
}

fn config_map_subject(map: &ConfigMap) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some(map.meta.namespace_or_default().to_owned()),
        name: map.meta.name.clone(),
    }
}

fn subject_of_cluster(config_map: &str) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some("kube-system".to_owned()),
        name: config_map.to_owned(),
    }
}

/// A custom resource as findings name it.
pub(super) fn resource_subject(resource: &Resource) -> Subject {
    let namespace = resource.kind.is_namespaced().then(|| resource.meta.namespace_or_default().to_owned());
    Subject {
        api_version: resource.api_version.clone(),
        kind: resource.object_kind.clone(),
        namespace,
        name: resource.meta.name.clone(),
    }
}

fn has_container(pod: &Pod, name: &str) -> bool {
    let spec = &pod.spec;
    spec.containers.iter().chain(&spec.init_containers).any(|container| container.name == name)
}

fn has_istio_proxy(pod: &Pod) -> bool {
    let ambient =
        pod.meta.annotations.get("ambient.istio.io/redirection").is_some_and(|value| value == "enabled");
    ambient || has_container(pod, "istio-proxy")
}

fn has_linkerd_proxy(pod: &Pod) -> bool {
    has_container(pod, "linkerd-proxy")
}

/// Whether a TracingPolicy hooks a function that opens TCP connections.
fn sees_connections(policy: &Resource) -> bool {
    policy.body["spec"]["kprobes"].as_array().into_iter().flatten().any(|probe| {
        matches!(probe["call"].as_str(), Some("tcp_connect" | "tcp_v4_connect" | "security_socket_connect"))
    })
}
