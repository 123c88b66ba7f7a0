use std::fmt;

use seatkeeper::client::connect::ConnectError;
use seatkeeper::vendor::{KeyError, ScanError};
use seatkeeper_world::Untranslatable;
use thiserror::Error;

/// Why a soak ended before its last step.
#[derive(Debug, Error)]
pub(crate) enum SoakError {
    /// The server and the rules do not agree.
    #[error(transparent)]
    Disagreement(#[from] Box<Disagreement>),
    /// A request was not answered.
    #[error("a request was not answered: {0}")]
    Asking(#[from] ConnectError),
    /// The server did not start, or did not stop well.
    #[error("{doing} failed: {because}")]
    Server {
        /// What was done.
        doing: &'static str,
        /// What was said, with its causes.
        because: String,
    },
    /// The model says what cannot be asked.
    #[error(transparent)]
    Untranslatable(#[from] Untranslatable),
    /// A text could not be signed.
    #[error("a license key cannot be signed")]
    Key(#[from] KeyError),
    /// A file of keys cannot be searched.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file cannot be read or written.
    #[error("the files of the soak cannot be used")]
    Io(#[from] std::io::Error),
    /// What cannot be, short of a fault of this program.
    #[error("cannot be: {0}")]
    Impossible(String),
}

impl SoakError {
    pub(crate) fn server(doing: &'static str, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Server {
            doing,
            because: seatkeeper::client::with_causes(error),
        }
    }
}

/// Where the server and the model of the rules part.
#[derive(Debug, Error)]
pub(crate) struct Disagreement {
    /// The step, from 0.
    pub(crate) step: u64,
    /// Who asked what, or which view was compared.
    pub(crate) asked: String,
    /// What the model of the rules says.
    pub(crate) expected: String,
    /// What the server answered.
    pub(crate) answered: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "step {}: the server and the rules disagree", self.step)?;
        writeln!(f, "  asked:            {}", self.asked)?;
        writeln!(f, "  the model says:   {}", self.expected)?;
        write!(f, "  the server says:  {}", self.answered)
    }
}
