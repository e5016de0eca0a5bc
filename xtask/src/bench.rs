//! Speed and memory, always beside a baseline from the same run: seconds of one machine say nothing on
//! another, ratios do.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::measure::{self, Usage};
use crate::{corpus, process, run, workspace};

const ROUNDS: usize = 7;

/// What a bench target prints on stdout, one JSON object a line; other lines are shown as they are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Comparison {
    name: String,
    /// The shortest of several.
    seconds: f64,
    /// What it is compared with.
    baseline: String,
    baseline_seconds: f64,
}

/// Runs everything and prints a table of ratios.
pub(crate) fn run() -> Result<()> {
    corpus::run(None)?;
    run::build_release()?;
    println!("Compiling the baseline");
    process::run(workspace::cargo().args(["build", "--release", "--package", "rampart-baseline"]))?;
    scan()?;
    for target in bench_targets()? {
        println!("\nRunning the benchmark {} of {}", target.name, target.package);
        let printed = process::output(
            workspace::cargo()
                .args(["bench", "--quiet", "--package", &target.package, "--bench", &target.name])
                .env("RAMPART_CORPUS", corpus::default_folder()),
        )?;
        for line in String::from_utf8(printed)?.lines() {
            println!("{}", shown(line));
        }
    }
    Ok(())
}

/// `rampart scan` over the corpus beside reading the same files into untyped values on one core.
fn scan() -> Result<()> {
    let corpus = corpus::default_folder().into_os_string();
    let scan: Vec<OsString> = [
        workspace::rampart("release").into_os_string(),
        "scan".into(),
        corpus.clone(),
        "--assume-complete".into(),
        "--format".into(),
        "json".into(),
        "--fail-on".into(),
        "never".into(),
    ]
    .into();
    let parse: Vec<OsString> = [release_program("rampart-baseline").into_os_string(), corpus].into();

    println!("\nScanning the corpus, {ROUNDS} times, in turn with parsing it on one core");
    let (mut scans, mut parses) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        scans.push(successful(&scan)?);
        parses.push(successful(&parse)?);
    }
    let (scan, parse) = (Summary::of(&scans), Summary::of(&parses));
    println!("{:<28} {:>9} {:>9} {:>9} {:>11}", "", "min s", "median s", "cores", "peak MiB");
    println!("{:<28} {}", "rampart scan", scan.row());
    println!("{:<28} {}", "untyped parsing on one core", parse.row());
    println!(
        "ratio: {:.2} of its time, {:.2} of its memory",
        scan.fastest / parse.fastest,
        scan.peak_mib / parse.peak_mib
    );
    Ok(())
}

fn successful(program: &[OsString]) -> Result<Usage> {
    let usage = measure::usage(program)?;
    if usage.exit_code != Some(0) {
        bail!("`{}` ended with exit code {:?}", program[0].display(), usage.exit_code);
    }
    Ok(usage)
}

struct Summary {
    fastest: f64,
    median: f64,
    /// How many cores the fastest run kept busy.
    cores: f64,
    peak_mib: f64,
}

impl Summary {
    fn of(runs: &[Usage]) -> Self {
        let mut by_time: Vec<&Usage> = runs.iter().collect();
        by_time.sort_by(|one, other| one.wall_seconds.total_cmp(&other.wall_seconds));
        let peak = runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0);
        Self {
            fastest: by_time[0].wall_seconds,
            median: by_time[by_time.len() / 2].wall_seconds,
            cores: by_time[0].cpu_seconds / by_time[0].wall_seconds,
            peak_mib: peak as f64 / 1_048_576.0,
        }
    }

    fn row(&self) -> String {
        format!("{:>9.3} {:>9.3} {:>9.2} {:>11.1}", self.fastest, self.median, self.cores, self.peak_mib)
    }
}

fn release_program(name: &str) -> PathBuf {
    workspace::rampart("release").with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn shown(line: &str) -> String {
    match serde_json::from_str::<Comparison>(line) {
        Ok(Comparison { name, seconds, baseline, baseline_seconds }) => format!(
            "{name}: {:.2} of the time of {baseline} ({:.3} ms, {:.3} ms)",
            seconds / baseline_seconds,
            seconds * 1e3,
            baseline_seconds * 1e3
        ),
        Err(_) => line.to_owned(),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct BenchTarget {
    package: String,
    name: String,
}

/// Every `[[bench]]` in the workspace, so that no list here has to be kept.
fn bench_targets() -> Result<Vec<BenchTarget>> {
    let printed =
        process::output(workspace::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    bench_targets_of(&printed)
}

fn bench_targets_of(metadata: &[u8]) -> Result<Vec<BenchTarget>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let metadata: Metadata = serde_json::from_slice(metadata).context("cannot read `cargo metadata`")?;
    Ok(metadata
        .packages
        .into_iter()
        .flat_map(|package| {
            let name = package.name;
            package
                .targets
                .into_iter()
                .filter(|target| target.kind.iter().any(|kind| kind == "bench"))
                .map(move |target| BenchTarget { package: name.clone(), name: target.name })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(wall_seconds: f64, cpu_seconds: f64, peak_bytes: u64) -> Usage {
        Usage { wall_seconds, cpu_seconds, peak_bytes, exit_code: Some(0) }
    }

    #[test]
    fn a_summary_takes_the_fastest_run_and_the_highest_peak() {
        let summary = Summary::of(&[run(2.0, 2.0, 1 << 20), run(0.5, 0.9, 1 << 20), run(1.0, 1.0, 3 << 20)]);
        assert_eq!((summary.fastest, summary.median, summary.cores), (0.5, 1.0, 1.8));
        assert_eq!(summary.peak_mib, 3.0);
    }

    #[test]
    fn a_comparison_is_shown_as_a_ratio_and_other_lines_as_they_are() {
        let line = r#"{"name":"list page of 500 pods","seconds":0.001,"baseline":"serde_json::Value","baselineSeconds":0.002}"#;
        assert_eq!(
            shown(line),
            "list page of 500 pods: 0.50 of the time of serde_json::Value (1.000 ms, 2.000 ms)"
        );
        assert_eq!(shown("warming up"), "warming up");
    }

    #[test]
    fn bench_targets_are_found() {
        let metadata = br#"{"packages":[{"name":"rampart-store","targets":[{"name":"rampart_store","kind":["lib"]},{"name":"history","kind":["bench"]}]}]}"#;
        let expected = [BenchTarget { package: "rampart-store".into(), name: "history".into() }];
        assert_eq!(bench_targets_of(metadata).unwrap(), expected);
    }
}
