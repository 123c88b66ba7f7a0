//! The segments of a journal on a disk in memory, as files whose bytes can be changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use seatkeeper::store::Disk;
use seatkeeper::store::fuzz::{Reading, Start, Writing, read_journal};
use seatkeeper_harm::SimDisk;

/// A data directory.
#[derive(Debug)]
pub struct Shelf {
    disk: Arc<dyn Disk>,
    data: PathBuf,
    segment_bytes: u32,
}

impl Shelf {
    /// An empty one, for segments of `segment_bytes` bytes.
    ///
    /// # Panics
    /// The directory cannot be made.
    #[must_use]
    pub fn new(segment_bytes: u32) -> Self {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(0));
        let data = PathBuf::from("/data");
        disk.make_dir(&data.join("journal")).expect("a directory");
        Self {
            disk,
            data,
            segment_bytes,
        }
    }

    /// The disk, the data directory and how long a segment is.
    #[must_use]
    pub fn parts(&self) -> (Arc<dyn Disk>, &Path, u32) {
        (Arc::clone(&self.disk), &self.data, self.segment_bytes)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.data.join(format!("journal/{number:010}.journal"))
    }

    /// The numbers of the segments, ascending.
    ///
    /// # Panics
    /// The directory cannot be read.
    #[must_use]
    pub fn numbers(&self) -> Vec<u64> {
        let names = self.disk.names(&self.data.join("journal")).expect("names");
        let number = |name: &String| name.strip_suffix(".journal")?.parse().ok();
        let mut numbers: Vec<_> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The bytes of a segment; none if it is not there.
    #[must_use]
    pub fn bytes(&self, number: u64) -> Vec<u8> {
        self.disk.read(&self.path(number)).unwrap_or_default()
    }

    /// Puts a segment there, or other bytes in place of its own.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn put(&self, number: u64, bytes: &[u8]) {
        let mut file = self.disk.create(&self.path(number)).expect("a file");
        file.write_at(0, bytes).and_then(|()| file.sync()).expect("written");
    }

    /// Takes a segment away.
    ///
    /// # Panics
    /// It cannot be removed.
    pub fn remove(&self, number: u64) {
        self.disk.remove(&self.path(number)).expect("removed");
    }

    /// Reads the journal.
    ///
    /// # Panics
    /// The directory cannot be read.
    #[must_use]
    pub fn read(&self, start: Start) -> Reading {
        read_journal(Arc::clone(&self.disk), &self.data, start).expect("a directory")
    }

    /// Shows that a journal that was read to its end goes on with the round that follows.
    ///
    /// # Panics
    /// It does not.
    pub fn assert_goes_on(&self, start: Start) {
        let Reading { mut rounds, end } = self.read(start);
        let end = end.expect("a journal that can be read");
        let payload = b"one more".to_vec();
        let mut journal = Writing::resume(Arc::clone(&self.disk), &self.data, self.segment_bytes, &end)
            .expect("a journal that was read goes on");
        journal.append(&payload).expect("room");
        drop(journal);
        rounds.push((end.round + 1, payload));
        let again = self.read(start);
        assert_eq!(again.end.expect("what was appended can be read").round, end.round + 1);
        assert!(again.rounds == rounds, "what was there is there, and what was appended");
    }
}
