//! Each kind that was read, with how it was asked for and what came.

use crate::{
    components::{Mark, ScrollRegion},
    format, words,
};
use leptos::prelude::*;
use rampart_shared::{
    Gap, Source,
    api::{ClusterReading, KindReading},
};

/// The columns after kind and result; files have only objects.
const COLUMNS: [&str; 6] = ["Objects", "Verb", "Path", "Pages", "Data", "Took"];

/// A row a kind.
#[component]
pub(crate) fn KindTable(
    /// What was read.
    reading: ClusterReading,
) -> impl IntoView {
    let columns = if reading.cluster.source == Source::Live { COLUMNS.len() } else { 1 };
    let headings: Vec<_> = COLUMNS[..columns]
        .iter()
        .map(|name| view! { <th scope="col" class=class(name)>{*name}</th> }.into_any())
        .collect();
    let rows: Vec<_> = reading.kinds.iter().map(|kind| row(kind, &reading.gaps, columns)).collect();
    view! {
        <section class="card" aria-label="Kinds">
            <h2>"Asked for" <small>{rows.len()}</small></h2>
            <ScrollRegion label="Table of kinds">
                <table class="rows">
                    <thead><tr><th scope="col">"Kind"</th><th scope="col">"Result"</th>{headings}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </ScrollRegion>
        </section>
    }
    .into_any()
}

fn row(kind: &KindReading, gaps: &[Gap], columns: usize) -> AnyView {
    let (outcome, sign, result) = match gaps.iter().find(|gap| gap.kind == kind.kind) {
        None => ("pass", "✓", "whole"),
        Some(gap) => ("unknown", "?", words::gap_reason(gap.reason)),
    };
    let values = [
        number(kind.objects),
        kind.verb.clone(),
        kind.path.clone(),
        number(kind.pages.into()),
        format::bytes(kind.bytes),
        format::milliseconds(kind.milliseconds),
    ];
    let cells: Vec<_> = COLUMNS
        .into_iter()
        .zip(values)
        .take(columns)
        .map(|(name, value)| view! { <td class=class(name)>{value}</td> }.into_any())
        .collect();
    view! {
        <tr>
            <th scope="row"><code>{kind.kind.to_string()}</code></th>
            <td><span class=format!("word {outcome}")><Mark class=outcome sign/> {result}</span></td>
            {cells}
        </tr>
    }
    .into_any()
}

/// Numbers stand on the right.
fn class(column: &str) -> &'static str {
    if matches!(column, "Verb" | "Path") { "nowrap" } else { "number nowrap" }
}

/// A number with separators; no cluster has more objects than 32 bits count.
pub(super) fn number(number: u64) -> String {
    format::number(u32::try_from(number).unwrap_or(u32::MAX))
}
