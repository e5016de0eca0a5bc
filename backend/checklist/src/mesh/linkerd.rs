//! Linkerd: whether its proxy refuses clients without an identity on a port.
//!
//! A Server that selects the port replaces the default policy: then its `accessPolicy` and every authorization for it
//! decide. Where none does, the default policy that the proxy was given does.

use super::selector::Selector;
use super::{
    Cause, Exposure, Mesh, PortList, Protection, Protocol, ServedPort, argument, gaps_of, runs, unreadable,
};
use crate::inventory::null_is_default;
use crate::inventory::{Inventory, Kind, ObjectMeta, Pod, PolicyPort, Resource, Workload};
use rampart_shared::{Gap, GapReason, ResourceName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// Linkerd's policies, by namespace.
#[derive(Debug)]
pub(super) struct Linkerd<'a> {
    inventory: &'a Inventory,
    namespaces: HashMap<&'a str, &'a ObjectMeta>,
    servers: HashMap<&'a str, Vec<Policy<'a, ServerSpec>>>,
    server_authorizations: HashMap<&'a str, Vec<Policy<'a, ServerAuthorizationSpec>>>,
    authorization_policies: HashMap<&'a str, Vec<Policy<'a, AuthorizationPolicySpec>>>,
    /// By namespace, those that could not be read.
    unread: HashMap<&'a str, Vec<Gap>>,
}

#[derive(Debug)]
struct Policy<'a, S> {
    resource: &'a Resource,
    spec: S,
}

#[derive(Debug, Deserialize)]
struct Body<S> {
    spec: S,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerSpec {
    /// None where it selects machines outside the cluster.
    #[serde(default)]
    pod_selector: Option<Selector>,
    port: PolicyPort,
    #[serde(default)]
    access_policy: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ServerAuthorizationSpec {
    server: ServerReference,
    client: Client,
}

#[derive(Debug, Deserialize)]
struct ServerReference {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    selector: Option<Selector>,
}

#[derive(Debug, Deserialize)]
struct Client {
    #[serde(default, deserialize_with = "null_is_default")]
    unauthenticated: bool,
    #[serde(default, rename = "meshTLS")]
    mesh_tls: Option<MeshTls>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MeshTls {
    #[serde(default, rename = "unauthenticatedTLS", deserialize_with = "null_is_default")]
    unauthenticated_tls: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationPolicySpec {
    target_ref: Reference,
    #[serde(default, deserialize_with = "null_is_default")]
    required_authentication_refs: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    kind: String,
    name: String,
}

/// Kinds by which an authorization demands an identity.
const IDENTITIES: [&str; 2] = ["MeshTLSAuthentication", "ServiceAccount"];

/// What a default policy, or a Server's `accessPolicy`, does with clients without an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admits {
    Nobody,
    Everybody,
    /// Everybody, but for ports that demand an identity.
    Unauthenticated,
}

impl Admits {
    /// None for a word that Linkerd does not know.
    fn of(policy: &str) -> Option<Admits> {
        match policy {
            "all-authenticated" | "cluster-authenticated" | "deny" => Some(Admits::Nobody),
            "all-unauthenticated" | "cluster-unauthenticated" => Some(Admits::Unauthenticated),
            "audit" => Some(Admits::Everybody),
            _ => None,
        }
    }
}

/// Whether Linkerd's proxy runs in the pod.
pub(super) fn has_proxy(pod: &Pod) -> bool {
    runs(pod, "linkerd-proxy").is_some()
}

/// Whether a Deployment is part of Linkerd's control plane.
pub(super) fn is_control_plane(deployment: &Workload) -> bool {
    deployment.meta.labels.contains_key("linkerd.io/control-plane-component")
        || deployment.template_labels.contains_key("linkerd.io/control-plane-component")
}

impl<'a> Linkerd<'a> {
    pub(super) fn of(inventory: &'a Inventory, unread: &mut Vec<Gap>) -> Self {
        let mut by_namespace = HashMap::new();
        let servers = read(inventory, Kind::LinkerdServers, &mut by_namespace);
        let server_authorizations = read(inventory, Kind::LinkerdServerAuthorizations, &mut by_namespace);
        let authorization_policies = read(inventory, Kind::LinkerdAuthorizationPolicies, &mut by_namespace);
        unread.extend(by_namespace.values().flatten().cloned());
        Linkerd {
            inventory,
            namespaces: inventory.namespaces.seen.iter().map(|meta| (meta.name.as_str(), meta)).collect(),
            servers,
            server_authorizations,
            authorization_policies,
            unread: by_namespace,
        }
    }

    /// What the proxy lets in.
    pub(super) fn protection(&self, pod: &Pod, port: ServedPort) -> Protection {
        if port.protocol != Protocol::Tcp {
            return Protection::Exposed(Exposure::seen(
                Cause::NotTcp,
                format!("{}: Linkerd's proxy takes TCP alone", port.protocol.as_str()),
            ));
        }
        if let Some(protection) = self.skipped(pod, port) {
            return protection;
        }
        let namespace = pod.meta.namespace_or_default();
        let servers: Vec<&Policy<'a, ServerSpec>> = self
            .servers
            .get(namespace)
            .into_iter()
            .flatten()
            .filter(|server| server.spec.selects(pod, port))
            .collect();
        // What was seen to let clients in does so whatever else there is; all of it has to change.
        let mut openings = servers.iter().flat_map(|server| self.openings(namespace, server));
        if let Some(mut exposure) = openings.next() {
            exposure.objects.extend(openings.flat_map(|opening| opening.objects));
            exposure.objects.sort();
            exposure.objects.dedup();
            return Protection::Exposed(exposure);
        }
        if let Some(gaps) = self.unread.get(namespace) {
            return Protection::Unknown(gaps.clone());
        }
        if servers.is_empty() {
            return self.default_policy(pod, port);
        }
        let gaps = gaps_of(
            self.inventory,
            &[Kind::LinkerdServers, Kind::LinkerdServerAuthorizations, Kind::LinkerdAuthorizationPolicies],
        );
        if !gaps.is_empty() {
            return Protection::Unknown(gaps);
        }
        match self.opens_a_route(namespace) {
            Some(gap) => Protection::Unknown(vec![gap]),
            // The ports for which there is no Server.
            None if port.number.is_none() => self.default_policy(pod, port),
            None => Protection::Mutual(Mesh::Linkerd),
        }
    }

    /// Ports that the proxy never sees. The init container's argument is what was done; without it (where Linkerd's
    /// network plugin does the work) the annotations are all there is.
    fn skipped(&self, pod: &Pod, port: ServedPort) -> Option<Protection> {
        let name = "config.linkerd.io/skip-inbound-ports";
        let done = argument(pod, &["linkerd-init"], &["--inbound-ports-to-ignore"]);
        let asked = pod
            .meta
            .annotations
            .get(name)
            .or_else(|| self.namespaces.get(pod.meta.namespace_or_default())?.annotations.get(name));
        // Its own ports, for control and health, are always ignored: they serve no application.
        let own = |(first, last): &(u16, u16)| first == last && matches!(first, 4190 | 4191);
        for (list, where_) in [
            done.map(|list| (list, "--inbound-ports-to-ignore of linkerd-init")),
            asked.filter(|_| done.is_none()).map(|list| (list.as_str(), name)),
        ]
        .into_iter()
        .flatten()
        {
            match PortList::parse(list) {
                Some(mut ports) => {
                    if port.number.is_none() {
                        ports.0.retain(|range| !own(range));
                    }
                    if ports.has(port) {
                        return Some(Protection::Exposed(Exposure::seen(
                            Cause::NotCaptured,
                            format!("{where_}: \"{list}\""),
                        )));
                    }
                }
                None => {
                    return Some(Protection::Unknown(vec![
                        Gap::new(
                            ResourceName::from("pods/linkerd-ports"),
                            GapReason::Failed,
                            format!("{where_} is no list of ports"),
                        )
                        .closed_by("Write the ports as numbers and ranges, separated by commas."),
                    ]));
                }
            }
        }
        None
    }

    /// Where no Server selects the port: the policy that the proxy was given, and the annotation that may have
    /// replaced it since. Both must hold.
    fn default_policy(&self, pod: &Pod, port: ServedPort) -> Protection {
        let annotation = |name: &str| pod.meta.annotations.get(name).map(String::as_str);
        let identity_demanded = annotation("config.linkerd.io/proxy-require-identity-inbound-ports")
            .and_then(PortList::parse)
            .is_some_and(|ports| ports.covers(port));
        let variable = runs(pod, "linkerd-proxy").and_then(|proxy| {
            proxy.env.iter().find(|variable| variable.name == "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY")
        });
        let given = match variable {
            // Proxies of before Linkerd 2.11 know no policy.
            None => Some("all-unauthenticated"),
            Some(variable) => variable.value.as_deref(),
        };
        let asked = annotation("config.linkerd.io/default-inbound-policy")
            .filter(|policy| Admits::of(policy).is_some());
        let Some(given) = given.filter(|policy| Admits::of(policy).is_some()) else {
            return Protection::Unknown(vec![
                Gap::new(
                    ResourceName::from("pods/linkerd-policy"),
                    GapReason::NotCollected,
                    "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY of linkerd-proxy has no value that is understood",
                )
                .closed_by("Set config.linkerd.io/default-inbound-policy and restart the workload."),
            ]);
        };
        for policy in [asked, Some(given)].into_iter().flatten() {
            let holds = match Admits::of(policy) {
                Some(Admits::Nobody) => true,
                Some(Admits::Unauthenticated) => identity_demanded,
                Some(Admits::Everybody) | None => false,
            };
            if !holds {
                return Protection::Exposed(Exposure::absent(
                    Cause::LinkerdDefaultPolicy,
                    format!("{policy} by the default inbound policy"),
                    &[Kind::LinkerdServers],
                ));
            }
        }
        // An unseen Server could let everybody in.
        match gaps_of(self.inventory, &[Kind::LinkerdServers]) {
            gaps if gaps.is_empty() => Protection::Mutual(Mesh::Linkerd),
            gaps => Protection::Unknown(gaps),
        }
    }

    /// How a Server lets clients without identity in, as far as was seen.
    fn openings(&self, namespace: &str, server: &Policy<'a, ServerSpec>) -> Vec<Exposure> {
        let mut openings = Vec::new();
        let mut add = |observed: String, resource: &Resource| {
            openings.push(Exposure::seen(Cause::LinkerdAuthorization, observed).with(resource));
        };
        let name = server.resource.name();
        if let Some(policy) = &server.spec.access_policy
            && Admits::of(policy).is_some_and(|admits| admits != Admits::Nobody)
        {
            add(format!("accessPolicy {policy} of Server {name}"), server.resource);
        }
        for authorization in self.server_authorizations.get(namespace).into_iter().flatten() {
            let Client { unauthenticated, mesh_tls } = &authorization.spec.client;
            let without_identity =
                *unauthenticated || mesh_tls.as_ref().is_some_and(|tls| tls.unauthenticated_tls);
            if without_identity && authorization.spec.server.names(server.resource) {
                let how = if *unauthenticated { "unauthenticated" } else { "meshTLS.unauthenticatedTLS" };
                let authorization = authorization.resource;
                add(
                    format!("{how} by ServerAuthorization {} for Server {name}", authorization.name()),
                    authorization,
                );
            }
        }
        for policy in self.authorization_policies.get(namespace).into_iter().flatten() {
            let Reference { kind, name: target } = &policy.spec.target_ref;
            let targets = match kind.as_str() {
                "Server" => *target == server.resource.meta.name,
                "Namespace" => true,
                _ => false,
            };
            if targets && !policy.spec.demands_identity() {
                add(
                    format!(
                        "no MeshTLSAuthentication in AuthorizationPolicy {} for Server {name}",
                        policy.resource.name()
                    ),
                    policy.resource,
                );
            }
        }
        openings
    }

    /// Routes are not read, so that an authorization of one may be for any Server of the namespace.
    fn opens_a_route(&self, namespace: &str) -> Option<Gap> {
        let policy = self.authorization_policies.get(namespace)?.iter().find(|policy| {
            !matches!(policy.spec.target_ref.kind.as_str(), "Server" | "Namespace")
                && !policy.spec.demands_identity()
        })?;
        Some(
            Gap::new(
                ResourceName::from("httproutes.policy.linkerd.io"),
                GapReason::NotCollected,
                format!(
                    "AuthorizationPolicy {} lets clients without identity use a route; which Server the route belongs to is not read",
                    policy.resource.name()
                ),
            )
            .closed_by("Demand a MeshTLSAuthentication in that AuthorizationPolicy."),
        )
    }
}

impl ServerSpec {
    fn selects(&self, pod: &Pod, port: ServedPort) -> bool {
        let Some(selector) = &self.pod_selector else { return false };
        let names_port = |number: u16| match &self.port {
            PolicyPort::Number(named) => *named == i64::from(number),
            PolicyPort::Name(name) => super::served_ports::ports(pod).any(|(_, declared)| {
                declared.name == *name
                    && declared.container_port == i64::from(number)
                    && declared.protocol.as_deref().is_none_or(|protocol| protocol == "TCP")
            }),
        };
        // Of every port some Server has one: what it lets in counts, and the default policy for the others.
        port.number.is_none_or(names_port) && selector.selects(&pod.meta.labels)
    }
}

impl ServerReference {
    fn names(&self, server: &Resource) -> bool {
        match (&self.name, &self.selector) {
            (Some(name), _) => *name == server.meta.name,
            (None, Some(selector)) => selector.selects(&server.meta.labels),
            (None, None) => true,
        }
    }
}

impl AuthorizationPolicySpec {
    fn demands_identity(&self) -> bool {
        self.required_authentication_refs
            .iter()
            .any(|reference| IDENTITIES.contains(&reference.kind.as_str()))
    }
}

/// The objects of a kind by namespace; those that cannot be read go among `unread`.
fn read<'a, S: DeserializeOwned>(
    inventory: &'a Inventory,
    kind: Kind,
    unread: &mut HashMap<&'a str, Vec<Gap>>,
) -> HashMap<&'a str, Vec<Policy<'a, S>>> {
    let mut by_namespace: HashMap<&str, Vec<Policy<'a, S>>> = HashMap::new();
    for resource in &inventory.resources(kind).seen {
        let namespace = resource.meta.namespace_or_default();
        match resource.parse::<Body<S>>() {
            Ok(Body { spec }) => by_namespace.entry(namespace).or_default().push(Policy { resource, spec }),
            Err(error) => unread.entry(namespace).or_default().push(unreadable(resource, &error)),
        }
    }
    by_namespace
}
