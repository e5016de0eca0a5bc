//! Exports objects as a remediation of them would be exported, for the test that reads the result with kubectl.
//!
//! It reads a list of objects as JSON and prints `{stream, bundle: [{path, content}]}`.

#![allow(clippy::print_stdout, reason = "it is a program")]

use rampart_checklist::export::{Plan, Selection, files, yaml};
use rampart_checklist::remedy::document;
use rampart_shared::{ItemId, Remediation, RemediationTarget, api::ExportFormat};
use serde_json::{Value, json};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let objects: Vec<Value> = serde_json::from_reader(std::io::stdin())?;
    let documents = objects
        .iter()
        .map(|object| document(RemediationTarget::Apply, object["metadata"]["name"].to_string(), object));
    let remediation =
        Remediation { documents: documents.collect(), ..Remediation::new(ItemId::DefaultDeny, "", "", "") };
    let plan = Plan::new("a", [&remediation], &Selection::default());
    let bundle: Vec<Value> = files(&plan, ExportFormat::Kustomize)
        .into_iter()
        .map(|file| json!({ "path": file.path, "content": file.content }))
        .collect();
    println!("{}", json!({ "stream": yaml(&plan, usize::MAX), "bundle": bundle }));
    Ok(())
}
