//! Istio: which PeerAuthentication is in force on a port, and whether the proxy sees the port's traffic.
//!
//! A policy that selects the workload comes before the namespace's, and that before the one of the root namespace.
//! `UNSET` inherits; without any policy the mode is `PERMISSIVE`. Of two at one level the oldest is in force. Those
//! of the root namespace that select by label are ignored.

use super::{
    Cause, Exposure, Mesh, PortList, Protection, Protocol, ServedPort, argument, gaps_of, runs, unreadable,
};
use crate::inventory::null_is_default;
use crate::inventory::{Inventory, Kind, Labels, Pod, Resource, Workload};
use chrono::{DateTime, Utc};
use rampart_shared::{Gap, GapReason, ResourceName};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Istio's policies, by namespace.
#[derive(Debug)]
pub(super) struct Istio<'a> {
    root: Result<String, Vec<Gap>>,
    policies: HashMap<&'a str, Policies<'a>>,
    /// Whether policies were not listed.
    unlisted: Vec<Gap>,
}

/// The policies of one namespace, the oldest first.
#[derive(Debug, Default)]
struct Policies<'a> {
    whole: Vec<Policy<'a>>,
    selecting: Vec<Policy<'a>>,
    /// Of those that could not be read.
    unread: Vec<Gap>,
}

#[derive(Debug)]
struct Policy<'a> {
    resource: &'a Resource,
    spec: PeerAuthenticationSpec,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct PeerAuthentication {
    #[serde(default, deserialize_with = "null_is_default")]
    spec: PeerAuthenticationSpec,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PeerAuthenticationSpec {
    #[serde(default, deserialize_with = "null_is_default")]
    selector: WorkloadSelector,
    #[serde(default, deserialize_with = "null_is_default")]
    mtls: MutualTls,
    #[serde(default, deserialize_with = "null_is_default")]
    port_level_mtls: BTreeMap<String, MutualTls>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WorkloadSelector {
    #[serde(default, deserialize_with = "null_is_default")]
    match_labels: Labels,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MutualTls {
    #[serde(default, deserialize_with = "null_is_default")]
    mode: Mode,
}

/// From the weakest to the strongest, but for `UNSET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    #[default]
    Unset,
    Disable,
    Permissive,
    Strict,
}

/// What the mesh's configuration says of the whole mesh.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct MeshConfig {
    root_namespace: Option<String>,
}

/// The mode on a port, and the policy that sets it; none is the default.
#[derive(Debug, Clone)]
struct InForce<'a> {
    mode: Mode,
    from: Option<&'a Resource>,
    on_port: bool,
}

/// Ports that the proxy itself serves and never takes from the application: health and its own metrics.
const NEVER_CAPTURED: [u16; 2] = [15021, 15090];
/// The init containers whose arguments say what is captured.
const INIT: [&str; 2] = ["istio-init", "istio-validation"];

impl Mode {
    const fn as_str(self) -> &'static str {
        match self {
            Mode::Unset => "UNSET",
            Mode::Disable => "DISABLE",
            Mode::Permissive => "PERMISSIVE",
            Mode::Strict => "STRICT",
        }
    }
}

/// Whether Istio's proxy runs in the pod.
pub(super) fn has_sidecar(pod: &Pod) -> bool {
    runs(pod, "istio-proxy").is_some()
}

/// Whether the node's ztunnel takes the pod's traffic.
pub(super) fn is_redirected(pod: &Pod) -> bool {
    annotation(pod, "ambient.istio.io/redirection") == Some("enabled")
}

/// Whether a Deployment is Istio's control plane.
pub(super) fn is_control_plane(deployment: &Workload) -> bool {
    deployment.template_labels.get("app").is_some_and(|app| app == "istiod")
        || deployment.meta.labels.get("app").is_some_and(|app| app == "istiod")
}

fn annotation<'p>(pod: &'p Pod, name: &str) -> Option<&'p str> {
    pod.meta.annotations.get(name).map(String::as_str)
}

impl<'a> Istio<'a> {
    pub(super) fn of(inventory: &'a Inventory, unread: &mut Vec<Gap>) -> Self {
        let mut policies: HashMap<&str, Policies<'a>> = HashMap::new();
        for resource in &inventory.resources(Kind::PeerAuthentications).seen {
            let of_namespace = policies.entry(resource.meta.namespace_or_default()).or_default();
            match resource.parse::<PeerAuthentication>() {
                Ok(PeerAuthentication { spec }) if spec.selector.match_labels.is_empty() => {
                    of_namespace.whole.push(Policy { resource, spec });
                }
                Ok(PeerAuthentication { spec }) => of_namespace.selecting.push(Policy { resource, spec }),
                Err(error) => {
                    let gap = unreadable(resource, &error);
                    unread.push(gap.clone());
                    of_namespace.unread.push(gap);
                }
            }
        }
        for of_namespace in policies.values_mut() {
            of_namespace.whole.sort_by(|a, b| a.age().cmp(&b.age()));
            of_namespace.selecting.sort_by(|a, b| a.age().cmp(&b.age()));
        }
        Istio {
            root: root_namespace(inventory),
            policies,
            unlisted: inventory.gaps(Kind::PeerAuthentications).to_vec(),
        }
    }

    /// What a sidecar lets in.
    pub(super) fn sidecar(&self, pod: &Pod, port: ServedPort) -> Protection {
        let is_gateway = pod.spec.containers.iter().all(|container| container.name == "istio-proxy");
        if is_gateway {
            return Protection::Unknown(vec![
                not_read(
                    "pods/istio-gateway",
                    "An Istio gateway stands behind a Service: what it demands of clients is said by Gateway objects, which are not read",
                )
                .closed_by("List the gateway's namespace under system_namespaces to have it reported apart."),
            ]);
        }
        if port.protocol != Protocol::Tcp {
            return not_tcp(port, "Istio's sidecar");
        }
        if annotation(pod, "inject.istio.io/templates").is_some_and(|templates| templates.contains("grpc")) {
            return Protection::Unknown(vec![not_read(
                "pods/istio-grpc",
                "Istio's agent runs without a proxy for gRPC (inject.istio.io/templates); what the program accepts is its own affair",
            )]);
        }
        if let Some(protection) = not_captured(pod, port) {
            return protection;
        }
        self.judge(pod, port, Mesh::Istio)
    }

    /// What the node's ztunnel lets in. Without STRICT, plaintext still reaches the pod.
    pub(super) fn ambient(&self, pod: &Pod, port: ServedPort) -> Protection {
        if port.protocol != Protocol::Tcp {
            return not_tcp(port, "Istio's ztunnel");
        }
        if annotation(pod, "ambient.istio.io/bypass-inbound-capture") == Some("true") {
            return Protection::Exposed(Exposure::seen(
                Cause::NotCaptured,
                "ambient.istio.io/bypass-inbound-capture: true",
            ));
        }
        self.judge(pod, port, Mesh::IstioAmbient)
    }

    /// The policy that is in force in the whole of a namespace.
    pub(super) fn of_namespace(&self, namespace: &str) -> Option<&'a Resource> {
        self.policies.get(namespace)?.whole.first().map(|policy| policy.resource)
    }

    pub(super) fn judge(&self, pod: &Pod, port: ServedPort, mesh: Mesh) -> Protection {
        match self.in_force(pod.meta.namespace_or_default(), &pod.meta.labels, port) {
            Err(gaps) => Protection::Unknown(gaps),
            // A policy that was not listed could be older, or select the workload.
            Ok(InForce { mode: Mode::Strict, .. }) if self.unlisted.is_empty() => Protection::Mutual(mesh),
            Ok(InForce { mode: Mode::Strict, .. }) => Protection::Unknown(self.unlisted.clone()),
            Ok(InForce { mode, from, on_port }) => {
                let observed = match from {
                    None => format!("{} by default: no PeerAuthentication applies", mode.as_str()),
                    Some(policy) => format!(
                        "{} by PeerAuthentication {}{}",
                        mode.as_str(),
                        policy.name(),
                        if on_port { ", portLevelMtls" } else { "" }
                    ),
                };
                let mut exposure = Exposure::absent(Cause::NotStrict, observed, &[Kind::PeerAuthentications]);
                exposure.on_port = on_port;
                Protection::Exposed(match from {
                    Some(policy) => exposure.with(policy),
                    None => exposure,
                })
            }
        }
    }

    fn in_force(&self, namespace: &str, labels: &Labels, port: ServedPort) -> Result<InForce<'a>, Vec<Gap>> {
        let none = Policies::default();
        let own = self.policies.get(namespace).unwrap_or(&none);
        if !own.unread.is_empty() {
            return Err(own.unread.clone());
        }
        let is_root = self.root.as_ref().is_ok_and(|root| root == namespace);

        let selecting = |policy: &&Policy<'a>| {
            policy.spec.selector.match_labels.iter().all(|(name, value)| labels.get(name) == Some(value))
        };
        let workload = match oldest(own.selecting.iter().filter(selecting))? {
            Some(_) if is_root => None,
            // Were this the root namespace, the policy would be ignored.
            Some(_) if self.root.is_err() => return Err(self.root.clone().err().unwrap_or_default()),
            workload => workload,
        };
        let general = match workload.filter(|policy| policy.spec.mtls.mode != Mode::Unset) {
            Some(policy) => Ok(policy.in_force()),
            None => self.inherited(namespace, own, is_root),
        };
        let Some(policy) = workload else { return general };
        let on_port = |mode: Mode| InForce { mode, from: Some(policy.resource), on_port: true };
        match port.number {
            Some(number) => {
                match policy.spec.port_level_mtls.get(&number.to_string()).map(|mutual| mutual.mode) {
                    None | Some(Mode::Unset) => general,
                    Some(mode) => Ok(on_port(mode)),
                }
            }
            // Every port: the weakest of them counts.
            None => {
                let weakest = policy
                    .spec
                    .port_level_mtls
                    .values()
                    .map(|mutual| mutual.mode)
                    .filter(|mode| *mode != Mode::Unset)
                    .min();
                let general = general?;
                Ok(weakest.filter(|mode| *mode < general.mode).map_or(general, on_port))
            }
        }
    }

    /// What the namespace says, or the root namespace, or nobody.
    fn inherited(&self, namespace: &str, own: &Policies<'a>, is_root: bool) -> Result<InForce<'a>, Vec<Gap>> {
        let set = |policy: &&Policy<'a>| policy.spec.mtls.mode != Mode::Unset;
        if let Some(policy) = oldest(own.whole.iter())?.filter(set) {
            return Ok(policy.in_force());
        }
        let nobody = InForce { mode: Mode::Permissive, from: None, on_port: false };
        if is_root {
            return Ok(nobody);
        }
        match &self.root {
            Ok(root) => {
                let Some(of_root) = self.policies.get(root.as_str()) else { return Ok(nobody) };
                if !of_root.unread.is_empty() {
                    return Err(of_root.unread.clone());
                }
                Ok(oldest(of_root.whole.iter())?.filter(set).map_or(nobody, Policy::in_force))
            }
            Err(gaps) => {
                // Whichever it is: it matters only if some namespace has a policy for the whole of it.
                let could_be = self
                    .policies
                    .iter()
                    .any(|(other, of)| *other != namespace && !(of.whole.is_empty() && of.unread.is_empty()));
                if could_be { Err(gaps.clone()) } else { Ok(nobody) }
            }
        }
    }
}

impl<'a> Policy<'a> {
    /// Older first, by name where they are of one age, as Istio sorts them.
    fn age(&self) -> (Option<DateTime<Utc>>, &'a str) {
        (self.resource.created, &self.resource.meta.name)
    }

    fn in_force(&self) -> InForce<'a> {
        InForce { mode: self.spec.mtls.mode, from: Some(self.resource), on_port: false }
    }
}

/// The oldest of policies that are sorted by age. Where an age is not known and they differ, neither is the answer.
fn oldest<'p, 'a: 'p>(
    policies: impl Iterator<Item = &'p Policy<'a>>,
) -> Result<Option<&'p Policy<'a>>, Vec<Gap>> {
    let mut policies = policies.peekable();
    let Some(first) = policies.next() else { return Ok(None) };
    for other in policies {
        let same =
            other.spec.mtls == first.spec.mtls && other.spec.port_level_mtls == first.spec.port_level_mtls;
        if !same && (first.resource.created.is_none() || other.resource.created.is_none()) {
            return Err(vec![
                Gap::new(
                    Kind::PeerAuthentications.name(),
                    GapReason::NotCollected,
                    format!(
                        "PeerAuthentications {} and {} apply to the same workload; the older is in force, and an age is missing",
                        first.resource.name(),
                        other.resource.name()
                    ),
                )
                .closed_by("Keep one of them, or read the objects from the API server, with their creationTimestamp."),
            ]);
        }
    }
    Ok(Some(first))
}

fn not_read(kind: &'static str, detail: &str) -> Gap {
    Gap::new(ResourceName::from(kind), GapReason::NotCollected, detail)
}

fn not_tcp(port: ServedPort, who: &str) -> Protection {
    Protection::Exposed(Exposure::seen(
        Cause::NotTcp,
        format!("{}: {who} takes TCP alone", port.protocol.as_str()),
    ))
}

/// What keeps the port's traffic from the sidecar. The init container's arguments and the pod's annotations say the
/// same; where Istio's network plugin does the work, the annotations are all there is.
fn not_captured(pod: &Pod, port: ServedPort) -> Option<Protection> {
    let exposed = |observed: String| Some(Protection::Exposed(Exposure::seen(Cause::NotCaptured, observed)));
    let said = |annotated: &str, flags: &[&str]| {
        let from_annotation =
            annotation(pod, annotated).map(|value| (value.to_owned(), annotated.to_owned()));
        let from_argument = argument(pod, &INIT, flags).map(|value| {
            (value.to_owned(), format!("{} of istio-init", flags.first().copied().unwrap_or_default()))
        });
        [from_annotation, from_argument].into_iter().flatten()
    };
    for (mode, where_) in
        said("sidecar.istio.io/interceptionMode", &["-m", "--istio-inbound-interception-mode"])
    {
        if mode == "NONE" {
            return exposed(format!("{where_}: NONE"));
        }
    }
    for (list, where_) in
        said("traffic.sidecar.istio.io/includeInboundPorts", &["-b", "--istio-inbound-ports"])
    {
        if list != "*" {
            match PortList::parse(&list) {
                Some(ports) if ports.covers(port) => {}
                Some(_) => return exposed(format!("{where_}: \"{list}\" leaves the port out")),
                None => return Some(Protection::Unknown(vec![not_a_list(&where_)])),
            }
        }
    }
    if port.number.is_some_and(|number| NEVER_CAPTURED.contains(&number)) {
        return exposed("the proxy's own port, which it serves in plaintext".to_owned());
    }
    for (list, where_) in
        said("traffic.sidecar.istio.io/excludeInboundPorts", &["-d", "--istio-local-exclude-ports"])
    {
        match PortList::parse(&list) {
            Some(mut ports) => {
                if port.number.is_none() {
                    // The proxy's own ports are always among them.
                    ports.0.retain(|(first, _)| !(15000..15100).contains(first));
                }
                if ports.has(port) {
                    return exposed(format!("{where_}: \"{list}\""));
                }
            }
            None => return Some(Protection::Unknown(vec![not_a_list(&where_)])),
        }
    }
    if annotation(pod, "traffic.sidecar.istio.io/excludeInterfaces").is_some_and(|list| !list.is_empty()) {
        return Some(Protection::Unknown(vec![not_read(
            "pods/istio-interfaces",
            "traffic.sidecar.istio.io/excludeInterfaces keeps whole network interfaces from the proxy; which the Service uses is not known",
        )]));
    }
    None
}

fn not_a_list(where_: &str) -> Gap {
    Gap::new(
        ResourceName::from("pods/istio-ports"),
        GapReason::Failed,
        format!("{where_} is no list of ports"),
    )
    .closed_by("Write the ports as numbers, separated by commas.")
}

/// The namespace whose policies apply to the whole mesh, from the configuration beside the control plane.
fn root_namespace(inventory: &Inventory) -> Result<String, Vec<Gap>> {
    let gap =
        |detail: &str| {
            vec![not_read("configmaps/istio", detail).closed_by(
                "Let Rampart read the ConfigMap istio beside istiod, with its mesh configuration.",
            )]
        };
    let mut beside: BTreeSet<&str> = inventory
        .deployments
        .seen
        .iter()
        .filter(|deployment| is_control_plane(deployment))
        .map(|deployment| deployment.meta.namespace_or_default())
        .collect();
    if beside.is_empty() {
        beside.insert("istio-system");
    }
    let mut roots = BTreeSet::new();
    for map in &inventory.config_maps.seen {
        let named = map.meta.name == "istio" || map.meta.name.starts_with("istio-");
        if !named || !beside.contains(map.meta.namespace_or_default()) {
            continue;
        }
        let Some(text) = map.data.get("mesh") else {
            if map.meta.name == "istio" {
                return Err(gap(
                    "The ConfigMap istio has no mesh configuration, which names the root namespace",
                ));
            }
            continue;
        };
        let configuration: Option<MeshConfig> = serde_saphyr::from_str(text).map_err(|_| {
            gap("The mesh configuration in the ConfigMap istio is no YAML of the form that Istio gives it")
        })?;
        let named = configuration.and_then(|configuration| configuration.root_namespace);
        roots.insert(named.filter(|name| !name.is_empty()).unwrap_or_else(|| "istio-system".to_owned()));
    }
    // Which of several control planes a pod belongs to is not read.
    match (roots.pop_first(), roots.pop_first()) {
        (Some(_), Some(_)) => Err(gap("Control planes of Istio name different root namespaces")),
        (Some(root), None) => Ok(root),
        (None, _) => {
            let gaps = gaps_of(inventory, &[Kind::ConfigMaps]);
            Err(if gaps.is_empty() {
                gap(
                    "No ConfigMap istio with the mesh configuration was seen beside Istio's control plane, so that its root namespace is not known",
                )
            } else {
                gaps
            })
        }
    }
}
