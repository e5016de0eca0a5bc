//! Runs, newest first.

use crate::{
    address,
    components::{Age, Mark, ScrollRegion},
    format, words,
};
use leptos::prelude::*;
use rampart_shared::api::RunSummary;

/// Runs with how they ended.
#[component]
pub(crate) fn RunsTable(
    /// The runs.
    runs: Vec<RunSummary>,
    /// Whether each row names its cluster.
    #[prop(optional)]
    name_clusters: bool,
    /// Whether there is little room: causes and items are left to the list of runs.
    #[prop(optional)]
    brief: bool,
) -> impl IntoView {
    let rows: Vec<_> = runs.into_iter().map(|run| row(run, name_clusters, brief)).collect();
    view! {
        <ScrollRegion label="Runs">
            <table class="rows runs">
                <thead>
                    <tr>
                        {name_clusters.then(|| view! { <th scope="col">"Cluster"</th> })}
                        <th scope="col">"Result"</th>
                        <th scope="col">"Finished"</th>
                        <th scope="col" class="number">"Took"</th>
                        {(!brief).then(|| view! { <th scope="col">"Items"</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </ScrollRegion>
    }
    .into_any()
}

fn row(run: RunSummary, name_clusters: bool, brief: bool) -> impl IntoView {
    let class = words::run_class(run.kind);
    let items = match run.counts {
        Some(counts) => words::counts(counts),
        None => "state not recorded".to_owned(),
    };
    view! {
        <tr>
            {name_clusters.then(|| view! {
                <td><a class="strong" href=address::cluster_page(&run.cluster)>{run.cluster.clone()}</a></td>
            })}
            <td>
                <span class=format!("word {class}")>
                    <Mark class sign=words::run_sign(run.kind)/>
                    {words::run(run.kind)}
                </span>
                {run.detail.filter(|_| !brief).map(|detail| view! {
                    <p class="muted detail" title=detail.clone()>{detail.clone()}</p>
                })}
                {(brief && run.changed).then(|| view! { <span class="tag">"changed"</span> })}
            </td>
            <td class="nowrap"><Age at=run.finished_at/></td>
            <td class="number nowrap">{format::took(run.started_at, run.finished_at)}</td>
            {(!brief).then(|| view! {
                <td class="nowrap">
                    {items}
                    {run.changed.then(|| view! { <span class="tag">"changed"</span> })}
                </td>
            })}
        </tr>
    }
}
