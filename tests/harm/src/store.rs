//! A store on a simulated disk, and what it must hold.

use std::path::Path;
use std::sync::Arc;

use seatkeeper::domain::change::Change;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::Now;
use seatkeeper::store::{self, Disk as _, DiskStore, Progress, Repair, Round, Store, StoreError};
use tempfile::TempDir;

use crate::decided::Decided;
use crate::disk::{ABOVE, ROOT, SimDisk};
use crate::files::in_memory;
use crate::snapshots::PlainSnapshots;
use crate::sums::assert_sums;

/// How a campaign goes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What the dice begin with.
    pub seed: u64,
    /// Bytes of a journal segment: small, so that segments end often.
    pub segment_bytes: u32,
    /// Bytes of journal between checkpoints: few, so that checkpoints come often.
    pub checkpoint_bytes: u64,
    /// Bytes of the history that is kept: few, so that it goes often.
    pub history_bytes: u64,
    /// For how many days events are kept.
    pub keep_days: u32,
    /// Seconds between rounds.
    pub round_secs: u64,
}

impl Options {
    /// The usual ones.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            segment_bytes: 24 * 512,
            checkpoint_bytes: 9_000,
            history_bytes: 4_000,
            keep_days: 365,
            round_secs: 1,
        }
    }

    /// Those of a site that writes every eight hours and keeps for two days what happened: more is done because of its age
    /// than because of its size.
    #[must_use]
    pub const fn aging(seed: u64) -> Self {
        Self {
            checkpoint_bytes: 60_000,
            history_bytes: 1 << 30,
            keep_days: 2,
            round_secs: 8 * 3_600,
            ..Self::new(seed)
        }
    }
}

/// A data directory on a simulated disk.
#[derive(Debug)]
pub struct Place {
    /// The disk.
    pub disk: SimDisk,
    options: Options,
    /// For the lock alone.
    lock: Arc<TempDir>,
}

impl Place {
    /// An empty disk.
    ///
    /// # Panics
    /// There is no place for the lock.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            disk: SimDisk::new(options.seed),
            options,
            lock: Arc::new(in_memory()),
        }
    }

    /// The same directory on a disk of its own. The lock is one for both: only one of them can be open.
    fn fork(&self) -> Self {
        Self {
            disk: self.disk.copy(),
            options: self.options,
            lock: Arc::clone(&self.lock),
        }
    }

    /// A file below the data directory.
    ///
    /// # Panics
    /// It is not there.
    #[must_use]
    pub fn file(&self, name: &str) -> Vec<u8> {
        self.disk.read(&Path::new(ROOT).join(name)).expect("a file")
    }

    /// Puts a file below the data directory in place of one that is there.
    ///
    /// # Panics
    /// The disk fails.
    pub fn put_file(&self, name: &str, bytes: &[u8]) {
        let mut file = self.disk.create(&Path::new(ROOT).join(name)).expect("a file");
        file.write_at(0, bytes).expect("written");
    }

    /// Changes a bit of a file below the data directory, for good.
    ///
    /// # Panics
    /// The disk fails, or the file is not so long.
    pub(crate) fn flip(&self, name: &str, byte: usize) {
        let changed = self.file(name)[byte] ^ 4;
        let mut file = self.disk.open(&Path::new(ROOT).join(name)).expect("a file");
        file.write_at(byte as u64, &[changed]).expect("written");
        file.sync().expect("synced");
    }

    /// Removes a file below the data directory.
    ///
    /// # Panics
    /// The disk fails.
    pub fn remove_file(&self, name: &str) {
        self.disk.remove(&Path::new(ROOT).join(name)).expect("removed");
    }

    /// The names of the files in a directory below the data directory, in order.
    ///
    /// # Panics
    /// The disk fails.
    #[must_use]
    pub fn names(&self, dir: &str) -> Vec<String> {
        let mut names = self.disk.names(&Path::new(ROOT).join(dir)).expect("a directory");
        names.sort();
        names
    }

    /// Opens the store that is there, or a new one.
    ///
    /// # Errors
    /// The store refuses.
    pub fn open(&self) -> Result<DiskStore, StoreError> {
        DiskStore::open_with(self.lock.path(), self.kept())
    }

    /// Takes the directory, to look at it.
    ///
    /// # Errors
    /// The store refuses.
    pub(crate) fn repair(&self) -> Result<Repair, StoreError> {
        Repair::open_with(self.lock.path(), self.kept())
    }

    /// How the store is kept.
    fn kept(&self) -> store::Options {
        let disk: Arc<dyn store::Disk> = Arc::new(Rooted {
            disk: self.disk.clone(),
            place: self.lock.path().to_owned(),
        });
        store::Options {
            snapshots: Arc::new(PlainSnapshots::on(Arc::clone(&disk))),
            disk,
            segment_bytes: self.options.segment_bytes,
            checkpoint_bytes: self.options.checkpoint_bytes,
            retention: store::Retention {
                days: self.options.keep_days,
                bytes: self.options.history_bytes,
            },
            threaded: false,
            audits_upgrades: true,
        }
    }
}

/// A site whose disk is harmed.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) disk: SimDisk,
    pub(crate) place: Place,
    rounds: Decided,
    /// What was answered last.
    pub(crate) answered: Ledger,
    pub(crate) round: u64,
    /// What it is with the round in flight.
    in_flight: Option<Ledger>,
    pub(crate) checkpoints: u64,
}

impl Site {
    pub(crate) fn new(options: Options) -> Self {
        let place = Place::new(options);
        Self {
            disk: place.disk.clone(),
            place,
            rounds: Decided::new(options.seed ^ 0x5eed),
            answered: Ledger::default(),
            round: 0,
            in_flight: None,
            checkpoints: 0,
        }
    }

    /// The same site on a disk of its own, from where it can come to something else. No store is open at either.
    pub(crate) fn fork(&self) -> Self {
        let place = self.place.fork();
        Self {
            disk: place.disk.clone(),
            place,
            rounds: self.rounds.clone(),
            answered: self.answered.clone(),
            round: self.round,
            in_flight: self.in_flight.clone(),
            checkpoints: self.checkpoints,
        }
    }

    /// Opens and loads; the store and the ledger that it holds. What it holds becomes what was answered, if it is that
    /// or that with the round in flight.
    ///
    /// # Errors
    /// The store refuses. What it says is for whoever planned the harm.
    pub(crate) fn start(&mut self) -> Result<DiskStore, StoreError> {
        let mut store = self.place.open()?;
        let mut ledger = Ledger::default();
        let loaded = store.load(&mut |fact| ledger.record(&fact))?;
        if loaded.round == self.round + 1
            && let Some(in_flight) = self.in_flight.take()
        {
            self.answered = in_flight;
            self.round += 1;
        }
        assert_eq!(loaded.round, self.round, "the last round");
        let now = (self.round > 0).then(|| self.now(self.round));
        assert_eq!(loaded.now, now, "the time of the last round");
        assert!(ledger == self.answered, "what is there after round {}", self.round);
        assert_sums(&ledger);
        self.in_flight = None;
        Ok(store)
    }

    fn now(&self, round: u64) -> Now {
        Now::at(round * self.place.options.round_secs)
    }

    /// A round, answered if this returns without error; then a portion of a checkpoint, or all of one.
    pub(crate) fn step(&mut self, store: &mut DiskStore) -> Result<(), StoreError> {
        let decided = self.rounds.next(&self.answered, self.now(self.round + 1));
        self.commit(store, decided)
    }

    /// The same with a round that is as short as one can be.
    pub(crate) fn step_shortly(&mut self, store: &mut DiskStore) -> Result<(), StoreError> {
        let decided = Decided::short(&self.answered, self.now(self.round + 1));
        self.commit(store, decided)
    }

    fn commit(&mut self, store: &mut DiskStore, (changes, ledger): (Vec<Change>, Ledger)) -> Result<(), StoreError> {
        let number = self.round + 1;
        let committed = store.commit(&Round {
            number,
            now: self.now(number),
            changes: &changes,
        });
        if let Err(error) = committed {
            self.in_flight = Some(ledger);
            return Err(error);
        }
        self.answered = ledger;
        self.round = number;
        if store.checkpoint(&self.answered) == Progress::Ending {
            self.checkpoints += 1;
        }
        Ok(())
    }
}

/// The simulated disk under a path that the lock can be in.
#[derive(Debug)]
struct Rooted {
    disk: SimDisk,
    place: std::path::PathBuf,
}

impl Rooted {
    fn path(&self, path: &Path) -> std::path::PathBuf {
        match path.strip_prefix(&self.place) {
            Ok(inside) => Path::new(ROOT).join(inside),
            Err(_) => Path::new(ABOVE).to_owned(),
        }
    }
}

impl store::Disk for Rooted {
    fn names(&self, dir: &Path) -> std::io::Result<Vec<String>> {
        self.disk.names(&self.path(dir))
    }

    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.disk.read(&self.path(path))
    }

    fn len(&self, path: &Path) -> std::io::Result<u64> {
        self.disk.len(&self.path(path))
    }

    fn create(&self, path: &Path) -> std::io::Result<Box<dyn store::DiskFile>> {
        self.disk.create(&self.path(path))
    }

    fn open(&self, path: &Path) -> std::io::Result<Box<dyn store::DiskFile>> {
        self.disk.open(&self.path(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.disk.rename(&self.path(from), &self.path(to))
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        self.disk.remove(&self.path(path))
    }

    fn make_dir(&self, dir: &Path) -> std::io::Result<()> {
        self.disk.make_dir(&self.path(dir))
    }

    fn remove_dir(&self, dir: &Path) -> std::io::Result<()> {
        self.disk.remove_dir(&self.path(dir))
    }

    fn sync_dir(&self, dir: &Path) -> std::io::Result<()> {
        self.disk.sync_dir(&self.path(dir))
    }

    fn sync_tree(&self, dir: &Path) -> std::io::Result<()> {
        self.disk.sync_tree(&self.path(dir))
    }
}
