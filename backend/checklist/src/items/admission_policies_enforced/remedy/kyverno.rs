//! The rules as a ClusterPolicy of Kyverno, for clusters that run it.
//!
//! <https://kyverno.io/docs/policy-types/cluster-policy/validate/>: Kyverno derives the rules for pod templates itself, sees
//! ephemeral containers with pods, and lets an update of what broke the rules before go through.

use super::NAME;
use crate::remedy::admission::{cluster_wide, staged};
use rampart_shared::{RemediationDocument, RemediationStage};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The policy in each stage, under one name.
pub(super) fn documents(excluded: &BTreeSet<&str>) -> Vec<RemediationDocument> {
    RemediationStage::ALL
        .into_iter()
        .map(|stage| {
            let (action, comment) = match stage {
                RemediationStage::Observe => ("Audit", "The rules, for Kyverno: it reports what breaks them"),
                RemediationStage::Warn => {
                    ("Audit", "The rules, for Kyverno: it reports and warns of what breaks them")
                }
                RemediationStage::Enforce => {
                    ("Enforce", "The rules, for Kyverno: it refuses what breaks them")
                }
            };
            let mut spec = json!({ "background": true, "rules": rules(action, excluded) });
            if stage == RemediationStage::Warn {
                spec["emitWarning"] = json!(true);
            }
            staged(stage, comment, &cluster_wide("kyverno.io/v1", "ClusterPolicy", NAME, &spec))
        })
        .collect()
}

fn rules(action: &str, excluded: &BTreeSet<&str>) -> Vec<Value> {
    let rule = |name: &str, message: &str, patterns: Vec<Value>| {
        let patterns = match <[Value; 1]>::try_from(patterns) {
            Ok([pattern]) => ("pattern", pattern),
            Err(patterns) => ("anyPattern", Value::Array(patterns)),
        };
        let mut validate = json!({ "failureAction": action, "message": message });
        validate[patterns.0] = patterns.1;
        json!({
            "name": name,
            "match": { "any": [{ "resources": { "kinds": ["Pod"] } }] },
            "exclude": { "any": [{ "resources": { "namespaces": excluded } }] },
            "validate": validate,
        })
    };
    // Windows has neither field.
    let windows = || json!({ "spec": { "os": { "name": "windows" } } });
    let must = |field: &str, value: &str| {
        vec![windows(), every_container(&json!({ "securityContext": { field: value } }))]
    };
    vec![
        rule(
            "privileged",
            "Containers must not be privileged.",
            vec![every_container(&json!({ "=(securityContext)": { "=(privileged)": "false" } }))],
        ),
        rule(
            "privilege-escalation",
            "Containers must set securityContext.allowPrivilegeEscalation to false.",
            must("allowPrivilegeEscalation", "false"),
        ),
        rule(
            "read-only-root-filesystem",
            "Containers must set securityContext.readOnlyRootFilesystem to true.",
            must("readOnlyRootFilesystem", "true"),
        ),
    ]
}

fn every_container(pattern: &Value) -> Value {
    json!({ "spec": {
        "containers": [pattern],
        "=(initContainers)": [pattern],
        "=(ephemeralContainers)": [pattern],
    } })
}
