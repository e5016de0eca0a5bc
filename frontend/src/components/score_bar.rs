//! A score as a range.

use crate::format;
use leptos::prelude::*;
use rampart_shared::Score;

/// The score as a bar: what holds, what is unknown, and the rest.
#[component]
pub(crate) fn ScoreBar(
    /// The score; none when nothing applies.
    score: Option<Score>,
) -> impl IntoView {
    let Score { low, high } = score.unwrap_or(Score { low: 0.0, high: 0.0 });
    view! {
        <div class="range" class:empty=score.is_none() role="img" aria-label=format!("Score: {}", format::spoken_score(score))>
            <i class="holds" style:width=format::css_percent(low)></i>
            <i class="unknown" style:width=format::css_percent(high - low)></i>
        </div>
    }
}
