//! Kyverno's patterns, as far as its own library of policies uses them.
//!
//! <https://kyverno.io/docs/policy-types/cluster-policy/validate/#patterns>: a key that is plain must be there, a key in
//! `=(…)` is compared where it is there, a list of one pattern holds for every element, scalars compare after both were
//! made texts, with wildcards and alternatives.

use super::wildcard;
use serde_json::{Map, Value};

/// Deeper than any pattern that a person writes.
const MAX_DEPTH: u32 = 64;

/// Whether a value has the form of a pattern; none where the pattern uses what is not understood.
pub(super) fn matches(pattern: &Value, value: Option<&Value>) -> Option<bool> {
    matches_at(pattern, value, 0)
}

fn matches_at(pattern: &Value, value: Option<&Value>, depth: u32) -> Option<bool> {
    if depth > MAX_DEPTH {
        return None;
    }
    match (pattern, value) {
        (Value::Object(pattern), Some(Value::Object(value))) => object(pattern, value, depth),
        (Value::Object(_), _) => Some(false),
        (Value::Array(pattern), Some(Value::Array(values))) => match &pattern[..] {
            [one] => {
                let mut undecided = false;
                for value in values {
                    match matches_at(one, Some(value), depth + 1) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => undecided = true,
                    }
                }
                (!undecided).then_some(true)
            }
            _ => None,
        },
        (Value::Array(_), _) => Some(false),
        (scalar, value) => compare(scalar, value),
    }
}

fn object(pattern: &Map<String, Value>, value: &Map<String, Value>, depth: u32) -> Option<bool> {
    let mut undecided = false;
    for (key, pattern) in pattern {
        let answer = match anchor(key) {
            Anchor::None => matches_at(pattern, value.get(key), depth + 1),
            Anchor::Equality(key) => match value.get(key) {
                None => Some(true),
                found => matches_at(pattern, found, depth + 1),
            },
            // `X(field): null` forbids the field.
            Anchor::Negation(key) => Some(!value.contains_key(key)),
            Anchor::NotUnderstood => None,
        };
        match answer {
            Some(true) => {}
            Some(false) => return Some(false),
            None => undecided = true,
        }
    }
    (!undecided).then_some(true)
}

enum Anchor<'a> {
    None,
    Equality(&'a str),
    Negation(&'a str),
    NotUnderstood,
}

fn anchor(key: &str) -> Anchor<'_> {
    let inner = |start: &str| key.strip_prefix(start).and_then(|rest| rest.strip_suffix(')'));
    if let Some(key) = inner("=(") {
        Anchor::Equality(key)
    } else if let Some(key) = inner("X(") {
        Anchor::Negation(key)
    } else if key.ends_with(')') || key.contains(['*', '?']) {
        Anchor::NotUnderstood
    } else {
        Anchor::None
    }
}

/// Alternatives are separated by `|`; a leading `!` negates; `*` and `?` are wildcards. Comparisons, ranges, variables
/// and conjunctions are not understood.
fn compare(pattern: &Value, value: Option<&Value>) -> Option<bool> {
    let found = match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Bool(flag)) => Some(flag.to_string()),
        Some(Value::Number(number)) => Some(number.to_string()),
        None | Some(Value::Null) => None,
        Some(_) => return Some(false),
    };
    let text = match pattern {
        Value::Null => return Some(found.is_none()),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return None,
    };
    if text.contains("{{") || text.contains('&') || text.contains("..") {
        return None;
    }
    let Some(found) = found else { return Some(false) };
    let mut any = false;
    for alternative in text.split('|').map(str::trim) {
        if alternative.starts_with(['>', '<']) {
            return None;
        }
        any |= match alternative.strip_prefix('!') {
            Some(rest) => !wildcard(rest, &found),
            None => wildcard(alternative, &found),
        };
    }
    Some(any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn anchors_lists_and_scalars() {
        let pattern = json!({"spec": {"=(initContainers)": [{"=(securityContext)": {"=(privileged)": "false"}}],
            "containers": [{"securityContext": {"readOnlyRootFilesystem": true}}]}});
        let pod = |init: Value, container: Value| json!({"spec": {"initContainers": init, "containers": container}});
        let good = json!([{"securityContext": {"readOnlyRootFilesystem": true}}]);
        for (pod, expected) in [
            (pod(json!([{}]), good.clone()), Some(true)),
            (json!({"spec": {"containers": good}}), Some(true)),
            (pod(json!([{"securityContext": {"privileged": false}}]), good.clone()), Some(true)),
            (pod(json!([{}, {"securityContext": {"privileged": true}}]), good.clone()), Some(false)),
            (pod(json!([]), json!([{}])), Some(false)),
            (pod(json!([]), json!([{"securityContext": {"readOnlyRootFilesystem": "true"}}])), Some(true)),
        ] {
            assert_eq!(matches(&pattern, Some(&pod)), expected, "{pod}");
        }
        for (pattern, value, expected) in [
            (json!("eu.foo.io/* | bar.io/*"), json!("bar.io/a"), Some(true)),
            (json!("eu.foo.io/* | bar.io/*"), json!("evil.io/a"), Some(false)),
            (json!("!*:latest"), json!("a:latest"), Some(false)),
            (json!("?*"), json!("a"), Some(true)),
            (json!("?*"), json!(""), Some(false)),
            (json!(">0"), json!(1), None),
            (json!("{{request.object}}"), json!("a"), None),
            (json!({"(a)": "b"}), json!({"a": "b"}), None),
            (json!({"X(a)": "null"}), json!({"a": "b"}), Some(false)),
        ] {
            assert_eq!(matches(&pattern, Some(&value)), expected, "{pattern} {value}");
        }
        assert_eq!(matches(&json!("false"), None), Some(false));
    }
}
