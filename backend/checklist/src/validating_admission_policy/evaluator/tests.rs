use super::super::{Namespace, Operation, ParamKind, ParamObjects};
use super::*;

struct Params(Option<Vec<Value>>);

impl ParamLookup for Params {
    fn objects(&self, kind: &ParamKind) -> ParamObjects<'_> {
        match (&self.0, kind.kind.as_str()) {
            (Some(objects), "ConfigMap") => {
                ParamObjects::All { namespaced: true, objects: objects.iter().collect() }
            }
            (None, _) => ParamObjects::Unknown("config maps may not be listed".to_owned()),
            _ => ParamObjects::NotServed,
        }
    }
}

fn request() -> Request {
    Request {
        operation: Operation::Create,
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        resource: "pods".to_owned(),
        subresource: String::new(),
        name: "web".to_owned(),
        namespace: Some(Namespace {
            name: "shop".to_owned(),
            object: Some(json!({ "metadata": { "name": "shop" } })),
        }),
        object: json!({ "kind": "Pod", "metadata": { "name": "web" }, "spec": { "containers": [] } }),
        old_object: Value::Null,
        user_info: None,
        options: None,
        dry_run: false,
    }
}

fn decision(spec: &Value, binding: &Value, params: Option<Vec<Value>>, request: &Request) -> Decision {
    let mut policy = json!({ "metadata": { "name": "p" }, "spec": {
        "matchConstraints": { "resourceRules": [{ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"] }] },
    } });
    for (field, value) in spec.as_object().unwrap() {
        policy["spec"][field] = value.clone();
    }
    let mut bound =
        json!({ "metadata": { "name": "b" }, "spec": { "policyName": "p", "validationActions": ["Deny"] } });
    for (field, value) in binding.as_object().unwrap() {
        bound["spec"][field] = value.clone();
    }
    let evaluator =
        Evaluator::new([serde_json::from_value(policy).unwrap()], [serde_json::from_value(bound).unwrap()]);
    assert!(evaluator.without_binding().is_empty());
    evaluator.decide(request, &Params(params)).remove(0)
}

/// Refused, allowed, not matched or unknown, and the words.
fn outcome(spec: &Value, binding: &Value, params: Option<Vec<Value>>) -> String {
    let decision = decision(spec, binding, params, &request());
    match (&decision.outcome, decision.refuses()) {
        (Outcome::Denied { message, .. }, Some(true)) => format!("refused: {message}"),
        (Outcome::Denied { message, .. }, _) => format!("told: {message}"),
        (Outcome::NotMatched(_), _) => "not matched".to_owned(),
        (Outcome::Allowed, _) => "allowed".to_owned(),
        (Outcome::Unknown(_), _) => "unknown".to_owned(),
    }
}

#[test]
fn messages_and_actions() {
    let failing = |more: Value| {
        let mut validation = json!({ "expression": " 1 == 2 " });
        validation.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "validations": [validation] })
    };
    for (spec, binding, expected) in [
        (json!({ "validations": [{ "expression": "true" }] }), json!({}), "allowed"),
        (failing(json!({})), json!({}), "refused: failed expression: 1 == 2"),
        (failing(json!({ "message": " no " })), json!({}), "refused: no"),
        (
            failing(json!({ "message": "no", "messageExpression": "'not ' + object.metadata.name" })),
            json!({}),
            "refused: not web",
        ),
        (failing(json!({ "message": "no", "messageExpression": "'a\\nb'" })), json!({}), "refused: no"),
        (failing(json!({ "message": "no", "messageExpression": "object.x" })), json!({}), "refused: no"),
        (failing(json!({ "message": "no" })), json!({ "validationActions": ["Warn", "Audit"] }), "told: no"),
        (
            failing(json!({ "message": "no" })),
            json!({ "validationActions": ["Audit", "Deny"] }),
            "refused: no",
        ),
        (
            json!({ "validations": [{ "expression": "object.x == 1" }] }),
            json!({}),
            "refused: expression 'object.x == 1' resulted in error: no such key: x",
        ),
        (
            json!({ "failurePolicy": "Ignore", "validations": [{ "expression": "object.x == 1" }] }),
            json!({}),
            "allowed",
        ),
        (
            json!({ "validations": [{ "expression": "authorizer.path('/').check('get').allowed()" }] }),
            json!({}),
            "unknown",
        ),
        // What is refused anyway is refused.
        (
            json!({ "validations": [{ "expression": "authorizer.path('/').check('get').allowed()" }, { "expression": "false", "message": "no" }] }),
            json!({}),
            "refused: no",
        ),
        (
            json!({ "failurePolicy": "Ignore", "validations": [{ "expression": "request.userInfo.username == 'a'" }] }),
            json!({}),
            "unknown",
        ),
        (
            json!({ "auditAnnotations": [{ "key": "a", "valueExpression": "object.x" }] }),
            json!({ "validationActions": ["Warn"] }),
            "refused: expression 'object.x' resulted in error: no such key: x",
        ),
    ] {
        assert_eq!(outcome(&spec, &binding, None), expected, "{spec}");
    }
}

#[test]
fn match_conditions() {
    let of = |conditions: &[&str], failure: &str| {
        let conditions: Vec<Value> =
            conditions.iter().map(|it| json!({ "name": it, "expression": it })).collect();
        let spec = json!({ "failurePolicy": failure, "matchConditions": conditions, "validations": [{ "expression": "false", "message": "no" }] });
        outcome(&spec, &json!({}), None)
    };
    for (conditions, fail, ignore) in [
        (&["true"][..], "refused: no", "refused: no"),
        (&["true", "false"], "not matched", "not matched"),
        (&["object.x", "false"], "not matched", "not matched"),
        (&["authorizer.x()", "false"], "not matched", "not matched"),
        (&["object.x"], "refused: expression 'object.x' resulted in error: no such key: x", "not matched"),
        (&["object.x", "authorizer.x()"], "unknown", "unknown"),
        (&["namespaceObject == null"], "refused: no", "refused: no"),
    ] {
        assert_eq!([of(conditions, "Fail"), of(conditions, "Ignore")], [fail, ignore], "{conditions:?}");
    }
}

#[test]
fn parameters_are_found_missing_or_not_known() {
    let map = |namespace: &str, name: &str, label: &str, refuse: &str| {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "refuse": refuse },
            "metadata": { "namespace": namespace, "name": name, "labels": { "use": label } } })
    };
    let maps = || {
        Some(vec![
            map("shop", "a", "yes", "web"),
            map("other", "b", "yes", "db"),
            map("shop", "c", "no", "x"),
        ])
    };
    let spec = |failure: &str, kind: &str| {
        json!({ "failurePolicy": failure, "paramKind": { "apiVersion": "v1", "kind": kind },
            "validations": [{ "expression": "params == null || object.metadata.name != params.data.refuse", "message": "no" }] })
    };
    let missing =
        "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction";
    for (reference, params, fail, ignore) in [
        (json!({ "name": "a" }), maps(), "refused: no", "refused: no"),
        (json!({ "name": "b" }), maps(), "not matched", "not matched"),
        (json!({ "name": "b", "namespace": "other" }), maps(), "allowed", "allowed"),
        (
            json!({ "name": "b", "parameterNotFoundAction": "Deny" }),
            maps(),
            &format!("refused: {missing}"),
            "allowed",
        ),
        (json!({ "selector": { "matchLabels": { "use": "yes" } } }), maps(), "refused: no", "refused: no"),
        (json!({ "selector": { "matchLabels": { "use": "no" } } }), maps(), "allowed", "allowed"),
        (json!({ "selector": {} }), maps(), "refused: no", "refused: no"),
        (json!(null), maps(), "allowed", "allowed"),
        (json!({ "name": "a" }), None, "unknown", "unknown"),
    ] {
        let of =
            |failure| outcome(&spec(failure, "ConfigMap"), &json!({ "paramRef": reference }), params.clone());
        assert_eq!([of("Fail"), of("Ignore")], [fail, ignore], "{reference}");
    }
    assert!(
        outcome(&spec("Fail", "Limit"), &json!({}), maps())
            .starts_with("refused: failed to configure policy")
    );
    assert_eq!(outcome(&spec("Ignore", "Limit"), &json!({}), maps()), "allowed");
    // An error in the parameters refuses whatever the actions are.
    let warn = json!({ "validationActions": ["Warn"], "paramRef": { "name": "z", "parameterNotFoundAction": "Deny" } });
    assert_eq!(outcome(&spec("Fail", "ConfigMap"), &warn, maps()), format!("refused: {missing}"));
}

#[test]
fn what_is_not_known_of_the_request_is_unknown() {
    let spec = json!({ "validations": [{ "expression": "namespaceObject.metadata.name == 'shop'" }] });
    assert_eq!(decision(&spec, &json!({}), None, &request()).outcome, Outcome::Allowed);
    let mut unknown = request();
    unknown.namespace = Some(Namespace { name: "shop".to_owned(), object: None });
    assert!(matches!(decision(&spec, &json!({}), None, &unknown).outcome, Outcome::Unknown(_)));
}

#[test]
fn a_policy_without_a_binding_does_nothing() {
    let policy: ValidatingAdmissionPolicy =
        serde_json::from_value(json!({ "metadata": { "name": "p" } })).unwrap();
    let evaluator = Evaluator::new([policy], []);
    assert_eq!(evaluator.without_binding(), ["p"]);
    assert!(evaluator.decide(&request(), &Params(None)).is_empty());
}
