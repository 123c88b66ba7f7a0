//! sled, with every option spelled out and every write followed by what sled itself leaves out.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::thread;

use crate::domain::time::Now;

use super::StoreError;
use super::disk::{LEDGER, found, is_founded, make_dir, owner_only, refused, sync, sync_all_in};
use super::keys::Key;
use super::lock::{PAUSE, TRIES};
use super::records::MetaV1;
use super::rows::{self, Rows};
use super::scan::{Tally, hash};
use super::witness::Witness;

/// What sled keeps in memory, in bytes. The ledger itself is in memory: sled reads only while it starts.
const CACHE_BYTES: u64 = 64 << 20;

/// The size of sled's segments, in bytes; it cannot be changed once a database exists.
const SEGMENT_BYTES: usize = 512 << 10;

/// Rows that are handed over at a time.
const CHUNK_ROWS: usize = 1024;

/// A row of the tree.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// The database of one data directory.
#[derive(Debug)]
pub(super) struct Engine {
    db: sled::Db,
    /// sled's file through a handle of our own: sled's `flush` syncs neither its length nor the drive's cache.
    file: File,
    ledger: PathBuf,
    place: String,
    /// sled puts long pages into files of their own and never syncs them: those that we did.
    blobs_synced: BTreeSet<OsString>,
    witness: Witness,
    tally: Tally,
}

impl Engine {
    /// Opens the database of `dir`, or makes it if the directory was never in use.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let ledger = dir.join(LEDGER);
        let file_path = ledger.join("db");
        let is_founded = is_founded(dir)?;
        if is_founded && !file_path.is_file() {
            return Err(StoreError::Missing { path: file_path }); // sled would make an empty one
        }
        if !is_founded && Witness::saw_rounds(dir) {
            return Err(StoreError::Missing {
                path: dir.join("FORMAT"),
            });
        }
        make_dir(&ledger)?;
        remove_unfinished_snapshots(&ledger)?;
        let db = open_sled(dir, &ledger)?;
        let file = owner_only().open(&file_path).map_err(refused("opening", &file_path))?;
        // Opening changes the files, whether or not they are new.
        sync_all_in(&ledger.join("blobs"))?;
        sync_all_in(&ledger)?;
        let witness = if is_founded {
            Witness::open(dir)?
        } else {
            let witness = Witness::create(dir)?;
            found(dir)?;
            witness
        };
        Ok(Self {
            db,
            file,
            ledger,
            place: dir.display().to_string(),
            blobs_synced: BTreeSet::new(),
            witness,
            tally: Tally::default(),
        })
    }

    /// The next rows after `key`, in key order; none at the end.
    pub(super) fn rows_after(&self, key: Option<Vec<u8>>) -> Result<Vec<Row>, StoreError> {
        let start = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.db
            .range((start, Bound::Unbounded))
            .take(CHUNK_ROWS)
            .map(|row| row.map(|(key, record)| (key.to_vec(), record.to_vec())))
            .collect::<Result<_, _>>()
            .map_err(|error| self.failed(error))
    }

    /// Takes what a full scan found as the state to go on from, if it is what was answered last.
    pub(super) fn accept(&mut self, meta: &MetaV1) -> Result<(), StoreError> {
        self.witness.check(&self.place, meta)?;
        self.tally = Tally::of(meta);
        Ok(())
    }

    /// Makes the rows of a round durable.
    pub(super) fn commit(&mut self, rows: Rows, number: u64, now: Now) -> Result<(), StoreError> {
        let mut tally = self.tally;
        tally
            .update(&rows, |key| Ok(self.db.get(key)?.map(|record| hash(key, &record))))
            .map_err(|error: sled::Error| self.failed(error))?;
        let meta = tally.meta(number, now);
        let meta_record = rows::meta_record(&meta).map_err(|source| StoreError::Unstorable {
            key: Key::Meta.to_string(),
            source,
        })?;
        let mut batch = sled::Batch::default();
        for (key, record) in rows {
            match record {
                Some(record) => batch.insert(key, record),
                None => batch.remove(key),
            }
        }
        batch.insert(Key::Meta.encode(), meta_record);
        self.db.apply_batch(batch).map_err(|error| self.failed(error))?;
        self.db.flush().map_err(|error| self.failed(error))?;
        self.sync_new_blobs()?;
        let path = self.ledger.join("db");
        self.file.sync_all().map_err(refused("syncing", &path))?;
        self.witness.write(number, meta.digest)?;
        self.tally = tally;
        Ok(())
    }

    fn sync_new_blobs(&mut self) -> Result<(), StoreError> {
        let dir = self.ledger.join("blobs");
        let mut present = BTreeSet::new();
        for entry in fs::read_dir(&dir).map_err(refused("reading the directory", &dir))? {
            present.insert(entry.map_err(refused("reading the directory", &dir))?.file_name());
        }
        if present.is_subset(&self.blobs_synced) {
            self.blobs_synced = present;
            return Ok(());
        }
        for name in present.difference(&self.blobs_synced) {
            match sync(&dir.join(name)) {
                // sled removes a page's file as soon as the page has a newer one.
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        self.blobs_synced = present;
        sync(&dir)
    }

    fn failed(&self, error: sled::Error) -> StoreError {
        failed(&self.place, error)
    }
}

fn failed(place: &str, error: sled::Error) -> StoreError {
    StoreError::Engine {
        place: place.to_owned(),
        source: error.into(),
    }
}

fn open_sled(dir: &Path, ledger: &Path) -> Result<sled::Db, StoreError> {
    let place = dir.display().to_string();
    let mut tried = 1;
    loop {
        // A configuration can be opened once only.
        let config = sled::Config::new()
            .path(ledger)
            .cache_capacity(CACHE_BYTES)
            .mode(sled::Mode::LowSpace)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
            .use_compression(false)
            .temporary(false)
            .create_new(false)
            .print_profile_on_drop(false);
        match config.open() {
            Ok(db) => return Ok(db),
            // Our own lock is held, so this is what a killed process left behind for a moment.
            Err(error) if tried < TRIES && error.to_string().contains("could not acquire lock") => {
                tried += 1;
                thread::sleep(PAUSE);
            }
            Err(sled::Error::Io(error)) => return Err(refused("opening the database", ledger)(error)),
            Err(error) => return Err(failed(&place, error)),
        }
    }
}

/// sled takes the half-written snapshot that a crash leaves for a whole one and then cannot be opened.
fn remove_unfinished_snapshots(ledger: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(ledger).map_err(refused("reading the directory", ledger))? {
        let path = entry.map_err(refused("reading the directory", ledger))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(&path).map_err(refused("removing", &path))?;
        }
    }
    Ok(())
}
