//! The fleet's score.

use crate::{chart, components::ScoreBar, fetch::Fetch, format, words};
use leptos::prelude::*;
use rampart_shared::{OutcomeCounts, Score, api::Trend};

/// The score as a range, what it counts, and how it moved.
#[component]
pub(crate) fn ScoreCard(
    /// The score; none when nothing applies.
    score: Option<Score>,
    /// What it counts.
    counts: OutcomeCounts,
    /// The last days.
    trend: Fetch<Trend>,
) -> impl IntoView {
    let range = score.map(|score| {
        let (low, high) = score.percent();
        view! {
            {low} <span>{if low == high { "\u{a0}%".to_owned() } else { format!("–{high}\u{a0}%") }}</span>
        }
    });
    let moved = move || {
        let change = trend.value().and_then(|trend| chart::score_change(&trend.points, 30))?;
        let points = format::count(change.unsigned_abs(), "point");
        Some(match change {
            0 => view! { <p class="moved">"unchanged in 30 days"</p> }.into_any(),
            1.. => {
                view! { <p class="moved"><b class="up">"▲ " {points} " up"</b> " in 30 days"</p> }.into_any()
            }
            _ => view! { <p class="moved"><b class="down">"▼ " {points} " down"</b> " in 30 days"</p> }
                .into_any(),
        })
    };
    let unknown = (counts.unknown > 0).then(|| {
        view! {
            <p class="muted">
                "The range ends at what it would be if everything unknown held."
            </p>
        }
    });
    view! {
        {match range {
            Some(range) => view! { <p class="score">{range}</p> }.into_any(),
            None => view! { <p class="score none">"no score"</p> }.into_any(),
        }}
        <ScoreBar score/>
        <p>{words::counts(counts)}</p>
        {moved}
        {unknown}
    }
}
