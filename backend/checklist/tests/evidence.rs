//! Rules that hold for every item, walked over the whole catalogue.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod cluster;

use cluster::{documents, inventory, outcomes};
use rampart_checklist::items::ITEMS;
use rampart_checklist::rbac::{Access, KubeletAccess, node_proxy, rule, rules};
use rampart_checklist::{Inventory, Kind, Role};
use rampart_shared::{Gap, GapReason, ItemId, Outcome, Source};

/// Clusters in which kinds decide of which the good cluster needs none: one in which nothing was found, and one of a
/// distribution that says in objects of its own what others say in flags.
const OTHERS: [&str; 2] = [include_str!("bare-cluster.yaml"), include_str!("openshift-cluster.yaml")];

fn good() -> Inventory {
    inventory(&cluster::good())
}

/// A cluster of which nothing is known but its objects.
fn read(yaml: &str) -> Inventory {
    let mut inventory = inventory(&documents(yaml));
    inventory.api_server_metrics.seen = None;
    inventory
}

/// The same cluster with a kind refused.
fn without(kind: Kind) -> Inventory {
    refused(good(), kind)
}

fn refused(mut inventory: Inventory, kind: Kind) -> Inventory {
    inventory.refuse(kind, Gap::new(kind.name(), GapReason::Forbidden, "refused"));
    inventory
}

#[test]
fn every_item_holds_in_the_good_cluster() {
    for (item, outcome) in outcomes(&good()) {
        assert_eq!(outcome, Outcome::Pass, "{item}");
    }
}

#[test]
fn without_a_needed_kind_no_item_that_needs_it_passes() {
    for kind in Kind::ALL {
        let outcomes = outcomes(&without(kind));
        for item in ITEMS {
            let role = item.needs.iter().find(|need| need.kind == kind).map(|need| need.role);
            match role {
                Some(Role::Required) => {
                    assert_eq!(outcomes[&item.id], Outcome::Unknown, "{} {kind:?}", item.id)
                }
                Some(Role::Supporting) | None => {
                    assert_eq!(outcomes[&item.id], Outcome::Pass, "{} {kind:?}", item.id);
                }
                Some(Role::Conditional) => {
                    assert_ne!(outcomes[&item.id], Outcome::Fail, "{} {kind:?}", item.id);
                }
            }
        }
    }
}

#[test]
fn every_rule_of_the_cluster_role_is_needed() {
    for granted in rules(&Access { kubelets: KubeletAccess::Proxy, ..Access::default() }) {
        let kind = if granted == node_proxy() {
            Kind::KubeletConfigz
        } else {
            Kind::ALL.into_iter().find(|kind| rule(*kind).as_ref() == Some(&granted)).unwrap()
        };
        let decides = |cluster: Inventory| outcomes(&cluster) != outcomes(&refused(cluster, kind));
        let lost = decides(good()) || OTHERS.into_iter().any(|yaml| decides(read(yaml)));
        let roles: Vec<Role> = ITEMS
            .iter()
            .flat_map(|item| item.needs)
            .filter(|need| need.kind == kind)
            .map(|need| need.role)
            .collect();
        // The identity of the cluster decides nothing, and what is conditional decides on some clusters alone.
        if roles.contains(&Role::Required) || !roles.contains(&Role::Conditional) {
            assert_eq!(lost, roles.contains(&Role::Required), "{kind:?}");
        }
    }
}

#[test]
fn kubelets_that_nobody_read_never_pass() {
    let outcomes = outcomes(&without(Kind::KubeletConfigz));
    for item in
        [ItemId::KubeletAnonymousAuth, ItemId::KubeletWebhookAuthorization, ItemId::KubeletReadOnlyPort]
    {
        assert_eq!(outcomes[&item], Outcome::Unknown, "{item}");
    }
}

#[test]
fn nothing_seen_and_nothing_missed_is_not_a_pass() {
    for (item, outcome) in outcomes(&Inventory::empty(Source::Snapshot)) {
        assert_ne!(outcome, Outcome::Pass, "{item}");
        assert_ne!(outcome, Outcome::Fail, "{item}");
    }
}

#[test]
fn every_item_is_documented() {
    let mut numbers = Vec::new();
    for item in ITEMS {
        for text in [item.title, item.short_title, item.checks, item.why, item.cannot_see] {
            assert!(!text.is_empty() && !text.contains("  "), "{}: `{text}`", item.id);
        }
        assert!(!item.title.ends_with('.') && item.why.ends_with('.'), "{}", item.id);
        assert!(!item.references.is_empty());
        for (title, url) in item.references {
            assert!(url.starts_with("https://") && !title.is_empty(), "{url}");
        }
        numbers.push(item.number);
    }
    assert!(numbers.is_sorted(), "the checklist's order: {numbers:?}");
    assert_eq!(ITEMS.iter().map(|item| item.id).collect::<Vec<_>>(), ItemId::ALL);
}
