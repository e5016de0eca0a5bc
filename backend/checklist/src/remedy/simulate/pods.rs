//! Fields of pod templates, and of the pods that a roll-out would make of them.

use super::objects::set_labels;
use super::places::Places;
use crate::inventory::{
    AppArmorProfile, Container, Inventory, PodSpec, SeccompProfile, SecretReference, Volume, Workload,
};
use crate::workloads::View;
use rampart_shared::Subject;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Lays the template of an object over a workload's.
pub(super) fn set_template(workload: &mut Workload, object: &Value) {
    let template = template(object);
    let spec = Arc::make_mut(&mut workload.template);
    let by_hand = spec.mounts_token;
    set_spec(spec, &template["spec"]);
    spec.mounts_token = by_hand;
    if template["metadata"]["labels"].is_object() {
        set_labels(Arc::make_mut(&mut workload.template_labels), &template["metadata"]["labels"]);
    }
    set_labels(&mut workload.template_annotations, &template["metadata"]["annotations"]);
    if let Some(replicas) = object["spec"]["replicas"].as_i64() {
        workload.replicas = Some(replicas);
    }
}

/// Lays the template over the pods of the workload, those of its current revision.
pub(super) fn roll_out(
    view: &View<'_>,
    places: &Places<'_>,
    inventory: &mut Inventory,
    subject: &Subject,
    rolled_out: &PodSpec,
    object: &Value,
) {
    let template = template(object);
    let Some(owner) = view.workload(subject) else { return };
    // Replicas share their specs, and go on doing so.
    let mut specs: HashMap<*const PodSpec, (Arc<PodSpec>, Arc<PodSpec>)> = HashMap::new();
    for pod in &owner.pods {
        let Some(pod) = places.pod(pod).and_then(|place| inventory.pods.seen.get_mut(place)) else {
            continue;
        };
        let pod = Arc::make_mut(pod);
        let former = Arc::clone(&pod.spec);
        let (_, spec) = specs.entry(Arc::as_ptr(&former)).or_insert_with(|| {
            let mut spec = PodSpec::clone(&former);
            set_spec(&mut spec, &template["spec"]);
            // A volume with a token that the template has itself comes with every pod.
            spec.mounts_token |= rolled_out.mounts_token;
            (former, Arc::new(spec))
        });
        pod.spec = Arc::clone(spec);
        if template["metadata"]["labels"].is_object() {
            set_labels(Arc::make_mut(&mut pod.meta.labels), &template["metadata"]["labels"]);
        }
        set_labels(&mut pod.meta.annotations, &template["metadata"]["annotations"]);
        // Containers that were added by hand go with the pod that they were added to.
        pod.running_ephemeral.clear();
    }
}

/// New pods of this account have no token, unless they ask for one themselves.
pub(super) fn without_tokens_of(
    places: &Places<'_>,
    inventory: &mut Inventory,
    namespace: &str,
    account: &str,
) {
    for place in places.pods_of_account(namespace, account) {
        if let Some(pod) = inventory.pods.seen.get_mut(place)
            && pod.spec.automount_token.is_none()
            && pod.spec.mounts_token
        {
            Arc::make_mut(&mut Arc::make_mut(pod).spec).mounts_token = false;
        }
    }
}

fn template(object: &Value) -> &Value {
    let spec = &object["spec"];
    if object["kind"] == "CronJob" { &spec["jobTemplate"]["spec"]["template"] } else { &spec["template"] }
}

fn set_spec(spec: &mut PodSpec, fields: &Value) {
    let context = &fields["securityContext"];
    let there = &mut spec.security_context;
    set(&mut there.run_as_non_root, context["runAsNonRoot"].as_bool());
    set(&mut there.run_as_user, context["runAsUser"].as_i64());
    set(&mut there.seccomp_profile, SeccompProfile::deserialize(&context["seccompProfile"]).ok());
    set(&mut there.app_armor_profile, AppArmorProfile::deserialize(&context["appArmorProfile"]).ok());
    set(&mut spec.host_users, fields["hostUsers"].as_bool());
    if let Some(shares) = fields["hostNetwork"].as_bool() {
        spec.host_network = shares;
    }
    if let Some(account) = fields["serviceAccountName"].as_str() {
        account.clone_into(&mut spec.service_account);
    }
    if let Some(mounts) = fields["automountServiceAccountToken"].as_bool() {
        spec.automount_token = Some(mounts);
        spec.mounts_token &= mounts;
    }
    for volume in &mut spec.volumes {
        if let Volume::Image { name, reference } = volume
            && let Some(image) = volume_of(fields, name)["image"]["reference"].as_str()
        {
            image.clone_into(reference);
        }
    }
    let PodSpec { init_containers, containers, secret_references, .. } = spec;
    for (list, field) in [(init_containers, "initContainers"), (containers, "containers")] {
        for partial in fields[field].as_array().into_iter().flatten() {
            if let Some(container) =
                list.iter_mut().find(|container| partial["name"] == container.name.as_str())
            {
                set_container(container, partial);
                add_references(secret_references, field, &container.name, partial);
            }
        }
    }
}

fn volume_of<'v>(fields: &'v Value, name: &str) -> &'v Value {
    let volumes = fields["volumes"].as_array().into_iter().flatten();
    volumes.into_iter().find(|volume| volume["name"] == name).unwrap_or(&Value::Null)
}

fn set_container(container: &mut Container, fields: &Value) {
    let context = &fields["securityContext"];
    let there = &mut container.security_context;
    set(&mut there.privileged, context["privileged"].as_bool());
    set(&mut there.allow_privilege_escalation, context["allowPrivilegeEscalation"].as_bool());
    set(&mut there.read_only_root_filesystem, context["readOnlyRootFilesystem"].as_bool());
    set(&mut there.run_as_non_root, context["runAsNonRoot"].as_bool());
    set(&mut there.run_as_user, context["runAsUser"].as_i64());
    set(&mut there.seccomp_profile, SeccompProfile::deserialize(&context["seccompProfile"]).ok());
    set(&mut there.app_armor_profile, AppArmorProfile::deserialize(&context["appArmorProfile"]).ok());
    if let Some(image) = fields["image"].as_str() {
        image.clone_into(&mut container.image);
    }
    for variable in fields["env"].as_array().into_iter().flatten() {
        let Some(name) = variable["name"].as_str() else { continue };
        let path = format!("env[name={name}].value");
        container.credentials.retain(|credential| credential.path != path);
        let secret = variable["valueFrom"]["secretKeyRef"]["name"].as_str();
        if let Some(there) = container.env.iter_mut().find(|there| there.name == name) {
            there.value = None;
            there.secret = secret.map(str::to_owned);
        }
    }
}

/// The Secrets that new variables refer to.
fn add_references(references: &mut Vec<SecretReference>, field: &str, container: &str, fields: &Value) {
    for variable in fields["env"].as_array().into_iter().flatten() {
        let reference = &variable["valueFrom"]["secretKeyRef"];
        if let (Some(name), Some(secret)) = (variable["name"].as_str(), reference["name"].as_str()) {
            let reference = SecretReference {
                secret: secret.to_owned(),
                path: format!("{field}[name={container}].env[name={name}].valueFrom.secretKeyRef"),
                optional: reference["optional"].as_bool() == Some(true),
            };
            if !references.contains(&reference) {
                references.push(reference);
            }
        }
    }
}

fn set<T>(there: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *there = value;
    }
}
