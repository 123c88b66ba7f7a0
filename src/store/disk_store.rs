//! The store on disk: a journal that keeps the promise, generations that keep the journal short.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::change::Fact;
use crate::domain::ledger::Ledger;
use crate::domain::reply::Checkpoint;
use crate::domain::time::{Now, Timestamp};

use super::ages::{self, Ages};
use super::background::Background;
use super::checkpoint::{self, Keeper, SCRATCH};
use super::chronicle::Chronicle;
use super::disk::Disk;
use super::founding::{found, make_dir, newest_manifest};
use super::history::Retention;
use super::journal::{DIR, End, Found, Journal, Room, Shape, segment_name};
use super::lock::Lock;
use super::manifest::{Generation, Newest};
use super::os_disk::OsDisk;
use super::running::{Open, Walk};
use super::scan::Standing;
use super::sled_snapshots::SledSnapshots;
use super::snapshot::{Snapshot, Snapshots, find, verify};
use super::{Loaded, Progress, Round, Store, StoreError, facts, format, format1, io_failed, round};

/// How a store is kept. [`Options::default`] is right for every server; tests choose otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file layer.
    pub disk: Arc<dyn Disk>,
    /// What keeps generations.
    pub snapshots: Arc<dyn Snapshots>,
    /// Bytes of a journal segment.
    pub segment_bytes: u32,
    /// Bytes that the journal grows by before a checkpoint is made; more where the last generation is larger.
    pub checkpoint_bytes: u64,
    /// How much is kept of the journal for its events.
    pub retention: Retention,
    /// Whether segments and checkpoints are made by threads, and not at once.
    pub threaded: bool,
    /// Whether what a directory of an older format holds is audited before any of it is upgraded: what no server starts with
    /// is to stay as it was. Tests have records that they made up.
    pub audits_upgrades: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            disk: Arc::new(OsDisk),
            snapshots: Arc::new(SledSnapshots),
            segment_bytes: 8 << 20,
            checkpoint_bytes: 128 << 20,
            retention: Retention::default(),
            threaded: true,
            audits_upgrades: true,
        }
    }
}

/// Keeps facts in a data directory, which it has for itself as long as it lives.
#[derive(Debug)]
pub struct DiskStore {
    options: Options,
    data: PathBuf,
    standing: Standing,
    newest: Newest,
    /// Nothing before it was loaded.
    open: Option<Open>,
    // Declared last, so that everything is closed before the directory is given back. Threads have it too.
    lock: Arc<Lock>,
}

impl DiskStore {
    /// Opens the store of the data directory `data`, or makes it, with the directory. Blocks up to 2 seconds for a lock
    /// that a killed process left.
    ///
    /// # Errors
    /// The directory is in use, cannot be written, was written by a newer release, or is damaged.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_with(data, Options::default())
    }

    /// As [`DiskStore::open`], kept otherwise.
    ///
    /// # Errors
    /// As of [`DiskStore::open`].
    pub fn open_with(data: &Path, options: Options) -> Result<Self, StoreError> {
        let disk = &options.disk;
        if disk.read(&data.join(format::FORMAT_NAME)).is_err() {
            make_dir(&**disk, data)?;
        }
        let lock = Arc::new(Lock::take(data)?);
        let newest = match format::read(&**disk, data)? {
            None => found(&options, data)?,
            Some(1) => format1::upgrade(&options, data)?,
            Some(_) => {
                // What the last process named here it may not have lived, or not been able, to sync: nothing that is
                // answered from now on may hang on a name that the next power cut takes away.
                disk.sync_dir(data).map_err(io_failed("syncing", data))?;
                format1::remove(&**disk, data)?;
                newest_manifest(disk, data)?
            }
        };
        Ok(Self {
            options,
            data: data.to_owned(),
            standing: Standing::NotLoaded,
            newest,
            open: None,
            lock,
        })
    }
}

impl Options {
    pub(super) const fn shape(&self) -> Shape {
        Shape {
            segment_bytes: self.segment_bytes,
        }
    }
}

impl DiskStore {
    /// The newest generation that holds, opened, with where the journal ends after it. Those that do not hold are told.
    fn usable(&self, found: &Found) -> Result<Usable, StoreError> {
        let mut told: Option<StoreError> = None;
        let mut gone = Vec::new();
        for generation in &self.newest.manifest.generations {
            match self.try_generation(found, *generation) {
                Ok(usable) => {
                    if told.is_some() {
                        tracing::warn!(
                            "generation {} and the journal since then hold: the server goes on from them, nothing is lost and \
                             nothing needs to be restored; check the disk",
                            generation.number
                        );
                    }
                    return Ok(usable);
                }
                Err(error) => {
                    tracing::error!(
                        "generation {} cannot be used: {}",
                        generation.number,
                        error.with_cause()
                    );
                    if matches!(error, StoreError::Gone { .. }) {
                        gone.push(Generation::dir_name(generation.number));
                    }
                    // Of the newest, but for a disk that fails: that may pass, and the older one may hold then. Of one that is
                    // gone there is less to say than of another.
                    let gives_way = |first: &StoreError| {
                        matches!(first, StoreError::Gone { .. }) || (!first.may_pass() && error.may_pass())
                    };
                    if told.as_ref().is_none_or(gives_way) {
                        told = Some(error);
                    }
                }
            }
        }
        if gone.len() == self.newest.manifest.generations.len() {
            return Err(StoreError::GenerationsGone {
                place: self.data.display().to_string(),
                names: gone.join(" and "),
            });
        }
        Err(told.unwrap_or(StoreError::NotLoaded))
    }

    /// An older generation that is named and gone, where `used` is the newest one and holds. Nobody reads it before it is
    /// needed, so it is missed here.
    fn lost_spare(&self, used: u64) -> Option<u64> {
        let numbers = self.newest.manifest.generations.iter().map(|one| one.number);
        let mut spares = numbers.filter(|&number| number > 0 && number != used);
        spares.find(|&number| {
            let found = find(&*self.options.snapshots, &self.dir(number));
            if let Err(error) = &found {
                tracing::warn!(
                    "of the two checkpoints generation {used} alone is there, and nothing is lost; generation {number}: {}",
                    error.with_cause()
                );
            }
            found.is_err()
        })
    }

    /// The directory of a generation.
    fn dir(&self, number: u64) -> PathBuf {
        self.data.join(Generation::dir_name(number))
    }

    fn try_generation(&self, found: &Found, generation: Generation) -> Result<Usable, StoreError> {
        let snapshot = if generation.number == 0 {
            None
        } else {
            let dir = self.dir(generation.number);
            find(&*self.options.snapshots, &dir)?;
            let mut snapshot = self.options.snapshots.open(&dir, &self.data.join(SCRATCH))?;
            let meta = verify(&mut *snapshot, &dir.display().to_string(), &generation)?;
            Some((snapshot, meta))
        };
        // Read as a whole before anything of it counts.
        let end = found.read(generation.at, generation.after, &mut |_, _| Ok(()))?;
        // Older than what the newest generation has seen: rounds that were answered are gone.
        if let Some(through) = self.newest.manifest.generations.iter().map(|one| one.through).max()
            && end.link.round < through
        {
            return Err(StoreError::JournalShort {
                place: self.data.display().to_string(),
                found: end.link.round,
                expected: through,
            });
        }
        let (snapshot, meta) = snapshot.unzip();
        Ok(Usable {
            generation,
            snapshot,
            now: meta.and_then(|meta| meta.now()),
            end,
        })
    }
}

/// A generation that holds.
struct Usable {
    generation: Generation,
    snapshot: Option<Box<dyn Snapshot>>,
    now: Option<Now>,
    end: End,
}

impl Store for DiskStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.standing.begin_load()?;
        self.open = None;
        let found = Found::look(Arc::clone(&self.options.disk), &self.data)?;
        found.remove_drafts()?;
        let Usable {
            generation,
            snapshot,
            mut now,
            end,
        } = self.usable(&found)?;
        let newest = self.newest.newest_generation();
        let keeping = if newest == generation.number {
            checkpoint::Standing::Sound
        } else {
            checkpoint::Standing::FellBack {
                used: generation.number,
                newest,
            }
        };
        let lost = match keeping {
            checkpoint::Standing::Sound => self.lost_spare(generation.number),
            checkpoint::Standing::FellBack { newest, .. } => Some(newest),
        };
        let checkpointed = Checkpoint {
            generation: generation.number,
            made_at: now.map(|now| now.steady),
            failure: None,
            lost,
        };
        let place = self.data.display().to_string();
        let generation_bytes = match snapshot {
            Some(mut snapshot) => facts::of_snapshot(&mut *snapshot, &place, visit)?,
            None => 0,
        };
        let mut journal_bytes = 0;
        // How old the newest generation is; the empty one is as old as the first round.
        let mut since = now.map(|now| now.steady);
        found.read(generation.at, generation.after, &mut |number, payload| {
            let at = facts::of_round(number, payload, &place, visit)?;
            now = Some(at);
            since.get_or_insert(at.steady);
            journal_bytes += payload.len() as u64;
            Ok(())
        })?;
        let loaded = Loaded {
            round: end.link.round,
            now,
        };
        let mut open = self.resume(found, &end, (since, now.unwrap_or_default()), keeping)?;
        open.journal_bytes = journal_bytes;
        open.generation_bytes = generation_bytes;
        open.checkpointed = checkpointed;
        // Where one of the two is to be made up for, another is due at once.
        if lost.is_none() {
            open.set_due(self.options.checkpoint_bytes);
        }
        self.open = Some(open);
        self.standing = Standing::Loaded { round: loaded.round };
        Ok(loaded)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let open = self.open.as_mut();
        self.standing.commit(round, |rows| {
            let open = open.ok_or(StoreError::NotLoaded)?;
            open.commit(&round::write(round, &rows)?, round.now)
        })
    }

    fn checkpoint(&mut self, ledger: &Ledger) -> Progress {
        match &mut self.open {
            Some(open) => open.checkpoint(ledger, self.options.checkpoint_bytes),
            None => Progress::Resting,
        }
    }

    fn on_progress(&mut self, wake: Box<dyn Fn() + Send>) {
        if let Some(open) = &self.open {
            open.background.on_progress(wake);
        }
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        match &mut self.open {
            Some(open) if matches!(self.standing, Standing::Loaded { .. }) => open.journal.seal(),
            _ => Ok(()),
        }
    }

    fn ending(&mut self) {
        if let Some(open) = &mut self.open {
            open.journal.open_reserve();
        }
    }

    fn keep(&mut self, checkpoint_bytes: u64, retention: Retention) {
        self.options.checkpoint_bytes = checkpoint_bytes;
        self.options.retention = retention;
        if let Some(open) = &mut self.open {
            open.keep(checkpoint_bytes, retention);
        }
    }

    fn checkpointed(&self) -> Option<Checkpoint> {
        self.open.as_ref().map(|open| open.checkpointed.clone())
    }

    fn chronicle(&self) -> Option<Chronicle> {
        Some(Chronicle::new(Arc::clone(&self.options.disk), &self.data))
    }

    fn room(&self) -> Room {
        self.open.as_ref().map_or(Room::Enough, |open| open.journal.room())
    }
}

impl DiskStore {
    fn resume(
        &self,
        found: Found,
        end: &End,
        (since, now): (Option<Timestamp>, Now),
        keeping: checkpoint::Standing,
    ) -> Result<Open, StoreError> {
        let lock = self.options.threaded.then(|| Arc::clone(&self.lock));
        let journal = Journal::resume(found, self.options.shape(), lock.clone(), end)?;
        let (number, path) = (end.segment(), self.data.join(DIR).join(segment_name(end.segment())));
        let bytes = self.options.disk.read(&path).map_err(io_failed("reading", &path))?;
        let ages = Ages::new(ages::first_time(number, &bytes), since, now.steady);
        let keeper = Keeper {
            disk: Arc::clone(&self.options.disk),
            snapshots: Arc::clone(&self.options.snapshots),
            data: self.data.clone(),
            manifest: self.newest.manifest.clone(),
            standing: keeping,
            retention: self.options.retention,
            now: now.steady,
        };
        let background = match lock {
            Some(lock) => Background::threaded(keeper, lock).map_err(io_failed("starting a thread for", &self.data))?,
            None => Background::inline(keeper),
        };
        Ok(Open {
            journal,
            background,
            walk: Walk::Resting,
            now,
            journal_bytes: 0,
            due_bytes: 0,
            generation_bytes: 0,
            checkpointed: Checkpoint::default(),
            retention: self.options.retention,
            ages,
        })
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        // Whoever has just seen the disk fail is not to wait for it.
        if matches!(self.standing, Standing::Poisoned)
            && let Some(open) = &mut self.open
        {
            open.journal.abandon();
            open.background.abandon();
        }
    }
}

#[cfg(test)]
mod tests;
