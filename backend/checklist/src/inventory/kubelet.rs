//! A kubelet's configuration, reduced to what items read.

use super::meta::null_is_default;
use serde::Deserialize;

/// What items read of a KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletConfiguration {
    /// Who may call.
    #[serde(default, deserialize_with = "null_is_default")]
    pub authentication: KubeletAuthentication,
    /// Who decides what a caller may do.
    #[serde(default, deserialize_with = "null_is_default")]
    pub authorization: KubeletAuthorization,
    /// The port that serves without authentication; absent is 0, off.
    #[serde(default)]
    pub read_only_port: Option<i64>,
    /// Whether pods that name no seccomp profile get the runtime's default.
    #[serde(default)]
    pub seccomp_default: Option<bool>,
}

/// Who may call a kubelet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct KubeletAuthentication {
    /// Callers without credentials.
    #[serde(default, deserialize_with = "null_is_default")]
    pub anonymous: AnonymousAuthentication,
    /// Bearer tokens.
    #[serde(default, deserialize_with = "null_is_default")]
    pub webhook: WebhookAuthentication,
}

/// Callers without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct AnonymousAuthentication {
    /// Whether they are let in as `system:anonymous`.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Bearer tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct WebhookAuthentication {
    /// Whether the API server is asked about them.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Who decides what a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct KubeletAuthorization {
    /// `Webhook` or `AlwaysAllow`.
    #[serde(default)]
    pub mode: Option<String>,
}
