//! Label selectors of meshes' objects.

use crate::inventory::{Labels, null_is_default};
use serde::Deserialize;

/// A selector of labels. An empty one selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Selector {
    #[serde(default, deserialize_with = "null_is_default")]
    match_labels: Labels,
    #[serde(default, deserialize_with = "null_is_default")]
    match_expressions: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    key: String,
    operator: Operator,
    #[serde(default, deserialize_with = "null_is_default")]
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Whether it selects an object whose labels `label` looks up.
    pub(super) fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.match_labels.iter().all(|(key, value)| label(key) == Some(value.as_str()))
            && self.match_expressions.iter().all(|requirement| requirement.matches(label(&requirement.key)))
    }

    /// Whether it selects an object with these labels.
    pub(super) fn selects(&self, labels: &Labels) -> bool {
        self.matches(|key| labels.get(key).map(String::as_str))
    }
}

impl Requirement {
    fn matches(&self, found: Option<&str>) -> bool {
        let listed = |found: &str| self.values.iter().any(|value| value == found);
        match self.operator {
            Operator::In => found.is_some_and(listed),
            Operator::NotIn => !found.is_some_and(listed),
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operator_is_honoured_and_another_is_an_error() {
        let labels = Labels::from([("app".to_owned(), "cart".to_owned())]);
        let cases = [
            (json!({}), true),
            (json!({ "matchLabels": { "app": "cart" } }), true),
            (json!({ "matchLabels": { "app": "cart", "tier": "x" } }), false),
            (
                json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["a", "cart"] }] }),
                true,
            ),
            (
                json!({ "matchExpressions": [{ "key": "app", "operator": "NotIn", "values": ["cart"] }] }),
                false,
            ),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "NotIn", "values": ["x"] }] }), true),
            (json!({ "matchExpressions": [{ "key": "app", "operator": "Exists" }] }), true),
            (json!({ "matchExpressions": [{ "key": "app", "operator": "DoesNotExist" }] }), false),
        ];
        for (selector, expected) in cases {
            let parsed: Selector = serde_json::from_value(selector.clone()).unwrap();
            assert_eq!(parsed.selects(&labels), expected, "{selector}");
        }
        let unknown = json!({ "matchExpressions": [{ "key": "app", "operator": "Gt", "values": ["1"] }] });
        assert!(serde_json::from_value::<Selector>(unknown).is_err());
    }
}
