//! An entry of the allow-list of registries.

use super::{
    DEFAULT_REGISTRY, ImageReference, LEGACY_DEFAULT_REGISTRY, ReferenceError, check_registry,
    check_repository, split_registry,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A registry, or a registry and the first components of a repository: `registry.k8s.io`, `ghcr.io/acme`,
/// `docker.io/library`. A leading `*.` stands for the subdomains of a registry:
/// `*.dkr.ecr.eu-west-1.amazonaws.com`.
///
/// Only whole components match: `ghcr.io/acme` is not `ghcr.io/acme-evil`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    subdomains: bool,
    registry: String,
    repository: Option<String>,
}

impl Pattern {
    /// Reads an entry.
    pub fn parse(entry: &str) -> Result<Pattern, PatternError> {
        read(entry).map_err(|(problem, write)| PatternError { entry: entry.to_owned(), problem, write })
    }

    /// Whether an image comes from here.
    pub fn matches(&self, image: &ImageReference) -> bool {
        let registry = image.registry().to_ascii_lowercase();
        let registry_matches = if self.subdomains {
            registry
                .strip_suffix(&self.registry)
                .is_some_and(|labels| labels.strip_suffix('.').is_some_and(|labels| !labels.is_empty()))
        } else {
            registry == self.registry
        };
        registry_matches
            && self.repository.as_deref().is_none_or(|repository| {
                image
                    .repository()
                    .strip_prefix(repository)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.subdomains { "*." } else { "" }, self.registry)?;
        self.repository.as_deref().map_or(Ok(()), |repository| write!(f, "/{repository}"))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(entry: &str) -> Result<Self, PatternError> {
        Pattern::parse(entry)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(entry: String) -> Result<Self, PatternError> {
        Pattern::parse(&entry)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.to_string()
    }
}

/// An entry that cannot be used, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the registry `{entry}` cannot be used: {problem}; write {write}")]
pub struct PatternError {
    entry: String,
    problem: PatternProblem,
    write: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum PatternProblem {
    #[error("it is empty")]
    Empty,
    #[error("it has white space")]
    WhiteSpace,
    #[error("it is a URL")]
    Url,
    #[error("it ends with a slash")]
    TrailingSlash,
    #[error("it has a digest, and an entry stands for every version")]
    Digest,
    #[error("it has a tag, and an entry stands for every version")]
    Tag,
    #[error("`*` stands only for the subdomains of a registry, at the beginning")]
    Wildcard,
    #[error("it would match the registries of anybody")]
    TooWide,
    #[error("it names no registry")]
    NoRegistry,
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

type Problem = (PatternProblem, String);

const AN_EXAMPLE: &str = "a registry such as `registry.k8s.io` or a registry with the beginning of a repository such \
                          as `ghcr.io/acme`";
const A_WILDCARD: &str = "for example `*.dkr.ecr.eu-west-1.amazonaws.com`";

fn read(entry: &str) -> Result<Pattern, Problem> {
    let instead = |text: &str| if text.is_empty() { AN_EXAMPLE.to_owned() } else { format!("`{text}`") };
    if entry.is_empty() {
        return Err((PatternProblem::Empty, AN_EXAMPLE.to_owned()));
    }
    if entry.contains(char::is_whitespace) {
        let without: String = entry.split_whitespace().collect();
        return Err((PatternProblem::WhiteSpace, instead(&without)));
    }
    if let Some((_, rest)) = entry.split_once("://") {
        return Err((PatternProblem::Url, instead(rest.trim_end_matches('/'))));
    }
    if let Some(rest) = entry.strip_suffix("/*").or_else(|| entry.strip_suffix("/**")) {
        return Err((
            PatternProblem::Wildcard,
            format!("{}, which stands for all below it too", instead(rest)),
        ));
    }
    if entry.ends_with('/') {
        return Err((PatternProblem::TrailingSlash, instead(entry.trim_end_matches('/'))));
    }
    if let Some((name, _)) = entry.split_once('@') {
        return Err((PatternProblem::Digest, instead(name)));
    }
    let (subdomains, plain) = match entry.strip_prefix("*.") {
        Some(plain) => (true, plain),
        None => (false, entry),
    };
    if plain.contains('*') {
        return Err((PatternProblem::Wildcard, A_WILDCARD.to_owned()));
    }

    let (registry, repository) = match split_registry(plain) {
        (Some(registry), repository) => (registry, Some(repository)),
        // A registry alone must look like one; `acme` and `acme/shop` are repositories.
        (None, registry) if is_registry(registry) || subdomains && !registry.contains('/') => {
            (registry, None)
        }
        (None, repository) => {
            return Err((PatternProblem::NoRegistry, suggest(repository)));
        }
    };
    check_registry(registry).map_err(|error| (error.into(), AN_EXAMPLE.to_owned()))?;
    if subdomains && registry.split('.').count() < 2 {
        return Err((PatternProblem::TooWide, A_WILDCARD.to_owned()));
    }
    if let Some(repository) = repository {
        if let Some((name, _)) = repository.split_once(':') {
            return Err((PatternProblem::Tag, instead(&format!("{registry}/{name}"))));
        }
        check_repository(repository).map_err(|error| {
            let write = match &error {
                ReferenceError::Uppercase(repository) => {
                    format!("`{registry}/{}`", repository.to_lowercase())
                }
                _ => AN_EXAMPLE.to_owned(),
            };
            (error.into(), write)
        })?;
    }
    let registry = registry.to_ascii_lowercase();
    Ok(Pattern {
        registry: if !subdomains && registry == LEGACY_DEFAULT_REGISTRY {
            DEFAULT_REGISTRY.to_owned()
        } else {
            registry
        },
        subdomains,
        repository: repository.map(str::to_owned),
    })
}

/// Whether a text without a slash is a registry: `localhost`, with a dot, or with a port.
fn is_registry(text: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match text.rsplit_once(':') {
        _ if text.starts_with('[') => return true,
        Some((_, port)) if is_port(port) => return true,
        Some((host, _)) => host,
        None => text,
    };
    !host.contains('/') && (host == "localhost" || host.contains('.'))
}

/// What somebody who left out the registry may have meant.
fn suggest(repository: &str) -> String {
    let name = repository.split(':').next().unwrap_or_default();
    if name.contains('/') {
        format!("`{DEFAULT_REGISTRY}/{name}` if Docker Hub is meant")
    } else {
        format!(
            "`{DEFAULT_REGISTRY}/library/{name}` for the image or `{DEFAULT_REGISTRY}/{name}` for the account"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, image: &str) -> bool {
        Pattern::parse(pattern).expect(pattern).matches(&image.parse().expect(image))
    }

    #[test]
    fn whole_components_match() {
        for (pattern, image, expected) in [
            ("ghcr.io/acme", "ghcr.io/acme/shop:1", true),
            ("ghcr.io/acme", "ghcr.io/acme/team/shop", true),
            ("ghcr.io/acme", "ghcr.io/acme", true),
            ("ghcr.io/acme", "ghcr.io/acme-evil/shop", false),
            ("ghcr.io/acme", "ghcr.io/acmeevil", false),
            ("ghcr.io/acme", "ghcr.io.evil.com/acme/shop", false),
            ("ghcr.io/acme", "evil.com/ghcr.io/acme/shop", false),
            ("ghcr.io/acme", "ghcr.io:8443/acme/shop", false),
            ("ghcr.io/acme/shop", "ghcr.io/acme", false),
            (
                "ghcr.io/acme/shop",
                "ghcr.io/acme/shop@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                true,
            ),
            ("GHCR.io/acme", "ghcr.io/acme/shop", true),
            ("ghcr.io/acme", "GHCR.io/acme/shop", true),
            ("registry.k8s.io", "registry.k8s.io/pause:3.10", true),
            ("registry.k8s.io", "registry.k8s.io/a/b/c", true),
            ("registry.k8s.io", "xregistry.k8s.io/pause", false),
            ("registry.k8s.io", "pause", false),
            ("k8s.io", "registry.k8s.io/pause", false),
            ("docker.io", "nginx", true),
            ("docker.io", "acme/shop", true),
            ("index.docker.io", "nginx", true),
            ("docker.io/library", "nginx:1", true),
            ("docker.io/library", "acme/nginx", false),
            ("docker.io/library/nginx", "nginx", true),
            ("docker.io/library/nginx", "nginx-evil", false),
            ("docker.io/acme", "acme/shop", true),
            ("docker.io/nginx", "nginx", false),
            ("localhost", "localhost/shop", true),
            ("localhost:5000", "localhost:5000/shop", true),
            ("localhost:5000", "localhost/shop", false),
            ("localhost", "localhost:5000/shop", false),
            ("registry:5000/team", "registry:5000/team/shop", true),
            ("[fd00::7]:5000", "[fd00::7]:5000/shop", true),
            ("[fd00::7]", "[fd00::8]/shop", false),
            ("*.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop", true),
            ("*.dkr.ecr.eu-west-1.amazonaws.com", "dkr.ecr.eu-west-1.amazonaws.com/shop", false),
            ("*.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop", false),
            ("*.amazonaws.com", "evilamazonaws.com/shop", false),
            ("*.amazonaws.com", "a.amazonaws.com.evil.org/shop", false),
            ("*.azurecr.io/team", "acme.azurecr.io/team/shop", true),
            ("*.azurecr.io/team", "acme.azurecr.io/teams/shop", false),
            ("*.pkg.dev:443", "eu.pkg.dev:443/shop", true),
        ] {
            assert_eq!(matches(pattern, image), expected, "{pattern} and {image}");
        }
    }

    #[test]
    fn errors_name_the_entry_and_what_to_write() {
        for (entry, problem, write) in [
            ("", "empty", "`ghcr.io/acme`"),
            (" ghcr.io", "white space", "`ghcr.io`"),
            ("https://ghcr.io/acme/", "URL", "`ghcr.io/acme`"),
            ("ghcr.io/acme/", "slash", "`ghcr.io/acme`"),
            ("ghcr.io/acme/*", "subdomains", "`ghcr.io/acme`"),
            ("ghcr.io/acme/**", "subdomains", "`ghcr.io/acme`"),
            ("ghcr.io/acme*", "subdomains", "`*.dkr"),
            ("*", "subdomains", "`*.dkr"),
            ("*.*.io", "subdomains", "`*.dkr"),
            ("*.com", "anybody", "`*.dkr"),
            ("*.", "registry ``", "`ghcr.io/acme`"),
            ("ghcr.io/acme/shop:v1", "tag", "`ghcr.io/acme/shop`"),
            ("nginx:1.29.0-alpine", "no registry", "`docker.io/library/nginx`"),
            ("ghcr.io/acme/shop@sha256:00", "digest", "`ghcr.io/acme/shop`"),
            ("nginx", "no registry", "`docker.io/library/nginx`"),
            ("acme/shop", "no registry", "`docker.io/acme/shop`"),
            ("ghcr.io/Acme", "uppercase", "`ghcr.io/acme`"),
            ("ghcr.io//acme", "`` in repository", "`ghcr.io/acme`"),
            ("-ghcr.io", "registry `-ghcr.io`", "`registry.k8s.io`"),
            ("ghcr.io:port/acme", "registry `ghcr.io:port`", "`registry.k8s.io`"),
        ] {
            let error = Pattern::parse(entry).expect_err(entry).to_string();
            for part in [&format!("`{entry}`"), problem, write] {
                assert!(error.contains(part), "{part} is not in: {error}");
            }
        }
    }

    #[test]
    fn reads_from_toml_and_json_alike() {
        let patterns: Vec<Pattern> = serde_json::from_str(r#"["ghcr.io/acme", "*.azurecr.io"]"#).unwrap();
        assert_eq!(serde_json::to_string(&patterns).unwrap(), r#"["ghcr.io/acme","*.azurecr.io"]"#);
        let error = serde_json::from_str::<Vec<Pattern>>(r#"["acme"]"#).unwrap_err().to_string();
        assert!(error.contains("`docker.io/library/acme`"), "{error}");
    }

    proptest! {
        #[test]
        fn never_panics(entry in "\\PC*") {
            let _ = Pattern::parse(&entry);
        }

        #[test]
        fn an_image_matches_its_registry_and_every_beginning_of_its_repository(
            registry in "[a-z]{1,5}\\.(io|com)(:[0-9]{2,4})?", path in "[a-z]{1,4}(/[a-z]{1,4}){1,3}", other in "[a-z0-9]"
        ) {
            let image: ImageReference = format!("{registry}/{path}").parse().unwrap();
            let mut pattern = registry.clone();
            prop_assert!(Pattern::parse(&pattern).unwrap().matches(&image));
            for component in image.repository().split('/') {
                pattern = format!("{pattern}/{component}");
                prop_assert!(Pattern::parse(&pattern).unwrap().matches(&image));
                let longer = format!("{pattern}{other}");
                prop_assert!(!Pattern::parse(&longer).unwrap().matches(&image));
            }
        }

        #[test]
        fn display_reads_back(entry in "(\\*\\.)?[a-z]{1,5}\\.[a-z]{2,3}(:[0-9]{2,4})?(/[a-z]{1,4}){0,2}") {
            let pattern = Pattern::parse(&entry).unwrap();
            prop_assert_eq!(&Pattern::parse(&pattern.to_string()).unwrap(), &pattern);
        }
    }
}
