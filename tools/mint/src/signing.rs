//! What signing a catalogue and signing a blacklist have in common: files in, a signed text out.

use std::path::PathBuf;

use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::SigningKey;

use crate::dates;
use crate::file::{self, Secrecy};
use crate::output::Failure;

/// The files of `sign`.
#[derive(Debug, clap::Args)]
pub(crate) struct Files {
    /// What is to be signed, in TOML; `-` is standard input
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// The vendor's private key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A new file for what is signed; without it it is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A draft that was read and signed.
pub(crate) struct Signed<D> {
    pub(crate) key: SigningKey,
    pub(crate) draft: D,
    /// The signed text.
    pub(crate) text: String,
}

impl Files {
    /// Reads the draft and signs it.
    pub(crate) fn sign<D, P: std::fmt::Display, E: std::fmt::Display>(
        &self,
        parse: impl FnOnce(&str, Timestamp) -> Result<D, P>,
        sign: impl FnOnce(&SigningKey, &D) -> Result<String, E>,
    ) -> Result<Signed<D>, Failure> {
        let key = file::signing_key(&self.key)?;
        let text = file::read(&self.file)?;
        let draft = parse(&text, dates::now()).map_err(|fault| Failure::at(self.file.display(), fault))?;
        let text = sign(&key, &draft).map_err(|fault| Failure::at(self.file.display(), fault))?;
        Ok(Signed { key, draft, text })
    }

    /// Writes the signed text where it belongs; what to print. `what` says what was written.
    pub(crate) fn write(&self, text: &str, what: &str) -> Result<String, Failure> {
        match &self.out {
            Some(path) => {
                file::create(path, text, Secrecy::Open)?;
                Ok(format!("{what}, written to {}\n", path.display()))
            }
            None => Ok(text.to_owned()),
        }
    }
}
