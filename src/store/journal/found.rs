//! The segments of a journal as a start finds them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reader::{End, Reader, Visit};
use super::sector::SECTOR_LEN;
use super::segment::{self, Segment, name as segment_name};
use super::{DIR, Damage, Position, ReadError, Shape};
use crate::store::disk::Disk;
use crate::store::journal::Link;
use crate::store::{StoreError, io_failed};

/// The segments of a journal that are there.
#[derive(Debug)]
pub(in crate::store) struct Found {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    /// Ascending.
    pub(super) numbers: Vec<u64>,
}

impl Found {
    /// Looks which segments are in data directory `data`.
    pub(in crate::store) fn look(disk: Arc<dyn Disk>, data: &Path) -> Result<Self, StoreError> {
        let dir = data.join(DIR);
        let names = disk.names(&dir).map_err(io_failed("reading the directory", &dir))?;
        let mut numbers: Vec<_> = names.iter().filter_map(|name| segment::number(name)).collect();
        numbers.sort_unstable();
        Ok(Self { disk, dir, numbers })
    }

    /// Removes what is left of segments that were being made. To be done while none is.
    pub(in crate::store) fn remove_drafts(&self) -> Result<(), StoreError> {
        let dir = &self.dir;
        for name in self.disk.names(dir).map_err(io_failed("reading the directory", dir))? {
            if segment::is_draft(&name) {
                let path = dir.join(name);
                self.disk.remove(&path).map_err(io_failed("removing", &path))?;
            }
        }
        Ok(())
    }

    /// The numbers of the segments, ascending.
    pub(in crate::store) fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// Whether anything was ever appended.
    pub(in crate::store) fn has_rounds(&self) -> Result<bool, StoreError> {
        for &number in &self.numbers {
            let path = self.dir.join(segment_name(number));
            let bytes = self.disk.read(&path).map_err(io_failed("reading", &path))?;
            if bytes.iter().skip(SECTOR_LEN).any(|&byte| byte != 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes all segments.
    pub(in crate::store) fn remove_all(self) -> Result<(), StoreError> {
        for &number in &self.numbers {
            let path = self.dir.join(segment_name(number));
            self.disk.remove(&path).map_err(io_failed("removing", &path))?;
        }
        Ok(())
    }

    /// Reads from `start`, where the record that follows `link` stands, to the end, and hands out each round.
    pub(in crate::store) fn read(&self, start: Position, link: Link, visit: Visit<'_>) -> Result<End, StoreError> {
        let mut reader = Reader::new(start, link);
        self.read_with(&mut reader, visit)?;
        reader.finish().map_err(|damage| self.damaged(&damage))
    }

    /// Reads as far as it can be read; where that ends, and what is wrong there: damage, a segment that the disk does not
    /// give, or a round that `visit` could not take.
    pub(in crate::store) fn read_to_damage(
        &self,
        start: Position,
        link: Link,
        visit: Visit<'_>,
    ) -> (End, Option<StoreError>) {
        let mut reader = Reader::new(start, link);
        if let Err(damage) = self.read_with(&mut reader, visit) {
            return (reader.so_far(), Some(damage));
        }
        let so_far = reader.so_far();
        match reader.finish() {
            Ok(end) => (end, None),
            Err(damage) => (so_far, Some(self.damaged(&damage))),
        }
    }

    fn read_with(&self, reader: &mut Reader, visit: Visit<'_>) -> Result<(), StoreError> {
        let start = reader.start().segment;
        for &number in self.numbers.iter().filter(|&&number| number >= start) {
            let path = self.dir.join(segment_name(number));
            let bytes = self.disk.read(&path).map_err(io_failed("reading", &path))?;
            reader.segment(number, &bytes, visit).map_err(|error| match error {
                ReadError::Damaged(damage) => self.damaged(&damage),
                ReadError::Refused(error) => error,
            })?;
        }
        Ok(())
    }

    /// Removes the segments behind the one where the journal ends: nothing was written to them.
    pub(in crate::store) fn remove_behind(&self, end: &End) -> Result<(), StoreError> {
        for &number in self.numbers.iter().filter(|&&number| number > end.at.segment) {
            let path = self.dir.join(segment_name(number));
            self.disk.remove(&path).map_err(io_failed("removing", &path))?;
        }
        Ok(())
    }

    /// Cuts everything off behind `end`. What is there of it may be damaged, or not be there.
    pub(in crate::store) fn cut(&self, end: &End, shape: Shape) -> Result<(), StoreError> {
        let Position {
            segment: number,
            sector,
        } = end.at;
        // The last first: what is left has no gap, whenever this is interrupted.
        for &later in self.numbers.iter().rev().filter(|&&later| later > number) {
            let path = self.dir.join(segment_name(later));
            self.disk.remove(&path).map_err(io_failed("removing", &path))?;
        }
        let path = self.dir.join(segment_name(number));
        let sectors = self
            .disk
            .read(&path)
            .ok()
            .and_then(|bytes| segment::check(number, &bytes).ok())
            .filter(|&sectors| sector < sectors);
        let cut = match sectors {
            Some(sectors) => Segment::open(&*self.disk, &self.dir, number, sectors).and_then(|mut segment| {
                let zeros = vec![0; sectors.saturating_sub(sector) as usize * SECTOR_LEN];
                segment.write(sector, &zeros)
            }),
            // Nothing of this segment counts: what stands before the place where reading began is in a generation.
            None => Segment::create(&*self.disk, &self.dir, number, shape.sectors().max(sector + 2)).map(drop),
        };
        cut.map_err(io_failed("cutting the journal off in", &path))?;
        self.disk.sync_dir(&self.dir).map_err(io_failed("syncing", &self.dir))
    }

    fn damaged(&self, damage: &Damage) -> StoreError {
        StoreError::Journal {
            path: self.dir.join(segment_name(damage.segment)),
            byte: damage.byte,
            what: damage.what,
            after: damage.after,
        }
    }
}
