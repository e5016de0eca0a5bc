//! An address that leads nowhere.

use crate::navigation::PageHeading;
use leptos::prelude::*;

/// Says so, and where to go on.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    view! {
        <div class="head"><PageHeading text="Page not found"/></div>
        <section class="card prose">
            <p>"No page has this address. Clusters and their items are reached from the fleet."</p>
            <p><a class="button" href="/">"Go to the fleet"</a></p>
        </section>
    }
}
