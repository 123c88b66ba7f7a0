use std::io;
use std::path::PathBuf;

use seatkeeper::client::with_causes;
use thiserror::Error;

/// Why a run ended without a result.
#[derive(Debug, Error)]
pub(crate) enum SwarmError {
    /// The server, or a floor, did not do what it must for anything to be measured.
    #[error("{doing} failed: {because}")]
    Failed {
        /// What was done.
        doing: String,
        /// What was said, with its causes.
        because: String,
    },
    /// The server refused what the run needs.
    #[error("the server refused {asked}: {text}")]
    Refused {
        /// What was asked.
        asked: String,
        /// The server's own words.
        text: String,
    },
    /// A process that the run needs cannot be started.
    #[error(
        "cannot start {program}: {source}; build it with `cargo build --release --workspace`, or name it with --seatkeeper"
    )]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A process ended, or did not say in time that it is ready.
    #[error("{program} did not become ready: {said}")]
    NotReady {
        /// The program.
        program: String,
        /// The last that it said.
        said: String,
    },
    /// Standard output cannot be written to.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
}

impl SwarmError {
    /// What failed, of an error and its causes.
    pub(crate) fn of(doing: impl Into<String>) -> impl FnOnce(&(dyn std::error::Error + 'static)) -> Self {
        let doing = doing.into();
        move |error| Self::Failed {
            doing,
            because: with_causes(error),
        }
    }

    /// What failed, of words.
    pub(crate) fn because(doing: impl Into<String>, because: impl Into<String>) -> Self {
        Self::Failed {
            doing: doing.into(),
            because: because.into(),
        }
    }
}
