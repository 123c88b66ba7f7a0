use std::sync::{Mutex, mpsc};

use super::*;
use crate::domain::change::Change;
use crate::domain::ids::{Mac, VendorId};
use crate::domain::seat::{EndCause, FormerSeat, SeatKey};
use crate::domain::time::Timestamp;
use crate::store::checkpoint::Start;
use crate::store::envelope::seal;
use crate::store::journal::{Link, Position};
use crate::store::keys::Key;
use crate::store::manifest::Manifest;
use crate::store::snapshot::{Draft, Row};

fn seat_key(n: u8) -> SeatKey {
    SeatKey {
        vendor: VendorId([1; 16]),
        product: "BKSRV".parse().unwrap(),
        mac: Mac::new([0, 0x1a, 0, 0, 0, n]).unwrap(),
    }
}

fn former(n: u8) -> Fact {
    let former = FormerSeat {
        ended_at: Timestamp(7),
        cause: EndCause::Idle,
    };
    Fact::FormerPut(seat_key(n), former)
}

fn commit(store: &mut DiskStore, number: u64, facts: impl IntoIterator<Item = Fact>) {
    let changes: Vec<_> = facts.into_iter().map(Change::from).collect();
    let round = Round {
        number,
        now: Now::at(number),
        changes: &changes,
    };
    store.commit(&round).unwrap();
}

fn load(data: &Path) -> Result<Loaded, StoreError> {
    DiskStore::open(data)?.load(&mut |_| ())
}

/// A data directory whose newest generation has these rows beside a good one, and is whole.
fn with_rows(rows: Vec<Row>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    commit(&mut store, 1, [former(1)]);
    let open = store.open.as_ref().unwrap();
    let start = Start {
        after: open.journal.link(),
        at: open.journal.position(),
        now: Now::at(1),
    };
    let manifest = store.newest.manifest.clone();
    drop(store);
    let mut keeper = Keeper {
        disk: Arc::new(OsDisk),
        snapshots: Arc::new(SledSnapshots),
        data: dir.path().to_owned(),
        manifest,
        standing: checkpoint::Standing::Sound,
        retention: Retention::default(),
        now: Timestamp(1),
    };
    let mut building = keeper.begin(start).unwrap();
    building.put(vec![former(1)]).unwrap();
    building.put_rows(rows).unwrap();
    keeper.finish(building, 1).unwrap();
    dir
}

#[test]
fn a_record_that_cannot_be_read_stops_the_start_and_is_named() {
    let key = Key::Fact(former(3).key()).encode();
    let other = Key::Fact(former(4).key()).encode();
    let good = seal(&key, 1, &(7_u64, 2_u8)).unwrap();
    for (what, row) in [
        ("garbage", (key.clone(), b"garbage".to_vec())),
        ("a newer version", (key.clone(), seal(&key, 2, &7_u64).unwrap())),
        ("another key's record", (other.clone(), good.clone())),
        (
            "a value that is not allowed",
            (key.clone(), seal(&key, 1, &(7_u64, 9_u8)).unwrap()),
        ),
    ] {
        let error = load(with_rows(vec![row]).path()).unwrap_err();
        assert!(matches!(&error, StoreError::Record { .. }), "{what}: {error}");
        assert!(
            error.to_string().contains("former seat 00:1a:00:00:00:0"),
            "{what}: {error}"
        );
    }
    assert_eq!(load(with_rows(vec![(key, good)]).path()).unwrap().round, 1);
}

/// Writes rows into the newest generation of a directory behind the store's back, and compares it with the manifest.
fn tampered(rows: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
    let dir = with_rows(Vec::new());
    let state = dir.path().join("state.1");
    let db = sled::Config::new()
        .path(&state)
        .segment_size(512 << 10)
        .flush_every_ms(None)
        .open()
        .unwrap();
    for (key, record) in rows {
        match record {
            Some(record) => db.insert(key, record.as_slice()).unwrap(),
            None => db.remove(key).unwrap(),
        };
    }
    drop(db);
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let manifest = Manifest::load(&disk, dir.path()).unwrap().manifest;
    let mut snapshot = SledSnapshots.open(&state, &dir.path().join(SCRATCH)).unwrap();
    verify(&mut *snapshot, "here", &manifest.generations[0]).map(drop)
}

#[test]
fn a_generation_with_other_rows_than_were_written_is_not_used() {
    let key = |n| Key::Fact(former(n).key()).encode();
    let record = |n, at: u64| seal(&key(n), 1, &(at, 2_u8)).unwrap();
    assert!(tampered(&[]).is_ok());
    for (what, rows) in [
        ("a missing row", vec![(key(1), None)]),
        ("a row more", vec![(key(2), Some(record(2, 7)))]),
        ("a row of another time", vec![(key(1), Some(record(1, 8)))]),
        ("another row", vec![(key(1), None), (key(2), Some(record(2, 7)))]),
        ("no rows", vec![(key(1), None), (Key::Meta.encode(), None)]),
        ("no last round", vec![(Key::Meta.encode(), None)]),
    ] {
        let refused = tampered(&rows);
        assert!(
            matches!(refused, Err(StoreError::Mismatch { .. })),
            "{what}: {refused:?}"
        );
    }
}

#[test]
fn a_key_of_no_kind_stops_the_start() {
    let error = load(with_rows(vec![(vec![0x7f, 1], b"later".to_vec())]).path()).unwrap_err();
    assert!(error.to_string().contains("unknown key 7f01"), "{error}");
}

#[test]
fn a_round_that_is_whole_but_cannot_be_read_stops_the_start() {
    for (payload, expected) in [
        (b"garbage".to_vec(), "round 1 of the journal"),
        // One row: a key that no kind of record has.
        (
            [
                [0; 16].as_slice(),
                &[1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0xff],
                &[0; 4],
            ]
            .concat(),
            "unknown key 7f",
        ),
        // One row: the deletion of what is never deleted.
        (
            [
                [0; 16].as_slice(),
                &[1, 0, 0, 0, 1, 0x01, 0xff, 0xff, 0xff, 0xff],
                &[0; 4],
            ]
            .concat(),
            "the server itself",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = DiskStore::open(dir.path()).unwrap();
        store.load(&mut |_| ()).unwrap();
        store.open.as_mut().unwrap().journal.append(&payload).unwrap();
        drop(store);
        let error = load(dir.path()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_journal_that_ends_before_what_a_generation_has_seen_stops_the_start() {
    let dir = with_rows(Vec::new());
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let manifest = Manifest::load(&disk, dir.path()).unwrap().manifest;
    let mut generation = manifest.generations[0];
    generation.through += 1;
    manifest.next(generation).store(&disk, dir.path()).unwrap();
    let error = load(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::JournalShort {
                found: 1,
                expected: 2,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_generation_that_another_journal_follows_is_not_used() {
    let dir = with_rows(Vec::new());
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let manifest = Manifest::load(&disk, dir.path()).unwrap().manifest;
    let mut other = manifest.next(Generation {
        after: Link {
            round: 1,
            hash: [7; 32],
        },
        at: Position::FIRST,
        ..manifest.generations[0]
    });
    other.generations.truncate(1);
    other.store(&disk, dir.path()).unwrap();
    assert!(matches!(load(dir.path()), Err(StoreError::Journal { .. })));
}

#[test]
fn a_directory_that_lost_its_format_is_not_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    drop(store);
    // Without a round its making may have been interrupted.
    std::fs::remove_file(dir.path().join("FORMAT")).unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    commit(&mut store, 1, [former(1)]);
    drop(store);
    std::fs::remove_file(dir.path().join("FORMAT")).unwrap();
    let error = load(dir.path()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Missing { path } if path.ends_with("FORMAT")),
        "{error}"
    );
}

/// Keeps generations as sled does, once it is let go.
#[derive(Debug)]
struct Held {
    began: Mutex<mpsc::Sender<()>>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl Snapshots for Held {
    fn begin(&self, dir: &Path) -> Result<Box<dyn Draft>, StoreError> {
        self.began.lock().unwrap().send(()).unwrap();
        let _released = self.go.lock().unwrap().recv();
        SledSnapshots.begin(dir)
    }

    fn missing(&self, dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        SledSnapshots.missing(dir)
    }

    fn open(&self, dir: &Path, scratch: &Path) -> Result<Box<dyn Snapshot>, StoreError> {
        SledSnapshots.open(dir, scratch)
    }
}

#[test]
fn a_store_that_failed_waits_for_nothing_and_keeps_the_directory_as_long_as_a_thread_of_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let ((began, has_begun), (release, go)) = (mpsc::channel(), mpsc::channel());
    let options = Options {
        snapshots: Arc::new(Held {
            began: Mutex::new(began),
            go: Mutex::new(go),
        }),
        checkpoint_bytes: 1,
        ..Options::default()
    };
    let mut store = DiskStore::open_with(dir.path(), options).unwrap();
    store.load(&mut |_| ()).unwrap();
    commit(&mut store, 1, [former(1)]);
    let mut ledger = Ledger::default();
    ledger.record(&former(1));
    while store.checkpoint(&ledger) == Progress::Going {}
    has_begun.recv().unwrap();
    // Out of order: the store refuses everything from here on.
    let round = Round {
        number: 9,
        now: Now::at(9),
        changes: &[],
    };
    store.commit(&round).unwrap_err();
    drop(store);
    let refused = DiskStore::open(dir.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
    drop(release);
    assert_eq!(load(dir.path()).unwrap().round, 1);
    assert!(
        !dir.path().join("manifest.2").exists(),
        "what was asked of the thread is wanted no more"
    );
}
