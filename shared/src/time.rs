//! How times are read: RFC 3339 and no other form.
//!
//! By hand, because chrono's parser is one for all formats, and the dashboard would carry all of it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};
use std::fmt;

/// Reads a time.
pub(crate) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_str(Written(parse_moment))
}

/// Reads a time, or that there is none.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    struct Moment(DateTime<Utc>);
    impl<'de> Deserialize<'de> for Moment {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            moment(deserializer).map(Moment)
        }
    }
    Ok(Option::<Moment>::deserialize(deserializer)?.map(|moment| moment.0))
}

/// Reads a day.
pub(crate) fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    deserializer.deserialize_str(Written(parse_day))
}

/// Takes a text that a function understands.
struct Written<T>(fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time as RFC 3339 writes it")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

fn parse_day(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    NaiveDate::from_ymd_opt(i32::try_from(digits(year, 4)?).ok()?, digits(month, 2)?, digits(day, 2)?)
}

fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let offset_at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, offset) = rest.split_at(offset_at);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let (hour, minute) = time.split_once(':')?;
    let (minute, second) = minute.split_once(':')?;
    // More than nine digits of a second are more than can be kept.
    let kept = fraction.get(..9).unwrap_or(fraction);
    let unit = 10_u32.pow(9_u32.checked_sub(u32::try_from(kept.len()).ok()?)?);
    let local = parse_day(date)?
        .and_hms_nano_opt(
            digits(hour, 2)?,
            digits(minute, 2)?,
            digits(second, 2)?,
            digits(kept, kept.len())? * unit,
        )?
        .and_utc();
    local.checked_sub_signed(TimeDelta::minutes(parse_offset(offset)?))
}

/// How many minutes a clock is ahead of UTC: `Z`, `+01:00`.
fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let ahead = i64::from(digits(hours, 2)? * 60 + digits(minutes, 2)?);
    Some(if text.starts_with('-') { -ahead } else { ahead })
}

/// A number of that many digits; nine at most.
fn digits(text: &str, number: usize) -> Option<u32> {
    let is_number = text.len() == number && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chrono_writes_is_read_back() {
        for nanoseconds in [0, 1, 123_000_000, 123_456_000, 999_999_999] {
            for seconds in [-1, 0, 951_826_400, 1_790_000_000, 4_102_444_799] {
                let at = DateTime::from_timestamp(seconds, nanoseconds).unwrap();
                let written = serde_json::to_value(at).unwrap();
                assert_eq!(parse_moment(written.as_str().unwrap()), Some(at), "{written}");
                let day = at.date_naive();
                assert_eq!(parse_day(&day.to_string()), Some(day));
            }
        }
    }

    #[test]
    fn every_form_of_rfc_3339_is_read() {
        for text in [
            "2026-11-23T18:20:05+01:00",
            "2026-11-23t18:20:05.5-03:30",
            "2026-02-28T23:59:59.1234567899z",
            "2024-02-29T00:00:00.000Z",
        ] {
            let expected = text.parse::<DateTime<Utc>>().unwrap();
            assert_eq!(parse_moment(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "now",
            "2026-11-23",
            "2026-11-23T18:20:05",
            "2026-11-23T18:20Z",
            "2026-11-23T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-23T18:20:05.Z",
            "2026-11-23T18:20:05Zx",
            "2026-11-23T18:20:05+1:00",
            "+026-11-23T18:20:05Z",
            "2026-11-23T18:20:05.12345678ü9Z",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
        for text in ["2026-13-01", "2026-1-1", "26-01-01", "2026-01-01T", "-2026-01-01"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
