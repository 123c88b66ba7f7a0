//! The durable ledger: what was answered is on stable storage, and damage is found, never served.
//!
//! `FORMAT.md` beside this file draws every byte. Nothing here knows a licensing rule: the store keeps facts and hands
//! them back.

mod ages;
mod background;
pub mod backup;
mod checkpoint;
mod chronicle;
mod disk;
mod disk_store;
mod disk_use;
mod ended;
mod envelope;
mod error;
mod facts;
mod format;
mod format1;
mod founding;
#[doc(hidden)]
pub mod fuzz;
mod history;
mod journal;
mod keys;
mod lock;
mod manifest;
mod memory;
mod os_disk;
mod records;
mod repair;
mod round;
mod rows;
mod running;
mod scan;
mod sled_snapshots;
mod snapshot;
mod worker;

pub use chronicle::Chronicle;
pub use disk::{Disk, DiskFile};
pub use disk_store::{DiskStore, Options};
pub use disk_use::DiskUse;
pub use envelope::{RECORD_LEN_MAX, RecordError};
pub use error::StoreError;
pub use format::FORMAT_VERSION;
pub use history::Retention;
pub use journal::Room;
pub use memory::MemoryStore;
pub use os_disk::OsDisk;
pub use repair::{Examined, ExaminedGeneration, ExaminedJournal, Repair, Unsound};
pub use sled_snapshots::SledSnapshots;
pub use snapshot::{Draft, Row, Snapshot, Snapshots};

use error::io_failed;

use crate::domain::change::{Change, Fact};
use crate::domain::ledger::Ledger;
use crate::domain::reply::Checkpoint;
use crate::domain::time::Now;

/// Commands decided together and made durable together.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    /// Its number, one more than that of the round before; the first is 1.
    pub number: u64,
    /// The time that was handed to its decisions.
    pub now: Now,
    /// What was decided, in order. Where two changes name the same key, the later one counts.
    pub changes: &'a [Change],
}

/// What a store held when it was loaded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Loaded {
    /// The number of the last round; 0 before the first.
    pub round: u64,
    /// The time of the last round; nothing before the first.
    pub now: Option<Now>,
}

/// How far a checkpoint is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// None is being made.
    Resting,
    /// The next portion can be taken at once.
    Going,
    /// The next portion can be taken when [`Store::on_progress`] says so.
    Waiting,
    /// No further portion is taken; what becomes of it is known when [`Store::on_progress`] says so.
    Ending,
}

/// A place that keeps facts. Small on purpose: it holds no policy, so that another engine has little to implement.
pub trait Store: Send + 'static {
    /// Hands every recorded fact to `visit`, in the order in which they are to be recorded, and only then says whether
    /// all of it held: what was visited counts for nothing if an error follows. A fact may be followed by a newer value
    /// of its key, or by its deletion. Must succeed before the first commit.
    ///
    /// # Errors
    /// A record cannot be read, or the records are not those that were written last. Nothing is ever skipped.
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError>;

    /// Makes a round durable, all of it or nothing. May block on the disk.
    ///
    /// # Errors
    /// What is on disk is unknown from here on: nobody may be answered, and the store refuses everything until it is
    /// opened and loaded anew.
    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError>;

    /// Goes on with a checkpoint, or starts one where it is due: takes a portion of the ledger, which is as the last
    /// commit left it, and returns without waiting for the disk. To be called between rounds.
    fn checkpoint(&mut self, _ledger: &Ledger) -> Progress {
        Progress::Resting
    }

    /// Has `wake` called from any thread when a checkpoint can go on. To be set once, after loading.
    fn on_progress(&mut self, _wake: Box<dyn Fn() + Send>) {}

    /// Notes durably that the last round was answered, where that helps to find damage. To be called when nothing is
    /// left to do.
    ///
    /// # Errors
    /// As of [`Store::commit`].
    fn seal(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Has what a full disk keeps for the end used from here on: only what ends the service follows.
    fn ending(&mut self) {}

    /// Has checkpoints made after another length of the journal, and another part kept of what happened, from now on.
    fn keep(&mut self, _checkpoint_bytes: u64, _retention: Retention) {}

    /// How the last checkpoint went, where any are made.
    fn checkpointed(&self) -> Option<Checkpoint> {
        None
    }

    /// A reader of the events of the rounds that are durable, where they are kept.
    fn chronicle(&self) -> Option<Chronicle> {
        None
    }

    /// Whether the disk has room to go on.
    fn room(&self) -> Room {
        Room::Enough
    }
}
