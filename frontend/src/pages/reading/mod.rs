//! What Rampart read from a cluster: for those who own it and want to know what it is asked.

mod table;

use crate::{
    address, api,
    components::{Age, ClusterNotice, EvaluateNow, Gaps, Loaded, WithCode},
    fetch::Fetch,
    format,
    live::Live,
    navigation::PageHeading,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rampart_shared::{
    Gap, GapReason, Source,
    api::{ClusterReading, RunReading, RunSummary},
};
use table::KindTable;

/// The page.
#[component]
pub(crate) fn ReadingPage() -> impl IntoView {
    let params = use_params_map();
    let cluster = Memo::new(move |_| params.with(|params| params.get("cluster").unwrap_or_default()));
    move || view! { <Reading name=cluster.get()/> }
}

#[component]
fn Reading(name: String) -> impl IntoView {
    let stored = StoredValue::new(name.clone());
    let news = Live::get().news(move || stored.try_get_value());
    let reading = Fetch::new(news, move || stored.with_value(|name| api::reading(name)));
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <a href="/">"Fleet"</a> " › " <a href=address::cluster_page(&name)>{name.clone()}</a>
        </nav>
        <div class="head">
            <PageHeading text="What Rampart read from this cluster" title=Signal::stored(format!("{name}: what was read"))/>
            <EvaluateNow cluster=Signal::stored(Some(name))/>
        </div>
        <Loaded fetch=reading words="Loading what was read…" space="tall" view=|answer| content(&answer)/>
    }
}

fn content(answer: &ClusterReading) -> AnyView {
    let reading = match (&answer.run, &answer.reading) {
        (Some(run), Some(reading)) => read(answer.cluster.source, run, reading),
        (run, _) => {
            let words = match run {
                Some(_) => "What the last completed run read is no longer kept. “Evaluate now” reads the cluster again.",
                None => "No run of this cluster was completed yet. “Evaluate now” starts one.",
            };
            view! { <section class="card"><p class="empty">{words}</p></section> }.into_any()
        }
    };
    view! { <ClusterNotice cluster=answer.cluster.clone()/> {reading} }.into_any()
}

fn read(source: Source, run: &RunSummary, reading: &RunReading) -> AnyView {
    let is_live = source == Source::Live;
    let of = |reason: GapReason| reading.gaps.iter().filter(move |gap| gap.reason == reason);
    let gaps = |heading, reason| {
        let gaps: Vec<Gap> = of(reason).cloned().collect();
        (!gaps.is_empty()).then(|| view! { <Gaps heading gaps/> })
    };
    let kinds = |reason| of(reason).map(|gap| gap.kind.to_string());
    let not_served = kinds(GapReason::NotServed).chain(reading.not_served.iter().map(ToString::to_string));
    let objects = reading.kinds.iter().map(|kind| kind.objects).sum();
    let pages = reading.kinds.iter().map(|kind| u64::from(kind.pages)).sum();
    let bytes = reading.kinds.iter().map(|kind| kind.bytes).sum();
    let fact = |name, value: String| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let problems: Vec<_> =
        reading.problems.iter().map(|problem| view! { <li>{problem.clone()}</li> }).collect();
    view! {
        <section class="card prose" aria-label="Summary">
            <p><WithCode text=statement(source, reading)/></p>
            <dl class="facts">
                <div><dt>"Read"</dt><dd><Age at=run.finished_at/></dd></div>
                {fact("Took", format::milliseconds(reading.collect_milliseconds))}
                {is_live.then(|| fact("Answers", table::number(pages)))}
                {fact("Objects", table::number(objects))}
                {is_live.then(|| fact("Data", format::bytes(bytes)))}
                {fact("Refused", kinds(GapReason::Forbidden).count().to_string())}
            </dl>
        </section>
        {gaps("Refused", GapReason::Forbidden)}
        {gaps("Did not arrive whole", GapReason::Failed)}
        <KindTable reading=reading.clone() is_live/>
        {list("Not served", "The cluster has none of these kinds, or not in a version that Rampart understands.", not_served.collect())}
        {list("Not asked for", "", kinds(GapReason::NotCollected).collect())}
        {list("Run by the provider", "The provider shows these to nobody.", kinds(GapReason::ProviderManaged).collect())}
        {(!problems.is_empty()).then(|| view! {
            <section class="card" aria-label="Documents that could not be understood">
                <h2>"Documents that could not be understood"</h2>
                <ul class="gaps">{problems}</ul>
            </section>
        })}
    }
    .into_any()
}

/// What was done to the cluster, told from what was sent.
fn statement(source: Source, reading: &RunReading) -> String {
    if source == Source::Snapshot {
        return "Rampart read files. Nothing was sent to the cluster.".to_owned();
    }
    let uses = |verb: &str| reading.kinds.iter().any(|kind| kind.verb == verb);
    let mut text = "Rampart reads and never writes: it asks the API server with `get` and `list`, and watches nothing.".to_owned();
    if uses("create") {
        text.push_str(" The `create` below asks what its account may do, and the API server stores nothing of it.");
    }
    if !reading.kinds.iter().any(|kind| kind.kind.as_str() == "secrets") {
        text.push_str(" It never reads a Secret.");
    }
    text
}

/// Names of kinds; nothing where there are none.
fn list(heading: &'static str, words: &'static str, mut kinds: Vec<String>) -> impl IntoView {
    kinds.sort();
    kinds.dedup();
    (!kinds.is_empty()).then(|| {
        let number = kinds.len();
        let kinds: Vec<_> = kinds.into_iter().map(|kind| view! { <li><code>{kind}</code></li> }).collect();
        view! {
            <section class="card" aria-label=heading>
                <h2>{heading} <small>{number}</small></h2>
                <p class="muted">{words}</p>
                <ul class="kinds">{kinds}</ul>
            </section>
        }
        .into_any()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_shared::{ResourceName, api::KindReading};

    fn reading(kinds: &[(&str, &str)]) -> RunReading {
        let kinds = kinds.iter().map(|(kind, verb)| KindReading {
            kind: ResourceName::from(*kind),
            verb: (*verb).to_owned(),
            path: String::new(),
            objects: 0,
            pages: 0,
            bytes: 0,
            milliseconds: 0,
            refused: false,
        });
        RunReading { kinds: kinds.collect(), ..RunReading::default() }
    }

    #[test]
    fn the_statement_claims_no_more_than_was_sent() {
        let plain = statement(Source::Live, &reading(&[("pods", "list")]));
        assert!(plain.ends_with("It never reads a Secret.") && !plain.contains("`create`"), "{plain}");
        let asks = statement(Source::Live, &reading(&[("selfsubjectaccessreviews.authorization.k8s.io", "create")]));
        assert!(asks.contains("`create`"), "{asks}");
        let secrets = statement(Source::Live, &reading(&[("secrets", "list")]));
        assert!(!secrets.contains("Secret"), "{secrets}");
        assert!(!statement(Source::Snapshot, &reading(&[])).contains("API server"));
    }
}
