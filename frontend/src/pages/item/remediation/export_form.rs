//! The form that takes a remediation out of Rampart, with what a person has to choose.

use crate::{api, components::ExportFields};
use leptos::{ev, prelude::*};
use rampart_shared::{ItemId, RemediationInput, RemediationStage, api::DocumentCount};
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement, UrlSearchParams};

/// What a person chooses, in which form, and by whom. What is picked is shown at once.
#[component]
pub(super) fn ExportForm(
    /// The cluster.
    cluster: String,
    /// The item.
    item: ItemId,
    /// The questions.
    inputs: Vec<RemediationInput>,
    /// What there is of each stage.
    documents: Vec<DocumentCount>,
    /// What is picked, as the query that asks for it.
    picks: RwSignal<String>,
) -> impl IntoView {
    let pick = move |event: ev::Event| {
        if let Some(query) = event.current_target().and_then(|form| query_of(form.unchecked_ref())) {
            picks.set(query);
        }
    };
    let stages = RemediationStage::ALL
        .into_iter()
        .filter(|stage| documents.iter().any(|count| count.stage == *stage))
        .collect();
    let questions: Vec<_> = inputs.into_iter().map(question).collect();
    view! {
        <form class="export" method="post" action=api::EXPORTS aria-label="Export" on:change=pick>
            <input type="hidden" name="cluster" value=cluster/>
            <input type="hidden" name="item" value=item.as_str()/>
            {questions}
            <ExportFields stages/>
        </form>
    }
    .into_any()
}

fn question(input: RemediationInput) -> impl IntoView {
    let RemediationInput { name, label, help, default, example, options } = input;
    let name = format!("choice.{name}");
    let default = default.unwrap_or_default();
    let field = if options.is_empty() {
        view! { <input name=name value=default placeholder=format!("such as {example}")/> }.into_any()
    } else {
        let options: Vec<_> = options
            .into_iter()
            .map(|option| {
                let selected = option == default;
                view! { <option selected=selected>{option}</option> }
            })
            .collect();
        view! { <select name=name>{options}</select> }.into_any()
    };
    view! { <label class="choice">{label} {field} <small class="muted">{help}</small></label> }
}

/// The stage and the choices of a form, as a query.
fn query_of(form: &HtmlFormElement) -> Option<String> {
    let data = FormData::new_with_form(form).ok()?;
    let query = String::from(UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?.to_string());
    let picked: Vec<&str> =
        query.split('&').filter(|pair| pair.starts_with("stage=") || pair.starts_with("choice.")).collect();
    Some(picked.join("&"))
}
