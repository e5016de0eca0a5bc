//! The rules as ValidatingAdmissionPolicies.

use super::NAME;
use crate::remedy::admission::{POD_MAKERS, PodMakers, ValidatingPolicy};
use serde_json::{Value, json};

/// One for pods, and one for each place where a pod template stands.
pub(super) fn policies() -> Vec<ValidatingPolicy> {
    let of_pods = ValidatingPolicy {
        comment: "The rules, for pods".to_owned(),
        name: NAME.to_owned(),
        spec: of_pods(),
    };
    let of_makers = POD_MAKERS.iter().map(|makers| ValidatingPolicy {
        comment: format!("The rules, for the pod templates of {}", makers.what),
        name: format!("{NAME}-{}", makers.suffix),
        spec: of_makers(makers),
    });
    std::iter::once(of_pods).chain(of_makers).collect()
}

/// Pods are matched on creation alone: these fields cannot change later, and an update must stay possible so that
/// finalizers can be removed from a pod that is older than the policy. Of `ephemeralcontainers` only those count that an
/// update adds, since none can be taken away. The request of a whole object has no `subResource` at all: reading it
/// would be an error, and an error refuses.
fn of_pods() -> Value {
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": { "resourceRules": [
            { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] },
            { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
              "resources": ["pods/ephemeralcontainers"] },
        ] },
        "variables": [
            {
                "name": "before",
                "expression": "request.operation == 'UPDATE' && has(oldObject.spec.ephemeralContainers) ? \
                               oldObject.spec.ephemeralContainers.map(container, container.name) : []",
            },
            {
                "name": "containers",
                "expression": format!(
                    "has(request.subResource) && request.subResource == 'ephemeralcontainers' ? \
                     (has(object.spec.ephemeralContainers) ? object.spec.ephemeralContainers.filter(container, \
                     !(container.name in variables.before)) : []) : {}",
                    containers("object.spec")),
            },
            { "name": "isWindows", "expression": is_windows("object.spec") },
        ],
        "validations": validations(),
    })
}

/// An update that leaves the template as it is goes through: what is older than the policy can still be scaled.
fn of_makers(makers: &PodMakers) -> Value {
    let template = makers.template;
    let spec = format!("object.{template}.spec");
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": { "resourceRules": makers.rules() },
        "matchConditions": [{
            "name": "the-pod-template-is-new-or-changed",
            "expression": format!("request.operation == 'CREATE' || object.{template} != oldObject.{template}"),
        }],
        "variables": [
            { "name": "containers", "expression": containers(&spec) },
            { "name": "isWindows", "expression": is_windows(&spec) },
        ],
        "validations": validations(),
    })
}

fn containers(spec: &str) -> String {
    format!("{spec}.containers + (has({spec}.initContainers) ? {spec}.initContainers : [])")
}

/// Windows has neither field, and the API server refuses pods for Windows that set them:
/// <https://kubernetes.io/docs/concepts/windows/intro/#compatibility-v1-pod-spec-containers-securitycontext>. Linux nodes
/// do not run a pod that says it is for Windows.
fn is_windows(spec: &str) -> String {
    format!("has({spec}.os) && {spec}.os.name == 'windows'")
}

fn validations() -> Value {
    let every = |expression: &str| format!("variables.containers.all(container, {expression})");
    json!([
        {
            "expression": every(
                "!has(container.securityContext) || !has(container.securityContext.privileged) || \
                 !container.securityContext.privileged"),
            "message": "Containers must not be privileged.",
        },
        {
            "expression": format!("variables.isWindows || {}", every(
                "has(container.securityContext) && has(container.securityContext.allowPrivilegeEscalation) && \
                 !container.securityContext.allowPrivilegeEscalation")),
            "message": "Containers must set securityContext.allowPrivilegeEscalation to false.",
        },
        {
            "expression": format!("variables.isWindows || {}", every(
                "has(container.securityContext) && has(container.securityContext.readOnlyRootFilesystem) && \
                 container.securityContext.readOnlyRootFilesystem")),
            "message": "Containers must set securityContext.readOnlyRootFilesystem to true.",
        },
    ])
}
