//! Tells the server of a backup that was made of it. A server that does not run learns of it at its next start, from a note
//! in its data directory.

use std::fs;
use std::io;
use std::path::Path;

use crate::cli::args::{Everywhere, Global};
use crate::cli::error::CliError;
use crate::cli::local::{ADMIN_FILE, LocalServer};
use crate::cli::session::{Session, unexpected};
use crate::cli::{output, ownership};
use crate::client::with_causes;
use crate::domain::backup::Backup;
use crate::domain::time::Timestamp;
use crate::whole_file::{self, Readers};
use crate::wire::messages::{Request, Response, admin};

/// The note: when it was made, its last round, its bytes, and 1 where the identities are in it or 0; on a line.
pub(in crate::cli) const NOTE: &str = "last-backup";

/// Seconds in which the server answers, or reads the note at its next start.
const TIMEOUT_SECS: u32 = 3;

/// Has the server of `data` know of a backup. That it cannot does the backup no harm.
pub(super) async fn tell(everywhere: &Everywhere, data: &Path, backup: Backup) {
    // One that ended by a power cut left its address, where another one may be by now: then its identity is another one.
    let runs = LocalServer::read(data).is_some_and(|local| local.address().is_some());
    if runs && tell_running(everywhere, data, backup).await.is_ok() {
        return;
    }
    if let Err(error) = leave_note(data, backup) {
        output::note(&format!(
            "the backup is made, but seatkeeper status will not tell of it: {}",
            with_causes(&error)
        ));
    }
}

async fn tell_running(everywhere: &Everywhere, data: &Path, backup: Backup) -> Result<(), CliError> {
    let global = Global {
        json: everywhere.json,
        server: None,
        paths: None,
        data: Some(data.to_owned()),
        identity: Some(data.join(ADMIN_FILE)),
        timeout: TIMEOUT_SECS,
    };
    let request = Request::BackedUp(admin::BackedUp {
        made_at: backup.made_at.0,
        round: backup.round,
        bytes: backup.bytes,
        identities: backup.has_identities,
    });
    match Session::open(&global).await?.ask(&request).await? {
        Response::Done(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

fn leave_note(data: &Path, backup: Backup) -> Result<(), CliError> {
    let path = data.join(NOTE);
    whole_file::replace(&path, text(backup).as_bytes(), Readers::Owner)
        .map_err(|error| CliError::because(format!("cannot write {}", path.display()), error))?;
    // The server takes it away, whoever runs it.
    ownership::hand_over(data)
}

fn text(backup: Backup) -> String {
    let Backup {
        made_at,
        round,
        bytes,
        has_identities,
    } = backup;
    format!("{} {round} {bytes} {}\n", made_at.0, u8::from(has_identities))
}

/// The backup that a note in the data directory tells of; nothing where there is none, or none that can be read.
pub(in crate::cli) fn noted(data: &Path) -> Option<Backup> {
    parse(&fs::read_to_string(data.join(NOTE)).ok()?)
}

fn parse(text: &str) -> Option<Backup> {
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    let backup = Backup {
        made_at: Timestamp(next()?),
        round: next()?,
        bytes: next()?,
        has_identities: next()? == 1,
    };
    numbers.next().is_none().then_some(backup)
}

/// Takes the note away: the ledger has what it tells.
pub(in crate::cli) fn remove_note(data: &Path) {
    let path = data.join(NOTE);
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "{} cannot be removed: the next start reads it again", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_nothing_else_is() {
        for has_identities in [false, true] {
            let backup = Backup {
                made_at: Timestamp(1_800_000_000),
                round: 7,
                bytes: 1 << 40,
                has_identities,
            };
            assert_eq!(parse(&text(backup)), Some(backup));
        }
        for text in ["", "1 2 3", "1 2 3 1 4", "1 2 x 1", "-1 2 3 1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
