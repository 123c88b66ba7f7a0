//! A disk that gets full beneath a journal.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::store::disk::DiskFile;

/// The system's files, on a disk that has no room for another segment when it is told so.
#[derive(Debug, Default)]
struct FullDisk {
    is_full: AtomicBool,
    /// Whether it then says nothing of room, but fails.
    is_broken: bool,
}

impl Disk for FullDisk {
    fn room(&self, _dir: &Path) -> io::Result<u64> {
        if self.is_broken && self.is_full.load(Ordering::SeqCst) {
            return Err(io::Error::other("broken"));
        }
        Ok(if self.is_full.load(Ordering::SeqCst) {
            4_096
        } else {
            u64::MAX
        })
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        OsDisk.names(dir)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        OsDisk.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        OsDisk.len(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        OsDisk.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        OsDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.make_dir(dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.remove_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.sync_dir(dir)
    }

    fn sync_tree(&self, dir: &Path) -> io::Result<()> {
        OsDisk.sync_tree(dir)
    }
}

/// A journal of some rounds on a disk that has got full since.
fn on_a_full_disk() -> (TempDir, Journal, u64) {
    on_a(FullDisk::default())
}

fn on_a(disk: FullDisk) -> (TempDir, Journal, u64) {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(disk));
    let shared: Arc<dyn Disk> = Arc::clone(&disk) as _;
    let mut journal = Journal::create(shared, dir.path(), SHAPE, Link::default()).unwrap();
    for round in 1..=3 {
        journal.append(&payload(round)).unwrap();
    }
    disk.is_full.store(true, Ordering::SeqCst);
    let mut round = 3;
    // Until a segment was missed and what is left told.
    while journal.room() == Room::Enough {
        round += 1;
        journal.append(&payload(round)).unwrap();
    }
    (dir, journal, round)
}

fn left(journal: &Journal) -> u64 {
    match journal.room() {
        Room::Short { left } => left,
        Room::Enough => panic!("there is room"),
    }
}

#[test]
fn a_full_disk_takes_what_it_says_and_keeps_enough_to_end_in_good_order() {
    let (dir, mut journal, mut round) = on_a_full_disk();
    loop {
        let payload = payload(round + 1);
        let fits = left(&journal) >= u64::from(record::sectors_of(payload.len())) * SECTOR_LEN as u64;
        let appended = journal.append(&payload);
        assert_eq!(appended.is_ok(), fits, "{} left: {appended:?}", left(&journal));
        if let Err(error) = appended {
            assert!(matches!(&error, StoreError::Full { .. }), "{error}");
            break;
        }
        round += 1;
    }
    assert!(round > 6, "some were taken");
    // The end has room of its own.
    journal.open_reserve();
    journal.append(&payload(round + 1)).unwrap();
    journal.seal().unwrap();
    drop(journal);
    assert_rounds(dir.path(), round + 1);
    assert!(read_from(dir.path()).unwrap().1.is_sealed);
}

#[test]
fn a_round_that_is_too_long_for_a_full_disk_costs_none_of_the_room_that_is_left() {
    let (dir, mut journal, round) = on_a_full_disk();
    let (before, segments) = (left(&journal), segment_paths(dir.path()));
    let taken = journal.stock.take(SHAPE.sectors() + 1);
    assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!((left(&journal), segment_paths(dir.path())), (before, segments));
    journal.append(&payload(round + 1)).unwrap();
}

#[test]
fn a_disk_that_fails_is_not_told_to_be_full() {
    let broken = FullDisk {
        is_broken: true,
        ..FullDisk::default()
    };
    let (_dir, mut journal, mut round) = on_a(broken);
    let error = loop {
        round += 1;
        if let Err(error) = journal.append(&payload(round)) {
            break error;
        }
    };
    assert!(
        matches!(&error, StoreError::Io { source, .. } if source.to_string() == "broken"),
        "{error}"
    );
}
