//! kubeadm: arguments of the whole cluster in its ClusterConfiguration, and patches of static pods for what is one
//! node's own or has to go, which arguments cannot say.

use super::words::{container, without_flag};
use super::{FlagChanges, FlagValue, NewFlag, PATCHED_POD, holds_credential, names};
use crate::inventory::Component;
use crate::remedy::document;
use rampart_shared::{RemediationDocument, RemediationTarget};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The documents for these instances of a component: of a flag that all come to with the same value the cluster's
/// configuration says it, of any other, and of those in `own`, each pod's patch.
pub(crate) fn kubeadm_documents(
    component: Component,
    instances: &[FlagChanges<'_>],
    own: &[&str],
) -> Vec<RemediationDocument> {
    let is_shared = |name: &str, value: &FlagValue| {
        !own.contains(&name) && instances.iter().all(|instance| instance.comes_to(name, value))
    };
    let mut shared: Vec<NewFlag> = Vec::new();
    for new in instances.iter().flat_map(|instance| &instance.set) {
        if is_shared(new.0, &new.1) && !shared.contains(new) {
            shared.push(new.clone());
        }
    }
    let mut documents = Vec::new();
    if !shared.is_empty() {
        let is_meant = |instance: &&FlagChanges<'_>| instance.set.iter().any(|new| shared.contains(new));
        let comment =
            format!("{}{}", heading(instances.iter().filter(is_meant)), configuration_steps(component));
        documents.push(cluster_configuration(component, &shared, comment));
    }
    documents.extend(removal(component, instances));
    for instance in instances {
        let rest: Vec<NewFlag> = instance.set.iter().filter(|new| !shared.contains(new)).cloned().collect();
        documents.extend(patch(component, instance, &rest));
    }
    documents
}

/// A fragment of kubeadm's ClusterConfiguration with arguments of a component.
pub(crate) fn cluster_configuration(
    component: Component,
    flags: &[NewFlag],
    comment: String,
) -> RemediationDocument {
    let (field, pointer) = match component {
        Component::Etcd => ("etcd", "/etcd/local/extraArgs"),
        Component::ApiServer => ("apiServer", "/apiServer/extraArgs"),
    };
    let mut choices = Vec::new();
    let mut arguments = Vec::new();
    for (position, (name, value)) in flags.iter().enumerate() {
        choices.extend(value.choice("", format!("{pointer}/{position}/value")));
        arguments.push(json!({ "name": name, "value": value.field("") }));
    }
    let arguments = json!({ "extraArgs": arguments });
    let object = json!({
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        field: match component {
            Component::Etcd => json!({ "local": arguments }),
            Component::ApiServer => arguments,
        },
    });
    RemediationDocument { choices, ..document(RemediationTarget::ControlPlane, comment, &object) }
}

/// A patch by which the flags that go are left out, wherever they stand.
fn removal(component: Component, instances: &[FlagChanges<'_>]) -> Option<RemediationDocument> {
    let concerned: Vec<&FlagChanges<'_>> =
        instances.iter().filter(|instance| !instance.removed.is_empty()).collect();
    let (mut command, mut args) = (BTreeSet::new(), BTreeSet::new());
    for instance in &concerned {
        for flag in &instance.removed {
            match instance.pod.and_then(|pod| container(pod, component)) {
                Some(container) => {
                    command.extend(without_flag(&container.command, flag).1);
                    args.extend(without_flag(&container.args, flag).1);
                }
                None => drop(command.insert(instance.former_of(flag))),
            }
        }
    }
    if command.is_empty() && args.is_empty() {
        return None;
    }
    let fields = [("$deleteFromPrimitiveList/command", command), ("$deleteFromPrimitiveList/args", args)];
    let fields = fields.into_iter().filter(|(_, words)| !words.is_empty());
    let object = pod_patch(component, None, fields.map(|(field, words)| (field, json!(words))));
    let comment = format!(
        "{}Arguments of kubeadm set flags and take none away. So take them out of {} of the ClusterConfiguration\n\
         in ConfigMap kube-system/kubeadm-config, where they stand there, and {}",
        heading(concerned.into_iter()),
        match component {
            Component::Etcd => "etcd.local.extraArgs",
            Component::ApiServer => "apiServer.extraArgs",
        },
        patch_steps(component, "0"),
    );
    Some(document(RemediationTarget::ControlPlane, comment, &object))
}

/// A patch for one pod: the former words of these flags go, and the new ones follow the rest.
fn patch(component: Component, instance: &FlagChanges<'_>, flags: &[NewFlag]) -> Option<RemediationDocument> {
    let pod = instance.pod?;
    let container = container(pod, component)?;
    if flags.is_empty() {
        return None;
    }
    let mut gone = BTreeSet::new();
    for (name, _) in flags {
        gone.extend(without_flag(&container.command, name).1);
    }
    // The new words come last, so that of a flag with one value they count beside one that is not written out.
    gone.retain(|word| !holds_credential(word));
    let mut args = container.args.clone();
    for name in instance.set.iter().map(|(name, _)| *name).chain(instance.removed.iter().copied()) {
        args = without_flag(&args, name).0;
    }
    let mut choices = Vec::new();
    for (name, value) in flags {
        let before = format!("--{name}=");
        choices.extend(value.choice(&before, format!("/spec/containers/0/args/{}", args.len())));
        args.push(value.field(&before));
    }
    let removed = (!gone.is_empty()).then(|| ("$deleteFromPrimitiveList/command", json!(gone)));
    let fields = removed.into_iter().chain([("args", json!(args))]);
    let object = pod_patch(component, Some(instance.name()), fields);
    let comment =
        format!("{}On its node, and {}", heading(std::iter::once(instance)), patch_steps(component, "1"));
    Some(RemediationDocument { choices, ..document(RemediationTarget::ControlPlane, comment, &object) })
}

/// A strategic merge patch of a static pod; with a pod's name, for that one alone.
fn pod_patch(
    component: Component,
    pod: Option<String>,
    fields: impl Iterator<Item = (&'static str, Value)>,
) -> Value {
    let program = component.program();
    let mut container = Map::from_iter([("name".to_owned(), json!(program))]);
    container.extend(fields.map(|(field, value)| (field.to_owned(), value)));
    let mut metadata =
        Map::from_iter([("name".to_owned(), json!(program)), ("namespace".to_owned(), json!("kube-system"))]);
    metadata.extend(pod.map(|pod| ("annotations".to_owned(), json!({ PATCHED_POD: pod }))));
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": { "containers": [container] } })
}

/// For whom a document is, and what it takes the place of.
fn heading<'i, 'p: 'i>(instances: impl Iterator<Item = &'i FlagChanges<'p>>) -> String {
    let instances: Vec<&FlagChanges<'_>> = instances.filter(|instance| instance.changes()).collect();
    let pods: Vec<String> = instances.iter().map(|instance| instance.name()).collect();
    let mut former: Vec<String> = instances.iter().map(|instance| instance.former()).collect();
    former.sort();
    former.dedup();
    let several = if former.len() > 1 { ", and others otherwise" } else { "" };
    let former = former.into_iter().next().unwrap_or_default();
    format!("For {}.\nBefore: {former}{several}\n", names(pods.iter().map(String::as_str)))
}

const fn phase(component: Component) -> &'static str {
    match component {
        Component::Etcd => "etcd local",
        Component::ApiServer => "control-plane apiserver",
    }
}

/// What somebody does with such a fragment.
pub(crate) fn configuration_steps(component: Component) -> String {
    let (phase, program) = (phase(component), component.program());
    let certificates = match component {
        Component::Etcd => "`kubeadm init phase certs all --config FILE`, which keeps what is there, and\n",
        Component::ApiServer => "",
    };
    format!(
        "kubeadm: merge this into the ClusterConfiguration of ConfigMap kube-system/kubeadm-config, where an entry replaces the\n\
         one of its name, and save that as FILE. On each control-plane node, one after the other:\n\
         {certificates}`kubeadm init phase {phase} --config FILE`. A node with several addresses needs an InitConfiguration\n\
         with its localAPIEndpoint in FILE, too. https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-reconfigure/\n\
         Without kubeadm: set the same flags of {program}, with the paths of your own files."
    )
}

fn patch_steps(component: Component, order: &str) -> String {
    let (phase, program) = (phase(component), component.program());
    format!(
        "save this as\n\
         /etc/kubernetes/patches/{program}{order}+strategic.yaml; then run `kubeadm init phase {phase} --config FILE --patches\n\
         /etc/kubernetes/patches`, FILE being the ClusterConfiguration, and give --patches to later `kubeadm upgrade`s too.\n\
         https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/control-plane-flags/#patches\n\
         Without kubeadm: make the same change in /etc/kubernetes/manifests/{program}.yaml."
    )
}
