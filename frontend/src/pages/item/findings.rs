//! An item's findings, by state, and those of system namespaces apart.

use crate::{
    address,
    api::{self, FindingFilter},
    components::{Age, Loaded, ScrollRegion},
    fetch::Fetch,
    format,
    router::Router,
    words,
};
use leptos::{either::Either, leptos_dom::helpers::TimeoutHandle, prelude::*};
use rampart_shared::{
    ItemId, Scope,
    api::{FindingPage, FindingRecord, FindingState, ItemDetail},
};
use std::time::Duration;

/// How many findings a page shows.
const LIMIT: u32 = 50;

/// How long to wait for more letters before searching.
const TYPING: Duration = Duration::from_millis(300);

/// The findings that decide the outcome. State, text and page are in the address.
#[component]
pub(crate) fn Findings(
    /// The cluster.
    cluster: String,
    /// The item.
    item: ItemId,
    /// Its state, for the counts.
    detail: Fetch<ItemDetail>,
    /// Grows when they may have changed.
    news: Memo<u64>,
) -> impl IntoView {
    let router = Router::get();
    let query = router.query();
    let path = StoredValue::new(router.path());
    let state = Memo::new(move |_| state_named(query.parameter("state").as_deref()));
    let text = Memo::new(move |_| query.parameter("text").unwrap_or_default());
    let offset =
        Memo::new(move |_| query.parameter("offset").and_then(|text| text.parse().ok()).unwrap_or(0));
    let cluster = StoredValue::new(cluster);
    let page = Fetch::new(news, move || {
        let filter = FindingFilter {
            state: state.get(),
            scope: Scope::Application,
            text: text.get(),
            offset: offset.get(),
            limit: LIMIT,
        };
        cluster.with_value(|cluster| api::findings(cluster, item, &filter))
    });
    let address = move |state: FindingState, text: String, offset: u32| {
        address::with_query(
            &path.get_value(),
            [
                ("state", (state != FindingState::Open).then(|| api::state_name(state).to_owned())),
                ("text", Some(text)),
                ("offset", (offset > 0).then(|| offset.to_string())),
            ],
        )
    };
    let tab = move |of: FindingState| {
        let number = move || {
            let detail = detail.value()?;
            let counts = detail.state.as_ref()?;
            match of {
                FindingState::Open => Some(counts.open_findings),
                FindingState::Unconfirmed => Some(counts.unconfirmed_findings),
                FindingState::Resolved => None,
            }
        };
        view! {
            <a
                href=move || address(of, text.get(), 0)
                data-noscroll="true"
                aria-current=move || (state.get() == of).then_some("true")
            >
                {words::finding_state(of)}
                {move || number().map(|number| view! { " " <small>{format::number(number)}</small> })}
            </a>
        }
    };
    let paging = move |page: &FindingPage| {
        let (from, shown) = (offset.get(), u32::try_from(page.findings.len()).unwrap_or(u32::MAX));
        let link = |to: u32, label: &'static str| {
            view! { <a class="button" href=address(state.get(), text.get(), to) data-noscroll="true">{label}</a> }
        };
        (from > 0 || page.next_offset.is_some()).then(|| view! {
            <nav class="paging" aria-label="Pages of findings">
                <span class="muted">
                    {format!("{}–{} of {}", format::number(from + 1), format::number(from + shown), format::number(page.total))}
                </span>
                {(from > 0).then(|| link(from.saturating_sub(LIMIT), "Previous"))}
                {page.next_offset.map(|next| link(next, "Next"))}
            </nav>
        })
    };

    view! {
        <section class="card" aria-labelledby="findings">
            <h2 id="findings">"Findings"</h2>
            <div class="filters">
                <nav class="tabs" aria-label="Findings by state">
                    {[FindingState::Open, FindingState::Unconfirmed, FindingState::Resolved].map(tab).into_iter().collect::<Vec<_>>()}
                </nav>
                <Search text/>
            </div>
            <Loaded fetch=page words="Loading findings…" space="tall" view=move |page| match page.findings.is_empty() {
                true => Either::Left(view! { <p class="empty">{nothing(state.get(), &text.get())}</p> }),
                false => Either::Right(view! { {table(&page, state.get())} {paging(&page)} }),
            }/>
        </section>
    }
    .into_any()
}

/// Narrows the findings to those that hold a text.
#[component]
fn Search(text: Memo<String>) -> impl IntoView {
    let router = Router::get();
    let path = router.path();
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let search = move |typed: String| {
        if let Some(handle) = waiting.get_value() {
            handle.clear();
        }
        let path = path.clone();
        let go = move || {
            // The page may be left by now.
            if router.path() == path {
                let state = router.parameter("state");
                router.replace(&address::with_query(&path, [("state", state), ("text", Some(typed))]));
            }
        };
        waiting.set_value(set_timeout_with_handle(go, TYPING).ok());
    };
    view! {
        <label class="search">
            <span class="visually-hidden">"Search findings"</span>
            <input
                type="search"
                placeholder="Name, namespace, field"
                prop:value=text
                on:input=move |event| search(event_target_value(&event))
            />
        </label>
    }
}

/// The open findings of system namespaces. They decide nothing.
#[component]
pub(crate) fn SystemFindings(
    /// The cluster.
    cluster: String,
    /// The item.
    item: ItemId,
    /// Its state, for the count.
    detail: Fetch<ItemDetail>,
    /// Grows when they may have changed.
    news: Memo<u64>,
) -> impl IntoView {
    let limit = RwSignal::new(LIMIT);
    let cluster = StoredValue::new(cluster);
    let page = Fetch::new(news, move || {
        let filter = FindingFilter {
            state: FindingState::Open,
            scope: Scope::System,
            text: String::new(),
            offset: 0,
            limit: limit.get(),
        };
        cluster.with_value(|cluster| api::findings(cluster, item, &filter))
    });
    let number = move || {
        let detail = detail.value();
        detail.and_then(|detail| detail.state.as_ref().map(|state| state.system_findings)).unwrap_or(0)
    };
    view! {
        <section class="card" aria-labelledby="system">
            <h2 id="system">"In system namespaces" <small>{move || format::count(number(), "finding")}</small></h2>
            <p class="muted">"They are listed for completeness and do not decide the outcome."</p>
            <details>
                <summary>"Show them"</summary>
                <Loaded fetch=page words="Loading findings…" space="short" view=move |page| view! {
                    {table(&page, FindingState::Open)}
                    {page.next_offset.map(|_| view! {
                        <p class="paging">
                            <button type="button" on:click=move |_| limit.update(|limit| *limit += LIMIT)>"Show more"</button>
                        </p>
                    })}
                }/>
            </details>
        </section>
    }
    .into_any()
}

fn table(page: &FindingPage, state: FindingState) -> impl IntoView + use<> {
    let rows: Vec<_> = page.findings.iter().map(row).collect();
    let last = last_heading(state);
    view! {
        <ScrollRegion label="Table of findings">
            <table class="rows findings">
                <thead>
                    <tr>
                        <th scope="col">"Object"</th>
                        <th scope="col">"Field"</th>
                        <th scope="col">"Observed"</th>
                        <th scope="col">"Expected"</th>
                        <th scope="col">"First seen"</th>
                        {last.map(|last| view! { <th scope="col">{last}</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </ScrollRegion>
    }
    .into_any()
}

fn row(record: &FindingRecord) -> impl IntoView + use<> {
    let finding = &record.finding;
    let place = match &finding.subject.namespace {
        Some(namespace) => format!("{} in {namespace}", finding.subject.kind),
        None => finding.subject.kind.clone(),
    };
    let last = match record.state {
        FindingState::Open => None,
        FindingState::Unconfirmed => record.unconfirmed_since,
        FindingState::Resolved => record.resolved_at,
    };
    let reopened = (record.opened_at > record.first_seen)
        .then(|| view! { <small class="below">"reopened " <Age at=record.opened_at/></small> });
    view! {
        <tr>
            <th scope="row">
                <span class="strong" title=finding.subject.api_version.clone()>{finding.subject.name.clone()}</span>
                <small class="below">{place}</small>
            </th>
            <td class="path">
                <span>{breakable(&finding.path)}</span>
                {finding.note.clone().map(|note| view! { <small class="below">{note}</small> })}
            </td>
            <td class="observed" data-label="Observed">{finding.observed.clone()}</td>
            <td class="expected" data-label="Expected">{finding.expected.clone()}</td>
            <td class="nowrap" data-label="First seen"><Age at=record.first_seen/> {reopened}</td>
            {last_heading(record.state).map(|heading| view! { <td class="nowrap" data-label=heading>{last.map(|at| view! { <Age at/> })}</td> })}
        </tr>
    }
}

/// The heading of the time that a state adds.
const fn last_heading(state: FindingState) -> Option<&'static str> {
    match state {
        FindingState::Open => None,
        FindingState::Unconfirmed => Some("Unconfirmed since"),
        FindingState::Resolved => Some("Resolved"),
    }
}

/// A path that may break after its dots, so that no field's name is cut.
fn breakable(path: &str) -> Vec<impl IntoView + use<>> {
    path.split_inclusive('.').map(|piece| view! { {piece.to_owned()} <wbr/> }).collect()
}

/// What an empty list means.
fn nothing(state: FindingState, text: &str) -> String {
    let what = match state {
        FindingState::Open => "open finding",
        FindingState::Unconfirmed => "unconfirmed finding",
        FindingState::Resolved => "resolved finding",
    };
    if text.is_empty() { format!("No {what}.") } else { format!("No {what} holds “{text}”.") }
}

/// The state that the address names; open where it names none.
fn state_named(name: Option<&str>) -> FindingState {
    [FindingState::Unconfirmed, FindingState::Resolved]
        .into_iter()
        .find(|state| name == Some(api::state_name(*state)))
        .unwrap_or(FindingState::Open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_states() {
        assert_eq!(state_named(Some("resolved")), FindingState::Resolved);
        assert_eq!(state_named(Some("unconfirmed")), FindingState::Unconfirmed);
        assert_eq!([state_named(None), state_named(Some("x"))], [FindingState::Open; 2]);
    }

    #[test]
    fn an_empty_list_says_what_there_is_none_of() {
        assert_eq!(nothing(FindingState::Open, ""), "No open finding.");
        assert_eq!(nothing(FindingState::Resolved, "cart"), "No resolved finding holds “cart”.");
    }
}
