//! Who took remediations, and which run saw them work.

use crate::common::*;
use rampart_shared::{
    ItemId, RemediationStage,
    api::{ChangeKind, ExportFormat},
};
use rampart_store::{ChangeFilter, ClusterScope::All, ExportRecord, History, StoreError};

fn export(hour: i64, by: &str, cluster: &str, items: &[ItemId]) -> ExportRecord {
    ExportRecord {
        at: at(hour),
        by: by.into(),
        stage: RemediationStage::Warn,
        format: ExportFormat::Kustomize,
        items: vec![(cluster.into(), items.to_vec())],
    }
}

async fn verified(history: &impl History) -> Option<i64> {
    let run = history.verified(&All, "prod", CONTAINERS).await.unwrap()?;
    Some((run.at - at(0)).num_hours())
}

pub(crate) async fn are_listed_and_are_changes(history: &impl History) {
    history.configure_clusters(&[cluster("prod"), cluster("stage")]).await.unwrap();
    let items = vec![failing(CONTAINERS, vec![finding("cart")]), passing(KUBELETS)];
    let recorded = history.record(&run(1, items)).await.unwrap();
    let long = "x".repeat(1000);
    for (hour, by) in [(2, "Ada"), (3, long.as_str())] {
        history.record_export(&export(hour, by, "prod", &[CONTAINERS])).await.unwrap();
    }
    let exports = history.exports(&All, "prod", CONTAINERS, 9).await.unwrap();
    assert_eq!((exports.len(), exports[1].at, exports[1].by.as_str()), (2, at(2), "Ada"));
    assert_eq!((exports[1].stage, exports[1].format), (RemediationStage::Warn, ExportFormat::Kustomize));
    assert!(exports[0].by.chars().count() < 200);
    assert_eq!(history.exports(&All, "prod", CONTAINERS, 1).await.unwrap(), exports[..1]);
    for (name, item) in [("prod", KUBELETS), ("stage", CONTAINERS)] {
        assert_eq!(history.exports(&All, name, item, 9).await.unwrap(), []);
    }
    let filter = ChangeFilter { kinds: vec![ChangeKind::RemediationExported], ..ChangeFilter::default() };
    let changes = history.changes(&All, &filter).await.unwrap().changes;
    assert_eq!(changes.len(), 2);
    assert_eq!((changes[1].detail.as_str(), changes[1].at), ("by Ada, warn, kustomize", at(2)));
    assert_eq!((changes[1].item, changes[1].run), (Some(CONTAINERS), recorded.run.id));
}

pub(crate) async fn are_verified_by_the_run_that_followed(history: &impl History) {
    history.configure_clusters(&[cluster("prod")]).await.unwrap();
    let fails = || vec![failing(CONTAINERS, vec![finding("cart")])];
    history.record(&run(1, vec![passing(CONTAINERS)])).await.unwrap();
    history.record(&run(2, fails())).await.unwrap();
    assert_eq!(verified(history).await, None);
    history.record_export(&export(3, "Ada", "prod", &[CONTAINERS])).await.unwrap();
    assert_eq!(verified(history).await, None, "it held before the export");
    history.record(&run(4, fails())).await.unwrap();
    history.record(&run(5, vec![unknown(CONTAINERS, vec![no_pods()])])).await.unwrap();
    history.record(&run(6, vec![passing(CONTAINERS)])).await.unwrap();
    history.record(&run(7, vec![passing(CONTAINERS)])).await.unwrap();
    assert_eq!(verified(history).await, Some(6));
    history.record_export(&export(8, "Ada", "prod", &[CONTAINERS])).await.unwrap();
    assert_eq!(verified(history).await, Some(6), "another export of what holds proves nothing new");
    history.record(&run(9, fails())).await.unwrap();
    history.record(&run(10, vec![passing(CONTAINERS)])).await.unwrap();
    assert_eq!(verified(history).await, Some(10));
}

pub(crate) async fn of_unknown_clusters_are_refused(history: &impl History) {
    let refused = history.record_export(&export(1, "Ada", "nothing", &[CONTAINERS])).await;
    assert!(matches!(refused, Err(StoreError::UnknownCluster(name)) if name == "nothing"));
}
