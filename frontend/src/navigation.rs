//! What a change of the page does for those who do not see it: title, focus, announcement.

use crate::router::Router;
use leptos::{html, prelude::*};

/// What is announced, and which page was opened last.
#[derive(Clone, Copy)]
pub(crate) struct Navigation {
    announcement: RwSignal<String>,
    opened: StoredValue<Option<String>>,
}

impl Navigation {
    /// Prepares announcements for all components below.
    pub(crate) fn provide() {
        provide_context(Navigation {
            announcement: RwSignal::new(String::new()),
            opened: StoredValue::new(None),
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
    // Not tracked: the heading of the page that is left would take the focus before the new one is there.
    let path = Router::get().path();
    Effect::new(move |_| document().set_title(&format!("{} · Rampart", title.get())));
    Effect::new(move |_| {
        let Some(heading) = heading.get() else { return };
        let before = navigation.opened.get_value();
        // The browser announces the first page; a page that is built anew at the same address is no news.
        if before.as_ref().is_some_and(|before| *before != path) {
            // The router scrolls; a heading that cannot take the focus is still announced.
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = heading.focus_with_options(&options);
            navigation.announcement.set(title.get_untracked());
        }
        navigation.opened.set_value(Some(path.clone()));
    });
    view! { <h1 tabindex="-1" node_ref=heading>{text}</h1> }
}
