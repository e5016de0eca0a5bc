//! What a change of the page does for those who do not see it: title, focus, announcement.

use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

/// What is announced, and whether the page is the first that was opened.
#[derive(Clone, Copy)]
pub(crate) struct Navigation {
    announcement: RwSignal<String>,
    opened: StoredValue<bool>,
}

impl Navigation {
    /// Prepares announcements for all components below.
    pub(crate) fn provide() {
        provide_context(Navigation {
            announcement: RwSignal::new(String::new()),
            opened: StoredValue::new(false),
        });
    }
}

/// Speaks the title of a page that was gone to.
#[component]
pub(crate) fn Announcer() -> impl IntoView {
    let navigation: Navigation = expect_context();
    view! { <p class="visually-hidden" role="status" aria-label="Page">{move || navigation.announcement.get()}</p> }
}

/// The page's heading. It names the document, and takes the focus when its page was gone to.
#[component]
pub(crate) fn PageHeading(
    /// What stands there.
    #[prop(into)]
    text: Signal<String>,
    /// What the document is called, where that says more.
    #[prop(into, optional)]
    title: Option<Signal<String>>,
) -> impl IntoView {
    let navigation: Navigation = expect_context();
    let heading = NodeRef::<html::H1>::new();
    let title = title.unwrap_or(text);
    let pathname = use_location().pathname;
    Effect::new(move |_| document().set_title(&format!("{} · Rampart", title.get())));
    Effect::new(move |_| {
        pathname.track();
        let Some(heading) = heading.get() else { return };
        // The first page is announced by the browser.
        if navigation.opened.get_value() {
            // The router scrolls; a heading that cannot take the focus is still announced.
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = heading.focus_with_options(&options);
            navigation.announcement.set(title.get_untracked());
        }
        navigation.opened.set_value(true);
    });
    view! { <h1 tabindex="-1" node_ref=heading>{text}</h1> }
}
