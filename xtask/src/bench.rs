//! Speed and memory, always beside a baseline from the same run: seconds of one machine say nothing on
//! another, ratios do.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::measure::{self, Usage};
use crate::{corpus, process, run, workspace};

const ROUNDS: usize = 7;

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

/// A bench target prints one JSON object a line, with its name in `bench` and what it compares in `ratio`.
/// They are shown for people; other lines stay as they are.
fn shown(line: &str) -> String {
    let Ok(Value::Object(mut result)) = serde_json::from_str(line) else { return line.to_owned() };
    let Some(Value::String(name)) = result.remove("bench") else { return line.to_owned() };
    let mut ratios = Vec::new();
    if let Some(ratio) = result.remove("ratio") {
        flatten("ratio", &ratio, &mut ratios);
    }
    let mut rest = Vec::new();
    for (key, value) in &result {
        flatten(key, value, &mut rest);
    }
    format!("{name:<24} {:<40} {}", ratios.join(", "), rest.join(", ")).trim_end().to_owned()
}

fn flatten(key: &str, value: &Value, shown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                flatten(&format!("{key} {field}"), value, shown);
            }
        }
        Value::Number(number) if number.is_f64() => {
            shown.push(format!("{key} {:.3}", number.as_f64().unwrap_or(f64::NAN)));
        }
        other => shown.push(format!("{key} {other}")),
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
    fn a_result_is_shown_for_people_and_other_lines_as_they_are() {
        let line =
            r#"{"bench":"list_page","ratio":{"time":0.25,"retained":0.125},"microseconds":{"whole":40}}"#;
        let shown_parts: Vec<_> = shown(line).split_whitespace().map(str::to_owned).collect();
        let expected = "list_page ratio retained 0.125, ratio time 0.250 microseconds whole 40";
        assert_eq!(shown_parts.join(" "), expected);
        assert_eq!(shown("warming up"), "warming up");
        assert_eq!(shown(r#"{"other":1}"#), r#"{"other":1}"#);
    }

    #[test]
    fn bench_targets_are_found() {
        let metadata = br#"{"packages":[{"name":"rampart-store","targets":[{"name":"rampart_store","kind":["lib"]},{"name":"history","kind":["bench"]}]}]}"#;
        let expected = [BenchTarget { package: "rampart-store".into(), name: "history".into() }];
        assert_eq!(bench_targets_of(metadata).unwrap(), expected);
    }
}
