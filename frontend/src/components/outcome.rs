//! Outcomes as shape, word and colour.

use crate::words;
use leptos::prelude::*;
use rampart_shared::Outcome;

/// The shape alone, beside words that say the same.
#[component]
pub(crate) fn Mark(
    /// The class that gives shape and colour.
    class: &'static str,
    /// What stands in it.
    #[prop(into)]
    sign: String,
) -> impl IntoView {
    view! { <span class=format!("mark {class}") aria-hidden="true">{sign}</span> }
}

/// An outcome: the shape and the word.
#[component]
pub(crate) fn OutcomeWord(
    /// The outcome.
    outcome: Outcome,
    /// The number of findings that the shape shows.
    findings: u32,
) -> impl IntoView {
    let class = words::outcome_class(outcome);
    view! {
        <span class=format!("word {class}")>
            <Mark class sign=words::outcome_sign(outcome, findings)/>
            {words::outcome(outcome)}
        </span>
    }
}
