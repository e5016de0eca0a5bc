//! JSON, as `kubectl get … -o json` writes it.

use super::definition::Definition;
use super::document::{hidden_kinds, newlines};
use super::entry::{Entry, Hides, What};
use super::list::{Header, Sort, elsewhere, entry, every_definition};
use crate::malformed;
use rampart_checklist::{Kind, Object};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::Cell;

/// Reads every value of a text. `named` is the kind that the file is named for.
pub(super) fn read(text: &str, named: Option<Kind>) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Err(error) = read_values(text, 1, named, &mut entries) {
        let line = u64::try_from(error.line()).unwrap_or(1);
        entries.push(Entry::broken(Some(line), hidden_kinds(text), malformed::json(&error)));
    }
    entries
}

/// Reads every value of a text that begins at `first_line`. What came before an error stays when the caller is
/// [`read`]; otherwise nothing is added.
///
/// # Errors
/// When the text is no JSON.
pub(super) fn read_values(
    text: &str,
    first_line: u64,
    named: Option<Kind>,
    entries: &mut Vec<Entry>,
) -> Result<(), serde_json::Error> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        values.push(value?);
    }
    let counted = Cell::new((0, first_line));
    for value in values {
        let place = Place { text, counted: &counted, first_line, named };
        place.read_value(value.get(), entries);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, rename = "apiVersion", borrow)]
    api_version: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    items: Option<&'a RawValue>,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a str,
    /// How far lines were counted, and the line there. Objects are read in their order, so each line is counted once.
    counted: &'a Cell<(usize, u64)>,
    first_line: u64,
    named: Option<Kind>,
}

impl Place<'_> {
    /// The line where a part of the text begins.
    fn line(&self, part: &str) -> u64 {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let (from, line) = match self.counted.get() {
            (from, line) if from <= offset => (from, line),
            _ => (0, self.first_line),
        };
        let line = line + newlines(&self.text[from..offset.min(self.text.len())]);
        self.counted.set((offset, line));
        line
    }

    fn read_value(&self, value: &str, entries: &mut Vec<Entry>) {
        // A value that is no object is nothing that kubectl writes.
        if !value.starts_with('{') {
            return;
        }
        let envelope: Envelope<'_> = match serde_json::from_str(value) {
            Ok(envelope) => envelope,
            Err(error) => return entries.push(self.broken(value, hidden_kinds(value), &error)),
        };
        let api_version = envelope.api_version.as_deref().unwrap_or_default();
        match Sort::of(api_version, envelope.kind.as_deref().unwrap_or_default()) {
            Sort::List(kind) => self.read_list(value, kind, envelope.items, entries),
            sort => entries.extend(self.read_object(value, sort, api_version)),
        }
    }

    fn read_list(&self, list: &str, kind: Option<Kind>, items: Option<&RawValue>, entries: &mut Vec<Entry>) {
        let items: Option<Vec<&RawValue>> =
            match items.map(|items| serde_json::from_str(items.get())).transpose() {
                Ok(items) => items.flatten(),
                Err(error) => return entries.push(self.broken(list, hidden_kinds(list), &error)),
            };
        let before = entries.len();
        for item in items.into_iter().flatten() {
            let item = item.get();
            let envelope: Envelope<'_> = match serde_json::from_str(item) {
                Ok(envelope) => envelope,
                Err(error) => {
                    let hides = kind.map_or_else(|| hidden_kinds(item), |kind| Hides::Kinds(vec![kind]));
                    entries.push(self.broken(item, hides, &error));
                    continue;
                }
            };
            let api_version = envelope.api_version.as_deref().unwrap_or_default();
            let sort = match (kind, Sort::of(api_version, envelope.kind.as_deref().unwrap_or_default())) {
                (Some(kind), Sort::Nothing) => Sort::Read(kind),
                // kubectl does not nest lists.
                (_, Sort::List(_)) => Sort::Other,
                (_, sort) => sort,
            };
            entries.extend(self.read_object(item, sort, api_version));
        }
        entries.extend(every_definition(&entries[before..]));
        if entries.len() == before {
            let collected = kind.or(self.named).map_or(What::Other, What::Collected);
            entries.push(Entry::at(self.line(list), collected));
        }
    }

    fn read_object(&self, text: &str, sort: Sort, api_version: &str) -> Option<Entry> {
        let line = self.line(text);
        Some(match sort {
            Sort::Read(kind) => {
                let mut deserializer = serde_json::Deserializer::from_str(text);
                match Object::deserialize(kind, api_version, &mut deserializer) {
                    Ok(object) => entry(Some(line), object),
                    Err(error) => {
                        let header: Header = serde_json::from_str(text).unwrap_or_default();
                        self.broken(text, header.hides(kind), &error)
                    }
                }
            }
            Sort::Definition => match serde_json::from_str::<Definition>(text) {
                Ok(definition) => Entry::at(line, What::Definition(definition)),
                Err(_) => Entry::at(line, What::Other),
            },
            Sort::Policy(policy) => Entry::at(line, What::PolicyKind(policy)),
            Sort::Elsewhere(kind) => elsewhere(Some(line), kind, api_version),
            Sort::List(_) | Sort::Other => Entry::at(line, What::Other),
            Sort::Nothing => return None,
        })
    }

    fn broken(&self, part: &str, hides: Hides, error: &serde_json::Error) -> Entry {
        let line = self.line(part) + u64::try_from(error.line()).unwrap_or(1).saturating_sub(1);
        Entry::broken(Some(line), hides, malformed::json(error))
    }
}
