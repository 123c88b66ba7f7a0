//! What reaches the terminal: text or JSON on standard output, errors on standard error.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use seatkeeper::client::harmless;
use serde::Serialize;
use thiserror::Error;

/// The width of tables where there is no terminal to fit, in columns.
const WIDTH_WITHOUT_TERMINAL: u16 = 200;

/// Why a command did not do what it should. The message says what to do.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Something is wrong, and told already; how to exit, and the one sentence that sums it up.
    #[error("{1}")]
    Diagnosed(u8, String),
    /// Something failed: a file, the network, a step on the way to the server.
    #[error("{0}")]
    Failed(String),
    /// Nothing answered.
    #[error("{0}")]
    NoServer(String),
    /// Standard output cannot be written to.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    /// The arguments name what is not there.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Diagnosed(code, _) => *code,
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::NoServer(_) => 3,
        }
    }
}

/// Something that works, but not as it should.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Warning {
    /// For programs; stable.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) text: String,
}

/// Where results go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    /// Standard output holds one JSON object at most.
    printed: Cell<bool>,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self {
            json,
            printed: Cell::new(false),
        }
    }

    /// Whether JSON was asked for.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result in the form that was asked for.
    pub(crate) fn print(&self, json: &impl Serialize, text: &str) -> Result<(), Failure> {
        self.printed.set(true);
        let shown = if self.json {
            let json = serde_json::to_string_pretty(json).map_err(|error| Failure::Output(error.into()))?;
            harmless::json(&json) + "\n"
        } else {
            text.to_owned()
        };
        write(&shown)
    }

    /// Tells what failed, and how to exit.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if self.json && !self.printed.get() {
            let json =
                serde_json::json!({ "error": { "message": failure.to_string(), "exit_code": failure.exit_code() } });
            drop(writeln!(io::stdout(), "{}", harmless::json(&format!("{json:#}"))));
        }
        // On a terminal it would stand there twice.
        if matches!(failure, Failure::Diagnosed(..)) && !self.json {
            return ExitCode::from(failure.exit_code());
        }
        // Nobody is left to tell if standard error is closed.
        drop(writeln!(
            io::stderr(),
            "seatprobe: {}",
            harmless::lines(&failure.to_string())
        ));
        ExitCode::from(failure.exit_code())
    }
}

/// Prints text as it is.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// Rows as a table fitted to the terminal.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH_WITHOUT_TERMINAL);
    }
    table.set_header(head.to_vec()).add_rows(rows);
    table.to_string()
}

/// Warnings as lines; nothing where there are none.
pub(crate) fn warnings(warnings: &[Warning]) -> String {
    let line = |warning: &Warning| format!("WARNING: {}\n", warning.text);
    warnings.iter().map(line).collect()
}

/// A time in milliseconds, as people read it.
pub(crate) fn millis(micros: u64) -> String {
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_with_three_places() {
        assert_eq!(millis(0), "0.000 ms");
        assert_eq!(millis(1_042), "1.042 ms");
        assert_eq!(millis(3_000_000), "3000.000 ms");
    }

    #[test]
    fn exit_codes_tell_no_server_from_failed_and_usage() {
        assert_eq!(Failure::Failed(String::new()).exit_code(), 1);
        assert_eq!(Failure::Usage(String::new()).exit_code(), 2);
        assert_eq!(Failure::NoServer(String::new()).exit_code(), 3);
    }
}
