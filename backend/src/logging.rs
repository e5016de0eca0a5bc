//! Logs to stderr. What is logged may come from clusters, so control characters are escaped: a name cannot
//! begin a line of its own, and cannot speak to the terminal.

use std::io::{self, Write};
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt::MakeWriter};

/// Begins to log what the filter lets through.
///
/// # Errors
/// When the filter cannot be understood.
pub fn begin(filter: &str) -> Result<(), ParseError> {
    let mut filter = EnvFilter::try_new(filter)?;
    // kube logs whole answers when it cannot understand them, and credentials may be in there.
    for quiet in ["kube_client=error", "hyper=info", "h2=info", "rustls=info"] {
        filter = filter.add_directive(quiet.parse()?);
    }
    // A second call keeps the first subscriber; only tests call twice.
    let _kept = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(EscapedStderr)
        .with_ansi(false)
        .with_target(false)
        .try_init();
    // Panics may quote what a cluster said, so they go the same way.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

/// Text that stays one line and sends nothing to a terminal.
pub fn escaped(text: &str) -> String {
    if text.chars().any(is_unsafe) {
        text.chars().flat_map(|c| if is_unsafe(c) { c.escape_default().collect() } else { vec![c] }).collect()
    } else {
        text.to_owned()
    }
}

/// Control characters, and those that turn the direction of writing or break lines.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

struct EscapedStderr;

impl<'a> MakeWriter<'a> for EscapedStderr {
    type Writer = EscapedStderr;

    fn make_writer(&'a self) -> Self::Writer {
        EscapedStderr
    }
}

impl Write for EscapedStderr {
    /// The subscriber writes an event at a time, with the line break that ends it.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(io::stderr().lock(), "{}", escaped(line))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_begin_lines_or_speak_to_the_terminal() {
        assert_eq!(escaped("a\nERROR \u{1b}[31mb\u{202e}c"), r"a\nERROR \u{1b}[31mb\u{202e}c");
        assert_eq!(escaped("größe → 1"), "größe → 1");
    }

    #[test]
    fn a_filter_that_makes_no_sense_is_an_error() {
        assert!(begin("rampart=loud").is_err());
    }
}
