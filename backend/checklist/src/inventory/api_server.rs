//! What an API server says of itself beside its objects: `/flagz`, `/metrics`, and its answers to the admission probe.

use std::collections::{BTreeMap, BTreeSet};

/// The effective flags of the API server that answered (`/flagz`, Kubernetes 1.36 and newer). Values that could be
/// credentials are never in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiServerFlags {
    /// Values by flag, without dashes.
    pub flags: BTreeMap<String, String>,
}

/// Series of `/metrics` that items read. A series that is there is evidence; one that is absent is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiServerMetrics {
    /// Admission plugins, by `apiserver_admission_controller_admission_duration_seconds`.
    pub admission_plugins: BTreeSet<String>,
    /// Authorizers that decided something, by `apiserver_authorization_decisions_total`.
    pub authorizers: BTreeSet<String>,
    /// Whether Secrets go through an encrypting transformer, by `apiserver_storage_transformation_operations_total`.
    pub encrypts_secrets: bool,
    /// Whether a JWT authenticator is configured, by `apiserver_authentication_jwt_authenticator_*`.
    pub jwt_authenticator: bool,
}

/// What the API server answered when a canary was to be created, in dry-run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// The namespace.
    pub namespace: String,
    /// The canary, by name.
    pub canary: String,
    /// Why it was refused, in the words of who refused it; none when it was let in.
    pub refused: Option<String>,
}
