//! From Rust's values to the database's, and back.

use super::Answer;
use crate::{ClusterScope, StoreError};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{
    Serialize,
    de::{
        DeserializeOwned, IntoDeserializer,
        value::{Error, StrDeserializer},
    },
};
use sqlx::{Row, sqlite::SqliteRow};
use std::time::Duration;

/// Reads a column as what it means.
pub(super) trait Columns {
    fn number(&self, column: &'static str) -> Answer<i64>;
    fn optional_number(&self, column: &'static str) -> Answer<Option<i64>>;
    fn flag(&self, column: &'static str) -> Answer<bool>;
    fn text(&self, column: &'static str) -> Answer<String>;
    fn optional_text(&self, column: &'static str) -> Answer<Option<String>>;

    fn optional_time(&self, column: &'static str) -> Answer<Option<DateTime<Utc>>> {
        self.optional_number(column)?.map(time).transpose()
    }

    fn count(&self, column: &'static str) -> Answer<u32> {
        let number = self.number(column)?;
        u32::try_from(number).map_err(|_| StoreError::Unreadable { what: column, value: number.to_string() })
    }

    fn time(&self, column: &'static str) -> Answer<DateTime<Utc>> {
        time(self.number(column)?)
    }

    fn duration(&self, column: &'static str) -> Answer<Duration> {
        let millis = self.number(column)?;
        u64::try_from(millis)
            .map(Duration::from_millis)
            .map_err(|_| StoreError::Unreadable { what: column, value: millis.to_string() })
    }

    /// One of an enum's words.
    fn word<T: DeserializeOwned>(&self, column: &'static str) -> Answer<T> {
        from_word(column, &self.text(column)?)
    }

    fn optional_word<T: DeserializeOwned>(&self, column: &'static str) -> Answer<Option<T>> {
        self.optional_text(column)?.map(|text| from_word(column, &text)).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Answer<T> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|_| StoreError::Unreadable { what: column, value: text })
    }
}

impl Columns for SqliteRow {
    fn optional_number(&self, column: &'static str) -> Answer<Option<i64>> {
        Ok(self.try_get(column)?)
    }

    fn flag(&self, column: &'static str) -> Answer<bool> {
        Ok(self.try_get(column)?)
    }

    fn number(&self, column: &'static str) -> Answer<i64> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &'static str) -> Answer<String> {
        Ok(self.try_get(column)?)
    }

    fn optional_text(&self, column: &'static str) -> Answer<Option<String>> {
        Ok(self.try_get(column)?)
    }
}

/// The clusters that may be seen as a JSON list, for `json_each`; none for all.
pub(super) fn names(scope: &ClusterScope) -> Answer<Option<String>> {
    match scope {
        ClusterScope::All => Ok(None),
        ClusterScope::Only(names) => Ok(Some(serde_json::to_string(names)?)),
    }
}

/// The word by which an enum's variant is known everywhere.
pub(super) fn to_word<T: Serialize>(value: T) -> Answer<String> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(StoreError::Unreadable { what: "word", value: other.to_string() }),
    }
}

pub(super) fn from_word<T: DeserializeOwned>(what: &'static str, word: &str) -> Answer<T> {
    let deserializer: StrDeserializer<'_, Error> = word.into_deserializer();
    T::deserialize(deserializer).map_err(|_| StoreError::Unreadable { what, value: word.to_owned() })
}

pub(super) fn time(millis: i64) -> Answer<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
        .ok_or_else(|| StoreError::Unreadable { what: "time", value: millis.to_string() })
}

pub(super) fn day(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

pub(super) fn date(day: i64) -> Answer<NaiveDate> {
    i32::try_from(day)
        .ok()
        .and_then(NaiveDate::from_epoch_days)
        .ok_or_else(|| StoreError::Unreadable { what: "day", value: day.to_string() })
}

/// At most so many characters, so that one cluster's words cannot fill the history.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
