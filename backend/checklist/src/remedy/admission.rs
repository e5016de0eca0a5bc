//! Admission policies as remedies: where pod specs stand, who is left out, and one set of documents for each stage.

use super::document;
use crate::pod_security::server_minor;
use crate::workloads::View;
use rampart_shared::{RemediationDocument, RemediationStage, RemediationTarget};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Kinds that make pods and keep their pod spec at the same place.
#[derive(Debug, Clone, Copy)]
pub struct PodMakers {
    /// What they are, in words.
    pub what: &'static str,
    /// The end of a policy's name.
    pub suffix: &'static str,
    /// Where the pod template stands.
    pub template: &'static str,
    /// Groups with their resources.
    pub resources: &'static [(&'static str, &'static [&'static str])],
}

/// Without a policy for these, a Deployment is accepted and its roll-out hangs.
pub const POD_MAKERS: [PodMakers; 2] = [
    PodMakers {
        what: "what makes pods",
        suffix: "controllers",
        template: "spec.template",
        resources: &[
            ("", &["replicationcontrollers"]),
            ("apps", &["deployments", "replicasets", "statefulsets", "daemonsets"]),
            ("batch", &["jobs"]),
        ],
    },
    PodMakers {
        what: "CronJobs",
        suffix: "cronjobs",
        template: "spec.jobTemplate.spec.template",
        resources: &[("batch", &["cronjobs"])],
    },
];

impl PodMakers {
    /// Rules for creations and updates of these kinds.
    pub fn rules(&self) -> Vec<Value> {
        self.resources
            .iter()
            .map(|(group, resources)| {
                json!({ "apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                        "resources": resources })
            })
            .collect()
    }
}

/// A ValidatingAdmissionPolicy, and what it is for.
#[derive(Debug)]
pub struct ValidatingPolicy {
    /// What it is for, in words.
    pub comment: String,
    /// Its name, and its binding's.
    pub name: String,
    /// Its spec.
    pub spec: Value,
}

/// Policies with their bindings, a whole set for each stage under the same names: one set takes another's place.
pub fn in_stages(policies: &[ValidatingPolicy], excluded: &BTreeSet<&str>) -> Vec<RemediationDocument> {
    RemediationStage::ALL
        .into_iter()
        .flat_map(|stage| policies.iter().map(move |policy| (stage, policy)))
        .flat_map(|(stage, policy)| {
            // The API server refuses Deny together with Warn: both would tell the same person the same thing.
            let (actions, words) = match stage {
                RemediationStage::Observe => {
                    (json!(["Audit"]), "writes to the audit log what would be refused")
                }
                RemediationStage::Warn => (json!(["Audit", "Warn"]), "warns of what would be refused"),
                RemediationStage::Enforce => (json!(["Deny"]), "refuses what breaks the rules"),
            };
            let binding = json!({
                "policyName": policy.name,
                "validationActions": actions,
                "matchResources": outside_of(excluded),
            });
            let of_stage = |kind: &str, spec: &Value, comment: String| {
                staged(
                    stage,
                    comment,
                    &cluster_wide("admissionregistration.k8s.io/v1", kind, &policy.name, spec),
                )
            };
            [
                of_stage("ValidatingAdmissionPolicy", &policy.spec, policy.comment.clone()),
                of_stage(
                    "ValidatingAdmissionPolicyBinding",
                    &binding,
                    format!("Puts {} into force: it {words}", policy.name),
                ),
            ]
        })
        .collect()
}

/// A new object for a stage.
pub fn staged(stage: RemediationStage, comment: impl Into<String>, object: &Value) -> RemediationDocument {
    RemediationDocument { stage, ..document(RemediationTarget::NewObject, comment, object) }
}

/// An object without namespace.
pub fn cluster_wide(api_version: &str, kind: &str, name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec })
}

/// The `matchResources` of a binding that holds in all other namespaces.
pub fn outside_of(excluded: &BTreeSet<&str>) -> Value {
    json!({ "namespaceSelector": { "matchExpressions": [
        { "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": excluded },
    ] } })
}

/// The namespaces of Kubernetes and of the distribution, where no policy of a remedy holds, even if they are judged like
/// applications: what runs the cluster needs what the rules forbid.
pub fn excluded_namespaces<'v>(view: &'v View<'_>) -> BTreeSet<&'v str> {
    let seen = view.inventory.namespaces.seen.iter().map(|namespace| namespace.name.as_str());
    let used = view.workloads.iter().map(|workload| workload.namespace());
    let system = seen.chain(used).filter(|name| view.parameters.is_system(name, view.distribution));
    ["kube-system", "kube-public", "kube-node-lease"].into_iter().chain(system).collect()
}

/// Whether the API server serves ValidatingAdmissionPolicies `v1`, as since 1.30; assumed where its version is not known.
/// <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>
pub fn serves_validating_policies(view: &View<'_>) -> bool {
    minor(view).is_none_or(|minor| minor >= 30)
}

/// Whether the API server serves MutatingAdmissionPolicies `v1`, as since 1.36.
/// <https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/>
pub fn serves_mutating_policies(view: &View<'_>) -> bool {
    minor(view).is_some_and(|minor| minor >= 36)
}

fn minor(view: &View<'_>) -> Option<u64> {
    view.inventory.version.as_deref().and_then(server_minor)
}
