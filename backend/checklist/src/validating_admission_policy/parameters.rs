//! The objects that parameterise a policy.

use super::policy::{ParamKind, ParameterNotFoundAction};
use super::{Request, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, selector};
use serde_json::Value;

/// Where parameters are looked up.
pub trait ParamLookup {
    /// All objects of a kind.
    fn objects(&self, kind: &ParamKind) -> ParamObjects<'_>;
}

/// All objects of a kind, or why they are not known.
#[derive(Debug, Clone)]
pub enum ParamObjects<'a> {
    /// All of them.
    All {
        /// Whether they live in namespaces.
        namespaced: bool,
        /// Their bodies.
        objects: Vec<&'a Value>,
    },
    /// The API server serves no such kind.
    NotServed,
    /// They were not, or not completely, read.
    Unknown(String),
}

/// What a policy is evaluated with.
pub(super) enum Parameters<'a> {
    /// Once with each of these.
    Each(Vec<&'a Value>),
    /// Not at all.
    None,
    /// An error.
    Error(String),
    /// Nobody knows.
    Unknown(String),
}

static NULL: Value = Value::Null;

/// The error of a policy whose parameters are of a kind that is not served.
pub(super) fn kind_error(policy: &ValidatingAdmissionPolicy, lookup: &dyn ParamLookup) -> Option<String> {
    let kind = policy.spec.param_kind.as_ref()?;
    matches!(lookup.objects(kind), ParamObjects::NotServed).then(|| {
        format!(
            "failed to configure policy: failed to find resource referenced by paramKind: '{}, Kind={}'",
            kind.api_version, kind.kind
        )
    })
}

pub(super) fn parameters<'a>(
    policy: &ValidatingAdmissionPolicy,
    binding: &ValidatingAdmissionPolicyBinding,
    request: &Request,
    lookup: &'a dyn ParamLookup,
) -> Parameters<'a> {
    let Some(kind) = &policy.spec.param_kind else { return Parameters::Each(vec![&NULL]) };
    let Some(reference) = &binding.spec.param_ref else { return Parameters::Each(vec![&NULL]) };
    let (namespaced, objects) = match lookup.objects(kind) {
        ParamObjects::All { namespaced, objects } => (namespaced, objects),
        ParamObjects::Unknown(why) => return Parameters::Unknown(why),
        ParamObjects::NotServed => {
            return Parameters::Unknown("the kind of the parameters is not served".to_owned());
        }
    };
    let namespace = match (&request.namespace, reference.namespace.as_str()) {
        (_, "") if !namespaced => "",
        (Some(namespace), "") => namespace.name.as_str(),
        (None, "") => {
            return error(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
            );
        }
        _ if !namespaced => {
            return error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
        }
        (_, namespace) => namespace,
    };
    let text = |object: &Value, field: &str| {
        object.pointer(field).and_then(Value::as_str).unwrap_or_default() == namespace
    };
    let there = objects.into_iter().filter(|object| !namespaced || text(object, "/metadata/namespace"));
    let found: Vec<&Value> = match (&reference.selector, reference.name.as_str()) {
        (Some(selector), "") => {
            there.filter(|object| selector.matches(&selector::labels_of(object))).collect()
        }
        (None, name) if !name.is_empty() => there
            .filter(|object| object.pointer("/metadata/name").and_then(Value::as_str) == Some(name))
            .collect(),
        _ => return Parameters::Unknown("paramRef must have either a name or a selector".to_owned()),
    };
    if !found.is_empty() {
        return Parameters::Each(found);
    }
    match reference.parameter_not_found_action {
        Some(ParameterNotFoundAction::Deny) => {
            error("no params found for policy binding with `Deny` parameterNotFoundAction")
        }
        Some(ParameterNotFoundAction::Allow) | None => Parameters::None,
    }
}

fn error<'a>(message: &str) -> Parameters<'a> {
    Parameters::Error(format!("failed to configure binding: {message}"))
}
