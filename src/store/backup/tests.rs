use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tempfile::TempDir;

use super::*;
use crate::domain::change::{Change, Fact};
use crate::domain::ids::{Mac, VendorId};
use crate::domain::ledger::Ledger;
use crate::domain::seat::{EndCause, FormerSeat, SeatKey};
use crate::domain::time::{Now, Timestamp};
use crate::store::disk_store::Options;
use crate::store::{DiskStore, Loaded, Progress, Round, Store};

fn options(checkpoint_bytes: u64) -> Options {
    Options {
        segment_bytes: 16 * 512,
        checkpoint_bytes,
        threaded: false,
        ..Options::default()
    }
}

/// No checkpoint is due.
const NEVER: u64 = 1 << 40;

/// The fact of round `number`, one of `wide`.
fn former(number: u64, one: u8) -> Fact {
    let key = SeatKey {
        vendor: VendorId([1; 16]),
        product: "BKSRV".parse().unwrap(),
        mac: Mac::new([0, 0x1a, 0, 0, one, number.to_le_bytes()[0]]).unwrap(),
    };
    let former = FormerSeat {
        ended_at: Timestamp(number),
        cause: EndCause::Idle,
    };
    Fact::FormerPut(key, former)
}

/// A store and the ledger that it should hold.
struct Server {
    store: DiskStore,
    ledger: Ledger,
    round: u64,
}

impl Server {
    fn start(data: &Path, checkpoint_bytes: u64) -> Self {
        let mut store = DiskStore::open_with(data, options(checkpoint_bytes)).unwrap();
        store.load(&mut |_| ()).unwrap();
        Self {
            store,
            ledger: Ledger::default(),
            round: 0,
        }
    }

    /// A round of so many facts, and the checkpoint that is due.
    fn round(&mut self, facts: u8) {
        self.round += 1;
        let facts: Vec<_> = (0..facts).map(|one| former(self.round, one)).collect();
        for fact in &facts {
            self.ledger.record(fact);
        }
        let changes: Vec<_> = facts.into_iter().map(Change::from).collect();
        let round = Round {
            number: self.round,
            now: Now::at(self.round),
            changes: &changes,
        };
        self.store.commit(&round).unwrap();
        while self.store.checkpoint(&self.ledger) != Progress::Resting {}
    }
}

/// A data directory after so many rounds of one fact.
fn used(rounds: u64, checkpoint_bytes: u64) -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), checkpoint_bytes);
    (0..rounds).for_each(|_| server.round(1));
    (dir, server.ledger)
}

fn load(data: &Path) -> (Loaded, Ledger) {
    let mut ledger = Ledger::default();
    let mut store = DiskStore::open_with(data, options(NEVER)).unwrap();
    let loaded = store.load(&mut |fact| ledger.record(&fact)).unwrap();
    (loaded, ledger)
}

fn expected(round: u64) -> Ledger {
    let mut ledger = Ledger::default();
    (1..=round).for_each(|number| ledger.record(&former(number, 0)));
    ledger
}

/// Copies, and compares what a start finds in the copy with what the copy says of itself.
fn copied(data: &Path, told: &mut dyn FnMut(u64)) -> Result<Copied, StoreError> {
    let to = tempfile::tempdir().unwrap();
    let stage = to.path().join("stage");
    let copied = copy(data, &stage, told)?;
    for name in &copied.files {
        assert!(is_part(name) && stage.join(name).is_file(), "{name}");
    }
    let (loaded, ledger) = load(&stage);
    assert_eq!(loaded.round, copied.contents.round);
    assert!(ledger == copied.contents.ledger);
    Ok(copied)
}

fn segment(data: &Path, number: u64) -> PathBuf {
    data.join(format!("journal/{number:010}.journal"))
}

#[test]
fn a_copy_that_is_made_while_rounds_and_checkpoints_go_on_holds_all_that_was_durable_when_it_began() {
    let dir = tempfile::tempdir().unwrap();
    let (durable, over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut server = Server::start(dir.path(), 12_000);
            durable.store(1, Ordering::SeqCst);
            while !over.load(Ordering::SeqCst) {
                server.round(1);
                durable.store(server.round, Ordering::SeqCst);
            }
        });
        while durable.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let mut history = 0;
        for _ in 0..12 {
            let before = durable.load(Ordering::SeqCst);
            let copied = copied(dir.path(), &mut |_| ());
            if copied.is_err() {
                over.store(true, Ordering::SeqCst);
            }
            let copied = copied.unwrap();
            let round = copied.contents.round;
            let sound = round >= before && copied.contents.ledger == expected(round) && copied.unusable.is_empty();
            over.fetch_or(!sound, Ordering::SeqCst);
            assert!(
                sound,
                "durable through {before}, copied through {round}, without {:?}",
                copied.unusable
            );
            history = history.max(copied.history.len());
        }
        over.store(true, Ordering::SeqCst);
        assert!(history > 0, "no checkpoint moved anything meanwhile");
    });
}

#[test]
fn each_segment_is_in_the_copy_or_in_the_history_that_belongs_to_it() {
    let (dir, ledger) = used(200, 12_000);
    let copied = copied(dir.path(), &mut |_| ()).unwrap();
    assert!(copied.contents.ledger == ledger);
    let numbers = |names: &[String], dir: &str| -> Vec<u64> {
        let number = |name: &String| name.strip_prefix(dir)?.get(..10)?.parse().ok();
        names.iter().filter_map(number).collect()
    };
    let mut all = numbers(&copied.history, "history/");
    assert!(!all.is_empty());
    all.reverse();
    all.extend(numbers(&copied.files, "journal/"));
    let last = all.last().copied().unwrap();
    assert_eq!(
        all,
        (1..=last).collect::<Vec<u64>>(),
        "none twice, none missing, none unused"
    );
}

#[test]
fn damage_to_what_was_answered_makes_no_copy_and_is_named_with_file_and_place() {
    let (dir, _) = used(10, NEVER);
    let path = segment(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[3 * 512 + 40] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = copied(dir.path(), &mut |_| ()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Journal { path: named, byte: 1536, after: 2, .. } if *named == path),
        "{error:?}"
    );
}

#[test]
fn a_segment_that_is_gone_is_missed() {
    let (dir, _) = used(40, NEVER);
    fs::remove_file(segment(dir.path(), 2)).unwrap();
    let error = copied(dir.path(), &mut |_| ()).unwrap_err().to_string();
    assert!(
        error.contains("0000000002.journal") && error.contains("missing"),
        "{error}"
    );
}

#[test]
fn a_record_that_the_power_tore_is_left_out_as_a_start_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), NEVER);
    server.round(1);
    server.round(9);
    drop(server);
    let path = segment(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    bytes[end / 512 * 512..].fill(0);
    fs::write(&path, bytes).unwrap();
    assert_eq!(copied(dir.path(), &mut |_| ()).unwrap().contents.round, 1);
}

/// The bytes of a journal's only used segment after each round.
fn as_it_grows(rounds: u64) -> (TempDir, Vec<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), NEVER);
    let path = segment(dir.path(), 1);
    let mut grown = vec![fs::read(&path).unwrap()];
    for _ in 0..rounds {
        server.round(1);
        grown.push(fs::read(&path).unwrap());
    }
    drop(server);
    (dir, grown)
}

/// The round after `round` half in the file: nothing of it holds.
fn half_written(grown: &[Vec<u8>], round: usize) -> Vec<u8> {
    let (before, after) = (&grown[round], &grown[round + 1]);
    let begin = (0..after.len()).find(|&at| before[at] != after[at]).unwrap();
    let mut half = before.clone();
    half[begin..begin + 60].copy_from_slice(&after[begin..begin + 60]);
    half
}

/// What a copy holds of a directory whose first segment has each of `states` in turn, the next one once it was read.
fn read_in_turn(data: &Path, states: Vec<Vec<u8>>) -> Result<Copied, StoreError> {
    let path = segment(data, 1);
    let mut states = states.into_iter();
    fs::write(&path, states.next().unwrap()).unwrap();
    let segments = fs::read_dir(data.join("journal")).unwrap().count();
    let mut seen = 0;
    copied(data, &mut |_| {
        seen += 1;
        // The first segment comes last.
        if seen >= segments
            && let Some(next) = states.next()
        {
            fs::write(&path, next).unwrap();
        }
    })
}

#[test]
fn what_is_being_written_is_read_again_until_it_is_whole_or_what_stands_before_it_is() {
    let (dir, grown) = as_it_grows(4);
    let [two, three] = [2, 3].map(|round| half_written(&grown, round));
    // It becomes whole.
    let copied = read_in_turn(dir.path(), vec![two.clone(), grown[3].clone()]).unwrap();
    assert_eq!(copied.contents.round, 3);
    // It becomes whole, and the next one is being written: that one was not durable when the copy began.
    let copied = read_in_turn(dir.path(), vec![two.clone(), three]).unwrap();
    assert_eq!(copied.contents.round, 3);
    // It never becomes whole: damage.
    let error = read_in_turn(dir.path(), vec![two]).unwrap_err();
    assert!(matches!(error, StoreError::Journal { after: 2, .. }), "{error:?}");
}

#[test]
fn a_journal_that_goes_on_in_other_segments_meanwhile_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), NEVER);
    server.round(1);
    let segments = fs::read_dir(dir.path().join("journal")).unwrap().count();
    let mut seen = 0;
    let copied = copied(dir.path(), &mut |_| {
        seen += 1;
        if seen == segments - 1 {
            (0..60).for_each(|_| server.round(1));
        }
    })
    .unwrap();
    assert!(
        segment(dir.path(), segments as u64 + 1).exists(),
        "it went beyond all of them"
    );
    assert_eq!(seen, segments, "nothing was to be read again");
    assert!(copied.contents.ledger == expected(copied.contents.round) && copied.contents.round > 1);
}

#[test]
fn a_generation_that_does_not_hold_is_done_without_and_told() {
    let (dir, ledger) = used(70, 12_000);
    let states: Vec<PathBuf> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("state."))
        .collect();
    assert_eq!(states.len(), 2);
    let newest = states.iter().max().unwrap();
    fs::write(newest.join("db"), "").unwrap();
    let copied = copied(dir.path(), &mut |_| ()).unwrap();
    assert_eq!(copied.unusable.len(), 1, "{:?}", copied.unusable);
    assert!(copied.contents.ledger == ledger);
    // Without the other one there is nothing to copy.
    fs::write(states.iter().min().unwrap().join("db"), "").unwrap();
    let error = copy(dir.path(), &tempfile::tempdir().unwrap().path().join("x"), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains(newest.to_str().unwrap()), "{error}");
}

#[test]
fn what_is_no_data_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = copied(dir.path(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, StoreError::NoStore { .. }), "{error:?}");
}

#[test]
fn no_name_of_a_backup_leads_anywhere_else() {
    for good in [
        "FORMAT",
        "manifest.12",
        "state.3/db",
        "state.3/blobs/12345",
        "state.3/snap.00000000000000A1",
        "journal/0000000001.journal",
        "history/0000000001.journal.gz",
    ] {
        assert!(is_part(good), "{good}");
    }
    for bad in [
        "",
        "/FORMAT",
        "FORMAT/",
        "./FORMAT",
        "../FORMAT",
        "LOCK",
        "identity.pem",
        "manifest.01",
        "manifest.new",
        "state.0/db",
        "state.03/db",
        "state.3",
        "state.3/",
        "state.3/../db",
        "state.3/..",
        "state.3/.hidden",
        "state.3//db",
        "state.3/a/b/c/d",
        "state.3/a\0b",
        "state.3/a\\b",
        "journal/1.journal",
        "journal/../FORMAT",
        "journal/0000000001.journal.gz",
        "history/0000000001.journal",
        "history/x.gz",
        "scratch/db",
        "cut.1/0000000001.journal",
    ] {
        assert!(!is_part(bad), "{bad}");
    }
}
