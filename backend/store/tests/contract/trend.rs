//! Outcomes by day.

use crate::common::*;
use rampart_shared::OutcomeCounts;
use rampart_store::{ClusterScope::All, History, RunRecord, TrendQuery};

const DAY: i64 = 24;

fn fleet(days: u32) -> TrendQuery {
    TrendQuery { days, cluster: None, item: None }
}

pub(crate) async fn shows_each_day_as_its_last_run_left_it(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let short = |names: &[&str]| vec![failing(CONTAINERS, names.iter().map(|n| finding(n)).collect())];
    history.record(&run(1, short(&["a", "b"]))).await.unwrap();
    history.record(&run(23, short(&["a"]))).await.unwrap();
    history.record(&unreachable(DAY + 1)).await.unwrap();
    history.record(&run(2 * DAY, vec![passing(CONTAINERS)])).await.unwrap();
    let now = at(2 * DAY + 1);
    let points = history.trend(&All, &fleet(4), now).await.unwrap().points;
    let seen: Vec<_> = points.iter().map(|p| (p.counts, p.violating)).collect();
    let none = OutcomeCounts::default();
    assert_eq!(
        seen,
        [
            (none, None),
            (OutcomeCounts { fail: 1, ..none }, Some(1)),
            (OutcomeCounts { unknown: 1, ..none }, None),
            (OutcomeCounts { pass: 1, ..none }, Some(0)),
        ]
    );
    assert_eq!(points.last().unwrap().day, now.date_naive());
    assert_eq!(points[0].score, None);
    assert_eq!(history.cluster(&All, "prod", 4, now).await.unwrap().trend, points);
}

pub(crate) async fn counts_clusters_of_an_item(history: &impl History) {
    history.configure_clusters(&[cluster("prod"), cluster("stage"), cluster("idle")]).await.unwrap();
    let both = vec![passing(KUBELETS), failing(CONTAINERS, vec![finding("a"), finding("b")])];
    history.record(&run(1, both)).await.unwrap();
    history.record(&of("stage", run(1, vec![passing(CONTAINERS)]))).await.unwrap();
    history.record(&of("idle", run(1, vec![not_applicable(CONTAINERS)]))).await.unwrap();
    let point = async |item, cluster: Option<&str>| {
        let query = TrendQuery { days: 1, cluster: cluster.map(str::to_owned), item: Some(item) };
        let point = history.trend(&All, &query, at(2)).await.unwrap().points.remove(0);
        (point.counts, point.violating)
    };
    let none = OutcomeCounts::default();
    let containers = OutcomeCounts { pass: 1, fail: 1, not_applicable: 1, ..none };
    assert_eq!(point(CONTAINERS, None).await, (containers, Some(2)));
    assert_eq!(point(CONTAINERS, Some("stage")).await, (OutcomeCounts { pass: 1, ..none }, Some(0)));
    assert_eq!(point(KUBELETS, None).await, (OutcomeCounts { pass: 1, ..none }, Some(0)));
    assert_eq!(point(KUBELETS, Some("stage")).await, (none, None), "never evaluated there");
}

pub(crate) async fn counts_a_silent_cluster_as_unknown(history: &impl History) {
    history.configure_clusters(&[cluster("prod"), cluster("stage")]).await.unwrap();
    for hour in [1, DAY + 1, 2 * DAY + 1] {
        history.record(&run(hour, vec![passing(CONTAINERS)])).await.unwrap();
    }
    history.record(&of("stage", run(1, vec![passing(CONTAINERS), not_applicable(KUBELETS)]))).await.unwrap();
    let look = async |days, now| {
        let points = history.trend(&All, &fleet(days), now).await.unwrap().points;
        points.into_iter().map(|p| (p.counts.pass, p.counts.unknown)).collect::<Vec<_>>()
    };
    assert_eq!(look(3, at(2 * DAY + 2)).await, [(2, 0), (1, 1), (1, 1)]);
    // The last state before the first day counts as well.
    assert_eq!(look(2, at(2 * DAY + 2)).await, [(1, 1), (1, 1)]);
    // Today is judged now: a few hours later prod is stale too, though it had a run today.
    assert_eq!(look(1, at(2 * DAY + 9)).await, [(0, 2)]);
    // What was recorded after `now` is not yet there.
    assert_eq!(look(1, at(2)).await, [(2, 0)]);
}

pub(crate) async fn is_annotated_where_the_measure_changed(history: &impl History) {
    history.configure_clusters(&[cluster("prod"), cluster("stage")]).await.unwrap();
    history.record(&run(1, vec![passing(CONTAINERS)])).await.unwrap();
    let newer =
        RunRecord { catalogue: "2".into(), ..run(DAY + 1, vec![failing(CONTAINERS, vec![finding("cart")])]) };
    history.record(&newer).await.unwrap();
    let annotations = async |query: TrendQuery, now| {
        let trend = history.trend(&All, &query, now).await.unwrap();
        trend.annotations.into_iter().map(|a| (a.at, a.cluster, a.text)).collect::<Vec<_>>()
    };
    let text = "The checklist changed from version 1 to 2.";
    let expected = [(at(DAY + 1), "prod".to_owned(), text.to_owned())];
    assert_eq!(annotations(fleet(7), at(2 * DAY)).await, expected);
    let item = TrendQuery { item: Some(CONTAINERS), cluster: Some("prod".into()), ..fleet(7) };
    assert_eq!(annotations(item, at(2 * DAY)).await, expected);
    let other = TrendQuery { cluster: Some("stage".into()), ..fleet(7) };
    assert_eq!(annotations(other, at(2 * DAY)).await, []);
    assert_eq!(annotations(fleet(7), at(9 * DAY)).await, []);
}
