//! Settings of the control plane, laid over the flags of static pods, the arguments of k3s servers and what `/flagz` tells.

use crate::Inventory;
use crate::inventory::{Component, Pod};
use crate::remedy::control_plane::{PATCHED_POD, container_mut, takes_flags, without_flag};
use serde_json::Value;
use std::sync::Arc;

/// A setting in the form of any distribution, for every instance of its component.
pub(super) fn set_on_control_plane(inventory: &mut Inventory, object: &Value) {
    match object["kind"].as_str() {
        Some("ClusterConfiguration") => set_arguments(inventory, object),
        Some("Pod") => patch_pods(inventory, object),
        _ => {
            if object["secrets-encryption"] == true {
                encrypt_secrets(inventory);
            }
            add_arguments(inventory, object);
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
    for pod in pods(inventory, Component::ApiServer) {
        set_flag(pod, Component::ApiServer, "encryption-provider-config", FILE);
    }
}

/// The arguments of a kubeadm ClusterConfiguration.
fn set_arguments(inventory: &mut Inventory, object: &Value) {
    for (component, arguments) in [
        (Component::ApiServer, &object["apiServer"]["extraArgs"]),
        (Component::Etcd, &object["etcd"]["local"]["extraArgs"]),
    ] {
        let arguments: Vec<(&str, &str)> = arguments
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|argument| Some((argument["name"].as_str()?, argument["value"].as_str()?)))
            .collect();
        for pod in pods(inventory, component) {
            for (name, value) in &arguments {
                set_flag(pod, component, name, value);
            }
        }
        if component == Component::ApiServer {
            for (name, value) in arguments {
                set_told(inventory, name, value);
            }
        }
    }
}

/// A strategic merge patch of a static pod: words that go, and arguments that take the place of those there are.
fn patch_pods(inventory: &mut Inventory, object: &Value) {
    let program = object["metadata"]["name"].as_str().unwrap_or_default();
    let components = [Component::Etcd, Component::ApiServer];
    let Some(component) = components.into_iter().find(|component| component.program() == program) else {
        return;
    };
    let only = object["metadata"]["annotations"][PATCHED_POD].as_str();
    let fields = &object["spec"]["containers"][0];
    let gone = texts(&fields["$deleteFromPrimitiveList/command"]);
    let gone_args = texts(&fields["$deleteFromPrimitiveList/args"]);
    for pod in pods(inventory, component) {
        if only.is_some_and(|only| only != format!("{}/{}", pod.meta.namespace, pod.meta.name)) {
            continue;
        }
        let Some(container) = container_mut(pod, component) else { continue };
        container.command.retain(|word| !gone.contains(word));
        container.args.retain(|word| !gone_args.contains(word));
        if fields["args"].is_array() {
            container.args = texts(&fields["args"]);
        }
    }
    if component == Component::ApiServer
        && let Some(told) = &mut inventory.api_server_flags.seen
    {
        for word in gone.iter().chain(&gone_args) {
            let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
            told.flags.remove(name);
        }
    }
}

/// Arguments in a configuration of k3s or RKE2, beside those that there are.
fn add_arguments(inventory: &mut Inventory, object: &Value) {
    let arguments = texts(&object["kube-apiserver-arg+"]);
    for server in inventory.nodes.seen.iter_mut().filter_map(|node| node.k3s.as_mut()) {
        server.api_server_args.extend_from_slice(&arguments);
    }
    for pod in pods(inventory, Component::ApiServer) {
        if let Some(container) = container_mut(pod, Component::ApiServer) {
            let words =
                if container.command.is_empty() { &mut container.args } else { &mut container.command };
            words.extend(arguments.iter().map(|argument| format!("--{argument}")));
        }
    }
    for argument in arguments {
        let Some((name, value)) = argument.split_once('=') else { continue };
        let told = inventory.api_server_flags.seen.as_ref().and_then(|told| told.flags.get(name));
        match told.and_then(|told| told.strip_prefix('[')?.strip_suffix(']')) {
            Some(list) if !list.is_empty() => {
                let list = format!("{list},{value}");
                set_told(inventory, name, &list);
            }
            _ => set_told(inventory, name, value),
        }
    }
}

/// The pods of a component that take flags.
fn pods(inventory: &mut Inventory, component: Component) -> impl Iterator<Item = &mut Pod> {
    let pods = inventory.pods.seen.iter_mut();
    pods.filter(move |pod| pod.component() == Some(component) && takes_flags(pod, component))
        .map(Arc::make_mut)
}

/// One occurrence of the flag stays, with this value, as kubeadm writes it.
fn set_flag(pod: &mut Pod, component: Component, name: &str, value: &str) {
    let Some(container) = container_mut(pod, component) else { return };
    for words in [&mut container.command, &mut container.args] {
        *words = without_flag(words, name).0;
    }
    let words = if container.command.is_empty() { &mut container.args } else { &mut container.command };
    words.push(format!("--{name}={value}"));
}

/// What `/flagz` would tell, where it tells anything; a list comes in brackets.
fn set_told(inventory: &mut Inventory, name: &str, value: &str) {
    let Some(told) = &mut inventory.api_server_flags.seen else { return };
    let is_list = told.flags.get(name).is_some_and(|former| former.starts_with('['));
    let value = if is_list { format!("[{value}]") } else { value.to_owned() };
    told.flags.insert(name.to_owned(), value);
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
