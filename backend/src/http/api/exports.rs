//! Remediations as files.

use super::selection;
use crate::{
    http::{App, extract::Visible, problem::ApiError},
    zip,
};
use axum::{
    extract::{RawForm, State},
    http::header,
    response::{IntoResponse, Response},
};
use rampart_checklist::export::{self, Selection};
use rampart_shared::{
    ItemId, Remediation, RemediationStage,
    api::{ExportFormat, Problem},
};
use rampart_store::{ClusterScope, ExportRecord, FindingFilter, History, StoreError};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The fields of the form. Those that are lists are repeated.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the form")]
struct ExportForm {
    /// The clusters; all that were evaluated where none is named.
    cluster: Option<Vec<String>>,
    /// The items; all where none is named.
    item: Option<Vec<String>>,
    /// The namespaces. Where none is named, all of them and what is about the cluster as a whole.
    namespace: Option<Vec<String>>,
    /// The fingerprints of findings, of one cluster; all where none is named.
    finding: Option<Vec<String>>,
    /// The stage; enforce by default.
    stage: Option<RemediationStage>,
    /// The form; yaml by default. What is more than one file is a zip, with a folder for each of several clusters.
    format: Option<ExportFormat>,
    /// Who takes it, for the history; by default the account that Rampart runs as.
    by: Option<String>,
    /// The answer to an input, for each.
    #[schema(rename = "choice.NAME")]
    choice: Option<String>,
}

/// Remediations as a file: of items, clusters or the whole fleet. The history keeps who took them.
#[utoipa::path(
    post, path = "/exports", tag = "remediation",
    request_body(content = ExportForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, content((String = "application/yaml"), (Vec<u8> = "application/zip"))),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn exports(
    State(app): State<App>,
    Visible(scope): Visible,
    RawForm(form): RawForm,
) -> Result<Response, ApiError> {
    let Asked { mut selection, clusters, findings, format, by } = Asked::of(&form)?;
    if !findings.is_empty() {
        let [cluster] = clusters.as_slice() else {
            return Err(ApiError::bad_request("Findings are those of one cluster: name exactly one."));
        };
        add_subjects(&app, &scope, cluster, &findings, &mut selection).await?;
    }
    let remediations = remediations(&app, &scope, &clusters, &selection).await?;
    let (stage, at) = (selection.stage, app.now());
    // A fleet's documents take a while to write.
    let made = tokio::task::spawn_blocking(move || made(&remediations, &selection, format));
    let Made { name, media_type, content, items } =
        made.await.map_err(|_| ApiError::defect("an export broke off"))??;
    if !items.is_empty() {
        let by = by.unwrap_or_else(|| app.account.to_string());
        app.store.record_export(&ExportRecord { at, by, stage, format, items }).await?;
    }
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, content).into_response())
}

/// The longest name of who takes an export.
const LONGEST_NAME: usize = 100;

/// What the form says.
struct Asked {
    selection: Selection,
    clusters: Vec<String>,
    findings: BTreeSet<String>,
    format: ExportFormat,
    by: Option<String>,
}

impl Asked {
    fn of(form: &[u8]) -> Result<Asked, ApiError> {
        let mut selection = Selection::default();
        let (mut clusters, mut findings) = (BTreeSet::new(), BTreeSet::new());
        let (mut format, mut by) = (ExportFormat::Yaml, None);
        for (name, value) in form_urlencoded::parse(form) {
            match name.as_ref() {
                "cluster" => drop(clusters.insert(value.into_owned())),
                "item" => {
                    let item: ItemId = value.parse().map_err(|_| {
                        ApiError::bad_request(format!(
                            "There is no item `{}`. /api/v1/checklist lists them.",
                            value.escape_debug()
                        ))
                    })?;
                    selection.items.insert(item);
                }
                "namespace" => drop(selection.namespaces.insert(value.into_owned())),
                "finding" => drop(findings.insert(value.into_owned())),
                "format" => format = format_of(&value)?,
                "by" => {
                    let name: String =
                        value.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
                    by = (!name.is_empty()).then_some(name);
                }
                other if selection::take(&mut selection, other, &value)? => {}
                other => {
                    return Err(ApiError::bad_request(format!(
                        "The field `{}` is not known: there are cluster, item, namespace, finding, stage, format, by and \
                         choice.NAME.",
                        other.escape_debug()
                    )));
                }
            }
        }
        Ok(Asked { selection, clusters: clusters.into_iter().collect(), findings, format, by })
    }
}

fn format_of(name: &str) -> Result<ExportFormat, ApiError> {
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(name);
    ExportFormat::deserialize(name).map_err(|_| {
        ApiError::bad_request("The format is none: write yaml, undo, kustomize or component.".to_owned())
    })
}

/// What would turn items of a cluster green, by the cluster's name.
type OfCluster = (String, Vec<Remediation>);

async fn remediations(
    app: &App,
    scope: &ClusterScope,
    clusters: &[String],
    selection: &Selection,
) -> Result<Vec<OfCluster>, ApiError> {
    let all: Vec<String>;
    let (named, clusters) = if clusters.is_empty() {
        all = app.scheduler.clusters().filter(|cluster| scope.sees(cluster)).map(str::to_owned).collect();
        (false, all.as_slice())
    } else {
        (true, clusters)
    };
    let mut found = Vec::with_capacity(clusters.len());
    for cluster in clusters {
        let mut remediations = Vec::new();
        for item in ItemId::ALL {
            if !selection.items.is_empty() && !selection.items.contains(&item) {
                continue;
            }
            let stored = app.store.remediation(scope, cluster, item).await.map_err(unknown_cluster)?;
            remediations.extend(stored.map(|stored| stored.remediation));
        }
        if !remediations.is_empty() {
            found.push((cluster.clone(), remediations));
        } else if named {
            return Err(ApiError::bad_request(format!(
                "`{cluster}` has not been evaluated yet, so there is no remediation."
            )));
        }
    }
    Ok(found)
}

/// The form is wrong, not the address.
fn unknown_cluster(error: StoreError) -> ApiError {
    match error {
        StoreError::UnknownCluster(name) => {
            ApiError::bad_request(format!("There is no cluster `{name}`. /api/v1/clusters lists them."))
        }
        error => error.into(),
    }
}

/// Adds the objects of these findings.
async fn add_subjects(
    app: &App,
    scope: &ClusterScope,
    cluster: &str,
    findings: &BTreeSet<String>,
    selection: &mut Selection,
) -> Result<(), ApiError> {
    let mut left = findings.clone();
    for item in ItemId::ALL {
        if !selection.items.is_empty() && !selection.items.contains(&item) {
            continue;
        }
        let filter = FindingFilter { limit: u32::MAX, ..FindingFilter::default() };
        let page = app.store.findings(scope, cluster, item, &filter).await.map_err(unknown_cluster)?;
        for finding in page.findings.into_iter().map(|record| record.finding) {
            if findings.contains(&finding.fingerprint.0) {
                left.remove(&finding.fingerprint.0);
                selection.subjects.insert(finding.subject);
            }
        }
    }
    match left.first() {
        Some(unknown) => Err(ApiError::bad_request(format!(
            "There is no open finding `{}` of the items that were picked.",
            unknown.escape_debug()
        ))),
        None => Ok(()),
    }
}

/// A file, and what the history keeps of it.
struct Made {
    name: String,
    media_type: &'static str,
    content: Vec<u8>,
    items: Vec<(String, Vec<ItemId>)>,
}

fn made(remediations: &[OfCluster], selection: &Selection, format: ExportFormat) -> Result<Made, ApiError> {
    let clusters = remediations.iter().map(|(cluster, found)| (cluster.as_str(), found.as_slice()));
    let plans =
        export::plans(clusters, selection).map_err(|error| ApiError::bad_request(format!("{error}.")))?;
    let [first, others @ ..] = plans.as_slice() else {
        return Err(ApiError::bad_request(format!(
            "There is nothing to export: of what was picked nothing falls short, or nothing is in the stage {}.",
            selection.stage.as_str()
        )));
    };
    let items = plans
        .iter()
        .map(|plan| (plan.cluster().to_owned(), plan.items().collect::<Vec<_>>()))
        .filter(|(_, items)| !items.is_empty())
        .collect();
    let name = if others.is_empty() { file_name(first.cluster(), selection) } else { "fleet".to_owned() };
    let ending = match format {
        ExportFormat::Yaml | ExportFormat::Kustomize => "",
        ExportFormat::Undo => "-undo",
        ExportFormat::Component => "-component",
    };
    if others.is_empty() && format == ExportFormat::Yaml {
        let content = export::yaml(first, usize::MAX).into_bytes();
        return Ok(Made { name: format!("{name}.yaml"), media_type: "application/yaml", content, items });
    }
    let files = if others.is_empty() { export::files(first, format) } else { export::fleet(&plans, format) };
    let content =
        zip::zip(&files).map_err(|error| ApiError::defect(&format!("cannot write a zip: {error}")))?;
    Ok(Made { name: format!("{name}{ending}.zip"), media_type: "application/zip", content, items })
}

/// A name that every file system takes, whatever the cluster is called.
fn file_name(cluster: &str, selection: &Selection) -> String {
    let cluster = export::slug(cluster);
    match selection.items.first() {
        Some(item) if selection.items.len() == 1 => format!("{cluster}-{item}"),
        _ => cluster,
    }
}
