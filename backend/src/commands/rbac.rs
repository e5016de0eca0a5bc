//! `rampart rbac`.

use crate::config::Kubelets;
use anyhow::bail;
use rampart_checklist::rbac::{Access, AccountName, KubeletAccess, cluster_role, remediation_dry_run};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct RbacArguments {
    /// Whether to add the grants for reading kubelets: direct, off or proxy
    #[arg(long, default_value = "off", value_name = "WAY")]
    kubelets: Kubelets,
    /// The service account whose tokens kubelets get that are read directly
    #[arg(long, default_value_t = AccountName::default(), value_name = "NAMESPACE/NAME")]
    kubelet_service_account: AccountName,
    /// Add the grant for /flagz and /metrics of the API server
    #[arg(long)]
    control_plane_metrics: bool,
    /// Add the grant for asking admission, in dry-run, what it would refuse
    #[arg(long)]
    admission_probe: bool,
    /// Print instead the ClusterRole of the identity that tries remediations in dry runs
    #[arg(long, exclusive = true)]
    remediation_dry_run: bool,
}

pub(super) fn run(arguments: &RbacArguments) -> anyhow::Result<ExitCode> {
    if arguments.remediation_dry_run {
        return super::print(&remediation_dry_run());
    }
    let kubelets = match arguments.kubelets {
        Kubelets::Off => KubeletAccess::Off,
        Kubelets::Proxy => KubeletAccess::Proxy,
        Kubelets::Direct => KubeletAccess::Direct(arguments.kubelet_service_account.clone()),
        Kubelets::Auto => bail!("--kubelets auto grants nothing of its own: say direct, off or proxy"),
    };
    let RbacArguments { control_plane_metrics, admission_probe, .. } = *arguments;
    super::print(&cluster_role(&Access { kubelets, control_plane_metrics, admission_probe }))
}
