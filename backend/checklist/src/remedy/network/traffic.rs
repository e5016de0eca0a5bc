//! What is evidently used of a cluster's network: DNS, Services, webhooks, the API server.

use crate::inventory::{EndpointSlice, Inventory, Kind, Labels, Pod, PolicyPort, Service, ServicePort};
use crate::mesh::ServedPorts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// A port of pods, as policies name it: what Services translate is translated before policies look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PodPort {
    pub(super) target: Target,
    pub(super) protocol: &'static str,
}

/// A port by number or by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Number(u16),
    Name(String),
}

/// What stands behind one Service, and who reaches it.
#[derive(Debug)]
pub(super) struct Served<'a> {
    pub(super) service: &'a Service,
    /// The ports that the cluster's pods reach.
    pub(super) from_cluster: BTreeSet<PodPort>,
    /// The ports that are reached from outside too, or by the API server.
    pub(super) from_anywhere: BTreeSet<PodPort>,
}

/// What is evidently used.
#[derive(Debug)]
pub(super) struct Traffic<'a> {
    inventory: &'a Inventory,
    pods: HashMap<&'a str, Vec<&'a Pod>>,
    /// Pods in the network of their node, by namespace and name.
    on_host: HashSet<(&'a str, &'a str)>,
    services: HashMap<&'a str, Vec<&'a Service>>,
    /// By namespace and name of their Service.
    slices: HashMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>,
    /// Ports of Services that the API server calls.
    called: HashSet<(&'a str, &'a str, i64)>,
    /// The ports of every pod behind a Service.
    pub(super) ports: ServedPorts<'a>,
}

/// The link-local address of NodeLocal DNSCache:
/// <https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/>.
const NODE_LOCAL_DNS: &str = "169.254.20.10";
/// Where the Service of DNS is, on OpenShift and elsewhere.
const DNS_NAMESPACES: [&str; 2] = ["kube-system", "openshift-dns"];
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

impl PodPort {
    pub(super) fn number(number: u16, protocol: &'static str) -> PodPort {
        PodPort { target: Target::Number(number), protocol }
    }

    pub(super) fn as_json(&self) -> Value {
        match &self.target {
            Target::Number(number) => json!({ "protocol": self.protocol, "port": number }),
            Target::Name(name) => json!({ "protocol": self.protocol, "port": name }),
        }
    }
}

impl std::fmt::Display for PodPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.target {
            Target::Number(number) => write!(f, "{number}/{}", self.protocol),
            Target::Name(name) => write!(f, "{name}/{}", self.protocol),
        }
    }
}

impl<'a> Traffic<'a> {
    pub(super) fn of(inventory: &'a Inventory) -> Traffic<'a> {
        let mut pods: HashMap<&str, Vec<&Pod>> = HashMap::new();
        for pod in inventory.pods.seen.iter().filter(|pod| pod.is_active()) {
            pods.entry(pod.meta.namespace_or_default()).or_default().push(pod);
        }
        let on_host = pods.values().flatten().filter(|pod| pod.spec.host_network);
        let on_host = on_host.map(|pod| (pod.meta.namespace_or_default(), pod.meta.name.as_str())).collect();
        let mut services: HashMap<&str, Vec<&Service>> = HashMap::new();
        for service in inventory.services.seen.iter().filter(|one| one.spec.service_type != "ExternalName") {
            services.entry(service.meta.namespace_or_default()).or_default().push(service);
        }
        services.values_mut().for_each(|list| list.sort_by(|a, b| a.meta.name.cmp(&b.meta.name)));
        let mut slices: HashMap<(&str, &str), Vec<&EndpointSlice>> = HashMap::new();
        for slice in &inventory.endpoint_slices.seen {
            if let Some(service) = slice.meta.labels.get("kubernetes.io/service-name") {
                slices.entry((slice.meta.namespace_or_default(), service)).or_default().push(slice);
            }
        }
        Traffic {
            inventory,
            pods,
            on_host,
            services,
            slices,
            called: called(inventory),
            ports: ServedPorts::of(inventory),
        }
    }

    /// What the Services of a namespace make reachable.
    pub(super) fn served(&self, namespace: &str) -> Vec<Served<'a>> {
        let services = self.services.get(namespace).map_or(&[][..], Vec::as_slice);
        services
            .iter()
            .filter(|service| !service.spec.selector.is_empty())
            .map(|service| {
                let public = matches!(service.spec.service_type.as_str(), "LoadBalancer" | "NodePort")
                    || !service.spec.external_ips.is_empty();
                let mut served =
                    Served { service, from_cluster: BTreeSet::new(), from_anywhere: BTreeSet::new() };
                if service.spec.ports.is_empty() {
                    served.from_cluster = self.declared(namespace, &service.spec.selector);
                }
                for port in &service.spec.ports {
                    let Some(pod_port) = pod_port(port) else { continue };
                    if public || self.called.contains(&(namespace, service.meta.name.as_str(), port.port)) {
                        served.from_anywhere.insert(pod_port);
                    } else {
                        served.from_cluster.insert(pod_port);
                    }
                }
                served
            })
            .filter(|served| !served.from_cluster.is_empty() || !served.from_anywhere.is_empty())
            .collect()
    }

    /// The ports on which any Service of the cluster sends traffic to pods.
    pub(super) fn served_anywhere(&self) -> BTreeSet<PodPort> {
        let mut ports = BTreeSet::new();
        let mut named: HashSet<(&str, &str)> = HashSet::new();
        for pod in self.pods.values().flatten() {
            for port in self.ports.of_pod(pod) {
                ports.extend(port.number.map(|number| PodPort::number(number, port.protocol.as_str())));
            }
            let names = pod.spec.containers.iter().flat_map(|container| &container.ports);
            named.extend(names.map(|port| (pod.meta.namespace_or_default(), port.name.as_str())));
        }
        for (namespace, services) in &self.services {
            for port in
                services.iter().filter(|one| !one.spec.selector.is_empty()).flat_map(|one| &one.spec.ports)
            {
                match pod_port(port) {
                    // A name that running pods have is among the numbers already.
                    Some(PodPort { target: Target::Name(name), .. })
                        if named.contains(&(namespace, name.as_str())) => {}
                    port => ports.extend(port),
                }
            }
        }
        ports
    }

    /// Addresses behind the Services of a namespace that no selector of pods means, with their ports.
    pub(super) fn addresses(&self, namespace: &str) -> BTreeMap<BTreeSet<PodPort>, BTreeSet<IpAddr>> {
        let mut found: BTreeMap<BTreeSet<PodPort>, BTreeSet<IpAddr>> = BTreeMap::new();
        for service in self.services.get(namespace).into_iter().flatten() {
            if (namespace, service.meta.name.as_str()) == ("default", "kubernetes") {
                continue;
            }
            for slice in self.slices.get(&(namespace, service.meta.name.as_str())).into_iter().flatten() {
                let ports: BTreeSet<PodPort> = slice
                    .ports
                    .iter()
                    .filter_map(|port| endpoint_port(port.port, port.protocol.as_deref()))
                    .collect();
                let addresses = self.outside(slice);
                if !ports.is_empty() && !addresses.is_empty() {
                    found.entry(ports).or_default().extend(addresses);
                }
            }
        }
        found
    }

    /// The rules that let a pod ask the cluster's DNS.
    pub(super) fn dns(&self) -> Vec<Value> {
        let mut rules = Vec::new();
        let mut local: BTreeSet<IpAddr> = NODE_LOCAL_DNS.parse().into_iter().collect();
        for namespace in DNS_NAMESPACES {
            for service in self.services.get(namespace).into_iter().flatten() {
                let asked: Vec<&ServicePort> =
                    service.spec.ports.iter().filter(|port| port.port == 53).collect();
                if asked.is_empty() {
                    continue;
                }
                local.extend(
                    service.spec.cluster_ips.iter().filter_map(|address| address.parse::<IpAddr>().ok()),
                );
                let slices = self.slices.get(&(namespace, service.meta.name.as_str()));
                let slices = slices.map_or(&[][..], Vec::as_slice);
                let mut ports: BTreeSet<PodPort> = slices
                    .iter()
                    .flat_map(|slice| &slice.ports)
                    .filter(|port| asked.iter().any(|asked| asked.name == port.name))
                    .filter_map(|port| endpoint_port(port.port, port.protocol.as_deref()))
                    .collect();
                if ports.is_empty() {
                    ports = asked.iter().filter_map(|port| pod_port(port)).collect();
                }
                if !service.spec.selector.is_empty() {
                    rules.push(json!({ "to": [pods_of(namespace, &service.spec.selector)], "ports": as_json(&ports) }));
                }
                let addresses: BTreeSet<IpAddr> =
                    slices.iter().flat_map(|slice| self.outside(slice)).collect();
                if !addresses.is_empty() {
                    rules.push(json!({ "to": blocks(&addresses), "ports": as_json(&ports) }));
                }
            }
        }
        let usual: BTreeSet<PodPort> = ["UDP", "TCP"].map(|protocol| PodPort::number(53, protocol)).into();
        if rules.is_empty() {
            let labels = Labels::from([("k8s-app".to_owned(), "kube-dns".to_owned())]);
            rules.push(json!({ "to": [pods_of("kube-system", &labels)], "ports": as_json(&usual) }));
        }
        if self.has_node_local_dns() {
            // It answers at the Service's own address too, before anything is translated.
            rules.push(json!({ "to": blocks(&local), "ports": as_json(&usual) }));
        }
        rules
    }

    /// A pod that answers DNS, and the port.
    pub(super) fn dns_pod(&self) -> Option<(&'a Pod, u16)> {
        let service = DNS_NAMESPACES
            .iter()
            .filter_map(|namespace| self.services.get(namespace))
            .flatten()
            .find(|service| service.spec.ports.iter().any(|port| port.port == 53))?;
        let pods = self.pods.get(service.meta.namespace_or_default())?.iter();
        let pod = pods
            .filter(|pod| !pod.spec.host_network && selects(&service.spec.selector, &pod.meta.labels))
            .min_by_key(|pod| pod.meta.name.as_str())?;
        let mut ports: Vec<u16> = self
            .ports
            .of_pod(pod)
            .filter(|port| port.protocol.as_str() == "UDP")
            .filter_map(|port| port.number)
            .collect();
        ports.sort_unstable();
        Some((pod, ports.first().copied()?))
    }

    /// Where the API server listens.
    pub(super) fn api_server(&self) -> BTreeMap<BTreeSet<PodPort>, BTreeSet<IpAddr>> {
        let mut found: BTreeMap<BTreeSet<PodPort>, BTreeSet<IpAddr>> = BTreeMap::new();
        for slice in self.slices.get(&("default", "kubernetes")).into_iter().flatten() {
            let ports: BTreeSet<PodPort> = slice
                .ports
                .iter()
                .filter_map(|port| endpoint_port(port.port, port.protocol.as_deref()))
                .collect();
            let addresses: Vec<IpAddr> = addresses(slice).collect();
            if !ports.is_empty() && !addresses.is_empty() {
                found.entry(ports).or_default().extend(addresses);
            }
        }
        found
    }

    /// The addresses of nodes on whose own network something takes HTTP: an ingress controller, evidently.
    pub(super) fn front_doors(&self) -> BTreeSet<IpAddr> {
        let takes_http = |pod: &Pod| {
            let mut ports = pod.spec.containers.iter().flat_map(|container| &container.ports);
            ports.any(|port| matches!(port.container_port, 80 | 443))
        };
        let on_host = self.pods.values().flatten().filter(|pod| pod.spec.host_network && takes_http(pod));
        on_host.flat_map(|pod| pod.ips.iter().copied()).collect()
    }

    /// Whether Istio's node proxies carry the traffic of a namespace:
    /// <https://istio.io/latest/docs/ambient/usage/networkpolicy/>.
    pub(super) fn is_ambient(&self, namespace: &str) -> bool {
        let ambient =
            |labels: &Labels| labels.get("istio.io/dataplane-mode").is_some_and(|mode| mode == "ambient");
        self.inventory.namespaces.seen.iter().any(|seen| seen.name == namespace && ambient(&seen.labels))
            || self.pods.get(namespace).into_iter().flatten().any(|pod| ambient(&pod.meta.labels))
    }

    fn has_node_local_dns(&self) -> bool {
        let is = |name: &str| ["node-local-dns", "nodelocaldns"].iter().any(|known| name.contains(known));
        let mut daemon_sets = self.inventory.daemon_sets.seen.iter();
        daemon_sets.any(|one| one.meta.namespace == "kube-system" && is(&one.meta.name))
            || !self.inventory.daemon_sets.is_complete()
    }

    /// The ports that the pods with these labels declare.
    fn declared(&self, namespace: &str, selector: &Labels) -> BTreeSet<PodPort> {
        let pods = self.pods.get(namespace).into_iter().flatten();
        pods.filter(|pod| selects(selector, &pod.meta.labels))
            .flat_map(|pod| &pod.spec.containers)
            .flat_map(|container| &container.ports)
            .filter_map(|port| endpoint_port(Some(port.container_port), port.protocol.as_deref()))
            .collect()
    }

    /// The addresses of a slice that are no pods', or those of pods in their node's network.
    fn outside(&self, slice: &EndpointSlice) -> BTreeSet<IpAddr> {
        let is_pod = |(namespace, name): &(String, String)| {
            let namespace = if namespace.is_empty() { slice.meta.namespace_or_default() } else { namespace };
            !self.on_host.contains(&(namespace, name.as_str()))
        };
        slice
            .endpoints
            .iter()
            .filter(|endpoint| !endpoint.pod.as_ref().is_some_and(is_pod))
            .flat_map(|endpoint| &endpoint.addresses)
            .filter_map(|address| address.parse().ok())
            .collect()
    }
}

/// A peer: the pods with these labels in a namespace.
pub(super) fn pods_of(namespace: &str, labels: &Labels) -> Value {
    json!({
        "namespaceSelector": { "matchLabels": { NAMESPACE_NAME: namespace } },
        "podSelector": { "matchLabels": labels },
    })
}

/// Peers: these addresses, one by one.
pub(super) fn blocks(addresses: &BTreeSet<IpAddr>) -> Vec<Value> {
    addresses.iter().map(|address| json!({ "ipBlock": { "cidr": single(*address) } })).collect()
}

/// An address as the range of itself.
pub(super) fn single(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

pub(super) fn as_json(ports: &BTreeSet<PodPort>) -> Vec<Value> {
    ports.iter().map(PodPort::as_json).collect()
}

fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(name, value)| labels.get(name) == Some(value))
}

fn addresses(slice: &EndpointSlice) -> impl Iterator<Item = IpAddr> {
    slice.endpoints.iter().flat_map(|endpoint| &endpoint.addresses).filter_map(|address| address.parse().ok())
}

/// The port of the pods; none where no policy could name it.
fn pod_port(port: &ServicePort) -> Option<PodPort> {
    match &port.target_port {
        Some(PolicyPort::Name(name)) if !name.is_empty() => {
            Some(PodPort { target: Target::Name(name.clone()), protocol: protocol(port.protocol.as_deref()) })
        }
        Some(PolicyPort::Number(number)) if *number != 0 => {
            endpoint_port(Some(*number), port.protocol.as_deref())
        }
        _ => endpoint_port(Some(port.port), port.protocol.as_deref()),
    }
}

fn endpoint_port(number: Option<i64>, of: Option<&str>) -> Option<PodPort> {
    let number = u16::try_from(number?).ok().filter(|number| *number != 0)?;
    Some(PodPort::number(number, protocol(of)))
}

/// Unset is TCP.
fn protocol(protocol: Option<&str>) -> &'static str {
    match protocol {
        Some("UDP") => "UDP",
        Some("SCTP") => "SCTP",
        _ => "TCP",
    }
}

/// The ports of Services that admission webhooks are called at; unset is 443.
fn called(inventory: &Inventory) -> HashSet<(&str, &str, i64)> {
    inventory
        .resources_of([Kind::ValidatingWebhookConfigurations, Kind::MutatingWebhookConfigurations])
        .flat_map(|configuration| configuration.body["webhooks"].as_array().into_iter().flatten())
        .filter_map(|webhook| {
            let service = &webhook["clientConfig"]["service"];
            let port = service["port"].as_i64().unwrap_or(443);
            Some((service["namespace"].as_str()?, service["name"].as_str()?, port))
        })
        .collect()
}
