//! What the controls read of a pod.

use super::controls::volume_sources;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A pod or a pod template, reduced to what the controls read.
///
/// The API server evaluates a pod after it has filled in defaults. Those that a control sees are filled in
/// here too: a volume without a source is an `emptyDir`, and with `hostNetwork` a container's ports are host
/// ports (<https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/apis/core/v1/defaults.go>). That it
/// copies AppArmor annotations into the fields is left out: it changes the wording only.
#[derive(Debug, Default)]
pub struct Pod<'a> {
    pub(super) annotations: BTreeMap<&'a str, &'a str>,
    pub(super) host_network: bool,
    pub(super) host_pid: bool,
    pub(super) host_ipc: bool,
    /// `hostUsers: false`.
    pub(super) in_user_namespace: bool,
    pub(super) is_windows: bool,
    pub(super) security_context: SecurityContext<'a>,
    pub(super) sysctls: Vec<&'a str>,
    pub(super) volumes: Vec<Volume<'a>>,
    pub(super) init_containers: Vec<Container<'a>>,
    pub(super) regular_containers: Vec<Container<'a>>,
    pub(super) ephemeral_containers: Vec<Container<'a>>,
}

/// A value that is not of the type that it must have: the API server would refuse such a pod outright.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a pod: {field} is not {expected}")]
pub struct NotAPod {
    field: &'static str,
    expected: &'static str,
}

/// The fields of a security context that pods and containers share.
#[derive(Debug, Default)]
pub(super) struct SecurityContext<'a> {
    pub(super) run_as_non_root: Option<bool>,
    pub(super) run_as_user: Option<i64>,
    /// The type; empty where the profile has none.
    pub(super) seccomp_profile: Option<&'a str>,
    /// The type; empty where the profile has none.
    pub(super) app_armor_profile: Option<&'a str>,
    pub(super) se_linux_options: SeLinuxOptions<'a>,
    pub(super) host_process: bool,
}

#[derive(Debug, Default)]
pub(super) struct SeLinuxOptions<'a> {
    pub(super) selinux_type: &'a str,
    pub(super) user: &'a str,
    pub(super) role: &'a str,
}

#[derive(Debug)]
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) image: &'a str,
    pub(super) security_context: SecurityContext<'a>,
    pub(super) privileged: bool,
    pub(super) allow_privilege_escalation: Option<bool>,
    pub(super) capabilities_added: Vec<&'a str>,
    pub(super) capabilities_dropped: Vec<&'a str>,
    pub(super) proc_mount: Option<&'a str>,
    pub(super) host_ports: Vec<i64>,
    /// The `host` fields of probes and lifecycle handlers that are not empty.
    pub(super) handler_hosts: Vec<&'a str>,
}

#[derive(Debug)]
pub(super) struct Volume<'a> {
    pub(super) name: &'a str,
    fields: Fields<'a>,
}

impl<'a> Pod<'a> {
    /// Reads an object with `metadata.annotations` and `spec`. Like the API server it takes `null` for
    /// absent. Fields that no control reads are ignored, whatever they are.
    pub fn read(pod: &'a Value) -> Result<Pod<'a>, NotAPod> {
        let Value::Object(map) = pod else {
            return Err(NotAPod { field: "the document", expected: "an object" });
        };
        let pod = Fields(Some(map));
        let spec = pod.object("spec")?;
        let security_context = spec.object("securityContext")?;
        let host_network = spec.flag("hostNetwork")?.unwrap_or_default();
        Ok(Pod {
            annotations: annotations(pod.object("metadata")?)?,
            host_network,
            host_pid: spec.flag("hostPID")?.unwrap_or_default(),
            host_ipc: spec.flag("hostIPC")?.unwrap_or_default(),
            in_user_namespace: spec.flag("hostUsers")? == Some(false),
            is_windows: spec.object("os")?.text("name")? == Some("windows"),
            security_context: SecurityContext::read(security_context)?,
            sysctls: security_context
                .objects("sysctls")?
                .into_iter()
                .map(|sysctl| sysctl.text_or_empty("name"))
                .collect::<Result<_, _>>()?,
            volumes: spec.objects("volumes")?.into_iter().map(Volume::read).collect::<Result<_, _>>()?,
            init_containers: containers(spec, "initContainers", host_network)?,
            regular_containers: containers(spec, "containers", host_network)?,
            ephemeral_containers: containers(spec, "ephemeralContainers", false)?,
        })
    }

    /// All containers: every control looks at each of them, ephemeral ones too.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Container<'a>> {
        self.init_containers.iter().chain(&self.regular_containers).chain(&self.ephemeral_containers)
    }
}

impl<'a> Volume<'a> {
    fn read(fields: Fields<'a>) -> Result<Volume<'a>, NotAPod> {
        for source in volume_sources() {
            fields.object(source)?;
        }
        Ok(Volume { name: fields.text_or_empty("name")?, fields })
    }

    /// Whether it has this source.
    pub(super) fn has(&self, source: &'static str) -> bool {
        self.fields.get(source).is_some()
    }

    /// Whether it is an `emptyDir` for want of a source, known or not.
    pub(super) fn has_no_source(&self) -> bool {
        self.fields.0.is_none_or(|map| map.iter().all(|(field, value)| field == "name" || value.is_null()))
    }
}

impl<'a> SecurityContext<'a> {
    fn read(fields: Fields<'a>) -> Result<SecurityContext<'a>, NotAPod> {
        let profile_type = |field| match fields.get(field) {
            None => Ok(None),
            Some(_) => fields.object(field)?.text_or_empty("type").map(Some),
        };
        let se_linux_options = fields.object("seLinuxOptions")?;
        Ok(SecurityContext {
            run_as_non_root: fields.flag("runAsNonRoot")?,
            run_as_user: fields.number("runAsUser")?,
            seccomp_profile: profile_type("seccompProfile")?,
            app_armor_profile: profile_type("appArmorProfile")?,
            se_linux_options: SeLinuxOptions {
                selinux_type: se_linux_options.text_or_empty("type")?,
                user: se_linux_options.text_or_empty("user")?,
                role: se_linux_options.text_or_empty("role")?,
            },
            host_process: fields.object("windowsOptions")?.flag("hostProcess")?.unwrap_or_default(),
        })
    }
}

fn containers<'a>(
    spec: Fields<'a>,
    field: &'static str,
    takes_host_ports: bool,
) -> Result<Vec<Container<'a>>, NotAPod> {
    spec.objects(field)?.into_iter().map(|fields| container(fields, takes_host_ports)).collect()
}

fn container(fields: Fields<'_>, takes_host_ports: bool) -> Result<Container<'_>, NotAPod> {
    let security_context = fields.object("securityContext")?;
    let capabilities = security_context.object("capabilities")?;
    let lifecycle = fields.object("lifecycle")?;
    let mut handler_hosts = Vec::new();
    for handler in [
        fields.object("livenessProbe")?,
        fields.object("readinessProbe")?,
        fields.object("startupProbe")?,
        lifecycle.object("postStart")?,
        lifecycle.object("preStop")?,
    ] {
        for action in ["httpGet", "tcpSocket"] {
            handler_hosts.extend(handler.object(action)?.text("host")?.filter(|host| !host.is_empty()));
        }
    }
    Ok(Container {
        name: fields.text_or_empty("name")?,
        image: fields.text_or_empty("image")?,
        security_context: SecurityContext::read(security_context)?,
        privileged: security_context.flag("privileged")?.unwrap_or_default(),
        allow_privilege_escalation: security_context.flag("allowPrivilegeEscalation")?,
        capabilities_added: capabilities.texts("add")?,
        capabilities_dropped: capabilities.texts("drop")?,
        proc_mount: security_context.text("procMount")?,
        host_ports: fields
            .objects("ports")?
            .into_iter()
            .map(|port| {
                let container_port = port.number("containerPort")?.filter(|_| takes_host_ports);
                let host_port = port.number("hostPort")?.filter(|port| *port != 0);
                Ok(host_port.or(container_port).unwrap_or_default())
            })
            .collect::<Result<_, _>>()?,
        handler_hosts,
    })
}

fn annotations(metadata: Fields<'_>) -> Result<BTreeMap<&str, &str>, NotAPod> {
    let Fields(Some(annotations)) = metadata.object("annotations")? else { return Ok(BTreeMap::new()) };
    annotations
        .iter()
        .map(|(name, value)| match value {
            Value::Null => Ok((name.as_str(), "")),
            Value::String(value) => Ok((name.as_str(), value.as_str())),
            _ => Err(NotAPod { field: "an annotation", expected: "a string" }),
        })
        .collect()
}

/// An object; an absent one has no fields.
#[derive(Debug, Clone, Copy)]
struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    fn of(field: &'static str, value: &'a Value) -> Result<Fields<'a>, NotAPod> {
        match value {
            Value::Null => Ok(Fields(None)),
            Value::Object(map) => Ok(Fields(Some(map))),
            _ => Err(NotAPod { field, expected: "an object" }),
        }
    }

    fn get(self, field: &str) -> Option<&'a Value> {
        self.0?.get(field).filter(|value| !value.is_null())
    }

    fn object(self, field: &'static str) -> Result<Fields<'a>, NotAPod> {
        self.get(field).map_or(Ok(Fields(None)), |value| Fields::of(field, value))
    }

    fn list(self, field: &'static str) -> Result<&'a [Value], NotAPod> {
        Ok(self.read(field, "a list", Value::as_array)?.map_or(&[], Vec::as_slice))
    }

    fn objects(self, field: &'static str) -> Result<Vec<Fields<'a>>, NotAPod> {
        self.list(field)?.iter().map(|value| Fields::of(field, value)).collect()
    }

    fn texts(self, field: &'static str) -> Result<Vec<&'a str>, NotAPod> {
        self.list(field)?
            .iter()
            .map(|value| match value {
                Value::Null => Ok(""),
                Value::String(text) => Ok(text.as_str()),
                _ => Err(NotAPod { field, expected: "a list of strings" }),
            })
            .collect()
    }

    fn text(self, field: &'static str) -> Result<Option<&'a str>, NotAPod> {
        self.read(field, "a string", Value::as_str)
    }

    fn text_or_empty(self, field: &'static str) -> Result<&'a str, NotAPod> {
        Ok(self.text(field)?.unwrap_or_default())
    }

    fn flag(self, field: &'static str) -> Result<Option<bool>, NotAPod> {
        self.read(field, "a boolean", Value::as_bool)
    }

    fn number(self, field: &'static str) -> Result<Option<i64>, NotAPod> {
        self.read(field, "an integer", Value::as_i64)
    }

    fn read<T>(
        self,
        field: &'static str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, NotAPod> {
        self.get(field).map(|value| read(value).ok_or(NotAPod { field, expected })).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod_security::{Level, Version, evaluate};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn null_is_absent_and_unknown_fields_are_ignored() {
        let pod = json!({
            "metadata": { "annotations": null, "labels": 1 },
            "spec": {
                "hostNetwork": null,
                "volumes": [{ "name": "a", "hostPath": null, "emptyDir": {} }],
                "containers": [null, { "name": "a", "securityContext": null, "ports": [null], "new": [] }],
                "ephemeralContainers": null,
            },
        });
        let pod = Pod::read(&pod).unwrap();
        assert!(evaluate(Level::Baseline, Version::Latest, &pod).is_empty());
    }

    #[test]
    fn a_value_of_a_wrong_type_is_refused() {
        for pod in [
            json!(null),
            json!([]),
            json!("pod"),
            json!({ "spec": [] }),
            json!({ "metadata": 1 }),
            json!({ "metadata": { "annotations": { "a": 1 } } }),
            json!({ "spec": { "hostPID": "true" } }),
            json!({ "spec": { "os": "windows" } }),
            json!({ "spec": { "containers": {} } }),
            json!({ "spec": { "containers": ["a"] } }),
            json!({ "spec": { "ephemeralContainers": [{ "name": 1 }] } }),
            json!({ "spec": { "containers": [{ "ports": [{ "hostPort": "80" }] }] } }),
            json!({ "spec": { "containers": [{ "securityContext": { "capabilities": { "drop": "ALL" } } }] } }),
            json!({ "spec": { "containers": [{ "securityContext": { "capabilities": { "drop": [1] } } }] } }),
            json!({ "spec": { "volumes": [{ "configMap": true }] } }),
            json!({ "spec": { "securityContext": { "runAsUser": 0.5 } } }),
            json!({ "spec": { "securityContext": { "seccompProfile": "RuntimeDefault" } } }),
            json!({ "spec": { "initContainers": [{ "livenessProbe": { "httpGet": { "host": false } } }] } }),
        ] {
            assert!(Pod::read(&pod).is_err(), "{pod}");
        }
        let not_a_pod = Pod::read(&json!({ "spec": { "hostPID": "true" } })).unwrap_err();
        assert_eq!(not_a_pod.to_string(), "not a pod: hostPID is not a boolean");
    }

    /// Values under the names that are read, of any type at any place.
    fn hostile() -> impl Strategy<Value = Value> {
        let name = proptest::sample::select(vec![
            "metadata",
            "annotations",
            "spec",
            "securityContext",
            "containers",
            "initContainers",
            "volumes",
            "hostUsers",
            "capabilities",
            "add",
            "drop",
            "ports",
            "hostPort",
            "lifecycle",
            "preStop",
            "httpGet",
            "host",
            "sysctls",
            "name",
            "os",
            "seccompProfile",
            "type",
            "seLinuxOptions",
            "procMount",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name.clone(), inner, 0..6).prop_map(|map| {
                    map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_panics(spec in hostile(), metadata in hostile()) {
            let pod = json!({ "spec": spec, "metadata": metadata });
            if let Ok(pod) = Pod::read(&pod) {
                for minor in [0, 19, 25, 36] {
                    evaluate(Level::Restricted, Version::V1(minor), &pod);
                }
            }
        }
    }
}
