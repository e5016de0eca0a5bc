//! Pod specs, reduced to what items read.

use super::credential::CredentialAt;
use super::meta::null_is_default;
use super::pod_security::PodSecurityBreaches;
use serde::Deserialize;

/// What items read of a pod's spec. `nodeName` and the volumes that differ between replicas are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodSpec {
    /// Init containers, sidecars among them.
    pub init_containers: Vec<Container>,
    /// Containers.
    pub containers: Vec<Container>,
    /// Ephemeral containers.
    pub ephemeral_containers: Vec<Container>,
    /// The pod's security context.
    pub security_context: PodSecurityContext,
    /// Whether the pod shares the node's network.
    pub host_network: bool,
    /// Whether the pod uses the node's user namespace; unset means that it does.
    pub host_users: Option<bool>,
    /// Whether it says that it is for Windows, by `os` or node selector.
    pub windows: bool,
    /// AppArmor profiles by container, from the older annotation.
    pub apparmor_annotations: Vec<(String, String)>,
    /// The service account; `default` where the pod names none.
    pub service_account: String,
    /// Whether the pod says that it gets a token of the API.
    pub automount_token: Option<bool>,
    /// Whether a container mounts a volume with a token of the API; what admission added counts.
    pub mounts_token: bool,
    /// The volumes that items read; the token's own is not in it, since its name differs between replicas.
    pub volumes: Vec<Volume>,
    /// Every reference to a Secret, but for those that pull images.
    pub secret_references: Vec<SecretReference>,
    /// The Secrets that pull images.
    pub image_pull_secrets: Vec<String>,
    /// What the Pod Security Standards forbid of it.
    pub pod_security: PodSecurityBreaches,
}

/// A volume that items read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Volume {
    /// A Secret's keys as files.
    Secret {
        /// The volume.
        name: String,
        /// The Secret.
        secret: String,
    },
    /// A token of the pod's service account for somebody else than the API server.
    ForeignToken {
        /// The volume.
        name: String,
        /// For whom it is.
        audience: String,
    },
    /// A CSI driver's, inline.
    Csi {
        /// The volume.
        name: String,
        /// The driver.
        driver: String,
        /// The SecretProviderClass that it mounts.
        secret_provider_class: Option<String>,
    },
    /// An image's files.
    Image {
        /// The volume.
        name: String,
        /// The image.
        reference: String,
    },
    /// A path of the node.
    HostPath {
        /// The volume.
        name: String,
        /// The path.
        path: String,
    },
}

/// A reference from a pod to a Secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretReference {
    /// The Secret.
    pub secret: String,
    /// Where the reference stands, relative to the pod spec.
    pub path: String,
    /// Whether the pod starts without the Secret.
    pub optional: bool,
}

/// What items read of a container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Container {
    /// The name.
    pub name: String,
    /// The image.
    pub image: String,
    /// The command; kept for system namespaces alone.
    pub command: Vec<String>,
    /// The arguments; kept for system namespaces, and of the init containers of meshes those that name ports.
    pub args: Vec<String>,
    /// Environment variables: all of control-plane components, elsewhere those whose names items know.
    pub env: Vec<EnvironmentVariable>,
    /// The credentials in its environment, command and arguments; paths are relative to it.
    pub credentials: Vec<CredentialAt>,
    /// The ports that it says it serves.
    pub ports: Vec<ContainerPort>,
    /// Where it mounts Secrets.
    pub secret_mounts: Vec<SecretMount>,
    /// Whether it is an init container that goes on running: a sidecar.
    pub restarts_always: bool,
    /// The security context.
    pub security_context: SecurityContext,
}

/// A place where a container mounts a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SecretMount {
    /// The path in the container.
    pub path: String,
    /// The Secret.
    pub secret: String,
}

/// A port that a container says it serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPort {
    /// Its name; empty where it has none.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The number.
    #[serde(default)]
    pub container_port: i64,
    /// The protocol; unset is TCP.
    #[serde(default)]
    pub protocol: Option<String>,
    /// The port of the node that it takes; 0 is none.
    #[serde(default, deserialize_with = "null_is_default")]
    pub host_port: i64,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EnvironmentVariable {
    /// The name.
    pub name: String,
    /// The value; none where it comes from elsewhere or could be a credential.
    pub value: Option<String>,
    /// The Secret that it comes from.
    pub secret: Option<String>,
}

/// What items read of a container's security context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityContext {
    /// Whether the container has the host's privileges.
    #[serde(default)]
    pub privileged: Option<bool>,
    /// Whether a process may get more rights than its parent; unset means that it may.
    #[serde(default)]
    pub allow_privilege_escalation: Option<bool>,
    /// Whether the root filesystem is read-only.
    #[serde(default)]
    pub read_only_root_filesystem: Option<bool>,
    /// Whether the kubelet refuses to run it as root.
    #[serde(default)]
    pub run_as_non_root: Option<bool>,
    /// The user that it runs as.
    #[serde(default)]
    pub run_as_user: Option<i64>,
    /// The seccomp profile.
    #[serde(default)]
    pub seccomp_profile: Option<SeccompProfile>,
    /// The AppArmor profile.
    #[serde(default)]
    pub app_armor_profile: Option<AppArmorProfile>,
}

/// What items read of a pod's security context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurityContext {
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub run_as_non_root: Option<bool>,
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub run_as_user: Option<i64>,
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub seccomp_profile: Option<SeccompProfile>,
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub app_armor_profile: Option<AppArmorProfile>,
}

/// A seccomp profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
pub struct SeccompProfile {
    /// `RuntimeDefault`, `Localhost` or `Unconfined`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// An AppArmor profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
pub struct AppArmorProfile {
    /// `RuntimeDefault`, `Localhost` or `Unconfined`.
    #[serde(rename = "type", default)]
    pub kind: String,
}
