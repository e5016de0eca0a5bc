//! What every form asks that takes remedies out of Rampart. These are plain forms: the browser downloads what they answer.

use crate::words;
use leptos::prelude::*;
use rampart_shared::RemediationStage;

/// Stage, form and name, and the button.
#[component]
pub(crate) fn ExportFields(
    /// The stages that there are.
    stages: Vec<RemediationStage>,
) -> impl IntoView {
    // The one that is in force first, since it is what is meant without a choice.
    let stages: Vec<_> = stages
        .into_iter()
        .rev()
        .map(|stage| view! { <option value=stage.as_str()>{words::stage(stage)}</option> })
        .collect();
    view! {
        <label>"Stage" <select name="stage">{stages}</select></label>
        <label>"Form"
            <select name="format">
                <option value="yaml">"YAML"</option>
                <option value="kustomize">"kustomize folder (zip)"</option>
                <option value="component">"kustomize Component (zip)"</option>
                <option value="undo">"Undo (zip)"</option>
            </select>
        </label>
        <label>"Your name, for the history" <input name="by" autocomplete="name" maxlength="100"/></label>
        <button class="primary">"Download"</button>
    }
    .into_any()
}
