//! Text in which some words are code.

use leptos::prelude::*;

/// A text; what stands between backticks is code.
#[component]
pub(crate) fn WithCode(
    /// The text.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    text.split('`')
        .enumerate()
        .map(|(index, piece)| {
            let piece = piece.to_owned();
            if index % 2 == 1 { view! { <code>{piece}</code> }.into_any() } else { piece.into_any() }
        })
        .collect::<Vec<_>>()
}
