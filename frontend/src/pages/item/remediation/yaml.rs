//! YAML as it is downloaded, with colours.

use crate::{
    components::CopyButton,
    format,
    yaml_highlight::{self, TokenKind},
};
use leptos::prelude::*;

/// How many lines are shown at first.
const LINES: usize = 200;

/// The YAML; a long one is cut until it is asked for.
#[component]
pub(super) fn Yaml(
    /// The text.
    text: String,
    /// How many documents are not in it.
    more: u32,
) -> impl IntoView {
    let number = text.lines().count();
    let copied = Signal::stored(text.clone());
    let text = StoredValue::new(text);
    let all = RwSignal::new(number <= LINES);
    let lines = move || {
        let shown = if all.get() { usize::MAX } else { LINES };
        text.with_value(|text| yaml_highlight::lines(text))
            .into_iter()
            .take(shown)
            .map(line)
            .collect::<Vec<_>>()
    };
    view! {
        <pre class="yaml" tabindex="0" role="region" aria-label="Remediation YAML"><code>{lines}</code></pre>
        <p class="buttons">
            <button type="button" hidden=move || all.get() on:click=move |_| all.set(true)>
                {format!("Show all {number} lines")}
            </button>
            <CopyButton label="Copy YAML" text=copied/>
        </p>
        {(more > 0).then(|| view! {
            <p class="muted">{format!("{} more documents are in the download.", format::number(more))}</p>
        })}
    }
    .into_any()
}

fn line(tokens: Vec<yaml_highlight::Token>) -> impl IntoView {
    let pieces: Vec<_> = tokens
        .into_iter()
        .map(|token| match class(token.kind) {
            Some(class) => view! { <span class=class>{token.text}</span> }.into_any(),
            None => token.text.into_any(),
        })
        .collect();
    view! { {pieces} "\n" }
}

const fn class(kind: TokenKind) -> Option<&'static str> {
    match kind {
        TokenKind::Plain => None,
        TokenKind::Comment => Some("y-comment"),
        TokenKind::Key => Some("y-key"),
        TokenKind::Text => Some("y-text"),
        TokenKind::Literal => Some("y-literal"),
        TokenKind::Separator => Some("y-separator"),
    }
}
