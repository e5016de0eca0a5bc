//! Each kind that was read, with how it was asked for and what came.

use crate::{
    components::{Mark, ScrollRegion},
    format, words,
};
use leptos::prelude::*;
use rampart_shared::api::{KindReading, RunReading};

/// A row a kind.
#[component]
pub(crate) fn KindTable(
    /// What was read.
    reading: RunReading,
    /// Whether an API server was asked; files have neither verbs nor pages.
    is_live: bool,
) -> impl IntoView {
    let rows: Vec<_> = reading.kinds.iter().map(|kind| row(kind, &reading, is_live)).collect();
    view! {
        <section class="card" aria-label="Kinds">
            <h2>"Asked for" <small>{rows.len()}</small></h2>
            <ScrollRegion label="Table of kinds">
                <table class="rows reading">
                    <thead>
                        <tr>
                            <th scope="col">"Kind"</th>
                            {is_live.then(|| view! { <th scope="col">"Verb"</th> <th scope="col">"Path"</th> })}
                            <th scope="col">"Result"</th>
                            <th scope="col" class="number">"Objects"</th>
                            {is_live.then(|| view! {
                                <th scope="col" class="number">"Pages"</th>
                                <th scope="col" class="number">"Data"</th>
                                <th scope="col" class="number">"Took"</th>
                            })}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </ScrollRegion>
        </section>
    }
    .into_any()
}

fn row(kind: &KindReading, reading: &RunReading, is_live: bool) -> AnyView {
    let gap = reading.gaps.iter().find(|gap| gap.kind == kind.kind);
    let (class, sign, result) = match gap {
        None => ("pass", "✓", "whole"),
        Some(gap) => ("unknown", "?", words::gap_reason(gap.reason)),
    };
    let number = |value: String| view! { <td class="number nowrap">{value}</td> };
    view! {
        <tr>
            <th scope="row"><code>{kind.kind.to_string()}</code></th>
            {is_live.then(|| view! { <td><code>{kind.verb.clone()}</code></td> <td><code>{kind.path.clone()}</code></td> })}
            <td><span class=format!("word {class}")><Mark class sign/> {result}</span></td>
            {number(self::number(kind.objects))}
            {is_live.then(|| [
                number(self::number(kind.pages.into())),
                number(format::bytes(kind.bytes)),
                number(format::milliseconds(kind.milliseconds)),
            ])}
        </tr>
    }
    .into_any()
}

/// A number with separators; no cluster has more objects than 32 bits count.
pub(super) fn number(number: u64) -> String {
    format::number(u32::try_from(number).unwrap_or(u32::MAX))
}
