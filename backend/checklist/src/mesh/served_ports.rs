//! Which pods stand behind a Service, and on which of their ports.

use crate::inventory::{Inventory, Labels, Pod, PolicyPort, Service, ServicePort};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;

/// A port of a pod on which a Service sends it traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServedPort {
    /// The pod's port; none where the Service names none, which means every port.
    pub number: Option<u16>,
    /// The protocol.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// The ports of every pod that stands behind a Service.
#[derive(Debug, Default)]
pub struct ServedPorts<'a> {
    by_pod: HashMap<PodKey<'a>, BTreeSet<ServedPort>>,
}

/// Namespace and name.
type PodKey<'a> = (&'a str, &'a str);

impl fmt::Display for ServedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{number}/{}", self.protocol.as_str()),
            None => write!(f, "*/{}", self.protocol.as_str()),
        }
    }
}

impl Protocol {
    /// As the API has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }

    /// Unset is TCP, and so is what the API does not know.
    fn of(text: Option<&str>) -> Protocol {
        match text {
            Some("UDP") => Protocol::Udp,
            Some("SCTP") => Protocol::Sctp,
            _ => Protocol::Tcp,
        }
    }
}

impl<'a> ServedPorts<'a> {
    /// Puts Services, their selectors and their EndpointSlices together. Whether an endpoint is ready does not
    /// matter: it is reached as soon as it is, and by its own address before.
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut served = ServedPorts::default();
        served.add_selected(inventory);
        served.add_endpoints(inventory);
        served
    }

    /// The ports of a pod; empty where no Service has it.
    pub fn of_pod<'s>(&'s self, pod: &'s Pod) -> impl Iterator<Item = ServedPort> + 's {
        self.by_pod
            .get(&(pod.meta.namespace_or_default(), pod.meta.name.as_str()))
            .into_iter()
            .flatten()
            .copied()
    }

    fn add_selected(&mut self, inventory: &'a Inventory) {
        // By one label of the selector, the one that the fewest Services of the namespace share: pods then meet
        // the Services that may select them, not all of them.
        type Pair<'s> = (&'s str, &'s str, &'s str);
        let selecting: Vec<&Service> = inventory
            .services
            .seen
            .iter()
            .filter(|service| service.spec.service_type != "ExternalName")
            .filter(|service| !service.spec.selector.is_empty())
            .collect();
        let mut shared: HashMap<Pair<'_>, usize> = HashMap::new();
        for service in &selecting {
            for (name, value) in &service.spec.selector {
                *shared.entry((service.meta.namespace_or_default(), name, value)).or_default() += 1;
            }
        }
        let mut by_pair: HashMap<Pair<'_>, Vec<&Service>> = HashMap::new();
        for service in selecting {
            let pair = service
                .spec
                .selector
                .iter()
                .map(|(name, value)| (service.meta.namespace_or_default(), name.as_str(), value.as_str()))
                .min_by_key(|pair| shared.get(pair).copied());
            if let Some(pair) = pair {
                by_pair.entry(pair).or_default().push(service);
            }
        }
        for pod in &inventory.pods.seen {
            let namespace = pod.meta.namespace_or_default();
            for (name, value) in pod.meta.labels.iter() {
                for service in by_pair.get(&(namespace, name.as_str(), value.as_str())).into_iter().flatten()
                {
                    if selects(&service.spec.selector, &pod.meta.labels) {
                        self.add_service(pod, service);
                    }
                }
            }
        }
    }

    fn add_service(&mut self, pod: &'a Pod, service: &Service) {
        if service.spec.ports.is_empty() {
            // A headless Service may name no port: then its clients take whichever the pod serves.
            self.add_declared(pod);
        }
        for port in &service.spec.ports {
            // A pod without the port that is named is not behind this port of the Service.
            if let Some(number) = target_port(pod, port) {
                let protocol = Protocol::of(port.protocol.as_deref());
                self.add(pod, ServedPort { number: Some(number), protocol });
            }
        }
    }

    fn add_endpoints(&mut self, inventory: &'a Inventory) {
        let mut by_name: HashMap<PodKey<'_>, &'a Pod> = HashMap::new();
        let mut by_address: HashMap<IpAddr, &'a Pod> = HashMap::new();
        for pod in &inventory.pods.seen {
            by_name.insert((pod.meta.namespace_or_default(), &pod.meta.name), pod);
            // A node's address says nothing of which pod is meant, and an ended pod's address may be another's.
            if !pod.spec.host_network && pod.is_active() {
                by_address.extend(pod.ips.iter().map(|address| (*address, &**pod)));
            }
        }
        for slice in &inventory.endpoint_slices.seen {
            if slice.meta.labels.get("kubernetes.io/service-name").is_none_or(String::is_empty) {
                continue;
            }
            for endpoint in &slice.endpoints {
                let pods: Vec<&'a Pod> = match &endpoint.pod {
                    Some((namespace, name)) => {
                        let namespace = match namespace.as_str() {
                            "" => slice.meta.namespace_or_default(),
                            namespace => namespace,
                        };
                        by_name.get(&(namespace, name.as_str())).copied().into_iter().collect()
                    }
                    None => endpoint
                        .addresses
                        .iter()
                        .filter_map(|address| by_address.get(&address.parse().ok()?).copied())
                        .collect(),
                };
                for pod in pods {
                    if slice.ports.is_empty() {
                        self.add_declared(pod);
                    }
                    for port in &slice.ports {
                        let protocol = Protocol::of(port.protocol.as_deref());
                        match port.port {
                            None => self.add(pod, ServedPort { number: None, protocol }),
                            Some(number) => {
                                if let Ok(number) = u16::try_from(number) {
                                    self.add(pod, ServedPort { number: Some(number), protocol });
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The ports that the containers say they serve, or every port where they say none.
    fn add_declared(&mut self, pod: &'a Pod) {
        let mut declared = false;
        for (container, port) in ports(pod) {
            // The proxies' own ports are not what the Service is for.
            if !matches!(container, "istio-proxy" | "linkerd-proxy")
                && let Ok(number) = u16::try_from(port.container_port)
            {
                declared = true;
                let protocol = Protocol::of(port.protocol.as_deref());
                self.add(pod, ServedPort { number: Some(number), protocol });
            }
        }
        if !declared {
            self.add(pod, ServedPort { number: None, protocol: Protocol::Tcp });
        }
    }

    fn add(&mut self, pod: &'a Pod, port: ServedPort) {
        self.by_pod
            .entry((pod.meta.namespace_or_default(), pod.meta.name.as_str()))
            .or_default()
            .insert(port);
    }
}

/// The ports that containers declare, with their container: of all that run beside each other, sidecars last.
pub(super) fn ports(pod: &Pod) -> impl Iterator<Item = (&str, &crate::inventory::ContainerPort)> {
    let sidecars = pod.spec.init_containers.iter().filter(|container| container.restarts_always);
    pod.spec
        .containers
        .iter()
        .chain(sidecars)
        .flat_map(|container| container.ports.iter().map(|port| (container.name.as_str(), port)))
}

fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// The port of this pod that a port of a Service sends to.
fn target_port(pod: &Pod, port: &ServicePort) -> Option<u16> {
    let number = match &port.target_port {
        None | Some(PolicyPort::Number(0)) => port.port,
        Some(PolicyPort::Number(number)) => *number,
        Some(PolicyPort::Name(name)) => {
            let protocol = Protocol::of(port.protocol.as_deref());
            ports(pod)
                .map(|(_, declared)| declared)
                .find(|declared| {
                    declared.name == *name && Protocol::of(declared.protocol.as_deref()) == protocol
                })?
                .container_port
        }
    };
    u16::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::inventory;

    const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, labels: {app: web, tier: front}}, \
        spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}, {name: http, containerPort: 8081, protocol: UDP}]}], \
        initContainers: [{name: side, restartPolicy: Always, ports: [{name: metrics, containerPort: 9090}]}, \
        {name: once, ports: [{name: gone, containerPort: 7070}]}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.9}]}}";

    fn service(spec: &str) -> String {
        format!("{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {spec}}}")
    }

    fn slice(rest: &str) -> String {
        format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: web-x, namespace: shop, \
             labels: {{kubernetes.io/service-name: web}}}}, addressType: IPv4, {rest}}}"
        )
    }

    fn served(documents: &[String]) -> Vec<String> {
        let inventory = inventory(&format!("{POD}\n---\n{}", documents.join("\n---\n")));
        let ports = ServedPorts::of(&inventory);
        ports.of_pod(&inventory.pods.seen[0]).map(|port| port.to_string()).collect()
    }

    /// https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
    #[test]
    fn services_select_pods_and_name_their_ports() {
        let cases = [
            ("{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}", vec!["8080/TCP"]),
            ("{selector: {app: web}, ports: [{port: 80}]}", vec!["80/TCP"]),
            ("{selector: {app: web, tier: front}, ports: [{port: 80, targetPort: http}]}", vec!["8080/TCP"]),
            (
                "{selector: {app: web}, ports: [{port: 53, targetPort: http, protocol: UDP}]}",
                vec!["8081/UDP"],
            ),
            ("{selector: {app: web}, ports: [{port: 80, targetPort: metrics}]}", vec!["9090/TCP"]),
            ("{selector: {app: web}, ports: [{port: 80, targetPort: gone}]}", vec![]),
            ("{selector: {app: web}, ports: [{port: 80, targetPort: nowhere}]}", vec![]),
            ("{selector: {app: web, tier: back}, ports: [{port: 80}]}", vec![]),
            ("{ports: [{port: 80}]}", vec![]),
            (
                "{type: ExternalName, externalName: a.example, selector: {app: web}, ports: [{port: 80}]}",
                vec![],
            ),
            ("{clusterIP: None, selector: {app: web}}", vec!["8080/TCP", "8081/UDP", "9090/TCP"]),
            (
                "{clusterIP: None, publishNotReadyAddresses: true, selector: {app: web}, ports: [{port: 8080}]}",
                vec!["8080/TCP"],
            ),
        ];
        for (spec, expected) in cases {
            let mut expected = expected;
            expected.sort_unstable();
            let mut found = served(&[service(spec)]);
            found.sort_unstable();
            assert_eq!(found, expected, "{spec}");
        }
    }

    #[test]
    fn a_service_of_another_namespace_does_not_select() {
        let elsewhere = service("{selector: {app: web}, ports: [{port: 80}]}").replace("shop", "bank");
        assert!(served(&[elsewhere]).is_empty());
    }

    /// https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
    #[test]
    fn endpoint_slices_name_pods_by_reference_and_by_address() {
        let by_reference = "endpoints: [{addresses: [10.1.0.9], targetRef: {kind: Pod, namespace: shop, name: web-1}, conditions: {ready: false}}], ports: [{port: 8080}, {port: 53, protocol: UDP}]";
        assert_eq!(served(&[slice(by_reference)]), ["53/UDP", "8080/TCP"]);
        let by_address = "endpoints: [{addresses: [10.1.0.9]}], ports: [{port: 8080}]";
        assert_eq!(served(&[slice(by_address)]), ["8080/TCP"]);
        assert_eq!(served(&[slice("endpoints: [{addresses: [10.1.0.9]}], ports: [{}]")]), ["*/TCP"]);
        assert!(served(&[slice("endpoints: [{addresses: [10.1.0.8]}], ports: [{port: 8080}]")]).is_empty());
        let nameless = slice(by_address).replace("kubernetes.io/service-name: web", "app: web");
        assert!(served(&[nameless]).is_empty());
    }
}
