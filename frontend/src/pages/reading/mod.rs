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
use rampart_shared::{
    Gap, GapReason, Source,
    api::{ClusterReading, RunSummary},
};
use table::KindTable;

/// The page.
#[component]
pub(crate) fn ReadingPage(
    /// The cluster.
    cluster: String,
) -> impl IntoView {
    let name = cluster;
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
        <Loaded fetch=reading words="Loading what was read…" space="tall" view=|reading| view! {
            <ClusterNotice cluster=reading.cluster.clone()/>
            {match &reading.run {
                Some(run) => read(&reading, run),
                None => view! { <section class="card"><p class="empty">{nothing(&reading)}</p></section> }.into_any(),
            }}
        }/>
    }
}

fn nothing(reading: &ClusterReading) -> &'static str {
    match reading.cluster.last_evaluated_at {
        Some(_) => {
            "What the last completed run read is no longer kept. “Evaluate now” reads the cluster again."
        }
        None => "No run of this cluster was completed yet. “Evaluate now” starts one.",
    }
}

fn read(reading: &ClusterReading, run: &RunSummary) -> AnyView {
    let gaps = |reason: GapReason| -> Vec<Gap> {
        reading.gaps.iter().filter(|gap| gap.reason == reason).cloned().collect()
    };
    let kinds = |reason| -> Vec<String> { gaps(reason).iter().map(|gap| gap.kind.to_string()).collect() };
    let gap_cards = [("Refused", GapReason::Forbidden), ("Did not arrive whole", GapReason::Failed)]
        .map(|(heading, reason)| (heading, gaps(reason)))
        .into_iter()
        .filter(|(_, gaps)| !gaps.is_empty())
        .map(|(heading, gaps)| view! { <Gaps heading gaps/> }.into_any())
        .collect::<Vec<_>>();
    let mut not_served = kinds(GapReason::NotServed);
    not_served.extend(reading.not_served.iter().map(ToString::to_string));
    let lists = [
        (
            "Not served",
            "The cluster has none of these kinds, or not in a version that Rampart understands.",
            not_served,
        ),
        (
            "Not asked for",
            "No item needs these, or reading them is not switched on.",
            kinds(GapReason::NotCollected),
        ),
        ("Run by the provider", "The provider shows these to nobody.", kinds(GapReason::ProviderManaged)),
        ("Not understood", "These documents, or parts of them, could not be read.", reading.problems.clone()),
    ];
    let (mut objects, mut pages, mut bytes) = (0, 0, 0);
    for kind in &reading.kinds {
        objects += kind.objects;
        pages += u64::from(kind.pages);
        bytes += kind.bytes;
    }
    let mut facts = vec![
        ("Took", format::took(run.started_at, run.finished_at)),
        ("Objects", table::number(objects)),
        ("Refused", gaps(GapReason::Forbidden).len().to_string()),
    ];
    if reading.cluster.source == Source::Live {
        facts.extend([("Answers", table::number(pages)), ("Data", format::bytes(bytes))]);
    }
    let facts: Vec<_> = facts
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any())
        .collect();
    view! {
        <section class="card prose" aria-label="Summary">
            <p><WithCode text=statement(reading)/></p>
            <dl class="facts">
                <div><dt>"Read"</dt><dd><Age at=run.finished_at/></dd></div>
                {facts}
            </dl>
        </section>
        {gap_cards}
        <KindTable reading=reading.clone()/>
        {lists.into_iter().filter(|(.., names)| !names.is_empty()).map(list).collect::<Vec<_>>()}
    }
    .into_any()
}

/// What was done to the cluster, told from what was sent.
fn statement(reading: &ClusterReading) -> String {
    if reading.cluster.source == Source::Snapshot {
        return "Rampart read files. Nothing was sent to the cluster.".to_owned();
    }
    let mut text =
        "Rampart reads and never writes: it asks the API server with `get` and `list`, and watches nothing."
            .to_owned();
    if reading.kinds.iter().any(|kind| kind.verb == "create") {
        text.push_str(
            " A `create` below asks what its account may do, or for a short-lived token; the API server stores nothing of it.",
        );
    }
    if !reading.kinds.iter().any(|kind| kind.kind.as_str() == "secrets") {
        text.push_str(" It never reads a Secret.");
    }
    text
}

fn list((heading, words, names): (&'static str, &'static str, Vec<String>)) -> AnyView {
    let number = names.len();
    let names: Vec<_> =
        names.into_iter().map(|name| view! { <li><code>{name}</code></li> }.into_any()).collect();
    view! {
        <section class="card" aria-label=heading>
            <h2>{heading} <small>{number}</small></h2>
            <p class="muted">{words}</p>
            <ul class="kinds">{names}</ul>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(source: Source, kinds: &[(&str, &str)]) -> ClusterReading {
        let kinds: Vec<_> = kinds
            .iter()
            .map(|(kind, verb)| {
                serde_json::json!({"kind": kind, "verb": verb, "objects": 0, "pages": 1, "bytes": 2,
                    "milliseconds": 3, "refused": false})
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "cluster": {"name": "eu", "labels": {}, "source": source, "freshness": "never_evaluated", "items": [],
                "counts": {"pass": 0, "fail": 0, "unknown": 0, "notApplicable": 0}, "trend": []},
            "kinds": kinds, "notServed": [], "gaps": [], "problems": []
        }))
        .unwrap()
    }

    #[test]
    fn the_statement_claims_no_more_than_was_sent() {
        let live = |kinds| statement(&reading(Source::Live, kinds));
        let plain = live(&[("pods", "list")]);
        assert!(plain.ends_with("It never reads a Secret.") && !plain.contains("`create`"), "{plain}");
        let asks = live(&[("selfsubjectaccessreviews.authorization.k8s.io", "create")]);
        assert!(asks.contains("`create`"), "{asks}");
        assert!(!live(&[("secrets", "list")]).contains("Secret"));
        assert!(!statement(&reading(Source::Snapshot, &[("pods", "")])).contains("API server"));
    }
}
