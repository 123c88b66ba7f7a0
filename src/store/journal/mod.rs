//! The journal: a round is one record, on stable storage before anybody is answered.

mod found;
mod reader;
mod record;
mod sector;
mod segment;
mod stock;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use found::Found;
pub(super) use reader::End;
pub(super) use record::Link;
pub(super) use sector::SECTOR_LEN;
pub(super) use segment::{name as segment_name, number as segment_number, told as segment_sectors};
pub use stock::Room;
pub(super) use walk::{Beginning, Read, Walk};

use super::disk::Disk;
use super::lock::Lock;
use super::{StoreError, io_failed};
use record::PAYLOAD_MAX;
use segment::{FIRST_SECTOR, Segment};
use stock::Stock;

/// Sectors at the end of a segment that no record takes up: there is always one for the mark.
const LAST_SECTORS: u32 = 1;

/// The directory of the segments, in the data directory.
pub(super) const DIR: &str = "journal";

/// A place in the journal: where a record begins.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Position {
    /// The number of the segment.
    pub(super) segment: u64,
    /// The sector in it.
    pub(super) sector: u32,
}

impl Position {
    /// Where the first record of all stands.
    pub(super) const FIRST: Self = Self {
        segment: 1,
        sector: FIRST_SECTOR,
    };
}

/// What was answered is damaged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Damage {
    /// In which segment.
    pub(super) segment: u64,
    /// At which byte of it.
    pub(super) byte: u64,
    /// What does not hold.
    pub(super) what: &'static str,
    /// The last round before it.
    pub(super) after: u64,
}

/// Why a reading ended early.
#[derive(Debug)]
enum ReadError {
    Damaged(Damage),
    /// Whoever was given a round could not take it.
    Refused(StoreError),
}

impl From<Damage> for ReadError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// How the journal is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Bytes of a segment, rounded up to whole sectors.
    pub(super) segment_bytes: u32,
}

impl Shape {
    fn sectors(self) -> u32 {
        u32::try_from(u64::from(self.segment_bytes).div_ceil(SECTOR_LEN as u64))
            .unwrap_or(u32::MAX)
            .max(FIRST_SECTOR + LAST_SECTORS + 1)
    }
}

/// Bytes at the end of the journal's room, at most, that are kept on a full disk for ending in good order: the service
/// stops when there is no more than them.
const RESERVE_BYTES: u64 = 4 << 20;

/// Makes the journal of a new data directory: its first segment.
pub(super) fn found(disk: &dyn Disk, data: &Path, shape: Shape) -> Result<(), StoreError> {
    first_segment(disk, data, shape).map(drop)
}

fn first_segment(disk: &dyn Disk, data: &Path, shape: Shape) -> Result<Segment, StoreError> {
    let dir = data.join(DIR);
    disk.make_dir(&dir).map_err(io_failed("creating the directory", &dir))?;
    disk.sync_dir(data).map_err(io_failed("syncing", data))?;
    Segment::create(disk, &dir, Position::FIRST.segment, shape.sectors())
        .map_err(io_failed("making a segment in", &dir))
}

/// The journal of a data directory, at its end.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    stock: Stock,
    current: Segment,
    next: u32,
    link: Link,
    is_sealed: bool,
    appended_bytes: u64,
    reserve_bytes: u64,
}

impl Journal {
    /// Makes the journal of a new data directory, whose first record follows `link`, and goes on with it.
    pub(super) fn create(disk: Arc<dyn Disk>, data: &Path, shape: Shape, link: Link) -> Result<Self, StoreError> {
        let current = first_segment(&*disk, data, shape)?;
        Self::at(
            disk,
            data.join(DIR),
            shape,
            None,
            current,
            VecDeque::new(),
            link,
            FIRST_SECTOR,
            false,
        )
    }

    /// Goes on at the end of what was read. A record that was torn is cut off first. The last one is written again: where
    /// its sync failed and the process ended, the system may show what it holds for written and the disk does not have. With a
    /// `lock` segments are made ahead by a thread.
    pub(super) fn resume(found: Found, shape: Shape, lock: Option<Arc<Lock>>, end: &End) -> Result<Self, StoreError> {
        let Found { disk, dir, numbers } = found;
        let open = |number: u64| -> Result<Segment, StoreError> {
            let path = dir.join(segment_name(number));
            let bytes = disk.read(&path).map_err(io_failed("reading", &path))?;
            let sectors = segment::check(number, &bytes).map_err(|what| StoreError::Journal {
                path: path.clone(),
                byte: 0,
                what,
                after: end.link.round,
            })?;
            Segment::open(&*disk, &dir, number, sectors).map_err(io_failed("opening", &path))
        };
        if let Some(torn) = end.torn {
            let mut segment = open(torn.at.segment)?;
            tracing::warn!(
                "the power went while round {} was being written; nobody was answered, its {} sectors are cut off {}",
                end.link.round + 1,
                torn.sectors,
                segment.path.display()
            );
            let zeros = vec![0; torn.sectors as usize * SECTOR_LEN];
            let cut = segment.write(torn.at.sector, &zeros);
            cut.map_err(io_failed("cutting a torn record off", &segment.path))?;
        }
        let mut current = open(end.at.segment)?;
        match end.mark {
            // The last record stands before the last mark.
            Some(mark) if end.at.sector <= FIRST_SECTOR => {
                open(mark.segment)?.write_again(&*disk, mark.sector + 1)?;
            }
            _ => current.write_again(&*disk, end.at.sector)?,
        }
        disk.sync_dir(&dir).map_err(io_failed("syncing", &dir))?;
        let mut ready = VecDeque::new();
        for &number in numbers.iter().filter(|&&number| number > end.at.segment) {
            let spare = open(number)?;
            if spare.sectors == shape.sectors() && ready.len() < stock::READY {
                ready.push_back(spare);
            } else {
                disk.remove(&spare.path).map_err(io_failed("removing", &spare.path))?;
            }
        }
        let Position { sector, .. } = end.at;
        Self::at(disk, dir, shape, lock, current, ready, end.link, sector, end.is_sealed)
    }

    #[expect(clippy::too_many_arguments, reason = "what both makers have in common")]
    fn at(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        shape: Shape,
        lock: Option<Arc<Lock>>,
        current: Segment,
        ready: VecDeque<Segment>,
        link: Link,
        next: u32,
        is_sealed: bool,
    ) -> Result<Self, StoreError> {
        let last_number = ready.back().map_or(current.number, |spare| spare.number);
        let stock = Stock::new(disk, &dir, shape.sectors(), ready, last_number + 1, lock)
            .map_err(io_failed("starting the thread that makes segments in", &dir))?;
        Ok(Self {
            dir,
            stock,
            current,
            next,
            link,
            is_sealed,
            appended_bytes: 0,
            reserve_bytes: RESERVE_BYTES.min(u64::from(shape.segment_bytes) / 2),
        })
    }

    /// Has the next round, of `payload_len` bytes, begin a segment, where one is to be had: not on a full disk.
    ///
    /// # Errors
    /// As of [`Journal::append`].
    pub(super) fn begin_segment(&mut self, payload_len: usize) -> Result<(), StoreError> {
        let count = record::sectors_of(payload_len.min(PAYLOAD_MAX));
        let is_begun = self.next == FIRST_SECTOR || count > self.sectors_left();
        if is_begun || self.room() != Room::Enough {
            return Ok(());
        }
        self.take(count).map_or(Ok(()), |next| self.rotate(next))
    }

    /// Appends the next round, and returns when it is on stable storage.
    ///
    /// # Errors
    /// What is on disk is unknown; nothing may be appended any more.
    pub(super) fn append(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        if payload.len() > PAYLOAD_MAX {
            return Err(StoreError::RoundTooLong { bytes: payload.len() });
        }
        let (record, link) = record::write(&self.link, payload);
        let count = record::sectors_of(payload.len());
        let bytes_len = u64::from(count) * SECTOR_LEN as u64;
        if let Room::Short { left } = self.room()
            && left < bytes_len
        {
            // Full is not the only reason for which no segment could be made.
            let failure = self.stock.failure().unwrap_or(io::ErrorKind::StorageFull.into());
            return Err(io_failed("making a segment in", &self.dir)(failure));
        }
        if count > self.sectors_left() {
            let next = self.take(count).map_err(io_failed("making a segment in", &self.dir))?;
            self.rotate(next)?;
        }
        let mut sectors = Vec::with_capacity(count as usize * SECTOR_LEN);
        sector::write(self.current.number, self.next, link.round, &record, &mut sectors);
        self.write(&sectors)?;
        self.next += count;
        self.link = link;
        self.is_sealed = false;
        self.appended_bytes += bytes_len;
        Ok(())
    }

    /// A segment with room for a record of `count` sectors.
    fn take(&self, count: u32) -> io::Result<Segment> {
        self.stock.take(FIRST_SECTOR + count + LAST_SECTORS)
    }

    /// Goes on in segment `next`, once the one in use says so: a segment that is gone is missed.
    fn rotate(&mut self, next: Segment) -> Result<(), StoreError> {
        let told = [self.link.hash.as_slice(), &next.number.to_le_bytes()].concat();
        self.write_one(sector::MARK, &told)?;
        self.current = next;
        self.next = FIRST_SECTOR;
        Ok(())
    }

    /// Sectors that records can take up in the segment in use.
    fn sectors_left(&self) -> u32 {
        self.current.sectors.saturating_sub(self.next + LAST_SECTORS)
    }

    /// Says on disk that the last record was answered, so that damage to it cannot be taken for a torn one. Does nothing
    /// where that is said already. A segment that the last record fills up to its end gives way to the next one for it; where
    /// none is to be had, nothing is said: the disk is full, and what it holds is sound all the same.
    pub(super) fn seal(&mut self) -> Result<(), StoreError> {
        if self.is_sealed || self.link.round == 0 {
            return Ok(());
        }
        if self.sectors_left() == 0 {
            match self.take(1) {
                Ok(next) => self.rotate(next)?,
                Err(_) => return Ok(()),
            }
        }
        let hash = self.link.hash;
        self.write_one(sector::SEAL, &hash)?;
        self.is_sealed = true;
        Ok(())
    }

    /// Writes a sector of the journal's own behind the last record.
    fn write_one(&mut self, place: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let mut sector = Vec::with_capacity(SECTOR_LEN);
        let number = self.current.number;
        sector::write_one(number, self.next, self.link.round, place, bytes, &mut sector);
        self.write(&sector)?;
        self.next += 1;
        Ok(())
    }

    fn write(&mut self, sectors: &[u8]) -> Result<(), StoreError> {
        let written = self.current.write(self.next, sectors);
        written.map_err(io_failed("writing", &self.current.path))
    }

    /// The last record.
    pub(super) const fn link(&self) -> Link {
        self.link
    }

    /// Where the next record goes, or would if there were room.
    pub(super) const fn position(&self) -> Position {
        Position {
            segment: self.current.number,
            sector: self.next,
        }
    }

    /// Bytes that were appended since it was opened.
    pub(super) const fn appended_bytes(&self) -> u64 {
        self.appended_bytes
    }

    /// Whether it can go on, but for the reserve.
    pub(super) fn room(&self) -> Room {
        match self.stock.room(u64::from(self.sectors_left()) * SECTOR_LEN as u64) {
            Room::Enough => Room::Enough,
            Room::Short { left } => Room::Short {
                left: left.saturating_sub(self.reserve_bytes),
            },
        }
    }

    /// Nobody is to wait for what a thread does for it: the process is about to end.
    pub(super) fn abandon(&mut self) {
        self.stock.abandon();
    }

    /// Has the reserve used from here on: what is still to be written ends the service.
    pub(super) const fn open_reserve(&mut self) {
        self.reserve_bytes = 0;
    }
}
