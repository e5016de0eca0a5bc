//! How an item stands.

use crate::{
    chart::HistoryStrip,
    components::{Age, OutcomeWord},
    format, words,
};
use leptos::{either::Either, prelude::*};
use rampart_shared::{
    Outcome,
    api::{Freshness, ItemDetail, ItemState},
};
use std::sync::Arc;

/// Outcome, basis and counts, and the history of the outcome.
#[component]
pub(crate) fn StateCard(
    /// The item.
    detail: Arc<ItemDetail>,
) -> impl IntoView {
    let Some(state) = detail.state.clone() else {
        return view! {
            <section class="card" aria-label="State">
                <p class="empty">"Not evaluated yet: no run of this cluster was completed."</p>
            </section>
        }
        .into_any();
    };
    let stale = detail.cluster.freshness == Freshness::Stale;
    let basis = match state.basis {
        Some(basis) => {
            Either::Left(view! { {words::basis(basis)} <small>{words::basis_meaning(basis)}</small> })
        }
        None => Either::Right("none"),
    };
    let notes: Vec<_> = state.notes.iter().map(|note| view! { <li>{note.clone()}</li> }).collect();
    let stale_since = stale.then_some(state.evaluated_at);
    view! {
        <section class="card" aria-label="State">
            <dl class="facts">
                <div>
                    <dt>"Outcome"</dt>
                    <dd>
                        <OutcomeWord outcome=state.outcome findings=state.open_findings/>
                        {(stale && state.last_outcome != state.outcome).then(|| view! {
                            <small>{format!("last known: {}", words::outcome(state.last_outcome))}</small>
                        })}
                    </dd>
                </div>
                <div><dt>"Basis"</dt><dd>{basis}</dd></div>
                <div><dt>"Examined"</dt><dd>{format::count(state.examined, &state.unit)}</dd></div>
                <div><dt>"Falling short"</dt><dd>{format::count(state.violating, &state.unit)}</dd></div>
                <div><dt>"Since"</dt><dd><Age at=state.since/></dd></div>
                <div><dt>"Evaluated"</dt><dd><Age at=state.evaluated_at/></dd></div>
            </dl>
            {unconfirmed(&state)}
            {(!notes.is_empty()).then(|| view! { <ul class="notes" aria-label="Remarks">{notes}</ul> })}
            <HistoryStrip history=detail.history.clone() stale_since/>
        </section>
    }
    .into_any()
}

/// An item may be unknown and yet have findings: they were seen, and could not be seen again.
fn unconfirmed(state: &ItemState) -> impl IntoView + use<> {
    let unconfirmed = state.unconfirmed_findings;
    (unconfirmed > 0).then(|| {
        let told = if unconfirmed == 1 {
            "1 finding stays open, unconfirmed: the last run could not see what it rests on.".to_owned()
        } else {
            format!(
                "{} stay open, unconfirmed: the last run could not see what they rest on.",
                format::count(unconfirmed, "finding")
            )
        };
        let why = (state.outcome == Outcome::Unknown).then_some(
            " That is why the item is unknown and not fixed; the gaps below say what would settle it.",
        );
        view! { <p class="inline-notice">{told} {why}</p> }
    })
}
