//! The durable ledger: what was answered is on stable storage, and damage is found, never served.
//!
//! `FORMAT.md` beside this file draws every byte. Nothing here knows a licensing rule: the store keeps facts and hands
//! them back.

mod disk;
mod engine;
mod envelope;
mod error;
mod keys;
mod lock;
mod memory;
mod records;
mod rows;
mod scan;
mod sled_store;
mod witness;
mod worker;

pub use disk::FORMAT_VERSION;
pub use envelope::{RECORD_LEN_MAX, RecordError};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use sled_store::SledStore;

use crate::domain::change::{Change, Fact};
use crate::domain::time::Now;

/// Commands decided together and made durable together.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    /// Its number, greater than that of the round before; the first is 1.
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
    /// How many facts were handed out.
    pub records: u64,
}

/// A place that keeps facts. Small on purpose: it holds no policy, so that another engine has little to implement.
pub trait Store: Send + 'static {
    /// Hands every recorded fact to `visit`, in the order of the keys, and only then says whether all of it held: what
    /// was visited counts for nothing if an error follows. Must succeed before the first commit.
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
}
