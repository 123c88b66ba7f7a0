//! What reaches the terminal: text or JSON on standard output, errors on standard error.

use std::cell::Cell;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use thiserror::Error;

use crate::file::FileError;

/// Why a command failed: one line that says what to do.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("standard output: {0}")]
    Output(io::Error),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// A failure that names the place it is about.
    pub(crate) fn at(place: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Self::Refused(format!("{place}: {cause}"))
    }

    const fn exit_code(&self) -> u8 {
        match self {
            Self::File(_) | Self::Output(_) | Self::Refused(_) => 1,
            Self::Usage(_) => 2,
        }
    }
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

    /// Prints a result in the form that was asked for.
    pub(crate) fn print(&self, json: &impl Serialize, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        self.printed.set(true);
        if self.json {
            serde_json::to_writer_pretty(&mut out, json).map_err(|fault| Failure::Output(fault.into()))?;
            writeln!(out).map_err(Failure::Output)?;
        } else {
            out.write_all(text.as_bytes()).map_err(Failure::Output)?;
        }
        out.flush().map_err(Failure::Output)
    }

    /// Tells why nothing was done, and how to exit.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if self.json && !self.printed.get() {
            let json =
                serde_json::json!({ "error": { "message": failure.to_string(), "exit_code": failure.exit_code() } });
            drop(writeln!(io::stdout(), "{json:#}"));
        }
        // Nobody is left to tell if standard error is closed.
        drop(writeln!(io::stderr(), "seatmint: {failure}"));
        ExitCode::from(failure.exit_code())
    }
}
