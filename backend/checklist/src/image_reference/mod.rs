//! References to images, read as container runtimes read them, and the entries of an allow-list.
//!
//! The grammar and its normalisation are those of the distribution project, which kubelets and containerd use:
//! <https://github.com/distribution/reference>. The crates that read references (`oci-client`, `oci-spec`) know no
//! IPv6 registry, add `:latest` by themselves, and say of a wrong reference only that it is wrong.
//!
//! One difference is on purpose: where the registry has an underscore, as in `my_registry.io/shop`, upstream reads a
//! repository without a registry; here it is an error that names the registry.

mod pattern;

pub use pattern::{Pattern, PatternError};

use std::fmt;
use std::str::FromStr;

/// The registry of an image that names none.
pub const DEFAULT_REGISTRY: &str = "docker.io";
const LEGACY_DEFAULT_REGISTRY: &str = "index.docker.io";
const OFFICIAL: &str = "library";
const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// A reference to an image. `Display` is its full form: `docker.io/library/nginx:1.29`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
    unqualified: bool,
}

impl ImageReference {
    /// The registry, with its port when one is written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag that is written; none means `latest` unless there is a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, with its algorithm.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Whether no registry is written, so that the runtime chooses one. CRI-O may search several.
    pub const fn unqualified(&self) -> bool {
        self.unqualified
    }

    /// The form without what Docker Hub leaves out: `nginx:1.29`.
    pub fn familiar(&self) -> String {
        let name = match self.repository.strip_prefix("library/") {
            _ if self.registry != DEFAULT_REGISTRY => format!("{}/{}", self.registry, self.repository),
            Some(official) if !official.contains('/') => official.to_owned(),
            _ => self.repository.clone(),
        };
        name + &self.version()
    }

    fn version(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        tag + &self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, self.version())
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if is_identifier(text) {
            return Err(ReferenceError::Identifier);
        }
        let (registry, rest) = split_registry(text);
        if let Some(registry) = registry {
            check_registry(registry)?;
        }
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (rest, None),
        };
        let (repository, tag) = match name.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (name, None),
        };
        check_repository(repository)?;
        tag.map_or(Ok(()), check_tag)?;
        digest.map_or(Ok(()), check_digest)?;

        let normal = match registry {
            None | Some(LEGACY_DEFAULT_REGISTRY) => DEFAULT_REGISTRY,
            Some(registry) => registry,
        };
        let repository = if normal == DEFAULT_REGISTRY && !repository.contains('/') {
            format!("{OFFICIAL}/{repository}")
        } else {
            repository.to_owned()
        };
        if repository.len() > LONGEST_REPOSITORY {
            return Err(ReferenceError::RepositoryTooLong);
        }
        Ok(ImageReference {
            registry: normal.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
            unqualified: registry.is_none(),
        })
    }
}

/// Why a text is no reference to an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing is written.
    #[error("the image is empty")]
    Empty,
    /// 64 hexadecimal digits are the identifier of an image, not its name.
    #[error("64 hexadecimal digits are an image's identifier, not a repository")]
    Identifier,
    /// The registry is no host with an optional port.
    #[error("registry `{0}` is not a host name or address with an optional port")]
    Registry(String),
    /// Nothing is left for the repository.
    #[error("the repository is missing")]
    RepositoryMissing,
    /// The repository has a capital letter.
    #[error("repository `{0}` has an uppercase letter; repositories are lowercase")]
    Uppercase(String),
    /// A component of the repository breaks the grammar.
    #[error(
        "`{component}` in repository `{repository}` is not lowercase letters and digits with single `.`, `_`, \
         `__` or dashes between them"
    )]
    Component {
        /// The component.
        component: String,
        /// The repository.
        repository: String,
    },
    /// The repository is too long.
    #[error("the repository is longer than {LONGEST_REPOSITORY} characters")]
    RepositoryTooLong,
    /// The tag breaks the grammar.
    #[error(
        "tag `{0}` is not a letter, digit or `_`, followed by up to 127 letters, digits, `_`, `.` or `-`"
    )]
    Tag(String),
    /// The digest's algorithm is not one that runtimes support.
    #[error("digest algorithm `{0}` is not sha256, sha384 or sha512")]
    DigestAlgorithm(String),
    /// The digest is not as long as its algorithm makes it, or not lowercase hexadecimal.
    #[error("digest `{0}` is not the {1} lowercase hexadecimal digits of its algorithm")]
    Digest(String, usize),
}

/// The registry, if one is written, and the rest. The first component is a registry when it could not be part of a
/// repository: it is `localhost`, has a dot, a colon, or an uppercase letter.
fn split_registry(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.chars().any(char::is_uppercase) =>
        {
            (Some(first), rest)
        }
        _ => (None, text),
    }
}

fn check_registry(registry: &str) -> Result<(), ReferenceError> {
    let wrong = || ReferenceError::Registry(registry.to_owned());
    let (host_is_right, port) = match registry.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or_else(wrong)?;
            let hexadecimal = |c: char| c.is_ascii_hexdigit() || c == ':';
            let port = match port {
                "" => None,
                _ => Some(port.strip_prefix(':').ok_or_else(wrong)?),
            };
            (!address.is_empty() && address.chars().all(hexadecimal), port)
        }
        None => {
            let (host, port) =
                registry.split_once(':').map_or((registry, None), |(host, port)| (host, Some(port)));
            (host.split('.').all(is_label), port)
        }
    };
    let port_is_right =
        port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    if host_is_right && port_is_right { Ok(()) } else { Err(wrong()) }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn check_repository(repository: &str) -> Result<(), ReferenceError> {
    if repository.is_empty() {
        return Err(ReferenceError::RepositoryMissing);
    }
    if repository.chars().any(char::is_uppercase) {
        return Err(ReferenceError::Uppercase(repository.to_owned()));
    }
    match repository.split('/').find(|component| !is_component(component)) {
        None => Ok(()),
        Some(component) => Err(ReferenceError::Component {
            component: component.to_owned(),
            repository: repository.to_owned(),
        }),
    }
}

fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && component.split(alphanumeric).all(|separator| {
            matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let right = tag.len() <= LONGEST_TAG
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || c == '.' || c == '-');
    if right { Ok(()) } else { Err(ReferenceError::Tag(tag.to_owned())) }
}

fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, encoded) = digest.split_once(':').unwrap_or((digest, ""));
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(ReferenceError::DigestAlgorithm(algorithm.to_owned())),
    };
    let right = encoded.len() == length && encoded.bytes().all(is_lowercase_hexadecimal);
    if right { Ok(()) } else { Err(ReferenceError::Digest(digest.to_owned(), length)) }
}

fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(is_lowercase_hexadecimal)
}

const fn is_lowercase_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHA256: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn parse(text: &str) -> Result<ImageReference, ReferenceError> {
        text.parse()
    }

    #[test]
    fn registry_repository_tag_digest() {
        type Case<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, bool);
        let cases: &[Case] = &[
            ("nginx", "docker.io", "library/nginx", None, true),
            ("nginx:1.29", "docker.io", "library/nginx", Some("1.29"), true),
            ("acme/shop:v1", "docker.io", "acme/shop", Some("v1"), true),
            ("library/nginx", "docker.io", "library/nginx", None, true),
            ("library/a/b", "docker.io", "library/a/b", None, true),
            ("docker.io/nginx", "docker.io", "library/nginx", None, false),
            ("index.docker.io/nginx:1", "docker.io", "library/nginx", Some("1"), false),
            ("index.docker.io/acme/shop", "docker.io", "acme/shop", None, false),
            ("registry-1.docker.io/nginx", "registry-1.docker.io", "nginx", None, false),
            ("ghcr.io/acme/shop:v2", "ghcr.io", "acme/shop", Some("v2"), false),
            ("localhost/shop", "localhost", "shop", None, false),
            ("localhost:5000/shop", "localhost:5000", "shop", None, false),
            ("localhost:5000/shop:7", "localhost:5000", "shop", Some("7"), false),
            ("registry:5000/shop", "registry:5000", "shop", None, false),
            // Without a slash there is no registry, whatever it looks like.
            ("localhost:5000", "docker.io", "library/localhost", Some("5000"), true),
            ("ghcr.io", "docker.io", "library/ghcr.io", None, true),
            ("10.0.0.1:80", "docker.io", "library/10.0.0.1", Some("80"), true),
            ("10.0.0.1:80/shop:81", "10.0.0.1:80", "shop", Some("81"), false),
            ("[fd00::7]/shop", "[fd00::7]", "shop", None, false),
            ("[fd00::7]:5000/team/shop:1", "[fd00::7]:5000", "team/shop", Some("1"), false),
            ("[::1]:5000/shop", "[::1]:5000", "shop", None, false),
            ("Intranet/shop", "Intranet", "shop", None, false),
            ("xn--n3h.com/snow:xn--n3h.com", "xn--n3h.com", "snow", Some("xn--n3h.com"), false),
            ("b.gcr.io/test.example.com/app", "b.gcr.io", "test.example.com/app", None, false),
            ("team/foo_bar.com:8080", "docker.io", "team/foo_bar.com", Some("8080"), true),
            ("a__b/c---d/e.f", "docker.io", "a__b/c---d/e.f", None, true),
            ("shop:Mixed_Case-1.0", "docker.io", "library/shop", Some("Mixed_Case-1.0"), true),
        ];
        for &(text, registry, repository, tag, unqualified) in cases {
            for digest in [None, Some(SHA256)] {
                let text = digest.map_or(text.to_owned(), |digest| format!("{text}@{digest}"));
                let image = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(
                    (image.registry(), image.repository(), image.tag(), image.digest(), image.unqualified()),
                    (registry, repository, tag, digest, unqualified),
                    "{text}"
                );
            }
        }
        let identifier = &SHA256[7..];
        assert_eq!(parse(&format!("docker.io/{identifier}")).unwrap().registry(), "docker.io");
        assert!(parse(&format!("shop@sha512:{}", "f".repeat(128))).is_ok());
        assert!(parse(&format!("x.io/{}a", "a/".repeat(127))).is_ok(), "255 characters");
    }

    #[test]
    fn familiar_and_full() {
        for (text, familiar, full) in [
            ("docker.io/library/nginx:1", "nginx:1", "docker.io/library/nginx:1"),
            ("library/a/b", "library/a/b", "docker.io/library/a/b"),
            ("index.docker.io/acme/shop", "acme/shop", "docker.io/acme/shop"),
            ("ghcr.io/library/shop:1", "ghcr.io/library/shop:1", "ghcr.io/library/shop:1"),
        ] {
            let image = parse(text).unwrap();
            assert_eq!((image.familiar(), image.to_string()), (familiar.to_owned(), full.to_owned()));
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let long_tag = format!("shop:{}", "t".repeat(129));
        let long_name = "a/".repeat(128) + "a";
        let short_digest = "shop@sha256:0123456789abcdef0123456789abcdef";
        let uppercase_digest = format!("shop@{}", SHA256.replace("2c", "2C"));
        for (text, named) in [
            ("", "empty"),
            (&SHA256[7..], "identifier"),
            ("https://ghcr.io/acme/shop", "registry `https:`"),
            ("fd00::7:5000/shop", "registry `fd00::7:5000`"),
            ("[fe80::1%eth0]:5000/shop", "registry `[fe80::1%eth0]:5000`"),
            ("[2001:db8::192.0.2.33]/shop", "registry `[2001:db8::192.0.2.33]`"),
            ("[]/shop.io", "`[]`"),
            ("-ghcr.io/acme/shop", "registry `-ghcr.io`"),
            ("ghcr..io/acme/shop", "registry `ghcr..io`"),
            ("ghcr.io:/shop", "registry `ghcr.io:`"),
            ("ghcr.io:http/shop", "registry `ghcr.io:http`"),
            ("foo_bar.com/shop", "registry `foo_bar.com`"),
            ("ghcr.io/", "repository is missing"),
            (":tag", "repository is missing"),
            ("@sha256:00", "repository is missing"),
            ("acme/Shop", "repository `acme/Shop` has an uppercase"),
            ("Nginx", "repository `Nginx` has an uppercase"),
            ("registry:5000/Acme/shop:v1", "repository `Acme/shop` has an uppercase"),
            ("acme///shop", "`` in repository `acme///shop`"),
            ("acme/", "`` in repository `acme/`"),
            ("-acme", "`-acme`"),
            ("acme-/shop", "`acme-` in"),
            ("x.io/ac..me/shop", "`ac..me` in"),
            ("x.io/ac_.me/shop", "`ac_.me` in"),
            ("ac___me/shop", "`ac___me` in"),
            ("____/____", "`____` in"),
            ("aa/asdf$$^/aa", "`asdf$$^` in"),
            ("ngïnx", "`ngïnx` in"),
            (" nginx", "` nginx` in"),
            ("nginx\n", "`nginx\n` in"),
            (&long_name, "longer than 255"),
            ("shop:", "tag `` "),
            ("shop:.hidden", "tag `.hidden`"),
            ("shop:a:b", "tag `a:b`"),
            ("[::1]:tag", "`[` in"),
            (&long_tag, "up to 127"),
            ("shop@", "algorithm ``"),
            ("shop@md5:0123456789abcdef0123456789abcdef", "algorithm `md5`"),
            (short_digest, "the 64 lowercase"),
            (&uppercase_digest, "the 64 lowercase"),
            ("shop@sha256", "the 64 lowercase"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn both_forms_read_back(
            text in "([a-z]{1,5}(\\.[a-z]{2,3})?(:[0-9]{2,4})?/)?([a-z0-9]{1,5}[._-])?[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,2}(:[a-zA-Z0-9_][a-z.-]{0,6})?(@sha256:[0-9a-f]{64})?"
        ) {
            let image = parse(&text);
            prop_assume!(image.is_ok());
            let image = image.unwrap();
            let same = |form: &str| {
                let read = parse(form).unwrap();
                (read.registry, read.repository, read.tag, read.digest)
            };
            let expected = (image.registry.clone(), image.repository.clone(), image.tag.clone(), image.digest.clone());
            prop_assert_eq!(same(&image.familiar()), expected.clone());
            prop_assert_eq!(same(&image.to_string()), expected);
        }
    }
}
