//! The frame around every page, and which address shows which page.

use crate::{
    api,
    clock::Clock,
    components::{ConnectionState, ThemeSelect},
    fetch::Fetch,
    live::Live,
    navigation::{Announcer, Navigation},
    pages::{
        cluster::ClusterPage, item::ItemPage, not_found::NotFoundPage, overview::OverviewPage,
        reading::ReadingPage, runs::RunsPage,
    },
    router::{Route, Router},
};
use leptos::prelude::*;
use rampart_shared::{ItemDocumentation, ItemId, api::Checklist};

/// The checklist's texts for all components.
#[derive(Clone, Copy)]
pub(crate) struct Texts(pub(crate) Fetch<Checklist>);

impl Texts {
    /// The checklist's texts.
    pub(crate) fn get() -> Texts {
        expect_context()
    }

    /// What is said about an item, once it is loaded; tracked.
    pub(crate) fn of(self, item: ItemId) -> Option<ItemDocumentation> {
        self.0.value().and_then(|checklist| checklist.items.iter().find(|texts| texts.id == item).cloned())
    }

    /// An item's short title, or its name as long as there is none; tracked.
    pub(crate) fn short_title(self, item: ItemId) -> String {
        self.of(item).map_or_else(|| item.to_string(), |texts| texts.short_title)
    }
}

/// The dashboard.
#[component]
pub(crate) fn App() -> impl IntoView {
    Router::provide();
    let router = Router::get();
    Clock::provide();
    Live::provide();
    Navigation::provide();
    // The checklist changes only with the server's version: a stream that was lost may mean a restart.
    let news = Live::get().news(|| Some(String::new()));
    provide_context(Texts(Fetch::new(news, api::checklist)));

    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        <header class="bar">
            <a class="brand" href="/">
                <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <path d="M1 17V5h3v2h2.5V5h5v2H14V5h3v12z"></path>
                </svg>
                "Rampart"
            </a>
            <nav aria-label="Main">
                <MainLink to=Route::Fleet href="/" words="Fleet"/>
                <MainLink to=Route::Runs href="/runs" words="Runs"/>
            </nav>
            <ConnectionState/>
            <ThemeSelect/>
        </header>
        <Announcer/>
        <main id="content" tabindex="-1">{move || page(router.route())}</main>
    }
}

/// The page that the address leads to.
fn page(route: Route) -> AnyView {
    match route {
        Route::Fleet => view! { <OverviewPage/> }.into_any(),
        Route::Cluster { cluster } => view! { <ClusterPage cluster/> }.into_any(),
        Route::Item { cluster, item } => view! { <ItemPage cluster item/> }.into_any(),
        Route::Reading { cluster } => view! { <ReadingPage cluster/> }.into_any(),
        Route::Runs => view! { <RunsPage/> }.into_any(),
        Route::Nowhere => view! { <NotFoundPage/> }.into_any(),
    }
}

/// A link of the main navigation, which says whether its page is shown.
#[component]
fn MainLink(
    /// The page.
    to: Route,
    /// Its address.
    href: &'static str,
    /// What it is called.
    words: &'static str,
) -> impl IntoView {
    let router = Router::get();
    view! { <a href=href aria-current=move || (router.route() == to).then_some("page")>{words}</a> }
}
