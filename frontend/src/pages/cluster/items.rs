//! A cluster's items in the four categories.

use crate::{
    address,
    components::{Age, OutcomeWord, ScrollRegion},
    format, words,
};
use leptos::{either::Either, prelude::*};
use rampart_shared::{
    Category, ItemDocumentation,
    api::{Checklist, ClusterItems, Freshness, ItemState},
};
use std::sync::Arc;

/// A card a category.
#[component]
pub(crate) fn Items(
    /// The cluster with its items' states.
    answer: Arc<ClusterItems>,
    /// The items' texts.
    checklist: Arc<Checklist>,
) -> impl IntoView {
    Category::ALL
        .into_iter()
        .map(|category| {
            let items: Vec<&ItemDocumentation> =
                checklist.items.iter().filter(|texts| texts.category == category).collect();
            let content = if items.is_empty() {
                Either::Left(view! { <p class="empty">{words::category_without_items(category)}</p> })
            } else {
                Either::Right(table(&answer, category, &items))
            };
            view! {
                <section class="card" aria-label=category.title()>
                    <h2>{category.title()}</h2>
                    {content}
                </section>
            }
        })
        .collect::<Vec<_>>()
        .into_any()
}

fn table(answer: &ClusterItems, category: Category, items: &[&ItemDocumentation]) -> impl IntoView + use<> {
    let rows: Vec<_> = items
        .iter()
        .map(|texts| {
            let state = answer.items.iter().find(|state| state.id == texts.id);
            let stale = answer.cluster.freshness == Freshness::Stale;
            view! {
                <tr>
                    <th scope="row">
                        <a href=address::item_page(&answer.cluster.name, texts.id)>{texts.title.clone()}</a>
                    </th>
                    {match state {
                        Some(state) => Either::Left(cells(state, stale)),
                        None => Either::Right(view! { <td colspan="3" class="muted">"Not evaluated yet"</td> }),
                    }}
                </tr>
            }
        })
        .collect();
    view! {
        <ScrollRegion label=format!("Items of {}", category.title().to_ascii_lowercase())>
            <table class="rows items">
                <thead>
                    <tr>
                        <th scope="col">"Item"</th>
                        <th scope="col">"Outcome"</th>
                        <th scope="col">"Short of examined"</th>
                        <th scope="col">"Since"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </ScrollRegion>
    }
}

fn cells(state: &ItemState, stale: bool) -> impl IntoView + use<> {
    let last_known = (stale && state.last_outcome != state.outcome)
        .then(|| format!("last known: {}", words::outcome(state.last_outcome)));
    let unconfirmed = (state.unconfirmed_findings > 0)
        .then(|| format::count(state.unconfirmed_findings, "unconfirmed finding"));
    let below: Vec<String> = [last_known, unconfirmed].into_iter().flatten().collect();
    view! {
        <td>
            <OutcomeWord outcome=state.outcome findings=state.open_findings/>
            {(!below.is_empty()).then(|| view! { <small class="below">{below.join(", ")}</small> })}
        </td>
        <td class="nowrap">{words::short_of(state)}</td>
        <td class="nowrap"><Age at=state.since/></td>
    }
}
