//! Something that is being loaded, is there, or failed to load.

use crate::{api::ApiError, components::WithCode, fetch::Fetch};
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
    frame(
        Signal::derive(move || fetch.error()),
        Box::new(move || fetch.retry()),
        Box::new(move || fetch.value().map(|value| view(value).into_any())),
        words,
        space,
    )
}

/// The part that is the same for whatever is loaded.
fn frame(
    error: Signal<Option<ApiError>>,
    retry: Box<dyn Fn() + Send + Sync>,
    content: Box<dyn Fn() -> Option<AnyView> + Send + Sync>,
    words: &'static str,
    space: &'static str,
) -> AnyView {
    let retry = StoredValue::new(retry);
    view! {
        {move || error.get().map(|error| view! { <ProblemNotice error retry=move || retry.with_value(|retry| retry())/> })}
        {move || match content() {
            Some(content) => Either::Left(content),
            None => Either::Right(
                error
                    .get()
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
            <p><WithCode text=error.to_string()/></p>
            <button type="button" on:click=move |_| retry()>"Retry"</button>
        </div>
    }
    .into_any()
}
