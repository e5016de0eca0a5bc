//! Nodes, reduced to what items read.

use super::ObjectMeta;
use super::meta::null_is_default;
use serde::Deserialize;
use std::net::IpAddr;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RawNode")]
pub struct Node {
    /// Its metadata, without the annotations that may hold credentials.
    pub meta: ObjectMeta,
    /// Whether its condition Ready is True.
    pub ready: bool,
    /// The provider's name of the machine, such as `aws:///…`.
    pub provider_id: String,
    /// The kubelet's version, such as `v1.36.3`.
    pub kubelet_version: String,
    /// The operating system's name, such as `Talos (v1.11.0)`.
    pub os_image: String,
    /// Its internal addresses.
    pub addresses: Vec<IpAddr>,
    /// The port at which its kubelet serves; 10250 where it does not say.
    pub kubelet_port: u16,
    /// What a k3s server says of its own start.
    pub k3s: Option<K3sServer>,
}

/// The port at which kubelets serve unless they are told otherwise.
const KUBELET_PORT: u16 = 10250;

impl Node {
    /// Whether there is no kubelet of one's own behind it: Fargate, virtual kubelets.
    pub fn is_virtual(&self) -> bool {
        let label = |name: &str| self.meta.labels.get(name).map_or("", String::as_str);
        label("type") == "virtual-kubelet" || label("eks.amazonaws.com/compute-type") == "fargate"
    }
}

/// What the annotations of a k3s server node say, without anything that could be a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct K3sServer {
    /// The values of `--kube-apiserver-arg`, in order.
    pub api_server_args: Vec<String>,
    /// Whether the datastore is an external one.
    pub external_datastore: bool,
    /// Whether `--cluster-init` or `--server` makes it keep an embedded etcd.
    pub embedded_etcd: bool,
    /// Whether `--disable-network-policy` is there.
    pub network_policy_disabled: bool,
}

/// A condition in a status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(super) struct Condition {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) status: String,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "null_is_default")]
    spec: RawNodeSpec,
    #[serde(default, deserialize_with = "null_is_default")]
    status: RawNodeStatus,
}

#[derive(Deserialize, Default)]
struct RawNodeSpec {
    #[serde(default, rename = "providerID", deserialize_with = "null_is_default")]
    provider_id: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawNodeStatus {
    #[serde(default, deserialize_with = "null_is_default")]
    conditions: Vec<Condition>,
    #[serde(default, deserialize_with = "null_is_default")]
    node_info: RawNodeInfo,
    #[serde(default, deserialize_with = "null_is_default")]
    addresses: Vec<RawAddress>,
    #[serde(default, deserialize_with = "null_is_default")]
    daemon_endpoints: RawDaemonEndpoints,
}

#[derive(Deserialize)]
struct RawAddress {
    #[serde(rename = "type", default)]
    sort: String,
    #[serde(default)]
    address: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawDaemonEndpoints {
    #[serde(default, deserialize_with = "null_is_default")]
    kubelet_endpoint: RawEndpoint,
}

#[derive(Deserialize, Default)]
struct RawEndpoint {
    #[serde(default, rename = "Port")]
    port: i64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawNodeInfo {
    #[serde(default, deserialize_with = "null_is_default")]
    kubelet_version: String,
    #[serde(default, deserialize_with = "null_is_default")]
    os_image: String,
}

impl From<RawNode> for Node {
    fn from(raw: RawNode) -> Self {
        let RawNode { metadata: mut meta, spec, status } = raw;
        let args = meta.annotations.remove("k3s.io/node-args");
        let environment = meta.annotations.remove("k3s.io/node-env");
        meta.annotations.remove("rke2.io/node-args");
        meta.annotations.remove("rke2.io/node-env");
        Node {
            ready: status.conditions.iter().any(|c| c.kind == "Ready" && c.status == "True"),
            addresses: status
                .addresses
                .iter()
                .filter(|address| address.sort == "InternalIP")
                .filter_map(|address| address.address.parse().ok())
                .collect(),
            kubelet_port: u16::try_from(status.daemon_endpoints.kubelet_endpoint.port)
                .ok()
                .filter(|port| *port != 0)
                .unwrap_or(KUBELET_PORT),
            provider_id: spec.provider_id,
            kubelet_version: status.node_info.kubelet_version,
            os_image: status.node_info.os_image,
            k3s: args.and_then(|args| K3sServer::parse(&args, environment.as_deref().unwrap_or_default())),
            meta,
        }
    }
}

impl K3sServer {
    /// Reads `k3s.io/node-args` (a JSON list) and `k3s.io/node-env` (a JSON object); none for an agent.
    fn parse(args: &str, environment: &str) -> Option<K3sServer> {
        let args: Vec<String> = serde_json::from_str(args).ok()?;
        if args.first().map(String::as_str) != Some("server") {
            return None;
        }
        let environment: std::collections::BTreeMap<String, String> =
            serde_json::from_str(environment).unwrap_or_default();
        let mut server = K3sServer {
            external_datastore: environment.contains_key("K3S_DATASTORE_ENDPOINT"),
            embedded_etcd: environment.contains_key("K3S_CLUSTER_INIT")
                || environment.contains_key("K3S_URL"),
            ..K3sServer::default()
        };
        let mut rest = args.iter().skip(1);
        while let Some(arg) = rest.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (arg.as_str(), None),
            };
            let is_true = !matches!(inline, Some("false"));
            match name {
                "--kube-apiserver-arg" => {
                    if let Some(value) = inline.map(str::to_owned).or_else(|| rest.next().cloned()) {
                        server.api_server_args.push(value);
                    }
                }
                "--datastore-endpoint" => server.external_datastore = true,
                "--cluster-init" => server.embedded_etcd |= is_true,
                "--server" | "-s" => server.embedded_etcd = true,
                "--disable-network-policy" => server.network_policy_disabled = is_true,
                _ => {}
            }
        }
        Some(server)
    }
}
