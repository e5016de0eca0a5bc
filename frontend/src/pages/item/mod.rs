//! One item of one cluster: what was found, what was not seen, and what would turn it green.

mod about;
mod findings;
mod remediation;
mod state;

use crate::{
    address, api,
    app::Texts,
    chart::{Measure, TrendChart},
    components::{ClusterNotice, EvaluateNow, Gaps, Loaded, OutcomeWord},
    fetch::Fetch,
    live::Live,
    navigation::PageHeading,
};
use about::About;
use findings::{Findings, SystemFindings};
use leptos::{either::Either, prelude::*};
use rampart_shared::{ItemId, Outcome, api::ItemDetail};
use remediation::RemediationCard;
use state::StateCard;

/// The page.
#[component]
pub(crate) fn ItemPage(
    /// The cluster.
    cluster: String,
    /// The item's name, as the address has it.
    item: String,
) -> impl IntoView {
    match item.parse::<ItemId>() {
        Ok(item) => Either::Left(view! { <Item cluster item/> }),
        Err(unknown) => Either::Right(view! {
            <div class="head"><PageHeading text="Item not found"/></div>
            <section class="card prose">
                <p>{format!("In this version, {unknown}.")}</p>
                <p><a class="button" href=address::cluster_page(&cluster)>"See the cluster’s items"</a></p>
            </section>
        }),
    }
}

#[component]
fn Item(cluster: String, item: ItemId) -> impl IntoView {
    let live = Live::get();
    let texts = Texts::get();
    let name = StoredValue::new(cluster.clone());
    let news = live.news(move || name.try_get_value());
    let detail = Fetch::new(news, move || name.with_value(|name| api::item(name, item)));
    let trend = Fetch::new(news, move || name.with_value(|name| api::trend(90, Some(name), Some(item))));
    let missing = detail.is_missing();
    Effect::new(move |_| {
        if let Some(run) = detail.value().and_then(|detail| detail.cluster.running) {
            live.runs().update(|runs| runs.going_on_since_before(&name.get_value(), run));
        }
    });
    let heading = move || texts.of(item).map_or_else(|| item.to_string(), |texts| texts.title);
    let title = move || format!("{}: {}", name.get_value(), texts.short_title(item));
    let category = move || texts.of(item).map(|texts| texts.category.title());
    let unit = Memo::new(move |_| {
        let detail = detail.value();
        detail
            .and_then(|detail| detail.state.as_ref().map(|state| state.unit.clone()))
            .unwrap_or_else(|| "unit".to_owned())
    });
    // Of these, only changes build their sections anew, not every answer.
    let evaluated = Memo::new(move |_| detail.value().is_some_and(|detail| detail.state.is_some()));
    let unknown = Memo::new(move |_| {
        detail.value().is_some_and(|detail| {
            detail.state.as_ref().is_some_and(|state| state.outcome == Outcome::Unknown)
        })
    });
    let has_system_findings = Memo::new(move |_| {
        detail
            .value()
            .is_some_and(|detail| detail.state.as_ref().is_some_and(|state| state.system_findings > 0))
    });

    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <a href="/">"Fleet"</a> " › " <a href=address::cluster_page(&cluster)>{cluster.clone()}</a> " › " {category}
        </nav>
        <div class="head">
            <PageHeading text=Signal::derive(heading) title=Signal::derive(title)/>
            {move || detail.value().and_then(|detail| detail.state.clone()).map(|state| view! {
                <OutcomeWord outcome=state.outcome findings=state.open_findings/>
            })}
            <EvaluateNow cluster=Signal::stored(Some(cluster.clone()))/>
        </div>
        <Loaded fetch=detail words="Loading the item…" space="short" view=|detail| view! {
            <ClusterNotice cluster=detail.cluster.clone()/>
            <StateCard detail=detail.clone()/>
        }/>
        <div class="two" hidden=move || missing.get()>
            <div class="stack">
                {move || detail.value().map(|detail| gaps(&detail))}
                {
                    let cluster = cluster.clone();
                    move || evaluated.get().then(|| view! { <Findings cluster=cluster.clone() item detail news/> })
                }
                {
                    let cluster = cluster.clone();
                    move || has_system_findings.get().then(|| view! { <SystemFindings cluster=cluster.clone() item detail news/> })
                }
                <section class="card" aria-labelledby="trend">
                    <h2 id="trend">"Trend" <small>{move || format!("90 days, {} that fall short", crate::format::plural(&unit.get()))}</small></h2>
                    <Loaded fetch=trend words="Loading the trend…" space="short" view=move |trend| view! {
                        <TrendChart trend measure=Measure::Violating(unit.get())/>
                    }/>
                </section>
            </div>
            <div class="stack">
                {
                    let cluster = cluster.clone();
                    move || evaluated.get().then(|| view! { <RemediationCard cluster=cluster.clone() item news unknown/> })
                }
                {move || texts.of(item).map(|texts| view! { <About texts/> })}
            </div>
        </div>
    }
}

fn gaps(detail: &ItemDetail) -> impl IntoView + use<> {
    let gaps = detail.state.as_ref().map(|state| state.gaps.clone()).unwrap_or_default();
    (!gaps.is_empty()).then(|| view! { <Gaps heading="Not seen" gaps/> })
}
