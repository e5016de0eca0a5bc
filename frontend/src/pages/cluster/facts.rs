//! What a cluster is and how current its state is.

use crate::{
    address,
    components::{Age, ScoreBar},
    format, words,
};
use leptos::{either::Either, prelude::*};
use rampart_shared::api::ClusterSummary;

/// The facts in a row.
#[component]
pub(crate) fn Facts(
    /// The cluster.
    cluster: ClusterSummary,
) -> impl IntoView {
    let last = match cluster.last_evaluated_at {
        Some(at) => Either::Left(view! { <Age at/> }),
        None => Either::Right("never"),
    };
    view! {
        <section class="card" aria-label="Facts">
            <dl class="facts">
                <div class="wide">
                    <dt>"Score"</dt>
                    <dd>
                        {format::score(cluster.score)} <ScoreBar score=cluster.score/>
                        <small>{words::counts(cluster.counts)}</small>
                    </dd>
                </div>
                <div><dt>"Distribution"</dt><dd>{cluster.distribution.unwrap_or_else(|| "not recognised".to_owned())}</dd></div>
                <div><dt>"Kubernetes"</dt><dd>{cluster.version.unwrap_or_else(|| "not seen".to_owned())}</dd></div>
                <div>
                    <dt>"Read from"</dt>
                    <dd>
                        {words::source(cluster.source)}
                        <small><a href=address::reading_page(&cluster.name)>"What Rampart read"</a></small>
                    </dd>
                </div>
                <div><dt>"State"</dt><dd>{words::freshness(cluster.freshness)}</dd></div>
                <div><dt>"Evaluated"</dt><dd>{last}</dd></div>
                {cluster.next_evaluation_at.map(|at| view! { <div><dt>"Next"</dt><dd><Age at/></dd></div> })}
            </dl>
        </section>
    }
    .into_any()
}
