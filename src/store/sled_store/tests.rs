use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::domain::catalogue::Catalogue;
use crate::domain::change::Change;
use crate::domain::ids::{Mac, VendorId};
use crate::domain::seat::{EndCause, FormerSeat, SeatKey};
use crate::domain::time::{Now, Timestamp};
use crate::store::envelope::seal;
use crate::store::keys::Key;

const ROUNDS: u64 = 60;

fn seat_key(n: u8) -> SeatKey {
    SeatKey {
        vendor: VendorId([1; 16]),
        product: "BKSRV".parse().unwrap(),
        mac: Mac::new([0, 0x1a, 0, 0, 0, n]).unwrap(),
    }
}

fn changes(number: u64) -> Vec<Change> {
    let former = FormerSeat {
        ended_at: Timestamp(number),
        cause: EndCause::Idle,
    };
    let change = |n| Change {
        fact: Fact::FormerPut(seat_key(n), former),
        events: Vec::new(),
    };
    (1..=9)
        .chain([u8::try_from(number % 250).unwrap()])
        .map(change)
        .collect()
}

fn commit(store: &mut SledStore, number: u64) -> Result<(), StoreError> {
    store.commit(&Round {
        number,
        now: Now::at(number),
        changes: &changes(number),
    })
}

/// A data directory after some rounds, closed.
fn used() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SledStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    for number in 1..=ROUNDS {
        commit(&mut store, number).unwrap();
    }
    dir
}

fn load(dir: &TempDir) -> Result<Loaded, StoreError> {
    SledStore::open(dir.path())?.load(&mut |_| ())
}

/// The database behind the store's back.
fn raw(dir: &TempDir) -> sled::Db {
    sled::Config::new()
        .path(dir.path().join("ledger"))
        .flush_every_ms(None)
        .open()
        .unwrap()
}

fn db_file(dir: &TempDir) -> PathBuf {
    dir.path().join("ledger/db")
}

#[test]
fn a_damaged_record_stops_the_start_and_is_named() {
    let dir = used();
    raw(&dir).insert(Key::Former(seat_key(3)).encode(), b"garbage").unwrap();
    let error = load(&dir).unwrap_err();
    assert!(matches!(&error, StoreError::Record { .. }), "{error}");
    assert!(
        error.to_string().contains("former seat 00:1a:00:00:00:03 of BKSRV"),
        "{error}"
    );
}

#[test]
fn a_record_of_a_newer_version_stops_the_start() {
    let dir = used();
    let key = Key::Former(seat_key(3)).encode();
    raw(&dir).insert(&key, seal(&key, 2, &7_u64).unwrap()).unwrap();
    assert!(matches!(
        load(&dir),
        Err(StoreError::Record {
            source: crate::store::RecordError::Version(2),
            ..
        })
    ));
}

#[test]
fn a_record_under_another_key_stops_the_start() {
    let dir = used();
    let db = raw(&dir);
    let record = db.remove(Key::Former(seat_key(3)).encode()).unwrap().unwrap();
    db.insert(Key::Former(seat_key(251)).encode(), record).unwrap();
    drop(db);
    assert!(matches!(load(&dir), Err(StoreError::Record { .. })));
}

#[test]
fn a_key_of_no_kind_stops_the_start() {
    let dir = used();
    raw(&dir).insert([0x7f, 1], b"later").unwrap();
    let error = load(&dir).unwrap_err();
    assert!(error.to_string().contains("unknown key 7f01"), "{error}");
}

#[test]
fn a_missing_record_stops_the_start() {
    let dir = used();
    raw(&dir).remove(Key::Former(seat_key(3)).encode()).unwrap();
    let error = load(&dir).unwrap_err();
    assert!(
        matches!(
            &error,
            StoreError::Mismatch {
                what: "the number of records",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_extra_record_stops_the_start() {
    let dir = used();
    let key = Key::Former(seat_key(251)).encode();
    raw(&dir).insert(&key, seal(&key, 1, &(1_u64, 2_u8)).unwrap()).unwrap();
    assert!(matches!(
        load(&dir),
        Err(StoreError::Mismatch {
            what: "the number of records",
            ..
        })
    ));
}

#[test]
fn a_record_changed_with_its_checksum_stops_the_start() {
    let dir = used();
    let key = Key::Former(seat_key(3)).encode();
    raw(&dir).insert(&key, seal(&key, 1, &(1_u64, 2_u8)).unwrap()).unwrap();
    assert!(matches!(
        load(&dir),
        Err(StoreError::Mismatch {
            what: "the digest of the records",
            ..
        })
    ));
}

#[test]
fn a_ledger_without_its_last_round_stops_the_start() {
    let dir = used();
    let db = raw(&dir);
    db.clear().unwrap();
    drop(db);
    let error = load(&dir).unwrap_err();
    assert!(
        matches!(
            &error,
            StoreError::Mismatch {
                what: "the number of the last round",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_ledger_set_back_to_an_older_copy_stops_the_start() {
    let dir = used();
    let older = fs::read(db_file(&dir)).unwrap();
    let mut store = SledStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    commit(&mut store, ROUNDS + 1).unwrap();
    drop(store);
    for entry in fs::read_dir(dir.path().join("ledger")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(db_file(&dir), older).unwrap();
    let error = load(&dir).unwrap_err();
    assert!(
        matches!(
            &error,
            StoreError::Mismatch {
                what: "the number of the last round",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_database_file_that_is_gone_is_missed() {
    for name in ["ledger/db", "ledger.round", "FORMAT"] {
        let dir = used();
        fs::remove_file(dir.path().join(name)).unwrap();
        let error = load(&dir).unwrap_err();
        assert!(
            matches!(&error, StoreError::Missing { path } if path.ends_with(name)),
            "{error}"
        );
    }
}

#[test]
fn a_cut_database_file_is_an_error_or_loses_nothing() {
    let dir = used();
    let whole = fs::read(db_file(&dir)).unwrap();
    drop(dir);
    for part in 0..8 {
        let dir = used();
        let len = whole.len() * part / 8 + part * 37;
        fs::OpenOptions::new()
            .write(true)
            .open(db_file(&dir))
            .unwrap()
            .set_len(len as u64)
            .unwrap();
        if let Ok(loaded) = load(&dir) {
            assert_eq!(loaded.round, ROUNDS, "cut at {len}");
        }
    }
}

#[test]
fn flipped_bits_of_the_database_file_are_an_error_or_change_nothing() {
    for place in 0..24 {
        let dir = used();
        let mut bytes = fs::read(db_file(&dir)).unwrap();
        let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
        bytes[end * place / 24] ^= 1 << (place % 8);
        fs::write(db_file(&dir), bytes).unwrap();
        if let Ok(loaded) = load(&dir) {
            assert_eq!(loaded.round, ROUNDS, "flip in part {place}");
        }
    }
}

#[test]
fn an_unfinished_snapshot_does_not_stop_the_start() {
    let dir = used();
    fs::write(dir.path().join("ledger/snap.00000000DEADBEEF.generating"), b"half").unwrap();
    assert_eq!(load(&dir).unwrap().round, ROUNDS);
}

#[test]
fn an_interrupted_creation_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    drop(SledStore::open(dir.path()).unwrap());
    fs::remove_file(dir.path().join("FORMAT")).unwrap();
    assert_eq!(load(&dir).unwrap().round, 0);
    assert!(dir.path().join("FORMAT").is_file());
}

#[test]
fn a_directory_in_use_is_refused_with_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    let _first = SledStore::open(dir.path()).unwrap();
    let error = SledStore::open(dir.path()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Locked { pid, .. } if *pid == std::process::id().to_string()),
        "{error}"
    );
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = SledStore::open(&file.join("data")).unwrap_err();
    assert!(
        matches!(&error, StoreError::Io { path, .. } if path.ends_with("file/data")),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_directory_without_write_permission_is_named_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(dir.path().join("probe"), b"").is_ok() {
        return; // root may write anywhere
    }
    let error = SledStore::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("--data"), "{error}");
}

#[cfg(unix)]
#[test]
fn what_the_store_makes_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    drop(SledStore::open(&dir).unwrap());
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("ledger")], [0o700, 0o700]);
    assert_eq!(
        [mode("LOCK"), mode("FORMAT"), mode("ledger.round")],
        [0o600, 0o600, 0o600]
    );
}

#[test]
fn a_record_that_sled_puts_into_a_file_of_its_own_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = |version| {
        Fact::CataloguePut(Box::new(Catalogue {
            vendor: VendorId([1; 16]),
            vendor_name: "Vendor".into(),
            version,
            issued_at: Timestamp(1),
            products: BTreeMap::new(),
            signed: vec![0xdd; 300_000].into(),
        }))
    };
    let mut store = SledStore::open(dir.path()).unwrap();
    store.load(&mut |_| ()).unwrap();
    for number in 1..=5 {
        let change = Change {
            fact: catalogue(number),
            events: Vec::new(),
        };
        let round = Round {
            number,
            now: Now::at(number),
            changes: &[change],
        };
        store.commit(&round).unwrap();
    }
    assert!(fs::read_dir(dir.path().join("ledger/blobs")).unwrap().next().is_some());
    drop(store);
    let mut facts = Vec::new();
    SledStore::open(dir.path())
        .unwrap()
        .load(&mut |fact| facts.push(fact))
        .unwrap();
    assert_eq!(facts, [catalogue(5)]);
}
