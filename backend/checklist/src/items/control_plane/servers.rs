//! The API servers with what falls short at each, for their remedies.

use super::{ANSWERED, flagz, name, pods};
use crate::distribution::Distribution;
use crate::flags::Flags;
use crate::inventory::{Component, K3sServer};
use crate::remedy::control_plane::{FlagChanges, takes_flags};
use crate::workloads::View;
use rampart_shared::Finding;
use std::collections::BTreeMap;

/// One place where an API server's flags were seen.
pub(in crate::items) struct Server<'v, 'f> {
    /// Its flags, and what changes in them: nothing yet.
    pub(in crate::items) changes: FlagChanges<'v>,
    /// The pod or node, or the API server that answered.
    pub(in crate::items) name: String,
    /// What falls short there.
    pub(in crate::items) findings: Vec<&'f Finding>,
}

impl Server<'_, '_> {
    /// Whether a script starts it, so that no document reaches its flags.
    pub(in crate::items) fn is_scripted(&self) -> bool {
        self.changes.pod.is_some_and(|pod| !takes_flags(pod, Component::ApiServer))
    }
}

/// Every API server whose flags were read, good ones among them. `k3s_flags` reads those of k3s.
pub(in crate::items) fn servers<'v, 'f>(
    view: &View<'v>,
    findings: Vec<&'f Finding>,
    k3s_flags: impl Fn(&K3sServer) -> Flags,
) -> Vec<Server<'v, 'f>> {
    let mut by_subject: BTreeMap<(&str, Option<&str>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let subject = &finding.subject;
        let key = (subject.kind.as_str(), subject.namespace.as_deref(), subject.name.as_str());
        by_subject.entry(key).or_default().push(finding);
    }
    let mut servers = Vec::new();
    let mut add = |pod, flags: Flags, name: String, findings: Option<Vec<&'f Finding>>| {
        let changes = FlagChanges { pod, flags, set: Vec::new(), removed: Vec::new() };
        servers.push(Server { changes, name, findings: findings.unwrap_or_default() });
    };
    for pod in pods(view, Component::ApiServer) {
        let Ok(flags) = Flags::of_pod(Component::ApiServer, pod) else { continue };
        let key = ("Pod", Some(pod.meta.namespace.as_str()), pod.meta.name.as_str());
        add(Some(pod), flags, name(pod), by_subject.remove(&key));
    }
    let answered = by_subject.remove(&("Flagz", None, Component::ApiServer.program()));
    if let (Some(flags), Some(own)) = (flagz(view), answered) {
        add(None, flags, ANSWERED.to_owned(), Some(own));
    }
    let is_k3s = view.distribution == Distribution::K3s;
    for node in view.inventory.nodes.seen.iter().filter(|_| is_k3s) {
        if let Some(k3s) = &node.k3s {
            let own = by_subject.remove(&("Node", None, node.meta.name.as_str()));
            add(None, k3s_flags(k3s), node.meta.name.clone(), own);
        }
    }
    servers
}
