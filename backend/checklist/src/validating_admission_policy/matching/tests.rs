use super::super::selector::labels_of;
use super::*;
use serde_json::{Value, json};

fn policy(constraints: Value) -> ValidatingAdmissionPolicy {
    let mut policy = json!({ "metadata": { "name": "p" }, "spec": {} });
    policy["spec"]["matchConstraints"] = constraints;
    serde_json::from_value(policy).unwrap()
}

fn binding(resources: Value) -> ValidatingAdmissionPolicyBinding {
    let mut binding = json!({ "spec": { "policyName": "p" } });
    binding["spec"]["matchResources"] = resources;
    serde_json::from_value(binding).unwrap()
}

fn rule(operations: &[&str], resources: &[&str]) -> Value {
    json!({ "apiGroups": [""], "apiVersions": ["v1"], "operations": operations, "resources": resources })
}

fn target(operation: Operation, group: &str, resource: &str, subresource: &str) -> Target {
    Target {
        operation,
        group: group.to_owned(),
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        name: "web".to_owned(),
        namespace: Some("shop".to_owned()),
        namespace_labels: Some(labels_of(&json!({ "metadata": { "labels": { "tier": "front" } } }))),
        object_labels: None,
    }
}

fn pods() -> Target {
    target(Operation::Create, "", "pods", "")
}

#[test]
fn says_what_a_policy_does_not_see() {
    let policy = policy(json!({ "resourceRules": [rule(&["CREATE", "UPDATE"], &["pods"])] }));
    for (target, expected) in [
        (pods(), Match::Yes),
        (
            target(Operation::Update, "", "pods", "ephemeralcontainers"),
            Match::No(
                "the policy matches CREATE, UPDATE pods, not UPDATE pods/ephemeralcontainers".to_owned(),
            ),
        ),
        (
            target(Operation::Create, "apps", "deployments", ""),
            Match::No("the policy matches CREATE, UPDATE pods, not CREATE apps/deployments".to_owned()),
        ),
        (
            target(Operation::Delete, "", "pods", ""),
            Match::No("the policy matches CREATE, UPDATE pods, not DELETE pods".to_owned()),
        ),
    ] {
        assert_eq!(matches(&policy, &binding(json!(null)), &target), expected, "{target:?}");
    }
}

#[test]
fn wildcards_and_scopes() {
    let all = ["*"];
    for (rule, expected) in [
        (json!({ "apiGroups": all, "apiVersions": all, "operations": all, "resources": all }), [true, false]),
        (
            json!({ "apiGroups": all, "apiVersions": all, "operations": all, "resources": ["*/*"] }),
            [true, true],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": all, "operations": all, "resources": ["pods/*"] }),
            [true, true],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": all, "operations": all, "resources": ["*/ephemeralcontainers"] }),
            [false, true],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": all, "operations": all, "resources": ["pods"], "scope": "Namespaced" }),
            [true, false],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": all, "operations": all, "resources": ["pods"], "scope": "Cluster" }),
            [false, false],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": all, "operations": all, "resources": ["pods"], "resourceNames": ["web"] }),
            [true, false],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": all, "operations": all, "resources": ["pods"], "resourceNames": ["db"] }),
            [false, false],
        ),
        (
            json!({ "apiGroups": ["apps"], "apiVersions": all, "operations": all, "resources": ["pods"] }),
            [false, false],
        ),
        (
            json!({ "apiGroups": [""], "apiVersions": ["v2"], "operations": all, "resources": ["pods"] }),
            [false, false],
        ),
        (json!({}), [false, false]),
    ] {
        let policy = policy(json!({ "resourceRules": [rule] }));
        let targets = [pods(), target(Operation::Update, "", "pods", "ephemeralcontainers")];
        let found = targets.map(|target| matches(&policy, &binding(json!(null)), &target) == Match::Yes);
        assert_eq!(found, expected, "{policy:?}");
    }
}

#[test]
fn selectors_exclusions_and_the_binding() {
    let pods_rule = json!([rule(&["*"], &["pods"])]);
    let with = |field: &str, value: Value| {
        let mut constraints = json!({ "resourceRules": pods_rule });
        constraints[field] = value;
        constraints
    };
    let front = json!({ "matchLabels": { "tier": "front" } });
    let back = json!({ "matchLabels": { "tier": "back" } });
    for (constraints, resources, expected) in [
        (with("namespaceSelector", front.clone()), json!(null), "yes"),
        (with("namespaceSelector", back.clone()), json!(null), "no"),
        (with("objectSelector", front.clone()), json!(null), "unknown"),
        (with("excludeResourceRules", pods_rule.clone()), json!(null), "no"),
        (with("excludeResourceRules", json!([rule(&["DELETE"], &["pods"])])), json!(null), "yes"),
        (with("x", json!(1)), json!({ "namespaceSelector": back }), "no"),
        (with("x", json!(1)), json!({ "namespaceSelector": front }), "yes"),
        (with("x", json!(1)), json!({ "resourceRules": [rule(&["UPDATE"], &["pods"])] }), "no"),
        (with("x", json!(1)), json!({ "excludeResourceRules": pods_rule }), "no"),
        (json!(null), json!(null), "unknown"),
    ] {
        let found = match matches(&policy(constraints.clone()), &binding(resources.clone()), &pods()) {
            Match::Yes => "yes",
            Match::No(_) => "no",
            Match::Unknown(_) => "unknown",
        };
        assert_eq!(found, expected, "{constraints} {resources}");
    }
    let other: ValidatingAdmissionPolicyBinding =
        serde_json::from_value(json!({ "spec": { "policyName": "q" } })).unwrap();
    assert!(matches!(super::matches(&policy(with("x", json!(1))), &other, &pods()), Match::No(_)));
    let mut unlabelled = pods();
    unlabelled.namespace_labels = None;
    let selecting = policy(with("namespaceSelector", json!({ "matchLabels": { "tier": "front" } })));
    assert!(matches!(super::matches(&selecting, &binding(json!(null)), &unlabelled), Match::Unknown(_)));
}

#[test]
fn equivalent_resources_are_not_guessed() {
    let scaled = |version: &str, policy: &str| {
        self::policy(
            json!({ "matchPolicy": policy, "resourceRules": [{ "apiGroups": ["autoscaling"], "apiVersions": [version],
            "operations": ["CREATE"], "resources": ["horizontalpodautoscalers"] }] }),
        )
    };
    let target = target(Operation::Create, "autoscaling", "horizontalpodautoscalers", "");
    assert_eq!(matches(&scaled("v1", "Equivalent"), &binding(json!(null)), &target), Match::Yes);
    assert!(matches!(
        matches(&scaled("v2", "Equivalent"), &binding(json!(null)), &target),
        Match::Unknown(_)
    ));
    assert!(matches!(matches(&scaled("v2", "Exact"), &binding(json!(null)), &target), Match::No(_)));
}
