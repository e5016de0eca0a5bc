//! The demo's history is what the evaluation says of its snapshots, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use chrono::{DateTime, TimeDelta, Utc};
use rampart::demo::{CLUSTERS, DemoCluster, replay};
use rampart_checklist::credentials::FingerprintKey;
use rampart_shared::api::{FindingRecord, RunSummary};
use rampart_shared::{Basis, GapReason, ItemId, Outcome};
use rampart_store::{ClusterScope, FindingFilter, History, StateFilter, Store};
use std::path::Path;

const DAY: i64 = 24;

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-23T12:00:00Z").unwrap().to_utc()
}

fn key() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

async fn history(folder: &Path, name: &str, hours_ago: std::ops::RangeInclusive<i64>) -> Store {
    let store = Store::open(&folder.join(name)).await.unwrap();
    for cluster in CLUSTERS {
        let snapshots = folder.join(format!("{name}-snapshots"));
        replay(&store, &cluster, &snapshots, now(), &key(), hours_ago.clone()).await.unwrap();
    }
    store
}

/// The runs of a day, newest first, without what another history numbers otherwise.
async fn runs(
    store: &Store,
    cluster: &DemoCluster,
    hours_ago: &std::ops::RangeInclusive<i64>,
) -> Vec<RunSummary> {
    let page = store.runs(&ClusterScope::All, Some(cluster.name), 500, None).await.unwrap();
    let at = |hours: i64| now() - TimeDelta::hours(hours);
    page.runs
        .into_iter()
        .filter(|run| run.started_at >= at(*hours_ago.end()) && run.started_at <= at(*hours_ago.start()))
        .map(|run| RunSummary { id: uuid::Uuid::nil(), sequence: 0, changed: false, ..run })
        .collect()
}

/// The findings that were opened or resolved within the day.
async fn findings(
    store: &Store,
    cluster: &DemoCluster,
    hours_ago: &std::ops::RangeInclusive<i64>,
) -> Vec<FindingRecord> {
    // The first run of a history opens everything that stands.
    let after = now() - TimeDelta::hours(*hours_ago.end()) + TimeDelta::minutes(30);
    let before = now() - TimeDelta::hours(*hours_ago.start()) + TimeDelta::minutes(30);
    let within = |time: DateTime<Utc>| time > after && time < before;
    let mut found = Vec::new();
    for item in ItemId::ALL {
        let filter = FindingFilter { state: StateFilter::Any, limit: 500, ..FindingFilter::default() };
        let page = store.findings(&ClusterScope::All, cluster.name, item, &filter).await.unwrap();
        found.extend(page.findings.into_iter().filter(|record| within(record.opened_at)));
    }
    found
}

#[tokio::test]
async fn a_day_of_the_demo_replayed_gives_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    // On this day somebody opens a shell in `payments-prod`.
    let day = 12 * DAY..=13 * DAY;
    let long = history(folder.path(), "long.db", 10 * DAY..=16 * DAY).await;
    let short = history(folder.path(), "short.db", day.clone()).await;
    let mut opened = 0;
    for cluster in &CLUSTERS {
        let of_long = runs(&long, cluster, &day).await;
        assert_eq!(of_long.len(), 25, "{}", cluster.name);
        assert_eq!(of_long, runs(&short, cluster, &day).await, "{}", cluster.name);

        let of_long = findings(&long, cluster, &day).await;
        opened += of_long.len();
        let life = |records: &[FindingRecord]| -> Vec<(String, DateTime<Utc>)> {
            records.iter().map(|record| (record.finding.fingerprint.0.clone(), record.opened_at)).collect()
        };
        assert_eq!(life(&of_long), life(&findings(&short, cluster, &day).await), "{}", cluster.name);
    }
    assert!(opened > 0, "nothing happens on this day: it proves nothing");
}

#[test]
fn the_clusters_change_in_stages() {
    for cluster in CLUSTERS {
        let stages = (1..=90 * DAY).filter(|hours| (cluster.at)(*hours) != (cluster.at)(hours - 1)).count();
        assert!((2..30).contains(&stages), "{}: {stages}", cluster.name);
    }
}

/// `P`ass, `F`ail, `U`nknown, and `p`ass where the provider documents it, in the checklist's order.
const NOW: [(&str, &str); 3] = [
    ("payments-prod", "PPPPPPPPPPPPPPPFPF"),
    ("storefront-staging", "PPUUUFFFFFUFFUFFFF"),
    ("analytics-eks", "UpFPFpFFFFFFFFFFFF"),
];

#[tokio::test]
async fn what_the_clusters_are_like_now() {
    let folder = tempfile::tempdir().unwrap();
    let store = history(folder.path(), "now.db", 1..=1).await;
    for (cluster, expected) in NOW {
        let mut outcomes = String::new();
        for item in ItemId::ALL {
            let state = store.item_state(&ClusterScope::All, cluster, item, now()).await.unwrap().unwrap();
            outcomes.push(match (state.last_outcome, state.basis) {
                (Outcome::Pass, Some(Basis::Provider)) => 'p',
                (Outcome::Pass, _) => 'P',
                (Outcome::Fail, _) => 'F',
                (Outcome::Unknown, _) => 'U',
                (Outcome::NotApplicable, _) => '-',
            });
            if cluster == "analytics-eks" && item == ItemId::EtcdTls {
                assert!(state.gaps.iter().all(|gap| gap.reason == GapReason::ProviderManaged), "{state:?}");
            }
            if cluster == "storefront-staging" && item == ItemId::TrustedRegistries {
                let [gap] = state.gaps.as_slice() else { panic!("{state:?}") };
                assert_eq!(gap.kind.as_str(), "parameters/trusted-registries");
            }
        }
        assert_eq!(outcomes, expected, "{cluster}");
    }
}

#[tokio::test]
async fn items_get_better_and_worse_in_ninety_days() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("stages.db")).await.unwrap();
    let (cluster, since) = (&CLUSTERS[0], now() - TimeDelta::days(91));
    let stages = (1..=90 * DAY)
        .rev()
        .filter(|hours| *hours == 90 * DAY || (cluster.at)(*hours) != (cluster.at)(hours + 1));
    for hours in stages {
        replay(&store, cluster, &folder.path().join("snapshots"), now(), &key(), hours..=hours)
            .await
            .unwrap();
    }
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    for item in ItemId::ALL {
        let history = store.outcome_history(&ClusterScope::All, cluster.name, item, since).await.unwrap();
        for pair in history.windows(2) {
            match (pair[0].outcome, pair[1].outcome) {
                (Outcome::Fail, Outcome::Pass) => better.push(item),
                (Outcome::Pass, Outcome::Fail) => worse.push(item),
                _ => {}
            }
        }
    }
    for item in [
        ItemId::ApiServerThirdPartyAuth,
        ItemId::NetworkPoliciesRestrictPods,
        ItemId::NetworkTrafficMonitoring,
        ItemId::AdmissionPoliciesEnforced,
        ItemId::TrustedRegistries,
        ItemId::SecretManager,
        ItemId::LeastPrivilegeServiceAccounts,
    ] {
        assert!(better.contains(&item), "{item:?} never got better: {better:?}");
    }
    for item in [
        ItemId::NetworkTrafficMonitoring,
        ItemId::AdmissionPoliciesEnforced,
        ItemId::TrustedRegistries,
        ItemId::SecretManager,
    ] {
        assert!(worse.contains(&item), "{item:?} never got worse: {worse:?}");
    }
    // These two fall short to this day, of less than once.
    for item in [ItemId::NoSecretsInKubernetes, ItemId::ServiceMtls] {
        let filter = FindingFilter { state: StateFilter::Any, limit: 500, ..FindingFilter::default() };
        let page = store.findings(&ClusterScope::All, cluster.name, item, &filter).await.unwrap();
        assert!(page.findings.iter().any(|record| record.resolved_at.is_some()), "{item:?}");
    }
}

#[test]
fn every_registry_of_the_demo_is_one() {
    let registries = CLUSTERS.map(|cluster| (cluster.parameters)().trusted_registries.allow.len());
    assert_eq!(registries, [2, 0, 4]);
}
