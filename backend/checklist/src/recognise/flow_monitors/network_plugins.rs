//! The flow monitors that network plugins bring along: Hubble, Calico's, Antrea's.

use super::{Candidate, Monitors, Outcome, Program, falls, has_variable, not_seen};
use crate::inventory::{ConfigMap, Kind, Workload};
use crate::recognise::candidate::ready;
use crate::recognise::object::{config_map_subject, missing_config_map, resource_subject, yaml};
use crate::recognise::subject;
use serde_json::Value;

impl<'a> Monitors<'_, 'a> {
    /// Hubble's agent is Cilium's own, and takes flows nowhere unless somebody asks for them.
    pub(super) fn hubble(&self) -> Outcome {
        let agents = self.installed.workloads(Program::CiliumAgent);
        let relays = self.installed.workloads(Program::HubbleRelay);
        let config = self.config_map("cilium-config", agents);
        // Retina has a Hubble relay of its own.
        if agents.is_empty() && config.is_none() {
            return Ok(None);
        }
        self.hubble_outcome(agents, relays, config).map(Some)
    }

    fn hubble_outcome(
        &self,
        agents: &[&'a Workload],
        relays: &[&'a Workload],
        config: Option<&'a ConfigMap>,
    ) -> Result<Vec<String>, Box<Candidate>> {
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
            let config = config.map_or_else(|| missing_config_map("cilium-config"), config_map_subject);
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
                config.map_or_else(|| missing_config_map("cilium-config"), config_map_subject),
                "data[hubble-metrics]",
                "Hubble keeps flows on each node, and neither Hubble Relay nor hubble-metrics nor hubble-export-file-path takes them further",
                "a Hubble Relay that is ready, hubble-metrics or hubble-export-file-path",
            );
        }
        Ok(notes)
    }

    pub(super) fn goldmane(&self) -> Outcome {
        const WHAT: &str = "Calico Goldmane";
        let collectors = self.installed.workloads(Program::Goldmane);
        let asked_for =
            self.view.inventory.resources_of([Kind::Goldmanes]).min_by_key(|object| &object.meta.name);
        let Some(object) =
            collectors.first().map(|workload| subject(workload)).or(asked_for.map(resource_subject))
        else {
            return Ok(None);
        };
        if collectors.is_empty() {
            return falls(WHAT, "not-ready", object, "Deployment goldmane", "not found", "Goldmane, ready");
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
        self.covers(WHAT, agents).map(Some)
    }

    pub(super) fn calico_flow_logs(&self) -> Outcome {
        let agents = self.installed.workloads(Program::CalicoNode);
        if agents.is_empty() || !self.felix().any(|felix| felix["flowLogsFileEnabled"] == Value::Bool(true)) {
            return Ok(None);
        }
        let mut notes = self.covers("Calico flow logs", agents)?;
        notes.push(if self.installed.workloads(Program::CalicoLogCollector).is_empty() {
            "flow logs are written to files on each node; no collector of theirs was recognised".to_owned()
        } else {
            "flow logs are written to files, and Calico's log collector ships them".to_owned()
        });
        Ok(Some(notes))
    }

    /// The `spec` of every FelixConfiguration, of either group.
    fn felix(&self) -> impl Iterator<Item = &'a Value> {
        let kinds = [Kind::CalicoFelixConfigurations, Kind::CalicoCrdFelixConfigurations];
        self.view.inventory.resources_of(kinds).map(|resource| &resource.body["spec"])
    }

    pub(super) fn antrea(&self) -> Outcome {
        const WHAT: &str = "Antrea Flow Aggregator";
        let aggregators = self.installed.workloads(Program::AntreaFlowAggregator);
        let Some(aggregator) = aggregators.first().map(|workload| subject(workload)) else { return Ok(None) };
        ready(WHAT, aggregators)?;
        let open = |what: &str| Err(Box::new(Candidate::open(WHAT, not_seen(Kind::ConfigMaps, what))));
        let agents = self.installed.workloads(Program::AntreaAgent);
        let Some(agent) =
            self.config_map("antrea-config", agents).and_then(|map| yaml(map, "antrea-agent.conf"))
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
            .config_map("flow-aggregator-configmap", aggregators)
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
        self.covers(WHAT, agents).map(Some)
    }
}
