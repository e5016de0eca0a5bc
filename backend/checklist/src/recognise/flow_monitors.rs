//! Monitors that see flows between pods: each counts when it is installed, ready on every node that runs application
//! pods, and something collects what it sees.

mod network_plugins;

use super::candidate::{Candidate, ready};
use super::object::{condition, config_map_subject, resource_subject, yaml};
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

/// Remarks on a monitor that works, none where it is not there, or what is the matter with it.
type Outcome = Result<Option<Vec<String>>, Box<Candidate>>;

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
    .filter_map(|(name, outcome)| candidate(name, outcome))
    .collect();
    candidates.extend(
        AGENTS
            .into_iter()
            .filter_map(|(agent, collector)| candidate(agent.name(), monitors.agent(agent, collector))),
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

fn candidate(name: &str, outcome: Outcome) -> Option<Candidate> {
    match outcome {
        Ok(notes) => Some(Candidate::works(name, notes?)),
        Err(candidate) => Some(*candidate),
    }
}

struct Monitors<'v, 'a> {
    view: &'v View<'a>,
    installed: Installed<'a>,
}

impl<'a> Monitors<'_, 'a> {
    fn retina(&self) -> Outcome {
        let agents = self.installed.workloads(Program::Retina);
        if agents.is_empty() {
            return Ok(None);
        }
        let mut notes = self.covers("Retina", agents)?;
        // It may count per node; only its configuration shows that it does not.
        let Some(config) = self.config_map("retina-config", agents) else {
            let hidden = self.view.inventory.gaps(Kind::ConfigMaps).first().cloned();
            let gap = hidden.unwrap_or_else(|| not_seen(Kind::ConfigMaps, "the ConfigMap retina-config"));
            return Err(Box::new(Candidate::open("Retina", gap)));
        };
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
        notes.push("flows are served as metrics".to_owned());
        Ok(Some(notes))
    }

    fn netobserv(&self) -> Outcome {
        const WHAT: &str = "NetObserv";
        let agents = self.installed.workloads(Program::NetObservAgent);
        let Some(collector) =
            self.view.inventory.resources_of([Kind::FlowCollectors]).min_by_key(|object| &object.meta.name)
        else {
            let Some(agent) = agents.first() else { return Ok(None) };
            let observed = "agents without a FlowCollector";
            return falls(
                WHAT,
                "no-consumer",
                subject(agent),
                "FlowCollector",
                observed,
                "a FlowCollector that is ready",
            );
        };
        let object = resource_subject(collector);
        match condition(collector, "Ready") {
            None => {
                let what = format!("the condition Ready of FlowCollector {}", collector.meta.name);
                Err(Box::new(Candidate::open(WHAT, not_seen(Kind::FlowCollectors, &what))))
            }
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
            Some(_) => self.covers(WHAT, agents).map(Some),
        }
    }

    /// The Datadog agent sees flows only with a system probe whose network module is on.
    fn datadog(&self) -> Outcome {
        const WHAT: &str = "Datadog Cloud Network Monitoring";
        const VARIABLE: &str = "DD_SYSTEM_PROBE_NETWORK_ENABLED";
        let agents: Vec<&Workload> = self
            .installed
            .workloads(Program::DatadogAgent)
            .iter()
            .copied()
            .filter(|workload| workload.kind == Kind::DaemonSets)
            .collect();
        let Some(agent) = agents.first() else { return Ok(None) };
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
            return Ok(Some(notes));
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
    }

    /// Tetragon sees flows where a policy for the whole cluster watches connections.
    fn tetragon(&self) -> Outcome {
        let agents = self.installed.workloads(Program::Tetragon);
        let Some(policy) = self
            .view
            .inventory
            .resources_of([Kind::TetragonTracingPolicies])
            .filter(|policy| sees_connections(policy))
            .min_by_key(|policy| &policy.meta.name)
        else {
            return Ok(None);
        };
        if agents.is_empty() {
            return Ok(None);
        }
        let mut notes = self.covers("Tetragon", agents)?;
        notes.push(format!("TracingPolicy {} watches TCP connections", policy.meta.name));
        Ok(Some(notes))
    }

    /// Proxies report flows to a mesh's viewer; a pod without one is not seen.
    fn mesh(&self, control_plane: Program, viewer: Program, is_enrolled: fn(&Pod) -> bool) -> Outcome {
        let control_planes = self.installed.workloads(control_plane);
        let viewers = self.installed.workloads(viewer);
        let Some(object) = control_planes.first().map(|workload| subject(workload)) else { return Ok(None) };
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
        // The mesh's own pods need no proxy.
        let own = |namespace: &str| {
            control_planes
                .iter()
                .chain(viewers)
                .any(|workload| workload.meta.namespace_or_default() == namespace)
        };
        let pods = view.inventory.pods.seen.iter().map(|pod| &**pod).filter(|pod| {
            let namespace = pod.meta.namespace_or_default();
            pod.is_active() && view.scope(namespace) == Scope::Application && !own(namespace)
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
        Ok(Some(vec![format!("all {} application pods are in the mesh", enrolled.len())]))
    }

    fn agent(&self, agent: Program, collector: Option<Program>) -> Outcome {
        let agents = self.installed.workloads(agent);
        let Some(first) = agents.first() else { return Ok(None) };
        let Some(collector) = collector else { return self.covers(agent.name(), agents).map(Some) };
        let collectors = self.installed.workloads(collector);
        if collectors.is_empty() {
            let observed = format!("{} was not found", collector.name());
            let expected = format!("{}, ready", collector.name());
            return falls(agent.name(), "no-consumer", subject(first), collector.name(), observed, expected);
        }
        ready(collector.name(), collectors)?;
        self.covers(agent.name(), agents).map(Some)
    }

    /// Whether agents are ready and leave out no node on which application pods run.
    fn covers(&self, what: &str, workloads: &[&'a Workload]) -> Result<Vec<String>, Box<Candidate>> {
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

    /// A program's ConfigMap: that of its own namespace, before one of the same name elsewhere.
    fn config_map(&self, name: &str, workloads: &[&Workload]) -> Option<&'a ConfigMap> {
        let home = workloads.first().map_or("kube-system", |workload| workload.meta.namespace_or_default());
        let maps = self.view.inventory.config_maps.seen.iter().filter(|map| map.meta.name == name);
        maps.min_by_key(|map| (map.meta.namespace != home, &map.meta.namespace))
    }
}

fn falls<T>(
    what: &str,
    rule: &'static str,
    subject: Subject,
    path: &'static str,
    observed: impl Into<String>,
    expected: impl Into<String>,
) -> Result<T, Box<Candidate>> {
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
