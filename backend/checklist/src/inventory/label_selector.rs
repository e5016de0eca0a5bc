//! Label selectors, as the API server evaluates them.

use super::Labels;
use super::meta::null_is_default;
use serde::{Deserialize, Serialize};

/// A label selector.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that must be there.
    #[serde(default, skip_serializing_if = "Labels::is_empty", deserialize_with = "null_is_default")]
    pub match_labels: Labels,
    /// Expressions that must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// An expression of a label selector.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct LabelSelectorRequirement {
    /// The label.
    #[serde(default, deserialize_with = "null_is_default")]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`; anything else cannot be evaluated.
    #[serde(default, deserialize_with = "null_is_default")]
    pub operator: String,
    /// The values of `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub values: Vec<String>,
}

impl LabelSelector {
    /// Whether it selects an object with these labels; none where it has an operator that is not known.
    pub fn matches(&self, labels: &Labels) -> Option<bool> {
        if !self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value)) {
            return Some(false);
        }
        let mut known = true;
        for requirement in &self.match_expressions {
            match requirement.holds(labels.get(&requirement.key)) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => known = false,
            }
        }
        known.then_some(true)
    }

    /// Whether it selects every object, whatever its labels.
    pub fn selects_everything(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl LabelSelectorRequirement {
    fn holds(&self, label: Option<&String>) -> Option<bool> {
        let listed = label.is_some_and(|value| self.values.contains(value));
        match self.operator.as_str() {
            "In" => Some(listed),
            "NotIn" => Some(!listed),
            "Exists" => Some(label.is_some()),
            "DoesNotExist" => Some(label.is_none()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects_by_labels_and_requirements() {
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        for (selector, selected) in [
            (json!({}), Some(true)),
            (json!({"matchLabels": {"app": "web"}}), Some(true)),
            (json!({"matchLabels": {"app": "web", "zone": "a"}}), Some(false)),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}), Some(true)),
            (json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}), Some(false)),
            (
                json!({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}),
                Some(true),
            ),
            (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), Some(false)),
            (json!({"matchExpressions": [{"key": "app", "operator": "Gt", "values": ["1"]}]}), None),
            (
                json!({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "app", "operator": "Gt"}]}),
                Some(false),
            ),
        ] {
            let parsed: LabelSelector = serde_json::from_value(selector.clone()).unwrap();
            assert_eq!(parsed.matches(&labels), selected, "{selector}");
        }
    }
}
