//! `identity rotate`: another identity for the server of this host, from its next start on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::Global;
use super::error::CliError;
use super::local::{self, IDENTITY_FILE};
use super::output;
use super::ownership;
use crate::domain::ids::Fingerprint;
use crate::tls::Identity;
use crate::whole_file::{self, Readers};

/// What tells the next start that the identity was replaced: both fingerprints, on a line.
const NOTE: &str = "identity.pem.replaced";

/// What `identity rotate --json` prints.
#[derive(Serialize)]
struct Told {
    fingerprint: String,
    fingerprint_before: String,
    file: String,
    followed: bool,
}

pub(super) fn run(global: &Global, compromised: bool) -> Result<(), CliError> {
    if global.server.is_some() {
        return Err(CliError::Usage(
            "the identity is that of a data directory of this host, --data DIR; run it on the server's own host, without \
             --server"
                .to_owned(),
        ));
    }
    let data = local::data_of(global)?;
    let path = data.join(IDENTITY_FILE);
    let cannot = |error| CliError::because(format!("cannot replace {}", path.display()), error);
    fs::metadata(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => CliError::failed(format!(
            "{} is not there: say where the server's data directory is with --data DIR; a server that has none makes one at \
             its next start",
            path.display()
        )),
        _ => cannot(error),
    })?;
    let unusable = |error| CliError::because(format!("cannot use the identity {}", path.display()), error);
    let old = Identity::load(&path).map_err(unusable)?;
    let from = Fingerprint(old.fingerprint());
    // A note of one that did not come about counts for nothing.
    let before = Note::read(&data).filter(|note| note.to == from);
    if before.is_some() && !compromised {
        return Err(waits(from));
    }
    let new = if compromised {
        Identity::generate()
    } else {
        old.successor()
    };
    let new = new.map_err(|error| CliError::because("cannot make an identity", error))?;
    let to = Fingerprint(new.fingerprint());
    // Written before the identity.
    let note = Note {
        from: before.map_or(from, |note| note.from),
        to,
    };
    let note_path = data.join(NOTE);
    let files = [
        (&note_path, note.text().into_bytes()),
        (&path, new.to_pem().as_bytes().to_vec()),
    ];
    for (path, bytes) in files {
        let bytes = zeroize::Zeroizing::new(bytes);
        whole_file::replace(path, &bytes, Readers::Owner).map_err(cannot)?;
    }
    // Whoever runs the server must go on reading what root wrote.
    ownership::hand_over(&data)?;
    let told = Told {
        fingerprint: to.to_string(),
        fingerprint_before: note.from.to_string(),
        file: path.display().to_string(),
        followed: !compromised,
    };
    if global.json {
        return output::json(&told);
    }
    output::line(&format!(
        "the server's identity is {to} from its next start on, in place of {}",
        note.from
    ))?;
    // Nobody has met one that waited in vain.
    output::line(&next_steps(compromised, note.from, to))
}

/// What is to be done behind it, for people.
fn next_steps(compromised: bool, from: Fingerprint, to: Fingerprint) -> String {
    if compromised {
        format!(
            "nobody follows: start it anew, then run on each machine `seatkeeper agent trust {to}` and `seatkeeper agent distrust \
             --all-but {to}`; administrators elsewhere run `seatkeeper identity forget {from}` (SECURITY.md says more)"
        )
    } else {
        "agents and administrators that know it or one of the seven before it follow by themselves; start it anew, and make a \
         backup"
            .to_owned()
    }
}

/// Machines follow over a few identities only, and nobody has met the one that waits.
fn waits(identity: Fingerprint) -> CliError {
    CliError::failed(format!(
        "the identity was replaced already, and no server was started with the one that waits, {identity}: start the server anew \
         first, and rotate again only if that is wanted still; if its key was seen by others, say --compromised"
    ))
}

/// That the identity was replaced, until it is in the event log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Note {
    /// The identity that the server started with last.
    pub(super) from: Fingerprint,
    /// The one that it starts with next.
    pub(super) to: Fingerprint,
}

impl Note {
    /// What stands in a data directory; nothing where nothing does, or nothing that can be read.
    pub(super) fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join(NOTE)).ok()?;
        let (from, to) = text.trim().split_once(' ')?;
        Some(Self {
            from: from.parse().ok()?,
            to: to.parse().ok()?,
        })
    }

    /// Takes it away: the event log has it.
    pub(super) fn remove(data: &Path) {
        let path: PathBuf = data.join(NOTE);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "{} cannot be removed: the next start tells of the same again", path.display());
        }
    }

    fn text(self) -> String {
        format!("{} {}\n", self.from, self.to)
    }
}
