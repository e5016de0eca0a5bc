//! What service meshes do for the traffic that reaches a pod: whether a client without an identity of the mesh is
//! refused on a port, what says so, and what was not seen.

mod cilium;
mod istio;
mod linkerd;
mod selector;
mod served_ports;

pub use served_ports::{Protocol, ServedPort, ServedPorts};

use crate::inventory::{Container, Inventory, Kind, Pod, Resource, Workload};
use crate::workloads::View;
use cilium::Cilium;
use istio::Istio;
use linkerd::Linkerd;
use rampart_shared::{Gap, GapReason, ResourceName};
use std::collections::BTreeSet;

/// A mesh that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mesh {
    /// Istio, with sidecars.
    Istio,
    /// Istio's ambient mode.
    IstioAmbient,
    /// Linkerd.
    Linkerd,
    /// Cilium's mutual authentication, over WireGuard or IPsec.
    CiliumMutualAuthentication,
    /// Cilium with ztunnel.
    CiliumZtunnel,
}

impl Mesh {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Mesh::Istio => "Istio",
            Mesh::IstioAmbient => "Istio (ambient)",
            Mesh::Linkerd => "Linkerd",
            Mesh::CiliumMutualAuthentication => "Cilium mutual authentication",
            Mesh::CiliumZtunnel => "Cilium with ztunnel",
        }
    }
}

/// What reaches a served port of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Only clients with an identity, over TLS.
    Mutual(Mesh),
    /// Others too.
    Exposed(Exposure),
    /// That is not known.
    Unknown(Vec<Gap>),
}

/// Why a port takes traffic without mutual TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// What is wrong.
    pub cause: Cause,
    /// What is in force, and from which object.
    pub observed: String,
    /// The kinds that could have supplied what was not found; empty where a bad value was seen.
    pub suppliers: Vec<Kind>,
    /// The objects of which each has to change, where there are any.
    pub objects: Vec<ObjectReference>,
    /// Whether the object says it of this port alone.
    pub on_port: bool,
}

/// What is wrong with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The pod shares the node's network.
    HostNetwork,
    /// Nothing protects the pod.
    NoMesh,
    /// The proxy does not see the port's traffic.
    NotCaptured,
    /// The protocol is not TCP.
    NotTcp,
    /// Istio does not demand mutual TLS.
    NotStrict,
    /// Linkerd's default policy lets clients without identity in.
    LinkerdDefaultPolicy,
    /// A Linkerd Server or one of its authorizations lets clients without identity in.
    LinkerdAuthorization,
    /// Cilium encrypts and does not authenticate.
    EncryptionAlone,
    /// Cilium authenticates and does not encrypt.
    AuthenticationAlone,
    /// A policy that Cilium enforces lets clients in without authentication, or none demands it.
    CiliumPolicy,
}

/// An object, by kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectReference {
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectReference {
    fn of(resource: &Resource) -> Self {
        ObjectReference {
            api_version: resource.api_version.clone(),
            kind: resource.kind,
            namespace: resource.meta.namespace_or_default().to_owned(),
            name: resource.meta.name.clone(),
        }
    }
}

impl Exposure {
    /// A bad value that was seen.
    fn seen(cause: Cause, observed: impl Into<String>) -> Self {
        Exposure {
            cause,
            observed: observed.into(),
            suppliers: Vec::new(),
            objects: Vec::new(),
            on_port: false,
        }
    }

    /// Something that one of these kinds could have supplied.
    fn absent(cause: Cause, observed: impl Into<String>, suppliers: &[Kind]) -> Self {
        Exposure {
            cause,
            observed: observed.into(),
            suppliers: suppliers.to_vec(),
            objects: Vec::new(),
            on_port: false,
        }
    }

    fn with(mut self, resource: &Resource) -> Self {
        self.objects.push(ObjectReference::of(resource));
        self
    }
}

/// The meshes of a cluster, with their policies indexed.
#[derive(Debug)]
pub struct Meshes<'a> {
    istio: Istio<'a>,
    linkerd: Linkerd<'a>,
    cilium: Cilium<'a>,
    /// Objects that could not be read.
    unread: Vec<Gap>,
}

impl<'a> Meshes<'a> {
    /// Indexes what the meshes read.
    pub fn of(view: &View<'a>) -> Self {
        let mut unread = Vec::new();
        Meshes {
            istio: Istio::of(view.inventory, &mut unread),
            linkerd: Linkerd::of(view.inventory, &mut unread),
            cilium: Cilium::of(view.inventory, &mut unread),
            unread,
        }
    }

    /// Policies that were seen and could not be read.
    pub fn unread(&self) -> &[Gap] {
        &self.unread
    }

    /// What reaches a port of a pod. A pod is in one mesh with a proxy of its own; Cilium may stand beside it.
    pub fn protection(&self, pod: &Pod, port: ServedPort) -> Protection {
        if pod.spec.host_network {
            return Protection::Exposed(Exposure::seen(
                Cause::HostNetwork,
                "hostNetwork: true; no mesh protects the node's network",
            ));
        }
        let Some(own) = self.own_proxy(pod, port) else { return self.cilium.protection(pod, port) };
        if matches!(own, Protection::Mutual(_)) {
            return own;
        }
        match (own, self.cilium.protection(pod, port)) {
            (_, mutual @ Protection::Mutual(_)) => mutual,
            (Protection::Exposed(mut exposure), Protection::Exposed(beside)) => {
                exposure.suppliers.extend(beside.suppliers);
                Protection::Exposed(exposure)
            }
            (Protection::Exposed(_), unknown @ Protection::Unknown(_)) => unknown,
            (own, _) => own,
        }
    }

    /// What the pod's own proxy does, or that of its node which it is redirected to.
    fn own_proxy(&self, pod: &Pod, port: ServedPort) -> Option<Protection> {
        if istio::has_sidecar(pod) {
            Some(self.istio.sidecar(pod, port))
        } else if linkerd::has_proxy(pod) {
            Some(self.linkerd.protection(pod, port))
        } else if istio::is_redirected(pod) {
            Some(self.istio.ambient(pod, port))
        } else {
            not_understood(pod).map(|mesh| Protection::Unknown(vec![mesh]))
        }
    }

    /// Whether a proxy of a mesh takes the pod's traffic, whatever it lets in.
    pub fn is_enrolled(pod: &Pod) -> bool {
        istio::has_sidecar(pod) || linkerd::has_proxy(pod) || istio::is_redirected(pod)
    }

    /// What Istio's policies would let in if its proxy took the pod's traffic; none where they demand mutual TLS, or
    /// where that is not known.
    pub fn istio_exposure(&self, pod: &Pod, port: ServedPort) -> Option<Exposure> {
        match self.istio.judge(pod, port, Mesh::Istio) {
            Protection::Exposed(exposure) => Some(exposure),
            Protection::Mutual(_) | Protection::Unknown(_) => None,
        }
    }

    /// The PeerAuthentication that is in force in the whole of a namespace, if there is one.
    pub fn peer_authentication_of(&self, namespace: &str) -> Option<ObjectReference> {
        self.istio.of_namespace(namespace).map(ObjectReference::of)
    }

    /// Whether a Deployment is part of the control plane of Istio or Linkerd.
    pub fn is_control_plane(deployment: &Workload) -> bool {
        istio::is_control_plane(deployment) || linkerd::is_control_plane(deployment)
    }

    /// The Deployments of the control planes of Istio and Linkerd.
    pub fn control_planes(inventory: &Inventory) -> impl Iterator<Item = &Workload> {
        inventory.deployments.seen.iter().filter(|deployment| Meshes::is_control_plane(deployment))
    }

    /// The meshes that run here: recognised by a proxy of theirs, their control plane or their configuration.
    pub fn present(&self, inventory: &Inventory) -> BTreeSet<Mesh> {
        let mut present = BTreeSet::new();
        for pod in &inventory.pods.seen {
            if istio::has_sidecar(pod) {
                present.insert(Mesh::Istio);
            } else if linkerd::has_proxy(pod) {
                present.insert(Mesh::Linkerd);
            } else if istio::is_redirected(pod) {
                present.insert(Mesh::IstioAmbient);
            }
        }
        let runs_istiod = inventory.deployments.seen.iter().any(istio::is_control_plane);
        if runs_istiod && !present.contains(&Mesh::IstioAmbient) {
            present.insert(Mesh::Istio);
        }
        if inventory.deployments.seen.iter().any(linkerd::is_control_plane) {
            present.insert(Mesh::Linkerd);
        }
        present.extend(self.cilium.ztunnel_is_on().then_some(Mesh::CiliumZtunnel));
        present
    }
}

/// Meshes that are recognised and whose rules are not understood.
fn not_understood(pod: &Pod) -> Option<Gap> {
    let annotation = |name: &str| pod.meta.annotations.get(name).map(String::as_str);
    let has = |name: &str| runs(pod, name).is_some();
    let (mesh, what) = if has("consul-dataplane")
        || has("consul-connect-envoy-sidecar")
        || annotation("consul.hashicorp.com/connect-inject-status") == Some("injected")
    {
        ("Consul", "service intentions, proxy defaults and the mesh's TLS settings")
    } else if has("kuma-sidecar") || annotation("kuma.io/sidecar-injected") == Some("true") {
        ("Kuma", "the Mesh's mtls backend and MeshTLS policies")
    } else {
        return None;
    };
    Some(
        Gap::new(
            ResourceName::from("pods/mesh"),
            GapReason::NotCollected,
            format!(
                "{mesh} runs beside these workloads, and this version of Rampart does not understand {what}"
            ),
        )
        .closed_by(format!(
            "Attest that {mesh} demands mutual TLS here, or wait for a version of Rampart that reads it."
        )),
    )
}

/// A container that runs as long as the pod does: a regular one, or an init container that is restarted always.
fn runs<'p>(pod: &'p Pod, name: &str) -> Option<&'p Container> {
    let sidecars = pod.spec.init_containers.iter().filter(|container| container.restarts_always);
    pod.spec.containers.iter().chain(sidecars).find(|container| container.name == name)
}

/// What follows a flag in a container's arguments, wherever the container stands.
fn argument<'p>(pod: &'p Pod, containers: &[&str], flags: &[&str]) -> Option<&'p str> {
    let container = pod
        .spec
        .init_containers
        .iter()
        .chain(&pod.spec.containers)
        .find(|container| containers.contains(&container.name.as_str()))?;
    let mut arguments = container.args.iter();
    while let Some(argument) = arguments.next() {
        if flags.contains(&argument.as_str()) {
            return arguments.next().map(String::as_str);
        }
        if let Some((flag, value)) = argument.split_once('=')
            && flags.contains(&flag)
        {
            return Some(value);
        }
    }
    None
}

/// A list of ports and ranges, such as `80,8000-8100`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct PortList(Vec<(u16, u16)>);

impl PortList {
    /// None if an entry is no port and no range.
    fn parse(text: &str) -> Option<PortList> {
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
                Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
            })
            .collect::<Option<Vec<_>>>()
            .map(PortList)
    }

    /// Whether it has the port; for every port, whether it has any.
    fn has(&self, port: ServedPort) -> bool {
        self.0.iter().any(|(first, last)| port.number.is_none_or(|number| (*first..=*last).contains(&number)))
    }

    /// Whether it has the port; for every port, whether it has them all.
    fn covers(&self, port: ServedPort) -> bool {
        match port.number {
            Some(_) => self.has(port),
            None => self.0.iter().any(|(first, last)| *first <= 1 && *last == u16::MAX),
        }
    }
}

/// A list of ports without these, as short as it was; without every port where one of them is that, but for those that
/// are the proxy's own. None if an entry is no port and no range.
pub fn without_ports(list: &str, ports: &BTreeSet<ServedPort>, own: (u16, u16)) -> Option<String> {
    let PortList(ranges) = PortList::parse(list)?;
    let numbers: BTreeSet<u16> = ports.iter().filter_map(|port| port.number).collect();
    let every = ports.iter().any(|port| port.number.is_none());
    let mut kept = Vec::new();
    for (first, last) in ranges {
        if every && !(own.0..=own.1).contains(&first) {
            continue;
        }
        let mut from = Some(first);
        for number in numbers.range(first..=last.max(first)) {
            if let Some(start) = from.filter(|start| start < number) {
                kept.push((start, number - 1));
            }
            from = number.checked_add(1);
        }
        if let Some(start) = from.filter(|start| *start <= last) {
            kept.push((start, last));
        }
    }
    let entry =
        |(first, last): (u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    Some(kept.into_iter().map(entry).collect::<Vec<_>>().join(","))
}

/// The gap of an object that was seen and could not be read.
fn unreadable(resource: &Resource, error: &serde_json::Error) -> Gap {
    Gap::new(
        resource.kind.name(),
        GapReason::Failed,
        format!("{} {} has a form that is not understood: {error}", resource.object_kind, resource.name()),
    )
    .for_objects(vec![resource.name()])
    .closed_by("Look at the object; where it is right, a later version of Rampart reads it.")
}

/// The gaps of these kinds, for what is not known without them.
fn gaps_of(inventory: &Inventory, kinds: &[Kind]) -> Vec<Gap> {
    kinds.iter().flat_map(|kind| inventory.gaps(*kind)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_lists_have_ranges_and_what_is_none_is_not_guessed() {
        let port = |number| ServedPort { number: Some(number), protocol: Protocol::Tcp };
        let every = ServedPort { number: None, protocol: Protocol::Tcp };
        let list = PortList::parse("80, 8000-8100,").unwrap();
        assert!(list.has(port(80)) && list.has(port(8050)) && !list.has(port(81)));
        assert!(list.has(every) && !list.covers(every) && PortList::parse("1-65535").unwrap().covers(every));
        assert!(!PortList::parse("").unwrap().has(every));
        assert_eq!(PortList::parse("http"), None);
        assert_eq!(PortList::parse("70000"), None);
    }

    #[test]
    fn a_list_loses_the_ports_and_keeps_the_rest() {
        let port = |number| ServedPort { number, protocol: Protocol::Tcp };
        for (list, ports, expected) in [
            ("9090,8080", vec![Some(8080)], "9090"),
            ("8080", vec![Some(8080)], ""),
            ("8000-8100", vec![Some(8080)], "8000-8079,8081-8100"),
            ("8079-8081", vec![Some(8079), Some(8081)], "8080"),
            ("65535", vec![Some(65535)], ""),
            ("1-65535", vec![Some(1), Some(65535)], "2-65534"),
            ("15020,9090", vec![None], "15020"),
            ("9090", vec![Some(1)], "9090"),
        ] {
            let ports = ports.into_iter().map(port).collect();
            assert_eq!(without_ports(list, &ports, (15000, 15099)).as_deref(), Some(expected), "{list}");
        }
        assert_eq!(without_ports("http", &BTreeSet::new(), (0, 0)), None);
    }
}
