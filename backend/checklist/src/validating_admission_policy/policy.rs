//! ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding, as far as they decide about a request.

use super::selector::LabelSelector;
use crate::inventory::null_is_default;
use serde::Deserialize;

/// A policy of `admissionregistration.k8s.io`, `v1` or `v1beta1`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct ValidatingAdmissionPolicy {
    /// Its metadata.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metadata: Named,
    /// Its spec.
    #[serde(default, deserialize_with = "null_is_default")]
    pub spec: PolicySpec,
}

/// A binding, without which a policy does nothing.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct ValidatingAdmissionPolicyBinding {
    /// Its metadata.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metadata: Named,
    /// Its spec.
    #[serde(default, deserialize_with = "null_is_default")]
    pub spec: BindingSpec,
}

/// The one part of the metadata that matters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Named {
    /// The name.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
}

/// The spec of a policy.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicySpec {
    /// What an error means.
    #[serde(deserialize_with = "null_is_default")]
    pub failure_policy: FailurePolicy,
    /// Which requests it is about; unset is a policy that no API server accepts.
    pub match_constraints: Option<MatchResources>,
    /// All must be true for the validations to be evaluated.
    #[serde(deserialize_with = "null_is_default")]
    pub match_conditions: Vec<MatchCondition>,
    /// The kind of the parameters.
    pub param_kind: Option<ParamKind>,
    /// Expressions that others can use by name.
    #[serde(deserialize_with = "null_is_default")]
    pub variables: Vec<Variable>,
    /// All must be true for the request to be allowed.
    #[serde(deserialize_with = "null_is_default")]
    pub validations: Vec<Validation>,
    /// What goes into the audit log; an error in it counts like one in a validation.
    #[serde(deserialize_with = "null_is_default")]
    pub audit_annotations: Vec<AuditAnnotation>,
}

/// The spec of a binding.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BindingSpec {
    /// The policy that it binds.
    #[serde(deserialize_with = "null_is_default")]
    pub policy_name: String,
    /// The parameters that it binds to.
    pub param_ref: Option<ParamRef>,
    /// Narrows what the policy matches.
    pub match_resources: Option<MatchResources>,
    /// What happens when a validation fails.
    #[serde(deserialize_with = "null_is_default")]
    pub validation_actions: Vec<ValidationAction>,
}

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum FailurePolicy {
    /// The request is denied.
    #[default]
    Fail,
    /// The policy is passed over.
    Ignore,
}

/// What happens when a validation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum ValidationAction {
    /// The request is denied.
    Deny,
    /// The client is warned.
    Warn,
    /// The audit log tells.
    Audit,
}

/// Which requests a policy or a binding is about.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MatchResources {
    /// By the labels of the namespace.
    #[serde(deserialize_with = "null_is_default")]
    pub namespace_selector: LabelSelector,
    /// By the labels of the object, old or new.
    #[serde(deserialize_with = "null_is_default")]
    pub object_selector: LabelSelector,
    /// By resource and operation; empty means all in a binding.
    #[serde(deserialize_with = "null_is_default")]
    pub resource_rules: Vec<ResourceRule>,
    /// What is left out again.
    #[serde(deserialize_with = "null_is_default")]
    pub exclude_resource_rules: Vec<ResourceRule>,
    /// Whether the same resource in another group-version matches too.
    #[serde(deserialize_with = "null_is_default")]
    pub match_policy: MatchPolicy,
}

/// Whether the same resource in another group-version matches too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum MatchPolicy {
    /// It does not.
    Exact,
    /// It does.
    #[default]
    Equivalent,
}

/// A rule over resources and operations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceRule {
    /// API groups, `*` for all.
    #[serde(deserialize_with = "null_is_default")]
    pub api_groups: Vec<String>,
    /// API versions, `*` for all.
    #[serde(deserialize_with = "null_is_default")]
    pub api_versions: Vec<String>,
    /// Operations, `*` for all.
    #[serde(deserialize_with = "null_is_default")]
    pub operations: Vec<String>,
    /// Resources and subresources: `pods`, `pods/*`, `*/scale`, `*/*`.
    #[serde(deserialize_with = "null_is_default")]
    pub resources: Vec<String>,
    /// Names of objects; empty means all.
    #[serde(deserialize_with = "null_is_default")]
    pub resource_names: Vec<String>,
    /// `Namespaced`, `Cluster` or `*`, which is the default.
    pub scope: Option<String>,
}

/// The kind of a policy's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ParamKind {
    /// Group and version.
    #[serde(deserialize_with = "null_is_default")]
    pub api_version: String,
    /// The kind.
    #[serde(deserialize_with = "null_is_default")]
    pub kind: String,
}

/// Which objects are the parameters.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ParamRef {
    /// One by name.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// Its namespace; unset is the request's.
    #[serde(deserialize_with = "null_is_default")]
    pub namespace: String,
    /// Or all by label.
    pub selector: Option<LabelSelector>,
    /// What it means that there is none.
    pub parameter_not_found_action: Option<ParameterNotFoundAction>,
}

/// What it means that there are no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ParameterNotFoundAction {
    /// The binding does nothing.
    Allow,
    /// An error, so that the failure policy decides.
    Deny,
}

/// A condition for the validations to be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct MatchCondition {
    /// Its name.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// Its CEL expression.
    #[serde(deserialize_with = "null_is_default")]
    pub expression: String,
}

/// An expression that others can use as `variables.NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// Its name.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// Its CEL expression.
    #[serde(deserialize_with = "null_is_default")]
    pub expression: String,
}

/// What must be true.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Validation {
    /// Its CEL expression.
    #[serde(deserialize_with = "null_is_default")]
    pub expression: String,
    /// What the client is told.
    #[serde(deserialize_with = "null_is_default")]
    pub message: String,
    /// The reason in the status that the client gets.
    pub reason: Option<String>,
    /// A CEL expression for what the client is told.
    #[serde(deserialize_with = "null_is_default")]
    pub message_expression: String,
}

/// What goes into the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditAnnotation {
    /// Its key.
    #[serde(deserialize_with = "null_is_default")]
    pub key: String,
    /// A CEL expression for its value.
    #[serde(deserialize_with = "null_is_default")]
    pub value_expression: String,
}
