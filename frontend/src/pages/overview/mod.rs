//! The fleet at a glance.

mod matrix;
mod score;

use crate::{
    api,
    app::Texts,
    chart::{Measure, TrendChart},
    clock::Clock,
    components::{Age, ChangeList, EvaluateNow, Loaded},
    fetch::Fetch,
    format,
    live::Live,
    navigation::PageHeading,
};
use leptos::{either::Either, prelude::*};
use matrix::Matrix;
use rampart_shared::api::{Freshness, Overview};
use score::ScoreCard;

/// The page.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let live = Live::get();
    let news = live.news(|| None);
    let overview = Fetch::new(news, api::overview);
    let trend = Fetch::new(news, || api::trend(90, None, None));
    let changes = Fetch::new(news, || api::changes(7, None, 200));
    let clock = Clock::get();
    Effect::new(move |_| {
        if let Some(overview) = overview.value() {
            clock.set(overview.now);
            live.runs().update(|runs| {
                for cluster in &overview.clusters {
                    if let Some(run) = cluster.running {
                        runs.going_on_since_before(&cluster.name, run);
                    }
                }
            });
        }
    });

    view! {
        <div class="head">
            <PageHeading text="Fleet"/>
            <p class="muted">{move || overview.value().map(|overview| facts(&overview))}</p>
            <EvaluateNow cluster=Signal::stored(None::<String>)/>
        </div>
        {move || overview.value().and_then(|overview| overview.advice.clone()).map(|advice| view! {
            <section class="card prose" aria-labelledby="advice">
                <h2 id="advice">"No cluster yet"</h2>
                <p>{advice}</p>
            </section>
        })}
        <div class="top">
            <section class="card" aria-labelledby="score">
                <h2 id="score">"Score"</h2>
                <Loaded fetch=overview words="Loading the fleet…" space="short" view=move |overview| view! {
                    <ScoreCard score=overview.score counts=overview.counts trend/>
                }/>
            </section>
            <section class="card" aria-labelledby="trend">
                <h2 id="trend">"Trend" <small>"90 days, low to high end of the score"</small></h2>
                <Loaded fetch=trend words="Loading the trend…" space="short" view=|trend| view! {
                    <TrendChart trend=trend measure=Measure::Score/>
                }/>
            </section>
            <section class="card" aria-labelledby="changes">
                <h2 id="changes">"Latest changes" <small>"7 days"</small></h2>
                <Loaded fetch=changes words="Loading changes…" space="short" view=|changes| match changes.changes.is_empty() {
                    true => Either::Left(view! { <p class="empty">"Nothing changed in the last 7 days."</p> }),
                    false => Either::Right(view! {
                        <ChangeList changes=changes.changes.clone() limit=5 name_clusters=true/>
                    }),
                }/>
            </section>
        </div>
        <section class="card" aria-labelledby="matrix">
            <h2 id="matrix">"Clusters and items" <matrix::Legend/></h2>
            <Loaded fetch=Texts::get().0 words="Loading the checklist…" space="tall" view=move |checklist| view! {
                <Loaded fetch=overview words="Loading the fleet…" space="tall" view=move |overview| view! {
                    <Matrix overview=overview checklist=checklist.clone()/>
                }/>
            }/>
        </section>
    }
}

/// How many clusters, when they were evaluated, and what is not current.
fn facts(overview: &Overview) -> impl IntoView + use<> {
    let clusters = &overview.clusters;
    let of = |freshness| {
        u32::try_from(clusters.iter().filter(|c| c.freshness == freshness).count()).unwrap_or(u32::MAX)
    };
    let total = u32::try_from(clusters.len()).unwrap_or(u32::MAX);
    let last = clusters.iter().filter_map(|cluster| cluster.last_evaluated_at).max();
    let next = clusters.iter().filter_map(|cluster| cluster.next_evaluation_at).min();
    let (stale, never) = (of(Freshness::Stale), of(Freshness::NeverEvaluated));
    view! {
        {format::count(total, "cluster")}
        {last.map(|last| view! { " · last evaluated " <Age at=last/> })}
        {next.map(|next| view! { " · next " <Age at=next/> })}
        {(stale > 0).then(|| view! { " · " <strong class="warn">{format!("{stale} stale")}</strong> })}
        {(never > 0).then(|| view! { " · " <strong class="warn">{format!("{never} never evaluated")}</strong> })}
    }
}
