//! A configuration in the making.

use super::carried;
use super::fields::{FIELDS, Field, RUN_AS_USER};
use crate::fingerprint::hex;
use crate::inventory::{Container, Kind, PodSpec, Workload};
use crate::remedy::{FIELD_MANAGER, bare, document, merge};
use crate::workloads::{ContainerType, OwnedWorkload};
use rampart_shared::{ChosenField, FieldConflict, RemediationDocument, RemediationTarget, Subject};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What is to be applied to one workload: the fields that change, what they were, and who else set them.
pub(crate) struct Draft<'v> {
    subject: &'v Subject,
    controller: &'v Workload,
    /// Where the pod spec stands.
    path: &'static str,
    spec: Value,
    former: Value,
    chosen: Vec<Chosen>,
    conflicts: Vec<FieldConflict>,
}

/// A field of an entry of a list that waits for what a person chooses.
struct Chosen {
    list: &'static str,
    name: String,
    /// From the entry on, as a JSON pointer.
    pointer: String,
    input: &'static str,
    template: String,
}

impl<'v> Draft<'v> {
    /// None where the pod template cannot be changed in place, is not the place to change, or was not seen.
    pub(crate) fn of(workload: &'v OwnedWorkload<'_>) -> Option<Self> {
        let controller = workload.controller?;
        let is_mutable = matches!(
            controller.kind,
            Kind::Deployments | Kind::StatefulSets | Kind::DaemonSets | Kind::ReplicaSets | Kind::CronJobs
        );
        is_mutable.then_some(())?;
        Some(Draft {
            subject: &workload.subject,
            controller,
            path: workload.template_path?,
            spec: json!({}),
            former: json!({}),
            chosen: Vec::new(),
            conflicts: Vec::new(),
        })
    }

    /// The template as it is.
    pub(crate) fn template(&self) -> &'v PodSpec {
        &self.controller.template
    }

    /// A container of the template.
    pub(crate) fn container(&self, container_type: ContainerType, name: &str) -> Option<&'v Container> {
        let containers = match container_type {
            ContainerType::Init => &self.controller.template.init_containers,
            ContainerType::Regular => &self.controller.template.containers,
            ContainerType::Ephemeral => return None,
        };
        containers.iter().find(|container| container.name == name)
    }

    /// Sets fields of a container's security context. Whether that changes the template: a field that has the value
    /// already is left alone.
    pub(crate) fn set_security_context(
        &mut self,
        container_type: ContainerType,
        name: &str,
        context: &Value,
    ) -> bool {
        let Some(container) = self.container(container_type, name) else { return false };
        let mut changes = false;
        for field in &FIELDS {
            let Some(value) = context.pointer(field.pointer) else { continue };
            if field.of(container).as_ref() != Some(value) {
                self.set(container_type, container, field, value.clone());
                changes = true;
            }
        }
        changes
    }

    /// Lets a person choose the user of a container. Until then the number is the one that it has.
    pub(crate) fn choose_user(&mut self, container_type: ContainerType, name: &str, input: &'static str) {
        let field = FIELDS.iter().find(|field| field.pointer == RUN_AS_USER);
        if let (Some(container), Some(field)) = (self.container(container_type, name), field) {
            self.set(container_type, container, field, json!(0));
            self.chosen.push(Chosen {
                list: container_type.field(),
                name: name.to_owned(),
                pointer: format!("/securityContext{RUN_AS_USER}"),
                input,
                template: "{}".to_owned(),
            });
        }
    }

    fn set(&mut self, container_type: ContainerType, container: &Container, field: &Field, value: Value) {
        let entry = |value: Value| {
            let mut context = json!({});
            field.set(&mut context, value);
            json!({ container_type.field(): [{ "name": container.name, "securityContext": context }] })
        };
        if let Some(former) = field.of(container) {
            merge(&mut self.former, &entry(former));
            self.add_conflicts(&format!(
                "{}[name={}].{}",
                container_type.field(),
                container.name,
                field.path()
            ));
        }
        merge(&mut self.spec, &entry(value));
    }

    /// Takes a variable of a container from a Secret. Whether its literal stands in the template.
    pub(crate) fn set_variable(
        &mut self,
        container_type: ContainerType,
        container: &str,
        name: &str,
        secret: &str,
    ) -> bool {
        let path = format!("env[name={name}].value");
        let stands = self
            .container(container_type, container)
            .is_some_and(|found| found.credentials.iter().any(|credential| credential.path == path));
        if stands {
            let env = [carried::variable(name, secret)];
            merge(&mut self.spec, &json!({ container_type.field(): [{ "name": container, "env": env }] }));
            self.add_conflicts(&format!("{}[name={container}].{path}", container_type.field()));
        }
        stands
    }

    /// Names another image for an entry of `containers`, `initContainers` or `volumes`; with an input, the text has `{}`
    /// where the choice goes, and until then the image stays.
    pub(crate) fn set_image(
        &mut self,
        list: &'static str,
        name: &str,
        former: &str,
        text: &str,
        input: Option<&'static str>,
    ) {
        let is_volume = list == "volumes";
        let entry = |image: &str| {
            let entry = if is_volume {
                json!({ "name": name, "image": { "reference": image } })
            } else {
                json!({ "name": name, "image": image })
            };
            json!({ list: [entry] })
        };
        merge(&mut self.former, &entry(former));
        merge(&mut self.spec, &entry(if input.is_some() { former } else { text }));
        let field = if is_volume { "image.reference" } else { "image" };
        self.add_conflicts(&format!("{list}[name={name}].{field}"));
        self.chosen.extend(input.map(|input| Chosen {
            list,
            name: name.to_owned(),
            pointer: format!("/{}", field.replace('.', "/")),
            input,
            template: text.to_owned(),
        }));
    }

    /// Mounts an empty volume of the container's own, unless something is mounted there, or around it.
    pub(crate) fn mount_empty(&mut self, container_type: ContainerType, container: &str, path: &str) -> bool {
        let volumes = &self.controller.volumes;
        let is_mounted = volumes.mounts.iter().any(|mount| {
            mount.container == container
                && path
                    .strip_prefix(mount.path.trim_end_matches('/'))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if is_mounted {
            return false;
        }
        let mut name = volume_name(container, path);
        let mut number = 2;
        while volumes.names.contains(&name) {
            name = volume_name(container, &format!("{path}-{number}"));
            number += 1;
        }
        merge(
            &mut self.spec,
            &json!({
                container_type.field(): [{ "name": container, "volumeMounts": [{ "mountPath": path, "name": name }] }],
                "volumes": [{ "name": name, "emptyDir": {} }],
            }),
        );
        true
    }

    /// Whether pods get a token of the API. Whether that changes the template.
    pub(crate) fn set_automount_token(&mut self, mounts: bool) -> bool {
        let former = self.controller.template.automount_token;
        if former == Some(mounts) {
            return false;
        }
        let field = "automountServiceAccountToken";
        self.spec[field] = json!(mounts);
        if let Some(former) = former {
            self.former[field] = json!(former);
            self.add_conflicts(field);
        }
        true
    }

    /// The managers that the API server would name when another value is applied to a field.
    fn add_conflicts(&mut self, field: &str) {
        let owners = self.controller.field_owners.iter().filter(|owner| {
            !(owner.applies && owner.manager == FIELD_MANAGER)
                && owner.fields.iter().any(|owned| owned == field)
        });
        let path = format!("{}.{field}", self.path);
        self.conflicts
            .extend(owners.map(|owner| FieldConflict { path: path.clone(), manager: owner.manager.clone() }));
    }

    /// The document, with what the workload has of earlier remedies; none where nothing changes.
    pub(crate) fn document(self, comment: &str) -> Option<RemediationDocument> {
        if self.spec.as_object().is_none_or(Map::is_empty) {
            return None;
        }
        let carried = carried::of(self.controller);
        let mut spec = carried.clone();
        merge(&mut spec, &self.spec);
        let mut before = carried;
        merge(&mut before, &self.former);
        let choices = self
            .chosen
            .iter()
            .filter_map(|Chosen { list, name, pointer, input, template }| {
                let at = spec[list].as_array()?.iter().position(|entry| entry["name"] == name.as_str())?;
                let pod_spec = self.path.replace('.', "/");
                Some(ChosenField {
                    pointer: format!("/{pod_spec}/{list}/{at}{pointer}"),
                    input: (*input).to_owned(),
                    template: template.clone(),
                })
            })
            .collect();
        let object = self.object(&spec);
        let undo =
            if before.as_object().is_none_or(Map::is_empty) { bare(&object) } else { self.object(&before) };
        let Subject { kind, name, .. } = self.subject;
        let namespace = self.subject.namespace.as_deref().unwrap_or_default();
        let mut conflicts = self.conflicts;
        conflicts.sort();
        conflicts.dedup();
        Some(RemediationDocument {
            choices,
            undo: Some(undo),
            conflicts,
            ..document(RemediationTarget::Apply, format!("{kind} {namespace}/{name}: {comment}"), &object)
        })
    }

    /// The workload with this pod spec alone.
    fn object(&self, spec: &Value) -> Value {
        let template = json!({ "spec": { "template": { "spec": spec } } });
        let body = if self.controller.kind == Kind::CronJobs {
            json!({ "spec": { "jobTemplate": template } })
        } else {
            template
        };
        json!({
            "apiVersion": self.subject.api_version,
            "kind": self.subject.kind,
            "metadata": { "name": self.subject.name, "namespace": self.subject.namespace },
            "spec": body["spec"],
        })
    }
}

/// The key for a variable: a Secret's keys have fewer characters than a variable's name may.
pub(crate) fn secret_key(variable: &str) -> String {
    variable
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
        .collect()
}

/// Each container has volumes of its own: two programs that share `/tmp` may get in each other's way.
fn volume_name(container: &str, path: &str) -> String {
    const LONGEST: usize = 63;
    let name: String = format!("writable-{container}{path}")
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    if name.len() <= LONGEST && !name.ends_with('-') {
        name
    } else {
        format!("writable-{}", hex(&Sha256::digest(name.as_bytes())[..12]))
    }
}
