//! Predicts what an API server says to requests, for the tests that compare the two.
//!
//! It reads `{policies, bindings, params, namespaces, requests, version}` as JSON or YAML and prints, for each request, the
//! decisions of policies and whether they refuse it (`null` if that is not known), and what Pod Security Admission
//! refuses it for, in the API server's words. A request is
//! `{operation, resource, subresource, namespace, object, oldObject, userInfo}`; the version is the API server's.

#![allow(clippy::print_stdout, reason = "it is a program")]

use rampart_checklist::inventory::Labels;
use rampart_checklist::pod_security::{
    Evaluation, NamespacePolicy, Pod, evaluation, is_significant_update, rejects, server_minor,
};
use rampart_checklist::validating_admission_policy::{
    Evaluator, Namespace, Operation, Outcome, ParamKind, ParamLookup, ParamObjects, Request, defaulted_pod,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Input {
    policies: Vec<Value>,
    bindings: Vec<Value>,
    params: Vec<Value>,
    namespaces: Vec<Value>,
    requests: Vec<Asked>,
    /// Pods to show as policies see them.
    pods: Vec<Value>,
    /// The API server's version.
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    operation: Operation,
    #[serde(default)]
    group: String,
    resource: String,
    #[serde(default)]
    subresource: String,
    namespace: String,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
    user_info: Option<Value>,
}

struct Params(Vec<Value>);

impl ParamLookup for Params {
    fn objects(&self, kind: &ParamKind) -> ParamObjects<'_> {
        if kind.kind != "ConfigMap" {
            return ParamObjects::NotServed;
        }
        let of_kind = |object: &&Value| {
            object["kind"] == kind.kind.as_str() && object["apiVersion"] == kind.api_version.as_str()
        };
        ParamObjects::All { namespaced: true, objects: self.0.iter().filter(of_kind).collect() }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let input: Input = serde_saphyr::from_str(&std::io::read_to_string(std::io::stdin())?)?;
    let policies = input.policies.into_iter().map(serde_json::from_value).collect::<Result<Vec<_>, _>>()?;
    let bindings = input.bindings.into_iter().map(serde_json::from_value).collect::<Result<Vec<_>, _>>()?;
    let evaluator = Evaluator::new(policies, bindings);
    let params = Params(input.params);
    let minor = input.version.as_deref().and_then(server_minor);
    let mut answers = Vec::new();
    for asked in input.requests {
        let request = request(asked, &input.namespaces);
        let mut refused = Some(false);
        let mut decisions = Vec::new();
        for decision in evaluator.decide(&request, &params) {
            refused = match (refused, decision.refuses()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                (Some(false), Some(false)) => Some(false),
            };
            let (outcome, why) = match &decision.outcome {
                Outcome::NotMatched(why) => ("not matched", why.clone()),
                Outcome::Allowed => ("allowed", String::new()),
                Outcome::Denied { .. } => ("denied", decision.message().unwrap_or_default()),
                Outcome::Unknown(why) => ("unknown", why.clone()),
            };
            decisions.push(json!({
                "policy": decision.policy, "binding": decision.binding, "outcome": outcome, "message": why,
                "refuses": decision.refuses(),
            }));
        }
        let pod_security = pod_security(&request, minor)?;
        answers.push(json!({ "refused": refused, "decisions": decisions, "podSecurity": pod_security }));
    }
    let pods: Vec<Value> = input.pods.into_iter().map(defaulted_pod).collect();
    println!(
        "{}",
        json!({ "answers": answers, "pods": pods, "withoutBinding": evaluator.without_binding() })
    );
    Ok(())
}

/// What Pod Security Admission refuses a request for.
fn pod_security(request: &Request, server_minor: Option<u64>) -> Result<Option<String>, Box<dyn Error>> {
    if evaluation(&request.group, &request.resource, &request.subresource) != Evaluation::Enforced {
        return Ok(None);
    }
    let namespace = request.namespace.as_ref().and_then(|namespace| namespace.object.as_ref());
    let labels = namespace.and_then(|namespace| namespace.pointer("/metadata/labels")).cloned();
    let labels: Labels = labels.map(serde_json::from_value).transpose()?.unwrap_or_default();
    let (policy, _) = NamespacePolicy::from_labels(&labels, NamespacePolicy::default());
    let pod = Pod::read(&request.object)?;
    if request.operation == Operation::Update
        && !is_significant_update(&pod, &Pod::read(&request.old_object)?)
    {
        return Ok(None);
    }
    Ok(rejects(&policy, &pod, server_minor).map(|forbidden| {
        let all: Vec<String> = forbidden.iter().map(ToString::to_string).collect();
        let level = policy.enforce;
        format!("violates PodSecurity \"{}:{}\": {}", level.level, level.version, all.join(", "))
    }))
}

fn request(asked: Asked, namespaces: &[Value]) -> Request {
    let object = match (asked.operation, asked.resource.as_str()) {
        (Operation::Create, "pods") => defaulted_pod(asked.object),
        _ => asked.object,
    };
    let described = if object.is_null() { &asked.old_object } else { &object };
    let text = |path: &str| described.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    let namespace =
        namespaces.iter().find(|namespace| namespace["metadata"]["name"] == asked.namespace.as_str());
    Request {
        operation: asked.operation,
        group: asked.group,
        version: "v1".to_owned(),
        kind,
        resource: asked.resource,
        subresource: asked.subresource,
        name,
        namespace: Some(Namespace { name: asked.namespace, object: namespace.cloned() }),
        object,
        old_object: asked.old_object,
        user_info: asked.user_info,
        options: None,
        dry_run: true,
    }
}
