//! The form of `rampart.toml`.

use super::values::Account;
use super::{ConfigurationError, Interval, Kubelets, Timeout, error::line_of};
use chrono_tz::Tz;
use croner::Cron;
use rampart_checklist::Parameters;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};
use toml::Spanned;

/// The file. Its scalars are settings of the process; each is a flag and a variable too.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<SocketAddr>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) kubeconfig: Option<PathBuf>,
    pub(super) interval: Option<Interval>,
    pub(super) timeout: Option<Timeout>,
    pub(super) kubelets: Option<Kubelets>,
    pub(super) kubelet_service_account: Option<Account>,
    pub(super) control_plane_metrics: Option<bool>,
    pub(super) admission_probe: Option<bool>,
    pub(super) concurrency: Option<NonZeroUsize>,
    pub(super) log: Option<String>,
    /// Names beside the listen address and localhost by which browsers may ask for pages.
    #[serde(default)]
    pub(super) allowed_hosts: Vec<String>,
    #[serde(default)]
    pub(super) checklist: Parameters,
    #[serde(default, rename = "cluster")]
    pub(super) clusters: Vec<Spanned<ClusterEntry>>,
}

/// A `[[cluster]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterEntry {
    pub(super) name: Spanned<String>,
    pub(super) context: Option<String>,
    pub(super) kubeconfig: Option<PathBuf>,
    #[serde(default)]
    pub(super) in_cluster: bool,
    pub(super) snapshot: Option<PathBuf>,
    #[serde(default)]
    pub(super) assume_complete: bool,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) interval: Option<Interval>,
    #[serde(default, deserialize_with = "cron")]
    pub(super) cron: Option<Cron>,
    #[serde(default, deserialize_with = "timezone")]
    pub(super) timezone: Option<Tz>,
    pub(super) timeout: Option<Timeout>,
    pub(super) kubelets: Option<Kubelets>,
    pub(super) kubelet_service_account: Option<Account>,
    pub(super) control_plane_metrics: Option<bool>,
    pub(super) admission_probe: Option<bool>,
    pub(super) remediation_dry_run: Option<DryRunIdentity>,
    pub(super) checklist: Option<Parameters>,
}

/// As whom remediations are tried on a cluster: the identity that reads has no right to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DryRunIdentity {
    pub(super) kubeconfig: Option<PathBuf>,
    pub(super) context: String,
}

impl File {
    /// Reads the text; paths in it are taken from the file's own folder.
    pub(super) fn parse(text: &str, path: &Path) -> Result<File, ConfigurationError> {
        let mut file: File = toml::from_str(text).map_err(|error| invalid(&error, text, path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in [&mut file.data_dir, &mut file.kubeconfig].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        for cluster in &mut file.clusters {
            let cluster = cluster.get_mut();
            let dry_run =
                cluster.remediation_dry_run.as_mut().and_then(|identity| identity.kubeconfig.as_mut());
            for path in
                [cluster.kubeconfig.as_mut(), cluster.snapshot.as_mut(), dry_run].into_iter().flatten()
            {
                *path = folder.join(&*path);
            }
        }
        Ok(file)
    }
}

fn invalid(error: &toml::de::Error, text: &str, path: &Path) -> ConfigurationError {
    let cause =
        error.message().replace("unknown field", "unknown key").replace("missing field", "missing key");
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    ConfigurationError::Invalid { path: path.to_path_buf(), line, cause: cause.trim().replace('\n', " ") }
}

fn cron<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cron>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|cause| {
        D::Error::custom(format!(
            "cron `{text}` is no cron expression ({cause}): write minute, hour, day, month and weekday, as in 0 6 * * *"
        ))
    })
}

fn timezone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tz>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format!(
            "timezone `{text}` is not known: write one of the IANA names, as in Europe/Berlin"
        ))
    })
}
