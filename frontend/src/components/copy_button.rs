//! A button that copies a text.

use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;

/// How long the button says what came of it.
const SHOWN: Duration = Duration::from_secs(3);

/// Copies the text and says whether that worked.
#[component]
pub(crate) fn CopyButton(
    /// What the button says.
    label: &'static str,
    /// What it copies.
    #[prop(into)]
    text: Signal<String>,
    /// What tells it from others of its label, for those who hear it.
    #[prop(optional, into)]
    about: Option<String>,
) -> impl IntoView {
    let said = RwSignal::new("");
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            // `try_set`: the page may be gone when the clipboard answers.
            let words = if write_to_clipboard(&text).await {
                "Copied"
            } else {
                "Not copied: select the text instead"
            };
            let _ = said.try_set(words);
            set_timeout(move || _ = said.try_set(""), SHOWN);
        });
    };
    view! {
        <button type="button" aria-label=about.map(|about| format!("{label}: {about}")) on:click=copy>{label}</button>
        <span class="said" role="status" aria-label="Copying">{said}</span>
    }
}

/// Writes to the clipboard. Browsers offer it to secure pages alone, so it may not be there.
async fn write_to_clipboard(text: &str) -> bool {
    let navigator = window().navigator();
    match js_sys::Reflect::get(&navigator, &"clipboard".into()) {
        Ok(clipboard) if clipboard.is_object() => {
            JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
        }
        _ => false,
    }
}
