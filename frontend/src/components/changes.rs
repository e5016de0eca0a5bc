//! What changed, newest first.

use crate::{
    address,
    app::Texts,
    components::{Age, Mark},
    words,
};
use leptos::{either::Either, prelude::*};
use rampart_shared::api::Change;

/// Changes of one kind that a run made to one item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangeGroup {
    /// The first of them.
    pub(crate) first: Change,
    /// How many there are.
    pub(crate) number: u32,
}

/// Changes as a list: what happened, to what, and how long ago.
#[component]
pub(crate) fn ChangeList(
    /// The changes, newest first.
    changes: Vec<Change>,
    /// How many entries to show.
    limit: usize,
    /// Whether each entry names its cluster.
    #[prop(optional)]
    name_clusters: bool,
) -> impl IntoView {
    let groups = grouped(changes);
    let more = groups.len().saturating_sub(limit);
    let entries: Vec<_> = groups.into_iter().take(limit).map(|group| entry(group, name_clusters)).collect();
    view! {
        <ul class="changes">{entries}</ul>
        {(more > 0).then(|| view! { <p class="muted">{format!("and {more} more")}</p> })}
    }
    .into_any()
}

fn entry(ChangeGroup { first, number }: ChangeGroup, name_clusters: bool) -> impl IntoView {
    let texts = Texts::get();
    let (class, sign) = words::change_mark(first.kind);
    let cluster = first.cluster.clone();
    let subject = match first.item {
        Some(item) => Either::Left(view! {
            <a href=address::item_page(&cluster, item)>{move || texts.short_title(item)}</a>
        }),
        None => Either::Right("Checklist"),
    };
    let detail =
        if number == 1 && words::change_needs_detail(first.kind) { first.detail } else { String::new() };
    view! {
        <li>
            <Mark class sign/>
            <div>
                <p>{subject} ": " {words::change(first.kind, number)}</p>
                <p class="muted detail" title=detail.clone()>
                    {name_clusters.then(|| view! { <b>{cluster}</b> " · " })}
                    <Age at=first.at/>
                    {(!detail.is_empty()).then(|| format!(" · {detail}"))}
                </p>
            </div>
        </li>
    }
}

/// Changes that follow one another and differ in their detail alone become one entry.
fn grouped(changes: Vec<Change>) -> Vec<ChangeGroup> {
    let mut groups: Vec<ChangeGroup> = Vec::new();
    for change in changes {
        match groups.last_mut() {
            Some(ChangeGroup { first, number })
                if (first.run, &first.cluster, first.item, first.kind)
                    == (change.run, &change.cluster, change.item, change.kind) =>
            {
                *number += 1;
            }
            _ => groups.push(ChangeGroup { first: change, number: 1 }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use rampart_shared::{ItemId, api::ChangeKind};
    use uuid::Uuid;

    fn change(run: u128, kind: ChangeKind, detail: &str) -> Change {
        Change {
            at: DateTime::from_timestamp(0, 0).unwrap(),
            run: Uuid::from_u128(run),
            cluster: "eu".into(),
            item: Some(ItemId::DefaultDeny),
            kind,
            detail: detail.into(),
        }
    }

    #[test]
    fn findings_of_one_run_are_one_entry() {
        let groups = grouped(vec![
            change(2, ChangeKind::FindingResolved, "a"),
            change(2, ChangeKind::FindingResolved, "b"),
            change(2, ChangeKind::Fixed, ""),
            change(1, ChangeKind::FindingResolved, "c"),
        ]);
        let told: Vec<(u32, &str)> =
            groups.iter().map(|group| (group.number, group.first.detail.as_str())).collect();
        assert_eq!(told, [(2, "a"), (1, ""), (1, "c")]);
    }
}
