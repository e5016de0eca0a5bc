//! Light, dark, or as the system says.

use leptos::prelude::*;

/// Where the choice is kept. `boot.js` reads it before anything is painted.
const KEY: &str = "theme";

/// Chooses the theme.
#[component]
pub(crate) fn ThemeSelect() -> impl IntoView {
    let chosen = RwSignal::new(stored());
    let choose = move |theme: String| {
        show(&theme);
        store(&theme);
        chosen.set(theme);
    };
    let option = move |value: &'static str, label: &'static str| {
        view! { <option value=value selected=move || chosen.get() == value>{label}</option> }
    };
    view! {
        <label class="theme">
            <span class="visually-hidden">"Theme"</span>
            <select on:change=move |event| choose(event_target_value(&event)) prop:value=chosen>
                {option("", "System")}
                {option("light", "Light")}
                {option("dark", "Dark")}
            </select>
        </label>
    }
}

/// The choice; empty as long as there is none, or where the browser keeps nothing.
fn stored() -> String {
    window()
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(KEY).ok().flatten())
        .unwrap_or_default()
}

fn store(theme: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // Where nothing may be kept, the choice lasts as long as the page.
        let _ = if theme.is_empty() { storage.remove_item(KEY) } else { storage.set_item(KEY, theme) };
    }
}

fn show(theme: &str) {
    if let Some(root) = document().document_element() {
        // The attribute's name is a constant and valid.
        let _ = if theme.is_empty() {
            root.remove_attribute("data-theme")
        } else {
            root.set_attribute("data-theme", theme)
        };
    }
}
