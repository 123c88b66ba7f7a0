//! Damage to the files of a data directory: changed, cut, deleted, exchanged.

use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use seatkeeper::domain::change::Change;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::Now;
use seatkeeper::store::{DiskStore, Options, Progress, Round, Store, StoreError};
use seatkeeper_model::Random;

use crate::files::copy_dir;
use crate::rounds::Rounds;

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

/// Does harm to each file of a data directory `times` times in each way, and checks that it is found or makes no
/// difference.
///
/// # Panics
/// A store started with other facts than those that were answered.
#[must_use]
pub fn damage(seed: u64, times: u64) -> Damaged {
    let place = tempfile::tempdir().expect("a temporary directory");
    let sound = place.path().join("sound");
    let (round, ledger) = fill(&sound, seed);
    let mut dice = Random::new(seed);
    let mut told = Damaged::default();
    let files = files_in(&sound);
    assert!(files.len() > 12, "{files:?}");
    for (at, path) in files.iter().enumerate() {
        let whole = fs::read(sound.join(path)).expect("readable");
        let mut harms: Vec<(String, Harm)> = vec![("deleted".to_owned(), Harm::Delete)];
        for _ in 0..times {
            let bit = dice.below((whole.len() as u64 * 8).max(1));
            harms.push((format!("bit {bit} changed"), Harm::Flip(bit)));
            let len = dice.below(whole.len() as u64 + 1);
            harms.push((format!("cut at {len}"), Harm::Cut(len)));
        }
        for other in files.iter().skip(at + 1).filter(|other| is_alike(path, other)) {
            harms.push((
                format!("exchanged with {}", other.display()),
                Harm::Exchange(other.clone()),
            ));
        }
        for (what, harm) in harms {
            let harmed = place.path().join("harmed");
            copy_dir(&sound, &harmed);
            harm.to(&harmed, path);
            told.harms += 1;
            match open(&harmed) {
                Ok((found, ledger_found)) => {
                    assert!(
                        found == round && ledger_found == ledger,
                        "{} {what}: started with round {found} of {round}, seed {seed}",
                        path.display()
                    );
                    told.healed += 1;
                }
                Err(_) => told.refused += 1,
            }
            fs::remove_dir_all(&harmed).expect("removed");
        }
    }
    told
}

#[derive(Debug)]
enum Harm {
    Cut(u64),
    Delete,
    Exchange(PathBuf),
    Flip(u64),
}

impl Harm {
    fn to(&self, data: &Path, path: &Path) {
        let path = data.join(path);
        let mut bytes = fs::read(&path).expect("readable");
        match self {
            Self::Cut(len) => bytes.truncate(usize::try_from(*len).expect("a length")),
            Self::Delete => return fs::remove_file(&path).expect("removed"),
            Self::Exchange(other) => {
                let other = data.join(other);
                let theirs = fs::read(&other).expect("readable");
                fs::write(&other, &bytes).expect("written");
                bytes = theirs;
            }
            Self::Flip(bit) => {
                let at = usize::try_from(bit / 8).expect("a place");
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
        fs::write(&path, bytes).expect("written");
    }
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
    let mut rounds = Rounds::new(seed);
    let mut ledger = Ledger::default();
    let mut checkpoints = 0;
    let mut number = 0;
    let mut left = 9;
    while left > 0 {
        number += 1;
        let changes: Vec<Change> = rounds.next(number);
        for change in &changes {
            ledger.evolve(change);
        }
        let round = Round {
            number,
            now: Now::at(number),
            changes: &changes,
        };
        store.commit(&round).expect("committed");
        if store.checkpoint(&ledger) == Progress::Ending {
            checkpoints += 1;
        }
        left -= u64::from(checkpoints > 2);
    }
    store.seal().expect("sealed");
    (number, ledger)
}

fn open(data: &Path) -> Result<(u64, Ledger), StoreError> {
    let mut store = DiskStore::open_with(data, options())?;
    let mut ledger = Ledger::default();
    let loaded = store.load(&mut |fact| ledger.record(&fact))?;
    Ok((loaded.round, ledger))
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
