//! One object of any kind that items read.

use super::kubelet::KubeletConfiguration;
use super::meta::{Labels, null_is_default};
use super::workload::RawWorkload;
use super::{Kind, NetworkPolicy, Node, ObjectMeta, Pod, Workload};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One object, reduced to what items read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A Namespace.
    Namespace(ObjectMeta),
    /// A Node.
    Node(Node),
    /// A Pod.
    Pod(Pod),
    /// A workload controller.
    Workload(Workload),
    /// A NetworkPolicy.
    NetworkPolicy(NetworkPolicy),
    /// ConfigMap `kube-system/kubelet-config`; none when it is another ConfigMap.
    KubeletConfigMap(Option<KubeletConfiguration>),
}

impl Object {
    /// Reduces an object while deserialising it. Items of a list do not name their kind, so the caller says it.
    ///
    /// # Errors
    /// When a field that items read has another type than the API gives it, when it has no name, or when the
    /// kind is not one whose objects are read one by one.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        kind: Kind,
        api_version: &str,
        deserializer: D,
    ) -> Result<Object, D::Error> {
        let object = match kind {
            Kind::Namespaces => Object::Namespace(Metadata::deserialize(deserializer)?.metadata),
            Kind::Nodes => Object::Node(Node::deserialize(deserializer)?),
            Kind::Pods => Object::Pod(Pod::deserialize(deserializer)?),
            Kind::Deployments
            | Kind::ReplicaSets
            | Kind::StatefulSets
            | Kind::DaemonSets
            | Kind::Jobs
            | Kind::CronJobs => {
                Object::Workload(RawWorkload::deserialize(deserializer)?.reduce(kind, api_version))
            }
            Kind::NetworkPolicies => Object::NetworkPolicy(NetworkPolicy::deserialize(deserializer)?),
            Kind::KubeletConfigMap => {
                let map = ConfigMap::deserialize(deserializer)?;
                let named = map.metadata.namespace == "kube-system" && map.metadata.name == "kubelet-config";
                let text = map.data.get("kubelet").filter(|_| named);
                let configuration =
                    text.map(|text| serde_saphyr::from_str(text).map_err(D::Error::custom)).transpose()?;
                return Ok(Object::KubeletConfigMap(configuration));
            }
            Kind::OtherPolicyKinds | Kind::KubeletConfigz => {
                return Err(D::Error::custom("not a kind whose objects are read one by one"));
            }
        };
        // `generateName` is for `kubectl create` alone; an object without a name cannot be named in a finding.
        if object.meta().is_some_and(|meta| meta.name.is_empty()) {
            return Err(D::Error::custom("metadata.name is missing"));
        }
        Ok(object)
    }

    /// Its metadata; none for a ConfigMap, of which only the configuration is kept.
    pub fn meta(&self) -> Option<&ObjectMeta> {
        match self {
            Object::Namespace(meta) => Some(meta),
            Object::Node(node) => Some(&node.meta),
            Object::Pod(pod) => Some(&pod.meta),
            Object::Workload(workload) => Some(&workload.meta),
            Object::NetworkPolicy(policy) => Some(&policy.meta),
            Object::KubeletConfigMap(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    metadata: ObjectMeta,
}

#[derive(Deserialize)]
struct ConfigMap {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "null_is_default")]
    data: Labels,
}
