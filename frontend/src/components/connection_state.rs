//! Whether what is shown follows the server.

use crate::live::{Connection, Live};
use leptos::prelude::*;

/// Says in words that live updates were lost, and as little as possible while they arrive.
#[component]
pub(crate) fn ConnectionState() -> impl IntoView {
    let live = Live::get();
    let words = move || match live.connection() {
        Connection::Connecting => "Connecting",
        Connection::Open => "Live",
        Connection::Lost => "Live updates lost, retrying",
        Connection::Paused => "Paused",
    };
    view! {
        <p class="connection" class:lost=move || live.connection() == Connection::Lost class:open=move || live.connection() == Connection::Open role="status" aria-label="Updates">
            {words}
        </p>
    }
}
