//! What a person sets: one TOML file, and for the settings of the process flags and variables above it.

mod cluster;
mod error;
mod file;
mod settings;
mod values;

pub use cluster::{ClusterConfiguration, ClusterSource};
pub use error::ConfigurationError;
pub use settings::{Reading, ReadingArguments, ServeArguments, Settings};
pub use values::{Interval, Kubelets, Timeout};

use file::File;
use rampart_checklist::{Parameters, credentials::FingerprintKey};
use std::path::{Path, PathBuf};

/// The file that is read when none is named and it is in the working folder.
pub const DEFAULT_FILE: &str = "rampart.toml";

/// A configuration file, read and checked.
#[derive(Debug, Default)]
pub struct Configuration {
    /// The settings of the process, where the file has any.
    file: File,
    /// The parameters of the checklist, where a cluster sets none of its own.
    pub parameters: Parameters,
    /// The clusters.
    pub clusters: Vec<ClusterConfiguration>,
}

impl Configuration {
    /// Reads this file, or [`DEFAULT_FILE`] if there is one.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, has an unknown key or a value that makes no sense.
    pub fn load(path: Option<&Path>) -> Result<Configuration, ConfigurationError> {
        let path = match path {
            Some(path) => path.to_path_buf(),
            None if Path::new(DEFAULT_FILE).exists() => PathBuf::from(DEFAULT_FILE),
            None => return Ok(Configuration::default()),
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| ConfigurationError::Unreadable { path: path.clone(), cause })?;
        Self::parse(&text, &path)
    }

    /// Gives every cluster the key under which credentials are fingerprinted.
    pub fn use_fingerprint_key(&mut self, key: &FingerprintKey) {
        let of_clusters = self.clusters.iter_mut().map(|cluster| &mut cluster.parameters);
        for parameters in of_clusters.chain([&mut self.parameters]) {
            parameters.fingerprint_key = Some(key.clone());
        }
    }

    /// The folder that keeps the history where no flag names one; none where nothing says where that is.
    pub fn data_folder(&self) -> Option<PathBuf> {
        settings::data_folder(None, self).ok()
    }

    /// What the file says about logging.
    pub fn log(&self) -> Option<&str> {
        self.file.log.as_deref()
    }

    /// Understands the text of the file at this path.
    ///
    /// # Errors
    /// As [`Configuration::load`], but for reading.
    pub fn parse(text: &str, path: &Path) -> Result<Configuration, ConfigurationError> {
        let mut file = File::parse(text, path)?;
        let clusters = cluster::clusters(&mut file, text, path)?;
        Ok(Configuration { parameters: std::mem::take(&mut file.checklist), clusters, file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_checklist::distribution::Distribution;

    /// What the README shows must be what is understood.
    #[test]
    fn the_configuration_in_the_readme_is_one() {
        let readme = include_str!("../../../README.md");
        let (_, text) = readme.split_once("```toml\n").unwrap();
        let (text, _) = text.split_once("```").unwrap();
        let configuration = Configuration::parse(text, Path::new("rampart.toml")).unwrap();
        let [prod, staging] = configuration.clusters.as_slice() else { panic!("two clusters") };
        let allowed = |cluster: &ClusterConfiguration| cluster.parameters.trusted_registries.allow.len();
        assert_eq!((allowed(prod), allowed(staging)), (1, 2));
        let is_system = |name: &str| configuration.parameters.is_system(name, Distribution::Kubeadm);
        assert!(is_system("platform-logs") && !is_system("platform-shop"));
        assert_eq!(prod.parameters.secret_manager.recognise[0].name(), "Acme Vault");
    }
}
