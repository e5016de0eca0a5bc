//! The remedies of a cluster, taken along together.

use crate::{api, app::Texts, components::ExportFields};
use leptos::prelude::*;
use rampart_shared::{Outcome, RemediationStage, api::ClusterItems};
use std::sync::Arc;

/// A form for the remedies of the items that fall short; nothing where none does.
#[component]
pub(super) fn Remedies(
    /// The cluster and its items.
    answer: Arc<ClusterItems>,
) -> impl IntoView {
    let texts = Texts::get();
    let items: Vec<_> = answer
        .items
        .iter()
        .filter(|state| state.last_outcome == Outcome::Fail)
        .map(|state| {
            let id = state.id;
            view! {
                <label class="tick">
                    <input type="checkbox" name="item" value=id.as_str() checked/>
                    {move || texts.short_title(id)}
                </label>
            }
        })
        .collect();
    (!items.is_empty())
        .then(|| {
            view! {
                <section class="card" aria-labelledby="remedies">
                    <h2 id="remedies">"Remedies"</h2>
                    <form class="export" method="post" action=api::EXPORTS aria-label="Export">
                        <input type="hidden" name="cluster" value=answer.cluster.name.clone()/>
                        <fieldset><legend>"Of these items"</legend>{items}</fieldset>
                        <ExportFields stages=RemediationStage::ALL.to_vec()/>
                    </form>
                    <p class="muted">
                        "All that is to change of an object is in one document. What waits for a choice is left out and named; the item’s page asks it."
                    </p>
                </section>
            }
        })
        .into_any()
}
