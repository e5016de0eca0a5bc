//! Clusters by items.

use crate::{
    address,
    chart::Sparkline,
    components::{Age, Mark, ScrollRegion},
    format, words,
};
use leptos::{either::Either, prelude::*};
use rampart_shared::{
    Category, ItemDocumentation, Outcome, OutcomeCounts,
    api::{Checklist, ClusterSummary, Freshness, ItemCell, Overview, RunKind},
};
use std::sync::Arc;

/// From this number of items on, headings stand upright.
const MANY_ITEMS: usize = 12;

/// The table: a row a cluster, a column an item, a group of columns a category.
#[component]
pub(crate) fn Matrix(
    /// The clusters.
    overview: Arc<Overview>,
    /// The items.
    checklist: Arc<Checklist>,
) -> impl IntoView {
    if overview.clusters.is_empty() {
        return Either::Left(view! { <p class="empty">"No cluster is configured."</p> });
    }
    let columns = columns(&checklist);
    let groups: Vec<_> = Category::ALL
        .into_iter()
        .filter_map(|category| {
            let number = columns.iter().filter(|column| column.texts.category == category).count();
            (number > 0).then(|| view! {
                <th scope="colgroup" class="category first" colspan=number.to_string()>{category.title()}</th>
            })
        })
        .collect();
    let headings: Vec<_> = columns
        .iter()
        .map(|column| {
            view! {
                <th scope="col" class="item" class:first=column.first title=column.texts.title.clone()>
                    <span>{column.texts.short_title.clone()}</span>
                </th>
            }
        })
        .collect();
    let rows: Vec<_> = overview.clusters.iter().map(|cluster| row(cluster, &columns)).collect();
    let class = if columns.len() >= MANY_ITEMS { "matrix many" } else { "matrix" };
    Either::Right(view! {
        <ScrollRegion label="Clusters and items" class="matrix-scroll">
            <table class=class>
                <thead>
                    <tr>
                        <th scope="col" rowspan="2" class="name">"Cluster"</th>
                        <th scope="col" rowspan="2" class="spark">"30 days"</th>
                        <th scope="col" rowspan="2" class="number">"Score"</th>
                        {groups}
                    </tr>
                    <tr>{headings}</tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>{totals(&overview.clusters, &columns)}</tfoot>
            </table>
        </ScrollRegion>
    })
}

/// What the shapes mean.
#[component]
pub(crate) fn Legend() -> impl IntoView {
    let entry = |outcome: Outcome, text: &'static str| {
        view! { <span><Mark class=words::outcome_class(outcome) sign=words::outcome_sign(outcome, 7)/> " " {text}</span> }
    };
    view! {
        <small class="legend">
            {entry(Outcome::Pass, "holds")}
            {entry(Outcome::Fail, "falls short, with findings")}
            {entry(Outcome::Unknown, "unknown")}
            {entry(Outcome::NotApplicable, "not applicable")}
        </small>
    }
}

/// An item's column; the first of its category is set apart.
struct Column {
    texts: ItemDocumentation,
    first: bool,
}

/// The columns, by category and then in the checklist's order.
fn columns(checklist: &Checklist) -> Vec<Column> {
    Category::ALL
        .into_iter()
        .flat_map(|category| {
            let items = checklist.items.iter().filter(move |texts| texts.category == category);
            items.enumerate().map(|(index, texts)| Column { texts: texts.clone(), first: index == 0 })
        })
        .collect()
}

fn row(cluster: &ClusterSummary, columns: &[Column]) -> impl IntoView + use<> {
    let labels: Vec<_> = cluster
        .labels
        .iter()
        .map(|(label, value)| view! { <span class="tag" title=format!("{label}: {value}")>{value.clone()}</span> })
        .collect();
    let kind = [cluster.distribution.clone(), cluster.version.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let cells = if cluster.items.is_empty() {
        Either::Left(view! {
            <td class="first never" colspan=columns.len().to_string()>"Not evaluated yet"</td>
        })
    } else {
        Either::Right(
            columns
                .iter()
                .map(|column| {
                    let cell = cluster.items.iter().find(|cell| cell.id == column.texts.id);
                    view! {
                        <td class:first=column.first>
                            {cell.map(|cell| link(cluster, &column.texts, cell))}
                        </td>
                    }
                })
                .collect::<Vec<_>>(),
        )
    };
    view! {
        <tr class:stale=cluster.freshness == Freshness::Stale>
            <th scope="row" class="name">
                <a href=address::cluster_page(&cluster.name)>{cluster.name.clone()}</a>
                {labels}
                {(!kind.is_empty()).then(|| view! { <small class="below">{kind}</small> })}
                {(!cluster.items.is_empty()).then(|| view! { <small class="narrow-score">{format::score(cluster.score)}</small> })}
                {trouble(cluster)}
            </th>
            <td class="spark"><Sparkline points=cluster.trend.clone()/></td>
            <td class="number">{if cluster.items.is_empty() { String::new() } else { format::score(cluster.score) }}</td>
            {cells}
        </tr>
    }
}

/// Why the row is not as current as it should be.
fn trouble(cluster: &ClusterSummary) -> impl IntoView + use<> {
    let failed = cluster
        .last_run
        .as_ref()
        .filter(|run| matches!(run.kind, RunKind::Unreachable | RunKind::IdentityChanged))
        .map(|run| view! {
            <span title=run.detail.clone()>{format::capitalised(words::run(run.kind))} " " <Age at=run.finished_at/></span>
        });
    let stale = (cluster.freshness == Freshness::Stale).then(|| {
        let last = cluster.last_evaluated_at.map(|at| view! { ", evaluated " <Age at/> });
        view! { <span>"Stale" {last}</span> }
    });
    (failed.is_some() || stale.is_some()).then(|| view! { <small class="trouble">{stale} {failed}</small> })
}

fn link(cluster: &ClusterSummary, texts: &ItemDocumentation, cell: &ItemCell) -> impl IntoView + use<> {
    let name = words::cell(&cluster.name, &texts.short_title, cell, cluster.freshness);
    view! {
        <a href=address::item_page(&cluster.name, cell.id) aria-label=name.clone() title=name>
            <Mark class=words::outcome_class(cell.outcome) sign=words::outcome_sign(cell.outcome, cell.findings)/>
        </a>
    }
}

/// How many clusters fall short of each item: where work pays off most.
fn totals(clusters: &[ClusterSummary], columns: &[Column]) -> impl IntoView + use<> {
    let cells: Vec<_> = columns
        .iter()
        .map(|column| {
            let counts: OutcomeCounts = clusters
                .iter()
                .flat_map(|cluster| &cluster.items)
                .filter(|cell| cell.id == column.texts.id)
                .map(|cell| cell.outcome)
                .collect();
            let told = format!("{}: {}", column.texts.short_title, words::counts(counts));
            view! { <td class:first=column.first class:none=counts.fail == 0 title=told>{counts.fail} <small>{format!("/{}", counts.applicable())}</small></td> }
        })
        .collect();
    view! {
        <tr>
            <th scope="row" class="name">"Fall short"</th>
            <td class="spark"></td>
            <td class="number"></td>
            {cells}
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_shared::ItemId;

    #[test]
    fn columns_are_grouped_by_category() {
        let texts = |id, category| ItemDocumentation {
            id,
            number: 1,
            category,
            title: String::new(),
            short_title: String::new(),
            checks: String::new(),
            why: String::new(),
            cannot_see: String::new(),
            references: vec![],
        };
        let checklist = Checklist {
            catalogue: String::new(),
            items: vec![
                texts(ItemId::DefaultDeny, Category::Network),
                texts(ItemId::EtcdTls, Category::ClusterComponents),
                texts(ItemId::KubeletReadOnlyPort, Category::ClusterComponents),
            ],
        };
        let order: Vec<_> =
            columns(&checklist).into_iter().map(|column| (column.texts.id, column.first)).collect();
        assert_eq!(
            order,
            [(ItemId::EtcdTls, true), (ItemId::KubeletReadOnlyPort, false), (ItemId::DefaultDeny, true)]
        );
    }
}
