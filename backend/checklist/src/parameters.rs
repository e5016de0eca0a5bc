//! What a person may set about the checklist, globally or for one cluster.

use crate::credentials::FingerprintKey;
use crate::distribution::Distribution;
use crate::image_reference::Pattern;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Parameters of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Namespaces that are system namespaces here, beside Kubernetes' and the distribution's own. A trailing
    /// `*` matches any ending.
    pub system_namespaces: Vec<String>,
    /// Namespaces that decide although they are Kubernetes' or the distribution's own; they win. A trailing `*`
    /// matches any ending.
    pub application_namespaces: Vec<String>,
    /// Whether violations in system namespaces decide workload items too.
    pub include_system_namespaces: bool,
    /// Who else is known to authenticate people.
    #[serde(rename = "api-server-third-party-auth")]
    pub api_server_third_party_auth: Recognisers,
    /// Which other monitors see flows.
    #[serde(rename = "network-traffic-monitoring")]
    pub network_traffic_monitoring: Recognisers,
    /// Which registries are trusted.
    #[serde(rename = "trusted-registries")]
    pub trusted_registries: TrustedRegistries,
    /// Which other managers keep secrets.
    #[serde(rename = "secret-manager")]
    pub secret_manager: Recognisers,
    /// The key of credentials' fingerprints. It is no setting: it stands in no file of settings and takes no part in
    /// the digest. Without one, a credential is told without a fingerprint, so that a change of it goes unnoticed; a
    /// key that everybody knows would be worse, since weak passwords could be tried against the fingerprints.
    #[serde(skip)]
    pub fingerprint_key: Option<FingerprintKey>,
}

/// What a person adds to the table of things that an item recognises.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recognisers {
    /// One for each thing.
    pub recognise: Vec<Recogniser>,
}

/// How a workload is recognised that an item's own table does not know: by its image, by a label, or, where both are
/// given, by both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRecogniser", into = "RawRecogniser")]
pub struct Recogniser {
    name: String,
    image: Option<String>,
    label: Option<(String, Option<String>)>,
}

/// A recogniser that could recognise nothing, or everything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecogniser {
    /// It has no name.
    #[error("a recogniser has no `name`")]
    NoName,
    /// Nothing says what it recognises.
    #[error("the recogniser `{0}` has neither `image` nor `label`, so that it recognises nothing")]
    NothingToRecognise(String),
    /// The image is no repository.
    #[error(
        "the recogniser `{name}`: `{image}` is no repository of the form `acme/flow-agent`, without tag and digest"
    )]
    Image {
        /// The recogniser.
        name: String,
        /// What it says.
        image: String,
    },
    /// The label has no name.
    #[error("the recogniser `{name}`: `{label}` is no label of the form `name` or `name=value`")]
    Label {
        /// The recogniser.
        name: String,
        /// What it says.
        label: String,
    },
}

impl Recogniser {
    /// A recogniser: what it is called, an image's repository or its last components, a label as `name` or `name=value`.
    ///
    /// # Errors
    /// When it has no name, neither image nor label, or one of another form.
    pub fn new(
        name: String,
        image: Option<String>,
        label: Option<String>,
    ) -> Result<Self, InvalidRecogniser> {
        if name.trim().is_empty() {
            return Err(InvalidRecogniser::NoName);
        }
        if image.is_none() && label.is_none() {
            return Err(InvalidRecogniser::NothingToRecognise(name));
        }
        if let Some(image) = &image
            && (crate::recognise::image::repository(image) != image
                || image.split('/').any(str::is_empty)
                || image.contains(char::is_whitespace))
        {
            return Err(InvalidRecogniser::Image { name, image: image.clone() });
        }
        let label = match label {
            None => None,
            Some(text) => {
                let (key, value) = match text.split_once('=') {
                    Some((key, value)) => (key, Some(value.to_owned())),
                    None => (text.as_str(), None),
                };
                if key.is_empty() || key.contains(char::is_whitespace) {
                    return Err(InvalidRecogniser::Label { name, label: text });
                }
                Some((key.to_owned(), value))
            }
        };
        Ok(Recogniser { name, image, label })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The end of the image's repository.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The label's name, and its value where one is asked for.
    pub fn label(&self) -> Option<(&str, Option<&str>)> {
        self.label.as_ref().map(|(key, value)| (key.as_str(), value.as_deref()))
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecogniser {
    #[serde(default)]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl TryFrom<RawRecogniser> for Recogniser {
    type Error = InvalidRecogniser;

    fn try_from(raw: RawRecogniser) -> Result<Self, Self::Error> {
        Recogniser::new(raw.name, raw.image, raw.label)
    }
}

impl From<Recogniser> for RawRecogniser {
    fn from(recogniser: Recogniser) -> Self {
        let label = recogniser.label.map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => key,
        });
        RawRecogniser { name: recogniser.name, image: recogniser.image, label }
    }
}

/// Which registries are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrustedRegistries {
    /// Registries, with or without the first components of a repository: `registry.k8s.io`, `ghcr.io/acme`.
    pub allow: Vec<Pattern>,
}

impl Parameters {
    /// A digest that changes when the parameters do.
    pub fn digest(&self) -> String {
        // Serialising plain fields cannot fail; an empty text would only make two digests equal.
        let text = serde_json::to_string(self).unwrap_or_default();
        crate::fingerprint::hex(&Sha256::digest(text.as_bytes()))[..16].to_owned()
    }

    /// Whether a namespace is a system namespace.
    pub fn is_system(&self, namespace: &str, distribution: Distribution) -> bool {
        let system = matches!(namespace, "kube-system" | "kube-public" | "kube-node-lease")
            || distribution.system_namespaces().iter().any(|pattern| matches(pattern, namespace))
            || self.system_namespaces.iter().any(|pattern| matches(pattern, namespace));
        system && !self.application_namespaces.iter().any(|pattern| matches(pattern, namespace))
    }
}

fn matches(pattern: &str, namespace: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => namespace.starts_with(prefix),
        None => namespace == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Recogniser, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn recognisers_that_recognise_nothing_are_refused_in_clear_words() {
        for (text, error) in [
            (r#"{"name": "Flow"}"#, "neither `image` nor `label`"),
            (r#"{"image": "acme/flow"}"#, "no `name`"),
            (r#"{"name": "Flow", "image": "acme/flow:1.0"}"#, "without tag and digest"),
            (r#"{"name": "Flow", "image": "acme//flow"}"#, "no repository"),
            (r#"{"name": "Flow", "image": ""}"#, "no repository"),
            (r#"{"name": "Flow", "label": "=x"}"#, "no label"),
            (r#"{"name": "Flow", "images": "acme/flow"}"#, "unknown field `images`"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(error), "{text}: {refused}");
        }
    }

    #[test]
    fn recognisers_come_back_as_they_were_written() {
        for text in [
            r#"{"name":"Flow","image":"acme/flow"}"#,
            r#"{"name":"Flow","label":"role=monitor"}"#,
            r#"{"name":"Flow","image":"registry.example:5000/flow","label":"role"}"#,
        ] {
            assert_eq!(serde_json::to_string(&parse(text).unwrap()).unwrap(), text);
        }
    }
}
