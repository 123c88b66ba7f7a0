//! What can go wrong with the durable ledger, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::envelope::RecordError;
use crate::domain::ledger::AuditError;

/// Why the store could not be opened, loaded or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The storage engine reported an error.
    #[error(
        "the database in {place} failed; check the disk, and if it is sound, restore a backup of it (`seatkeeper restore`)"
    )]
    Engine {
        /// The data directory.
        place: String,
        /// What the engine said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk is full.
    #[error(
        "there is no room left for {path}; free some on its disk, then start again: nothing that was answered is lost"
    )]
    Full {
        /// What would have grown.
        path: PathBuf,
    },
    /// The storage engine did not answer in time.
    #[error(
        "the database in {place} has not answered for {secs} s while {doing}; check the disk, start again, and if it \
         happens again restore a backup of it (`seatkeeper restore`)"
    )]
    Hung {
        /// The data directory.
        place: String,
        /// What it was asked to do.
        doing: &'static str,
        /// How long it was waited for.
        secs: u64,
    },
    /// The operating system refused something.
    #[error("{doing} {path} failed; check the disk, and what the system's log says of it")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What was answered is damaged in the journal.
    #[error(
        "the journal {path} is damaged at byte {byte}, behind round {after}: {what}; restore a backup of it \
         (`seatkeeper restore`), or see what can be saved with `seatkeeper repair`"
    )]
    Journal {
        /// Which segment.
        path: PathBuf,
        /// Where in it.
        byte: u64,
        /// What does not hold.
        what: &'static str,
        /// The last round before it.
        after: u64,
    },
    /// The journal ends before what a generation has seen of it.
    #[error(
        "the journal in {place} ends with round {found}, but round {expected} was answered: a part of it is gone; put it \
         back, restore a backup of it (`seatkeeper restore`), or see what can be saved with `seatkeeper repair`"
    )]
    JournalShort {
        /// The data directory.
        place: String,
        /// Its last round.
        found: u64,
        /// The round that it must reach.
        expected: u64,
    },
    /// A generation that the manifest names is gone.
    #[error(
        "{path} is gone; a start goes on from the other checkpoint, where that holds, and makes another one: check the disk"
    )]
    Gone {
        /// The file that should be there.
        path: PathBuf,
    },
    /// So are all that it names.
    #[error(
        "{names} in {place} are gone: there is no checkpoint to go on from, and the journal does not reach back to the first \
         start; put them back, or restore a backup of it (`seatkeeper restore`)"
    )]
    GenerationsGone {
        /// The data directory.
        place: String,
        /// Their directories.
        names: String,
    },
    /// Another process uses the directory.
    #[error("directory {place} locked by process {pid}; stop it or choose another --data")]
    Locked {
        /// The data directory.
        place: String,
        /// The process's number, or `unknown`.
        pid: String,
    },
    /// The records that are here are not those that were written last.
    #[error("{what} in {place}: expected {expected}, found {found}; restore a backup of it (`seatkeeper restore`)")]
    Mismatch {
        /// The data directory.
        place: String,
        /// What does not fit.
        what: &'static str,
        /// What the last round left.
        expected: String,
        /// What is here.
        found: String,
    },
    /// A part of the data directory is gone.
    #[error(
        "{path} is missing or damaged, but the directory was in use; restore a backup of it (`seatkeeper restore`)"
    )]
    Missing {
        /// Which part.
        path: PathBuf,
    },
    /// There is no manifest, or none that holds.
    #[error(
        "{place} has no manifest to go on from ({found}), but the directory was in use; put one back, or restore a backup of it \
         (`seatkeeper restore`)"
    )]
    NoManifest {
        /// The data directory.
        place: String,
        /// What was looked for, and how it was found.
        found: String,
    },
    /// The directory was written by a newer release.
    #[error(
        "{place} was written by a newer seatkeeper (data format {version}, this one reads up to {supported}, by its file \
         FORMAT); start the newer one, or choose another --data"
    )]
    Newer {
        /// The data directory.
        place: String,
        /// The format's number, as found.
        version: String,
        /// The newest that this release reads.
        supported: u32,
    },
    /// The thread that makes checkpoints is gone.
    #[error(
        "no checkpoints are made any more, so the journal grows: start the server again, and report the panic that was \
         told before"
    )]
    NoCheckpoints,
    /// The directory holds nothing of a server.
    #[error("{place} is no data directory of a server; check --data")]
    NoStore {
        /// The directory.
        place: String,
    },
    /// No generation holds.
    #[error("no generation in {place} holds together with the journal; restore a backup of it (`seatkeeper restore`)")]
    NothingHolds {
        /// The data directory.
        place: String,
    },
    /// The directory is of an older format.
    #[error("{place} is of an older format; start the server once, which upgrades it")]
    Older {
        /// The data directory.
        place: String,
    },
    /// Nothing was loaded yet.
    #[error("the ledger must be loaded before anything is committed to it")]
    NotLoaded,
    /// The directory cannot be written.
    #[error(
        "{path} cannot be written by this user; give the directory to the user that runs seatkeeper, or choose \
         another --data"
    )]
    NotWritable {
        /// Which directory or file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The storage engine panicked.
    #[error("the database in {place} is damaged ({text}); restore a backup of it (`seatkeeper restore`)")]
    Panicked {
        /// The data directory.
        place: String,
        /// What the engine said.
        text: String,
    },
    /// A commit failed before.
    #[error("an earlier commit failed, so what is on disk is unknown; start again")]
    Poisoned,
    /// A record cannot be read.
    #[error("the record of {key} in {place} cannot be read; restore a backup of it (`seatkeeper restore`)")]
    Record {
        /// The data directory.
        place: String,
        /// What the record is about, for people.
        key: String,
        /// Why not.
        #[source]
        source: RecordError,
    },
    /// A round of the journal is whole but cannot be taken apart.
    #[error("round {number} of the journal in {place} cannot be read; restore a backup of it (`seatkeeper restore`)")]
    RoundUnreadable {
        /// The data directory.
        place: String,
        /// Which.
        number: u64,
        /// Why not.
        #[source]
        source: RecordError,
    },
    /// A round with more than the journal takes.
    #[error("a round of {bytes} bytes is more than the journal takes at once; do less in one command")]
    RoundTooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// A round came out of order.
    #[error("round {number} does not follow round {last}")]
    RoundOrder {
        /// The last one.
        last: u64,
        /// The one that came.
        number: u64,
    },
    /// A fact that could not be read back was not written.
    #[error("the new record of {key} could not be read back, so it was not written")]
    Unstorable {
        /// What the record is about, for people.
        key: String,
        /// Why not.
        #[source]
        source: RecordError,
    },
    /// What a directory of an older format holds cannot be, so it was not upgraded.
    #[error(
        "the records in {place}, which is of an older format, contradict each other; nothing was changed: put an older copy of \
         the directory in its place, or go on with the release that wrote it, and report this"
    )]
    UnsoundOlder {
        /// The data directory.
        place: String,
        /// What cannot be.
        #[source]
        source: AuditError,
    },
}

impl StoreError {
    /// Whether it says something of the disk and nothing of what is on it: another try may do better.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::Io { .. } | Self::NotWritable { .. } | Self::Hung { .. }
        )
    }

    /// The error with what caused it, for a line of the log.
    pub(crate) fn with_cause(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

/// Turns an error of the operating system into one that says what was tried, or what to do about it.
pub(super) fn io_failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::NotWritable { path, source }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path },
            _ => StoreError::Io { doing, path, source },
        }
    }
}
