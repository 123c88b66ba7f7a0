//! Damage to the files of a data directory: changed, cut, deleted, exchanged.

use std::fmt;
use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use seatkeeper::domain::ledger::Ledger;
use seatkeeper::store::{DiskStore, Options, Progress, Store, StoreError};
use seatkeeper_model::Random;

use crate::decided::Decided;
use crate::files::{copy_dir, in_memory};
use crate::sums::assert_sums;

/// What a campaign of damage went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Damaged {
    /// Harms that were done.
    pub harms: u64,
    /// Those after which all was there all the same.
    pub healed: u64,
    /// Those that the store refused to start with.
    pub refused: u64,
}

impl AddAssign for Damaged {
    fn add_assign(&mut self, other: Self) {
        self.harms += other.harms;
        self.healed += other.healed;
        self.refused += other.refused;
    }
}

/// Small, so that there are several segments and two generations, and at once, so that they are always the same.
fn options() -> Options {
    Options {
        segment_bytes: 16 * 512,
        checkpoint_bytes: 20_000,
        threaded: false,
        ..Options::default()
    }
}

/// Does harm to each file of a data directory `times` times in each way, and to the end of what was written to each of the
/// journal. Checks that it is found and named, or makes no difference, now and after more rounds and another start.
///
/// # Panics
/// A store started with other facts than those that were answered, or refused and named neither the file nor the generation
/// that was harmed.
#[must_use]
pub fn damage(seed: u64, times: u64) -> Damaged {
    // The harm is in what the files hold: none of it needs a disk beneath them, and each copy would wait for one.
    let place = in_memory();
    let sound = place.path().join("sound");
    let (round, ledger) = fill(&sound, seed);
    let mut dice = Random::new(seed);
    let mut told = Damaged::default();
    let mut told_of = 0;
    let files = files_in(&sound);
    assert!(files.len() > 12, "{files:?}");
    for (at, path) in files.iter().enumerate() {
        let whole = fs::read(sound.join(path)).expect("readable");
        let others: Vec<_> = files
            .iter()
            .skip(at + 1)
            .filter(|other| is_alike(path, other))
            .collect();
        for harm in harms(&whole, path, &others, times, &mut dice) {
            let what = format!("{} {harm}, seed {seed}", path.display());
            let harmed = place.path().join("harmed");
            copy_dir(&sound, &harmed);
            harm.to(&harmed, path);
            told.harms += 1;
            match open(&harmed) {
                Ok((store, found, found_ledger)) => {
                    assert!(
                        found == round && found_ledger == ledger,
                        "{what}: started with round {found} of {round}"
                    );
                    // Whatever was lost and done without, somebody is told.
                    if let Some(lost) = harm.loses(path) {
                        let told = store.checkpointed().and_then(|checkpoint| checkpoint.lost);
                        assert_eq!(told, Some(lost), "{what}: the generation that nobody is told of");
                        told_of += 1;
                    }
                    // One in four, since it takes as long as all the rest.
                    if told.healed.is_multiple_of(4) {
                        goes_on(store, &harmed, (round, ledger.clone()), seed, &what);
                    }
                    told.healed += 1;
                }
                Err(error) => {
                    assert!(harm.is_named(path, &error), "{what}: {}", told_by(&error));
                    told.refused += 1;
                }
            }
            fs::remove_dir_all(&harmed).expect("removed");
        }
    }
    assert!(
        told_of >= 4,
        "two generations, each without its database and without its directory"
    );
    told
}

/// The file of a generation without which nothing of it is there.
const DATABASE: &str = "db";

/// What is done to a file.
fn harms(whole: &[u8], path: &Path, others: &[&PathBuf], times: u64, dice: &mut Random) -> Vec<Harm> {
    let len = whole.len() as u64;
    let mut harms = vec![Harm::Delete];
    if path.ends_with(DATABASE) {
        harms.push(Harm::DeleteDir);
    }
    for _ in 0..times {
        harms.push(Harm::Flip(dice.below((len * 8).max(1))));
        harms.push(Harm::Cut(dice.below(len + 1)));
    }
    // Where a record that was answered is most easily taken for one that was not.
    if path.starts_with("journal") {
        let end = whole
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last as u64 + 1);
        for _ in 0..times {
            let back = 1 + dice.below(end.clamp(1, LAST_LEN));
            harms.push(Harm::Flip((end.saturating_sub(back)) * 8 + dice.below(8)));
            harms.push(Harm::Lose(end.saturating_sub(back) / SECTOR_LEN));
            let last = end.saturating_sub(1) / SECTOR_LEN;
            if last > 1 {
                let from = last - dice.below(last.min(3));
                let to = (from + 1 + dice.below(3)).min(len / SECTOR_LEN - 1);
                harms.push(Harm::Hole { from, to });
            }
        }
        harms.push(Harm::DeleteFrom(others.iter().copied().cloned().collect()));
    }
    harms.extend(others.iter().copied().cloned().map(Harm::Exchange));
    harms
}

/// The last record with its seal is about so long, in bytes.
const LAST_LEN: u64 = 3 * SECTOR_LEN;

/// What a disk writes or loses as a whole, in bytes.
const SECTOR_LEN: u64 = 512;

/// A store that was healed takes more rounds, and is started again with them: nothing is missing any more.
fn goes_on(mut store: DiskStore, data: &Path, (last, mut ledger): (u64, Ledger), seed: u64, what: &str) {
    let mut rounds = Decided::new(seed ^ 1);
    for number in last + 1..=last + 2 {
        rounds.commit(&mut store, &mut ledger, number).expect("committed");
        // Whatever is to be made up for is.
        while store.checkpoint(&ledger) != Progress::Resting {}
    }
    drop(store);
    match open(data) {
        Ok((store, found, found_ledger)) => {
            assert!(
                found == last + 2 && found_ledger == ledger,
                "{what}: healed, and then started with round {found} of {}",
                last + 2
            );
            let gone = store.checkpointed().and_then(|checkpoint| checkpoint.lost);
            assert_eq!(gone, None, "{what}: healed, and nothing is lost any more");
        }
        Err(error) => panic!("{what}: healed, and then {}", told_by(&error)),
    }
}

/// An error with its causes.
fn told_by(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[derive(Debug)]
enum Harm {
    /// This sector is as if it had never been written.
    Lose(u64),
    Cut(u64),
    Delete,
    /// It goes with the directory that it is in.
    DeleteDir,
    /// It goes, and so do all of its kind that come after it.
    DeleteFrom(Vec<PathBuf>),
    Exchange(PathBuf),
    Flip(u64),
    /// These sectors are as if they had never been written, up to one with a bit changed: what begins as the end of what
    /// was written, and is not.
    Hole {
        from: u64,
        to: u64,
    },
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(len) => write!(f, "cut at {len}"),
            Self::Delete => f.write_str("deleted"),
            Self::DeleteDir => f.write_str("deleted with its directory"),
            Self::DeleteFrom(_) => f.write_str("deleted with all behind it"),
            Self::Exchange(other) => write!(f, "exchanged with {}", other.display()),
            Self::Flip(bit) => write!(f, "bit {bit} changed"),
            Self::Hole { from, to } => write!(f, "without its sectors from {from} on, and with a bit of {to} changed"),
            Self::Lose(sector) => write!(f, "without its sector {sector}"),
        }
    }
}

impl Harm {
    /// Whether an error says which file it is, or of which directory of a generation: what is in that is the engine's.
    fn is_named(&self, path: &Path, error: &StoreError) -> bool {
        let text = told_by(error);
        let names = |path: &Path| {
            let dir = path
                .components()
                .next()
                .map(|first| first.as_os_str().to_string_lossy());
            let generation = dir.filter(|dir| dir.starts_with("state."));
            let file = path.file_name().map(|name| name.to_string_lossy());
            [generation, file]
                .into_iter()
                .flatten()
                .any(|name| text.contains(&*name))
        };
        names(path)
            || match self {
                Self::Exchange(other) => names(other),
                Self::DeleteFrom(others) => others.iter().any(|other| names(other)),
                _ => false,
            }
    }

    /// The generation of which nothing is left.
    fn loses(&self, path: &Path) -> Option<u64> {
        let is_lost = matches!(self, Self::Delete | Self::DeleteDir) && path.ends_with(DATABASE);
        let dir = path.parent().filter(|_| is_lost)?.to_str()?;
        dir.strip_prefix("state.")?.parse().ok()
    }

    fn to(&self, data: &Path, path: &Path) {
        let path = data.join(path);
        let mut bytes = fs::read(&path).expect("readable");
        match self {
            Self::Lose(sector) => lose(&mut bytes, *sector, sector + 1),
            Self::Hole { from, to } => {
                lose(&mut bytes, *from, *to);
                flip(&mut bytes, to * SECTOR_LEN * 8 + 100);
            }
            Self::Cut(len) => bytes.truncate(usize::try_from(*len).expect("a length")),
            Self::Delete => return fs::remove_file(&path).expect("removed"),
            Self::DeleteDir => return fs::remove_dir_all(path.parent().expect("in a directory")).expect("removed"),
            Self::DeleteFrom(others) => {
                for other in others {
                    fs::remove_file(data.join(other)).expect("removed");
                }
                return fs::remove_file(&path).expect("removed");
            }
            Self::Exchange(other) => {
                let other = data.join(other);
                let theirs = fs::read(&other).expect("readable");
                fs::write(&other, &bytes).expect("written");
                bytes = theirs;
            }
            Self::Flip(bit) => flip(&mut bytes, *bit),
        }
        fs::write(&path, bytes).expect("written");
    }
}

/// Changes a bit.
fn flip(bytes: &mut [u8], bit: u64) {
    let at = usize::try_from(bit / 8).expect("a place");
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (bit % 8);
    }
}

/// Has these sectors be as if they had never been written.
fn lose(bytes: &mut [u8], from: u64, to: u64) {
    let [from, len] = [from * SECTOR_LEN, (to - from) * SECTOR_LEN].map(|one| usize::try_from(one).expect("a place"));
    bytes.iter_mut().skip(from).take(len).for_each(|byte| *byte = 0);
}

/// Files that stand for the same kind of thing: of one name but for digits.
fn is_alike(one: &Path, other: &Path) -> bool {
    let kind = |path: &Path| {
        path.to_string_lossy()
            .chars()
            .filter(|c| !c.is_ascii_hexdigit())
            .collect::<String>()
    };
    kind(one) == kind(other)
}

/// Makes a store that was checkpointed twice and stopped in good order; its last round and its ledger.
fn fill(data: &Path, seed: u64) -> (u64, Ledger) {
    let mut store = DiskStore::open_with(data, options()).expect("a new store");
    store.load(&mut |_| ()).expect("loaded");
    let mut rounds = Decided::new(seed);
    let mut ledger = Ledger::default();
    let mut checkpoints = 0;
    let mut number = 0;
    let mut left = 9;
    while left > 0 {
        number += 1;
        rounds.commit(&mut store, &mut ledger, number).expect("committed");
        if store.checkpoint(&ledger) == Progress::Ending {
            checkpoints += 1;
        }
        left -= u64::from(checkpoints > 2);
    }
    store.seal().expect("sealed");
    (number, ledger)
}

fn open(data: &Path) -> Result<(DiskStore, u64, Ledger), StoreError> {
    let mut store = DiskStore::open_with(data, options())?;
    let mut ledger = Ledger::default();
    let loaded = store.load(&mut |fact| ledger.record(&fact))?;
    assert_sums(&ledger);
    Ok((store, loaded.round, ledger))
}

/// The files below a directory, as paths in it.
fn files_in(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(inside).expect("readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name() != Some("LOCK".as_ref()) {
                files.push(path.strip_prefix(dir).expect("inside").to_owned());
            }
        }
    }
    files.sort();
    files
}
