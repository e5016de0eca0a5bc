//! What is read, and by whom.

use crate::common::*;
use rampart_shared::{RemediationDocument, RemediationStage, RemediationTarget, api::RunKind};
use rampart_store::{
    ChangeFilter, ClusterRegistration,
    ClusterScope::{self, All},
    FindingFilter, History, StoreError, TrendQuery,
};
use std::{collections::BTreeSet, time::Duration};

pub(crate) async fn is_confined_to_visible_clusters(history: &impl History) {
    history.configure_clusters(&[cluster("prod"), cluster("secret")]).await.unwrap();
    history.record(&run(1, vec![passing(CONTAINERS)])).await.unwrap();
    let hidden = of("secret", run(1, vec![failing(CONTAINERS, vec![finding("vault")])]));
    history.record(&hidden).await.unwrap();
    let scope = ClusterScope::Only(BTreeSet::from(["prod".to_owned()]));

    let overview = history.overview(&scope, 1, at(1)).await.unwrap();
    assert_eq!(overview.clusters.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["prod"]);
    assert_eq!((overview.counts.pass, overview.counts.fail), (1, 0));
    assert_eq!(history.runs(&scope, None, 9, None).await.unwrap().runs.len(), 1);
    assert_eq!(history.runs_after(&scope, 0, 9).await.unwrap().len(), 1);
    let filter = ChangeFilter::default();
    assert_eq!(history.changes(&scope, &filter).await.unwrap().changes.len(), 0);
    assert_eq!(history.changes(&All, &filter).await.unwrap().changes.len(), 1);
    let trend = TrendQuery { days: 1, cluster: None, item: None };
    assert_eq!(history.trend(&scope, &trend, at(1)).await.unwrap().points[0].counts.applicable(), 1);
    assert!(history.run_details(&scope, hidden.id).await.unwrap().is_none());

    let trend = TrendQuery { cluster: Some("secret".into()), ..trend };
    let filter = ChangeFilter { cluster: Some("secret".into()), ..filter };
    let refusals = [
        history.cluster(&scope, "secret", 1, at(1)).await.err(),
        history.cluster_items(&scope, "secret", 1, at(1)).await.err(),
        history.item_state(&scope, "secret", CONTAINERS, at(1)).await.err(),
        history.outcome_history(&scope, "secret", CONTAINERS, at(0)).await.err(),
        history.findings(&scope, "secret", CONTAINERS, &FindingFilter::default()).await.err(),
        history.trend(&scope, &trend, at(1)).await.err(),
        history.runs(&scope, Some("secret"), 9, None).await.err(),
        history.last_run(&scope, "secret").await.err(),
        history.last_completed_run(&scope, "secret").await.err(),
        history.changes(&scope, &filter).await.err(),
        history.remediation(&scope, "secret", CONTAINERS).await.err(),
        history.exports(&scope, "secret", CONTAINERS, 9).await.err(),
        history.verified(&scope, "secret", CONTAINERS).await.err(),
    ];
    for refusal in refusals {
        assert!(
            matches!(&refusal, Some(StoreError::UnknownCluster(name)) if name == "secret"),
            "{refusal:?}"
        );
    }
}

pub(crate) async fn shows_only_configured_clusters(history: &impl History) {
    history.configure_clusters(&[cluster("prod"), cluster("stage")]).await.unwrap();
    history.record(&run(1, vec![failing(CONTAINERS, vec![finding("cart")])])).await.unwrap();
    history.configure_clusters(&[cluster("stage")]).await.unwrap();
    let names = async || {
        let overview = history.overview(&All, 1, at(1)).await.unwrap();
        overview.clusters.into_iter().map(|cluster| cluster.name).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["stage"]);
    assert_eq!(history.runs(&All, None, 9, None).await.unwrap().runs.len(), 0);
    // Its history stays, by its name and when it returns.
    assert_eq!(history.runs(&All, Some("prod"), 9, None).await.unwrap().runs.len(), 1);
    let renewed = ClusterRegistration { interval: HOUR * 24, ..cluster("prod") };
    history.configure_clusters(&[renewed, cluster("stage")]).await.unwrap();
    assert_eq!(names().await, ["prod", "stage"]);
    assert_eq!(history.cluster_items(&All, "prod", 1, at(9)).await.unwrap().items[0].open_findings, 1);
}

pub(crate) async fn reports_names_of_one_cluster(history: &impl History) {
    for name in ["prod", "alias", "stage"] {
        history.upsert_cluster(&cluster(name)).await.unwrap();
        history.record(&of(name, run(1, vec![passing(CONTAINERS)]))).await.unwrap();
    }
    assert_eq!(history.identity_conflicts(&All).await.unwrap(), []);
    history.upsert_cluster(&cluster("twin")).await.unwrap();
    let mut twin = of("twin", run(2, vec![passing(CONTAINERS)]));
    twin.identity = Some("uid-of-prod".into());
    assert_eq!(history.record(&twin).await.unwrap().run.kind, RunKind::Complete);
    let conflicts = history.identity_conflicts(&All).await.unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        (conflicts[0].identity.as_str(), &conflicts[0].clusters[..]),
        ("uid-of-prod", &["prod".to_owned(), "twin".to_owned()][..])
    );
    history.upsert_cluster(&ClusterRegistration { active: false, ..cluster("twin") }).await.unwrap();
    assert_eq!(history.identity_conflicts(&All).await.unwrap(), []);
}

pub(crate) async fn sums_up_the_fleet(history: &impl History) {
    let empty = history.overview(&All, 7, at(1)).await.unwrap();
    assert_eq!((empty.clusters.len(), empty.score), (0, None));
    history.configure_clusters(&[cluster("prod"), cluster("stage")]).await.unwrap();
    let short = vec![failing(CONTAINERS, vec![finding("cart")]), passing(KUBELETS)];
    history.record(&run(1, short)).await.unwrap();
    history.record(&of("stage", run(8, vec![passing(CONTAINERS)]))).await.unwrap();
    let overview = history.overview(&All, 7, at(8)).await.unwrap();
    // prod is stale by now: its two items are unknown.
    assert_eq!((overview.counts.pass, overview.counts.unknown), (1, 2));
    assert_eq!(overview.score.map(|score| (score.low, score.high)), Some((0.3333, 1.0)));
    let prod = &overview.clusters[0];
    assert_eq!((prod.name.as_str(), prod.version.as_deref()), ("prod", Some("v1.36.0")));
    assert_eq!(prod.labels["environment"], "test");
    assert_eq!((prod.last_evaluated_at, prod.last_run.as_ref().unwrap().finished_at), (Some(at(1)), at(1)));
    // In the checklist's order, whatever the order of the run.
    assert_eq!(prod.items.iter().map(|cell| cell.id).collect::<Vec<_>>(), [KUBELETS, CONTAINERS]);
    assert_eq!((prod.items[1].findings, prod.items[1].since), (1, at(1)));
    assert_eq!(prod.trend.len(), 7);
}

pub(crate) async fn gives_the_last_remediation(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    assert_eq!(history.remediation(&All, "prod", CONTAINERS).await.unwrap(), None);
    let mut item = failing(CONTAINERS, vec![finding("cart")]);
    for hour in 1..4 {
        if hour == 3 {
            item.remediation.documents.push(RemediationDocument {
                target: RemediationTarget::Apply,
                stage: RemediationStage::Enforce,
                comment: "cart".into(),
                object: serde_json::json!({ "kind": "Deployment" }),
                choices: Vec::new(),
                undo: None,
                conflicts: Vec::new(),
            });
        }
        history.record(&run(hour, vec![item.clone()])).await.unwrap();
        let view = history.remediation(&All, "prod", CONTAINERS).await.unwrap().unwrap();
        assert_eq!((&view.remediation, view.made_at), (&item.remediation, at(hour)));
    }
}

pub(crate) async fn refuses_an_interval_of_nothing(history: &impl History) {
    for interval in [Duration::ZERO, Duration::MAX] {
        let wrong = ClusterRegistration { interval, ..cluster("prod") };
        let error = history.upsert_cluster(&wrong).await.unwrap_err();
        assert!(matches!(&error, StoreError::InvalidInterval(name) if name == "prod"), "{error}");
    }
    assert_eq!(history.overview(&All, 1, at(1)).await.unwrap().clusters.len(), 0);
}
