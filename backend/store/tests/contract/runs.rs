//! Recording runs, and reading them.

use crate::common::*;
use rampart_shared::api::RunKind;
use rampart_store::{
    ClusterScope::All, EvaluatedItem, FindingFilter, History, RunOutcome, RunRecord, StoreError,
};
use std::{future::poll_fn, pin::pin, task::Poll};
use uuid::Uuid;

pub(crate) async fn of_another_cluster_behind_the_name_record_nothing(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    history.record(&run(1, vec![failing(CONTAINERS, vec![finding("cart")])])).await.unwrap();
    let before = history.cluster_items(&All, "prod", 1, at(2)).await.unwrap().items;
    let stranger = RunRecord { identity: Some("uid-of-another".into()), ..run(2, vec![passing(CONTAINERS)]) };
    let recorded = history.record(&stranger).await.unwrap();
    assert_eq!((recorded.run.kind, recorded.run.changed), (RunKind::IdentityChanged, false));
    assert_eq!((recorded.run.counts, recorded.changes.len()), (None, 0));
    let detail = recorded.run.detail.unwrap();
    assert!(detail.contains("`prod`") && detail.contains("uid-of-another") && detail.contains("uid-of-prod"));
    assert_eq!(history.cluster_items(&All, "prod", 1, at(2)).await.unwrap().items, before);
    // The first one is still the one that counts, also where its identity cannot be seen.
    for identity in [Some("uid-of-prod".to_owned()), None] {
        let own = RunRecord { identity, ..run(3, vec![passing(CONTAINERS)]) };
        assert_eq!(history.record(&own).await.unwrap().run.kind, RunKind::Complete);
    }
}

pub(crate) async fn are_recorded_once(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let first = run(1, vec![passing(CONTAINERS)]);
    history.record(&first).await.unwrap();
    let again = RunRecord { id: first.id, ..run(2, vec![failing(CONTAINERS, vec![finding("cart")])]) };
    let error = history.record(&again).await.unwrap_err();
    assert!(matches!(error, StoreError::DuplicateRun(id) if id == first.id), "{error}");
    assert_eq!(history.runs(&All, None, 9, None).await.unwrap().runs.len(), 1);
    let state = history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap().unwrap();
    assert_eq!((state.run, state.violating), (first.id, 0));
}

pub(crate) async fn with_two_results_for_one_item_are_refused(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let error = history.record(&run(1, vec![passing(CONTAINERS), passing(CONTAINERS)])).await.unwrap_err();
    assert!(matches!(error, StoreError::DuplicateItem(CONTAINERS)), "{error}");
    assert_eq!(history.last_run(&All, "prod").await.unwrap(), None);
}

pub(crate) async fn of_unknown_clusters_are_refused(history: &impl History) {
    let error = history.record(&run(1, vec![passing(CONTAINERS)])).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no cluster `prod`");
}

pub(crate) async fn without_change_change_nothing(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let items = || vec![passing(KUBELETS), failing(CONTAINERS, vec![finding("cart"), finding("web")])];
    assert!(history.record(&run(1, items())).await.unwrap().run.changed);
    let second = history.record(&run(2, items())).await.unwrap();
    assert_eq!((second.run.changed, second.changes.len()), (false, 0));
    let state = history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap().unwrap();
    assert_eq!((state.run, state.evaluated_at, state.since), (second.run.id, at(2), at(1)));
}

pub(crate) async fn keep_details_of_the_last_fifty_and_of_changes(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let mut ids = Vec::new();
    for hour in 0..60 {
        // The first run and the sixth change something, the others do not.
        let item = if hour < 5 { passing(CONTAINERS) } else { failing(CONTAINERS, vec![finding("cart")]) };
        let run = run(hour, vec![item]);
        history.record(&run).await.unwrap();
        ids.push(run.id);
    }
    let mut kept = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        let details = history.run_details(&All, *id).await.unwrap().unwrap();
        assert_eq!(details.run.id, *id);
        if let Some(details) = details.details {
            assert_eq!(details["read"]["pods"], 3);
            kept.push(number);
        }
    }
    let expected: Vec<_> = [0, 5].into_iter().chain(10..60).collect();
    assert_eq!(kept, expected);
}

pub(crate) async fn dropped_in_the_middle_leave_nothing_or_all(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    // Enough of them that most runs end in the middle.
    const FINDINGS: u32 = 40;
    let items = |number: usize| -> Vec<EvaluatedItem> {
        let findings = (0..FINDINGS).map(|part| finding(&format!("cart-{number}-{part}"))).collect();
        vec![failing(CONTAINERS, findings), passing(KUBELETS)]
    };
    let (mut dropped, mut completed, mut expected) = (0, 0, None);
    for polls in 0..400 {
        let run = run(polls as i64, items(polls));
        if poll_at_most(polls, history.record(&run)).await.is_some() {
            completed += 1;
        } else {
            dropped += 1;
        }
        // A commit that was under way when its future was dropped goes on; a writer that comes later waits for it.
        history.upsert_cluster(&cluster("prod")).await.unwrap();
        let last = history.last_run(&All, "prod").await.unwrap();
        if last.as_ref().is_some_and(|last| last.id == run.id) {
            expected = Some((run.id, format!("cart-{polls}-0")));
        }
        let state = history.item_state(&All, "prod", CONTAINERS, at(0)).await.unwrap();
        let page = history.findings(&All, "prod", CONTAINERS, &FindingFilter::default()).await.unwrap();
        match &expected {
            None => assert_eq!((state, page.total, last), (None, 0, None), "after {polls} polls"),
            Some((id, first)) => {
                assert_eq!((state.unwrap().run, page.total), (*id, FINDINGS), "after {polls} polls");
                assert_eq!(page.findings[0].finding.subject.name, *first);
            }
        }
        if completed == 3 {
            break;
        }
    }
    assert!(dropped > 20, "only {dropped} runs were cut off");
    assert_eq!(completed, 3);
}

pub(crate) async fn are_paged_and_followed(history: &impl History) {
    for name in ["prod", "stage"] {
        history.upsert_cluster(&cluster(name)).await.unwrap();
    }
    let mut sequences = Vec::new();
    for hour in 0..5 {
        let name = if hour == 2 { "stage" } else { "prod" };
        let recorded = history.record(&of(name, run(hour, vec![passing(CONTAINERS)]))).await.unwrap();
        sequences.push(recorded.run.sequence);
    }
    assert!(sequences.is_sorted_by(|a, b| a < b));
    let hours = async |cluster, before| {
        let page = history.runs(&All, cluster, 2, before).await.unwrap();
        (page.runs.iter().map(|run| run.finished_at).collect::<Vec<_>>(), page.next_before)
    };
    assert_eq!(hours(None, None).await, (vec![at(4), at(3)], Some(sequences[3])));
    assert_eq!(hours(None, Some(sequences[3])).await, (vec![at(2), at(1)], Some(sequences[1])));
    assert_eq!(hours(None, Some(sequences[1])).await, (vec![at(0)], None));
    assert_eq!(hours(Some("prod"), Some(sequences[3])).await, (vec![at(1), at(0)], None));
    assert_eq!(hours(Some("stage"), None).await, (vec![at(2)], None));
    let missed = history.runs_after(&All, sequences[1], 2).await.unwrap();
    assert_eq!(missed.iter().map(|run| run.sequence).collect::<Vec<_>>(), sequences[2..4]);
    assert!(history.run_details(&All, Uuid::from_u128(7)).await.unwrap().is_none());
}

pub(crate) async fn are_ordered_by_sequence_and_not_by_time(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    history.record(&run(9, vec![failing(CONTAINERS, vec![finding("cart")])])).await.unwrap();
    // The clock was set back.
    let later = run(5, vec![passing(CONTAINERS)]);
    history.record(&later).await.unwrap();
    let state = history.item_state(&All, "prod", CONTAINERS, at(6)).await.unwrap().unwrap();
    assert_eq!((state.run, state.evaluated_at), (later.id, at(5)));
    assert_eq!(history.last_completed_run(&All, "prod").await.unwrap().unwrap().id, later.id);
    let RunOutcome::Evaluated { .. } = later.outcome else { panic!("it evaluated") };
    let trend = rampart_store::TrendQuery { days: 1, cluster: None, item: None };
    let today = history.trend(&All, &trend, at(6)).await.unwrap().points.remove(0);
    assert_eq!((today.counts.pass, today.counts.fail), (1, 0));
}

/// Polls so many times and drops what has not ended by then.
async fn poll_at_most<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
