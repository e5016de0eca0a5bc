//! All runs, newest first, of all clusters or of one.

use crate::{
    address, api,
    components::{Loaded, RunsTable},
    fetch::Fetch,
    live::Live,
    navigation::PageHeading,
    router::Router,
};
use leptos::{either::Either, prelude::*};
use rampart_shared::api::RunPage;

/// How many runs a page shows.
const LIMIT: u32 = 50;

/// The list.
#[component]
pub(crate) fn RunsPage() -> impl IntoView {
    let query = Router::get().query();
    let cluster = Memo::new(move |_| query.parameter("cluster").filter(|name| !name.is_empty()));
    let before = Memo::new(move |_| query.parameter("before").and_then(|before| before.parse::<i64>().ok()));
    let news = Live::get().news(move || cluster.get());
    let runs = Fetch::new(news, move || api::runs(cluster.get().as_deref(), LIMIT, before.get()));
    let heading =
        move || cluster.get().map_or_else(|| "Runs".to_owned(), |cluster| format!("Runs of {cluster}"));

    view! {
        <div class="head">
            <PageHeading text=Signal::derive(heading)/>
            <span class="muted">"newest first"</span>
            {move || cluster.get().map(|_| view! { <a class="actions" href="/runs">"Runs of all clusters"</a> })}
        </div>
        <section class="card" aria-label="List of runs">
            <Loaded fetch=runs words="Loading runs…" space="tall" view=move |page| list(&page, cluster.get(), before.get())/>
        </section>
    }
}

fn list(page: &RunPage, cluster: Option<String>, before: Option<i64>) -> impl IntoView + use<> {
    if page.runs.is_empty() {
        return Either::Left(
            view! { <p class="empty">"No run yet. The first one follows the schedule, or “Evaluate now” on the fleet’s page."</p> },
        );
    }
    let older = page.next_before.map(|next| address::runs_page(cluster.as_deref(), Some(next)));
    let newest = before.map(|_| address::runs_page(cluster.as_deref(), None));
    let name_clusters = cluster.is_none();
    Either::Right(view! {
        <RunsTable runs=page.runs.clone() name_clusters/>
        <nav class="paging" aria-label="Pages of runs">
            {newest.map(|newest| view! { <a class="button" href=newest>"Newest runs"</a> })}
            {older.map(|older| view! { <a class="button" href=older>"Older runs"</a> })}
        </nav>
    })
}
