//! Services and what stands behind them, reduced to what items read.

use super::meta::null_is_default;
use super::network_policy::PolicyPort;
use super::{Labels, ObjectMeta};
use serde::Deserialize;

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Service {
    /// Its metadata.
    #[serde(rename = "metadata", default)]
    pub meta: ObjectMeta,
    /// Its spec.
    #[serde(default, deserialize_with = "null_is_default")]
    pub spec: ServiceSpec,
}

/// What items read of a Service's spec.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ServiceSpec {
    /// The labels of the pods behind it; empty where somebody else writes its EndpointSlices.
    #[serde(default, deserialize_with = "null_is_default")]
    pub selector: Labels,
    /// Its ports.
    #[serde(default, deserialize_with = "null_is_default")]
    pub ports: Vec<ServicePort>,
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    pub service_type: String,
    /// Its addresses in the cluster; `None` where it is headless.
    #[serde(rename = "clusterIPs", default, deserialize_with = "null_is_default")]
    pub cluster_ips: Vec<String>,
    /// Addresses outside the cluster at which nodes take its traffic.
    #[serde(rename = "externalIPs", default, deserialize_with = "null_is_default")]
    pub external_ips: Vec<String>,
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Its name; empty where there is one port alone.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The port of the Service.
    #[serde(default)]
    pub port: i64,
    /// The port of the pods; unset is the same number.
    #[serde(default)]
    pub target_port: Option<PolicyPort>,
    /// The protocol; unset is TCP.
    #[serde(default)]
    pub protocol: Option<String>,
    /// What is spoken, such as `kubernetes.io/h2c`.
    #[serde(default)]
    pub app_protocol: Option<String>,
}

/// A part of what stands behind a Service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct EndpointSlice {
    /// Its metadata; the label `kubernetes.io/service-name` names the Service.
    #[serde(rename = "metadata", default)]
    pub meta: ObjectMeta,
    /// What stands behind the Service.
    #[serde(default, deserialize_with = "null_is_default")]
    pub endpoints: Vec<Endpoint>,
    /// The ports that they serve.
    #[serde(default, deserialize_with = "null_is_default")]
    pub ports: Vec<EndpointPort>,
}

/// One thing behind a Service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "RawEndpoint")]
pub struct Endpoint {
    /// Its addresses.
    pub addresses: Vec<String>,
    /// The pod, by namespace and name; none where it is no pod.
    pub pod: Option<(String, String)>,
    /// Whether it is ready; unset is taken for yes, as the API says.
    pub ready: bool,
}

/// A port behind a Service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct EndpointPort {
    /// Its name.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The number; unset is every port.
    #[serde(default)]
    pub port: Option<i64>,
    /// The protocol; unset is TCP.
    #[serde(default)]
    pub protocol: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEndpoint {
    #[serde(default, deserialize_with = "null_is_default")]
    addresses: Vec<String>,
    #[serde(default)]
    target_ref: Option<RawTarget>,
    #[serde(default, deserialize_with = "null_is_default")]
    conditions: RawConditions,
}

#[derive(Deserialize)]
struct RawTarget {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize, Default)]
struct RawConditions {
    #[serde(default)]
    ready: Option<bool>,
}

impl From<RawEndpoint> for Endpoint {
    fn from(raw: RawEndpoint) -> Self {
        Endpoint {
            addresses: raw.addresses,
            pod: raw
                .target_ref
                .filter(|target| target.kind == "Pod")
                .map(|target| (target.namespace, target.name)),
            ready: raw.conditions.ready != Some(false),
        }
    }
}
