//! What a remediation leaves to a person, and what it would change for what runs.

use crate::{components::ScrollRegion, format};
use leptos::prelude::*;
use rampart_shared::{Remainder, RemediationTable};

/// What a person has to do.
#[component]
pub(super) fn Remaining(
    /// The tasks.
    remaining: Vec<Remainder>,
) -> impl IntoView {
    let tasks: Vec<_> = remaining
        .into_iter()
        .map(|Remainder { task, findings }| {
            let number = match findings.len() {
                1 => "1 finding".to_owned(),
                number => format!("{number} findings"),
            };
            view! { <li>{task} " " <small class="muted">{number}</small></li> }
        })
        .collect();
    (!tasks.is_empty())
        .then(|| view! { <h3>"Left to a person"</h3> <ul class="tasks">{tasks}</ul> })
        .into_any()
}

/// The tables, each behind its title.
#[component]
pub(super) fn Tables(
    /// What would change.
    tables: Vec<RemediationTable>,
) -> impl IntoView {
    tables.into_iter().map(table).collect::<Vec<_>>().into_any()
}

fn table(table: RemediationTable) -> impl IntoView {
    let RemediationTable { title, columns, rows, more } = table;
    let number = format::number(u32::try_from(rows.len()).unwrap_or(u32::MAX).saturating_add(more));
    let head: Vec<_> = columns.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect();
    let body: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let cells: Vec<_> = row.into_iter().map(|text| view! { <td>{text}</td> }).collect();
            view! { <tr>{cells}</tr> }
        })
        .collect();
    view! {
        <details class="effects">
            <summary>{title.clone()} " " <small class="muted">{number}</small></summary>
            <ScrollRegion label=title>
                <table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
            </ScrollRegion>
            {(more > 0).then(|| view! { <p class="muted">{format!("{} more", format::number(more))}</p> })}
        </details>
    }
}
