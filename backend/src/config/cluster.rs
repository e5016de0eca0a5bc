//! The clusters of a configuration.

use super::{
    ConfigurationError, Kubelets, Timeout, error::line_of, file::ClusterEntry, file::File, values::Account,
};
use crate::{collect::Access, schedule::Cadence};
use rampart_checklist::Parameters;
use rampart_checklist::rbac::AccountName;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Where a cluster's inventory is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterSource {
    /// A context of a kubeconfig.
    Context {
        /// The kubeconfig; none means the process's own, else `$KUBECONFIG` or `~/.kube/config`.
        kubeconfig: Option<PathBuf>,
        /// The context; none means the current one.
        context: Option<String>,
    },
    /// The service account of the pod that Rampart runs in.
    InCluster,
    /// A folder, an archive or a file.
    Snapshot {
        /// Where it is.
        path: PathBuf,
        /// Whether a kind that it lacks counts as empty.
        assume_complete: bool,
    },
}

/// A cluster as it is configured.
#[derive(Debug, Clone)]
pub struct ClusterConfiguration {
    /// Its name.
    pub name: String,
    /// Where its inventory is read from.
    pub source: ClusterSource,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it is evaluated; none means at the process's interval.
    pub cadence: Option<Cadence>,
    /// How long reading it may take; none means the process's setting.
    pub timeout: Option<Timeout>,
    /// How its kubelets are read; none means the process's setting.
    pub kubelets: Option<Kubelets>,
    /// Whose tokens its kubelets get where they are read directly; none means the process's setting.
    pub kubelet_service_account: Option<AccountName>,
    /// Whether `/flagz` and `/metrics` of its API server are read; none means the process's setting.
    pub control_plane_metrics: Option<bool>,
    /// Whether admission is asked, in dry runs, what it refuses; none means the process's setting.
    pub admission_probe: Option<bool>,
    /// As whom remediations are tried on it, in dry runs; none means that they are not.
    pub remediation_dry_run: Option<Access>,
    /// Its parameters of the checklist: its own, and the global ones where it has none.
    pub parameters: Parameters,
}

/// The longest name; names stand in addresses, in tables and in logs.
const LONGEST_NAME: usize = 200;

/// Checks what the file's form alone does not.
pub(super) fn clusters(
    file: &mut File,
    text: &str,
    path: &Path,
) -> Result<Vec<ClusterConfiguration>, ConfigurationError> {
    let invalid = |byte: usize, cause: String| ConfigurationError::Invalid {
        path: path.to_path_buf(),
        line: line_of(text, byte),
        cause,
    };
    // Parameters that a cluster does not set are the global ones, and only the text says which those set.
    let table: toml::Table = toml::from_str(text).map_err(|error| invalid(0, error.message().to_owned()))?;
    let global = table.get("checklist").and_then(toml::Value::as_table);
    let own_parameters = |index: usize| table.get("cluster")?.get(index)?.get("checklist")?.as_table();
    let mut names = BTreeSet::new();
    let mut clusters = Vec::new();
    for (index, entry) in std::mem::take(&mut file.clusters).into_iter().enumerate() {
        let start = entry.span().start;
        let entry = entry.into_inner();
        let name_at = entry.name.span().start;
        let name = entry.name.get_ref().clone();
        check_name(&name).map_err(|cause| invalid(name_at, cause))?;
        if !names.insert(name.clone()) {
            return Err(invalid(
                name_at,
                format!("there are two clusters of the name `{name}`: give one another name"),
            ));
        }
        let parameters = match (&entry.checklist, own_parameters(index)) {
            (Some(_), Some(own)) => {
                merged(global, own).map_err(|error| invalid(start, error.message().to_owned()))?
            }
            _ => file.checklist.clone(),
        };
        let cadence =
            cadence(&entry).map_err(|cause| invalid(start, format!("cluster `{name}`: {cause}")))?;
        let source = source(&entry).map_err(|cause| invalid(start, format!("cluster `{name}`: {cause}")))?;
        let ClusterEntry { labels, timeout, kubelets, control_plane_metrics, admission_probe, .. } = entry;
        let remediation_dry_run = entry.remediation_dry_run.map(|identity| Access::Context {
            kubeconfig: identity.kubeconfig.or_else(|| file.kubeconfig.clone()),
            context: Some(identity.context),
        });
        let kubelet_service_account = entry.kubelet_service_account.map(Account::into_name);
        clusters.push(ClusterConfiguration {
            name,
            source,
            labels,
            cadence,
            timeout,
            kubelets,
            kubelet_service_account,
            control_plane_metrics,
            admission_probe,
            remediation_dry_run,
            parameters,
        });
    }
    Ok(clusters)
}

fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        Err("name is empty: give the cluster a name".to_owned())
    } else if name.chars().count() > LONGEST_NAME {
        Err(format!("name is longer than {LONGEST_NAME} characters"))
    } else if name.chars().any(char::is_control) {
        Err(format!("name `{}` holds control characters", name.escape_debug()))
    } else if matches!(name, "." | "..") {
        Err(format!("name `{name}` cannot stand in an address: give the cluster another name"))
    } else {
        Ok(())
    }
}

fn cadence(entry: &ClusterEntry) -> Result<Option<Cadence>, String> {
    match (entry.interval, &entry.cron) {
        (Some(_), Some(_)) => Err("it has both interval and cron: keep one".to_owned()),
        (_, None) if entry.timezone.is_some() => {
            Err("timezone is of use with cron only: add cron, or remove it".to_owned())
        }
        (Some(interval), None) => Ok(Some(Cadence::Every(interval.duration()))),
        (None, Some(pattern)) => {
            let cadence = Cadence::Cron {
                pattern: Box::new(pattern.clone()),
                timezone: entry.timezone.unwrap_or(chrono_tz::UTC),
            };
            if cadence.ever_comes() {
                Ok(Some(cadence))
            } else {
                Err(format!("cron `{}` names a time that never comes", pattern.as_str()))
            }
        }
        (None, None) => Ok(None),
    }
}

fn source(entry: &ClusterEntry) -> Result<ClusterSource, String> {
    let from_kubeconfig = entry.context.is_some() || entry.kubeconfig.is_some();
    let only = "context (with or without kubeconfig), in_cluster = true, or snapshot";
    let source = match (from_kubeconfig, entry.in_cluster, &entry.snapshot) {
        (true, false, None) => {
            ClusterSource::Context { kubeconfig: entry.kubeconfig.clone(), context: entry.context.clone() }
        }
        (false, true, None) => ClusterSource::InCluster,
        (false, false, Some(path)) => {
            ClusterSource::Snapshot { path: path.clone(), assume_complete: entry.assume_complete }
        }
        (false, false, None) => return Err(format!("it does not say what to read: add {only}")),
        _ => return Err(format!("it names more than one thing to read: keep one of {only}")),
    };
    if entry.remediation_dry_run.is_some() && matches!(source, ClusterSource::Snapshot { .. }) {
        return Err("remediation_dry_run asks an API server, and a snapshot has none: remove it".to_owned());
    }
    if entry.assume_complete && !matches!(source, ClusterSource::Snapshot { .. }) {
        return Err("assume_complete is for snapshots: remove it".to_owned());
    }
    Ok(source)
}

/// A cluster's own parameters over the global ones, key by key in the table of each item.
fn merged(global: Option<&toml::Table>, own: &toml::Table) -> Result<Parameters, toml::de::Error> {
    let mut table = global.cloned().unwrap_or_default();
    for (key, value) in own {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(item)), toml::Value::Table(own)) => item.extend(own.clone()),
            _ => drop(table.insert(key.clone(), value.clone())),
        }
    }
    table.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;

    #[test]
    fn a_cluster_sets_keys_of_an_items_table_over_the_global_ones() {
        let text = "[checklist]\nsystem_namespaces = [\"infra\"]\n\
            [checklist.trusted-registries]\nallow = [\"ghcr.io/acme\"]\n\
            [[checklist.secret-manager.recognise]]\nname = \"a\"\nimage = \"acme/a\"\n\
            [[cluster]]\nname = \"one\"\ncontext = \"one\"\ncontrol_plane_metrics = true\n\
            [cluster.checklist.trusted-registries]\nallow = [\"registry.k8s.io\"]\n\
            [[cluster]]\nname = \"two\"\ncontext = \"two\"\n";
        let configuration = Configuration::parse(text, Path::new("rampart.toml")).unwrap();
        let [one, two] = configuration.clusters.as_slice() else { panic!("two clusters") };
        assert_eq!(one.parameters.trusted_registries.allow, ["registry.k8s.io".parse().unwrap()]);
        assert_eq!(one.parameters.system_namespaces, ["infra"]);
        assert_eq!(one.parameters.secret_manager.recognise.len(), 1);
        assert_eq!(one.control_plane_metrics, Some(true));
        assert_eq!(two.parameters, configuration.parameters);
        assert_eq!(two.parameters.trusted_registries.allow, ["ghcr.io/acme".parse().unwrap()]);
    }
}
