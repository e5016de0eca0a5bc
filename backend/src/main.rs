//! The command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rampart::commands::run()
}
