//! Runs one program and tells what it used. It is a process of its own because the kernel keeps one peak for
//! all children of a process, and a compiler that ran before would be in it.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

use crate::{process, workspace};

/// What a run of a program used.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    pub(crate) wall_seconds: f64,
    /// User and system time of all its threads.
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
    pub(crate) exit_code: Option<i32>,
}

/// Runs a program in a process of its own and returns what it used. Its stdout is dropped.
pub(crate) fn usage(program: &[OsString]) -> Result<Usage> {
    let printed =
        process::output(workspace::command(workspace::own_program()?).args(["measure", "--"]).args(program))?;
    Ok(serde_json::from_slice(&printed)?)
}

/// The hidden subcommand: runs the program, then prints a [`Usage`].
pub(crate) fn run(program: &[OsString]) -> Result<()> {
    let Some((name, arguments)) = program.split_first() else { bail!("no program to measure") };
    let started = Instant::now();
    let status = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", name.display()))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // macOS counts bytes, Linux KiB.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let usage = Usage {
        wall_seconds,
        cpu_seconds: (used.user_time() + used.system_time()).num_microseconds() as f64 / 1e6,
        peak_bytes: u64::try_from(used.max_rss())? * unit,
        exit_code: status.code(),
    };
    println!("{}", serde_json::to_string(&usage)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_survives_the_way_between_the_processes() {
        let usage = Usage { wall_seconds: 0.25, cpu_seconds: 0.4, peak_bytes: 1 << 20, exit_code: None };
        let text = serde_json::to_string(&usage).unwrap();
        let read: Usage = serde_json::from_str(&text).unwrap();
        assert_eq!((read.wall_seconds, read.peak_bytes, read.exit_code), (0.25, 1 << 20, None));
    }
}
