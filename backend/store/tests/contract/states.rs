//! The states of items.

use crate::common::*;
use rampart_shared::{
    Gap, Outcome,
    api::{ChangeKind, Freshness, RunKind},
};
use rampart_store::{ClusterScope::All, EvaluatedItem, History, RunRecord};

async fn changes(history: &impl History, run: RunRecord) -> Vec<ChangeKind> {
    history.record(&run).await.unwrap().changes.into_iter().map(|change| change.kind).collect()
}

pub(crate) async fn regress_and_are_fixed(history: &impl History) {
    use ChangeKind::{BecameKnown, BecameUnknown, Fixed, Regressed};
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    // Without findings, so that only what happens to the item is told; the last known outcome decides.
    let falls_short = || {
        let mut item = failing(CONTAINERS, vec![finding("cart")]);
        let evidence = rampart_shared::Evidence { findings: Vec::new(), ..item.result.evidence().clone() };
        item.result = rampart_shared::ItemResult::new(CONTAINERS, item.result.verdict(), evidence).unwrap();
        item
    };
    let lost = || unknown(CONTAINERS, vec![no_pods()]);
    let steps: Vec<(EvaluatedItem, &[ChangeKind])> = vec![
        (lost(), &[]),
        (passing(CONTAINERS), &[BecameKnown]),
        (lost(), &[BecameUnknown]),
        (lost(), &[]),
        (passing(CONTAINERS), &[BecameKnown]),
        (falls_short(), &[Regressed]),
        (lost(), &[BecameUnknown]),
        (passing(CONTAINERS), &[Fixed]),
        (not_applicable(CONTAINERS), &[]),
        (falls_short(), &[Regressed]),
    ];
    for (hour, (item, expected)) in steps.into_iter().enumerate() {
        let outcome = item.result.outcome();
        assert_eq!(changes(history, run(hour as i64, vec![item])).await, expected, "run {hour}");
        let state = history.item_state(&All, "prod", CONTAINERS, at(hour as i64)).await.unwrap().unwrap();
        // Only the fourth run has the outcome of the one before.
        let since = if hour == 3 { 2 } else { hour as i64 };
        assert_eq!((state.outcome, state.since), (outcome, at(since)), "run {hour}");
    }
}

pub(crate) async fn stay_when_an_item_is_missing_from_the_run(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    history
        .record(&run(1, vec![passing(KUBELETS), failing(CONTAINERS, vec![finding("cart")])]))
        .await
        .unwrap();
    let before = history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap();
    let second = history.record(&run(2, vec![passing(KUBELETS)])).await.unwrap();
    assert!(!second.run.changed);
    assert_eq!(history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap(), before);
    let counts = second.run.counts.unwrap();
    assert_eq!((counts.pass, counts.fail), (1, 1), "what stands counts");
}

pub(crate) async fn change_with_the_objects_of_a_gap_but_not_with_its_words(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let record = async |hour, gap: Gap| {
        history.record(&run(hour, vec![unknown(KUBELETS, vec![gap])])).await.unwrap().run
    };
    let first = record(1, no_configz(&["node-1", "node-2"])).await;
    assert_eq!((first.kind, first.changed), (RunKind::Partial, true));
    assert_eq!(first.detail.as_deref(), Some("Not everything was seen: nodes/configz (failed)."));
    let other_words = Gap { detail: "time-out after 3.7 s".into(), ..no_configz(&["node-2", "node-1"]) };
    assert!(!record(2, other_words.clone()).await.changed);
    let state = history.item_state(&All, "prod", KUBELETS, at(2)).await.unwrap().unwrap();
    assert_eq!(state.gaps, [other_words], "the last words are shown");
    assert!(record(3, no_configz(&["node-1"])).await.changed);
    let state = history.item_state(&All, "prod", KUBELETS, at(3)).await.unwrap().unwrap();
    assert_eq!(state.since, at(1), "unknown all the time");
}

pub(crate) async fn under_another_measure_are_annotated(history: &impl History) {
    use ChangeKind::{CatalogueChanged, FindingOpened, FindingResolved, Fixed, ParametersChanged};
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let falls_short = || vec![failing(CONTAINERS, vec![finding("cart")])];
    history.record(&run(1, vec![passing(CONTAINERS)])).await.unwrap();

    let newer = |run: RunRecord| RunRecord { catalogue: "2".into(), ..run };
    let recorded = history.record(&newer(run(2, falls_short()))).await.unwrap();
    let told: Vec<_> = recorded.changes.iter().map(|change| (change.item, change.kind)).collect();
    let item = Some(CONTAINERS);
    assert_eq!(told, [(None, CatalogueChanged), (item, CatalogueChanged), (item, FindingOpened)]);

    let other = |run: RunRecord| RunRecord { parameters_digest: "allow-list".into(), ..newer(run) };
    let kinds = changes(history, other(run(3, vec![passing(CONTAINERS)]))).await;
    assert_eq!(kinds, [ParametersChanged, ParametersChanged, FindingResolved]);

    // The change of measure lies before the last known outcome: from here on things are as always.
    changes(history, other(run(4, falls_short()))).await;
    let kinds = changes(history, other(run(5, vec![passing(CONTAINERS)]))).await;
    assert_eq!(kinds, [Fixed, FindingResolved]);
}

pub(crate) async fn of_one_outcome_are_one_interval(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let steps = [
        passing(KUBELETS),
        unknown(KUBELETS, vec![no_configz(&["node-1"])]),
        unknown(KUBELETS, vec![no_configz(&["node-2"])]),
        passing(KUBELETS),
        passing(KUBELETS),
    ];
    for (hour, item) in steps.into_iter().enumerate() {
        history.record(&run(hour as i64, vec![item])).await.unwrap();
    }
    let history_since = async |hour| {
        let intervals = history.outcome_history(&All, "prod", KUBELETS, at(hour)).await.unwrap();
        intervals.into_iter().map(|i| (i.outcome, i.from, i.to)).collect::<Vec<_>>()
    };
    let all = [
        (Outcome::Pass, at(0), Some(at(1))),
        (Outcome::Unknown, at(1), Some(at(3))),
        (Outcome::Pass, at(3), None),
    ];
    assert_eq!(history_since(-9).await, all);
    assert_eq!(history_since(3).await, all[2..]);
}

pub(crate) async fn are_unknown_when_stale(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let nothing = history.cluster(&All, "prod", 1, at(0)).await.unwrap();
    assert_eq!((nothing.freshness, nothing.score, nothing.items.len()), (Freshness::NeverEvaluated, None, 0));
    history.record(&run(1, vec![passing(CONTAINERS), not_applicable(KUBELETS)])).await.unwrap();
    history.record(&unreachable(3)).await.unwrap();
    let look = async |hour| {
        let items = history.cluster_items(&All, "prod", 1, at(hour)).await.unwrap();
        let cells: Vec<_> = items.cluster.items.iter().map(|c| (c.outcome, c.last_outcome)).collect();
        let states: Vec<_> = items.items.iter().map(|s| (s.outcome, s.last_outcome)).collect();
        assert_eq!(cells, states);
        (items.cluster.freshness, states, items.cluster.score.map(|score| (score.low, score.high)))
    };
    let held = (Outcome::Pass, Outcome::Pass);
    let idle = (Outcome::NotApplicable, Outcome::NotApplicable);
    assert_eq!(look(4).await, (Freshness::Current, vec![idle, held], Some((1.0, 1.0))));
    let lost = (Outcome::Unknown, Outcome::Pass);
    assert_eq!(look(5).await, (Freshness::Stale, vec![idle, lost], Some((0.0, 1.0))));
    history.record(&run(6, vec![passing(CONTAINERS)])).await.unwrap();
    assert_eq!(look(6).await.0, Freshness::Current);
}
