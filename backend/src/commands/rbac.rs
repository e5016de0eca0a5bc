//! `rampart rbac`.

use crate::config::Kubelets;
use anyhow::bail;
use rampart_checklist::rbac::{KubeletAccess, cluster_role};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct RbacArguments {
    /// Whether to add the grant for reading kubelets: off or proxy
    #[arg(long, default_value = "off", value_name = "WAY")]
    kubelets: Kubelets,
}

pub(super) fn run(arguments: &RbacArguments) -> anyhow::Result<ExitCode> {
    let access = match arguments.kubelets {
        Kubelets::Off => KubeletAccess::Off,
        Kubelets::Proxy => KubeletAccess::Proxy,
        Kubelets::Auto => bail!("--kubelets auto grants nothing of its own: say off or proxy"),
    };
    super::print(&cluster_role(access))
}
