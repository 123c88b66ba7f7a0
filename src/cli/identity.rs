//! `identity show`: who you are to a server; `identity forget`: whom your commands met; `identity rotate` stands beside it.

use serde::Serialize;

use super::args::{Global, IdentityCommand};
use super::error::CliError;
use super::known::KnownServers;
use super::{output, rotate, session};
use crate::domain::ids::Fingerprint;

/// What `identity show --json` prints.
#[derive(Serialize)]
struct Shown {
    fingerprint: String,
    file: String,
}

/// What `identity forget --json` prints.
#[derive(Serialize)]
struct Forgotten {
    fingerprint: String,
    servers: Vec<String>,
}

pub(super) fn run(global: &Global, command: &IdentityCommand) -> Result<(), CliError> {
    match command {
        IdentityCommand::Rotate { compromised } => rotate::run(global, *compromised),
        IdentityCommand::Forget { fingerprint } => forget(global, *fingerprint),
        IdentityCommand::Show => show(global),
    }
}

fn forget(global: &Global, fingerprint: Fingerprint) -> Result<(), CliError> {
    let servers = KnownServers::read()?.forget(fingerprint)?;
    if global.json {
        let fingerprint = fingerprint.to_string();
        return output::json(&Forgotten { fingerprint, servers });
    }
    output::line(&format!(
        "whoever answers at {} is met for the first time by your next command: compare the fingerprint that it tells",
        servers.join(", ")
    ))
}

fn show(global: &Global) -> Result<(), CliError> {
    let file = session::identity_file(global)?.display().to_string();
    let fingerprint = Fingerprint(session::identity(global)?.fingerprint()).to_string();
    if global.json {
        output::json(&Shown { fingerprint, file })
    } else {
        output::line(&format!("{fingerprint}\n(from {file})"))
    }
}
