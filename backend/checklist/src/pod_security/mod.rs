//! Pod Security Standards, as Pod Security Admission evaluates them: the controls of `baseline` and
//! `restricted` at every version, the labels of a namespace, and which requests are evaluated at all.
//!
//! After <https://github.com/kubernetes/pod-security-admission/tree/v0.36.3>; the documentation is
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>. Reasons and details are worded as
//! the API server words them, so that a prediction can be held against its answer.

mod admission;
mod checks;
mod controls;
mod pod;
mod policy;
mod wording;

pub use admission::{Evaluation, evaluation, is_significant_update, rejects};
pub use checks::{Forbidden, evaluate};
pub use pod::{NotAPod, Pod};
pub use policy::{
    AUDIT_LABEL, AUDIT_VERSION_LABEL, ENFORCE_LABEL, ENFORCE_VERSION_LABEL, InvalidLabel, Level,
    LevelVersion, NEWEST_MINOR, NamespacePolicy, Version, WARN_LABEL, WARN_VERSION_LABEL, server_minor,
};
