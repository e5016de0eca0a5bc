//! One object of any kind that items read.

use super::rbac::{RawBinding, RawRole};
use super::workload::RawWorkload;
use super::{
    Binding, ConfigMap, EndpointSlice, Kind, NetworkPolicy, Node, ObjectMeta, Pod, Resource, Role, Service,
    ServiceAccount, Workload,
};
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
    /// A ConfigMap.
    ConfigMap(ConfigMap),
    /// A ServiceAccount.
    ServiceAccount(ServiceAccount),
    /// A Service.
    Service(Service),
    /// An EndpointSlice.
    EndpointSlice(EndpointSlice),
    /// A Role or a ClusterRole.
    Role(Role),
    /// A RoleBinding or a ClusterRoleBinding.
    Binding(Binding),
    /// An object of any other kind.
    Resource(Resource),
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
            kind if kind.is_workload() => {
                Object::Workload(RawWorkload::deserialize(deserializer)?.reduce(kind, api_version))
            }
            Kind::NetworkPolicies => Object::NetworkPolicy(NetworkPolicy::deserialize(deserializer)?),
            Kind::ConfigMaps => Object::ConfigMap(ConfigMap::deserialize(deserializer)?),
            Kind::ServiceAccounts => Object::ServiceAccount(ServiceAccount::deserialize(deserializer)?),
            Kind::Services => Object::Service(Service::deserialize(deserializer)?),
            Kind::EndpointSlices => Object::EndpointSlice(EndpointSlice::deserialize(deserializer)?),
            Kind::Roles | Kind::ClusterRoles => {
                Object::Role(RawRole::deserialize(deserializer)?.reduce(kind))
            }
            Kind::RoleBindings | Kind::ClusterRoleBindings => {
                Object::Binding(RawBinding::deserialize(deserializer)?.reduce(kind))
            }
            kind if kind.is_listed() => {
                Object::Resource(Resource::deserialize(kind, api_version, deserializer)?)
            }
            _ => return Err(D::Error::custom("not a kind whose objects are read one by one")),
        };
        // `generateName` is for `kubectl create` alone; an object without a name cannot be named in a finding.
        if object.meta().name.is_empty() {
            return Err(D::Error::custom("metadata.name is missing"));
        }
        Ok(object)
    }

    /// Its metadata.
    pub fn meta(&self) -> &ObjectMeta {
        match self {
            Object::Namespace(meta) => meta,
            Object::Node(node) => &node.meta,
            Object::Pod(pod) => &pod.meta,
            Object::Workload(workload) => &workload.meta,
            Object::NetworkPolicy(policy) => &policy.meta,
            Object::ConfigMap(map) => &map.meta,
            Object::ServiceAccount(account) => &account.meta,
            Object::Service(service) => &service.meta,
            Object::EndpointSlice(slice) => &slice.meta,
            Object::Role(role) => &role.meta,
            Object::Binding(binding) => &binding.meta,
            Object::Resource(resource) => &resource.meta,
        }
    }

    /// Its metadata.
    pub fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Object::Namespace(meta) => meta,
            Object::Node(node) => &mut node.meta,
            Object::Pod(pod) => &mut pod.meta,
            Object::Workload(workload) => &mut workload.meta,
            Object::NetworkPolicy(policy) => &mut policy.meta,
            Object::ConfigMap(map) => &mut map.meta,
            Object::ServiceAccount(account) => &mut account.meta,
            Object::Service(service) => &mut service.meta,
            Object::EndpointSlice(slice) => &mut slice.meta,
            Object::Role(role) => &mut role.meta,
            Object::Binding(binding) => &mut binding.meta,
            Object::Resource(resource) => &mut resource.meta,
        }
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Object::Namespace(_) => Kind::Namespaces,
            Object::Node(_) => Kind::Nodes,
            Object::Pod(_) => Kind::Pods,
            Object::Workload(workload) => workload.kind,
            Object::NetworkPolicy(_) => Kind::NetworkPolicies,
            Object::ConfigMap(_) => Kind::ConfigMaps,
            Object::ServiceAccount(_) => Kind::ServiceAccounts,
            Object::Service(_) => Kind::Services,
            Object::EndpointSlice(_) => Kind::EndpointSlices,
            Object::Role(role) => role.kind,
            Object::Binding(binding) => binding.kind,
            Object::Resource(resource) => resource.kind,
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    metadata: ObjectMeta,
}
