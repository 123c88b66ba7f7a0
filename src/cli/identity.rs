//! `identity show`: who you are to a server; `identity rotate` stands beside it.

use serde::Serialize;

use super::args::{Global, IdentityCommand};
use super::error::CliError;
use super::{output, rotate, session};
use crate::domain::ids::Fingerprint;

/// What `identity show --json` prints.
#[derive(Serialize)]
struct Shown {
    fingerprint: String,
    file: String,
}

pub(super) fn run(global: &Global, command: &IdentityCommand) -> Result<(), CliError> {
    if let IdentityCommand::Rotate { compromised } = command {
        return rotate::run(global, *compromised);
    }
    let file = session::identity_file(global)?.display().to_string();
    let fingerprint = Fingerprint(session::identity(global)?.fingerprint()).to_string();
    if global.json {
        output::json(&Shown { fingerprint, file })
    } else {
        output::line(&format!("{fingerprint}\n(from {file})"))
    }
}
