//! Connections, from a kubeconfig or from the service account of the pod that this runs in.

use super::get::causes;
use crate::malformed;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// A credential plugin that asks for more time than this waits for a person.
const PLUGIN_TIME: Duration = Duration::from_secs(60);
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A way to one API server.
#[derive(Clone)]
pub struct Connection {
    pub(super) client: Client,
    address: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why there is no way to an API server.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// There is no kubeconfig.
    #[error(
        "there is no kubeconfig at {path}. Log in to a cluster with kubectl, or set KUBECONFIG to the file"
    )]
    KubeconfigMissing {
        /// Where it should be.
        path: String,
    },
    /// A kubeconfig cannot be read.
    #[error("cannot read the kubeconfig {path}: {source}")]
    KubeconfigUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A kubeconfig is malformed.
    #[error("the kubeconfig {place} is malformed: {cause}. `kubectl config view` must accept it")]
    KubeconfigMalformed {
        /// The file, and the line where it is known.
        place: String,
        /// What is wrong.
        cause: String,
    },
    /// A context does not exist.
    #[error("the kubeconfig {path} has no context {name}. It has: {existing}")]
    NoSuchContext {
        /// The context.
        name: String,
        /// The file or files.
        path: String,
        /// The contexts that exist.
        existing: String,
    },
    /// No context is named and none is current.
    #[error("the kubeconfig {path} has no current context. Name one of: {existing}")]
    NoCurrentContext {
        /// The file or files.
        path: String,
        /// The contexts that exist.
        existing: String,
    },
    /// A context cannot be used.
    #[error("context {name} cannot be used: {cause}. Repair its cluster and user in the kubeconfig")]
    ContextUnusable {
        /// The context.
        name: String,
        /// Why.
        cause: String,
    },
    /// A credential plugin does not end.
    #[error("the credential plugin of context {name} did not end within {} s. Run kubectl once to log in", PLUGIN_TIME.as_secs())]
    PluginTimedOut {
        /// The context.
        name: String,
    },
    /// There is no service account here.
    #[error("there is no service account here: {cause}. This works in a pod that mounts one")]
    NotInCluster {
        /// Why.
        cause: String,
    },
}

/// The contexts of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contexts {
    /// Their names, sorted.
    pub names: Vec<String>,
    /// The current one.
    pub current: Option<String>,
}

/// The contexts of a kubeconfig; none means `$KUBECONFIG`, and `~/.kube/config` without that.
///
/// # Errors
/// When there is no kubeconfig, or it is malformed.
pub fn contexts(kubeconfig: Option<&Path>) -> Result<Contexts, ConnectionError> {
    let (kubeconfig, _) = load(kubeconfig)?;
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    Ok(Contexts { names: names(&kubeconfig), current })
}

impl Connection {
    /// Over a client that exists. The address is for words only.
    pub fn new(client: Client, address: impl Into<String>) -> Self {
        Connection { client, address: address.into() }
    }

    /// By a context; none means the current one. The kubeconfig is trusted: its credential plugins are run.
    ///
    /// # Errors
    /// When the kubeconfig is missing or malformed, or the context does not exist or cannot be used.
    pub async fn from_context(
        kubeconfig: Option<&Path>,
        context: Option<&str>,
    ) -> Result<Connection, ConnectionError> {
        let (kubeconfig, path) = load(kubeconfig)?;
        let existing = names(&kubeconfig);
        let listed = || if existing.is_empty() { "none".to_owned() } else { existing.join(", ") };
        let current = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
        let Some(name) = context.or(current).map(str::to_owned) else {
            return Err(ConnectionError::NoCurrentContext { path, existing: listed() });
        };
        if !existing.contains(&name) {
            return Err(ConnectionError::NoSuchContext { name, path, existing: listed() });
        }
        let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| {
            ConnectionError::ContextUnusable { name: name.clone(), cause: unusable(&error) }
        })?;
        // A credential plugin runs while the client is made, and blocks.
        let made = tokio::task::spawn_blocking(move || connect(config));
        match tokio::time::timeout(PLUGIN_TIME, made).await {
            Ok(Ok(Ok(connection))) => Ok(connection),
            Ok(Ok(Err(cause))) => Err(ConnectionError::ContextUnusable { name, cause }),
            Ok(Err(error)) => Err(ConnectionError::ContextUnusable { name, cause: error.to_string() }),
            Err(_) => Err(ConnectionError::PluginTimedOut { name }),
        }
    }

    /// By the service account of the pod that this runs in. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When this runs in no pod, or in one without a service account's token.
    pub fn in_cluster() -> Result<Connection, ConnectionError> {
        let refused = |cause: String| ConnectionError::NotInCluster { cause };
        let config = Config::incluster().map_err(|error: InClusterError| refused(causes(&error)))?;
        connect(config).map_err(refused)
    }

    /// Whether this runs in a pod that mounts a service account's token.
    pub fn is_in_cluster() -> bool {
        env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(SERVICE_ACCOUNT_TOKEN).exists()
    }

    /// Scheme, host and port; never credentials.
    pub fn address(&self) -> &str {
        &self.address
    }
}

fn connect(mut config: Config) -> Result<Connection, String> {
    // Trying again is decided here, not twice.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(10));
    let uri = &config.cluster_url;
    let address = format!(
        "{}://{}{}",
        uri.scheme_str().unwrap_or("https"),
        uri.host().unwrap_or("unknown"),
        uri.port().map(|port| format!(":{port}")).unwrap_or_default()
    );
    let client = Client::try_from(config).map_err(|error| match error {
        // Its words hold the proxy's address, and that may hold a password.
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
            "the proxy-url has a scheme other than http and socks5".to_owned()
        }
        error => causes(&error),
    })?;
    Ok(Connection { client, address })
}

fn names(kubeconfig: &Kubeconfig) -> Vec<String> {
    let mut names: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// The kubeconfig and, in words, where it is. Of several files in `$KUBECONFIG` those that exist count, as for kubectl.
fn load(path: Option<&Path>) -> Result<(Kubeconfig, String), ConnectionError> {
    let paths: Vec<PathBuf> = match path {
        Some(path) => vec![path.to_owned()],
        None => {
            let named = env::var_os("KUBECONFIG").unwrap_or_default();
            let named: Vec<PathBuf> =
                env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect();
            if named.is_empty() { vec![home()?] } else { named }
        }
    };
    let words = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let existing: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    if existing.is_empty() {
        return Err(ConnectionError::KubeconfigMissing { path: words });
    }
    let mut merged = Kubeconfig::default();
    for path in existing {
        let one = Kubeconfig::read_from(path).map_err(|error| unreadable(path, error))?;
        merged = merged.merge(one).map_err(|error| unreadable(path, error))?;
    }
    Ok((merged, words))
}

fn home() -> Result<PathBuf, ConnectionError> {
    let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
    home.map(|home| home.join(".kube").join("config"))
        .ok_or_else(|| ConnectionError::KubeconfigMissing { path: "~/.kube/config".to_owned() })
}

/// A kubeconfig holds credentials, so that its contents must not reach the words.
fn unreadable(path: &Path, error: KubeconfigError) -> ConnectionError {
    match error {
        KubeconfigError::ReadConfig(source, path) => ConnectionError::KubeconfigUnreadable { path, source },
        KubeconfigError::Parse(error) => {
            let line = error.location().map(|location| format!(":{}", location.line())).unwrap_or_default();
            ConnectionError::KubeconfigMalformed {
                place: format!("{}{line}", path.display()),
                cause: malformed::yaml(&error),
            }
        }
        error => ConnectionError::KubeconfigMalformed {
            place: path.display().to_string(),
            cause: unusable(&error),
        },
    }
}

fn unusable(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => malformed::yaml(error),
        error => causes(error),
    }
}
