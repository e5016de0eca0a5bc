//! Room for what may be wider than the screen.

use leptos::prelude::*;

/// Scrolls sideways, with the keyboard too.
#[component]
pub(crate) fn ScrollRegion(
    /// What is in it.
    #[prop(into)]
    label: String,
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
    /// The wide thing.
    children: Children,
) -> impl IntoView {
    view! { <div class=format!("scroll {class}") role="region" aria-label=label tabindex="0">{children()}</div> }
}
