//! What was not seen.

use crate::{
    components::{CopyButton, WithCode},
    rbac_rule, words,
};
use leptos::prelude::*;
use rampart_shared::Gap;

/// How many missing objects are named.
const NAMED: usize = 12;

/// Each gap with its cause and what would close it.
#[component]
pub(crate) fn Gaps(
    /// What they have in common.
    heading: &'static str,
    /// The gaps.
    gaps: Vec<Gap>,
) -> impl IntoView {
    let number = gaps.len();
    let entries: Vec<_> = gaps.into_iter().map(gap).collect();
    view! {
        <section class="card" aria-label=heading>
            <h2>{heading} <small>{number}</small></h2>
            <ul class="gaps">{entries}</ul>
        </section>
    }
    .into_any()
}

fn gap(gap: Gap) -> impl IntoView {
    let objects = (!gap.objects.is_empty()).then(|| {
        let more = gap.objects.len().saturating_sub(NAMED);
        let named = gap.objects.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let told = if more > 0 { format!("{named} and {more} more") } else { named };
        view! { <p class="objects"><span class="muted">{gap.objects.len()} " missing: "</span> {told}</p> }
    });
    let kind = gap.kind.to_string();
    let rule = gap.rule.as_ref().map(|rule| {
        let yaml = rbac_rule::to_yaml(rule);
        view! {
            <pre tabindex="0" aria-label="RBAC rule"><code>{yaml.clone()}</code></pre>
            <p class="buttons"><CopyButton label="Copy the RBAC rule" text=Signal::stored(yaml) about=kind.clone()/></p>
        }
    });
    view! {
        <li>
            <p><code class="strong">{kind}</code> " " <span class="tag">{words::gap_reason(gap.reason)}</span></p>
            <p><WithCode text=gap.detail/></p>
            {objects}
            {(!gap.closed_by.is_empty()).then(|| view! { <p><span class="muted">"To close it: "</span> <WithCode text=gap.closed_by/></p> })}
            {rule}
        </li>
    }
}
