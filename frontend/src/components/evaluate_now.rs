//! The button that evaluates, and what comes of it.

use crate::{
    api::{self, ApiError},
    live::Live,
};
use leptos::{either::Either, prelude::*, task::spawn_local};

/// Evaluates a cluster, or all where none is named, and says live how far that is.
#[component]
pub(crate) fn EvaluateNow(
    /// The cluster; none for all.
    #[prop(into)]
    cluster: Signal<Option<String>>,
) -> impl IntoView {
    let runs = Live::get().runs();
    let problem = RwSignal::new(None::<ApiError>);
    let asking = RwSignal::new(false);
    let running = Memo::new(move |_| runs.with(|runs| runs.is_running(cluster.get().as_deref())));
    let steps = move || runs.with(|runs| runs.steps(cluster.get().as_deref()));
    let in_words = move || runs.with(|runs| runs.in_words(cluster.get().as_deref()));
    let busy = move || asking.get() || running.get();

    let evaluate = move |_| {
        if asking.get_untracked() || running.get_untracked() {
            return;
        }
        asking.set(true);
        problem.set(None);
        let cluster = cluster.get_untracked();
        spawn_local(async move {
            let answer = match cluster {
                Some(cluster) => api::evaluate(&cluster).await.map(|accepted| vec![accepted]),
                None => api::evaluate_all().await,
            };
            match answer {
                Ok(all) => runs.update(|runs| all.iter().for_each(|accepted| runs.accepted(accepted))),
                Err(error) => drop(problem.try_set(Some(error))),
            }
            // The page may be gone when the answer comes.
            let _ = asking.try_set(false);
        });
    };

    view! {
        <div class="evaluate">
            <p class="progress" role="status" aria-label="Evaluation">
                {move || match problem.get() {
                    Some(error) => Either::Left(view! { <span class="bad">{error.to_string()}</span> }),
                    None => Either::Right(in_words()),
                }}
            </p>
            <progress
                aria-hidden="true"
                hidden=move || !running.get()
                max=move || steps().1.max(1).to_string()
                prop:value=move || steps().0
            ></progress>
            // Not `disabled`: the focus would be lost.
            <button type="button" class="primary" aria-disabled=move || busy().then_some("true") on:click=evaluate>
                {move || if busy() { "Evaluating…" } else { "Evaluate now" }}
            </button>
        </div>
    }
    .into_any()
}
