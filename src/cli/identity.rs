//! `identity show`: who you are to a server.

use serde::Serialize;

use super::args::{Global, IdentityCommand};
use super::error::CliError;
use super::{output, session};
use crate::domain::ids::Fingerprint;

/// What `identity show --json` prints.
#[derive(Serialize)]
struct Shown {
    fingerprint: String,
    file: String,
}

pub(super) fn run(global: &Global, command: &IdentityCommand) -> Result<(), CliError> {
    let IdentityCommand::Show = command;
    let file = session::identity_file(global)?.display().to_string();
    let fingerprint = Fingerprint(session::identity(global)?.fingerprint()).to_string();
    if global.json {
        output::json(&Shown { fingerprint, file })
    } else {
        output::line(&format!("{fingerprint}\n(from {file})"))
    }
}
