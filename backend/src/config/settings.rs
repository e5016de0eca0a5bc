//! The settings of the process: flag over variable over file.

use super::values::Account;
use super::{ClusterConfiguration, Configuration, ConfigurationError, Interval, Kubelets, Timeout};
use rampart_checklist::{Parameters, rbac::AccountName};
use rampart_cluster::live::CollectOptions;
use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

/// The flags and variables about reading clusters.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReadingArguments {
    /// The kubeconfig of clusters that name none [default: $KUBECONFIG or ~/.kube/config]
    #[arg(long, env = "RAMPART_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How long reading one cluster may take [default: 2m]
    #[arg(long, env = "RAMPART_TIMEOUT", value_name = "TIME")]
    pub timeout: Option<Timeout>,
    /// How to read the configuration of kubelets: auto, direct, off or proxy [default: auto]
    #[arg(long, env = "RAMPART_KUBELETS", value_name = "WAY")]
    pub kubelets: Option<Kubelets>,
    /// The service account whose tokens kubelets get that are read directly [default: rampart/kubelet-reader]
    #[arg(long, env = "RAMPART_KUBELET_SERVICE_ACCOUNT", value_name = "NAMESPACE/NAME")]
    pub kubelet_service_account: Option<AccountName>,
    /// Read /flagz and /metrics of the API server
    #[arg(long, env = "RAMPART_CONTROL_PLANE_METRICS")]
    pub control_plane_metrics: bool,
    /// Ask admission, in dry runs, what it refuses
    #[arg(long, env = "RAMPART_ADMISSION_PROBE")]
    pub admission_probe: bool,
}

/// How clusters are read that say nothing of their own.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The kubeconfig; none means `$KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// How long reading one cluster may take.
    pub timeout: Timeout,
    /// How kubelets are read.
    pub kubelets: Kubelets,
    /// Whose tokens kubelets get that are read directly.
    pub kubelet_service_account: Option<AccountName>,
    /// Whether `/flagz` and `/metrics` of API servers are read.
    pub control_plane_metrics: bool,
    /// Whether admission is asked, in dry runs, what it refuses.
    pub admission_probe: bool,
}

impl Reading {
    /// Flags and variables over the file over the defaults.
    pub fn resolve(arguments: &ReadingArguments, configuration: &Configuration) -> Reading {
        let file = &configuration.file;
        Reading {
            kubeconfig: arguments.kubeconfig.clone().or_else(|| file.kubeconfig.clone()),
            timeout: arguments.timeout.or(file.timeout).unwrap_or_default(),
            kubelets: arguments.kubelets.or(file.kubelets).unwrap_or_default(),
            kubelet_service_account: arguments
                .kubelet_service_account
                .clone()
                .or_else(|| file.kubelet_service_account.clone().map(Account::into_name)),
            control_plane_metrics: arguments.control_plane_metrics
                || file.control_plane_metrics.unwrap_or_default(),
            admission_probe: arguments.admission_probe || file.admission_probe.unwrap_or_default(),
        }
    }

    /// The same for a cluster that says some of it itself.
    pub fn of(&self, cluster: &ClusterConfiguration) -> Reading {
        Reading {
            kubeconfig: self.kubeconfig.clone(),
            timeout: cluster.timeout.unwrap_or(self.timeout),
            kubelets: cluster.kubelets.unwrap_or(self.kubelets),
            kubelet_service_account: cluster
                .kubelet_service_account
                .clone()
                .or_else(|| self.kubelet_service_account.clone()),
            control_plane_metrics: cluster.control_plane_metrics.unwrap_or(self.control_plane_metrics),
            admission_probe: cluster.admission_probe.unwrap_or(self.admission_probe),
        }
    }

    /// As the collector takes it; the parameters say which namespaces are those of applications.
    pub fn collect_options(&self, parameters: &Parameters) -> CollectOptions {
        CollectOptions {
            timeout: self.timeout.duration(),
            kubelets: self.kubelets.into(),
            kubelet_service_account: self.kubelet_service_account.clone(),
            control_plane_metrics: self.control_plane_metrics,
            admission_probe: self.admission_probe.then(|| parameters.clone()),
            ..CollectOptions::default()
        }
    }
}

/// The flags and variables of `rampart serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServeArguments {
    /// Show three sample clusters with ninety days of history
    #[arg(long)]
    pub demo: bool,
    /// Where to serve the page and the API; port 0 picks a free one
    #[arg(long, env = "RAMPART_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// The folder that keeps the history [default: $XDG_DATA_HOME/rampart or ~/.local/share/rampart]
    #[arg(long, env = "RAMPART_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How clusters are read
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// The time between two evaluations of a cluster that sets none [default: 1h]
    #[arg(long, env = "RAMPART_INTERVAL", value_name = "TIME")]
    pub interval: Option<Interval>,
    /// How many clusters to evaluate at once [default: 4]
    #[arg(long, env = "RAMPART_CONCURRENCY", value_name = "NUMBER")]
    pub concurrency: Option<NonZeroUsize>,
}

/// The settings that hold.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to serve.
    pub listen: SocketAddr,
    /// The folder that keeps the history.
    pub data_dir: PathBuf,
    /// How clusters are read that say nothing of their own.
    pub reading: Reading,
    /// The interval of clusters that set none.
    pub interval: Interval,
    /// How many clusters are evaluated at once.
    pub concurrency: NonZeroUsize,
    /// Host names beside the listen address and localhost.
    pub allowed_hosts: Vec<String>,
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
// Not zero.
const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

impl Settings {
    /// Flags and variables over the file over the defaults.
    ///
    /// # Errors
    /// When nothing says where to keep the history.
    pub fn resolve(
        arguments: &ServeArguments,
        configuration: &Configuration,
    ) -> Result<Settings, ConfigurationError> {
        let file = &configuration.file;
        let data_dir = data_folder(arguments.data_dir.as_deref(), configuration)?;
        Ok(Settings {
            listen: arguments.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN),
            // The demo's history must never mix with a real one.
            data_dir: if arguments.demo { data_dir.join("demo") } else { data_dir },
            reading: Reading::resolve(&arguments.reading, configuration),
            interval: arguments.interval.or(file.interval).unwrap_or_default(),
            concurrency: arguments.concurrency.or(file.concurrency).unwrap_or(DEFAULT_CONCURRENCY),
            allowed_hosts: file.allowed_hosts.clone(),
        })
    }
}

/// The folder that keeps the history: the one that is named, or the file's, or the usual one.
pub(super) fn data_folder(
    named: Option<&Path>,
    configuration: &Configuration,
) -> Result<PathBuf, ConfigurationError> {
    match named.or(configuration.file.data_dir.as_deref()) {
        Some(folder) => Ok(folder.to_path_buf()),
        None => default_data_folder(|name| std::env::var_os(name).map(PathBuf::from))
            .ok_or(ConfigurationError::NoDataFolder),
    }
}

/// The folder that the XDG base directory specification names; paths that are not absolute do not count there.
fn default_data_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let xdg = variable("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
    let home = || variable("HOME").filter(|home| !home.as_os_str().is_empty());
    xdg.or_else(|| home().map(|home| home.join(".local/share"))).map(|folder| folder.join("rampart"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_cluster::live::KubeletReading;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let text = "interval = \"30m\"\ntimeout = \"5s\"\ndata_dir = \"data\"\nconcurrency = 2";
        let configuration = Configuration::parse(text, Path::new("/etc/rampart.toml")).unwrap();
        let reading = ReadingArguments { timeout: "9s".parse().ok(), ..ReadingArguments::default() };
        let arguments = ServeArguments { reading, ..ServeArguments::default() };
        let settings = Settings::resolve(&arguments, &configuration).unwrap();
        assert_eq!(settings.interval.to_string(), "30m");
        assert_eq!(settings.reading.timeout.to_string(), "9s");
        assert_eq!(settings.reading.kubelets, Kubelets::Auto);
        assert_eq!(settings.concurrency.get(), 2);
        assert_eq!(settings.data_dir, Path::new("/etc/data"));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(DEFAULT_CONCURRENCY.get(), 4);
    }

    #[test]
    fn a_cluster_says_otherwise_than_the_process_how_it_is_read() {
        let text = "admission_probe = true\nkubelets = \"off\"\n\
            [checklist.trusted-registries]\nallow = [\"ghcr.io/acme\"]\n\
            [[cluster]]\nname = \"one\"\ncontext = \"one\"\nadmission_probe = false\n\
            control_plane_metrics = true\nkubelets = \"direct\"\n\
            kubelet_service_account = \"security/reader\"\n\
            [[cluster]]\nname = \"two\"\ncontext = \"two\"\n";
        let configuration = Configuration::parse(text, Path::new("rampart.toml")).unwrap();
        let reading = Reading::resolve(&ReadingArguments::default(), &configuration);
        let [one, two] = configuration.clusters.as_slice() else { panic!("two clusters") };

        let options = reading.of(one).collect_options(&one.parameters);
        assert_eq!((options.admission_probe, options.control_plane_metrics), (None, true));
        assert_eq!(options.kubelets, KubeletReading::Direct);
        assert_eq!(options.kubelet_service_account, "security/reader".parse().ok());

        // The probe gets the parameters of the cluster, which say where applications are.
        let options = reading.of(two).collect_options(&two.parameters);
        assert_eq!(
            (options.admission_probe, options.control_plane_metrics),
            (Some(two.parameters.clone()), false)
        );
        assert_eq!((options.kubelets, options.kubelet_service_account), (KubeletReading::Off, None));
    }

    #[test]
    fn a_flag_switches_on_what_the_file_leaves_off() {
        let configuration =
            Configuration::parse("admission_probe = false", Path::new("rampart.toml")).unwrap();
        for (admission_probe, control_plane_metrics) in [(false, false), (true, false), (false, true)] {
            let arguments =
                ReadingArguments { admission_probe, control_plane_metrics, ..ReadingArguments::default() };
            let reading = Reading::resolve(&arguments, &configuration);
            assert_eq!(
                (reading.admission_probe, reading.control_plane_metrics),
                (admission_probe, control_plane_metrics)
            );
        }
    }

    #[test]
    fn the_demo_keeps_its_own_folder() {
        let arguments =
            ServeArguments { demo: true, data_dir: Some("/data".into()), ..ServeArguments::default() };
        let settings = Settings::resolve(&arguments, &Configuration::default()).unwrap();
        assert_eq!(settings.data_dir, Path::new("/data/demo"));
    }

    #[test]
    fn data_is_kept_where_the_desktop_says() {
        let folder = |xdg: Option<&str>, home: Option<&str>| {
            default_data_folder(|name| if name == "HOME" { home } else { xdg }.map(PathBuf::from))
        };
        assert_eq!(folder(Some("/x"), Some("/h")).unwrap(), Path::new("/x/rampart"));
        assert_eq!(folder(Some("relative"), Some("/h")).unwrap(), Path::new("/h/.local/share/rampart"));
        assert_eq!(folder(None, None), None);
    }
}
