//! Steps that take long: each says what it does and how long it usually takes, and a table at the end says
//! how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The steps of one run so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration, bool)>,
}

impl Steps {
    /// Runs a step, after the line that announces it.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        usually: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        println!("\n==> {name} (usually {usually})");
        let started = Instant::now();
        let result = work();
        self.done.push((name, started.elapsed(), result.is_ok()));
        result.with_context(|| format!("{name}: failed"))
    }

    /// What every step took.
    pub(crate) fn table(&self) -> String {
        let width = self.done.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        let line = |name: &str, taken: Duration, mark: &str| {
            let taken = taken.as_secs_f64();
            format!("{name:<width$} {:>3.0} min {:>4.1} s{mark}\n", (taken / 60.0).floor(), taken % 60.0)
        };
        let mut table: String = self
            .done
            .iter()
            .map(|(name, taken, succeeded)| line(name, *taken, if *succeeded { "" } else { "  failed" }))
            .collect();
        table += &line("in all", self.done.iter().map(|(_, taken, _)| *taken).sum(), "");
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named_and_marked() {
        let mut steps = Steps::default();
        steps.step("clippy", "a minute", || Ok(())).unwrap();
        let error = steps.step("Rust tests", "a minute", || -> Result<()> { anyhow::bail!("2 failed") });
        assert_eq!(format!("{:#}", error.unwrap_err()), "Rust tests: failed: 2 failed");
        let table = steps.table();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("clippy     ") && !lines[0].contains("failed"), "{table}");
        assert!(lines[1].starts_with("Rust tests ") && lines[1].ends_with("failed"), "{table}");
    }
}
