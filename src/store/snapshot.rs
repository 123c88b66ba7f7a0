//! A generation as its engine sees it: a directory that is written once, in key order, and read as a copy ever after.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::envelope::RecordError;
use super::keys::{Key, describe};
use super::manifest::Generation;
use super::records::MetaV1;
use super::rows;
use super::scan::{Tally, hash};

/// A row: key and record.
pub type Row = (Vec<u8>, Vec<u8>);

/// What keeps generations. sled does; a test has one that knows what a power cut leaves of it.
pub trait Snapshots: Debug + Send + Sync + 'static {
    /// Starts a generation in `dir`, which is not there yet.
    ///
    /// # Errors
    /// The directory is to be thrown away.
    fn begin(&self, dir: &Path) -> Result<Box<dyn Draft>, StoreError>;

    /// What there is nothing of the generation in `dir` without, where that is not there. Says nothing of whether it holds.
    ///
    /// # Errors
    /// The disk does not tell.
    fn missing(&self, dir: &Path) -> Result<Option<PathBuf>, StoreError>;

    /// Opens a copy of the generation in `dir`. The copy is made at `scratch` and goes with what is returned; `dir` is not
    /// written.
    ///
    /// # Errors
    /// It is damaged, or cannot be copied.
    fn open(&self, dir: &Path, scratch: &Path) -> Result<Box<dyn Snapshot>, StoreError>;
}

/// A generation that is being written.
pub trait Draft: Debug + Send {
    /// Adds rows.
    ///
    /// # Errors
    /// The directory is to be thrown away.
    fn put(&mut self, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Has all rows in files, which the caller is to sync.
    ///
    /// # Errors
    /// The directory is to be thrown away.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// A copy of a generation.
pub trait Snapshot: Debug + Send {
    /// The next rows after `key`, in key order; none at the end.
    ///
    /// # Errors
    /// It is damaged.
    fn rows_after(&mut self, key: Option<Vec<u8>>) -> Result<Vec<Row>, StoreError>;
}

/// Looks whether a generation that a manifest names is still there.
pub(super) fn find(snapshots: &dyn Snapshots, dir: &Path) -> Result<(), StoreError> {
    match snapshots.missing(dir)? {
        Some(path) => Err(StoreError::Gone { path }),
        None => Ok(()),
    }
}

/// Gets the key and the record of each row.
pub(super) type VisitRow<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// Goes through all rows of a snapshot.
pub(super) fn each_row(snapshot: &mut dyn Snapshot, visit: VisitRow<'_>) -> Result<(), StoreError> {
    let mut last = None;
    loop {
        let rows = snapshot.rows_after(last.take())?;
        for (key, record) in &rows {
            visit(key, record)?;
        }
        match rows.into_iter().next_back() {
            Some((key, _)) => last = Some(key),
            None => return Ok(()),
        }
    }
}

/// Compares all rows of a snapshot with what the manifest says of it; what the generation says of itself.
pub(super) fn verify(snapshot: &mut dyn Snapshot, place: &str, expected: &Generation) -> Result<MetaV1, StoreError> {
    let meta_key = Key::Meta.encode();
    let mut tally = Tally::default();
    let mut meta = None;
    each_row(snapshot, &mut |key, record| {
        if key == meta_key {
            meta = Some(rows::meta(record).map_err(|source| unreadable(place, key, source))?);
        } else {
            tally.add(hash(key, record));
        }
        Ok(())
    })?;
    let mismatch = |what, expected: String, found: String| StoreError::Mismatch {
        place: place.to_owned(),
        what,
        expected,
        found,
    };
    if tally.records() != expected.records {
        let (expected, found) = (expected.records.to_string(), tally.records().to_string());
        return Err(mismatch("the number of records", expected, found));
    }
    if tally.digest() != expected.digest {
        let [expected, found] = [expected.digest, tally.digest()].map(|digest| format!("{digest:032x}"));
        return Err(mismatch("the digest of the records", expected, found));
    }
    match meta {
        Some(meta) if meta.round == expected.after.round => Ok(meta),
        found => {
            let found = found.map_or("none".to_owned(), |meta| meta.round.to_string());
            let round = expected.after.round.to_string();
            Err(mismatch("the number of the last round", round, found))
        }
    }
}

/// The error about a record that cannot be read.
pub(super) fn unreadable(place: &str, key: &[u8], source: RecordError) -> StoreError {
    StoreError::Record {
        place: place.to_owned(),
        key: describe(key),
        source,
    }
}
