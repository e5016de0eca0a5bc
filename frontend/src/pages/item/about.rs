//! What an item is about.

use crate::components::WithCode;
use leptos::prelude::*;
use rampart_shared::ItemDocumentation;

/// Why it matters, what is checked, what it cannot see, where to read on.
#[component]
pub(crate) fn About(
    /// The texts.
    texts: ItemDocumentation,
) -> impl IntoView {
    let references: Vec<_> = texts
        .references
        .into_iter()
        .map(|reference| {
            view! {
                <li><a href=reference.url rel="external noreferrer" target="_blank">{reference.title}</a></li>
            }
        })
        .collect();
    view! {
        <section class="card prose" aria-label="About this item">
            <h2>"Why it matters"</h2>
            {paragraphs(&texts.why)}
            <h2>"What is checked"</h2>
            {paragraphs(&texts.checks)}
            <h2>"What it cannot see"</h2>
            {paragraphs(&texts.cannot_see)}
            {(!references.is_empty()).then(|| view! { <h2>"References"</h2> <ul class="references">{references}</ul> })}
        </section>
    }
    .into_any()
}

/// Paragraphs are set apart by an empty line.
fn paragraphs(text: &str) -> Vec<impl IntoView + use<>> {
    text.split("\n\n").map(|paragraph| view! { <p><WithCode text=paragraph/></p> }).collect()
}
