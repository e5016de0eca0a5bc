//! What Kyverno's policies answer to a canary: patterns and Pod Security rules, as its library writes them.
//!
//! <https://kyverno.io/docs/policy-types/cluster-policy/overview/>. What a rule uses beyond that is undecided.

use super::kyverno_pattern;
use super::{Answer, Attempt, NAME, Verdict, wildcard};
use crate::inventory::{Inventory, Kind, LabelSelector, Resource, null_is_default};
use crate::pod_security::{self, Level, Pod, Version};
use serde::Deserialize;
use serde_json::Value;

/// The policies of a cluster, read once.
#[derive(Debug)]
pub(super) struct Kyverno(Vec<Policy>);

#[derive(Debug)]
struct Policy {
    name: String,
    /// Where it holds; none means everywhere.
    namespace: Option<String>,
    /// None where it cannot be read.
    spec: Option<Spec>,
    excepted: bool,
}

impl Kyverno {
    pub(super) fn of(inventory: &Inventory) -> Kyverno {
        let exceptions = exceptions(inventory);
        let policies = inventory.resources_of([Kind::KyvernoClusterPolicies, Kind::KyvernoPolicies]);
        Kyverno(
            policies
                .map(|policy| Policy {
                    name: format!("Kyverno {} {}", policy.object_kind, policy.meta.name),
                    namespace: (policy.kind == Kind::KyvernoPolicies)
                        .then(|| policy.meta.namespace_or_default().to_owned()),
                    spec: policy.parse::<Body>().ok().map(|body| body.spec),
                    excepted: exceptions.iter().any(|excepted| names_policy(excepted, policy)),
                })
                .collect(),
        )
    }

    /// What they answer; nothing where none is about the canary.
    pub(super) fn answers(&self, attempt: &Attempt<'_>) -> Vec<Answer> {
        let here = |policy: &&Policy| policy.namespace.as_ref().is_none_or(|name| name == attempt.namespace);
        let policies = self.0.iter().filter(here);
        policies
            .filter_map(|policy| Some(Answer::new(policy.name.clone(), policy.verdict(attempt)?)))
            .collect()
    }
}

impl Policy {
    fn verdict(&self, attempt: &Attempt<'_>) -> Option<Verdict> {
        let Some(spec) = &self.spec else {
            return Some(Verdict::Undecided("it has another form than is known".to_owned()));
        };
        Some(match of_policy(spec, attempt)? {
            Verdict::Rejects if self.excepted => {
                Verdict::Undecided("it has exceptions (PolicyException)".to_owned())
            }
            verdict => verdict,
        })
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    validation_failure_action: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    validation_failure_action_overrides: Vec<Override>,
    admission: Option<bool>,
    webhook_configuration: Option<Value>,
    #[serde(deserialize_with = "null_is_default")]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Override {
    action: String,
    #[serde(deserialize_with = "null_is_default")]
    namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Rule {
    name: String,
    #[serde(rename = "match", deserialize_with = "null_is_default")]
    matched: Filters,
    #[serde(deserialize_with = "null_is_default")]
    exclude: Filters,
    preconditions: Option<Value>,
    validate: Option<Validate>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Filters {
    #[serde(deserialize_with = "null_is_default")]
    any: Vec<Filter>,
    #[serde(deserialize_with = "null_is_default")]
    all: Vec<Filter>,
    resources: Option<Resources>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    #[serde(deserialize_with = "null_is_default")]
    resources: Resources,
    subjects: Option<Value>,
    roles: Option<Value>,
    cluster_roles: Option<Value>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Resources {
    #[serde(deserialize_with = "null_is_default")]
    kinds: Vec<String>,
    name: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    names: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
    selector: Option<LabelSelector>,
    annotations: Option<Value>,
    #[serde(deserialize_with = "null_is_default")]
    operations: Vec<String>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Validate {
    failure_action: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    failure_action_overrides: Vec<Override>,
    pattern: Option<Value>,
    any_pattern: Option<Vec<Value>>,
    pod_security: Option<PodSecurity>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct PodSecurity {
    level: String,
    version: Option<String>,
    exclude: Option<Value>,
}

/// Whether an action refuses; unset is Audit.
fn enforces(action: Option<&str>) -> bool {
    action.is_some_and(|action| action.eq_ignore_ascii_case("enforce"))
}

fn of_policy(spec: &Spec, attempt: &Attempt<'_>) -> Option<Verdict> {
    if spec.admission == Some(false) {
        return None;
    }
    let mut admitted = None;
    let mut undecided = None;
    for rule in &spec.rules {
        let Some(validate) = &rule.validate else { continue };
        let verdict = match (matches(&rule.matched, attempt), excludes(&rule.exclude, attempt)) {
            (Some(false), _) | (_, Some(true)) => continue,
            (None, _) | (_, None) => {
                Verdict::Undecided(format!("whom rule {} is about is not understood", rule.name))
            }
            _ => of_rule(spec, rule, validate, attempt),
        };
        match verdict {
            Verdict::Rejects if rule.preconditions.is_some() || has_conditions(spec) => {
                undecided = Some(Verdict::Undecided(format!(
                    "rule {} has preconditions, which are not evaluated",
                    rule.name
                )));
            }
            Verdict::Rejects => return Some(verdict),
            Verdict::Undecided(_) => undecided = Some(verdict),
            Verdict::Admits(_) => admitted = Some(verdict),
        }
    }
    undecided.or(admitted)
}

fn has_conditions(spec: &Spec) -> bool {
    spec.webhook_configuration
        .as_ref()
        .and_then(|configuration| configuration.get("matchConditions"))
        .and_then(Value::as_array)
        .is_some_and(|conditions| !conditions.is_empty())
}

fn of_rule(spec: &Spec, rule: &Rule, validate: &Validate, attempt: &Attempt<'_>) -> Verdict {
    let action = validate.failure_action.as_deref().or(spec.validation_failure_action.as_deref());
    let overrides = validate.failure_action_overrides.iter().chain(&spec.validation_failure_action_overrides);
    let mut enforced = enforces(action);
    for exception in overrides {
        match of_namespace(&exception.namespaces, exception.namespace_selector.as_ref(), attempt) {
            Some(true) => enforced = enforces(Some(&exception.action)),
            Some(false) => {}
            None => return Verdict::Undecided("an override is not understood".to_owned()),
        }
    }
    let holds = if let Some(pattern) = &validate.pattern {
        kyverno_pattern::matches(pattern, Some(attempt.pod))
    } else if let Some(patterns) = &validate.any_pattern {
        let answers: Vec<Option<bool>> =
            patterns.iter().map(|pattern| kyverno_pattern::matches(pattern, Some(attempt.pod))).collect();
        match (answers.contains(&Some(true)), answers.contains(&None)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        }
    } else if let Some(standard) = &validate.pod_security {
        meets(standard, attempt.pod)
    } else {
        None
    };
    match holds {
        Some(true) => Verdict::Admits(None),
        Some(false) if enforced => Verdict::Rejects,
        Some(false) => Verdict::Admits(Some("only audits it".to_owned())),
        None if enforced => {
            Verdict::Undecided(format!("rule {} is of a form that is not evaluated", rule.name))
        }
        None => Verdict::Admits(None),
    }
}

fn meets(standard: &PodSecurity, pod: &Value) -> Option<bool> {
    if standard.exclude.as_ref().is_some_and(|exclude| exclude.as_array().is_none_or(|list| !list.is_empty()))
    {
        return None;
    }
    let level = Level::parse(&standard.level)?;
    let version = Version::parse(standard.version.as_deref().unwrap_or("latest"))?;
    Some(pod_security::evaluate(level, version, &Pod::read(pod).ok()?).is_empty())
}

/// Whether a rule is about the canary.
fn matches(filters: &Filters, attempt: &Attempt<'_>) -> Option<bool> {
    let direct = filters.resources.iter().map(|resources| of_resources(resources, attempt));
    let any = filters.any.iter().map(|filter| of_filter(filter, attempt));
    if !filters.all.is_empty() {
        let answers: Vec<_> = filters.all.iter().map(|filter| of_filter(filter, attempt)).collect();
        return if answers.contains(&Some(false)) {
            Some(false)
        } else {
            answers.iter().all(Option::is_some).then_some(true)
        };
    }
    let answers: Vec<_> = direct.chain(any).collect();
    if answers.contains(&Some(true)) {
        Some(true)
    } else {
        answers.iter().all(Option::is_some).then_some(false)
    }
}

/// Whether a rule leaves the canary out.
fn excludes(filters: &Filters, attempt: &Attempt<'_>) -> Option<bool> {
    if filters.any.is_empty() && filters.all.is_empty() && filters.resources.is_none() {
        return Some(false);
    }
    matches(filters, attempt)
}

fn of_filter(filter: &Filter, attempt: &Attempt<'_>) -> Option<bool> {
    match of_resources(&filter.resources, attempt) {
        // Who asks is not known.
        Some(true)
            if filter.subjects.is_some() || filter.roles.is_some() || filter.cluster_roles.is_some() =>
        {
            None
        }
        answer => answer,
    }
}

fn of_resources(resources: &Resources, attempt: &Attempt<'_>) -> Option<bool> {
    let kinds = resources.kinds.is_empty() || resources.kinds.iter().any(|kind| is_pod(kind));
    let operation = if attempt.form.subresource().is_some() { "UPDATE" } else { "CREATE" };
    let operations =
        resources.operations.is_empty() || resources.operations.iter().any(|found| found == operation);
    if !kinds || !operations {
        return Some(false);
    }
    // Somebody who makes a pod chooses its name, labels and annotations.
    let chosen = resources.name.as_deref().into_iter().chain(resources.names.iter().map(String::as_str));
    let names: Vec<bool> = chosen.map(|name| wildcard(name, NAME)).collect();
    if (!names.is_empty() && !names.contains(&true))
        || resources.selector.as_ref().is_some_and(|selector| !selector.selects_everything())
        || resources.annotations.is_some()
    {
        return Some(false);
    }
    of_namespace(&resources.namespaces, resources.namespace_selector.as_ref(), attempt)
}

fn of_namespace(names: &[String], selector: Option<&LabelSelector>, attempt: &Attempt<'_>) -> Option<bool> {
    let named = names.is_empty() || names.iter().any(|name| wildcard(name, attempt.namespace));
    match selector {
        Some(selector) if named => selector.matches(attempt.namespace_labels),
        _ => Some(named),
    }
}

/// `Pod`, `v1/Pod`, `*/Pod`, `*`, and the subresource that Kyverno's webhook adds of itself.
fn is_pod(kind: &str) -> bool {
    matches!(
        kind,
        "Pod" | "v1/Pod" | "*/Pod" | "*/v1/Pod" | "*" | "*/*" | "Pod/ephemeralcontainers" | "Pod.*"
    )
}

/// The policies that exceptions name.
fn exceptions(inventory: &Inventory) -> Vec<String> {
    inventory
        .resources(Kind::KyvernoPolicyExceptions)
        .seen
        .iter()
        .filter_map(|exception| exception.body.pointer("/spec/exceptions")?.as_array())
        .flatten()
        .filter_map(|exception| Some(exception.get("policyName")?.as_str()?.to_owned()))
        .collect()
}

fn names_policy(named: &str, policy: &Resource) -> bool {
    match named.split_once('/') {
        Some((namespace, name)) => {
            policy.kind == Kind::KyvernoPolicies
                && policy.meta.namespace_or_default() == namespace
                && wildcard(name, &policy.meta.name)
        }
        None => wildcard(named, &policy.meta.name),
    }
}
