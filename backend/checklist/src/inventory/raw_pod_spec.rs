//! Pod specs as the API has them, and how they are reduced.

mod for_pod_security;

use self::for_pod_security::Whole;
use super::credential::{in_command, in_environment};
use super::meta::null_is_default;
use super::pod::Component;
use super::pod_security::PodSecurityBreaches;
use super::pod_spec::{
    Container, ContainerPort, EnvironmentVariable, PodSecurityContext, PodSpec, SecretMount, SecretReference,
    SecurityContext, Volume,
};
use super::{Labels, ObjectMeta, TemplateMount, TemplateVolumes};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// A pod's spec as the API has it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawPodSpec {
    #[serde(default, deserialize_with = "null_is_default")]
    node_name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    init_containers: Vec<RawContainer>,
    #[serde(default, deserialize_with = "null_is_default")]
    containers: Vec<RawContainer>,
    #[serde(default, deserialize_with = "null_is_default")]
    ephemeral_containers: Vec<RawContainer>,
    #[serde(default, deserialize_with = "null_is_default")]
    volumes: Vec<RawVolume>,
    #[serde(default, deserialize_with = "null_is_default")]
    security_context: Whole<PodSecurityContext>,
    #[serde(default, deserialize_with = "null_is_default")]
    host_network: bool,
    #[serde(default, rename = "hostPID", deserialize_with = "null_is_default")]
    host_pid: bool,
    #[serde(default, rename = "hostIPC", deserialize_with = "null_is_default")]
    host_ipc: bool,
    #[serde(default)]
    host_users: Option<bool>,
    #[serde(default)]
    os: Option<RawOs>,
    #[serde(default, deserialize_with = "null_is_default")]
    node_selector: Labels,
    #[serde(default, deserialize_with = "null_is_default")]
    service_account_name: String,
    /// The older name of `serviceAccountName`, which the API server still fills in.
    #[serde(default, deserialize_with = "null_is_default")]
    service_account: String,
    #[serde(default)]
    automount_service_account_token: Option<bool>,
    #[serde(default, deserialize_with = "null_is_default")]
    image_pull_secrets: Vec<RawLocalReference>,
}

#[derive(Deserialize, Default)]
struct RawOs {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize, Default)]
struct RawLocalReference {
    #[serde(default)]
    name: String,
    #[serde(default)]
    optional: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawContainer {
    #[serde(default, deserialize_with = "null_is_default")]
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    image: String,
    #[serde(default, deserialize_with = "null_is_default")]
    command: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    args: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    env: Vec<RawVariable>,
    #[serde(default, deserialize_with = "null_is_default")]
    env_from: Vec<RawEnvironmentSource>,
    #[serde(default, deserialize_with = "null_is_default")]
    ports: Vec<ContainerPort>,
    #[serde(default, deserialize_with = "null_is_default")]
    volume_mounts: Vec<RawMount>,
    #[serde(default)]
    restart_policy: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    security_context: Whole<SecurityContext>,
    #[serde(default)]
    liveness_probe: Value,
    #[serde(default)]
    readiness_probe: Value,
    #[serde(default)]
    startup_probe: Value,
    #[serde(default)]
    lifecycle: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawVariable {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    value_from: Option<RawVariableSource>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawVariableSource {
    #[serde(default)]
    secret_key_ref: Option<RawLocalReference>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawEnvironmentSource {
    #[serde(default)]
    secret_ref: Option<RawLocalReference>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawMount {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    mount_path: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawVolume {
    #[serde(default)]
    name: String,
    #[serde(default)]
    secret: Option<RawSecretVolume>,
    #[serde(default)]
    projected: Option<RawProjectedVolume>,
    #[serde(default)]
    csi: Option<RawCsiVolume>,
    #[serde(default)]
    image: Option<RawImageVolume>,
    #[serde(default)]
    host_path: Option<RawHostPath>,
    /// The sources that no item reads, for what their names say.
    #[serde(flatten)]
    other_sources: BTreeMap<String, Option<IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawSecretVolume {
    #[serde(default)]
    secret_name: String,
    #[serde(default)]
    optional: Option<bool>,
}

#[derive(Deserialize, Default)]
struct RawProjectedVolume {
    #[serde(default, deserialize_with = "null_is_default")]
    sources: Vec<RawProjection>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawProjection {
    #[serde(default)]
    secret: Option<RawLocalReference>,
    #[serde(default)]
    service_account_token: Option<RawTokenProjection>,
}

#[derive(Deserialize, Default)]
struct RawTokenProjection {
    #[serde(default, deserialize_with = "null_is_default")]
    audience: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawCsiVolume {
    #[serde(default)]
    driver: String,
    #[serde(default, deserialize_with = "null_is_default")]
    volume_attributes: Labels,
    #[serde(default)]
    node_publish_secret_ref: Option<RawLocalReference>,
}

#[derive(Deserialize, Default)]
struct RawImageVolume {
    #[serde(default, deserialize_with = "null_is_default")]
    reference: String,
}

#[derive(Deserialize, Default)]
struct RawHostPath {
    #[serde(default)]
    path: String,
}

/// What is kept of commands and environments: they may hold credentials and are read for system components alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Commands,
    CommandsAndEnvironment,
}

impl Keep {
    pub(super) fn of(meta: &ObjectMeta) -> Self {
        if Component::of(&meta.namespace, &meta.labels).is_some() {
            Keep::CommandsAndEnvironment
        } else if meta.namespace == "kube-system" {
            Keep::Commands
        } else {
            Keep::Nothing
        }
    }
}

/// Variables whose presence items read, wherever they are; their values could be credentials.
const KEPT_NAMES: [&str; 11] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "ARM_CLIENT_SECRET",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "GOOGLE_CREDENTIALS",
];
/// Variables whose values items read; none of them is a credential.
const KEPT_VALUES: [&str; 9] = [
    "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY",
    "LINKERD2_PROXY_INBOUND_PORTS_DISABLE_PROTOCOL_DETECTION",
    "ISTIO_META_MESH_ID",
    "PROXY_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AWS_SHARED_CREDENTIALS_FILE",
    "DD_SYSTEM_PROBE_NETWORK_ENABLED",
    "FELIX_FLOWLOGSGOLDMANESERVER",
    "AZURE_CLIENT_CERTIFICATE_PATH",
];
/// Init containers of meshes, which say by these flags which ports the proxy sees.
const KEPT_ARGUMENTS: [(&str, &[&str]); 3] = [
    ("istio-init", ISTIO_PORTS),
    ("istio-validation", ISTIO_PORTS),
    ("linkerd-init", &["--inbound-ports-to-ignore"]),
];
const ISTIO_PORTS: &[&str] = &[
    "-b",
    "--istio-inbound-ports",
    "-d",
    "--istio-local-exclude-ports",
    "-m",
    "--istio-inbound-interception-mode",
];
/// Audiences that make a token good for the API server. The API server's own issuer is not known here.
/// kubeadm's and k3s' issuer, whose name is an audience too, is the longer address.
const API_AUDIENCES: [&str; 5] =
    ["", "api", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "k3s"];

impl RawPodSpec {
    /// The node that the pod was scheduled to; empty before that.
    pub(super) fn node_name(&self) -> &str {
        &self.node_name
    }

    /// The volumes' names and where they are mounted.
    pub(super) fn template_volumes(&self) -> TemplateVolumes {
        let mounts = self.init_containers.iter().chain(&self.containers).flat_map(|container| {
            container.volume_mounts.iter().map(|mount| TemplateMount {
                container: container.name.clone(),
                path: mount.mount_path.clone(),
                volume: mount.name.clone(),
            })
        });
        TemplateVolumes {
            mounts: mounts.collect(),
            names: self.volumes.iter().map(|volume| volume.name.clone()).collect(),
        }
    }

    pub(super) fn reduce(self, annotations: &Labels, keep: Keep) -> PodSpec {
        let pod_security = PodSecurityBreaches::of(&self.for_pod_security(annotations));
        let mut references = Vec::new();
        let mut token_volumes = Vec::new();
        let mut volumes = Vec::new();
        for volume in self.volumes {
            volume.reduce(&mut volumes, &mut token_volumes, &mut references);
        }
        let mut mounts_token = false;
        let mut reduce = |field: &str, containers: Vec<RawContainer>| -> Vec<Container> {
            containers
                .into_iter()
                .map(|container| {
                    mounts_token |=
                        container.volume_mounts.iter().any(|mount| token_volumes.contains(&mount.name));
                    container.reduce(field, keep, &volumes, &mut references)
                })
                .collect()
        };
        let init_containers = reduce("initContainers", self.init_containers);
        let containers = reduce("containers", self.containers);
        let ephemeral_containers = reduce("ephemeralContainers", self.ephemeral_containers);
        let service_account = [self.service_account_name, self.service_account]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| "default".to_owned());
        PodSpec {
            windows: self.os.is_some_and(|os| os.name == "windows")
                || self.node_selector.get("kubernetes.io/os").is_some_and(|os| os == "windows"),
            init_containers,
            containers,
            ephemeral_containers,
            security_context: self.security_context.read,
            host_network: self.host_network,
            host_users: self.host_users,
            apparmor_annotations: annotations
                .iter()
                .filter_map(|(name, profile)| {
                    let container = name.strip_prefix("container.apparmor.security.beta.kubernetes.io/")?;
                    Some((container.to_owned(), profile.clone()))
                })
                .collect(),
            service_account,
            automount_token: self.automount_service_account_token,
            mounts_token,
            volumes,
            secret_references: references,
            image_pull_secrets: self.image_pull_secrets.into_iter().map(|secret| secret.name).collect(),
            pod_security,
        }
    }
}

impl RawContainer {
    fn reduce(
        self,
        field: &str,
        keep: Keep,
        volumes: &[Volume],
        references: &mut Vec<SecretReference>,
    ) -> Container {
        let path = |rest: String| format!("{field}[name={}].{rest}", self.name);
        for variable in &self.env {
            if let Some(reference) = variable.secret() {
                references
                    .push(reference.at(path(format!("env[name={}].valueFrom.secretKeyRef", variable.name))));
            }
        }
        for (index, source) in self.env_from.iter().enumerate() {
            if let Some(reference) = &source.secret_ref {
                references.push(reference.at(path(format!("envFrom[{index}].secretRef"))));
            }
        }
        let literal = |variable: &RawVariable| in_environment(&variable.name, variable.value.as_deref()?);
        let mut credentials: Vec<_> = self.env.iter().filter_map(literal).collect();
        credentials.extend(in_command(&self.command, &self.args));
        let keeps_commands = keep != Keep::Nothing;
        let secret_mounts = self.volume_mounts.iter().filter_map(|mount| {
            volumes.iter().find_map(|volume| match volume {
                Volume::Secret { name, secret } if *name == mount.name => {
                    Some(SecretMount { path: mount.mount_path.clone(), secret: secret.clone() })
                }
                _ => None,
            })
        });
        Container {
            secret_mounts: secret_mounts.collect(),
            command: if keeps_commands { self.command } else { Vec::new() },
            args: if keeps_commands { self.args } else { port_arguments(&self.name, &self.args) },
            env: self.env.into_iter().filter_map(|variable| variable.reduce(keep)).collect(),
            credentials,
            ports: self.ports,
            restarts_always: self.restart_policy.as_deref() == Some("Always"),
            security_context: self.security_context.read,
            name: self.name,
            image: self.image,
        }
    }
}

/// Of a mesh's init container, the flags that name ports, with what follows each.
fn port_arguments(container: &str, args: &[String]) -> Vec<String> {
    let Some((_, flags)) = KEPT_ARGUMENTS.iter().find(|(name, _)| *name == container) else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    let mut args = args.iter();
    while let Some(argument) = args.next() {
        let (flag, value) = argument.split_once('=').map_or((argument.as_str(), None), |(f, v)| (f, Some(v)));
        if flags.contains(&flag)
            && let Some(value) = value.or_else(|| args.next().map(String::as_str))
        {
            kept.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    kept
}

impl RawVariable {
    fn secret(&self) -> Option<&RawLocalReference> {
        self.value_from.as_ref()?.secret_key_ref.as_ref()
    }

    fn reduce(self, keep: Keep) -> Option<EnvironmentVariable> {
        let secret = self.secret().map(|reference| reference.name.clone());
        // An empty value takes a variable of the image away.
        let is_empty = self.value_from.is_none() && self.value.as_deref().unwrap_or_default().is_empty();
        let name = self.name;
        let has_value = keep == Keep::CommandsAndEnvironment || KEPT_VALUES.contains(&name.as_str());
        (has_value || !is_empty && KEPT_NAMES.contains(&name.as_str())).then(|| EnvironmentVariable {
            value: self.value.filter(|_| has_value),
            secret,
            name,
        })
    }
}

impl RawLocalReference {
    fn at(&self, path: String) -> SecretReference {
        SecretReference { secret: self.name.clone(), path, optional: self.optional == Some(true) }
    }
}

impl RawVolume {
    /// A projected volume may hold a token and Secrets.
    fn reduce(
        self,
        volumes: &mut Vec<Volume>,
        token_volumes: &mut Vec<String>,
        references: &mut Vec<SecretReference>,
    ) {
        let name = self.name;
        if let Some(secret) = self.secret {
            references.push(SecretReference {
                secret: secret.secret_name.clone(),
                path: format!("volumes[name={name}].secret"),
                optional: secret.optional == Some(true),
            });
            volumes.push(Volume::Secret { name: name.clone(), secret: secret.secret_name });
        }
        for source in self.projected.into_iter().flat_map(|projected| projected.sources) {
            if let Some(secret) = source.secret {
                references.push(secret.at(format!("volumes[name={name}].projected.sources.secret")));
                volumes.push(Volume::Secret { name: name.clone(), secret: secret.name });
            }
            if let Some(RawTokenProjection { audience }) = source.service_account_token {
                if API_AUDIENCES.contains(&audience.as_str()) {
                    token_volumes.push(name.clone());
                } else {
                    volumes.push(Volume::ForeignToken { name: name.clone(), audience });
                }
            }
        }
        if let Some(csi) = self.csi {
            if let Some(reference) = csi.node_publish_secret_ref {
                references.push(reference.at(format!("volumes[name={name}].csi.nodePublishSecretRef")));
            }
            volumes.push(Volume::Csi {
                name: name.clone(),
                driver: csi.driver,
                secret_provider_class: csi.volume_attributes.get("secretProviderClass").cloned(),
            });
        }
        if let Some(RawImageVolume { reference }) = self.image {
            volumes.push(Volume::Image { name: name.clone(), reference });
        }
        if let Some(RawHostPath { path }) = self.host_path {
            volumes.push(Volume::HostPath { name, path });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_meshs_init_container_the_flags_that_name_ports_are_kept_and_nothing_else() {
        let args = [
            "istio-iptables",
            "--token=hunter2",
            "-u",
            "1337",
            "-b",
            "*",
            "--istio-local-exclude-ports=8080",
        ];
        let args: Vec<String> = args.map(str::to_owned).to_vec();
        assert_eq!(port_arguments("istio-init", &args), ["-b", "*", "--istio-local-exclude-ports", "8080"]);
        assert!(port_arguments("web", &args).is_empty());
        assert!(port_arguments("linkerd-init", &args).is_empty());
    }
}
