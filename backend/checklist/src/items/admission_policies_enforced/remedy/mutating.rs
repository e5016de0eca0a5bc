//! Defaults for pods that say nothing, as a MutatingAdmissionPolicy.

use crate::remedy::admission::{cluster_wide, outside_of, staged};
use rampart_shared::{RemediationDocument, RemediationStage};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NAME: &str = "rampart-pod-defaults";
const GROUP: &str = "admissionregistration.k8s.io/v1";

/// From the stage that warns on: a pod is changed, so it is nothing to observe with.
pub(super) fn documents(excluded: &BTreeSet<&str>) -> Vec<RemediationDocument> {
    let binding = json!({ "policyName": NAME, "matchResources": outside_of(excluded) });
    [RemediationStage::Warn, RemediationStage::Enforce]
        .into_iter()
        .flat_map(|stage| {
            [
                staged(
                    stage,
                    "Changes new pods: those without a seccomp profile get the runtime's, and containers that do not \
                     say whether they may gain rights (allowPrivilegeEscalation) may not. What a pod says itself stays. \
                     Pod templates are not changed, and have to say it when they change next",
                    &cluster_wide(GROUP, "MutatingAdmissionPolicy", NAME, &spec()),
                ),
                staged(
                    stage,
                    format!("Puts {NAME} into force outside of system namespaces"),
                    &cluster_wide(GROUP, "MutatingAdmissionPolicyBinding", NAME, &binding),
                ),
            ]
        })
        .collect()
}

/// An error is ignored: what then lacks a default meets the rules that refuse. Windows knows neither field.
fn spec() -> Value {
    let seccomp = "has(object.spec.securityContext) && has(object.spec.securityContext.seccompProfile) ? Object{} : \
                   Object{spec: Object.spec{securityContext: Object.spec.securityContext{seccompProfile: \
                   Object.spec.securityContext.seccompProfile{type: 'RuntimeDefault'}}}}";
    let apply = |expression: String| json!({ "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": expression } });
    json!({
        "failurePolicy": "Ignore",
        // What another policy or webhook adds later, such as a sidecar, gets the defaults too.
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": { "resourceRules": [
            { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] },
        ] },
        "matchConditions": [{
            "name": "is-not-for-windows",
            "expression": "!has(object.spec.os) || object.spec.os.name != 'windows'",
        }],
        "mutations": [
            apply(seccomp.to_owned()),
            apply(no_escalation("containers")),
            apply(no_escalation("initContainers")),
        ],
    })
}

/// The API server refuses `allowPrivilegeEscalation: false` of a container that is privileged or has `CAP_SYS_ADMIN`:
/// <https://kubernetes.io/docs/tasks/configure-pod-container/security-context/>.
fn no_escalation(field: &str) -> String {
    format!(
        "!has(object.spec.{field}) ? Object{{}} : Object{{spec: Object.spec{{{field}: object.spec.{field}.filter(container, \
         !has(container.securityContext) || (!has(container.securityContext.allowPrivilegeEscalation) && \
         !(has(container.securityContext.privileged) && container.securityContext.privileged) && \
         !(has(container.securityContext.capabilities) && has(container.securityContext.capabilities.add) && \
         container.securityContext.capabilities.add.exists(capability, capability in ['SYS_ADMIN', 'CAP_SYS_ADMIN']))))\
         .map(container, Object.spec.{field}{{name: container.name, securityContext: \
         Object.spec.{field}.securityContext{{allowPrivilegeEscalation: false}}}})}}}}"
    )
}
