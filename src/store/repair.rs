//! Looking at a data directory that a server does not start with, and the one thing that can be done about it without a
//! backup: giving up what follows the damage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::checkpoint::SCRATCH;
use super::disk_store::Options;
use super::founding::newest_manifest;
use super::journal::{DIR, End, Found};
use super::lock::Lock;
use super::manifest::{Generation, Manifest};
use super::snapshot::{Snapshot, find, verify};
use super::{StoreError, facts, format, io_failed};
use crate::domain::ledger::{AuditError, Ledger};

/// What was cut off is kept in a directory of this name and a number.
const CUT: &str = "cut";

/// A data directory that is looked at. No server can start on it meanwhile.
#[derive(Debug)]
pub struct Repair {
    options: Options,
    data: PathBuf,
    manifest: Manifest,
    found: Found,
    _lock: Lock,
}

/// What was found.
#[derive(Debug)]
pub struct Examined {
    /// The generations, the newest first.
    pub generations: Vec<ExaminedGeneration>,
    /// Where the journal ends, read from the newest generation that holds.
    pub journal: Option<ExaminedJournal>,
    /// What stops a start although it is as it was written.
    pub unsound: Option<Unsound>,
}

/// What was written and cannot be: nothing can be cut off to change that.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unsound {
    /// The records contradict each other.
    #[error("the records contradict each other")]
    Audit(#[from] AuditError),
    /// A record of a generation cannot be read.
    #[error(transparent)]
    Record(#[from] StoreError),
}

/// A generation.
#[derive(Debug)]
pub struct ExaminedGeneration {
    /// Its number.
    pub number: u64,
    /// Its records.
    pub records: u64,
    /// The last round that is wholly in it.
    pub after: u64,
    /// The round that the journal must reach.
    pub through: u64,
    /// Why it cannot be used.
    pub fault: Option<StoreError>,
}

/// The journal after a generation.
#[derive(Debug)]
pub struct ExaminedJournal {
    /// The generation that it was read from.
    pub generation: u64,
    /// The last round that can be read.
    pub last_round: u64,
    /// Whether a record that nobody was answered is cut off at the next start.
    pub is_torn: bool,
    /// What is damaged behind it.
    pub damage: Option<StoreError>,
    end: End,
}

impl Examined {
    /// Whether a server starts with it.
    #[must_use]
    pub fn starts(&self) -> bool {
        self.can_start() && self.journal.as_ref().is_some_and(|journal| journal.damage.is_none())
    }

    /// The generations that a server does without, and makes another one for when it starts.
    pub fn lost(&self) -> impl Iterator<Item = u64> {
        let lost = self.generations.iter().filter(|one| one.fault.is_some());
        lost.map(|one| one.number)
    }

    /// Whether a server starts with it, at the latest when what is damaged at its end is cut off.
    #[must_use]
    pub const fn can_start(&self) -> bool {
        self.journal.is_some() && self.unsound.is_none()
    }
}

impl Repair {
    /// Takes a data directory, to look at it.
    ///
    /// # Errors
    /// It is in use, is not one, or is of another format: an older one is upgraded by the next start.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_with(data, Options::default())
    }

    /// As [`Repair::open`], of a directory that is kept otherwise.
    ///
    /// # Errors
    /// As of [`Repair::open`].
    pub fn open_with(data: &Path, options: Options) -> Result<Self, StoreError> {
        let format = data.join(format::FORMAT_NAME);
        if format::read(&*options.disk, data)?.is_none() {
            let names = options
                .disk
                .names(data)
                .map_err(io_failed("reading the directory", data))?;
            return Err(
                if names.iter().any(|name| name == DIR || name.starts_with("manifest.")) {
                    StoreError::Missing { path: format }
                } else {
                    StoreError::NoStore {
                        place: data.display().to_string(),
                    }
                },
            );
        }
        let lock = Lock::take(data)?;
        if format::read(&*options.disk, data)? != Some(format::FORMAT_VERSION) {
            return Err(StoreError::Older {
                place: data.display().to_string(),
            });
        }
        let manifest = newest_manifest(&options.disk, data)?.manifest;
        let found = Found::look(Arc::clone(&options.disk), data)?;
        Ok(Self {
            options,
            data: data.to_owned(),
            manifest,
            found,
            _lock: lock,
        })
    }

    /// Reads everything as a start does, and changes nothing.
    #[must_use]
    pub fn examine(&self) -> Examined {
        let mut generations = Vec::new();
        let mut journal = None;
        let mut unsound = None;
        for generation in &self.manifest.generations {
            let mut fault = None;
            match self.verified(generation) {
                Err(error) => fault = Some(error),
                Ok(snapshot) if journal.is_none() => match self.read_on(generation, snapshot) {
                    Ok((read, found)) => (journal, unsound) = (Some(read), found),
                    Err(error) => fault = Some(error),
                },
                Ok(_) => {}
            }
            generations.push(ExaminedGeneration {
                number: generation.number,
                records: generation.records,
                after: generation.after.round,
                through: generation.through,
                fault,
            });
        }
        self.missed(&generations, &mut journal);
        Examined {
            generations,
            journal,
            unsound,
        }
    }

    /// The journal after a generation that is whole, and whether what the two hold is sound.
    fn read_on(
        &self,
        generation: &Generation,
        snapshot: Option<Box<dyn Snapshot>>,
    ) -> Result<(ExaminedJournal, Option<Unsound>), StoreError> {
        let place = self.data.display().to_string();
        let mut ledger = Ledger::default();
        let mut unsound = None;
        if let Some(mut snapshot) = snapshot {
            let read = facts::of_snapshot(&mut *snapshot, &place, &mut |fact| ledger.record(&fact));
            unsound = read.err().map(Unsound::Record);
        }
        let (end, damage) = self
            .found
            .read_to_damage(generation.at, generation.after, &mut |number, payload| {
                // None of a round counts if any of it cannot be read.
                let mut facts = Vec::new();
                facts::of_round(number, payload, &place, &mut |fact| facts.push(fact))?;
                for fact in &facts {
                    ledger.record(fact);
                }
                Ok(())
            });
        if end.link.round < generation.through {
            return Err(damage.unwrap_or(StoreError::JournalShort {
                place,
                found: end.link.round,
                expected: generation.through,
            }));
        }
        let journal = ExaminedJournal {
            generation: generation.number,
            last_round: end.link.round,
            is_torn: end.torn.is_some(),
            damage,
            end,
        };
        let unsound = unsound.or_else(|| ledger.audit().err().map(Unsound::Audit));
        Ok((journal, unsound))
    }

    /// A journal that ends in good order, but before what a newer generation has seen, has lost its end.
    fn missed(&self, generations: &[ExaminedGeneration], journal: &mut Option<ExaminedJournal>) {
        let through = generations.iter().map(|one| one.through).max().unwrap_or_default();
        if let Some(journal) = journal
            && journal.damage.is_none()
            && journal.last_round < through
        {
            journal.damage = Some(StoreError::JournalShort {
                place: self.data.display().to_string(),
                found: journal.last_round,
                expected: through,
            });
        }
    }

    /// A generation that is whole; nothing for the first, which is empty.
    fn verified(&self, generation: &Generation) -> Result<Option<Box<dyn Snapshot>>, StoreError> {
        if generation.number == 0 {
            return Ok(None);
        }
        let dir = self.data.join(Generation::dir_name(generation.number));
        find(&*self.options.snapshots, &dir)?;
        let mut snapshot = self.options.snapshots.open(&dir, &self.data.join(SCRATCH))?;
        verify(&mut *snapshot, &dir.display().to_string(), generation)?;
        Ok(Some(snapshot))
    }

    /// Gives up everything behind the last round that can be read. What is cut off is kept in the directory that is
    /// returned. Interrupted, it can be done again.
    ///
    /// # Errors
    /// A server would not start with what is left: nothing was changed. Or the disk fails.
    pub fn cut_tail(self, examined: &Examined) -> Result<PathBuf, StoreError> {
        let Some(journal) = examined.journal.as_ref().filter(|_| examined.can_start()) else {
            return Err(StoreError::NothingHolds {
                place: self.data.display().to_string(),
            });
        };
        let aside = self.set_aside()?;
        self.found.cut(&journal.end, self.options.shape())?;
        // Generations that have seen what was cut off would miss it.
        let mut manifest = self.manifest.clone();
        manifest.number += 1;
        manifest.generations.retain(|one| one.number <= journal.generation);
        manifest.store(&self.options.disk, &self.data)?;
        Ok(aside)
    }

    /// Keeps the journal as it is, for whoever can read more of it. A segment that the disk does not give is moved there.
    fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let disk = &self.options.disk;
        let names = disk
            .names(&self.data)
            .map_err(io_failed("reading the directory", &self.data))?;
        let is_free = |number: &u64| !names.contains(&format!("{CUT}.{number}"));
        let number = (1..=u64::MAX).find(is_free).unwrap_or(u64::MAX);
        let (from, to) = (self.data.join(DIR), self.data.join(format!("{CUT}.{number}")));
        disk.make_dir(&to).map_err(io_failed("creating the directory", &to))?;
        for name in disk.names(&from).map_err(io_failed("reading the directory", &from))? {
            let path = from.join(&name);
            let copy = to.join(name);
            let Ok(bytes) = disk.read(&path) else {
                disk.rename(&path, &copy).map_err(io_failed("moving", &path))?;
                continue;
            };
            disk.create(&copy)
                .and_then(|mut file| {
                    file.write_at(0, &bytes)?;
                    file.sync()
                })
                .map_err(io_failed("writing", &copy))?;
        }
        disk.sync_dir(&to).map_err(io_failed("syncing", &to))?;
        disk.sync_dir(&self.data).map_err(io_failed("syncing", &self.data))?;
        Ok(to)
    }
}

#[cfg(test)]
mod tests;
