//! Items of a list, reduced one by one while the list is read.

use super::definition::Definition;
use super::entry::{Entry, Hides, What};
use crate::naming::name_in;
use rampart_checklist::inventory::OtherPolicyKind;
use rampart_checklist::{Kind, Object};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use std::fmt;

/// What an object is, by its `apiVersion` and `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A kind that items read.
    Read(Kind),
    /// A kind that can isolate pods and is not understood.
    Policy(OtherPolicyKind),
    /// A CustomResourceDefinition.
    Definition,
    /// A list of any kinds, or of the one named.
    List(Option<Kind>),
    /// A kind that items read, in a group or without the group in which they read it.
    Elsewhere(Kind),
    /// Anything else that says a kind.
    Other,
    /// Nothing that says a kind.
    Nothing,
}

impl Sort {
    pub(super) fn of(api_version: &str, kind: &str) -> Sort {
        if kind.is_empty() {
            return Sort::Nothing;
        }
        if let Some(kind) = Kind::of(api_version, kind) {
            return Sort::Read(kind);
        }
        if let Some(policy) = OtherPolicyKind::of(api_version, kind) {
            return Sort::Policy(policy);
        }
        if Definition::is_named(api_version, kind) {
            return Sort::Definition;
        }
        if kind == "List" || Definition::is_named(api_version, kind.trim_end_matches("List")) {
            return Sort::List(None);
        }
        if let Some(kind) = kind.strip_suffix("List").and_then(|item| Kind::of(api_version, item)) {
            return Sort::List(Some(kind));
        }
        // A Deployment of `extensions/v1beta1`, or one without `apiVersion`: no API server takes it any more.
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if matches!(group, "" | "extensions")
            && let Some(known) =
                Kind::ALL.into_iter().find(|known| !known.is_optional() && known.kind() == kind)
        {
            return Sort::Elsewhere(known);
        }
        Sort::Other
    }
}

/// The entry for an object that says a kind which no API server serves in that version.
pub(super) fn elsewhere(line: Option<u64>, kind: Kind, api_version: &str) -> Entry {
    let said = if api_version.is_empty() { "none".to_owned() } else { api_version.to_owned() };
    let cause = format!(
        "a {} with apiVersion {said}, which no supported API server takes; it should be {}",
        kind.kind(),
        kind.api_version()
    );
    Entry::broken(line, Hides::Kinds(vec![kind]), cause)
}

/// The entry for an object that was read.
pub(super) fn entry(line: Option<u64>, object: Object) -> Entry {
    Entry { line, what: What::Object(Box::new(object)) }
}

/// What the entries of one list say together: a list of nothing but CustomResourceDefinitions that an API server gave
/// is what `kubectl get crd` writes, and then there are no others.
pub(super) fn every_definition(entries: &[Entry]) -> Option<Entry> {
    let all = entries
        .iter()
        .all(|entry| matches!(&entry.what, What::Definition(definition) if definition.is_from_cluster()));
    (all && !entries.is_empty()).then_some(Entry { line: None, what: What::EveryDefinition })
}

/// Reads a list, `{kind: List, items: […]}` or `{kind: PodList, items: […]}`, without holding its items.
#[derive(Debug)]
pub(super) struct ListSeed<'a> {
    /// The kind of the items, where the list says it; items that say theirs win.
    pub(super) kind: Option<Kind>,
    /// Where the entries go.
    pub(super) entries: &'a mut Vec<Entry>,
}

impl<'de> DeserializeSeed<'de> for ListSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                map.next_value_seed(ItemsSeed { kind: self.kind, entries: &mut *self.entries })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct ItemsSeed<'a> {
    kind: Option<Kind>,
    entries: &'a mut Vec<Entry>,
}

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(entry) = items.next_element_seed(ItemSeed { kind: self.kind })? {
            self.entries.extend(entry);
        }
        Ok(())
    }
}

/// Reads one item; none for what is no object.
struct ItemSeed {
    kind: Option<Kind>,
}

impl<'de> DeserializeSeed<'de> for ItemSeed {
    type Value = Option<Entry>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Entry>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed {
    type Value = Option<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// `apiVersion` and `kind` usually come first, and then the rest is reduced as it comes. Where they do not, the
    /// rest is held until they are known.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Entry>, A::Error> {
        let (mut api_version, mut kind) = (None::<String>, None::<String>);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "apiVersion" => api_version = map.next_value::<Option<String>>()?,
                "kind" => kind = map.next_value::<Option<String>>()?,
                _ => {
                    let sort = match (&api_version, &kind) {
                        (Some(api_version), Some(kind)) => Sort::of(api_version, kind),
                        (None, None) if self.kind.is_some() => self.sort("", ""),
                        _ => return self.held(key, map, api_version, kind),
                    };
                    let api_version = api_version.unwrap_or_default();
                    return match sort {
                        Sort::Read(kind) => {
                            let rest = MapAccessDeserializer::new(Resumed { key: Some(key), rest: map });
                            Ok(Some(entry(None, Object::deserialize(kind, &api_version, rest)?)))
                        }
                        Sort::Definition => {
                            let rest = MapAccessDeserializer::new(Resumed { key: Some(key), rest: map });
                            let definition = Definition::deserialize(rest)?;
                            Ok(Some(Entry { line: None, what: What::Definition(definition) }))
                        }
                        sort => {
                            map.next_value::<IgnoredAny>()?;
                            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                            Ok(without_body(sort, &api_version))
                        }
                    };
                }
            }
        }
        Ok(without_body(self.sort(&api_version.unwrap_or_default(), &kind.unwrap_or_default()), ""))
    }
}

impl ItemSeed {
    fn sort(&self, api_version: &str, kind: &str) -> Sort {
        match self.kind {
            Some(list) if kind.is_empty() => Sort::Read(list),
            _ => Sort::of(api_version, kind),
        }
    }

    fn held<'de, A: MapAccess<'de>>(
        &self,
        key: String,
        mut map: A,
        mut api_version: Option<String>,
        mut kind: Option<String>,
    ) -> Result<Option<Entry>, A::Error> {
        let mut held = serde_json::Map::new();
        held.insert(key, map.next_value()?);
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            match (key.as_str(), value) {
                ("apiVersion", Value::String(text)) => api_version = Some(text),
                ("kind", Value::String(text)) => kind = Some(text),
                (_, value) => {
                    held.insert(key, value);
                }
            }
        }
        let api_version = api_version.unwrap_or_default();
        match self.sort(&api_version, &kind.unwrap_or_default()) {
            Sort::Read(kind) => Object::deserialize(kind, &api_version, Value::Object(held))
                .map(|object| Some(entry(None, object)))
                .map_err(|error| A::Error::custom(crate::malformed::json(&error))),
            Sort::Definition => Definition::deserialize(Value::Object(held))
                .map(|definition| Some(Entry { line: None, what: What::Definition(definition) }))
                .map_err(|error| A::Error::custom(crate::malformed::json(&error))),
            sort => Ok(without_body(sort, &api_version)),
        }
    }
}

/// What an item says by its kind alone.
fn without_body(sort: Sort, api_version: &str) -> Option<Entry> {
    match sort {
        Sort::Read(kind) => {
            Some(Entry::broken(None, Hides::Kinds(vec![kind]), format!("a {} without metadata", kind.kind())))
        }
        Sort::Policy(policy) => Some(Entry { line: None, what: What::PolicyKind(policy) }),
        Sort::Elsewhere(kind) => Some(elsewhere(None, kind, api_version)),
        // kubectl does not nest lists.
        Sort::List(_) | Sort::Definition | Sort::Other => Some(Entry { line: None, what: What::Other }),
        Sort::Nothing => None,
    }
}

/// A map of which one key was read already.
struct Resumed<A> {
    key: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Resumed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

/// What names an object, read leniently from one that does not deserialise.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Header {
    /// Its API version.
    #[serde(default, rename = "apiVersion")]
    pub(super) api_version: Option<String>,
    /// Its kind.
    #[serde(default)]
    pub(super) kind: Option<String>,
    /// Its metadata, of any form.
    #[serde(default)]
    pub(super) metadata: Value,
}

impl Header {
    pub(super) fn sort(&self) -> Sort {
        Sort::of(self.api_version.as_deref().unwrap_or_default(), self.kind.as_deref().unwrap_or_default())
    }

    /// What the object hides when it cannot be used: itself where it can be named, else its kind.
    pub(super) fn hides(&self, kind: Kind) -> Hides {
        match name_in(kind, &self.metadata) {
            Some(name) => Hides::Object(kind, name),
            None => Hides::Kinds(vec![kind]),
        }
    }
}
