//! The lives of findings.

use crate::common::*;
use rampart_shared::{
    Basis, Finding, ItemId, Outcome, Scope, Verdict,
    api::{Change, ChangeKind, FindingRecord, FindingState},
};
use rampart_store::{ClusterScope::All, FindingFilter, History, Recorded, StateFilter};

async fn all(history: &impl History, item: ItemId) -> Vec<FindingRecord> {
    let filter = FindingFilter { state: StateFilter::Any, ..FindingFilter::default() };
    history.findings(&All, "prod", item, &filter).await.unwrap().findings
}

async fn only(history: &impl History, item: ItemId) -> FindingRecord {
    let mut findings = all(history, item).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

fn kinds(changes: &[Change]) -> Vec<ChangeKind> {
    changes.iter().map(|change| change.kind).collect()
}

async fn record(history: &impl History, hour: i64, item: rampart_store::EvaluatedItem) -> Recorded {
    history.record(&run(hour, vec![item])).await.unwrap()
}

pub(crate) async fn lives_from_opening_to_reopening(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();

    let opened = record(history, 1, failing(CONTAINERS, vec![finding("cart")])).await;
    assert_eq!(kinds(&opened.changes), [ChangeKind::FindingOpened]);
    assert_eq!(
        opened.changes[0].detail,
        "Deployment checkout/cart: spec.template.spec.containers[name=app].securityContext.runAsNonRoot is \
         unset, should be true"
    );
    record(history, 2, failing(CONTAINERS, vec![finding("cart")])).await;
    let open = only(history, CONTAINERS).await;
    assert_eq!(open.finding, finding("cart"));
    assert_eq!((open.state, open.first_seen, open.opened_at), (FindingState::Open, at(1), at(1)));
    assert_eq!((open.last_seen, open.unconfirmed_since, open.resolved_at), (at(2), None, None));

    // Twice not to be seen: unconfirmed since the first time, and seen last before it.
    let lost = record(history, 3, unknown(CONTAINERS, vec![no_pods()])).await;
    record(history, 4, unknown(CONTAINERS, vec![no_pods()])).await;
    assert_eq!(kinds(&lost.changes), [ChangeKind::BecameUnknown]);
    assert!(lost.run.changed);
    let unconfirmed = only(history, CONTAINERS).await;
    assert_eq!(unconfirmed.state, FindingState::Unconfirmed);
    assert_eq!((unconfirmed.unconfirmed_since, unconfirmed.last_seen), (Some(at(3)), at(2)));

    let confirmed = record(history, 5, failing(CONTAINERS, vec![finding("cart")])).await;
    assert_eq!(kinds(&confirmed.changes), [ChangeKind::BecameKnown], "no event of the finding");
    let open = only(history, CONTAINERS).await;
    assert_eq!((open.state, open.first_seen, open.last_seen), (FindingState::Open, at(1), at(5)));
    assert_eq!(open.unconfirmed_since, None);

    let resolved = record(history, 6, passing(CONTAINERS)).await;
    assert_eq!(kinds(&resolved.changes), [ChangeKind::Fixed, ChangeKind::FindingResolved]);
    record(history, 7, passing(CONTAINERS)).await;
    let gone = only(history, CONTAINERS).await;
    assert_eq!(gone.state, FindingState::Resolved);
    assert_eq!((gone.resolved_at, gone.last_seen), (Some(at(6)), at(5)));

    let reopened = record(history, 8, failing(CONTAINERS, vec![finding("cart")])).await;
    assert_eq!(kinds(&reopened.changes), [ChangeKind::Regressed, ChangeKind::FindingReopened]);
    let open = only(history, CONTAINERS).await;
    assert_eq!((open.state, open.first_seen, open.opened_at), (FindingState::Open, at(1), at(8)));
    assert_eq!(open.resolved_at, None);
}

pub(crate) async fn is_not_resolved_while_pods_cannot_be_listed(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let other = ItemId::SeccompApparmor;
    let seen = || vec![failing(CONTAINERS, vec![finding("cart")]), passing(other)];
    let mut kinds_of_all = Vec::new();
    for (hour, items) in [
        (1, seen()),
        (2, vec![unknown(CONTAINERS, vec![no_pods()]), unknown(other, vec![no_pods()])]),
        (3, seen()),
    ] {
        let recorded = history.record(&run(hour, items)).await.unwrap();
        kinds_of_all.extend(kinds(&recorded.changes));
        if hour == 2 {
            let state = history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap().unwrap();
            assert_eq!(
                (state.outcome, state.open_findings, state.unconfirmed_findings),
                (Outcome::Unknown, 0, 1)
            );
        }
    }
    let cart = only(history, CONTAINERS).await;
    assert_eq!((cart.state, cart.first_seen, cart.opened_at), (FindingState::Open, at(1), at(1)));
    for never in [ChangeKind::Fixed, ChangeKind::Regressed, ChangeKind::FindingResolved] {
        assert!(!kinds_of_all.contains(&never), "{kinds_of_all:?}");
    }
}

pub(crate) async fn is_left_alone_by_an_unreachable_run(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    record(history, 1, failing(CONTAINERS, vec![finding("cart")])).await;
    let before =
        (all(history, CONTAINERS).await, history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap());
    let lost = history.record(&unreachable(2)).await.unwrap();
    assert_eq!(lost.run.detail.as_deref(), Some("connection refused"));
    assert_eq!((lost.run.counts, lost.run.changed, lost.changes.len()), (None, false, 0));
    let after =
        (all(history, CONTAINERS).await, history.item_state(&All, "prod", CONTAINERS, at(2)).await.unwrap());
    assert_eq!(before, after);
    let completed = history.last_completed_run(&All, "prod").await.unwrap().unwrap();
    assert_eq!(completed.finished_at, at(1));
    assert_eq!(history.last_run(&All, "prod").await.unwrap(), Some(lost.run));
}

pub(crate) async fn of_a_kubelet_is_resolved_when_its_node_was_read(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let both = vec![kubelet_finding("node-1"), kubelet_finding("node-2")];
    record(history, 1, failing(KUBELETS, both)).await;
    // Neither violates now, and node-2 did not answer.
    record(history, 2, unknown(KUBELETS, vec![no_configz(&["node-2"])])).await;
    let states: Vec<_> =
        all(history, KUBELETS).await.into_iter().map(|f| (f.finding.subject.name, f.state)).collect();
    let expected = [("node-1", FindingState::Resolved), ("node-2", FindingState::Unconfirmed)];
    assert_eq!(states, expected.map(|(node, state)| (node.to_owned(), state)));
}

pub(crate) async fn of_a_kubelet_is_resolved_when_its_node_is_gone(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    record(history, 1, failing(KUBELETS, vec![kubelet_finding("node-2")])).await;
    let no_nodes = rampart_shared::Gap::new("nodes", rampart_shared::GapReason::Failed, "time-out");
    record(history, 2, unknown(KUBELETS, vec![no_nodes])).await;
    assert_eq!(only(history, KUBELETS).await.state, FindingState::Unconfirmed);
    // The list of nodes is complete and without node-2; another kubelet is not read.
    record(history, 3, unknown(KUBELETS, vec![no_configz(&["node-1"])])).await;
    let gone = only(history, KUBELETS).await;
    assert_eq!((gone.state, gone.last_seen), (FindingState::Resolved, at(1)));
}

pub(crate) async fn with_other_content_is_the_same_finding(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    record(history, 1, failing(CONTAINERS, vec![finding("cart")])).await;
    let other = Finding { content: "content-false".into(), observed: "false".into(), ..finding("cart") };
    let changed = record(history, 2, failing(CONTAINERS, vec![other.clone()])).await;
    assert_eq!(kinds(&changed.changes), [ChangeKind::FindingChanged]);
    assert!(changed.changes[0].detail.ends_with("is false, should be true (was unset)"), "{changed:?}");
    assert!(changed.run.changed);
    let record = only(history, CONTAINERS).await;
    assert_eq!(record.finding, other);
    assert_eq!((record.first_seen, record.opened_at, record.last_seen), (at(1), at(1), at(2)));
}

pub(crate) async fn with_another_note_is_updated_without_an_event(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    record(history, 1, failing(CONTAINERS, vec![finding("cart")])).await;
    let noted = Finding { note: Some("a Windows pod".into()), ..finding("cart") };
    let recorded = record(history, 2, failing(CONTAINERS, vec![noted.clone()])).await;
    assert_eq!(kinds(&recorded.changes), []);
    assert_eq!(only(history, CONTAINERS).await.finding, noted);
}

pub(crate) async fn twice_in_one_result_counts_once(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let twin = Finding { observed: "0".into(), ..finding("cart") };
    let recorded = record(history, 1, failing(CONTAINERS, vec![finding("cart"), twin])).await;
    assert_eq!(kinds(&recorded.changes), [ChangeKind::FindingOpened]);
    assert_eq!(only(history, CONTAINERS).await.finding.observed, "unset");
}

pub(crate) async fn in_system_namespaces_are_counted_apart(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let system = Finding { scope: Scope::System, ..finding("proxy") };
    let pass = evaluated(CONTAINERS, Verdict::Pass(Basis::Observed), vec![system], Vec::new());
    record(history, 1, pass).await;
    let state = history.item_state(&All, "prod", CONTAINERS, at(1)).await.unwrap().unwrap();
    assert_eq!((state.open_findings, state.system_findings), (0, 1));
    assert_eq!(history.cluster(&All, "prod", 1, at(1)).await.unwrap().items[0].findings, 0);
}

pub(crate) async fn are_filtered_and_paged(history: &impl History) {
    history.upsert_cluster(&cluster("prod")).await.unwrap();
    let named = |name: &str, namespace: Option<&str>, scope| {
        let mut finding = Finding { scope, ..finding(name) };
        finding.subject.namespace = namespace.map(str::to_owned);
        finding
    };
    let findings = vec![
        named("b", Some("shop"), Scope::Application),
        named("a", Some("shop"), Scope::Application),
        named("dns", Some("kube-system"), Scope::System),
        named("node", None, Scope::Application),
        named("gone", Some("shop"), Scope::Application),
    ];
    record(history, 1, failing(CONTAINERS, findings.clone())).await;
    record(history, 2, failing(CONTAINERS, findings[..4].to_vec())).await;
    let ask = async |filter: FindingFilter| {
        let page = history.findings(&All, "prod", CONTAINERS, &filter).await.unwrap();
        let names: Vec<_> = page.findings.into_iter().map(|f| f.finding.subject.name).collect();
        (page.total, names.join(" "), page.next_offset)
    };
    let any = FindingFilter::default;
    assert_eq!(ask(any()).await, (4, "node dns a b".into(), None), "by namespace, kind, name");
    let resolved = FindingFilter { state: StateFilter::Only(FindingState::Resolved), ..any() };
    assert_eq!(ask(resolved).await, (1, "gone".into(), None));
    let system = FindingFilter { scope: Some(Scope::System), ..any() };
    assert_eq!(ask(system).await, (1, "dns".into(), None));
    let shop = FindingFilter { namespace: Some("shop".into()), ..any() };
    assert_eq!(ask(shop).await, (2, "a b".into(), None));
    for text in ["SHOP/A", "deployment shop/a"] {
        let searched = FindingFilter { text: Some(text.into()), ..any() };
        assert_eq!(ask(searched).await, (1, "a".into(), None), "{text}");
    }
    // Characters that mean something in a pattern mean themselves.
    assert_eq!(ask(FindingFilter { text: Some("%".into()), ..any() }).await.0, 0);
    assert_eq!(ask(FindingFilter { limit: 3, ..any() }).await, (4, "node dns a".into(), Some(3)));
    assert_eq!(ask(FindingFilter { limit: 3, offset: 3, ..any() }).await, (4, "b".into(), None));
    assert_eq!(ask(FindingFilter { offset: 9, ..any() }).await, (4, String::new(), None));
}
