//! What Gatekeeper's constraints answer to a canary, for the templates of its library.
//!
//! <https://open-policy-agent.github.io/gatekeeper-library/website/>. The Rego of a template is not run: a template is
//! taken for the library's by its name and by what its Rego reads. Any other template is undecided.

use super::canary::{Form, Weakness};
use super::{Answer, Attempt, NAME, Verdict, wildcard};
use crate::inventory::{Inventory, Kind, LabelSelector, null_is_default};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// A template of the library: its kind, what its Rego reads, and the weakness that it refuses.
#[derive(Debug)]
struct Template {
    kind: &'static str,
    reads: &'static str,
    refuses: Option<Weakness>,
}

/// Templates of the library about pods. Those that refuse none of the weaknesses never refuse a canary.
static LIBRARY: [Template; 6] = [
    Template {
        kind: "K8sPSPPrivilegedContainer",
        reads: "securityContext.privileged",
        refuses: Some(Weakness::Privileged),
    },
    Template {
        kind: "K8sPSPAllowPrivilegeEscalationContainer",
        reads: "allowPrivilegeEscalation",
        refuses: Some(Weakness::PrivilegeEscalation),
    },
    Template {
        kind: "K8sPSPReadOnlyRootFilesystem",
        reads: "readOnlyRootFilesystem",
        refuses: Some(Weakness::MutableRootFilesystem),
    },
    Template {
        kind: "K8sAllowedRepos",
        reads: "input.parameters.repos",
        refuses: Some(Weakness::UntrustedRegistry),
    },
    Template { kind: "K8sPSPHostNamespace", reads: "hostPID", refuses: None },
    Template { kind: "K8sPSPHostFilesystem", reads: "hostPath", refuses: None },
];

/// The constraints of a cluster, read once.
#[derive(Debug)]
pub(super) struct Gatekeeper(Vec<Constraint>);

#[derive(Debug)]
struct Constraint {
    name: String,
    /// None where it cannot be read.
    spec: Option<Spec>,
    /// The template, where it is one of the library's.
    template: Option<&'static Template>,
    /// Whether the template looks at no update.
    skips_updates: bool,
}

impl Gatekeeper {
    pub(super) fn of(inventory: &Inventory) -> Gatekeeper {
        let templates: HashMap<String, String> = inventory
            .resources(Kind::GatekeeperConstraintTemplates)
            .seen
            .iter()
            .map(|template| (template.meta.name.to_ascii_lowercase(), rego(&template.body)))
            .collect();
        let constraints = &inventory.resources(Kind::GatekeeperConstraints).seen;
        Gatekeeper(
            constraints
                .iter()
                .map(|constraint| {
                    let rego = templates.get(&constraint.object_kind.to_ascii_lowercase());
                    let rego = rego.map_or("", String::as_str);
                    Constraint {
                        name: format!("Gatekeeper {} {}", constraint.object_kind, constraint.meta.name),
                        spec: constraint.parse::<Body>().ok().map(|body| body.spec),
                        template: LIBRARY
                            .iter()
                            .find(|known| known.kind == constraint.object_kind && rego.contains(known.reads)),
                        skips_updates: rego.contains("is_update"),
                    }
                })
                .collect(),
        )
    }

    /// What they answer; nothing where none is about the canary.
    pub(super) fn answers(&self, attempt: &Attempt<'_>) -> Vec<Answer> {
        let verdict = |constraint: &Constraint| match &constraint.spec {
            Some(spec) => of_constraint(constraint, spec, attempt),
            None => Some(Verdict::Undecided("it has another form than is known".to_owned())),
        };
        self.0.iter().filter_map(|found| Some(Answer::new(found.name.clone(), verdict(found)?))).collect()
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "null_is_default")]
    spec: Spec,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    enforcement_action: Option<String>,
    #[serde(rename = "match", deserialize_with = "null_is_default")]
    matched: Match,
    #[serde(deserialize_with = "null_is_default")]
    parameters: Value,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Match {
    #[serde(deserialize_with = "null_is_default")]
    kinds: Vec<Kinds>,
    scope: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    namespaces: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    excluded_namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
    label_selector: Option<LabelSelector>,
    name: Option<String>,
    source: Option<String>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Kinds {
    #[serde(deserialize_with = "null_is_default")]
    api_groups: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    kinds: Vec<String>,
}

fn of_constraint(constraint: &Constraint, spec: &Spec, attempt: &Attempt<'_>) -> Option<Verdict> {
    match is_about(&spec.matched, attempt) {
        Some(true) => {}
        Some(false) => return None,
        None => return Some(Verdict::Undecided("whom it is about is not understood".to_owned())),
    }
    // Left out, it denies: https://open-policy-agent.github.io/gatekeeper/website/docs/violations/
    match spec.enforcement_action.as_deref().unwrap_or("deny") {
        "deny" => {}
        "scoped" => return Some(Verdict::Undecided("it has scoped enforcement actions".to_owned())),
        action => return Some(Verdict::Admits(Some(format!("has enforcementAction {action}")))),
    }
    let Some(known) = constraint.template else {
        return Some(Verdict::Undecided("its template is not one of the library's".to_owned()));
    };
    if known.refuses.is_none() || known.refuses != attempt.weakness {
        return Some(Verdict::Admits(None));
    }
    // The library leaves updates alone where the field cannot change, and so does not see `kubectl debug`.
    if attempt.form == Form::EphemeralContainer && constraint.skips_updates {
        return Some(Verdict::Admits(Some("looks at no update, so at no `kubectl debug`".to_owned())));
    }
    let listed = |field: &str| -> Vec<&str> {
        spec.parameters
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    if listed("exemptImages").iter().any(|exempt| wildcard(exempt, attempt.image)) {
        return Some(Verdict::Admits(Some("exempts the image".to_owned())));
    }
    if known.kind == "K8sAllowedRepos" && listed("repos").iter().any(|repo| attempt.image.starts_with(repo)) {
        return Some(Verdict::Admits(None));
    }
    Some(Verdict::Rejects)
}

/// Whether a constraint is about the canary; none where it depends on what is not understood.
fn is_about(matched: &Match, attempt: &Attempt<'_>) -> Option<bool> {
    let all = |list: &[String], wanted: &str| list.iter().any(|found| found == "*" || found == wanted);
    let kinds = matched.kinds.is_empty()
        || matched.kinds.iter().any(|kinds| all(&kinds.api_groups, "") && all(&kinds.kinds, "Pod"));
    let in_namespace = |list: &[String]| list.iter().any(|name| wildcard(name, attempt.namespace));
    let named = matched.namespaces.is_empty() || in_namespace(&matched.namespaces);
    if !kinds
        || !named
        || in_namespace(&matched.excluded_namespaces)
        || matched.scope.as_deref() == Some("Cluster")
        // What is generated from a Deployment is not what is created.
        || matched.source.as_deref() == Some("Generated")
        // Somebody who makes a pod chooses its name and labels.
        || matched.name.as_deref().is_some_and(|name| !wildcard(name, NAME))
        || matched.label_selector.as_ref().is_some_and(|selector| !selector.selects_everything())
    {
        return Some(false);
    }
    match &matched.namespace_selector {
        Some(selector) => selector.matches(attempt.namespace_labels),
        None => Some(true),
    }
}

/// The Rego of a template, in its older and in its newer place.
fn rego(template: &Value) -> String {
    let targets = template.pointer("/spec/targets").and_then(Value::as_array);
    targets
        .into_iter()
        .flatten()
        .flat_map(|target| {
            let code = target.get("code").and_then(Value::as_array).into_iter().flatten();
            code.filter(|code| code.get("engine").and_then(Value::as_str) == Some("Rego"))
                .filter_map(|code| code.pointer("/source/rego"))
                .chain(target.get("rego"))
        })
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}
