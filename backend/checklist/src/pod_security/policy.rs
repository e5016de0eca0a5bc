//! What a namespace's labels ask for.
//!
//! After <https://github.com/kubernetes/pod-security-admission/blob/v0.36.3/api/helpers.go>.

use crate::inventory::Labels;
use std::fmt;

/// The level that is enforced.
pub const ENFORCE_LABEL: &str = "pod-security.kubernetes.io/enforce";
/// The version of the enforced level.
pub const ENFORCE_VERSION_LABEL: &str = "pod-security.kubernetes.io/enforce-version";
/// The level whose violations are recorded in the audit log.
pub const AUDIT_LABEL: &str = "pod-security.kubernetes.io/audit";
/// The version of the audited level.
pub const AUDIT_VERSION_LABEL: &str = "pod-security.kubernetes.io/audit-version";
/// The level whose violations are answered with a warning.
pub const WARN_LABEL: &str = "pod-security.kubernetes.io/warn";
/// The version of the warned level.
pub const WARN_VERSION_LABEL: &str = "pod-security.kubernetes.io/warn-version";

/// The newest minor release of Kubernetes 1 whose controls are known here.
pub const NEWEST_MINOR: u64 = 36;

/// A level; a stricter one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Forbids nothing.
    #[default]
    Privileged,
    /// Forbids known privilege escalations.
    Baseline,
    /// Asks for hardened pods.
    Restricted,
}

/// The version of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// That of the API server.
    #[default]
    Latest,
    /// That of this minor release of Kubernetes 1.
    V1(u64),
}

/// A level at a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LevelVersion {
    /// The level.
    pub level: Level,
    /// Its version.
    pub version: Version,
}

/// What applies to the pods of a namespace. The default is the API server's own: `privileged` in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NamespacePolicy {
    /// What breaks this is refused.
    pub enforce: LevelVersion,
    /// What breaks this is recorded in the audit log.
    pub audit: LevelVersion,
    /// What breaks this is answered with a warning.
    pub warn: LevelVersion,
}

/// A label that does not say what it should. The API server refuses to set one, yet keeps one that it already
/// had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabel {
    /// No such level.
    #[error("{label}={value:?}: must be one of privileged, baseline, restricted")]
    Level {
        /// The label.
        label: &'static str,
        /// What it says.
        value: String,
    },
    /// No such version.
    #[error("{label}={value:?}: must be \"latest\" or \"v1.x\"")]
    Version {
        /// The label.
        label: &'static str,
        /// What it says.
        value: String,
    },
}

impl Level {
    /// Reads a label's value.
    pub fn parse(value: &str) -> Option<Level> {
        [Level::Privileged, Level::Baseline, Level::Restricted]
            .into_iter()
            .find(|level| level.name() == value)
    }

    /// Its name in a label.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        }
    }
}

impl Version {
    /// Reads a label's value: `latest`, or `v1.` and a number without leading zeros.
    pub fn parse(value: &str) -> Option<Version> {
        if value == "latest" {
            return Some(Version::Latest);
        }
        let minor = value.strip_prefix("v1.")?;
        let digits = minor.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = minor.len() > 1 && minor.starts_with('0');
        // The API server reads into a signed integer: what that cannot hold is invalid.
        let minor = minor.parse::<i64>().ok().filter(|_| digits && !leading_zero)?;
        u64::try_from(minor).ok().map(Version::V1)
    }

    /// The minor release whose controls an API server evaluates: no newer one than its own. Where its own is
    /// not known, the newest that is known here stands for it.
    pub fn minor_on(self, server_minor: Option<u64>) -> u64 {
        let latest = server_minor.unwrap_or(NEWEST_MINOR);
        match self {
            Version::Latest => latest,
            Version::V1(minor) => minor.min(latest),
        }
    }
}

impl LevelVersion {
    /// Whether the controls that an API server evaluates for it are known here. Those of a release newer than
    /// [`NEWEST_MINOR`] are not: they may forbid more, and may forbid less.
    pub fn is_known_on(self, server_minor: u64) -> bool {
        self.level == Level::Privileged || self.version.minor_on(Some(server_minor)) <= NEWEST_MINOR
    }
}

impl NamespacePolicy {
    /// Reads a namespace's labels; `defaults` are what the API server's configuration sets. An invalid
    /// version means `latest`; an invalid level means `restricted` for `enforce`, and `privileged` for
    /// `audit` and `warn`.
    pub fn from_labels(labels: &Labels, defaults: NamespacePolicy) -> (NamespacePolicy, Vec<InvalidLabel>) {
        let mut policy = defaults;
        let mut reader = Reader { labels, invalid: Vec::new() };

        let enforce = reader.level(ENFORCE_LABEL);
        policy.enforce.level = enforce.or(Level::Restricted, defaults.enforce.level);
        policy.enforce.version = reader.version(ENFORCE_VERSION_LABEL, defaults.enforce.version);
        policy.audit.level = reader.level(AUDIT_LABEL).or(Level::Privileged, defaults.audit.level);
        policy.audit.version = reader.version(AUDIT_VERSION_LABEL, defaults.audit.version);
        let warn = reader.level(WARN_LABEL);
        policy.warn.level = warn.or(Level::Privileged, defaults.warn.level);
        policy.warn.version = reader.version(WARN_VERSION_LABEL, defaults.warn.version);

        // An enforced level is warned of too, unless the namespace says how much to warn of.
        if let (Setting::Valid(enforced), Setting::Absent) = (enforce, warn)
            && enforced > policy.warn.level
        {
            policy.warn.level = enforced;
            if !labels.contains_key(WARN_VERSION_LABEL) {
                policy.warn.version = policy.enforce.version;
            }
        }
        (policy, reader.invalid)
    }
}

/// The minor release of an API server, out of its version such as `v1.36.3`.
pub fn server_minor(version: &str) -> Option<u64> {
    let minor = version.strip_prefix('v').unwrap_or(version).strip_prefix("1.")?;
    let end = minor.find(|character: char| !character.is_ascii_digit()).unwrap_or(minor.len());
    minor.get(..end)?.parse().ok()
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Latest => formatter.write_str("latest"),
            Version::V1(minor) => write!(formatter, "v1.{minor}"),
        }
    }
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.level, self.version)
    }
}

#[derive(Clone, Copy)]
enum Setting {
    Absent,
    Valid(Level),
    Invalid,
}

impl Setting {
    fn or(self, invalid: Level, absent: Level) -> Level {
        match self {
            Setting::Absent => absent,
            Setting::Valid(level) => level,
            Setting::Invalid => invalid,
        }
    }
}

struct Reader<'a> {
    labels: &'a Labels,
    invalid: Vec<InvalidLabel>,
}

impl Reader<'_> {
    fn level(&mut self, label: &'static str) -> Setting {
        let Some(value) = self.labels.get(label) else { return Setting::Absent };
        Level::parse(value).map_or_else(
            || {
                self.invalid.push(InvalidLabel::Level { label, value: value.clone() });
                Setting::Invalid
            },
            Setting::Valid,
        )
    }

    fn version(&mut self, label: &'static str, default: Version) -> Version {
        let Some(value) = self.labels.get(label) else { return default };
        Version::parse(value).unwrap_or_else(|| {
            self.invalid.push(InvalidLabel::Version { label, value: value.clone() });
            Version::Latest
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: NamespacePolicy = NamespacePolicy {
        enforce: LevelVersion { level: Level::Privileged, version: Version::Latest },
        audit: LevelVersion { level: Level::Privileged, version: Version::Latest },
        warn: LevelVersion { level: Level::Privileged, version: Version::Latest },
    };

    /// The policy as `enforce audit warn`, and how many labels are invalid. Labels without their common
    /// prefix.
    fn read(defaults: NamespacePolicy, labels: &[(&str, &str)]) -> (String, usize) {
        let labels = labels
            .iter()
            .map(|(label, value)| (format!("pod-security.kubernetes.io/{label}"), (*value).to_owned()))
            .collect();
        let (NamespacePolicy { enforce, audit, warn }, invalid) =
            NamespacePolicy::from_labels(&labels, defaults);
        (format!("{enforce} {audit} {warn}"), invalid.len())
    }

    #[test]
    fn labels_are_read_as_upstream_reads_them() {
        for (labels, policy, invalid) in [
            (&[][..], "privileged:latest privileged:latest privileged:latest", 0),
            (&[("enforce", "baseline")], "baseline:latest privileged:latest baseline:latest", 0),
            (
                &[("enforce", "restricted"), ("enforce-version", "v1.22")],
                "restricted:v1.22 privileged:latest restricted:v1.22",
                0,
            ),
            (
                &[("enforce", "restricted"), ("enforce-version", "v1.22"), ("warn-version", "v1.30")],
                "restricted:v1.22 privileged:latest restricted:v1.30",
                0,
            ),
            (
                &[("enforce", "restricted"), ("warn", "baseline")],
                "restricted:latest privileged:latest baseline:latest",
                0,
            ),
            (
                &[("enforce", "baseline"), ("warn", "privileged")],
                "baseline:latest privileged:latest privileged:latest",
                0,
            ),
            (&[("enforce-version", "v1.9")], "privileged:v1.9 privileged:latest privileged:latest", 0),
            (
                &[("audit", "baseline"), ("audit-version", "v1.0"), ("warn", "restricted")],
                "privileged:latest baseline:v1.0 restricted:latest",
                0,
            ),
            // An invalid level closes `enforce` and opens the others; only a valid one is warned of.
            (&[("enforce", "Baseline")], "restricted:latest privileged:latest privileged:latest", 1),
            (&[("enforce", "")], "restricted:latest privileged:latest privileged:latest", 1),
            (
                &[("enforce", "baseline"), ("audit", "x"), ("warn", "x")],
                "baseline:latest privileged:latest privileged:latest",
                2,
            ),
            (
                &[("enforce", "baseline"), ("enforce-version", "1.22")],
                "baseline:latest privileged:latest baseline:latest",
                1,
            ),
        ] {
            assert_eq!(read(DEFAULT, labels), (policy.to_owned(), invalid), "{labels:?}");
        }
    }

    #[test]
    fn labels_stand_before_the_configured_defaults() {
        let configured = LevelVersion { level: Level::Baseline, version: Version::V1(24) };
        let defaults = NamespacePolicy { enforce: configured, audit: configured, warn: configured };
        for (labels, policy) in [
            (&[][..], "baseline:v1.24 baseline:v1.24 baseline:v1.24"),
            (&[("unrelated", "x")], "baseline:v1.24 baseline:v1.24 baseline:v1.24"),
            (&[("enforce", "privileged")], "privileged:v1.24 baseline:v1.24 baseline:v1.24"),
            (
                &[("enforce", "restricted"), ("enforce-version", "latest")],
                "restricted:latest baseline:v1.24 restricted:latest",
            ),
            (&[("warn", "x")], "baseline:v1.24 baseline:v1.24 privileged:v1.24"),
        ] {
            assert_eq!(read(defaults, labels).0, policy, "{labels:?}");
        }
    }

    #[test]
    fn versions() {
        for (value, version) in [
            ("latest", Some(Version::Latest)),
            ("v1.0", Some(Version::V1(0))),
            ("v1.36", Some(Version::V1(36))),
            ("v1.9223372036854775807", Some(Version::V1(9_223_372_036_854_775_807))),
            ("v1.9223372036854775808", None),
            ("v1.036", None),
            ("v1.+1", None),
            ("v1.-1", None),
            ("v1.", None),
            ("v1", None),
            ("v2.1", None),
            ("v1.25.1", None),
            ("1.25", None),
            ("Latest", None),
            (" v1.25", None),
            ("v1.25\n", None),
            ("v1.٣", None),
            ("", None),
        ] {
            assert_eq!(Version::parse(value), version, "{value:?}");
        }
    }

    #[test]
    fn no_version_is_newer_than_the_server() {
        for (version, server, minor) in [
            (Version::Latest, Some(30), 30),
            (Version::Latest, None, NEWEST_MINOR),
            (Version::V1(25), Some(30), 25),
            (Version::V1(31), Some(30), 30),
            (Version::V1(99), None, NEWEST_MINOR),
        ] {
            assert_eq!(version.minor_on(server), minor, "{version} on {server:?}");
        }
        let level_version = |level, version| LevelVersion { level, version };
        assert!(level_version(Level::Baseline, Version::Latest).is_known_on(NEWEST_MINOR));
        assert!(!level_version(Level::Baseline, Version::Latest).is_known_on(NEWEST_MINOR + 1));
        assert!(!level_version(Level::Restricted, Version::V1(99)).is_known_on(NEWEST_MINOR + 1));
        assert!(level_version(Level::Restricted, Version::V1(25)).is_known_on(NEWEST_MINOR + 1));
        assert!(level_version(Level::Privileged, Version::Latest).is_known_on(NEWEST_MINOR + 1));
    }

    #[test]
    fn server_versions() {
        for (version, minor) in [
            ("v1.36.3", Some(36)),
            ("v1.29.4-eks-036c24b", Some(29)),
            ("v1.30+", Some(30)),
            ("1.31.0+k3s1", Some(31)),
            ("v2.1.0", None),
            ("v1.x", None),
            ("", None),
        ] {
            assert_eq!(server_minor(version), minor, "{version:?}");
        }
    }
}
