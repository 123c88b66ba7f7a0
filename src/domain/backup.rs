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

/// The epoch of a server that was never restored.
pub const EPOCH_FIRST: u32 = 1;

/// When a server of this epoch, first started at `founded_at`, went on from a backup last, as far as
/// [`Server::epoch_restored`](super::change::Server::epoch_restored) made the epoch of the time: nothing where it never did, or
/// where the clock was wrong then or is now, `now`.
#[must_use]
pub fn restored_at(epoch: u32, founded_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let at = Timestamp(epoch.into());
    (epoch > EPOCH_FIRST && founded_at <= at && at <= now).then_some(at)
}
