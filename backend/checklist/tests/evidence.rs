//! Rules that hold for every item, walked over the whole catalogue.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::items::ITEMS;
use rampart_checklist::rbac::{Access, KubeletAccess, node_proxy, rule, rules};
use rampart_checklist::{Inventory, Kind, Object, Parameters, Role, evaluate};
use rampart_shared::{Gap, GapReason, ItemId, Outcome, Source};
use std::collections::BTreeMap;

/// A cluster in which every item holds.
const GOOD: &str = include_str!("good-cluster.yaml");

fn good() -> Inventory {
    let mut inventory = Inventory::empty(Source::Snapshot);
    for document in serde_saphyr::from_multiple::<serde_json::Value>(GOOD).unwrap() {
        let text = |field: &str| document[field].as_str().unwrap().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if kind == "KubeletConfiguration" {
            let node = document["metadata"]["name"].as_str().unwrap().to_owned();
            inventory.insert_kubelet(node, serde_json::from_value(document).unwrap());
        } else {
            let kind = Kind::of(&api_version, &kind).unwrap();
            inventory.insert(Object::deserialize(kind, &api_version, document).unwrap());
        }
    }
    inventory
}

fn outcomes(inventory: &Inventory) -> BTreeMap<ItemId, Outcome> {
    evaluate(inventory, &Parameters::default())
        .unwrap()
        .into_iter()
        .map(|item| (item.result.id(), item.result.outcome()))
        .collect()
}

/// The same cluster with a kind refused.
fn without(kind: Kind) -> Inventory {
    let mut inventory = good();
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
        let outcomes = outcomes(&without(kind));
        let lost = outcomes.values().filter(|outcome| **outcome != Outcome::Pass).count();
        // The identity of the cluster decides nothing, and what only supports decides no pass.
        let supporting = !ITEMS
            .iter()
            .flat_map(|item| item.needs)
            .any(|need| need.kind == kind && matches!(need.role, Role::Required | Role::Conditional));
        assert_eq!(lost == 0, supporting, "{kind:?}: {outcomes:?}");
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
