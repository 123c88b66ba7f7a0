//! That a backup of the server was made. Making one is none of the ledger's business: it is told.

use super::time::Timestamp;

/// A backup that was made and holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backup {
    /// When.
    pub made_at: Timestamp,
    /// The last round that is in it.
    pub round: u64,
    /// How many bytes its file has.
    pub bytes: u64,
    /// Whether the server's identities are in it: without them agents refuse whatever is restored from it.
    pub has_identities: bool,
}
