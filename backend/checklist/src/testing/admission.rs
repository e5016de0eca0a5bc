//! What the policies of a remedy say to requests, by the evaluator that predicts the API server.

use crate::validating_admission_policy::{
    Evaluator, Namespace, Operation, Outcome, ParamKind, ParamLookup, ParamObjects, Request, defaulted_pod,
};
use rampart_shared::{Remediation, RemediationStage};
use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No policy has anything to say.
    Silent,
    /// It goes through, and is written down or warned of.
    Told,
    /// It is refused.
    Refused,
}

/// The ValidatingAdmissionPolicies of a remedy in each stage, the softest first.
pub(crate) struct Stages([Evaluator; 3]);

impl Stages {
    #[track_caller]
    pub(crate) fn of(remediation: &Remediation) -> Stages {
        Stages(RemediationStage::ALL.map(|stage| {
            let of_kind = |kind: &'static str| {
                let objects = remediation.of_stage(stage).map(|document| &document.object);
                objects.filter(move |object| object["kind"] == kind).cloned()
            };
            let policies = of_kind("ValidatingAdmissionPolicy");
            let policies: Vec<_> = policies.map(|policy| serde_json::from_value(policy).unwrap()).collect();
            let bindings = of_kind("ValidatingAdmissionPolicyBinding");
            let bindings: Vec<_> = bindings.map(|binding| serde_json::from_value(binding).unwrap()).collect();
            assert!(!policies.is_empty() && policies.len() == bindings.len());
            let evaluator = Evaluator::new(policies, bindings);
            assert!(evaluator.without_binding().is_empty());
            evaluator
        }))
    }

    /// What each stage says to a request in the namespace `shop`.
    #[track_caller]
    pub(crate) fn answers(&self, request: &Request) -> [Answer; 3] {
        self.0.each_ref().map(|evaluator| {
            let decisions = evaluator.decide(request, &NoParameters);
            let answers =
                decisions.into_iter().map(|decision| match (decision.refuses(), &decision.outcome) {
                    (Some(true), _) => Answer::Refused,
                    (Some(false), Outcome::Denied { .. }) => Answer::Told,
                    (Some(false), _) => Answer::Silent,
                    (None, outcome) => panic!("{outcome:?}"),
                });
            answers.max_by_key(|answer| *answer as u8).unwrap()
        })
    }
}

/// What a bad request is answered to in all stages.
pub(crate) const TOLD_THEN_REFUSED: [Answer; 3] = [Answer::Told, Answer::Told, Answer::Refused];
/// What a good request is answered to in all stages.
pub(crate) const SILENT: [Answer; 3] = [Answer::Silent; 3];

/// A pod of this spec, after the API's defaults.
pub(crate) fn pod(spec: &Value) -> Value {
    defaulted_pod(
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "cart", "namespace": "shop" }, "spec": spec }),
    )
}

/// A Deployment, or a CronJob, of pods of this spec.
pub(crate) fn owner(kind: &str, spec: &Value) -> Value {
    let template = json!({ "template": { "metadata": { "labels": { "app": "cart" } }, "spec": spec } });
    let spec = if kind == "CronJob" { json!({ "jobTemplate": { "spec": template } }) } else { template };
    json!({ "kind": kind, "metadata": { "name": "cart", "namespace": "shop" }, "spec": spec })
}

/// An object is made.
pub(crate) fn create(resource: &str, object: &Value) -> Request {
    request(Operation::Create, resource, object, &Value::Null)
}

/// An object changes.
pub(crate) fn update(resource: &str, object: &Value, old: &Value) -> Request {
    request(Operation::Update, resource, object, old)
}

/// `resource` is `group/resource`, or `resource` and `resource:subresource` in the core group.
fn request(operation: Operation, resource: &str, object: &Value, old: &Value) -> Request {
    let (group, resource) = resource.split_once('/').unwrap_or(("", resource));
    let (resource, subresource) = resource.split_once(':').unwrap_or((resource, ""));
    let labels = json!({ "kubernetes.io/metadata.name": "shop" });
    Request {
        operation,
        group: group.to_owned(),
        version: "v1".to_owned(),
        kind: object["kind"].as_str().unwrap().to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        name: "cart".to_owned(),
        namespace: Some(Namespace {
            name: "shop".to_owned(),
            object: Some(json!({ "metadata": { "name": "shop", "labels": labels } })),
        }),
        object: object.clone(),
        old_object: old.clone(),
        user_info: None,
        options: None,
        dry_run: false,
    }
}

struct NoParameters;

impl ParamLookup for NoParameters {
    fn objects(&self, _: &ParamKind) -> ParamObjects<'_> {
        ParamObjects::NotServed
    }
}
