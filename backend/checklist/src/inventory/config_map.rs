//! ConfigMaps, reduced to what items read.

use super::credential::{CredentialAt, in_data};
use super::meta::null_is_default;
use super::{KubeletConfiguration, Labels, ObjectMeta};
use crate::credentials::without_credentials;
use serde::Deserialize;

/// A ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "RawConfigMap")]
pub struct ConfigMap {
    /// Its metadata.
    pub meta: ObjectMeta,
    /// Its data without credentials: whole where the configuration of a known component stands in it, otherwise the
    /// short values alone.
    pub data: Labels,
    /// The credentials in its data.
    pub credentials: Vec<CredentialAt>,
    /// Whether values were dropped because they are long.
    pub shortened: bool,
}

/// ConfigMaps in which components that items recognise keep their configuration.
const KEPT_WHOLE: [&str; 10] = [
    "kubelet-config",
    "cilium-config",
    "amazon-vpc-cni",
    "istio",
    "kubeadm-config",
    "hubble-relay-config",
    "antrea-config",
    "flow-aggregator-configmap",
    "retina-config",
    "auth-config",
];
/// Of other ConfigMaps, bytes of all values that are kept; parameters of policies are short.
const KEPT_BYTES: usize = 2 << 10;

impl ConfigMap {
    /// The kubelet's configuration, in `kube-system/kubelet-config`; none in another ConfigMap.
    ///
    /// # Errors
    /// When it is no YAML of that form.
    pub fn kubelet_configuration(&self) -> Option<Result<KubeletConfiguration, serde_saphyr::Error>> {
        let named = self.meta.namespace == "kube-system" && self.meta.name == "kubelet-config";
        self.data.get("kubelet").filter(|_| named).map(|text| serde_saphyr::from_str(text))
    }
}

#[derive(Deserialize)]
struct RawConfigMap {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "null_is_default")]
    data: Labels,
}

impl From<RawConfigMap> for ConfigMap {
    fn from(raw: RawConfigMap) -> Self {
        let RawConfigMap { metadata: meta, mut data } = raw;
        let all = data.len();
        let credentials = in_data(&data);
        // A revision of Istio's control plane has its name behind a dash.
        let is_mesh_configuration = meta.name.starts_with("istio-") && data.contains_key("mesh");
        if !KEPT_WHOLE.contains(&meta.name.as_str()) && !is_mesh_configuration {
            let mut rest = KEPT_BYTES;
            data.retain(|key, value| match rest.checked_sub(key.len() + value.len()) {
                Some(left) => {
                    rest = left;
                    true
                }
                None => false,
            });
        }
        if !credentials.is_empty() {
            for (key, value) in &mut data {
                if let Some(without) = without_credentials(key, value) {
                    *value = without;
                }
            }
        }
        ConfigMap { shortened: data.len() < all, meta, data, credentials }
    }
}
