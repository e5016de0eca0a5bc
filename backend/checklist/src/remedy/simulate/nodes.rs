//! Settings of nodes, laid over what their kubelets and the ConfigMap of kubeadm's kubelets say.

use crate::Inventory;
use crate::inventory::{KubeletConfiguration, ObjectMeta};
use crate::remedy::merge;
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// A setting in the form of any distribution, on every node whose configuration was read.
pub(super) fn set_on_nodes(inventory: &mut Inventory, object: &Value) {
    let Some(fragment) = fragment(object) else { return };
    let Ok(settings) = KubeletConfiguration::deserialize(&*fragment) else { return };
    for kubelet in inventory.kubelet_configurations.seen.values_mut() {
        let KubeletConfiguration { authentication, authorization, read_only_port, seccomp_default } =
            &settings;
        let there = &mut kubelet.authentication;
        set(&mut there.anonymous.enabled, &authentication.anonymous.enabled);
        set(&mut there.webhook.enabled, &authentication.webhook.enabled);
        set(&mut kubelet.authorization.mode, &authorization.mode);
        set(&mut kubelet.read_only_port, read_only_port);
        set(&mut kubelet.seccomp_default, seccomp_default);
    }
    if let Some(enabled) = settings.authentication.anonymous.enabled {
        inventory.kubelet_anonymous.values_mut().for_each(|lets_in| *lets_in = enabled);
    }
    if object["kind"] == "KubeletConfiguration" {
        set_in_config_map(inventory, &fragment);
    }
}

/// The fields of a KubeletConfiguration that a document of any form sets.
fn fragment(object: &Value) -> Option<Cow<'_, Value>> {
    match object["kind"].as_str() {
        Some("KubeletConfiguration") => return Some(Cow::Borrowed(object)),
        Some("NodeConfig") => return Some(Cow::Borrowed(&object["spec"]["kubelet"]["config"])),
        _ => {}
    }
    if object["kubeletConfig"]["insecureKubeletReadonlyPortEnabled"] == false {
        return Some(Cow::Owned(json!({ "readOnlyPort": 0 })));
    }
    let mut fragment = json!({});
    for argument in object["kubelet-arg+"].as_array()? {
        let (name, value) = argument.as_str()?.split_once('=')?;
        let fields = match name {
            "anonymous-auth" => json!({ "authentication": { "anonymous": { "enabled": value == "true" } } }),
            "authentication-token-webhook" => {
                json!({ "authentication": { "webhook": { "enabled": value == "true" } } })
            }
            "authorization-mode" => json!({ "authorization": { "mode": value } }),
            "read-only-port" => json!({ "readOnlyPort": value.parse::<i64>().ok()? }),
            "seccomp-default" => json!({ "seccompDefault": value == "true" }),
            _ => continue,
        };
        merge::merge(&mut fragment, &fields);
    }
    Some(Cow::Owned(fragment))
}

/// Merges the fields into what the ConfigMap declares for kubelets that kubeadm sets up.
fn set_in_config_map(inventory: &mut Inventory, fragment: &Value) {
    let is_meant = |meta: &ObjectMeta| meta.namespace == "kube-system" && meta.name == "kubelet-config";
    let Some(map) = inventory.config_maps.seen.iter_mut().find(|map| is_meant(&map.meta)) else { return };
    let Some(text) = map.data.get_mut("kubelet") else { return };
    let Ok(mut declared) = serde_saphyr::from_str::<Value>(text) else { return };
    merge::merge(&mut declared, fragment);
    *text = crate::remedy::yaml(&declared);
}

fn set<T: Clone>(there: &mut Option<T>, value: &Option<T>) {
    if value.is_some() {
        there.clone_from(value);
    }
}
