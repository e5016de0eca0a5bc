//! What proves a remediation: it was simulated, the API server was asked, a later run saw it work.

use crate::{
    api::{self, ApiError},
    components::{Age, OutcomeWord},
    format, words,
};
use leptos::{either::EitherOf3, prelude::*, task::spawn_local};
use rampart_shared::api::{DryRun, DryRunAnswer, DryRunOutcome, Export, RemediationView};
use std::sync::Arc;

/// The three proofs.
#[component]
pub(super) fn Proofs(
    /// The cluster.
    cluster: StoredValue<String>,
    /// The remediation.
    view: Arc<RemediationView>,
    /// What is picked, as the query that asks for it.
    picks: RwSignal<String>,
) -> impl IntoView {
    let simulated = view.simulation.map(|after| {
        let score = after.score.map(|score| format!(", score {}", format::score(Some(score))));
        view! {
            <dt>"Simulated"</dt>
            <dd><OutcomeWord outcome=after.outcome findings=after.findings/> {score}</dd>
        }
    });
    let tried = view.documents.iter().any(|count| count.target.is_applied()).then(|| {
        view! { <dt>"Dry run"</dt> <dd><Tried cluster item=view.item picks/></dd> }
    });
    let verified = view
        .verified
        .as_ref()
        .map(|run| view! { <dt>"Verified"</dt> <dd>"by the run " <Age at=run.at/></dd> });
    let exports: Vec<_> = view.exports.iter().take(5).map(exported).collect();
    let exported = (!exports.is_empty()).then(|| view! { <dt>"Exported"</dt> <dd><ul>{exports}</ul></dd> });
    view! { <dl class="texts proofs">{simulated} {tried} {verified} {exported}</dl> }.into_any()
}

fn exported(export: &Export) -> impl IntoView + use<> {
    view! { <li>{export.by.clone()} ", " <Age at=export.at/> ", " {words::stage(export.stage)}</li> }
}

/// The button that asks the API server, and what it said.
#[component]
fn Tried(
    cluster: StoredValue<String>,
    item: rampart_shared::ItemId,
    picks: RwSignal<String>,
) -> impl IntoView {
    let answer = RwSignal::new(None::<Result<DryRun, ApiError>>);
    let asking = RwSignal::new(false);
    let ask = move |_| {
        if asking.get_untracked() {
            return;
        }
        asking.set(true);
        let asked = cluster.with_value(|cluster| api::dry_run(cluster, item, &picks.get_untracked()));
        spawn_local(async move {
            // The page may be gone when the answer comes.
            let _ = answer.try_set(Some(asked.await));
            let _ = asking.try_set(false);
        });
    };
    let told = move || match answer.get() {
        Some(Ok(run)) => EitherOf3::A(told(run)),
        Some(Err(error)) => EitherOf3::B(view! { <p class="bad">{error.to_string()}</p> }),
        None => EitherOf3::C(()),
    };
    view! {
        <button type="button" aria-disabled=move || asking.get().then_some("true") on:click=ask>
            {move || if asking.get() { "Asking the API server…" } else { "Ask the API server" }}
        </button>
        <div role="status" aria-label="Dry run">{told}</div>
    }
    .into_any()
}

fn told(run: DryRun) -> impl IntoView {
    let count = |outcome| run.answers.iter().filter(|answer| answer.outcome == outcome).count();
    let summary = format!(
        "{} of {} accepted",
        count(DryRunOutcome::Accepted),
        run.answers.len() + usize::try_from(run.more).unwrap_or_default()
    );
    let remarks: Vec<_> = run.answers.into_iter().filter_map(remark).collect();
    view! { <p>{summary}</p> <ul>{remarks}</ul> }
}

/// What is worth telling of an answer; nothing where the object is accepted as it is.
fn remark(answer: DryRunAnswer) -> Option<impl IntoView> {
    let outcome = match answer.outcome {
        DryRunOutcome::Accepted => "accepted",
        DryRunOutcome::Refused => "refused",
        DryRunOutcome::Unanswered => "no answer",
    };
    let words: Vec<String> = answer.words.into_iter().chain(answer.conflict).chain(answer.warnings).collect();
    (!words.is_empty()).then(|| view! { <li>{answer.object} ": " {outcome} ". " {words.join(" ")}</li> })
}
