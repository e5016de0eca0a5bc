//! What would turn an item green: what it does, what proves it, and the way to take it out of Rampart.

mod effects;
mod export_form;
mod proofs;
mod yaml;

use crate::{
    api,
    components::{Age, ProblemNotice},
    fetch::Fetch,
    format, words,
};
use effects::{Remaining, Tables};
use export_form::ExportForm;
use leptos::{either::EitherOf3, prelude::*};
use proofs::Proofs;
use rampart_shared::{
    ItemId, RemediationTarget,
    api::{DocumentCount, RemediationView},
};
use std::sync::Arc;
use yaml::Yaml;

/// The remediation: what it changes, what it may break, how to undo it, what proves it, and the YAML.
#[component]
pub(crate) fn RemediationCard(
    /// The cluster.
    cluster: String,
    /// The item.
    item: ItemId,
    /// Counts what happened to the cluster.
    news: Memo<u64>,
    /// Whether it is unknown how the item stands.
    unknown: Memo<bool>,
) -> impl IntoView {
    let cluster = StoredValue::new(cluster);
    let picks = RwSignal::new(String::new());
    let fetch =
        Fetch::new(news, move || cluster.with_value(|name| api::remediation(name, item, &picks.get())));
    // Another pick shows what there was until the answer comes.
    let view = Memo::new(move |before: Option<&Option<Arc<RemediationView>>>| {
        fetch.value().or_else(|| before.cloned().flatten())
    });
    let asked = Memo::new(move |_| view.get().map(|view| (view.inputs.clone(), view.documents.clone())));
    let form = move || {
        asked.get().filter(|(_, documents)| !documents.is_empty()).map(|(inputs, documents)| {
            view! { <ExportForm cluster=cluster.get_value() item inputs documents picks/> }
        })
    };
    let content = move || match (view.get(), fetch.error()) {
        (_, Some(error)) if !error.is_not_found() => {
            EitherOf3::A(view! { <ProblemNotice error retry=move || fetch.retry()/> })
        }
        (Some(view), _) => EitherOf3::B(content(cluster, &view, unknown.get(), picks)),
        (None, Some(_)) => EitherOf3::C(view! { <p class="empty">"There is no remediation."</p> }),
        (None, None) => EitherOf3::C(view! { <p class="empty">"Loading the remediation…"</p> }),
    };
    view! {
        <section class="card" aria-labelledby="remediation">
            <h2 id="remediation">"Remediation"</h2>
            {content}
            {form}
        </section>
    }
    .into_any()
}

fn content(
    cluster: StoredValue<String>,
    view: &Arc<RemediationView>,
    unknown: bool,
    picks: RwSignal<String>,
) -> impl IntoView + use<> {
    let history = (!view.exports.is_empty()).then(|| view! { <Proofs cluster view=view.clone() picks/> });
    if view.documents.is_empty() && view.remaining.is_empty() {
        let told = if unknown {
            "No finding is confirmed now. What to change is said once the gaps are closed."
        } else {
            "Nothing falls short, so there is nothing to change."
        };
        return view! { <p class="empty">{told}</p> {history} }.into_any();
    }
    let applied = view.documents.iter().any(|document| document.target.is_applied());
    let texts: Vec<_> = [("Changes", &view.changes), ("May break", &view.may_break), ("Undo", &view.undo)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(term, text)| view! { <dt>{term}</dt> <dd>{text.clone()}</dd> })
        .collect();
    let has_documents = !view.documents.is_empty();
    view! {
        <p class="muted">{kinds(&view.documents)} ", made " <Age at=view.made_at/></p>
        <dl class="texts">{texts}</dl>
        <Proofs cluster view=view.clone() picks/>
        <Remaining remaining=view.remaining.clone()/>
        <Tables tables=view.tables.clone()/>
        {has_documents.then(|| view! { <Yaml text=view.yaml.clone() more=view.more/> })}
        {(has_documents && !applied).then(|| view! {
            <p class="muted">"No API server takes these settings: they are made on the machines, as the comments say."</p>
        })}
    }
    .into_any()
}

/// How many documents of which kind: `2 new objects, 1 setting on nodes`.
fn kinds(documents: &[DocumentCount]) -> String {
    let kinds: Vec<String> = [
        RemediationTarget::NewObject,
        RemediationTarget::Apply,
        RemediationTarget::Node,
        RemediationTarget::ControlPlane,
    ]
    .into_iter()
    .filter_map(|target| {
        // Each stage has documents of its own for the same change.
        let number =
            documents.iter().filter(|count| count.target == target).map(|count| count.documents).max()?;
        let (one, more) = words::remediation_target(target);
        Some(match number {
            1 => format!("1 {one}"),
            number => format!("{} {more}", format::number(number)),
        })
    })
    .collect();
    if kinds.is_empty() { "Nothing to apply".to_owned() } else { kinds.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_shared::RemediationStage;

    #[test]
    fn documents_are_counted_by_kind_and_not_by_stage() {
        let count = |stage, target, documents| DocumentCount { stage, target, documents };
        let documents = [
            count(RemediationStage::Warn, RemediationTarget::NewObject, 2),
            count(RemediationStage::Enforce, RemediationTarget::NewObject, 2),
            count(RemediationStage::Enforce, RemediationTarget::Node, 1),
        ];
        assert_eq!(kinds(&documents), "2 new objects, 1 setting on nodes");
        assert_eq!(kinds(&[]), "Nothing to apply");
    }
}
