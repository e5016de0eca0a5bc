//! All items over the corpus, against parsing the same files into trees of values, both on one core.
//!
//! Prints a JSON line for each and one with the ratio, so that a run compares with itself and with nothing else.
//! `RAMPART_CORPUS` names the folder; `cargo xtask bench` makes it.

#![allow(clippy::expect_used, reason = "a benchmark without its corpus measures nothing")]
#![expect(clippy::print_stdout, reason = "the result goes to stdout")]

use rampart_checklist::{Parameters, evaluate};
use rampart_cluster::snapshot::{self, ReadOptions};
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

const ROUNDS: usize = 5;

fn main() {
    let Some(folder) = std::env::var_os("RAMPART_CORPUS").map(PathBuf::from) else {
        println!("evaluate: RAMPART_CORPUS is not set; `cargo xtask bench` sets it");
        return;
    };
    let texts = texts(&folder);
    let inputs = snapshot::inputs(&[folder], None).expect("the corpus is a snapshot");
    let options = ReadOptions { assume_complete: true, ..ReadOptions::default() };
    let (inventory, _) = snapshot::read(&inputs[0], &options).expect("the corpus can be read");
    let parameters = Parameters::default();

    let parsed = fastest(|| {
        for text in &texts {
            black_box(serde_saphyr::from_multiple::<Value>(text).expect("the corpus is YAML"));
        }
    });
    let evaluated = fastest(|| {
        black_box(evaluate(&inventory, &parameters).expect("no item contradicts itself"));
    });
    println!("{}", json!({"bench": "evaluate", "way": "parse", "milliseconds": parsed}));
    println!("{}", json!({"bench": "evaluate", "way": "all items", "milliseconds": evaluated}));
    println!("{}", json!({"bench": "evaluate", "ratio": {"of parsing on one core": evaluated / parsed}}));
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

/// Every YAML file under a folder.
fn texts(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the corpus can be listed") {
            let path = entry.expect("the corpus can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                texts.push(std::fs::read_to_string(path).expect("the corpus is text"));
            }
        }
    }
    texts
}
