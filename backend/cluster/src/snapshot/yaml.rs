//! YAML documents.

use super::definition::Definition;
use super::document::{Document, documents, header, hidden_kinds};
use super::entry::{Entry, Hides, What};
use super::json;
use super::list::{Header, ListSeed, Sort, elsewhere, entry, every_definition};
use crate::malformed;
use rampart_checklist::{Kind, Object};
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::Value;
use serde_saphyr::{Options, with_deserializer_from_str_with_options};

/// Reads every document of a text. `named` is the kind that the file is named for.
pub(super) fn read(text: &str, named: Option<Kind>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for document in documents(text) {
        // kubectl reads JSON as YAML; the JSON reader is ten times as fast and knows the lines of items.
        let is_json = document.text.trim_start().starts_with('{')
            && json::read_values(document.text, document.line, named, &mut entries).is_ok();
        if !is_json {
            read_document(document, named, &mut entries);
        }
    }
    entries
}

/// Reads one document into a value; for the small files that are no Kubernetes objects.
pub(super) fn value(text: &str) -> Result<Value, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(text, options())
}

/// The rules by which kubectl reads YAML, and bounds that only the size of the text decides.
fn options() -> Options {
    let mut options = Options::default();
    options.with_snippet = false;
    options.emit_comments = false;
    options.legacy_octal_numbers = true;
    if let Some(budget) = &mut options.budget {
        budget.max_events = usize::MAX;
        budget.max_nodes = usize::MAX;
        budget.max_total_scalar_bytes = 4 << 30;
        budget.max_total_comment_bytes = usize::MAX;
        // CustomResourceDefinitions nest deeper than any object that is read.
        budget.max_depth = 200;
    }
    options
}

fn read_document(document: Document<'_>, named: Option<Kind>, entries: &mut Vec<Entry>) {
    let Document { text, line } = document;
    let (api_version, sort) = match header(text) {
        Some((api_version, kind)) => (api_version.to_owned(), Sort::of(api_version, kind)),
        None => match serde_saphyr::from_str_with_options::<Header>(text, options()) {
            Ok(header) => (header.api_version.clone().unwrap_or_default(), header.sort()),
            // A text or a list is no object; what does not parse at all may be one.
            Err(_) if value(text).is_ok_and(|value| !value.is_object()) => return,
            Err(error) => return entries.push(broken(document, &error)),
        },
    };
    match sort {
        Sort::Read(kind) => {
            let object = with_deserializer_from_str_with_options(text, options(), |deserializer| {
                Object::deserialize(kind, &api_version, deserializer)
            });
            entries.push(match object {
                Ok(object) => entry(Some(line + leading_lines(text)), object),
                Err(error) => broken_object(document, kind, &error),
            });
        }
        Sort::List(kind) => read_list(document, kind, named, entries),
        Sort::Elsewhere(kind) => {
            entries.push(elsewhere(Some(line + leading_lines(text)), kind, &api_version))
        }
        // One alone says nothing of the others; only lists of them count.
        Sort::Policy(_) | Sort::Definition | Sort::Other | Sort::Nothing => {
            match serde_saphyr::from_str_with_options::<IgnoredAny>(text, options()) {
                Err(error) => entries.push(broken(document, &error)),
                Ok(_) => match sort {
                    Sort::Policy(policy) => entries.push(Entry::at(line, What::PolicyKind(policy))),
                    Sort::Definition | Sort::Other => entries.push(Entry::at(line, What::Other)),
                    _ => {}
                },
            }
        }
    }
}

fn read_list(document: Document<'_>, kind: Option<Kind>, named: Option<Kind>, entries: &mut Vec<Entry>) {
    let before = entries.len();
    let read = with_deserializer_from_str_with_options(document.text, options(), |deserializer| {
        ListSeed { kind, entries: &mut *entries }.deserialize(deserializer)
    });
    if read.is_err() {
        // An item cannot be used, or the text is no YAML. Held whole, the items fail one by one.
        entries.truncate(before);
        match value(document.text) {
            Ok(list) => read_held_list(&list, document.line, kind, entries),
            Err(error) => return entries.push(broken(document, &error)),
        }
    }
    entries.extend(every_definition(&entries[before..]));
    for entry in &mut entries[before..] {
        entry.line.get_or_insert(document.line);
    }
    if entries.len() == before {
        let collected = kind.or(named).map_or(What::Other, What::Collected);
        entries.push(Entry::at(document.line, collected));
    }
}

fn read_held_list(list: &Value, line: u64, kind: Option<Kind>, entries: &mut Vec<Entry>) {
    for (index, item) in list.get("items").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let header = Header::deserialize(item).unwrap_or_default();
        let api_version = header.api_version.as_deref().unwrap_or_default();
        let sort = match (kind, header.sort()) {
            (Some(kind), Sort::Nothing) => Sort::Read(kind),
            (_, sort) => sort,
        };
        match sort {
            Sort::Read(kind) => match Object::deserialize(kind, api_version, item) {
                Ok(object) => entries.push(entry(None, object)),
                Err(error) => {
                    let cause = format!("items[{index}]: {}", malformed::json(&error));
                    entries.push(Entry::broken(Some(line), header.hides(kind), cause));
                }
            },
            Sort::Definition => entries.push(Entry {
                line: None,
                what: Definition::deserialize(item).map_or(What::Other, What::Definition),
            }),
            Sort::Policy(policy) => entries.push(Entry { line: None, what: What::PolicyKind(policy) }),
            Sort::Elsewhere(kind) => entries.push(elsewhere(Some(line), kind, api_version)),
            Sort::List(_) | Sort::Other => entries.push(Entry { line: None, what: What::Other }),
            Sort::Nothing if item.is_object() => {}
            Sort::Nothing => {
                let cause = format!("items[{index}]: no object");
                entries.push(Entry::broken(Some(line), Hides::EveryKind, cause));
            }
        }
    }
}

/// An object that parses and cannot be used hides itself; one that does not parse hides the kinds that it names.
fn broken_object(document: Document<'_>, kind: Kind, error: &serde_saphyr::Error) -> Entry {
    match serde_saphyr::from_str_with_options::<Header>(document.text, options()) {
        Ok(header) => {
            Entry::broken(Some(line_in(document, error)), header.hides(kind), malformed::yaml(error))
        }
        Err(_) => broken(document, error),
    }
}

fn broken(document: Document<'_>, error: &serde_saphyr::Error) -> Entry {
    let hides = hidden_kinds(document.text);
    Entry::broken(Some(line_in(document, error)), hides, malformed::yaml(error))
}

fn line_in(document: Document<'_>, error: &serde_saphyr::Error) -> u64 {
    error.location().map_or(document.line, |location| document.line + location.line().saturating_sub(1))
}

/// How many lines a document has before its first line of content.
fn leading_lines(text: &str) -> u64 {
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    text.lines().take_while(|line| !is_content(line)).count() as u64
}
