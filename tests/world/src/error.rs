use seatkeeper::vendor::{KeyError, ListError};
use thiserror::Error;

/// What the model says and nobody could ask of a server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Untranslatable {
    /// A license key cannot be signed.
    #[error("a license key cannot be signed")]
    Key(#[from] KeyError),
    /// A list cannot be signed.
    #[error("a catalogue or blacklist cannot be signed")]
    List(#[from] ListError),
    /// The wire has no words for it.
    #[error("cannot be: {0}")]
    Impossible(String),
}
