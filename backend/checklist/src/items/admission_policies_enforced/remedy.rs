//! What turns the item green: one policy with its binding, which reads every container and minds unset fields.

use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{ItemResult, Remediation, RemediationTarget};
use serde_json::{Value, json};

const NAME: &str = "rampart-pod-hardening";

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Adds a ValidatingAdmissionPolicy and its binding that refuse pods with a container that is \
                  privileged, leaves allowPrivilegeEscalation or readOnlyRootFilesystem unset, or sets them badly: \
                  containers, init containers, and ephemeral containers when kubectl debug adds them. System \
                  namespaces are left out.",
        may_break: "Pods that do not meet the rules are refused when they are made anew; running ones go on. Set \
                    validationActions to [Warn, Audit] first, and look at the warnings of kubectl and at the audit log \
                    for a few days. Existing pods can still be changed and deleted, since only their creation is \
                    matched.",
        undo: "kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy rampart-pod-hardening",
    };
    let documents = if result.application_findings().next().is_none() {
        Vec::new()
    } else {
        vec![
            document(RemediationTarget::Apply, "The rules", &policy()),
            document(
                RemediationTarget::Apply,
                "Puts the rules into force outside of system namespaces",
                &binding(view),
            ),
        ]
    };
    remediation(result, texts, documents)
}

/// The request of a whole object has no `subResource` at all: reading it would be an error, and an error refuses.
///
/// Pods are matched on creation alone: their fields cannot change later, and an update must stay possible so that
/// finalizers can be removed. An update of `ephemeralcontainers` is held against what it adds.
fn policy() -> Value {
    let every = |expression: &str| format!("variables.containers.all(container, {expression})");
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": NAME },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": [
                { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] },
                { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                  "resources": ["pods/ephemeralcontainers"] },
            ] },
            "variables": [{
                "name": "containers",
                "expression": "has(request.subResource) && request.subResource == 'ephemeralcontainers' ? \
                               (has(object.spec.ephemeralContainers) ? object.spec.ephemeralContainers : []) : \
                               object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])",
            }],
            "validations": [
                {
                    "expression": every(
                        "!has(container.securityContext) || !has(container.securityContext.privileged) || \
                         !container.securityContext.privileged"),
                    "message": "Containers must not be privileged.",
                },
                {
                    "expression": every(
                        "has(container.securityContext) && has(container.securityContext.allowPrivilegeEscalation) && \
                         !container.securityContext.allowPrivilegeEscalation"),
                    "message": "Containers must set securityContext.allowPrivilegeEscalation to false.",
                },
                {
                    "expression": every(
                        "has(container.securityContext) && has(container.securityContext.readOnlyRootFilesystem) && \
                         container.securityContext.readOnlyRootFilesystem"),
                    "message": "Containers must set securityContext.readOnlyRootFilesystem to true.",
                },
            ],
        },
    })
}

fn binding(view: &View<'_>) -> Value {
    let mut system: Vec<&str> = view
        .inventory
        .namespaces
        .seen
        .iter()
        .map(|namespace| namespace.name.as_str())
        .filter(|namespace| view.parameters.is_system(namespace, view.distribution))
        .chain(["kube-system", "kube-public", "kube-node-lease"])
        .collect();
    system.sort_unstable();
    system.dedup();
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": NAME },
        "spec": {
            "policyName": NAME,
            "validationActions": ["Deny"],
            "matchResources": { "namespaceSelector": { "matchExpressions": [
                { "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": system },
            ] } },
        },
    })
}
