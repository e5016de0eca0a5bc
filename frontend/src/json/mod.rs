//! JSON as the server writes it, read into the types of `rampart-shared`.
//!
//! By hand, because the code of `serde_json` would be a tenth of the dashboard. Here a structure's fields are
//! looked up by code that is the same for all, so that the code of each only takes one after the other. A field
//! may be absent where its type says `default`; the server writes all others. What is ignored is skipped and not
//! checked.

mod text;
mod types;

use serde::de::{self, DeserializeOwned, Expected, Unexpected};
use std::fmt;
use text::Reader;

/// Reads a `T` from a text that holds nothing else.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let mut reader = Reader::new(text);
    T::deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| reader.place(&error))
}

/// What is wrong with a text. Boxed: it goes through the code of every type.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct Error(Box<Cause>);

#[derive(Debug)]
struct Cause {
    message: String,
}

impl Error {
    fn new(message: String) -> Self {
        Error(Box::new(Cause { message }))
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::new(message.to_string())
    }

    fn invalid_length(number: usize, expected: &dyn Expected) -> Self {
        Error::new(format!("field {} is missing: expected {expected}", number + 1))
    }

    // These two would also show the value, and with it bring in how decimals are written.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::new(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::new(format!("expected {expected}"))
    }
}
fn expected(what: &str) -> Error {
    Error::new(format!("expected {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use rampart_shared::api::{Event, RunKind, RunSummary};
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    #[derive(Debug, PartialEq, Deserialize, serde::Serialize)]
    struct Everything {
        text: String,
        whole: i64,
        small: u16,
        share: f64,
        yes: bool,
        none: Option<u32>,
        some: Option<Vec<String>>,
        #[serde(default)]
        absent: Vec<u32>,
        map: BTreeMap<String, String>,
        run: Uuid,
    }

    fn everything() -> Everything {
        Everything {
            text: "a \"b\" \\ /\n\u{1}größe🦀".into(),
            whole: i64::MIN,
            small: 443,
            share: 0.6111,
            yes: true,
            none: None,
            some: Some(vec![String::new(), "]}".into()]),
            absent: vec![],
            map: BTreeMap::from([("a".into(), "b".into()), ("c".into(), "d".into())]),
            run: Uuid::from_u128(7),
        }
    }

    fn error<T: DeserializeOwned + fmt::Debug>(text: &str) -> String {
        read::<T>(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = serde_json::to_string(&everything()).unwrap();
        assert_eq!(read::<Everything>(&text).unwrap(), everything());
        let spaced = serde_json::to_string_pretty(&everything()).unwrap();
        assert_eq!(read::<Everything>(&spaced).unwrap(), everything());
    }

    #[test]
    fn events_are_objects_of_one_key() {
        let at = DateTime::from_timestamp_millis(1_790_000_000_123).unwrap();
        let run = RunSummary {
            id: Uuid::from_u128(1),
            sequence: 1,
            cluster: "eu".into(),
            kind: RunKind::IdentityChanged,
            started_at: at,
            finished_at: at,
            detail: None,
            counts: None,
            changed: false,
        };
        for event in [
            Event::RunFinished { run },
            Event::RunFailed { run: Uuid::from_u128(2), cluster: "eu".into(), detail: "full".into() },
        ] {
            assert_eq!(read::<Event>(&serde_json::to_string(&event).unwrap()).unwrap(), event);
        }
        assert!(error::<Event>(r#"{"run_lost":{}}"#).starts_with("unknown variant `run_lost`"));
    }

    #[test]
    fn what_is_not_known_is_skipped() {
        let text =
            r#" {"of a newer server": [{"a": [true, null, -1.5e3, "]\"}"]}, []], "b": "x", "a": "y"} "#;
        #[derive(Debug, Deserialize)]
        struct Known {
            a: String,
        }
        assert_eq!(read::<Known>(text).unwrap().a, "y");
    }

    #[test]
    fn every_escape_is_understood() {
        let escapes = r#""\"\\\/\b\f\n\r\t\u00fc\ud83e\udd80 \u20AC""#;
        assert_eq!(read::<String>(escapes).unwrap(), "\"\\/\u{8}\u{c}\n\r\tü🦀 €");
        for broken in
            [r#""\ud83e""#, r#""\ud83e\u0041""#, r#""\udd80""#, r#""\x""#, r#""\u12""#, r#""open"#, r#""\"#]
        {
            assert!(read::<String>(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn decimals_are_those_of_the_standard_library() {
        for number in ["0", "1", "-0.25", "0.6111", "0.9999", "12.5e3", "1E-2", "123456.789012345", "1e+2"] {
            assert_eq!(read::<f64>(number).unwrap(), number.parse::<f64>().unwrap(), "{number}");
        }
        assert_eq!(read::<f64>("1e999999").unwrap(), f64::INFINITY);
        for broken in ["1.2.3", "--1", "e", "1-2", "1e", "."] {
            assert!(read::<f64>(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(error::<u32>("<html>"), "expected a number at byte 0");
        assert_eq!(error::<Vec<u32>>("[1,]"), "expected a number at byte 3");
        assert_eq!(error::<Vec<u32>>("[1 2]"), "expected a comma at byte 3");
        assert_eq!(error::<Vec<u32>>("[1"), "expected a comma at byte 2");
        assert_eq!(error::<u32>("1 2"), "expected the end at byte 2");
        assert_eq!(error::<u32>("1.5"), "expected a whole number at byte 3");
        assert_eq!(error::<u32>("-1"), "expected u32 at byte 2");
        assert_eq!(
            error::<Everything>(r#"{"text": "", "small": 1}"#),
            "field 2 is missing: expected struct Everything with 10 elements at byte 11"
        );
        assert_eq!(error::<bool>("yes"), "expected true or false at byte 0");
    }
}
