//! The manifest: which generations there are and where the journal goes on from each.
//!
//! A text, so that somebody at three in the morning can read it. Each one is a file of its own under its number, written
//! and synced before it gets its name; the one before stays, so that a damaged newest one is told and done without.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::journal::{Link, Position};
use super::{StoreError, io_failed};

/// What stands before the number in the name.
const PREFIX: &str = "manifest.";

/// The first line; the number is the version of the form.
const TITLE: &str = "seatkeeper manifest 1\n";

/// Generations that are kept, and manifests.
pub(super) const KEPT: usize = 2;

/// The longest manifest, in bytes: a few short lines.
const LEN_MAX: usize = 4096;

/// The greatest number of anything that a manifest may tell: whatever counts on from it stays a number.
const NUMBER_MAX: u64 = u64::MAX / 2;

/// The greatest sector that a manifest may tell: the bytes of a segment are counted in 32 bits.
const SECTOR_MAX: u32 = 1 << 23;

/// A generation of the ledger on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Generation {
    /// Its number; 0 for the empty ledger, which has no directory.
    pub(super) number: u64,
    /// How many rows it has, without the one about itself.
    pub(super) records: u64,
    /// The sum of their hashes.
    pub(super) digest: u128,
    /// The last round that is wholly in it.
    pub(super) after: Link,
    /// Where the journal goes on from there.
    pub(super) at: Position,
    /// The last round that may be in it in part: the journal must reach it.
    pub(super) through: u64,
}

impl Generation {
    /// The ledger before the first round.
    pub(super) const EMPTY: Self = Self {
        number: 0,
        records: 0,
        digest: 0,
        after: Link {
            round: 0,
            hash: [0; 32],
        },
        at: Position::FIRST,
        through: 0,
    };

    /// The name of its directory.
    pub(super) fn dir_name(number: u64) -> String {
        format!("state.{number}")
    }

    /// Whether `name` is that of a generation's directory.
    pub(super) fn is_dir_name(name: &str) -> bool {
        let number = name.strip_prefix("state.").and_then(|number| number.parse().ok());
        number.is_some_and(|number| number > 0 && Self::dir_name(number) == name)
    }
}

/// The manifest of a data directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Manifest {
    /// Its number; each has a greater one than the one before.
    pub(super) number: u64,
    /// The newest first.
    pub(super) generations: Vec<Generation>,
}

/// The newest manifest that can be used.
#[derive(Debug)]
pub(super) struct Newest {
    pub(super) manifest: Manifest,
    /// The newer ones that cannot, with why not where the disk said it.
    pub(super) unusable: Vec<(PathBuf, Option<StoreError>)>,
}

impl Newest {
    pub(super) const fn sound(manifest: Manifest) -> Self {
        Self {
            manifest,
            unusable: Vec::new(),
        }
    }

    /// The newest generation that there may be: each manifest names one more than the one before.
    pub(super) fn newest_generation(&self) -> u64 {
        let known = self.manifest.generations.iter().map(|one| one.number).max();
        known.unwrap_or_default() + self.unusable.len() as u64
    }
}

impl Manifest {
    /// The manifest of a new data directory that starts with `generation`.
    pub(super) fn first(generation: Generation) -> Self {
        Self {
            number: 1,
            generations: vec![generation],
        }
    }

    /// The name of its file.
    pub(super) fn name(&self) -> String {
        name(self.number)
    }

    /// Whether `text` is the name of a manifest's file.
    pub(super) fn is_name(text: &str) -> bool {
        number_in(text).is_some()
    }

    /// The one that follows when `generation` was made.
    pub(super) fn next(&self, generation: Generation) -> Self {
        Self {
            number: self.number + 1,
            generations: [generation]
                .into_iter()
                .chain(self.generations.iter().copied())
                .take(KEPT)
                .collect(),
        }
    }

    /// The newest manifest in `data` that can be read and holds.
    ///
    /// # Errors
    /// None does; all that are there are named.
    pub(super) fn load(disk: &Arc<dyn Disk>, data: &Path) -> Result<Newest, StoreError> {
        let mut unusable = Vec::new();
        for number in numbers(disk, data)?.into_iter().rev() {
            let path = data.join(name(number));
            match disk.read(&path) {
                Ok(bytes) => match Self::read(number, &bytes) {
                    Some(manifest) => return Ok(Newest { manifest, unusable }),
                    None => unusable.push((path, None)),
                },
                Err(error) => {
                    let error = io_failed("reading", &path)(error);
                    unusable.push((path, Some(error)));
                }
            }
        }
        Err(none_of(data, unusable))
    }

    /// Whether there is one that tells of more than the beginning.
    pub(super) fn is_past_first(disk: &Arc<dyn Disk>, data: &Path) -> Result<bool, StoreError> {
        Ok(numbers(disk, data)?.last().is_some_and(|&newest| newest > 1))
    }

    /// Writes it, and returns when it is on stable storage with its name.
    pub(super) fn store(&self, disk: &Arc<dyn Disk>, data: &Path) -> Result<(), StoreError> {
        let path = data.join(name(self.number));
        let draft = data.join("manifest.new");
        let write = || {
            let mut file = disk.create(&draft)?;
            file.write_at(0, self.text().as_bytes())?;
            file.sync()?;
            disk.rename(&draft, &path)?;
            disk.sync_dir(data)
        };
        write().map_err(io_failed("writing", &path))
    }

    /// Removes the manifests that are older than the one before this.
    pub(super) fn remove_older(&self, disk: &Arc<dyn Disk>, data: &Path) -> Result<(), StoreError> {
        let mut older = numbers(disk, data)?;
        older.retain(|&number| number < self.number);
        older.truncate(older.len().saturating_sub(KEPT - 1));
        for number in older {
            let path = data.join(name(number));
            disk.remove(&path).map_err(io_failed("removing", &path))?;
        }
        Ok(())
    }

    pub(super) fn text(&self) -> String {
        let mut text = TITLE.to_owned();
        for generation in &self.generations {
            let Generation {
                number,
                records,
                digest,
                after,
                at,
                through,
            } = generation;
            let hash = data_encoding::HEXLOWER.encode(&after.hash);
            // Writing to a string cannot fail.
            let _infallible = writeln!(
                text,
                "generation {number} records {records} digest {digest:032x} after {} {hash} at {}:{} through {through}",
                after.round, at.segment, at.sector
            );
        }
        let sum = crc32c::crc32c(text.as_bytes());
        let _infallible = writeln!(text, "crc32c {sum:08x}");
        text
    }

    /// Whether another one can follow it, and rounds follow those that it names.
    fn can_go_on(&self) -> bool {
        let fits = |generation: &Generation| {
            let numbers = [
                generation.number,
                generation.after.round,
                generation.at.segment,
                generation.through,
            ];
            numbers.iter().all(|number| *number <= NUMBER_MAX) && generation.at.sector <= SECTOR_MAX
        };
        self.number <= NUMBER_MAX && self.generations.iter().all(fits)
    }

    pub(super) fn read(number: u64, bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LEN_MAX)?;
        let generations = text
            .strip_prefix(TITLE)?
            .lines()
            .map_while(|line| line.strip_prefix("generation "))
            .map(generation)
            .collect::<Option<Vec<_>>>()?;
        let manifest = Self { number, generations };
        // The checksum, and that nothing else stands in it, by writing it anew.
        let is_whole = manifest.text() == text && !manifest.generations.is_empty();
        (is_whole && manifest.can_go_on()).then_some(manifest)
    }
}

/// That there is no manifest to go on from. A disk that does not give one may do so later.
fn none_of(data: &Path, unusable: Vec<(PathBuf, Option<StoreError>)>) -> StoreError {
    let mut damaged = Vec::new();
    for (path, error) in unusable {
        match error {
            Some(error) => return error,
            None => damaged.extend(path.file_name().map(|name| name.to_string_lossy().into_owned())),
        }
    }
    let found = match damaged.as_slice() {
        [] => format!("neither {} nor a later one is there", name(1)),
        [only] => format!("{only} is damaged, and no other is there"),
        all => format!("{} are damaged", all.join(" and ")),
    };
    StoreError::NoManifest {
        place: data.display().to_string(),
        found,
    }
}

fn generation(line: &str) -> Option<Generation> {
    let mut words = line.split(' ');
    let mut word = |name: &str| -> Option<&str> {
        if !name.is_empty() && words.next()? != name {
            return None;
        }
        words.next()
    };
    let number = word("")?.parse().ok()?;
    let records = word("records")?.parse().ok()?;
    let digest = u128::from_str_radix(word("digest")?, 16).ok()?;
    let round = word("after")?.parse().ok()?;
    let hash = data_encoding::HEXLOWER.decode(word("")?.as_bytes()).ok()?;
    let (segment, sector) = word("at")?.split_once(':')?;
    Some(Generation {
        number,
        records,
        digest,
        after: Link {
            round,
            hash: hash.try_into().ok()?,
        },
        at: Position {
            segment: segment.parse().ok()?,
            sector: sector.parse().ok()?,
        },
        through: word("through")?.parse().ok()?,
    })
}

fn name(number: u64) -> String {
    format!("{PREFIX}{number}")
}

/// The number in the name of a manifest's file.
fn number_in(text: &str) -> Option<u64> {
    let number = text.strip_prefix(PREFIX)?.parse().ok()?;
    (name(number) == text).then_some(number)
}

/// The numbers of the manifests that are there, ascending.
fn numbers(disk: &Arc<dyn Disk>, data: &Path) -> Result<Vec<u64>, StoreError> {
    let names = disk.names(data).map_err(io_failed("reading the directory", data))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|text| number_in(text)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::os_disk::OsDisk;

    fn generation(number: u64) -> Generation {
        Generation {
            number,
            records: number * 7,
            digest: u128::from(number) << 100,
            after: Link {
                round: number * 10,
                hash: [number.to_le_bytes()[0]; 32],
            },
            at: Position {
                segment: number,
                sector: 5,
            },
            through: number * 10 + 3,
        }
    }

    fn disk() -> Arc<dyn Disk> {
        Arc::new(OsDisk)
    }

    #[test]
    fn the_newest_manifest_is_read_back_with_the_two_newest_generations() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::first(Generation::EMPTY);
        manifest.store(&disk(), dir.path()).unwrap();
        for number in 1..12 {
            manifest = manifest.next(generation(number));
            manifest.store(&disk(), dir.path()).unwrap();
            manifest.remove_older(&disk(), dir.path()).unwrap();
            let newest = Manifest::load(&disk(), dir.path()).unwrap();
            assert_eq!((&newest.manifest, newest.newest_generation()), (&manifest, number));
            assert!(newest.unusable.is_empty());
        }
        assert_eq!(manifest.generations, [generation(11), generation(10)]);
        assert_eq!(numbers(&disk(), dir.path()).unwrap(), [11, 12]);
    }

    #[test]
    fn the_text_is_what_the_format_says() {
        let text = Manifest::first(generation(2)).text();
        assert_eq!(
            text,
            "seatkeeper manifest 1\n\
             generation 2 records 14 digest 00000020000000000000000000000000 after 20 \
             0202020202020202020202020202020202020202020202020202020202020202 at 2:5 through 23\n\
             crc32c aa25460b\n"
        );
    }

    #[test]
    fn no_flipped_bit_and_no_truncation_is_a_manifest() {
        let manifest = Manifest::first(Generation::EMPTY).next(generation(3));
        let text = manifest.text().into_bytes();
        assert_eq!(Manifest::read(2, &text), Some(manifest));
        for len in 0..text.len() {
            assert_eq!(Manifest::read(2, &text[..len]), None, "cut at {len}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Manifest::read(2, &flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_manifest_that_nothing_can_follow_is_none() {
        let last = Generation {
            number: NUMBER_MAX,
            after: Link {
                round: NUMBER_MAX,
                hash: [1; 32],
            },
            at: Position {
                segment: NUMBER_MAX,
                sector: SECTOR_MAX,
            },
            through: NUMBER_MAX,
            ..generation(3)
        };
        let reads = |number: u64, generation: Generation| {
            let generations = vec![generation];
            let manifest = Manifest { number, generations };
            Manifest::read(number, manifest.text().as_bytes()) == Some(manifest)
        };
        assert!(reads(NUMBER_MAX, last));
        for beyond in [NUMBER_MAX + 1, u64::MAX] {
            assert!(!reads(beyond, last), "{beyond}");
            for place in 0..4 {
                let mut generation = last;
                *[
                    &mut generation.number,
                    &mut generation.after.round,
                    &mut generation.at.segment,
                    &mut generation.through,
                ][place] = beyond;
                assert!(!reads(1, generation), "{place}: {beyond}");
            }
        }
        for sector in [SECTOR_MAX + 1, u32::MAX] {
            let at = Position { segment: 1, sector };
            assert!(!reads(1, Generation { at, ..last }), "{sector}");
        }
    }

    #[test]
    fn a_newest_manifest_that_is_damaged_or_cannot_be_read_is_told_and_the_one_before_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.2");
        let first = Manifest::first(Generation::EMPTY);
        first.store(&disk(), dir.path()).unwrap();
        first.next(generation(1)).store(&disk(), dir.path()).unwrap();
        std::fs::write(&path, "seatkeeper manifest 1\n").unwrap();
        let newest = Manifest::load(&disk(), dir.path()).unwrap();
        assert_eq!((&newest.manifest, newest.newest_generation()), (&first, 1));
        assert!(matches!(&newest.unusable[..], [(damaged, None)] if *damaged == path));

        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let newest = Manifest::load(&disk(), dir.path()).unwrap();
        assert_eq!((&newest.manifest, newest.newest_generation()), (&first, 1));
        assert!(matches!(&newest.unusable[..], [(unread, Some(StoreError::Io { .. }))] if *unread == path));
        std::fs::remove_file(dir.path().join("manifest.1")).unwrap();
        let error = Manifest::load(&disk(), dir.path()).unwrap_err().to_string();
        assert!(error.contains("manifest.2 failed"), "{error}");
    }
}
