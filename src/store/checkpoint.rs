//! Checkpoints: the ledger is written down in key order, a portion at a time between rounds, into a new generation,
//! which counts once it was read back, synced, and named by a manifest.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::change::{Change, Fact};
use crate::domain::time::{Now, Timestamp};

use super::disk::Disk;
use super::history::{self, Retention};
use super::journal::{self, Link, Position};
use super::keys::Key;
use super::manifest::{Generation, Manifest};
use super::rows;
use super::scan::{Tally, hash};
use super::snapshot::{Draft, Row, Snapshots, verify};
use super::{StoreError, io_failed};

/// The directory where a generation is copied to before it is opened, in the data directory.
pub(super) const SCRATCH: &str = "scratch";

/// Where a checkpoint begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The last round that is wholly in it.
    pub(super) after: Link,
    /// Where the journal goes on from there.
    pub(super) at: Position,
    /// The time of that round.
    pub(super) now: Now,
}

/// Makes generations and throws away what is no longer needed.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) snapshots: Arc<dyn Snapshots>,
    /// The data directory.
    pub(super) data: PathBuf,
    /// The one on disk.
    pub(super) manifest: Manifest,
    pub(super) standing: Standing,
    pub(super) retention: Retention,
    /// The time by which the history is kept: no later than the last round's.
    pub(super) now: Timestamp,
}

/// Whether a start could use what was made last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// The newest manifest names the newest generation, and the ledger comes from it.
    Sound,
    /// Something newer could not be used. Nothing is removed before another checkpoint makes up for it: the reason may
    /// have been one that passes.
    FellBack {
        /// The newest generation that could be used.
        used: u64,
        /// The newest one that there may be.
        newest: u64,
    },
}

/// A generation that is being made.
#[derive(Debug)]
pub(super) struct Building {
    number: u64,
    start: Start,
    draft: Box<dyn Draft>,
    tally: Tally,
    bytes: u64,
}

/// A generation that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) generation: Generation,
    /// Bytes of its rows.
    pub(super) bytes: u64,
}

impl Keeper {
    /// Starts a generation. What is left of one that was not finished goes.
    pub(super) fn begin(&mut self, start: Start) -> Result<Building, StoreError> {
        self.now = start.now.steady;
        let newest = match self.standing {
            Standing::Sound => self.newest().number,
            Standing::FellBack { newest, .. } => newest,
        };
        let number = newest + 1;
        let dir = self.dir(number);
        self.disk.remove_dir(&dir).map_err(io_failed("removing", &dir))?;
        Ok(Building {
            number,
            start,
            draft: self.snapshots.begin(&dir)?,
            tally: Tally::default(),
            bytes: 0,
        })
    }

    /// Makes a generation count: reads it back, syncs it, names it. `through` is the last round that may be in it.
    pub(super) fn finish(&mut self, building: Building, through: u64) -> Result<Made, StoreError> {
        let Building {
            number,
            start,
            mut draft,
            tally,
            bytes,
        } = building;
        let dir = self.dir(number);
        let meta = rows::meta_record(&tally.meta(start.after.round, start.now)).map_err(unstorable(Key::Meta))?;
        draft.put(vec![(Key::Meta.encode(), meta)])?;
        draft.close()?;
        let generation = Generation {
            number,
            records: tally.records(),
            digest: tally.digest(),
            after: start.after,
            at: start.at,
            through,
        };
        let mut written = self.snapshots.open(&dir, &self.data.join(SCRATCH))?;
        verify(&mut *written, &dir.display().to_string(), &generation)?;
        drop(written);
        self.disk.sync_tree(&dir).map_err(io_failed("syncing", &dir))?;
        self.disk
            .sync_dir(&self.data)
            .map_err(io_failed("syncing", &self.data))?;
        let mut before = self.manifest.clone();
        if let Standing::FellBack { used, .. } = self.standing {
            before.generations.retain(|one| one.number <= used);
        }
        let manifest = before.next(generation);
        manifest.store(&self.disk, &self.data)?;
        self.manifest = manifest;
        self.standing = Standing::Sound;
        Ok(Made { generation, bytes })
    }

    /// Throws away what no kept generation needs, and puts aside what it tells of events. Only what the manifest on disk
    /// does without goes. What cannot be removed is told, and tried again after the next checkpoint.
    pub(super) fn clear(&self) {
        if self.standing == Standing::Sound
            && let Err(error) = self.try_clear()
        {
            tracing::warn!(
                "what no generation needs any more cannot be removed, which is tried again: {}",
                error.with_cause()
            );
        }
    }

    fn try_clear(&self) -> Result<(), StoreError> {
        self.manifest.remove_older(&self.disk, &self.data)?;
        let names = self.disk.names(&self.data);
        for name in names.map_err(io_failed("reading the directory", &self.data))? {
            let is_kept = |generation: &Generation| Generation::dir_name(generation.number) == name;
            let is_generation = name
                .strip_prefix("state.")
                .is_some_and(|number| number.parse::<u64>().is_ok());
            if is_generation && !self.manifest.generations.iter().any(is_kept) {
                let dir = self.data.join(name);
                self.disk.remove_dir(&dir).map_err(io_failed("removing", &dir))?;
            }
        }
        let Some(needed_from) = self.manifest.generations.iter().map(|one| one.at.segment).min() else {
            return Ok(());
        };
        let found = journal::Found::look(Arc::clone(&self.disk), &self.data)?;
        // The oldest first: what is left has no gap, whenever the power goes.
        for &number in found.numbers().iter().filter(|&&number| number < needed_from) {
            history::keep(&*self.disk, &self.data, number, self.now)?;
        }
        history::trim(&*self.disk, &self.data, self.retention, self.now)
    }

    /// Removes what of the history is too old or too much by now. No generation needs anything of it.
    pub(super) fn trim(&self) {
        if self.standing == Standing::Sound
            && let Err(error) = history::trim(&*self.disk, &self.data, self.retention, self.now)
        {
            tracing::warn!(
                "what is too old, or too much, of what happened cannot be removed, which is tried again: {}",
                error.with_cause()
            );
        }
    }

    /// The newest generation.
    pub(super) fn newest(&self) -> Generation {
        self.manifest.generations.first().copied().unwrap_or(Generation::EMPTY)
    }

    fn dir(&self, number: u64) -> PathBuf {
        self.data.join(Generation::dir_name(number))
    }
}

impl Building {
    /// Adds facts, which follow those before in the order of their keys.
    pub(super) fn put(&mut self, facts: Vec<Fact>) -> Result<(), StoreError> {
        let mut portion = Vec::with_capacity(facts.len());
        let changes: Vec<_> = facts.into_iter().map(Change::from).collect();
        for (key, record) in rows::rows(&changes)?.iter() {
            portion.extend(record.map(|record| (key.to_vec(), record.to_vec())));
        }
        self.put_rows(portion)
    }

    /// Adds rows of facts as they are on disk.
    pub(super) fn put_rows(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        for (key, record) in &rows {
            self.tally.add(hash(key, record));
            self.bytes += (key.len() + record.len()) as u64;
        }
        self.draft.put(rows)
    }
}

fn unstorable(key: Key) -> impl FnOnce(super::RecordError) -> StoreError {
    move |source| StoreError::Unstorable {
        key: key.to_string(),
        source,
    }
}
