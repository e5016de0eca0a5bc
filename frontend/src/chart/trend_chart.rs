//! The chart of a trend.

use super::{
    path::{self, Point},
    readout,
    scale::{self, Scale, day_number},
    summary,
};
use crate::{components::ScrollRegion, format};
use chrono::NaiveDate;
use leptos::{ev::PointerEvent, prelude::*};
use rampart_shared::api::{Trend, TrendAnnotation, TrendPoint};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// The size of the drawing, as in `viewBox`; it is stretched to the room that there is.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

/// How many changes of the measure are named below the chart; the table has all.
const NAMED_ANNOTATIONS: usize = 4;

/// What a trend is drawn of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The score, from its low to its high end.
    Score,
    /// How many units violate; named by their unit.
    Violating(String),
}

/// A trend as a chart, in a sentence, and as a table.
#[component]
pub(crate) fn TrendChart(
    /// The trend.
    trend: Arc<Trend>,
    /// What is drawn of it.
    measure: Measure,
) -> impl IntoView {
    let (Some(first), Some(last)) = (trend.points.first().map(|p| p.day), trend.points.last().map(|p| p.day))
    else {
        return view! { <p class="empty">"No day with a completed run yet."</p> }.into_any();
    };
    let highest = match &measure {
        Measure::Score => 100,
        Measure::Violating(_) => {
            scale::round_above(trend.points.iter().filter_map(|point| point.violating).max().unwrap_or(0))
        }
    };
    let across = Scale { values: (day_number(first), day_number(last)), coordinates: (0.0, WIDTH) };
    let down = Scale { values: (0.0, f64::from(highest)), coordinates: (HEIGHT, 0.0) };
    let places = |value: &dyn Fn(&TrendPoint) -> Option<f64>| -> Vec<Option<Point>> {
        trend
            .points
            .iter()
            .map(|point| value(point).map(|value| (across.place(day_number(point.day)), down.place(value))))
            .collect()
    };
    let (label, band, line) = match &measure {
        Measure::Score => {
            let low = places(&|point| point.score.map(|score| score.low * 100.0));
            let high = places(&|point| point.score.map(|score| score.high * 100.0));
            (summary::of_score(&trend.points), path::band(&low, &high), path::line(&low))
        }
        Measure::Violating(unit) => {
            let violating = places(&|point| point.violating.map(f64::from));
            let floor = places(&|point| point.violating.map(|_| 0.0));
            (
                summary::of_violating(&trend.points, unit),
                path::band(&floor, &violating),
                path::line(&violating),
            )
        }
    };
    let percent = |day: NaiveDate| format::css_percent(across.place(day_number(day)) / WIDTH);
    let grid: Vec<_> = [0.0, 0.25, 0.5, 0.75, 1.0]
        .iter()
        .map(|share| view! { <path class="grid" d=path::straight((0.0, share * HEIGHT), (WIDTH, share * HEIGHT))></path> })
        .collect();
    let heights: Vec<_> = [0, 2, 4]
        .iter()
        .map(|quarter| view! { <span>{format::short_number(highest * quarter / 4)}</span> })
        .collect();
    let days: Vec<_> = scale::day_ticks(first, last)
        .into_iter()
        .map(|(day, name)| view! { <span style:left=percent(day)>{name}</span> })
        .collect();
    let shown: Vec<&TrendAnnotation> = trend
        .annotations
        .iter()
        .filter(|annotation| (first..=last).contains(&annotation.at.date_naive()))
        .collect();
    let marks: Vec<_> = shown
        .iter()
        .map(|annotation| {
            let x = across.place(day_number(annotation.at.date_naive()));
            view! { <path class="annotation" d=path::straight((x, 0.0), (x, HEIGHT))></path> }
        })
        .collect();
    let named = annotations(&shown);

    let pointed = RwSignal::new(None::<usize>);
    let points = trend.points.len();
    let point_at = move |event: PointerEvent| {
        let Some(plot) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        let place = plot.get_bounding_client_rect();
        if place.width() > 0.0 {
            pointed
                .set(readout::nearest(points, (f64::from(event.client_x()) - place.left()) / place.width()));
        }
    };
    let told = {
        let (trend, measure) = (trend.clone(), measure.clone());
        move || match pointed.get().and_then(|index| trend.points.get(index)) {
            Some(point) => readout::of_point(point, &measure),
            None => trend.points.last().map_or_else(String::new, |point| readout::of_point(point, &measure)),
        }
    };
    let guide = {
        let trend = trend.clone();
        move || {
            let point = pointed.get().and_then(|index| trend.points.get(index))?;
            let x = across.place(day_number(point.day));
            Some(view! { <path class="guide" d=path::straight((x, 0.0), (x, HEIGHT))></path> })
        }
    };
    view! {
        <figure class="chart">
            <div class="heights" aria-hidden="true">{heights}</div>
            <div class="plot" on:pointermove=point_at on:pointerleave=move |_| pointed.set(None)>
                <svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label=label>
                    {grid}
                    <path class="band" d=band></path>
                    {marks}
                    <path class="line" d=line></path>
                    {guide}
                </svg>
            </div>
            <div class="days" aria-hidden="true">{days}</div>
            <figcaption>
                // Not live: it follows the pointer, and the table says the same.
                <p class="readout" aria-hidden="true">{told}</p>
                {named}
                <details>
                    <summary>"Trend as a table"</summary>
                    {table(&trend, &measure)}
                </details>
            </figcaption>
        </figure>
    }
    .into_any()
}

fn annotations(shown: &[&TrendAnnotation]) -> impl IntoView + use<> {
    let latest: Vec<_> = shown
        .iter()
        .rev()
        .take(NAMED_ANNOTATIONS)
        .map(|annotation| view! {
            <li>{format!("{}, {}: {}", format::day(annotation.at.date_naive()), annotation.cluster, annotation.text)}</li>
        })
        .collect();
    (!latest.is_empty())
        .then(|| view! { <ul class="annotations" aria-label="Changes of the measure">{latest}</ul> })
}

fn table(trend: &Trend, measure: &Measure) -> impl IntoView + use<> {
    let violating = matches!(measure, Measure::Violating(_));
    let rows: Vec<_> = trend
        .points
        .iter()
        .rev()
        .map(|point| {
            let value = if violating {
                point.violating.map_or_else(|| readout::why_no_number(point).to_owned(), format::number)
            } else {
                format::score(point.score)
            };
            view! {
                <tr>
                    <th scope="row">{format::full_day(point.day)}</th>
                    <td class="number">{value}</td>
                    <td class="number">{point.counts.pass}</td>
                    <td class="number">{point.counts.fail}</td>
                    <td class="number">{point.counts.unknown}</td>
                </tr>
            }
        })
        .collect();
    let notes: Vec<_> = trend
        .annotations
        .iter()
        .map(|annotation| view! {
            <li>{format!("{}, {}: {}", format::full_day(annotation.at.date_naive()), annotation.cluster, annotation.text)}</li>
        })
        .collect();
    view! {
        <ScrollRegion label="Trend as a table" class="low">
            <table class="rows">
                <thead>
                    <tr>
                        <th scope="col">"Day"</th>
                        <th scope="col" class="number">{if violating { "Short" } else { "Score" }}</th>
                        <th scope="col" class="number">"Hold"</th>
                        <th scope="col" class="number">"Fall short"</th>
                        <th scope="col" class="number">"Unknown"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            {(!notes.is_empty()).then(|| view! { <ul>{notes}</ul> })}
        </ScrollRegion>
    }
}
