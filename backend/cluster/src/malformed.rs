//! What is wrong with an object, without anything that it holds.
//!
//! Deserialising errors quote the value that they could not use, and that value may be a credential.

/// The words for a `serde_json` error: what was wrong, without the value and without the position.
pub(crate) fn json(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Syntax => "not valid JSON".to_owned(),
        serde_json::error::Category::Eof => "cut off within its JSON".to_owned(),
        serde_json::error::Category::Io | serde_json::error::Category::Data => {
            without_values(&error.to_string())
        }
    }
}

/// The words for a YAML error: what was wrong, without the value and without the position.
pub(crate) fn yaml(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error.without_snippet() {
        Error::InvalidScalar { ty, .. } => format!("a value is no {ty}"),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            format!("a value is not {expected}")
        }
        Error::SerdeMissingField { field, .. } => format!("{field} is missing"),
        Error::DuplicateMappingKey { .. } => "a key appears twice in one mapping".to_owned(),
        Error::UnknownAnchor { .. } => "an alias names an anchor that is not there".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => {
            "nested or repeated beyond what any Kubernetes object is".to_owned()
        }
        Error::Message { msg, .. } => without_values(msg),
        Error::Unexpected { expected, .. } => format!("a value is not {expected}"),
        _ => "not valid YAML".to_owned(),
    }
}

/// Keeps of serde's own sentences what was expected, and drops what was found.
fn without_values(message: &str) -> String {
    if let Some((_, expected)) = message.rsplit_once(", expected ")
        && ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start))
    {
        let expected = expected.split(" at line ").next().unwrap_or_default();
        return format!("a value is not {expected}");
    }
    let message = message.split(" at line ").next().unwrap_or_default();
    // These two quote names of fields that the projection knows, not values.
    if message.starts_with("missing field `") || message.starts_with("duplicate field `") {
        return message.to_owned();
    }
    if OWN_MESSAGES.contains(&message) {
        return message.to_owned();
    }
    "another form than the API gives it".to_owned()
}

/// Sentences that the projection itself says.
const OWN_MESSAGES: [&str; 2] = ["metadata.name is missing", "not a kind whose objects are read one by one"];

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_checklist::{Kind, Object};

    #[test]
    fn no_value_survives() {
        let canary = "s3cret, expected i64 at line 1";
        for field in [
            format!(
                r#"{{"metadata":{{"name":"a"}},"spec":{{"containers":[{{"name":"a","securityContext":{{"runAsUser":"{canary}"}}}}]}}}}"#
            ),
            format!(r#"{{"metadata":"{canary}"}}"#),
            format!(r#"{{"metadata":{{"name":"a"}},"spec":"{canary}"}}"#),
            format!(r#"{{"metadata":{{"name":"a"}},"spec":{{"containers":["{canary}"]}}}}"#),
        ] {
            let error = Object::deserialize(Kind::Pods, "", &mut serde_json::Deserializer::from_str(&field))
                .unwrap_err();
            let words = json(&error);
            assert!(!words.contains("s3cret"), "{words}");
            let error = serde_saphyr::with_deserializer_from_str(&field, |deserializer| {
                Object::deserialize(Kind::Pods, "", deserializer)
            })
            .unwrap_err();
            let words = yaml(&error);
            assert!(!words.contains("s3cret"), "{words}");
        }
    }

    #[test]
    fn says_what_was_expected() {
        let error = serde_json::from_str::<i64>("\"x\"").unwrap_err();
        assert_eq!(json(&error), "a value is not i64");
        let error =
            Object::deserialize(Kind::Pods, "", &mut serde_json::Deserializer::from_str("{\"spec\":{}}"))
                .unwrap_err();
        assert_eq!(json(&error), "metadata.name is missing");
    }
}
