//! The items of the checklist, one file each, in the checklist's order.

mod admission_policies_enforced;
mod api_server_third_party_auth;
mod default_deny;
mod etcd_tls;
mod kubelet_anonymous_auth;
mod kubelet_node_restriction;
mod kubelet_read_only_port;
mod kubelet_webhook_authorization;
mod least_privilege_service_accounts;
mod network_policies_restrict_pods;
mod network_traffic_monitoring;
mod no_secrets_in_kubernetes;
mod non_root_containers;
mod read_only_root_filesystem;
mod seccomp_apparmor;
mod secret_manager;
mod service_mtls;
mod trusted_registries;

mod container;
mod control_plane;
mod encryption_at_rest;
mod kubelet;
mod listing;
mod network_policy;

use crate::judge::Observation;
use crate::need::Need;
use crate::workloads::View;
use rampart_shared::{Category, ItemDocumentation, ItemId, ItemResult, Reference, Remediation};

/// An item: its texts, what it needs, how it observes, what would turn it green.
#[derive(Debug)]
pub struct Item {
    /// Which item.
    pub id: ItemId,
    /// Its number in the full checklist.
    pub number: u8,
    /// Its part of the checklist.
    pub category: Category,
    /// A sentence that is true when it holds.
    pub title: &'static str,
    /// Two or three words.
    pub short_title: &'static str,
    /// What is checked, and what decides it.
    pub checks: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What it cannot see.
    pub cannot_see: &'static str,
    /// Title and address of controls and documentation.
    pub references: &'static [(&'static str, &'static str)],
    /// What it reads.
    pub needs: &'static [Need],
    /// Looks at the cluster; pure.
    pub observe: fn(&View<'_>) -> Observation,
    /// What would turn it green, for this cluster's objects.
    pub remedy: fn(&View<'_>, &ItemResult) -> Remediation,
}

/// Every item, in the checklist's order.
pub static ITEMS: &[Item] = &[
    etcd_tls::ITEM,
    kubelet_node_restriction::ITEM,
    kubelet_anonymous_auth::ITEM,
    kubelet_webhook_authorization::ITEM,
    kubelet_read_only_port::ITEM,
    api_server_third_party_auth::ITEM,
    network_policies_restrict_pods::ITEM,
    default_deny::ITEM,
    network_traffic_monitoring::ITEM,
    admission_policies_enforced::ITEM,
    trusted_registries::ITEM,
    read_only_root_filesystem::ITEM,
    non_root_containers::ITEM,
    seccomp_apparmor::ITEM,
    secret_manager::ITEM,
    no_secrets_in_kubernetes::ITEM,
    least_privilege_service_accounts::ITEM,
    service_mtls::ITEM,
];

impl Item {
    /// The texts, as they cross HTTP.
    pub fn documentation(&self) -> ItemDocumentation {
        ItemDocumentation {
            id: self.id,
            number: self.number,
            category: self.category,
            title: self.title.to_owned(),
            short_title: self.short_title.to_owned(),
            checks: self.checks.to_owned(),
            why: self.why.to_owned(),
            cannot_see: self.cannot_see.to_owned(),
            references: self
                .references
                .iter()
                .map(|(title, url)| Reference { title: (*title).to_owned(), url: (*url).to_owned() })
                .collect(),
        }
    }
}
