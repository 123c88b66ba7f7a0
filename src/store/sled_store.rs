//! The store on disk.

use std::path::Path;
use std::time::Duration;

use crate::domain::change::Fact;

use super::disk::make_dir;
use super::engine::Engine;
use super::lock::Lock;
use super::scan::{Scan, Standing};
use super::worker::Worker;
use super::{Loaded, Round, Store, StoreError};

/// How long the database is waited for when it is opened: a million records take seconds, a slow disk more.
const OPEN_PATIENCE: Duration = Duration::from_mins(5);

/// How long is waited for one chunk of rows, and for one round to be durable.
const STEP_PATIENCE: Duration = Duration::from_mins(1);

/// Keeps facts in a data directory, which it has for itself as long as it lives.
#[derive(Debug)]
pub struct SledStore {
    place: String,
    standing: Standing,
    // Declared before the lock, so that the database is closed before the directory is given back.
    worker: Worker<Engine>,
    _lock: Lock,
}

impl SledStore {
    /// Opens the store of the data directory `dir`, or makes it, with the directory. Blocks until sled has recovered,
    /// and up to 2 seconds for a lock that a killed process left.
    ///
    /// # Errors
    /// The directory is in use, cannot be written, was written by a newer release, or is damaged.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        make_dir(dir)?;
        let lock = Lock::take(dir)?;
        let place = dir.display().to_string();
        let path = dir.to_owned();
        let worker = Worker::start(place.clone(), OPEN_PATIENCE, move || Engine::open(&path))?;
        Ok(Self {
            place,
            standing: Standing::NotLoaded,
            worker,
            _lock: lock,
        })
    }
}

impl Store for SledStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.standing.begin_load()?;
        let mut scan = Scan::new(&self.place);
        let mut last = None;
        loop {
            let after = last.take();
            let rows = self
                .worker
                .ask("reading", STEP_PATIENCE, move |engine| engine.rows_after(after))?;
            for (key, record) in &rows {
                scan.row(key, record, visit)?;
            }
            match rows.into_iter().next_back() {
                Some((key, _)) => last = Some(key),
                None => break,
            }
        }
        let meta = scan.finish()?;
        self.worker
            .ask("reading", STEP_PATIENCE, move |engine| engine.accept(&meta))?;
        self.standing = Standing::Loaded { round: meta.round };
        Ok(Loaded {
            round: meta.round,
            now: meta.now(),
            records: meta.records,
        })
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let Round { number, now, .. } = *round;
        let worker = &mut self.worker;
        self.standing.commit(round, |rows| {
            worker.ask("writing", STEP_PATIENCE, move |engine| engine.commit(rows, number, now))
        })
    }
}

#[cfg(test)]
mod tests;
