//! The list that a backup begins with: what it is of, and each of its members.

use serde::{Deserialize, Serialize};

/// The version of the form of backups that this release writes, and the newest that it reads.
pub(in crate::cli) const FORM: u32 = 1;

/// The first member: the list.
pub(super) const LIST: &str = "backup.json";

/// The second: the SHA-256 of the list, as `sha256sum` writes and checks it.
pub(super) const LIST_SUM: &str = "backup.json.sha256";

/// The last, where identities are in it: encrypted by age.
pub(super) const IDENTITIES: &str = "identities.age";

/// What is added to the name of a file that is compressed in the backup.
pub(super) const PACKED: &str = ".gz";

/// The longest list, in bytes.
pub(super) const LIST_LEN_MAX: u64 = 64 << 20;

/// The largest member with identities, in bytes.
pub(super) const IDENTITIES_LEN_MAX: u64 = 4 << 20;

/// Members besides the list, at most.
pub(super) const MEMBERS_MAX: usize = 200_000;

/// What every form has.
#[derive(Deserialize)]
pub(super) struct Versioned {
    pub(super) backup_form: u32,
}

/// The list.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Listing {
    pub(in crate::cli) backup_form: u32,
    /// The version of the program that made it.
    pub(in crate::cli) made_by: String,
    pub(in crate::cli) made_at: String,
    /// Nothing of a server that was never started.
    pub(in crate::cli) server: Option<String>,
    /// What it called itself for people, if it ran.
    pub(in crate::cli) name: Option<String>,
    /// Its identity.
    pub(in crate::cli) fingerprint: Option<String>,
    pub(in crate::cli) epoch: Option<u32>,
    pub(in crate::cli) last_round: u64,
    pub(in crate::cli) last_round_at: Option<String>,
    pub(in crate::cli) records: u64,
    /// As a manifest of the data directory tells it of a generation, of the ledger after the last round.
    pub(in crate::cli) digest: String,
    pub(in crate::cli) licenses: u64,
    pub(in crate::cli) seats: u64,
    /// Whether the server's identity and what else is secret is in it, encrypted.
    pub(in crate::cli) has_identities: bool,
    pub(in crate::cli) members: Vec<Member>,
}

/// A member.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Member {
    /// Its name in the archive.
    #[serde(rename = "member")]
    pub(in crate::cli) name: String,
    /// Its bytes.
    pub(in crate::cli) length: u64,
    /// Their SHA-256.
    pub(in crate::cli) sha256: String,
    /// The bytes of the file that it holds, where it is compressed.
    pub(in crate::cli) unpacked_length: Option<u64>,
}

impl Member {
    /// The file that it holds, from the data directory.
    pub(super) fn file(&self) -> &str {
        match self.unpacked_length {
            Some(_) => self.name.strip_suffix(PACKED).unwrap_or(&self.name),
            None => &self.name,
        }
    }
}
