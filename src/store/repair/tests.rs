use std::fs;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::domain::change::{Change, Fact, FactKey};
use crate::domain::ids::{Mac, Serial, VendorId};
use crate::domain::ledger::Ledger;
use crate::domain::seat::{Binding, EndCause, FormerSeat, MachineNote, Seat, SeatKey};
use crate::domain::time::{Now, Timestamp};
use crate::store::journal::Journal;
use crate::store::os_disk::OsDisk;
use crate::store::{DiskStore, Loaded, Progress, Round, Store, round, rows};

fn options() -> Options {
    Options {
        segment_bytes: 16 * 512,
        checkpoint_bytes: 12_000,
        threaded: false,
        ..Options::default()
    }
}

fn former(number: u64) -> Fact {
    let key = SeatKey {
        vendor: VendorId([1; 16]),
        product: "BKSRV".parse().unwrap(),
        mac: Mac::new([0, 0x1a, 0, 0, 0, number.to_le_bytes()[0]]).unwrap(),
    };
    let former = FormerSeat {
        ended_at: Timestamp(number),
        cause: EndCause::Idle,
    };
    Fact::FormerPut(key, former)
}

/// A data directory after `rounds` rounds, with the checkpoints that were due, and the ledgers after each round.
fn used(rounds: u64) -> (TempDir, Vec<Ledger>) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open_with(dir.path(), options()).unwrap();
    store.load(&mut |_| ()).unwrap();
    let mut ledgers = vec![Ledger::default()];
    for number in 1..=rounds {
        let fact = former(number);
        let mut ledger = ledgers.last().unwrap().clone();
        ledger.record(&fact);
        let round = Round {
            number,
            now: Now::at(number),
            changes: &[fact.into()],
        };
        store.commit(&round).unwrap();
        while store.checkpoint(&ledger) != Progress::Resting {}
        ledgers.push(ledger);
    }
    (dir, ledgers)
}

/// The same directory once more.
fn copy_of(sound: &Path) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    seatkeeper_harm::copy_dir(sound, dir.path());
    dir
}

fn load(data: &Path) -> Result<(Loaded, Ledger), StoreError> {
    let mut ledger = Ledger::default();
    let loaded = DiskStore::open_with(data, options())?.load(&mut |fact| ledger.record(&fact))?;
    Ok((loaded, ledger))
}

fn segments(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join(DIR)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What a cut leaves: the last round, of which everything must be there.
fn cut(data: &Path, ledgers: &[Ledger]) -> u64 {
    assert!(load(data).is_err());
    let repair = Repair::open_with(data, options()).unwrap();
    let examined = repair.examine();
    assert!(!examined.starts());
    let last = examined.journal.as_ref().unwrap().last_round;
    let aside = repair.cut_tail(&examined).unwrap();
    assert!(aside.is_dir() && fs::read_dir(aside).unwrap().count() > 0);
    let (loaded, ledger) = load(data).unwrap();
    assert_eq!(loaded.round, last);
    assert!(ledger == ledgers[usize::try_from(last).unwrap()]);
    let repair = Repair::open_with(data, options()).unwrap();
    assert!(repair.examine().starts());
    last
}

#[test]
fn a_sound_directory_is_told_to_start() {
    let (dir, _) = used(70);
    let examined = Repair::open_with(dir.path(), options()).unwrap().examine();
    assert!(examined.starts());
    assert_eq!(examined.generations.len(), 2);
    assert_eq!(examined.journal.unwrap().last_round, 70);
}

#[test]
fn what_follows_damage_is_cut_off_and_kept_aside() {
    // Sectors all over the journal, where they can be damaged without a generation that makes up for it.
    let (sound, ledgers) = used(70);
    let mut lasts = std::collections::BTreeSet::new();
    for (number, segment) in segments(sound.path()).iter().enumerate() {
        for sector in (1..16).step_by(3) {
            let dir = copy_of(sound.path());
            let path = &segments(dir.path())[number];
            assert_eq!(path.file_name(), segment.file_name());
            let mut bytes = fs::read(path).unwrap();
            bytes[sector * 512 + 100] ^= 4;
            fs::write(path, bytes).unwrap();
            if load(dir.path()).is_err() {
                lasts.insert(cut(dir.path(), &ledgers));
            }
        }
    }
    assert!(lasts.len() > 5, "{lasts:?}");
}

#[test]
fn a_missing_segment_is_cut_off_with_what_follows() {
    let (sound, ledgers) = used(70);
    let mut refused = 0;
    for number in 0..segments(sound.path()).len() {
        let dir = copy_of(sound.path());
        fs::remove_file(&segments(dir.path())[number]).unwrap();
        if load(dir.path()).is_err() {
            refused += 1;
            // Where a generation has seen what is gone and the older one's journal is gone too, nothing is left.
            let repair = Repair::open_with(dir.path(), options()).unwrap();
            let examined = repair.examine();
            drop(repair);
            if examined.journal.is_some() {
                cut(dir.path(), &ledgers);
            } else {
                let repair = Repair::open_with(dir.path(), options()).unwrap();
                assert!(matches!(
                    repair.cut_tail(&examined),
                    Err(StoreError::NothingHolds { .. })
                ));
            }
        }
    }
    assert!(refused > 1, "{refused}");
}

#[test]
fn a_directory_in_use_of_another_format_or_of_none_is_not_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Repair::open(dir.path()), Err(StoreError::NoStore { .. })));
    fs::create_dir(dir.path().join(DIR)).unwrap();
    assert!(matches!(Repair::open(dir.path()), Err(StoreError::Missing { .. })));
    fs::write(dir.path().join("FORMAT"), "seatkeeper data format 1\n").unwrap();
    assert!(matches!(Repair::open(dir.path()), Err(StoreError::Older { .. })));
    let (dir, _) = used(3);
    let _store = DiskStore::open_with(dir.path(), options()).unwrap();
    assert!(matches!(Repair::open(dir.path()), Err(StoreError::Locked { .. })));
}

#[test]
fn a_segment_that_the_disk_does_not_give_is_cut_off_and_moved_aside() {
    let (sound, ledgers) = used(70);
    let last = segments(sound.path()).len() - 1;
    let mut cuts = 0;
    for number in 0..=last {
        let dir = copy_of(sound.path());
        // A directory cannot be read as a file is.
        let path = &segments(dir.path())[number];
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        let examined = Repair::open_with(dir.path(), options()).unwrap().examine();
        if examined.can_start() && !examined.starts() {
            cut(dir.path(), &ledgers);
            cuts += 1;
        }
    }
    assert!(cuts > 1, "{cuts}");
}

/// A directory whose last round is whole, and holds what `payload` says.
fn with_round(payload: &[u8]) -> TempDir {
    let (dir, _) = used(5);
    let found = Found::look(Arc::new(OsDisk), dir.path()).unwrap();
    let manifest = newest_manifest(&options().disk, dir.path()).unwrap().manifest;
    let start = manifest.generations[0];
    let end = found.read(start.at, start.after, &mut |_, _| Ok(())).unwrap();
    let mut journal = Journal::resume(found, options().shape(), None, &end).unwrap();
    journal.append(payload).unwrap();
    dir
}

#[test]
fn a_round_that_is_whole_but_cannot_be_read_is_told_and_cut_off() {
    let dir = with_round(b"garbage");
    assert!(load(dir.path()).is_err());
    let repair = Repair::open_with(dir.path(), options()).unwrap();
    let examined = repair.examine();
    let journal = examined.journal.as_ref().unwrap();
    assert_eq!(journal.last_round, 5);
    assert!(matches!(
        journal.damage,
        Some(StoreError::RoundUnreadable { number: 6, .. })
    ));
    repair.cut_tail(&examined).unwrap();
    assert_eq!(load(dir.path()).unwrap().0.round, 5);
}

#[test]
fn records_that_contradict_each_other_are_told_and_nothing_is_cut_off() {
    // A seat of a license that is nowhere.
    let FactKey::Former(key) = former(1).key() else {
        unreachable!("a former seat")
    };
    let seat = Seat {
        serial: Serial::from_random([1; 10]),
        acquired_at: Timestamp(1),
        renewed_at: Timestamp(1),
        renew_by: None,
        single_use: false,
        machine: MachineNote::default(),
        components: [("agent".parse().unwrap(), Binding::Unbound)].into(),
    };
    let changes = [Change::from(Fact::SeatPut(key, Arc::new(seat)))];
    let round = Round {
        number: 6,
        now: Now::at(6),
        changes: &changes,
    };
    let dir = with_round(&round::write(&round, &rows::rows(&changes).unwrap()).unwrap());
    let repair = Repair::open_with(dir.path(), options()).unwrap();
    let examined = repair.examine();
    assert!(matches!(examined.unsound, Some(Unsound::Audit(_))), "{examined:?}");
    assert!(!examined.starts());
    assert!(matches!(
        repair.cut_tail(&examined),
        Err(StoreError::NothingHolds { .. })
    ));
}
