//! Values with a form of their own, the same in the file, in flags and in variables.

use rampart_checklist::rbac::AccountName;
use rampart_cluster::live::KubeletReading;
use serde::Deserialize;
use std::{fmt, str::FromStr, time::Duration};

/// The time from one evaluation to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Interval(Duration);

impl Interval {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

    /// As a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl Default for Interval {
    fn default() -> Self {
        Interval(Duration::from_secs(3600))
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration("interval", text, Self::SHORTEST, Self::LONGEST).map(Interval)
    }
}

/// How long reading one cluster may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Timeout(Duration);

impl Timeout {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// As a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Timeout(Duration::from_secs(120))
    }
}

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration("timeout", text, Self::SHORTEST, Self::LONGEST).map(Timeout)
    }
}

/// How the configuration of kubelets is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Kubelets {
    /// Directly where a service account is configured for it, else through the API server's node proxy where that
    /// is allowed.
    #[default]
    Auto,
    /// At each kubelet's own port, with a short-lived token.
    Direct,
    /// Not at all.
    Off,
    /// Through the API server's node proxy.
    Proxy,
}

impl Kubelets {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kubelets::Auto => "auto",
            Kubelets::Direct => "direct",
            Kubelets::Off => "off",
            Kubelets::Proxy => "proxy",
        }
    }
}

impl FromStr for Kubelets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Kubelets::Auto),
            "off" => Ok(Kubelets::Off),
            "proxy" => Ok(Kubelets::Proxy),
            "direct" => Ok(Kubelets::Direct),
            _ => Err(format!("kubelets `{text}` is none of auto, direct, off, proxy")),
        }
    }
}

impl From<Kubelets> for KubeletReading {
    fn from(kubelets: Kubelets) -> Self {
        match kubelets {
            Kubelets::Auto => KubeletReading::Auto,
            Kubelets::Direct => KubeletReading::Direct,
            Kubelets::Off => KubeletReading::Off,
            Kubelets::Proxy => KubeletReading::Proxy,
        }
    }
}

/// A service account, as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Account(AccountName);

impl Account {
    pub(super) fn into_name(self) -> AccountName {
        self.0
    }
}

impl TryFrom<String> for Account {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Account).map_err(|cause: String| format!("kubelet_service_account: {cause}"))
    }
}

/// A duration in words such as `1h 30m`, within bounds.
fn duration(key: &str, text: &str, shortest: Duration, longest: Duration) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|cause| {
        format!("{key} `{text}` is no time span ({cause}): write it like 90s, 30m, 1h or 1h 30m")
    })?;
    if (shortest..=longest).contains(&duration) {
        Ok(duration)
    } else {
        let (shortest, longest) = (humantime::format_duration(shortest), humantime::format_duration(longest));
        Err(format!("{key} `{text}` must be at least {shortest} and at most {longest}"))
    }
}

macro_rules! text_form {
    ($($name:ident => $text:expr),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text: fn(&$name) -> String = $text;
                f.write_str(&text(self))
            }
        }
    )*};
}

text_form! {
    Interval => |interval| humantime::format_duration(interval.0).to_string(),
    Timeout => |timeout| humantime::format_duration(timeout.0).to_string(),
    Kubelets => |kubelets| kubelets.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_bounded() {
        assert_eq!("1h 30m".parse::<Interval>().unwrap().duration(), Duration::from_secs(5400));
        assert_eq!(Interval::default().to_string(), "1h");
        let error = "5 parsecs".parse::<Interval>().unwrap_err();
        assert!(error.starts_with("interval `5 parsecs` is no time span"), "{error}");
        let error = "0s".parse::<Timeout>().unwrap_err();
        assert_eq!(error, "timeout `0s` must be at least 1s and at most 1day");
    }

    #[test]
    fn ways_of_reading_kubelets() {
        assert_eq!("direct".parse(), Ok(Kubelets::Direct));
        assert_eq!(
            "of".parse::<Kubelets>().unwrap_err(),
            "kubelets `of` is none of auto, direct, off, proxy"
        );
    }
}
