//! The names of objects that cannot be used.

use rampart_checklist::Kind;
use serde_json::Value;

/// Longer than `namespace/name` may be; what is longer is no name.
const LONGEST: usize = 320;

/// `name` or `namespace/name`, as gaps have it, from the metadata of an object of this kind.
pub(crate) fn name_in(kind: Kind, metadata: &Value) -> Option<String> {
    let text = |field: &str| metadata.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name")?;
    let name = if kind.is_namespaced() {
        format!("{}/{name}", text("namespace").unwrap_or("default"))
    } else {
        name.to_owned()
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | ':' | '_');
    (name.len() <= LONGEST && name.chars().all(is_name)).then_some(name)
}
