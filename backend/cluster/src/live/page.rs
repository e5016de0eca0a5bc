//! One page of a list, reduced object by object while it is deserialised.

use crate::archive::record;
use crate::intern::Interner;
use crate::malformed;
use crate::naming::name_in;
use rampart_checklist::credentials::FingerprintKey;
use rampart_checklist::{Kind, Object};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// Its objects, reduced to what items read.
    pub objects: Vec<Object>,
    /// The items that have another form than the API gives them: their names where they can be read, and the cause.
    pub malformed: Vec<(Option<String>, String)>,
    /// Where the list goes on.
    pub(super) next: Option<String>,
}

/// The objects of a page as an archive keeps them; malformed ones are left out, for their gap says what is missing.
pub(super) fn record_page(kind: Kind, api_version: &str, body: &[u8], key: &FingerprintKey) -> Vec<String> {
    let Ok(page) = serde_json::from_slice::<RawPage<'_>>(body) else { return Vec::new() };
    let items = page.items.unwrap_or_default().into_iter().map(RawValue::get);
    let is_usable = |item: &&str| {
        Object::deserialize(kind, api_version, &mut serde_json::Deserializer::from_str(item)).is_ok()
    };
    items.filter(is_usable).filter_map(|item| record(kind, api_version, item, key)).collect()
}

#[derive(Deserialize)]
struct RawPage<'a> {
    kind: String,
    #[serde(default)]
    metadata: RawListMeta,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
struct RawListMeta {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    metadata: Value,
}

/// Reduces a page of a list of this kind in this version; its objects share with those that the interner knows. A malformed item costs
/// itself, not the page.
///
/// # Errors
/// What is wrong, in words without anything that the page holds, when it is no list of this kind.
pub fn project_page(
    kind: Kind,
    api_version: &str,
    body: &[u8],
    interner: &mut Interner,
) -> Result<Page, String> {
    let page: RawPage<'_> = serde_json::from_slice(body).map_err(|error| malformed::json(&error))?;
    // The definition of a custom resource names the kind of its list as it likes.
    let is_list = match kind.is_optional() {
        true => page.items.is_some() || page.kind.ends_with("List"),
        false => page.kind.strip_suffix("List") == Some(kind.kind()),
    };
    if !is_list {
        return Err(match kind.kind() {
            "" => "no list".to_owned(),
            kind => format!("no {kind}List"),
        });
    }
    // Go writes an empty list as null.
    let items = page.items.unwrap_or_default();
    let mut objects = Vec::with_capacity(items.len());
    let mut bad = Vec::new();
    for item in items {
        match Object::deserialize(kind, api_version, &mut serde_json::Deserializer::from_str(item.get())) {
            Ok(mut object) => {
                interner.intern(&mut object);
                objects.push(object);
            }
            Err(error) => {
                let named: Named = serde_json::from_str(item.get()).unwrap_or_default();
                bad.push((name_in(kind, &named.metadata), malformed::json(&error)));
            }
        }
    }
    Ok(Page { objects, malformed: bad, next: page.metadata.next.filter(|next| !next.is_empty()) })
}
