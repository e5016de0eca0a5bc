//! Why a cluster's state is not what it should be.

use crate::{components::Age, words};
use leptos::prelude::*;
use rampart_shared::api::{ClusterSummary, Freshness, RunKind};

/// Says that a cluster is stale, was not reached, or is another than before; nothing when all is well.
#[component]
pub(crate) fn ClusterNotice(
    /// The cluster.
    cluster: ClusterSummary,
    /// Whether a last run that read only a part is worth a word.
    #[prop(optional)]
    partial: bool,
) -> impl IntoView {
    let freshness = match cluster.freshness {
        Freshness::Current => None,
        Freshness::Stale => Some(view! {
            <p>
                <strong>"Stale."</strong> " No run was completed for three intervals, so every item counts as unknown. "
                "What was known last is shown beside it"
                {cluster.last_evaluated_at.map(|at| view! { ", as of " <Age at/> })} "."
            </p>
        }.into_any()),
        Freshness::NeverEvaluated => Some(view! {
            <p><strong>"Never evaluated."</strong> " No run of this cluster was completed yet."</p>
        }.into_any()),
    };
    let failed = cluster.last_run.filter(|run| run.kind != RunKind::Complete && (partial || run.kind != RunKind::Partial)).map(|run| {
        let (word, advice) = words::incomplete_run(run.kind);
        view! {
            <p>
                <strong>{word}</strong> " " <Age at=run.finished_at/> {run.detail.map(|detail| format!(": {detail}"))}
            </p>
            <p class="muted">{advice}</p>
        }
    });
    (freshness.is_some() || failed.is_some())
        .then(|| view! { <section class="notice" aria-label="State of the cluster">{freshness} {failed}</section> })
        .into_any()
}
