//! Settings of nodes and of the control plane, laid over kubelets' configurations and the flags of static pods.

use crate::Inventory;
use crate::inventory::{Component, KubeletConfiguration, Pod};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// A fragment of a KubeletConfiguration, on every node whose configuration was read.
pub(super) fn set_on_nodes(inventory: &mut Inventory, object: &Value) {
    if object["kind"] != "KubeletConfiguration" {
        return;
    }
    let Ok(fragment) = KubeletConfiguration::deserialize(object) else { return };
    for kubelet in inventory.kubelet_configurations.seen.values_mut() {
        let KubeletConfiguration { authentication, authorization, read_only_port, seccomp_default } =
            &fragment;
        let there = &mut kubelet.authentication;
        set(&mut there.anonymous.enabled, &authentication.anonymous.enabled);
        set(&mut there.webhook.enabled, &authentication.webhook.enabled);
        set(&mut kubelet.authorization.mode, &authorization.mode);
        set(&mut kubelet.read_only_port, read_only_port);
        set(&mut kubelet.seccomp_default, seccomp_default);
    }
    if let Some(enabled) = fragment.authentication.anonymous.enabled {
        inventory.kubelet_anonymous.values_mut().for_each(|lets_in| *lets_in = enabled);
    }
}

fn set<T: Clone>(there: &mut Option<T>, value: &Option<T>) {
    if value.is_some() {
        there.clone_from(value);
    }
}

/// The arguments of a kubeadm ClusterConfiguration, on the static pods of their components and in `/flagz`, or a
/// setting of k3s and RKE2.
pub(super) fn set_on_control_plane(inventory: &mut Inventory, object: &Value) {
    if object["secrets-encryption"] == true {
        return encrypt_secrets(inventory);
    }
    if object["kind"] != "ClusterConfiguration" {
        return;
    }
    for (component, arguments) in [
        (Component::ApiServer, &object["apiServer"]["extraArgs"]),
        (Component::Etcd, &object["etcd"]["local"]["extraArgs"]),
    ] {
        let Some(arguments) = arguments.as_array() else { continue };
        if let (Component::ApiServer, Some(flagz)) = (component, &mut inventory.api_server_flags.seen) {
            for argument in arguments {
                if let (Some(name), Some(value)) = (argument["name"].as_str(), argument["value"].as_str()) {
                    flagz.flags.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        for pod in inventory.pods.seen.iter_mut().filter(|pod| pod.component() == Some(component)) {
            let pod = Arc::make_mut(pod);
            for argument in arguments {
                if let (Some(name), Some(value)) = (argument["name"].as_str(), argument["value"].as_str()) {
                    set_flag(pod, component, name, value);
                }
            }
        }
    }
}

/// `secrets-encryption`: k3s' servers say it of themselves, and RKE2 gives its API servers the file that it makes.
/// <https://docs.rke2.io/security/secrets_encryption>
fn encrypt_secrets(inventory: &mut Inventory) {
    const FILE: &str = "/var/lib/rancher/rke2/server/cred/encryption-config.json";
    for server in inventory.nodes.seen.iter_mut().filter_map(|node| node.k3s.as_mut()) {
        server.secrets_encryption = true;
    }
    let is_api_server = |pod: &&mut Arc<Pod>| pod.component() == Some(Component::ApiServer);
    for pod in inventory.pods.seen.iter_mut().filter(is_api_server) {
        set_flag(Arc::make_mut(pod), Component::ApiServer, "encryption-provider-config", FILE);
    }
}

/// One occurrence of the flag stays, with this value, as kubeadm writes it.
fn set_flag(pod: &mut Pod, component: Component, name: &str, value: &str) {
    let spec = Arc::make_mut(&mut pod.spec);
    let Some(container) = spec.containers.iter_mut().find(|container| container.name == component.program())
    else {
        return;
    };
    let flag = format!("--{name}");
    let with_value = format!("{flag}=");
    for words in [&mut container.command, &mut container.args] {
        let mut kept = Vec::with_capacity(words.len() + 1);
        let mut skips = false;
        for word in words.drain(..) {
            let is_value = std::mem::take(&mut skips) && !word.starts_with('-');
            if word == flag {
                skips = true;
            } else if !is_value && !word.starts_with(&with_value) {
                kept.push(word);
            }
        }
        *words = kept;
    }
    let words = if container.command.is_empty() { &mut container.args } else { &mut container.command };
    words.push(format!("{with_value}{value}"));
}
