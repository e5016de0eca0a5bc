//! Policies with their bindings, compiled once and asked about many requests.

use super::cel::{Expression, Failure, Scope};
use super::matching::{Match, Target, matches, policy_matches};
use super::parameters::{ParamLookup, Parameters, kind_error, parameters};
use super::policy::{FailurePolicy, Validation};
use super::{Decision, Outcome, Request, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use ::cel::Value as CelValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The API server drops a message that is longer, and one of several lines.
const LONGEST_MESSAGE: usize = 5 * 1024;

/// Policies with their bindings.
#[derive(Debug)]
pub struct Evaluator {
    policies: Vec<Compiled>,
    unbound: Vec<String>,
}

#[derive(Debug)]
struct Compiled {
    policy: ValidatingAdmissionPolicy,
    bindings: Vec<ValidatingAdmissionPolicyBinding>,
    conditions: Vec<Expression>,
    variables: Vec<Expression>,
    validations: Vec<Expression>,
    messages: Vec<Option<Expression>>,
    annotations: Vec<Expression>,
}

impl Evaluator {
    /// Compiles the policies that have a binding.
    pub fn new(
        policies: impl IntoIterator<Item = ValidatingAdmissionPolicy>,
        bindings: impl IntoIterator<Item = ValidatingAdmissionPolicyBinding>,
    ) -> Evaluator {
        let mut by_policy: BTreeMap<String, Vec<ValidatingAdmissionPolicyBinding>> = BTreeMap::new();
        for binding in bindings {
            by_policy.entry(binding.spec.policy_name.clone()).or_default().push(binding);
        }
        let mut evaluator = Evaluator { policies: Vec::new(), unbound: Vec::new() };
        for policy in policies {
            match by_policy.remove(&policy.metadata.name) {
                Some(bindings) => evaluator.policies.push(Compiled::new(policy, bindings)),
                None => evaluator.unbound.push(policy.metadata.name),
            }
        }
        evaluator
    }

    /// The policies that no binding puts to use.
    pub fn without_binding(&self) -> &[String] {
        &self.unbound
    }

    /// What each policy with each of its bindings says to a request.
    pub fn decide(&self, request: &Request, lookup: &dyn ParamLookup) -> Vec<Decision> {
        let target = request.target();
        let mut decisions = Vec::new();
        for compiled in &self.policies {
            if let Some(decision) = compiled.kind_error(&target, lookup) {
                decisions.push(decision);
                continue;
            }
            for binding in &compiled.bindings {
                let outcome = match matches(&compiled.policy, binding, &target) {
                    Match::Yes => compiled.outcome(binding, request, lookup),
                    Match::No(why) => Outcome::NotMatched(why),
                    // It does not matter whether a policy matches that would allow the request.
                    Match::Unknown(why) => match compiled.outcome(binding, request, lookup) {
                        Outcome::Allowed => Outcome::Allowed,
                        _ => Outcome::Unknown(why),
                    },
                };
                let mut validation_actions = binding.spec.validation_actions.clone();
                validation_actions.sort();
                validation_actions.dedup();
                decisions.push(Decision {
                    policy: compiled.policy.metadata.name.clone(),
                    binding: Some(binding.metadata.name.clone()),
                    validation_actions,
                    outcome,
                });
            }
        }
        decisions
    }
}

impl Compiled {
    fn new(policy: ValidatingAdmissionPolicy, bindings: Vec<ValidatingAdmissionPolicyBinding>) -> Compiled {
        let spec = &policy.spec;
        let message = |validation: &Validation| {
            let text = validation.message_expression.as_str();
            (!text.is_empty()).then(|| Expression::compile(text))
        };
        let conditions = spec.match_conditions.iter().map(|it| Expression::compile(&it.expression)).collect();
        let variables = spec.variables.iter().map(|it| Expression::compile(&it.expression)).collect();
        let validations = spec.validations.iter().map(|it| Expression::compile(&it.expression)).collect();
        let messages = spec.validations.iter().map(message).collect();
        let annotations =
            spec.audit_annotations.iter().map(|it| Expression::compile(&it.value_expression)).collect();
        Compiled { policy, bindings, conditions, variables, validations, messages, annotations }
    }

    /// The decision of a policy whose parameters are of a kind that is not served: the bindings do not matter.
    fn kind_error(&self, target: &Target, lookup: &dyn ParamLookup) -> Option<Decision> {
        let message = kind_error(&self.policy, lookup)?;
        let outcome = match policy_matches(&self.policy, target) {
            Match::Yes => self.failed(message, true),
            Match::No(why) => Outcome::NotMatched(why),
            Match::Unknown(why) => Outcome::Unknown(why),
        };
        Some(Decision {
            policy: self.policy.metadata.name.clone(),
            binding: None,
            validation_actions: Vec::new(),
            outcome,
        })
    }

    fn outcome(
        &self,
        binding: &ValidatingAdmissionPolicyBinding,
        request: &Request,
        lookup: &dyn ParamLookup,
    ) -> Outcome {
        let each = match parameters(&self.policy, binding, request, lookup) {
            Parameters::Each(each) => each,
            Parameters::None => {
                return Outcome::NotMatched("there are no parameters for the binding".to_owned());
            }
            Parameters::Unknown(why) => return Outcome::Unknown(why),
            Parameters::Error(message) => return self.failed(message, true),
        };
        let outcomes: Vec<Outcome> =
            each.into_iter().map(|params| self.with_params(request, params)).collect();
        worst(outcomes)
    }

    fn with_params(&self, request: &Request, params: &Value) -> Outcome {
        // Match conditions are evaluated without the namespace.
        let conditions = self.scope(request, params, None).and_then(|scope| self.conditions(&scope));
        let namespace = request.namespace.as_ref();
        match conditions {
            Ok(None) => {}
            Ok(Some(outcome)) => return outcome,
            Err(why) => return Outcome::Unknown(why),
        }
        match self.scope(request, params, namespace.map(|namespace| namespace.object.as_ref())) {
            Ok(scope) => {
                worst(self.validations(&scope).into_iter().chain(self.annotations(&scope)).collect())
            }
            Err(why) => Outcome::Unknown(why),
        }
    }

    /// `None` if the validations are to be evaluated. One condition that is false is enough to skip them, whatever the
    /// others are.
    fn conditions(&self, scope: &Scope) -> Result<Option<Outcome>, String> {
        let mut errors = Vec::new();
        let mut unknown = None;
        for (condition, expression) in self.policy.spec.match_conditions.iter().zip(&self.conditions) {
            match scope.truth(expression) {
                Ok(true) => {}
                Ok(false) => {
                    return Ok(Some(Outcome::NotMatched(format!(
                        "the match condition '{}' is false",
                        condition.name
                    ))));
                }
                Err(Failure::Error(error)) => errors.push(resulted_in(expression, &error)),
                Err(Failure::Unsupported(why)) => {
                    unknown =
                        unknown.or_else(|| Some(format!("the match condition '{}': {why}", condition.name)));
                }
            }
        }
        if let Some(why) = unknown {
            return Err(why);
        }
        if errors.is_empty() {
            return Ok(None);
        }
        Ok(Some(match self.policy.spec.failure_policy {
            FailurePolicy::Fail => self.failed(aggregate(&errors), false),
            FailurePolicy::Ignore => Outcome::NotMatched(
                "a match condition is an error, and the failure policy ignores errors".to_owned(),
            ),
        }))
    }

    fn validations(&self, scope: &Scope) -> Vec<Outcome> {
        let validations = self.policy.spec.validations.iter().zip(&self.validations).zip(&self.messages);
        validations
            .map(|((validation, expression), message)| match scope.truth(expression) {
                Ok(true) => Outcome::Allowed,
                Ok(false) => Outcome::Denied {
                    message: denial(validation, message.as_ref(), scope),
                    whatever_the_actions: false,
                },
                Err(Failure::Error(error)) => self.failed(resulted_in(expression, &error), false),
                Err(Failure::Unsupported(why)) => Outcome::Unknown(why),
            })
            .collect()
    }

    /// Only an error in an audit annotation matters to the request.
    fn annotations(&self, scope: &Scope) -> Vec<Outcome> {
        self.annotations
            .iter()
            .map(|expression| match scope.value(expression) {
                Ok(CelValue::String(_) | CelValue::Null) => Outcome::Allowed,
                Ok(_) => Outcome::Unknown("an audit annotation is neither a text nor null".to_owned()),
                Err(Failure::Error(error)) => self.failed(resulted_in(expression, &error), true),
                Err(Failure::Unsupported(why)) => Outcome::Unknown(why),
            })
            .collect()
    }

    fn failed(&self, message: String, whatever_the_actions: bool) -> Outcome {
        match self.policy.spec.failure_policy {
            FailurePolicy::Fail => Outcome::Denied { message, whatever_the_actions },
            FailurePolicy::Ignore => Outcome::Allowed,
        }
    }

    /// What expressions read; a namespace without an object is one that is not known.
    fn scope(
        &self,
        request: &Request,
        params: &Value,
        namespace: Option<Option<&Value>>,
    ) -> Result<Scope, String> {
        let mut unknown = BTreeMap::new();
        let mut not_known = |name: &str, known: bool| {
            if !known {
                unknown.insert(name.to_owned(), format!("`{name}` is not known"));
            }
        };
        not_known("namespaceObject", namespace != Some(None));
        not_known("request.userInfo", request.user_info.is_some());
        not_known("request.options", request.options.is_some());
        not_known("request.uid", false);
        let namespace = namespace.flatten().map_or(Value::Null, seen_namespace);
        let described = described(request);
        let mut values = vec![
            ("object", &request.object),
            ("oldObject", &request.old_object),
            ("request", &described),
            ("namespaceObject", &namespace),
        ];
        if self.policy.spec.param_kind.is_some() {
            values.push(("params", params));
        }
        let scope = Scope::new(&values, unknown)?;
        for (variable, expression) in self.policy.spec.variables.iter().zip(&self.variables) {
            scope.define(&variable.name, expression);
        }
        Ok(scope)
    }
}

/// Denied beats unknown beats allowed; where nothing was evaluated, the reason why.
fn worst(outcomes: Vec<Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Denied { whatever_the_actions: true, .. } => 4,
        Outcome::Denied { .. } => 3,
        Outcome::Unknown(_) => 2,
        Outcome::Allowed => 1,
        Outcome::NotMatched(_) => 0,
    };
    // The first of the worst is the one whose message the API server uses.
    outcomes.into_iter().rev().max_by_key(rank).unwrap_or(Outcome::Allowed)
}

/// The message of a validation that does not hold.
fn denial(validation: &Validation, expression: Option<&Expression>, scope: &Scope) -> String {
    let computed = expression.and_then(|expression| match scope.value(expression) {
        Ok(CelValue::String(text)) => Some(text.trim().to_owned()),
        _ => None,
    });
    let usable = |text: &String| !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n');
    computed.filter(usable).unwrap_or_else(|| match validation.message.trim() {
        "" => format!("failed expression: {}", validation.expression.trim()),
        message => message.to_owned(),
    })
}

fn resulted_in(expression: &Expression, error: &str) -> String {
    format!("expression '{}' resulted in error: {error}", expression.text)
}

fn aggregate(errors: &[String]) -> String {
    match errors {
        [error] => error.clone(),
        errors => format!("[{}]", errors.join(", ")),
    }
}

/// The request as expressions see it: what is empty is left out, as in JSON.
fn described(request: &Request) -> Value {
    let kind = json!({ "group": request.group, "version": request.version, "kind": request.kind });
    let resource =
        json!({ "group": request.group, "version": request.version, "resource": request.resource });
    let mut fields = json!({
        "uid": "",
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "operation": request.operation.as_str(),
        "userInfo": request.user_info.clone().unwrap_or_else(|| json!({})),
        "dryRun": request.dry_run,
        "options": request.options,
        "object": null,
        "oldObject": null,
    });
    let namespace = request.namespace.as_ref().map(|namespace| namespace.name.as_str()).unwrap_or_default();
    for (field, value) in [
        ("subResource", request.subresource.as_str()),
        ("requestSubResource", request.subresource.as_str()),
        ("name", request.name.as_str()),
        ("namespace", namespace),
    ] {
        if !value.is_empty() {
            fields[field] = value.into();
        }
    }
    fields
}

/// The parts of a namespace that expressions see.
fn seen_namespace(namespace: &Value) -> Value {
    let mut metadata = namespace.get("metadata").cloned().unwrap_or_else(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
        metadata.remove("ownerReferences");
    }
    json!({
        "metadata": metadata,
        "spec": namespace.get("spec").cloned().unwrap_or_else(|| json!({})),
        "status": namespace.get("status").cloned().unwrap_or_else(|| json!({})),
    })
}

#[cfg(test)]
mod tests;
