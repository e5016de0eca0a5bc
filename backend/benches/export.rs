//! Exports of the remedies of 5,000 workloads, against writing the same documents as JSON.
//!
//! Prints a JSON line for each form, and one with the ratios, so that a run compares with itself and with nothing else.

#![allow(clippy::expect_used, reason = "a benchmark without its objects measures nothing")]
#![expect(clippy::print_stdout, reason = "the result goes to stdout")]

use rampart::zip::zip;
use rampart_checklist::{
    Inventory, Kind, Object, Parameters, evaluate,
    export::{Plan, Selection, files, yaml},
};
use rampart_shared::{Remediation, Source, api::ExportFormat};
use serde_json::{Value, json};
use std::{hint::black_box, time::Instant};

const WORKLOADS: usize = 5000;
const ROUNDS: usize = 5;

fn main() {
    let evaluated = evaluate(&inventory(), &Parameters::default()).expect("no item contradicts itself");
    let remediations: Vec<Remediation> = evaluated.into_iter().map(|item| item.remediation).collect();
    let selection = Selection::default();
    let plan = || Plan::new("a", &remediations, &selection);
    assert!(plan().documents() >= WORKLOADS, "every workload has something to remedy");

    let baseline = fastest(|| {
        let objects: Vec<&Value> = remediations
            .iter()
            .flat_map(|remediation| remediation.of_stage(selection.stage).map(|document| &document.object))
            .collect();
        black_box(serde_json::to_string(&objects).expect("values are JSON"));
    });
    let stream = fastest(|| {
        black_box(yaml(&plan(), usize::MAX));
    });
    let bundle = fastest(|| {
        black_box(zip(&files(&plan(), ExportFormat::Kustomize)).expect("the files fit into a zip"));
    });
    for (way, milliseconds) in [("documents as JSON", baseline), ("one stream", stream), ("a zip", bundle)] {
        println!("{}", json!({"bench": "export", "way": way, "milliseconds": milliseconds}));
    }
    let ratio = json!({"of JSON, a stream": stream / baseline, "of JSON, a zip": bundle / baseline});
    println!("{}", json!({"bench": "export", "ratio": ratio}));
}

/// Deployments in fifty namespaces that say nothing about their security.
fn inventory() -> Inventory {
    let mut inventory = Inventory::empty(Source::Snapshot);
    for number in 0..50 {
        let namespace = json!({"metadata": {"name": format!("team-{number}")}});
        inventory.insert(Object::deserialize(Kind::Namespaces, "v1", namespace).expect("a namespace"));
    }
    for number in 0..WORKLOADS {
        let (name, namespace) = (format!("service-{number}"), format!("team-{}", number % 50));
        let containers: Vec<Value> = ["app", "proxy"]
            .iter()
            .map(|name| json!({"name": name, "image": format!("registry.example.org/{name}:{number}")}))
            .collect();
        let deployment = json!({
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
            },
        });
        inventory
            .insert(Object::deserialize(Kind::Deployments, "apps/v1", deployment).expect("a deployment"));
    }
    inventory
}

/// The fastest of the rounds, in milliseconds.
fn fastest(work: impl Fn()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        work();
        started.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
}
