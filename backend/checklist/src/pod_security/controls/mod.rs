//! The controls themselves. Each is given the pod and the minor release whose rules apply.

mod host;
mod identity;
mod kernel;
mod privilege;
mod profiles;
mod volumes;

pub(super) use host::{host_namespaces, host_ports, host_probes_and_host_lifecycle, windows_host_process};
pub(super) use identity::{run_as_non_root, run_as_user};
pub(super) use kernel::{proc_mount_baseline, proc_mount_restricted, sysctls};
pub(super) use privilege::{
    allow_privilege_escalation, capabilities_baseline, capabilities_restricted, privileged,
};
pub(super) use profiles::{app_armor_profile, se_linux_options, seccomp_baseline, seccomp_restricted};
pub(super) use volumes::{host_path_volumes, restricted_volumes, volume_sources};

use super::pod::Pod;

/// From v1.25 on, `restricted` spares Windows pods what Windows does not have.
fn is_spared_as_windows(pod: &Pod<'_>, minor: u64) -> bool {
    minor >= 25 && pod.is_windows
}

/// From v1.35 on, root in a user namespace is not taken for root.
fn is_relaxed_by_user_namespace(pod: &Pod<'_>, minor: u64) -> bool {
    minor >= 35 && pod.in_user_namespace
}
