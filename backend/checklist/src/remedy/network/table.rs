//! Who reaches what, before and after.

use super::traffic::Traffic;
use crate::inventory::{Pod, PolicyDirection};
use crate::network::{Network, Peer, Protocol, Reachability};
use crate::remedy::table;
use crate::workloads::View;
use rampart_shared::{RemediationTable, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that nobody has: <https://www.rfc-editor.org/rfc/rfc5737>, <https://www.rfc-editor.org/rfc/rfc3849>.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OUTSIDE_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// How many rows are worked out; the table says how many more there would be.
const SHOWN: usize = 100;

/// A connection that is tried.
struct Trial<'a> {
    workload: String,
    pod: &'a Pod,
    port: u16,
    protocol: Protocol,
    other: Other<'a>,
}

/// The other end.
enum Other<'a> {
    FromPod(&'a Pod),
    FromOutside(IpAddr),
    ToPod(&'a Pod, &'static str),
    ToAddress(IpAddr, &'static str),
}

/// Trials for one pod of each workload in namespaces where something changes; none where no pod runs.
pub(super) fn reachability(
    before: &View<'_>,
    after: &View<'_>,
    traffic: &Traffic<'_>,
    changed: &BTreeSet<(&str, PolicyDirection)>,
) -> Option<RemediationTable> {
    let trials = trials(before, traffic, changed);
    if trials.is_empty() {
        return None;
    }
    let (network, then) = (&before.network().policies, &after.network().policies);
    let rows = trials.iter().take(SHOWN).map(|trial| trial.row(network, then)).collect();
    let mut table = table(
        "Who reaches what: one pod of each workload, before and after",
        &["From", "To", "Port", "Before", "After"],
        rows,
    );
    table.more = u32::try_from(trials.len().saturating_sub(SHOWN)).unwrap_or(u32::MAX);
    Some(table)
}

fn trials<'a>(
    view: &'a View<'_>,
    traffic: &'a Traffic<'_>,
    changed: &BTreeSet<(&str, PolicyDirection)>,
) -> Vec<Trial<'a>> {
    let mut pods: BTreeMap<&str, Vec<(&str, &Pod)>> = BTreeMap::new();
    for workload in view.workloads.iter().filter(|workload| workload.scope == Scope::Application) {
        let on_pod_network = workload.pods.iter().filter(|pod| !pod.spec.host_network);
        if let Some(pod) = on_pod_network.min_by_key(|pod| pod.meta.name.as_str()) {
            pods.entry(workload.namespace()).or_default().push((&workload.subject.name, pod));
        }
    }
    let families = view.network().policies.families();
    let outside = if families.v4 { IpAddr::V4(OUTSIDE) } else { IpAddr::V6(OUTSIDE_6) };
    let (dns, api_server) = (traffic.dns_pod(), api_server(traffic));
    let mut trials = Vec::new();
    for (namespace, direction) in changed {
        // A pod of the nearest other namespace stands for the rest of the cluster.
        let elsewhere = pods
            .iter()
            .find(|(other, _)| *other != namespace)
            .and_then(|(_, pods)| pods.first())
            .map(|(_, pod)| *pod);
        for (workload, pod) in pods.get(namespace).into_iter().flatten() {
            let mut add = |port, protocol, other| {
                let workload = format!("{namespace}/{workload}");
                trials.push(Trial { workload, pod, port, protocol, other });
            };
            match direction {
                PolicyDirection::Ingress => {
                    for (port, protocol) in ports(traffic, pod) {
                        if let Some(elsewhere) = elsewhere {
                            add(port, protocol, Other::FromPod(elsewhere));
                        }
                        add(port, protocol, Other::FromOutside(outside));
                    }
                }
                PolicyDirection::Egress => {
                    if let Some((dns, port)) = dns {
                        add(port, Protocol::Udp, Other::ToPod(dns, "DNS"));
                    }
                    if let Some((address, port)) = api_server {
                        add(port, Protocol::Tcp, Other::ToAddress(address, "API server"));
                    }
                    add(443, Protocol::Tcp, Other::ToAddress(outside, "outside the cluster"));
                }
            }
        }
    }
    trials
}

/// The ports on which a Service sends traffic to a pod, and one on which none does.
fn ports(traffic: &Traffic<'_>, pod: &Pod) -> Vec<(u16, Protocol)> {
    let mut ports: Vec<(u16, Protocol)> = traffic
        .ports
        .of_pod(pod)
        .filter_map(|port| Some((port.number?, Protocol::parse(port.protocol.as_str())?)))
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let serves = |number: u16| ports.contains(&(number, Protocol::Tcp));
    let declared = pod.spec.containers.iter().flat_map(|container| &container.ports);
    let unserved = declared
        .filter(|port| Protocol::parse(port.protocol.as_deref().unwrap_or("TCP")) == Some(Protocol::Tcp))
        .filter_map(|port| u16::try_from(port.container_port).ok())
        .chain([9])
        .find(|number| !serves(*number));
    ports.extend(unserved.map(|number| (number, Protocol::Tcp)));
    ports
}

fn api_server(traffic: &Traffic<'_>) -> Option<(IpAddr, u16)> {
    let found = traffic.api_server();
    let (ports, addresses) = found.first_key_value()?;
    let port = ports.iter().find_map(|port| match port.target {
        super::traffic::Target::Number(number) => Some(number),
        super::traffic::Target::Name(_) => None,
    })?;
    Some((*addresses.first()?, port))
}

impl Trial<'_> {
    fn row(&self, before: &Network<'_>, after: &Network<'_>) -> Vec<String> {
        let own = self.workload.clone();
        let name = |pod: &Pod| format!("{}/{}", pod.meta.namespace_or_default(), pod.meta.name);
        let (from, to) = match &self.other {
            Other::FromPod(pod) => (name(pod), own),
            Other::FromOutside(_) => ("outside the cluster".to_owned(), own),
            Other::ToPod(_, what) | Other::ToAddress(_, what) => (own, (*what).to_owned()),
        };
        let protocol = match self.protocol {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        };
        let port = format!("{}/{protocol}", self.port);
        vec![from, to, port, self.tried(before).to_owned(), self.tried(after).to_owned()]
    }

    fn tried(&self, network: &Network<'_>) -> &'static str {
        let reached = match self.other {
            Other::FromPod(pod) => network.reachable(Peer::Pod(pod), self.pod, self.port, self.protocol),
            Other::FromOutside(address) => {
                network.reachable(Peer::Address(address), self.pod, self.port, self.protocol)
            }
            Other::ToPod(pod, _) => network.reachable(Peer::Pod(self.pod), pod, self.port, self.protocol),
            Other::ToAddress(address, _) => {
                network.reaches_address(self.pod, address, self.port, self.protocol)
            }
        };
        match reached {
            Reachability::Allowed => "allowed",
            Reachability::Denied { .. } => "denied",
            Reachability::Undecided(_) => "cannot be told",
        }
    }
}
