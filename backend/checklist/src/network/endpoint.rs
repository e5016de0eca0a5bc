//! Both ends of a connection, as policies see them.

use super::selector::{Key, Value};
use crate::inventory::{ContainerPort, Labels, PodSpec};
use std::net::IpAddr;

/// A protocol that policies can name ports of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// The labels of a pod or namespace.
#[derive(Debug, Clone, Copy)]
pub enum LabelsView<'a> {
    /// These.
    Seen(&'a Labels),
    /// They were not seen.
    NotSeen,
    /// They differ: the question is about pods with any labels.
    Differ,
}

/// The addresses of a pod.
#[derive(Debug, Clone, Copy)]
pub enum AddressesView<'a> {
    /// These.
    Seen(&'a [IpAddr]),
    /// They were not seen.
    NotSeen,
    /// They differ: the question is about any pod.
    Differ,
}

/// The ports that a pod's containers name.
#[derive(Debug, Clone, Copy)]
pub enum PortsView<'a> {
    /// Those of this spec.
    Seen(&'a PodSpec),
    /// They differ, or there are none: the question is about any pod, or about no pod.
    Differ,
}

/// A pod, or the pods that a question is about.
#[derive(Debug, Clone, Copy)]
pub struct PodView<'a> {
    /// The namespace; none where it may be any.
    pub namespace: Option<&'a str>,
    /// The labels of the namespace.
    pub namespace_labels: LabelsView<'a>,
    /// The pod's labels.
    pub labels: LabelsView<'a>,
    /// The pod's addresses.
    pub addresses: AddressesView<'a>,
    /// The ports that its containers name.
    pub ports: PortsView<'a>,
    /// Its service account; none where it was not seen or may be any.
    pub service_account: Option<&'a str>,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Endpoint<'a> {
    /// A pod.
    Pod(PodView<'a>),
    /// An address outside the cluster.
    Address(IpAddr),
    /// Any address of those that policies do not tell apart from this one.
    Outside(IpAddr),
}

static NO_LABELS: Labels = Labels::new();

impl Protocol {
    /// Every protocol.
    pub const ALL: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

    /// By its name in the API.
    pub fn parse(name: &str) -> Option<Protocol> {
        match name {
            "TCP" => Some(Protocol::Tcp),
            "UDP" => Some(Protocol::Udp),
            "SCTP" => Some(Protocol::Sctp),
            _ => None,
        }
    }
}

impl PortsView<'_> {
    /// Whether a port of this name has this number; none where that differs.
    pub(super) fn names(&self, name: &str, protocol: Protocol, number: u16) -> Option<bool> {
        let PortsView::Seen(spec) = self else { return None };
        let sidecars = spec.init_containers.iter().filter(|container| container.restarts_always);
        let is = |port: &ContainerPort| {
            port.name == name
                && port.container_port == i64::from(number)
                && Protocol::parse(port.protocol.as_deref().unwrap_or("TCP")) == Some(protocol)
        };
        Some(spec.containers.iter().chain(sidecars).flat_map(|container| &container.ports).any(is))
    }
}

impl<'a> PodView<'a> {
    /// A pod of a namespace that is made tomorrow, with labels that nobody knows.
    pub fn of_tomorrow(namespace: &'a str, namespace_labels: LabelsView<'a>) -> PodView<'a> {
        PodView {
            namespace: Some(namespace),
            namespace_labels,
            labels: LabelsView::Differ,
            addresses: AddressesView::Differ,
            ports: PortsView::Differ,
            service_account: None,
        }
    }

    /// Any pod of the cluster: what holds for it holds for all.
    pub(super) const ANY: PodView<'static> = PodView {
        namespace: None,
        namespace_labels: LabelsView::Differ,
        labels: LabelsView::Differ,
        addresses: AddressesView::Differ,
        ports: PortsView::Differ,
        service_account: None,
    };

    /// A pod without labels in a namespace that no policy names: selectors that exclude do not exclude it.
    pub(super) fn unmentioned() -> PodView<'static> {
        PodView {
            // No namespace has this name.
            namespace: Some(""),
            namespace_labels: LabelsView::Seen(&NO_LABELS),
            labels: LabelsView::Seen(&NO_LABELS),
            addresses: AddressesView::Differ,
            ports: PortsView::Differ,
            service_account: Some(""),
        }
    }

    #[cfg(test)]
    pub(super) fn of_labels(namespace: &'a str, labels: &'a Labels) -> PodView<'a> {
        PodView { labels: LabelsView::Seen(labels), ..PodView::of_tomorrow(namespace, LabelsView::NotSeen) }
    }

    pub(super) fn value(&self, key: &Key) -> Value<'a> {
        let of = |labels: LabelsView<'a>, name: &str| match labels {
            LabelsView::Seen(labels) => labels.get(name).map_or(Value::Absent, |value| Value::Is(value)),
            LabelsView::NotSeen => Value::NotSeen,
            LabelsView::Differ => Value::Differs,
        };
        let namespace = self.namespace.map_or(Value::Differs, Value::Is);
        match key {
            Key::Label(name) => of(self.labels, name),
            // The API server sets this label on every namespace.
            Key::NamespaceLabel(name) if name == "kubernetes.io/metadata.name" => namespace,
            Key::NamespaceLabel(name) => of(self.namespace_labels, name),
            Key::NamespaceName => namespace,
            Key::ServiceAccount => match (self.service_account, self.labels) {
                (Some(name), _) => Value::Is(name),
                (None, LabelsView::Differ) => Value::Differs,
                (None, _) => Value::NotSeen,
            },
            Key::Orchestrator => Value::Is("k8s"),
            Key::Reserved => Value::Absent,
            Key::NotRead(_) => Value::NotSeen,
        }
    }
}
