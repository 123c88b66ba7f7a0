//! A store without a disk, with the same bytes as the one on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::change::Fact;

use super::keys::Key;
use super::rows;
use super::scan::{Scan, Standing, Tally, hash};
use super::{Loaded, Round, Store, StoreError};

/// Keeps facts as long as any handle of it lives. What is on disk for the other store is what all handles share.
#[derive(Debug)]
pub struct MemoryStore {
    rows: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
    standing: Standing,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            rows: Arc::default(),
            standing: Standing::NotLoaded,
        }
    }

    /// Another store with the same rows, for tests that begin at one state several times.
    #[cfg(test)]
    pub(crate) fn copy(&self) -> Self {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            rows: Arc::new(Mutex::new(rows)),
            standing: Standing::NotLoaded,
        }
    }

    /// A fresh handle on the same rows, as if the store were opened again.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self {
            rows: Arc::clone(&self.rows),
            standing: Standing::NotLoaded,
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.standing.begin_load()?;
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scan = Scan::new("memory");
        for (key, record) in rows.iter() {
            scan.row(key, record, visit)?;
        }
        let meta = scan.finish()?;
        self.standing = Standing::Loaded { round: meta.round };
        Ok(Loaded {
            round: meta.round,
            now: meta.now(),
        })
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let all = Arc::clone(&self.rows);
        self.standing.commit(round, |new| {
            let unstorable = |source| StoreError::Unstorable {
                key: Key::Meta.to_string(),
                source,
            };
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            let meta_key = Key::Meta.encode();
            let mut tally = match all.get(&meta_key) {
                Some(record) => Tally::of(&rows::meta(record).map_err(unstorable)?),
                None => Tally::default(),
            };
            tally.update(&new, |key| {
                Ok::<_, StoreError>(all.get(key).map(|record| hash(key, record)))
            })?;
            let meta = rows::meta_record(&tally.meta(round.number, round.now)).map_err(unstorable)?;
            for (key, record) in new.iter() {
                match record {
                    Some(record) => all.insert(key.to_vec(), record.to_vec()),
                    None => all.remove(key),
                };
            }
            all.insert(meta_key, meta);
            Ok(())
        })
    }
}
