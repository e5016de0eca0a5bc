//! A trend the size of a word.

use super::{
    path,
    scale::{Scale, day_number},
    summary,
};
use leptos::prelude::*;
use rampart_shared::api::TrendPoint;

const WIDTH: f64 = 72.0;
const HEIGHT: f64 = 20.0;

/// The low end of the score over the last days, on a scale from 0 to 100 %.
#[component]
pub(crate) fn Sparkline(
    /// The days, oldest first.
    points: Vec<TrendPoint>,
) -> impl IntoView {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return ().into_any();
    };
    let across =
        Scale { values: (day_number(first.day), day_number(last.day)), coordinates: (2.0, WIDTH - 2.0) };
    let down = Scale { values: (0.0, 1.0), coordinates: (HEIGHT - 2.0, 2.0) };
    let line: Vec<Option<path::Point>> = points
        .iter()
        .map(|point| point.score.map(|score| (across.place(day_number(point.day)), down.place(score.low))))
        .collect();
    view! {
        <svg class="sparkline" width="72" height="20" role="img" aria-label=summary::of_score(&points)>
            <path class="line" d=path::line(&line)></path>
        </svg>
    }
    .into_any()
}
