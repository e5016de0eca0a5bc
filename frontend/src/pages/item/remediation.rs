//! What would turn an item green.

use crate::{
    api,
    components::{Age, CopyButton, ProblemNotice},
    fetch::Fetch,
    format, words,
    yaml_highlight::{self, TokenKind},
};
use leptos::{either::EitherOf3, prelude::*};
use rampart_shared::{
    ItemId, RemediationTarget,
    api::{DocumentCount, RemediationView},
};

/// How many lines are shown at first.
const LINES: usize = 200;

/// The remediation: what it changes, what it may break, how to undo it, and the YAML.
#[component]
pub(crate) fn RemediationCard(
    /// The cluster.
    cluster: String,
    /// The item.
    item: ItemId,
    /// The remediation.
    remediation: Fetch<RemediationView>,
    /// Whether it is unknown how the item stands.
    unknown: Memo<bool>,
) -> impl IntoView {
    let content = move || match (remediation.value(), remediation.error()) {
        (Some(view), _) => EitherOf3::A(content(&cluster, item, &view, unknown.get())),
        (None, Some(error)) if !error.is_not_found() => {
            EitherOf3::B(view! { <ProblemNotice error retry=move || remediation.retry()/> })
        }
        (None, Some(_)) => EitherOf3::C(view! { <p class="empty">"There is no remediation."</p> }),
        (None, None) => EitherOf3::C(view! { <p class="empty">"Loading the remediation…"</p> }),
    };
    view! {
        <section class="card" aria-labelledby="remediation">
            <h2 id="remediation">"Remediation"</h2>
            {content}
        </section>
    }
    .into_any()
}

fn content(cluster: &str, item: ItemId, view: &RemediationView, unknown: bool) -> impl IntoView + use<> {
    if view.documents.is_empty() {
        let told = if unknown {
            "No finding is confirmed now. What to change is said once the gaps are closed."
        } else {
            "Nothing falls short, so there is nothing to change."
        };
        return view! { <p class="empty">{told}</p> }.into_any();
    }
    let applied = view.documents.iter().any(|document| document.target.is_applied());
    let texts = [("Changes", &view.changes), ("May break", &view.may_break), ("Undo", &view.undo)];
    let texts: Vec<_> = texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(term, text)| view! { <dt>{term}</dt> <dd>{text.clone()}</dd> })
        .collect();
    view! {
        <p class="muted">{kinds(&view.documents)} ", made " <Age at=view.made_at/></p>
        <dl class="texts">{texts}</dl>
        <Yaml text=view.yaml.clone()/>
        <form class="buttons" method="post" action=api::EXPORTS>
            <input type="hidden" name="cluster" value=cluster.to_owned()/>
            <input type="hidden" name="item" value=item.as_str()/>
            <CopyButton label="Copy YAML" text=Signal::stored(view.yaml.clone())/>
            <button>"Download YAML"</button>
        </form>
        {(!applied).then(|| view! {
            <p class="muted">"No API server takes these settings: they are made on the machines, as the comments say."</p>
        })}
    }
    .into_any()
}

/// YAML with colours; a long one is cut until it is asked for.
#[component]
fn Yaml(text: String) -> impl IntoView {
    let number = text.lines().count();
    let text = StoredValue::new(text);
    let all = RwSignal::new(number <= LINES);
    let lines = move || {
        let shown = if all.get() { usize::MAX } else { LINES };
        text.with_value(|text| yaml_highlight::lines(text))
            .into_iter()
            .take(shown)
            .map(line)
            .collect::<Vec<_>>()
    };
    view! {
        <pre class="yaml" tabindex="0" role="region" aria-label="Remediation YAML"><code>{lines}</code></pre>
        <p class="buttons" hidden=move || all.get()>
            <button type="button" on:click=move |_| all.set(true)>{format!("Show all {number} lines")}</button>
        </p>
    }
}

fn line(tokens: Vec<yaml_highlight::Token>) -> impl IntoView {
    let pieces: Vec<_> = tokens
        .into_iter()
        .map(|token| match class(token.kind) {
            Some(class) => view! { <span class=class>{token.text}</span> }.into_any(),
            None => token.text.into_any(),
        })
        .collect();
    view! { {pieces} "\n" }
}

const fn class(kind: TokenKind) -> Option<&'static str> {
    match kind {
        TokenKind::Plain => None,
        TokenKind::Comment => Some("y-comment"),
        TokenKind::Key => Some("y-key"),
        TokenKind::Text => Some("y-text"),
        TokenKind::Literal => Some("y-literal"),
        TokenKind::Separator => Some("y-separator"),
    }
}

/// How many documents of which kind: `2 new objects, 1 setting on nodes`.
fn kinds(documents: &[DocumentCount]) -> String {
    [
        RemediationTarget::NewObject,
        RemediationTarget::Apply,
        RemediationTarget::Node,
        RemediationTarget::ControlPlane,
    ]
    .into_iter()
    .filter_map(|target| {
        let counts = documents.iter().filter(|count| count.target == target);
        let number: u32 = counts.map(|count| count.documents).sum();
        let (one, more) = words::remediation_target(target);
        match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            number => Some(format!("{} {more}", format::number(number))),
        }
    })
    .collect::<Vec<_>>()
    .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_shared::RemediationStage;

    #[test]
    fn documents_are_counted_by_kind() {
        let count = |target, documents| DocumentCount { stage: RemediationStage::Enforce, target, documents };
        let documents = [count(RemediationTarget::NewObject, 2), count(RemediationTarget::Node, 1)];
        assert_eq!(kinds(&documents), "2 new objects, 1 setting on nodes");
    }
}
