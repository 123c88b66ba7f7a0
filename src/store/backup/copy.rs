//! A copy of a data directory beside the server that writes it.
//!
//! What is named stays as it is, but for two things: the end of the journal grows, and what is needed no more goes. So the
//! generation is copied first and the journal, which must reach what the generation has seen, after it; of the segments the
//! last comes first: each is then at least as new as those that come after it in the journal, and whatever was durable
//! before the copy began is in it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Contents;
use crate::store::disk_store::Options;
use crate::store::journal::{DIR, Found, segment_name, segment_number};
use crate::store::manifest::{Generation, Manifest};
use crate::store::os_disk::owner_only;
use crate::store::{StoreError, format, history, io_failed};

/// How often the whole is copied anew because the server threw away what was being copied, at most.
const COPIES: u32 = 10;

/// How often the end of the journal is read while nothing moves on there, at most, and the wait in between. A round that
/// is being written shows in pieces for as long as one call of the operating system takes.
const READS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes that are copied at a time.
const CHUNK: usize = 1 << 20;

/// Is told of bytes that were copied.
pub(super) type Told<'a> = &'a mut dyn FnMut(u64);

/// A copy that holds together.
#[derive(Debug)]
pub struct Copied {
    /// What it holds.
    pub contents: Contents,
    /// Its files, by their names from the data directory.
    pub files: Vec<String>,
    /// The files of the event log's history, which are not copied, the newest first. Where one is gone by the time that it
    /// is opened, the older ones are as well, or will be.
    pub history: Vec<String>,
    /// Newer generations that could not be used, and why not.
    pub unusable: Vec<String>,
}

/// Why a copy came to nothing.
enum Failure {
    /// Something was thrown away meanwhile.
    Moved(StoreError),
    /// A generation does not hold; an older one may.
    Unusable(StoreError),
    /// It is no use to try again.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Copies the data directory `data` into `to`, an empty directory, and reads the copy as a start would.
///
/// # Errors
/// What is there is damaged, is not a data directory, or went on being thrown away while it was copied.
pub fn copy(data: &Path, to: &Path, told: &mut dyn FnMut(u64)) -> Result<Copied, StoreError> {
    Copier {
        options: Options::default(),
        data,
        to,
    }
    .copy(told)
}

pub(super) struct Copier<'a> {
    pub(super) options: Options,
    pub(super) data: &'a Path,
    pub(super) to: &'a Path,
}

impl Copier<'_> {
    pub(super) fn copy(&self, told: Told<'_>) -> Result<Copied, StoreError> {
        let disk = &self.options.disk;
        match format::read(&**disk, self.data)? {
            Some(format::FORMAT_VERSION) => {}
            Some(_) => {
                return Err(StoreError::Older {
                    place: self.data.display().to_string(),
                });
            }
            None => {
                return Err(StoreError::NoStore {
                    place: self.data.display().to_string(),
                });
            }
        }
        let mut moved_at = None;
        let mut tries = 1;
        loop {
            let manifest = Manifest::load(disk, self.data)?.manifest;
            match self.generations(&manifest, told) {
                Ok(copied) => return Ok(copied),
                // The same manifest again: what it names is gone for good.
                Err(Failure::Moved(error)) if moved_at == Some(manifest.number) || tries >= COPIES => {
                    return Err(error);
                }
                Err(Failure::Moved(_)) => {
                    moved_at = Some(manifest.number);
                    tries += 1;
                }
                Err(Failure::Unusable(error) | Failure::Store(error)) => {
                    if tries >= COPIES || !self.is_superseded(&manifest)? {
                        return Err(error);
                    }
                    tries += 1;
                }
            }
        }
    }

    /// Whether another manifest took the place of this one: what was copied while it was thrown away need not fit together.
    fn is_superseded(&self, manifest: &Manifest) -> Result<bool, StoreError> {
        Ok(Manifest::load(&self.options.disk, self.data)?.manifest.number != manifest.number)
    }

    /// The newest generation of a manifest that holds, with the journal after it.
    fn generations(&self, manifest: &Manifest, told: Told<'_>) -> Result<Copied, Failure> {
        let mut unusable = Vec::new();
        let mut first_error = None;
        for generation in &manifest.generations {
            match self.generation(manifest, generation, told) {
                Ok(mut copied) => {
                    copied.unusable = unusable;
                    return Ok(copied);
                }
                Err(Failure::Unusable(error)) if self.is_superseded(manifest)? => return Err(Failure::Moved(error)),
                Err(Failure::Unusable(error)) => {
                    unusable.push(format!("generation {}: {}", generation.number, error.with_cause()));
                    first_error.get_or_insert(error);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Unusable(first_error.unwrap_or(StoreError::NothingHolds {
            place: self.data.display().to_string(),
        })))
    }

    fn generation(&self, manifest: &Manifest, generation: &Generation, told: Told<'_>) -> Result<Copied, Failure> {
        let disk = &self.options.disk;
        let cleared = disk.remove_dir(self.to).and_then(|()| disk.make_dir(self.to));
        cleared.map_err(io_failed("clearing", self.to))?;
        let mut files = Vec::new();
        if generation.number > 0 {
            self.tree(&Generation::dir_name(generation.number), &mut files, told)?;
        }
        let found = self.journal(generation, told)?;
        let contents = Contents::read(&self.options, self.to, generation, &found)
            .map_err(|error| Failure::Unusable(error.about(self.to, self.data)))?;
        let through = manifest.generations.iter().map(|one| one.through).max().unwrap_or(0);
        if contents.round < through {
            return Err(Failure::Store(StoreError::JournalShort {
                place: self.data.display().to_string(),
                found: contents.round,
                expected: through,
            }));
        }
        files.extend(found.numbers().iter().map(|&number| segment_file(number)));
        let kept = Manifest {
            number: manifest.number,
            generations: vec![*generation],
        };
        kept.store(disk, self.to)?;
        format::write(&**disk, self.to)?;
        files.extend([kept.name(), format::FORMAT_NAME.to_owned()]);
        files.sort();
        Ok(Copied {
            contents,
            files,
            history: self.history(&found)?,
            unusable: Vec::new(),
        })
    }

    /// Copies the journal until its end is one that a start takes.
    fn journal(&self, generation: &Generation, told: Told<'_>) -> Result<Found, Failure> {
        let disk = || Arc::clone(&self.options.disk);
        let dir = self.to.join(DIR);
        let made = self.options.disk.make_dir(&dir);
        made.map_err(io_failed("creating the directory", &dir))?;
        let mut from = 0;
        let mut before: Option<u64> = None;
        let mut reads = 1;
        loop {
            self.segments(generation, from, told)?;
            let found = Found::look(disk(), self.to)?;
            let (end, damage) = found.read_to_damage(generation.at, generation.after, &mut |_, _| Ok(()));
            match damage {
                None => {
                    found.remove_behind(&end)?;
                    break;
                }
                // It was being written, and is whole by now: whatever stands behind was not durable when this began.
                Some(_) if before.is_some_and(|before| before < end.link.round) => {
                    found.cut(&end, self.options.shape())?;
                    break;
                }
                Some(error) if reads >= READS => return Err(error.about(self.to, self.data).into()),
                Some(_) => {
                    before = Some(end.link.round);
                    from = end.segment();
                    reads += 1;
                    thread::sleep(PAUSE);
                }
            }
        }
        Ok(Found::look(disk(), self.to)?)
    }

    /// Copies the segments from number `from` on that are there, the last first.
    fn segments(&self, generation: &Generation, from: u64, told: Told<'_>) -> Result<(), Failure> {
        let dir = self.data.join(DIR);
        let names = self.options.disk.names(&dir);
        let names = names.map_err(io_failed("reading the directory", &dir))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
        numbers.retain(|&number| number >= from);
        numbers.sort_unstable();
        for number in numbers.into_iter().rev() {
            match self.file(&segment_file(number), told) {
                // It moves into the history, or was made ahead and not needed.
                Err(Failure::Moved(_)) if number < generation.at.segment => {}
                Err(Failure::Moved(error)) if number == generation.at.segment => return Err(Failure::Moved(error)),
                // Where the journal needs it, reading tells.
                Err(Failure::Moved(_)) | Ok(()) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// The files of the history whose segments are not in the copy.
    fn history(&self, found: &Found) -> Result<Vec<String>, Failure> {
        let numbers = history::numbers(&*self.options.disk, self.data);
        let dir = self.data.join(history::HISTORY);
        let mut numbers = numbers.map_err(io_failed("reading the directory", &dir))?;
        numbers.retain(|number| found.numbers().binary_search(number).is_err());
        numbers.sort_unstable();
        Ok(numbers.into_iter().rev().map(history::file).collect())
    }

    /// Copies a directory and what is in it.
    fn tree(&self, name: &str, files: &mut Vec<String>, told: Told<'_>) -> Result<(), Failure> {
        let (dir, copy) = (self.data.join(name), self.to.join(name));
        let made = self.options.disk.make_dir(&copy);
        made.map_err(io_failed("creating the directory", &copy))?;
        let entries = fs::read_dir(&dir).map_err(|error| failed(&dir, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| failed(&dir, error))?;
            let Ok(part) = entry.file_name().into_string() else {
                continue;
            };
            let inner = format!("{name}/{part}");
            let kind = entry.file_type().map_err(|error| failed(&entry.path(), error))?;
            if kind.is_dir() {
                self.tree(&inner, files, told)?;
            } else if super::is_part(&inner) && !part.ends_with(".generating") {
                self.file(&inner, told)?;
                files.push(inner);
            }
        }
        Ok(())
    }

    fn file(&self, name: &str, told: Told<'_>) -> Result<(), Failure> {
        let (path, copy) = (self.data.join(name), self.to.join(name));
        let mut from = File::open(&path).map_err(|error| failed(&path, error))?;
        let mut options = owner_only();
        let made = options.create(true).truncate(true).open(&copy);
        let mut to = made.map_err(io_failed("creating", &copy))?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let len = from.read(&mut chunk).map_err(io_failed("reading", &path))?;
            let Some(read) = chunk.get(..len).filter(|read| !read.is_empty()) else {
                return Ok(());
            };
            to.write_all(read).map_err(io_failed("writing", &copy))?;
            told(len as u64);
        }
    }
}

fn segment_file(number: u64) -> String {
    format!("{DIR}/{}", segment_name(number))
}

/// What is not there any more was thrown away.
fn failed(path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::Moved(StoreError::Missing { path: path.to_owned() }),
        _ => Failure::Store(io_failed("reading", path)(error)),
    }
}
