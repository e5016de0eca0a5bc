//! Running other programs, with errors that name them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Runs a program with its output shown; anything but success is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a program and returns what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let shown = shown(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` ended with {}", output.status);
    }
    Ok(output.stdout)
}

/// How a program with a time limit ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Limited {
    Success,
    Failure,
    TimedOut,
}

/// Runs a program with its output shown and ends it after `limit`.
pub(crate) fn run_limited(command: &mut Command, limit: Duration) -> Result<Limited> {
    let shown = shown(command);
    let mut child =
        command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start `{shown}`"))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { Limited::Success } else { Limited::Failure });
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(Limited::TimedOut);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The first of these programs that is on the PATH.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
            .find(|program| program.is_file())
    })
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_ended() {
        let limited = run_limited(Command::new("sleep").arg("60"), Duration::from_millis(100)).unwrap();
        assert_eq!(limited, Limited::TimedOut);
    }

    #[test]
    fn a_program_within_its_limit_says_how_it_ended() {
        let limit = Duration::from_secs(60);
        assert_eq!(run_limited(&mut Command::new("true"), limit).unwrap(), Limited::Success);
        assert_eq!(run_limited(&mut Command::new("false"), limit).unwrap(), Limited::Failure);
    }

    #[test]
    fn an_error_names_the_command() {
        let error = run(Command::new("false").arg("--really")).unwrap_err();
        assert!(error.to_string().starts_with("`false --really` ended with"), "{error}");
    }
}
