//! An object of a kind that has no projection of its own, kept as it is but for its metadata.

use super::{Kind, ObjectMeta};
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A custom resource, or a built-in kind of which there are few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its kind.
    pub kind: Kind,
    /// The kind as the object names it; Gatekeeper's constraints have many.
    pub object_kind: String,
    /// Its API version.
    pub api_version: String,
    /// Its metadata.
    pub meta: ObjectMeta,
    /// When it was created; none in manifests. Of two policies some engines take the older.
    pub created: Option<DateTime<Utc>>,
    /// Everything but `apiVersion`, `kind` and `metadata`: `spec`, `status` and what else stands at its top.
    pub body: Value,
}

impl Resource {
    /// The body as an engine reads it.
    ///
    /// # Errors
    /// When a field has another type than the engine knows.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.body)
    }

    /// `name` or `namespace/name`, as gaps have it.
    pub fn name(&self) -> String {
        if self.kind.is_namespaced() {
            format!("{}/{}", self.meta.namespace_or_default(), self.meta.name)
        } else {
            self.meta.name.clone()
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        kind: Kind,
        api_version: &str,
        deserializer: D,
    ) -> Result<Resource, D::Error> {
        let mut body = Map::deserialize(deserializer)?;
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let said_version = text(body.remove("apiVersion"));
        let object_kind = text(body.remove("kind")).unwrap_or_else(|| kind.kind().to_owned());
        let api_version = match (said_version, api_version) {
            (Some(said), _) => said,
            (None, "") => kind.api_version(),
            (None, given) => given.to_owned(),
        };
        let metadata = body.remove("metadata").unwrap_or_default();
        let created = metadata.get("creationTimestamp").and_then(Value::as_str).and_then(|t| t.parse().ok());
        // The values of hostile objects must not reach an error: only the shape is told.
        let meta = Option::<ObjectMeta>::deserialize(metadata)
            .map_err(|_| D::Error::custom("metadata has another form than the API gives it"))?;
        Ok(Resource {
            kind,
            object_kind,
            api_version,
            meta: meta.unwrap_or_default(),
            created,
            body: Value::Object(body),
        })
    }
}
