//! Generations in sled, with every option spelled out. What it says goes through a [`Worker`], since it panics on many a
//! damaged file.

use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::disk::Disk;
use super::lock::{PAUSE, TRIES};
use super::os_disk::OsDisk;
use super::snapshot::{Draft, Row, Snapshot, Snapshots};
use super::worker::Worker;
use super::{StoreError, io_failed};

/// How long the database is waited for when it is opened: a million records take seconds, a slow disk more.
const OPEN_PATIENCE: Duration = Duration::from_mins(5);

/// How long is waited for one portion of rows.
const STEP_PATIENCE: Duration = Duration::from_mins(1);

/// What sled keeps in memory, in bytes. The ledger itself is in memory: sled is written once and read once.
const CACHE_BYTES: u64 = 64 << 20;

/// The size of sled's segments, in bytes; it cannot be changed once a database exists.
const SEGMENT_BYTES: usize = 512 << 10;

/// Rows that are handed over at a time.
const CHUNK_ROWS: usize = 1024;

/// Generations in sled databases.
#[derive(Clone, Copy, Debug, Default)]
pub struct SledSnapshots;

impl Snapshots for SledSnapshots {
    fn begin(&self, dir: &Path) -> Result<Box<dyn Draft>, StoreError> {
        OsDisk.make_dir(dir).map_err(io_failed("creating the directory", dir))?;
        Ok(Box::new(SledDraft {
            worker: start(dir, dir)?,
        }))
    }

    fn missing(&self, dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        let db = dir.join("db");
        match fs::metadata(&db) {
            Ok(found) => Ok((!found.is_file()).then_some(db)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(db)),
            Err(error) => Err(io_failed("looking for", &db)(error)),
        }
    }

    fn open(&self, dir: &Path, scratch: &Path) -> Result<Box<dyn Snapshot>, StoreError> {
        // sled would make an empty database.
        if let Some(path) = self.missing(dir)? {
            return Err(StoreError::Missing { path });
        }
        let copy = ScratchCopy::make(dir, scratch)?;
        Ok(Box::new(SledCopy {
            worker: start(&copy.0, dir)?,
            _copy: copy,
        }))
    }
}

#[derive(Debug)]
struct SledDraft {
    worker: Worker<Engine>,
}

impl Draft for SledDraft {
    fn put(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.worker
            .ask("writing", STEP_PATIENCE, move |engine| engine.put(rows))
    }

    fn close(mut self: Box<Self>) -> Result<(), StoreError> {
        self.worker.ask("writing", OPEN_PATIENCE, |engine| engine.flush())?;
        self.worker.close(OPEN_PATIENCE)
    }
}

#[derive(Debug)]
struct SledCopy {
    // Declared before the copy, so that the database is closed before its files go.
    worker: Worker<Engine>,
    _copy: ScratchCopy,
}

impl Snapshot for SledCopy {
    fn rows_after(&mut self, key: Option<Vec<u8>>) -> Result<Vec<Row>, StoreError> {
        self.worker
            .ask("reading", STEP_PATIENCE, move |engine| engine.rows_after(key))
    }
}

/// A copy of a database's directory. Opening a database changes its files; these may be changed.
#[derive(Debug)]
struct ScratchCopy(PathBuf);

impl ScratchCopy {
    fn make(from: &Path, to: &Path) -> Result<Self, StoreError> {
        OsDisk.remove_dir(to).map_err(io_failed("removing", to))?;
        // Made first: whatever was copied goes, whether or not all of it was.
        let copy = Self(to.to_owned());
        copy_tree(from, to)?;
        Ok(copy)
    }
}

impl Drop for ScratchCopy {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next start.
        drop(OsDisk.remove_dir(&self.0));
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), StoreError> {
    OsDisk.make_dir(to).map_err(io_failed("creating the directory", to))?;
    for entry in fs::read_dir(from).map_err(io_failed("reading the directory", from))? {
        let path = entry.map_err(io_failed("reading the directory", from))?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &copy)?;
        } else if !is_unfinished(&path) {
            fs::copy(&path, &copy).map_err(io_failed("copying", &path))?;
        }
    }
    Ok(())
}

/// sled takes the half-written snapshot that a crash leaves for a whole one and then cannot be opened.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("snap.") && name.ends_with(".generating")
}

/// Opens the database in `dir`; errors name `place`, of which it may be a copy.
fn start(dir: &Path, place: &Path) -> Result<Worker<Engine>, StoreError> {
    let (dir, place) = (dir.to_owned(), place.display().to_string());
    Worker::start(place.clone(), OPEN_PATIENCE, move || Engine::open(&dir, place))
}

/// An open database.
#[derive(Debug)]
struct Engine {
    db: sled::Db,
    place: String,
}

impl Engine {
    fn open(dir: &Path, place: String) -> Result<Self, StoreError> {
        Ok(Self {
            db: open_sled(dir, &place)?,
            place,
        })
    }

    fn rows_after(&self, key: Option<Vec<u8>>) -> Result<Vec<Row>, StoreError> {
        let start = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.db
            .range((start, Bound::Unbounded))
            .take(CHUNK_ROWS)
            .map(|row| row.map(|(key, record)| (key.to_vec(), record.to_vec())))
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&self.place, error))
    }

    fn put(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        for (key, record) in rows {
            self.db
                .insert(key, record)
                .map_err(|error| failed(&self.place, error))?;
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|error| failed(&self.place, error)).map(drop)
    }
}

fn failed(place: &str, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            io_failed("writing", Path::new(place))(error)
        }
        error => StoreError::Engine {
            place: place.to_owned(),
            source: error.into(),
        },
    }
}

fn open_sled(dir: &Path, place: &str) -> Result<sled::Db, StoreError> {
    let mut tried = 1;
    loop {
        // A configuration can be opened once only.
        let config = sled::Config::new()
            .path(dir)
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
            // Nobody else uses the directory, so this is what a closed database keeps for a moment.
            Err(error) if tried < TRIES && error.to_string().contains("could not acquire lock") => {
                tried += 1;
                thread::sleep(PAUSE);
            }
            Err(sled::Error::Io(error)) => return Err(io_failed("opening the database", dir)(error)),
            Err(error) => return Err(failed(place, error)),
        }
    }
}
