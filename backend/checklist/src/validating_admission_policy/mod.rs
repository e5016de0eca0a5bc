//! ValidatingAdmissionPolicy: what the API server would say to a request, predicted from policies and bindings.
//!
//! The words are those of the API server. What this does not understand is [`Outcome::Unknown`], never one of the
//! other outcomes. See
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>.

mod cel;
mod defaulted_pod;
mod evaluator;
mod library;
mod matching;
mod parameters;
mod policy;
mod quantity;
mod selector;

pub use defaulted_pod::defaulted_pod;
pub use evaluator::Evaluator;
pub use matching::{Match, Target, matches};
pub use parameters::{ParamLookup, ParamObjects};
pub use policy::{
    AuditAnnotation, BindingSpec, FailurePolicy, MatchCondition, MatchPolicy, MatchResources, Named,
    ParamKind, ParamRef, ParameterNotFoundAction, PolicySpec, ResourceRule, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, Validation, ValidationAction, Variable,
};
pub use quantity::{Quantity, QuantityError};
pub use selector::{LabelOperator, LabelRequirement, LabelSelector};

use serde_json::Value;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// An object is made.
    Create,
    /// An object or a subresource is changed.
    Update,
    /// An object is deleted.
    Delete,
    /// A connection, such as `pods/exec`.
    Connect,
}

impl Operation {
    /// As rules have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        }
    }
}

/// A request, as admission sees it: the object is the one after defaulting, see [`defaulted_pod`].
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is done.
    pub operation: Operation,
    /// The API group, empty for the core.
    pub group: String,
    /// The API version.
    pub version: String,
    /// The kind of the object.
    pub kind: String,
    /// The resource, such as `pods`.
    pub resource: String,
    /// The subresource, such as `ephemeralcontainers`; empty for the object itself.
    pub subresource: String,
    /// The name; empty where the API server will make one up.
    pub name: String,
    /// The namespace, if the resource has one.
    pub namespace: Option<Namespace>,
    /// The new object; null for a DELETE.
    pub object: Value,
    /// The old object; null for a CREATE.
    pub old_object: Value,
    /// `username`, `uid`, `groups`, `extra`; `None` if it matters not who asks, so that what reads it is unknown.
    pub user_info: Option<Value>,
    /// The options of the operation; `None` makes what reads them unknown.
    pub options: Option<Value>,
    /// Whether nothing is to be stored.
    pub dry_run: bool,
}

/// The namespace of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// The whole object; `None` if it is not known.
    pub object: Option<Value>,
}

/// What a policy with a binding says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The policy's name.
    pub policy: String,
    /// The binding's name; `None` where the policy itself is in error, which no binding can narrow.
    pub binding: Option<String>,
    /// What the binding does where a validation fails, in order and each once.
    pub validation_actions: Vec<ValidationAction>,
    /// What was found.
    pub outcome: Outcome,
}

/// What was found about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Neither is about the request, for this reason.
    NotMatched(String),
    /// Every validation holds.
    Allowed,
    /// One does not hold, or an error counts as that.
    Denied {
        /// What the API server says.
        message: String,
        /// Whether the request is refused whatever `validationActions` say, as it is for an error in the parameters or
        /// in an audit annotation.
        whatever_the_actions: bool,
    },
    /// Nothing is known, for this reason.
    Unknown(String),
}

impl Decision {
    /// Whether the request is refused: `None` if that is not known.
    pub fn refuses(&self) -> Option<bool> {
        let denies = self.validation_actions.contains(&ValidationAction::Deny);
        match &self.outcome {
            Outcome::NotMatched(_) | Outcome::Allowed => Some(false),
            Outcome::Denied { whatever_the_actions, .. } => Some(denies || *whatever_the_actions),
            Outcome::Unknown(_) => None,
        }
    }

    /// What the client is told.
    pub fn message(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Denied { message, .. } => {
                let binding =
                    self.binding.iter().map(|name| format!(" with binding '{name}'")).collect::<String>();
                Some(format!(
                    "ValidatingAdmissionPolicy '{}'{binding} denied request: {message}",
                    self.policy
                ))
            }
            _ => None,
        }
    }
}

impl Request {
    /// The request without its content.
    pub fn target(&self) -> Target {
        let objects = [&self.object, &self.old_object];
        let labels = |object: &Value| selector::labels_of(object);
        Target {
            operation: self.operation,
            group: self.group.clone(),
            version: self.version.clone(),
            resource: self.resource.clone(),
            subresource: self.subresource.clone(),
            name: self.name.clone(),
            namespace: self.namespace.as_ref().map(|namespace| namespace.name.clone()),
            namespace_labels: self.namespace_labels(),
            object_labels: Some(objects.into_iter().filter(|object| !object.is_null()).map(labels).collect()),
        }
    }

    /// A request that makes or changes a namespace carries the labels itself.
    fn namespace_labels(&self) -> Option<crate::inventory::Labels> {
        let writes = matches!(self.operation, Operation::Create | Operation::Update);
        if self.resource == "namespaces" && self.subresource.is_empty() && writes {
            return Some(selector::labels_of(&self.object));
        }
        Some(selector::labels_of(self.namespace.as_ref()?.object.as_ref()?))
    }
}
