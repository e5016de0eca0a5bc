//! Item 1: etcd speaks TLS, to its clients and to its peers.

mod remedy;

use super::{Item, control_plane};
use crate::Kind;
use crate::distribution::Distribution;
use crate::flags::{Flags, Setting};
use crate::inventory::{Component, Pod};
use crate::judge::{Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::workloads::View;
use rampart_shared::{Category, Gap, GapReason, ItemId};
use std::net::IpAddr;

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::EtcdTls,
    number: 1,
    category: Category::ClusterComponents,
    title: "etcd speaks TLS with its clients and peers",
    short_title: "etcd TLS",
    checks: "The flags and environment of every etcd member: certificate, key and CA for clients and for peers, client \
             certificates demanded of both, no generated certificates (auto-tls), no plain HTTP address beyond loopback. \
             And of every API server: each etcd address is https or a local socket, and it shows a certificate of its \
             own. One member or API server that differs fails the item.",
    why: "etcd holds everything that the API server knows, every Secret among it. Whoever may read its port reads all of \
          it, past RBAC, and whoever may write it owns the cluster.",
    cannot_see: "etcd that runs in no visible pod: of an external etcd only the API server's side is judged, and how its \
                 peers talk stays a gap, as it does on Talos and where a provider runs the control plane. Values in a \
                 file that --config-file names. Whether the certificates are valid, and who else holds one of that CA. \
                 The API server's /flagz shows its side alone.",
    references: &[
        (
            "Kubernetes: Securing etcd clusters",
            "https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#securing-etcd-clusters",
        ),
        ("etcd: Transport security model", "https://etcd.io/docs/v3.6/op-guide/security/"),
        (
            "CIS Kubernetes Benchmark 2.1–2.6: etcd; 1.2: --etcd-certfile, --etcd-keyfile, --etcd-cafile",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::conditional(Kind::Nodes),
        Need::conditional(Kind::EndpointSlices),
        Need::conditional(Kind::ApiServerFlagz),
    ],
    observe,
    remedy: remedy::remedy,
};

/// Flags of etcd that name a file, with the file in kubeadm's directory of certificates.
const FILES: [(&str, &str); 6] = [
    ("cert-file", "etcd/server.crt"),
    ("key-file", "etcd/server.key"),
    ("trusted-ca-file", "etcd/ca.crt"),
    ("peer-cert-file", "etcd/peer.crt"),
    ("peer-key-file", "etcd/peer.key"),
    ("peer-trusted-ca-file", "etcd/ca.crt"),
];
const CLIENT_AUTHENTICATION: [&str; 2] = ["client-cert-auth", "peer-client-cert-auth"];
/// Flags that let etcd make its own certificates, with the flags beside which it ignores them.
const GENERATED: [(&str, &str, &str); 2] =
    [("auto-tls", "cert-file", "key-file"), ("peer-auto-tls", "peer-cert-file", "peer-key-file")];
/// Flags that hold addresses; left out, each is http on localhost.
const ADDRESSES: [&str; 6] = [
    "listen-client-urls",
    "listen-client-http-urls",
    "advertise-client-urls",
    "listen-peer-urls",
    "initial-advertise-peer-urls",
    "initial-cluster",
];
const SERVERS: &str = "etcd-servers";
const OVERRIDES: &str = "etcd-servers-overrides";
/// Flags of the API server that name a file, with the file in kubeadm's directory of certificates.
const CLIENT_FILES: [(&str, &str); 3] = [
    ("etcd-cafile", "etcd/ca.crt"),
    ("etcd-certfile", "apiserver-etcd-client.crt"),
    ("etcd-keyfile", "apiserver-etcd-client.key"),
];

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "component", ..Observation::default() };
    let members = control_plane::pods(view, Component::Etcd);
    let api_servers = control_plane::pods(view, Component::ApiServer);

    for pod in &members {
        match Flags::of_pod(Component::Etcd, pod) {
            Ok(flags) => observe_member(&mut observation, pod, &flags),
            Err(error) => observation.undecided.push(control_plane::unreadable(pod, &error)),
        }
    }
    let mut servers = Vec::new();
    let answered = control_plane::flagz(view);
    for pod in &api_servers {
        match Flags::of_pod(Component::ApiServer, pod) {
            Ok(flags) => servers.extend(observe_api_server(&mut observation, Place::Pod(pod), &flags)),
            // The one API server that there is tells its flags itself.
            Err(_) if answered.is_some() && api_servers.len() == 1 => {}
            Err(error) => observation.undecided.push(control_plane::unreadable(pod, &error)),
        }
    }
    let unread = servers.is_empty() && api_servers.len() <= 1;
    if let Some(flags) = answered.filter(|_| unread) {
        servers = observe_api_server(&mut observation, Place::Answer, &flags);
        observation.undecided.extend(control_plane::others(view, Kind::ApiServerFlagz));
        if members.is_empty() {
            observation.undecided.push(no_member(&servers));
        }
    } else if api_servers.is_empty() {
        observe_without_api_server(view, &mut observation, !members.is_empty());
    } else if members.is_empty() {
        observation.undecided.push(no_member(&servers));
    }
    observation
}

fn observe_member(observation: &mut Observation, pod: &Pod, flags: &Flags) {
    observation.examined.insert(control_plane::name(pod));
    let mut report = Report { observation, place: Place::Pod(pod), flags };
    for (flag, _) in FILES {
        report.demand_file(flag);
    }
    for flag in CLIENT_AUTHENTICATION {
        match flags.boolean(flag) {
            Setting::Known(true) => {}
            Setting::Known(false) => report.violation(flag, "false", "true", None),
            Setting::Unset => report.violation(flag, "unset", "true", None),
            Setting::Unclear(text) => report.unclear(flag, &text),
        }
    }
    for (flag, certificate, key) in GENERATED {
        match flags.boolean(flag) {
            Setting::Known(true) => {
                let is_set = |flag| flags.text(flag) != Setting::Unset;
                let note = (is_set(certificate) && is_set(key)).then_some(
                    "Ignored today, because etcd has certificate files; dangerous if the certificates go.",
                );
                report.violation(flag, "true", "false", note);
            }
            Setting::Known(false) | Setting::Unset => {}
            Setting::Unclear(text) => report.unclear(flag, &text),
        }
    }
    for flag in ADDRESSES {
        let (Setting::Known(text) | Setting::Unclear(text)) = flags.text(flag) else { continue };
        let addresses: Vec<&str> = text
            .split(',')
            .map(|address| match flag {
                // `name=URL`.
                "initial-cluster" => address.split_once('=').map_or(address, |(_, url)| url),
                _ => address,
            })
            .map(str::trim)
            .filter(|address| !address.is_empty())
            .collect();
        report.demand_addresses(flag, &addresses, false);
    }
    if let Setting::Known(text) = flags.text("listen-metrics-urls") {
        let beyond =
            text.split(',').any(|url| !matches!(Address::of(url), Address::PlainLoopback | Address::Socket));
        if beyond {
            observation.notes.push(format!(
                "{} serves its metrics beyond loopback (--listen-metrics-urls); they show no keys or values.",
                control_plane::name(pod)
            ));
        }
    }
}

/// Judges an API server's side; its etcd addresses.
fn observe_api_server(observation: &mut Observation, place: Place<'_>, flags: &Flags) -> Vec<String> {
    observation.examined.insert(match place {
        Place::Pod(pod) => control_plane::name(pod),
        Place::Answer => control_plane::ANSWERED.to_owned(),
    });
    let mut report = Report { observation, place, flags };
    let mut servers = Vec::new();
    for flag in [SERVERS, OVERRIDES] {
        match flags.list(flag) {
            Setting::Known(values) => {
                let addresses: Vec<String> = match flag {
                    OVERRIDES => values.iter().flat_map(|value| override_addresses(value)).collect(),
                    _ => values,
                };
                report.demand_addresses(
                    flag,
                    &addresses.iter().map(String::as_str).collect::<Vec<_>>(),
                    true,
                );
                servers.extend(addresses);
            }
            // kube-apiserver does not start without it, so it is somewhere that is not seen.
            Setting::Unset if flag == SERVERS => report.unclear(flag, "not among its flags"),
            Setting::Unset => {}
            Setting::Unclear(text) => report.unclear(flag, &text),
        }
    }
    // A local socket has no TLS to show a certificate in.
    if !servers.iter().all(|server| Address::of(server) == Address::Socket) {
        for (flag, _) in CLIENT_FILES {
            report.demand_file(flag);
        }
    }
    servers
}

/// The addresses of one override, `group/resource#URL;URL`.
fn override_addresses(value: &str) -> Vec<String> {
    let servers = value.split_once('#').map_or(value, |(_, servers)| servers);
    servers.split(';').filter(|server| !server.is_empty()).map(str::to_owned).collect()
}

fn observe_without_api_server(view: &View<'_>, observation: &mut Observation, has_members: bool) {
    if has_members {
        observation.undecided.push(control_plane::no_api_server(view));
        return;
    }
    match view.distribution {
        Distribution::K3s => match control_plane::k3s_servers(view) {
            Ok(servers) => {
                let facts = || servers.iter().filter_map(|node| node.k3s.as_ref().map(|k3s| (node, k3s)));
                let embedded = facts().any(|(node, k3s)| {
                    k3s.embedded_etcd || node.meta.labels.contains_key("node-role.kubernetes.io/etcd")
                });
                if embedded {
                    observation.undecided.push(
                        Gap::new(
                            Kind::Pods.name(),
                            GapReason::NotCollected,
                            "k3s runs etcd inside its own process, so no pod shows its flags",
                        )
                        .closed_by(
                            "k3s' documentation says how it runs etcd; nothing in the cluster shows it.",
                        ),
                    );
                } else if facts().any(|(_, k3s)| k3s.external_datastore) {
                    observation.undecided.push(
                        Gap::new(
                            Kind::Pods.name(),
                            GapReason::NotCollected,
                            "k3s keeps its data in an external datastore, and the connection to it is not shown",
                        )
                        .closed_by("Look at --datastore-endpoint and --datastore-cafile on the k3s servers."),
                    );
                } else {
                    observation.notes.push("k3s keeps its data in SQLite; there is no etcd.".to_owned());
                }
            }
            Err(gap) => observation.undecided.push(*gap),
        },
        Distribution::MicroK8s if view.inventory.nodes.is_complete() => {
            observation.notes.push("MicroK8s keeps its data in dqlite; there is no etcd.".to_owned());
        }
        _ => observation.undecided.push(control_plane::no_api_server(view)),
    }
}

/// Why no etcd pod is seen, by where the API servers say that etcd is.
fn no_member(servers: &[String]) -> Gap {
    let is_local =
        |server: &String| host(server).is_some_and(is_loopback) || Address::of(server) == Address::Socket;
    let (detail, closed_by) = if servers.is_empty() {
        ("no etcd is among the pods that were seen, and no API server says where it is", control_plane::FLAGZ)
    } else if servers.iter().any(is_local) {
        (
            "the API server finds etcd on its own host, but no etcd is among the pods that were seen (on Talos it runs outside \
             any pod)",
            "In a snapshot: add the pods of kube-system. Where etcd runs outside any pod, look at its flags on the host.",
        )
    } else {
        (
            "etcd is external: its own flags, and how its peers talk, cannot be seen from the cluster",
            "Look at the flags of the external etcd, its peer- flags above all.",
        )
    };
    Gap::new(Kind::Pods.name(), GapReason::NotCollected, detail).closed_by(closed_by)
}

/// Where flags were read.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// In a pod.
    Pod(&'a Pod),
    /// In the API server's own answer.
    Answer,
}

/// Puts what one component's flags say into the observation.
struct Report<'a> {
    observation: &'a mut Observation,
    place: Place<'a>,
    flags: &'a Flags,
}

impl Report<'_> {
    fn violation(
        &mut self,
        flag: &'static str,
        observed: impl Into<String>,
        expected: &str,
        note: Option<&str>,
    ) {
        let violation = match self.place {
            Place::Pod(pod) => control_plane::violation(pod, self.flags, flag, observed.into(), expected),
            Place::Answer => control_plane::flagz_violation(self.flags, flag, observed.into(), expected),
        };
        self.observation.seen.push(SeenViolation(Violation { note: note.map(str::to_owned), ..violation }));
    }

    fn unclear(&mut self, flag: &str, text: &str) {
        self.observation.undecided.push(match self.place {
            Place::Pod(pod) => control_plane::unclear(pod, flag, text),
            Place::Answer => Gap::new(
                Kind::ApiServerFlagz.name(),
                GapReason::NotCollected,
                format!("the API server that answered tells --{flag} as: {text}"),
            )
            .closed_by("Look at the API server's own configuration."),
        });
    }

    fn demand_file(&mut self, flag: &'static str) {
        match self.flags.text(flag) {
            Setting::Known(_) => {}
            Setting::Unset => self.violation(flag, "unset", "a file", None),
            Setting::Unclear(text) => self.unclear(flag, &text),
        }
    }

    /// Plain addresses are violations, on loopback only where `everywhere` says so.
    fn demand_addresses(&mut self, flag: &'static str, addresses: &[&str], everywhere: bool) {
        let bad: Vec<String> = addresses
            .iter()
            .filter(|address| match Address::of(address) {
                Address::Plain => true,
                Address::PlainLoopback => everywhere,
                Address::Tls | Address::Socket | Address::Unclear => false,
            })
            .map(|address| without_credentials(address))
            .collect();
        if !bad.is_empty() {
            let expected = if everywhere { "https" } else { "https beyond loopback" };
            self.violation(flag, bad.join(","), expected, None);
        } else if let Some(address) =
            addresses.iter().find(|address| Address::of(address) == Address::Unclear)
        {
            self.unclear(flag, &without_credentials(address));
        }
    }
}

/// What an address says about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Address {
    Tls,
    Socket,
    PlainLoopback,
    Plain,
    Unclear,
}

impl Address {
    fn of(url: &str) -> Address {
        match url.trim().split_once("://") {
            Some(("https" | "unixs", _)) => Address::Tls,
            Some(("unix", _)) => Address::Socket,
            _ if host(url).is_some_and(is_loopback) => Address::PlainLoopback,
            _ if url.contains('$') => Address::Unclear,
            _ => Address::Plain,
        }
    }
}

/// The host of a URL, or of what has no scheme.
fn host(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next(),
        None => authority.split(':').next(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
