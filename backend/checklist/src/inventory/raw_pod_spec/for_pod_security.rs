//! The parts of a pod spec that the Pod Security Standards look at.

use super::{Labels, RawContainer, RawPodSpec, RawVolume};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// A part of which some is read, and the whole of it.
#[derive(Default)]
pub(super) struct Whole<T> {
    pub(super) read: T,
    whole: Value,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = Value::deserialize(deserializer)?;
        // What stands there is nobody's business: only the shape is told.
        let read = T::deserialize(&whole)
            .map_err(|_| D::Error::custom("a securityContext has another form than the API gives it"))?;
        Ok(Whole { read, whole })
    }
}

impl RawPodSpec {
    /// What the Pod Security Standards look at. Ephemeral containers are left out: a pod that is made anew has none.
    pub(super) fn for_pod_security(&self, annotations: &Labels) -> Value {
        let containers = |list: &[RawContainer]| -> Vec<Value> {
            list.iter().map(RawContainer::for_pod_security).collect()
        };
        json!({
            "metadata": { "annotations": annotations },
            "spec": {
                "hostNetwork": self.host_network,
                "hostPID": self.host_pid,
                "hostIPC": self.host_ipc,
                "hostUsers": self.host_users,
                "os": self.os.as_ref().map(|os| json!({ "name": os.name })),
                "securityContext": self.security_context.whole,
                "volumes": self.volumes.iter().map(RawVolume::for_pod_security).collect::<Vec<_>>(),
                "initContainers": containers(&self.init_containers),
                "containers": containers(&self.containers),
            },
        })
    }
}

impl RawContainer {
    fn for_pod_security(&self) -> Value {
        let ports = self
            .ports
            .iter()
            .map(|port| json!({ "containerPort": port.container_port, "hostPort": port.host_port }));
        json!({
            "name": self.name,
            "securityContext": self.security_context.whole,
            "ports": ports.collect::<Vec<_>>(),
            "livenessProbe": self.liveness_probe,
            "readinessProbe": self.readiness_probe,
            "startupProbe": self.startup_probe,
            "lifecycle": self.lifecycle,
        })
    }
}

impl RawVolume {
    /// The name, and which sources it has.
    fn for_pod_security(&self) -> Value {
        let read = [
            ("secret", self.secret.is_some()),
            ("projected", self.projected.is_some()),
            ("csi", self.csi.is_some()),
            ("image", self.image.is_some()),
            ("hostPath", self.host_path.is_some()),
        ];
        let others = self.other_sources.iter().filter(|(_, source)| source.is_some());
        let sources = read.into_iter().filter(|(_, has)| *has).map(|(source, _)| source);
        let mut volume: Map<String, Value> = sources
            .chain(others.map(|(source, _)| source.as_str()))
            .map(|source| (source.to_owned(), json!({})))
            .collect();
        volume.insert("name".to_owned(), json!(self.name));
        Value::Object(volume)
    }
}
