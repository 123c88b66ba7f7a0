//! The store on a real disk: what an older release left, checkpoints beside the rounds, damage that is named.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use data_encoding::HEXLOWER;
use seatkeeper::domain::change::{Change, Fact, FactKey};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::Now;
use seatkeeper::store::{DiskStore, Loaded, Options, Progress, Round, Store, StoreError};
use seatkeeper_harm::{copy_dir, names_below};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{changes, record, seat_key, seat_put};

/// The records that are kept of older formats are made up: no ledger holds them together.
fn made_up() -> Options {
    Options {
        audits_upgrades: false,
        ..Options::default()
    }
}

fn load(data: &Path) -> Result<(Loaded, BTreeMap<FactKey, Fact>), StoreError> {
    let mut facts = BTreeMap::new();
    let loaded = DiskStore::open_with(data, made_up())?.load(&mut |fact| record(&mut facts, fact))?;
    Ok((loaded, facts))
}

/// A data directory as a release of that format left it when it was killed, after three rounds with every kind of record.
fn kept(version: u32) -> TempDir {
    kept_as(&format!("format-{version}"))
}

fn kept_as(name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    copy_dir(&kept, dir.path());
    dir
}

/// What every kept directory holds, frozen beside them: a fact a line, as `Debug` tells it. Neither a release that reads
/// something else in the directory nor a change of what tests make facts of passes for it. Where `Debug` alone has
/// changed, the file may follow, by that form and nothing else.
const KEPT: &str = include_str!("../data/kept-facts.txt");

/// A fact in a line; of a long one, a whole catalogue, the beginning and the hash of all.
fn line(fact: &Fact) -> String {
    let text = format!("{fact:?}");
    if text.len() < 8_000 {
        return text;
    }
    let hash = HEXLOWER.encode(&Sha256::digest(&text));
    format!("{}... SHA-256 {hash}", &text[..1_000])
}

/// The same of the directory with what came to format 2 since: tokens, and whom they enrolled.
const KEPT_ENROLMENT: &str = include_str!("../data/kept-enrolment.txt");

/// Panics unless these are the facts of every kept directory.
fn assert_kept(facts: &BTreeMap<FactKey, Fact>, what: impl Display) {
    assert_facts(facts, KEPT, what);
}

fn assert_facts(facts: &BTreeMap<FactKey, Fact>, kept: &str, what: impl Display) {
    let told: Vec<_> = facts.values().map(line).collect();
    let kept: Vec<_> = kept.lines().collect();
    let differs = kept.iter().zip(&told).find(|(kept, told)| kept != told);
    assert_eq!(differs, None, "{what}");
    assert_eq!(told.len(), kept.len(), "{what}");
}

#[test]
fn a_directory_of_format_1_is_upgraded_and_nothing_is_lost() {
    let dir = kept(1);
    for start in ["the upgrade", "the start after it"] {
        let (loaded, facts) = load(dir.path()).unwrap();
        assert_eq!((loaded.round, loaded.now), (3, Some(Now::at(1_003))), "{start}");
        assert_kept(&facts, start);
    }
    assert_eq!(
        fs::read_to_string(dir.path().join("FORMAT")).unwrap(),
        "seatkeeper data format 2\n"
    );
    assert!(!dir.path().join("ledger").exists() && !dir.path().join("ledger.round").exists());
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    let round = Round {
        number: 4,
        now: Now::at(2_000),
        changes: &changes([seat_put(9_000, 1_500)]),
    };
    store.commit(&round).unwrap();
    drop(store);
    let (loaded, facts) = load(dir.path()).unwrap();
    assert_eq!((loaded.round, facts.len()), (4, KEPT.lines().count() + 1));
}

/// Everything below a directory; of files what they hold, but for the lock, which says who had it last.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let holds = if path.is_dir() || path.ends_with("LOCK") {
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        (path, holds)
    };
    names_below(dir).into_iter().map(read).collect()
}

#[test]
fn a_directory_of_format_1_that_no_server_starts_with_is_not_upgraded() {
    let dir = kept(1);
    fs::write(dir.path().join("LOCK"), "").unwrap();
    let before = contents(dir.path());
    assert!(before.len() > 4, "{:?}", before.keys());
    for start in 1..=2 {
        let error = DiskStore::open(dir.path()).map(drop).unwrap_err();
        assert!(
            matches!(&error, StoreError::UnsoundOlder { source, .. } if source.to_string().contains("seats in use")),
            "{error:?}"
        );
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert!(contents(dir.path()) == before, "start {start} has changed something");
    }
}

#[test]
fn a_directory_of_format_2_opens_and_nothing_is_lost() {
    let dir = kept(2);
    assert!(
        dir.path().join("state.1").is_dir(),
        "with a generation, and a round after it in the journal"
    );
    for start in ["the first start", "the next one"] {
        let (loaded, facts) = load(dir.path()).unwrap();
        assert_eq!((loaded.round, loaded.now), (3, Some(Now::at(1_003))), "{start}");
        assert_kept(&facts, start);
    }
}

#[test]
fn a_directory_of_format_2_with_tokens_opens_and_nothing_is_lost() {
    let dir = kept_as("format-2-enrolment");
    assert!(
        dir.path().join("state.1").is_dir(),
        "with a generation, and a round after it in the journal"
    );
    for start in ["the first start", "the next one"] {
        let (loaded, facts) = load(dir.path()).unwrap();
        assert_eq!((loaded.round, loaded.now), (2, Some(Now::at(2))), "{start}");
        assert_facts(&facts, KEPT_ENROLMENT, start);
    }
}

#[test]
fn an_upgrade_that_was_interrupted_is_done_again() {
    let sound = kept(1);
    let dir = kept(1);
    load(dir.path()).unwrap();
    // The new format is there, but not yet said to be.
    for name in ["FORMAT", "ledger.round"] {
        fs::copy(sound.path().join(name), dir.path().join(name)).unwrap();
    }
    copy_dir(&sound.path().join("ledger"), &dir.path().join("ledger"));
    fs::remove_dir_all(dir.path().join("state.1")).unwrap();
    fs::create_dir(dir.path().join("state.1")).unwrap();
    assert_kept(&load(dir.path()).unwrap().1, "the upgrade again");
}

#[test]
fn damage_to_format_1_is_found_and_nothing_is_changed() {
    let mut refused = 0;
    for at in (0..150_000).step_by(9_001) {
        let dir = kept(1);
        let db = dir.path().join("ledger/db");
        let mut bytes = fs::read(&db).unwrap();
        let Some(byte) = bytes.get_mut(at) else { break };
        *byte ^= 0x40;
        fs::write(&db, bytes).unwrap();
        if let Ok((loaded, facts)) = load(dir.path()) {
            assert_eq!(loaded.round, 3, "byte {at}");
            assert_kept(&facts, format_args!("byte {at}"));
        } else {
            refused += 1;
            assert!(dir.path().join("ledger/db").exists(), "byte {at}");
        }
    }
    assert!(refused > 0);
}

/// A store that makes a checkpoint every few rounds, on threads as a server's does.
fn options() -> Options {
    Options {
        segment_bytes: 64 << 10,
        checkpoint_bytes: 100 << 10,
        ..Options::default()
    }
}

struct Served {
    store: DiskStore,
    ledger: Ledger,
    round: u64,
    progress: mpsc::Receiver<()>,
    checkpoints: u64,
}

impl Served {
    fn start(data: &Path) -> Self {
        let mut store = DiskStore::open_with(data, options()).unwrap();
        let mut ledger = Ledger::default();
        let round = store.load(&mut |fact| ledger.record(&fact)).unwrap().round;
        let (tell, progress) = mpsc::channel();
        store.on_progress(Box::new(move || tell.send(()).unwrap_or_default()));
        Self {
            store,
            ledger,
            round,
            progress,
            checkpoints: 0,
        }
    }

    fn commit(&mut self, facts: impl IntoIterator<Item = Fact>) {
        let changes: Vec<Change> = changes(facts);
        for change in &changes {
            self.ledger.evolve(change);
        }
        self.round += 1;
        let round = Round {
            number: self.round,
            now: Now::at(self.round),
            changes: &changes,
        };
        self.store.commit(&round).unwrap();
    }

    /// Goes on with a checkpoint as far as it can now.
    fn go_on(&mut self) {
        let mut progress = self.store.checkpoint(&self.ledger);
        while progress == Progress::Going {
            progress = self.store.checkpoint(&self.ledger);
        }
        self.checkpoints += u64::from(progress == Progress::Resting);
    }

    /// Waits until no checkpoint is being made.
    fn rest(&mut self) {
        while self.store.checkpoint(&self.ledger) != Progress::Resting {
            let _woken = self.progress.recv_timeout(std::time::Duration::from_millis(50));
        }
    }
}

fn generations(data: &Path) -> Vec<String> {
    let names = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("state.")).collect();
    names.sort_by_key(|name| name["state.".len()..].parse::<u64>().unwrap());
    names
}

#[test]
fn checkpoints_beside_the_rounds_keep_the_journal_short_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
    for n in 0..1_500 {
        served.commit([
            seat_put(n, 1_000 + u64::from(n)),
            seat_put(n / 3, 2_000),
            Fact::SeatEnded(seat_key(n / 2)),
        ]);
        served.go_on();
    }
    served.rest();
    assert_eq!(generations(dir.path()).len(), 2, "two are kept");
    let segments = fs::read_dir(dir.path().join("journal")).unwrap().count();
    assert!(segments < 20, "{segments} segments are left");
    assert!(!dir.path().join("journal/0000000001.journal").exists());
    let kept = fs::read(dir.path().join("history/0000000001.journal.gz")).unwrap();
    assert!(kept.len() < 64 << 10, "kept, and compressed");
    let (ledger, round) = (served.ledger.clone(), served.round);
    drop(served);
    let again = Served::start(dir.path());
    assert!(again.round == round && again.ledger == ledger);
}

/// A directory with two generations and a journal behind them; its ledger and its last round.
fn stopped() -> (TempDir, Ledger, u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
    for n in 0..1_500 {
        served.commit([seat_put(n, 1_000)]);
        served.go_on();
    }
    served.rest();
    let (ledger, round) = (served.ledger.clone(), served.round);
    drop(served);
    (dir, ledger, round)
}

#[test]
fn a_damaged_generation_is_done_without_and_replaced_at_once() {
    let (dir, ledger, round) = stopped();
    let damaged = generations(dir.path()).pop().unwrap();
    let db = dir.path().join(&damaged).join("db");
    let bytes = fs::read(&db).unwrap();
    fs::write(&db, &bytes[..bytes.len() / 2]).unwrap();
    let mut again = Served::start(dir.path());
    assert!(again.round == round && again.ledger == ledger);
    let before = generations(dir.path());
    assert_eq!(before.last(), Some(&damaged), "it stays until another makes up for it");
    // Not only when the journal has grown again: until then the older one is the last.
    again.rest();
    let after = generations(dir.path());
    assert_eq!(after.len(), 2);
    assert!(after[0] == before[0] && after[1] > damaged, "{before:?} {after:?}");
    again.commit([seat_put(7, 3_000)]);
    let (ledger, round) = (again.ledger.clone(), again.round);
    drop(again);
    let last = Served::start(dir.path());
    assert!(last.round == round && last.ledger == ledger);
}

/// The generation that a start did without.
fn lost(served: &Served) -> Option<u64> {
    served.store.checkpointed().unwrap().lost
}

#[test]
fn a_generation_that_is_gone_is_told_of_and_replaced_at_once() {
    let (dir, ledger, round) = stopped();
    for place in [0, 1] {
        let before = generations(dir.path());
        fs::remove_dir_all(dir.path().join(&before[place])).unwrap();
        let mut again = Served::start(dir.path());
        assert!(again.round == round && again.ledger == ledger);
        assert_eq!(
            lost(&again).map(|number| format!("state.{number}")).as_ref(),
            Some(&before[place])
        );
        again.rest();
        assert_eq!(generations(dir.path()).len(), 2, "without {}", before[place]);
        assert!(lost(&again).is_some(), "told until the next start");
        drop(again);
        assert_eq!(lost(&Served::start(dir.path())), None);
    }
}

#[test]
fn without_any_generation_or_manifest_the_error_names_what_is_gone_and_the_way_back() {
    let (dir, ..) = stopped();
    let manifests = || {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = names
            .filter(|path| path.to_str().unwrap().contains("manifest."))
            .collect();
        paths.sort();
        paths
    };
    let refused = |told: &[&str]| {
        let error = load(dir.path()).unwrap_err().to_string();
        for text in told.iter().chain(&["seatkeeper restore"]) {
            assert!(error.contains(text), "{text}: {error}");
        }
    };
    let both = generations(dir.path());
    let aside = tempfile::tempdir().unwrap();
    for name in &both {
        fs::rename(dir.path().join(name), aside.path().join(name)).unwrap();
    }
    refused(&[&both[0], &both[1], "are gone", "put them back"]);
    for name in &both {
        fs::rename(aside.path().join(name), dir.path().join(name)).unwrap();
    }
    load(dir.path()).unwrap();
    let names: Vec<_> = manifests()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    for path in manifests() {
        fs::write(path, "seatkeeper manifest 1\n").unwrap();
    }
    refused(&[&names[0], &names[1], "are damaged"]);
    for path in manifests() {
        fs::remove_file(path).unwrap();
    }
    refused(&["neither manifest.1 nor a later one is there"]);
}

#[test]
fn behind_a_manifest_that_cannot_be_used_nothing_is_removed_before_a_checkpoint_makes_up_for_it() {
    let (dir, ledger, round) = stopped();
    let before = generations(dir.path());
    let newest = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let newest = newest
        .filter(|path| path.to_str().unwrap().contains("manifest."))
        .max_by_key(|path| {
            let number = path.extension().unwrap().to_str().unwrap();
            number.parse::<u64>().unwrap()
        });
    fs::write(newest.unwrap(), "seatkeeper manifest 1\n").unwrap();
    // Everything in the order of the calls: what a start clears away is gone when it has loaded.
    let options = Options {
        threaded: false,
        ..options()
    };
    let mut store = DiskStore::open_with(dir.path(), options).unwrap();
    let mut found = Ledger::default();
    let loaded = store.load(&mut |fact| found.record(&fact)).unwrap();
    assert!(loaded.round == round && found == ledger);
    assert_eq!(generations(dir.path()), before, "the newest is not named, and stays");
    while store.checkpoint(&found) != Progress::Resting {}
    let after = generations(dir.path());
    assert!(after.len() == 2 && after[1] > before[1], "{before:?} {after:?}");
}

#[test]
fn damage_is_named_with_its_file_and_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
    for n in 0..40 {
        served.commit([seat_put(n, 1_000)]);
    }
    drop(served);
    let journal = dir.path().join("journal/0000000001.journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[700] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("0000000001.journal is damaged at byte 512, behind round 0"),
        "{error}"
    );
}
