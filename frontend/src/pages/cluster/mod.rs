//! One cluster: how it stands, item by item.

mod facts;
mod items;
mod remedies;

use crate::{
    address, api,
    app::Texts,
    chart::{Measure, TrendChart},
    components::{ChangeList, ClusterNotice, EvaluateNow, Loaded, RunsTable},
    fetch::Fetch,
    live::Live,
    navigation::PageHeading,
};
use facts::Facts;
use items::Items;
use leptos::{either::Either, prelude::*};
use remedies::Remedies;

/// The page.
#[component]
pub(crate) fn ClusterPage(
    /// Its name.
    cluster: String,
) -> impl IntoView {
    let name = cluster;
    let live = Live::get();
    let stored = StoredValue::new(name.clone());
    let news = live.news(move || stored.try_get_value());
    let cluster = Fetch::new(news, move || stored.with_value(|name| api::cluster_items(name)));
    let trend = Fetch::new(news, move || stored.with_value(|name| api::trend(90, Some(name), None)));
    let changes = Fetch::new(news, move || stored.with_value(|name| api::changes(30, Some(name), 200)));
    let runs = Fetch::new(news, move || stored.with_value(|name| api::runs(Some(name), 8, None)));
    let missing = cluster.is_missing();
    Effect::new(move |_| {
        if let Some(run) = cluster.value().and_then(|answer| answer.cluster.running) {
            live.runs().update(|runs| runs.going_on_since_before(&stored.get_value(), run));
        }
    });

    view! {
        <nav class="crumbs" aria-label="Breadcrumb"><a href="/">"Fleet"</a></nav>
        <div class="head">
            <PageHeading text=Signal::stored(name.clone())/>
            {move || cluster.value().map(|answer| {
                answer.cluster.labels.iter().map(|(label, value)| view! {
                    <span class="tag">{format!("{label}: {value}")}</span>
                }).collect::<Vec<_>>()
            })}
            <EvaluateNow cluster=Signal::stored(Some(name.clone()))/>
        </div>
        <Loaded fetch=cluster words="Loading the cluster…" space="short" view=|answer| view! {
            <ClusterNotice cluster=answer.cluster.clone() partial=true/>
            <Facts cluster=answer.cluster.clone()/>
        }/>
        <div class="two" hidden=move || missing.get()>
            <div class="stack">
                <Loaded fetch=Texts::get().0 words="Loading the checklist…" space="tall" view=move |checklist| view! {
                    <Loaded fetch=cluster words="Loading the items…" space="tall" view=move |answer| view! {
                        <Items answer checklist=checklist.clone()/>
                    }/>
                }/>
                {move || cluster.value().map(|answer| view! { <Remedies answer/> })}
            </div>
            <div class="stack">
                <section class="card" aria-labelledby="trend">
                    <h2 id="trend">"Trend" <small>"90 days"</small></h2>
                    <Loaded fetch=trend words="Loading the trend…" space="short" view=|trend| view! {
                        <TrendChart trend measure=Measure::Score/>
                    }/>
                </section>
                <section class="card" aria-labelledby="changes">
                    <h2 id="changes">"Latest changes" <small>"30 days"</small></h2>
                    <Loaded fetch=changes words="Loading changes…" space="short" view=|changes| match changes.changes.is_empty() {
                        true => Either::Left(view! { <p class="empty">"Nothing changed in the last 30 days."</p> }),
                        false => Either::Right(view! { <ChangeList changes=changes.changes.clone() limit=8/> }),
                    }/>
                </section>
                <section class="card" aria-labelledby="runs">
                    <h2 id="runs">"Recent runs" <a class="more" href=address::runs_page(Some(&name), None)>"All runs"</a></h2>
                    <Loaded fetch=runs words="Loading runs…" space="short" view=|page| match page.runs.is_empty() {
                        true => Either::Left(view! { <p class="empty">"No run yet."</p> }),
                        false => Either::Right(view! { <RunsTable runs=page.runs.clone() brief=true/> }),
                    }/>
                </section>
            </div>
        </div>
    }
}
