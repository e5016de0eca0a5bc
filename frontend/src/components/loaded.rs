//! Something that is being loaded, is there, or failed to load.

use crate::{api::ApiError, fetch::Fetch};
use leptos::{either::Either, prelude::*};
use std::sync::Arc;

/// Shows what was loaded. Before that it says what is loading; when loading fails, why, with a way to retry.
#[component]
pub(crate) fn Loaded<T, V>(
    /// What is loaded.
    fetch: Fetch<T>,
    /// What is said while it loads.
    words: &'static str,
    /// The class that reserves its space.
    #[prop(optional)]
    space: &'static str,
    /// How it is shown.
    view: impl Fn(Arc<T>) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: Send + Sync + 'static,
    V: IntoView + 'static,
{
    view! {
        {move || fetch.error().map(|error| view! { <ProblemNotice error retry=move || fetch.retry()/> })}
        {move || match fetch.value() {
            Some(value) => Either::Left(view(value)),
            None => Either::Right(
                fetch
                    .error()
                    .is_none()
                    .then(|| view! { <p class=format!("loading {space}") role="status">{words}</p> }),
            ),
        }}
    }
    .into_any()
}

/// Says what went wrong and offers to try again.
#[component]
pub(crate) fn ProblemNotice(
    /// What went wrong.
    error: ApiError,
    /// Tries again.
    retry: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <div class="notice bad" role="alert">
            <p><strong>{error.title().to_owned()}</strong></p>
            <p>{error.to_string()}</p>
            <button type="button" on:click=move |_| retry()>"Retry"</button>
        </div>
    }
    .into_any()
}
