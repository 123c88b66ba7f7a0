//! Reads one segment by itself, from any round on: for the event log, which goes on behind what is damaged and says so.

use super::reader::{Reader, Segment};
use super::record::{Header, Link};
use super::sector::{MARK, SEAL, SECTOR_LEN, Sector};
use super::segment::{self, FIRST_SECTOR};
use super::{Damage, Position, ReadError};

/// A segment that is being read.
#[derive(Debug)]
pub(in crate::store) struct Walk<'a> {
    segment: Segment<'a>,
    reader: Reader,
    at: u32,
    through: u64,
    is_over: bool,
}

/// A round as it stands in the journal.
#[derive(Debug)]
pub(in crate::store) struct Read {
    /// The record before it, as it says.
    pub(in crate::store) before: Link,
    /// The record itself.
    pub(in crate::store) link: Link,
    pub(in crate::store) payload: Vec<u8>,
}

/// How a segment begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Beginning {
    /// Nothing was written to it.
    Nothing,
    /// With this round.
    Round(u64),
    /// That cannot be told by its beginning alone.
    Unclear,
}

impl<'a> Walk<'a> {
    /// Reads segment `number` from round `from` on, or from the first that it holds if that is later. What stands behind
    /// round `through` is not looked at: it may be being written.
    pub(in crate::store) fn new(number: u64, bytes: &'a [u8], from: u64, through: u64) -> Result<Self, Damage> {
        let sectors = segment::check(number, bytes).map_err(|what| Damage {
            segment: number,
            byte: 0,
            what,
            after: 0,
        })?;
        let segment = Segment { number, bytes, sectors };
        let start = Position {
            segment: number,
            sector: FIRST_SECTOR,
        };
        let mut walk = Self {
            segment,
            reader: Reader::new(start, Link::default()),
            at: FIRST_SECTOR,
            through,
            is_over: false,
        };
        walk.go_on_from(if from == 0 { FIRST_SECTOR } else { walk.place_of(from) });
        Ok(walk)
    }

    /// The next round, or what is damaged; after that it goes on with the next record that can be found.
    pub(in crate::store) fn next(&mut self) -> Option<Result<Read, Damage>> {
        if self.is_over {
            return None;
        }
        match self.try_next() {
            Ok(Some(read)) => Some(Ok(read)),
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(damage) => {
                let sector = u32::try_from(damage.byte / SECTOR_LEN as u64).unwrap_or(u32::MAX);
                // A record that may be whole itself, but does not follow what was read, is read for its own sake.
                let is_stranger = self.follows_at(sector).is_some_and(|link| link != self.reader.link());
                self.go_on_from(if is_stranger {
                    sector
                } else {
                    sector.max(self.at).saturating_add(1)
                });
                Some(Err(damage))
            }
        }
    }

    /// Bytes of a segment that [`Walk::begins_with`] needs.
    pub(in crate::store) const START_LEN: usize = 2 * SECTOR_LEN;

    /// What the beginning of a segment says of its first record.
    pub(in crate::store) fn begins_with(number: u64, start: &[u8]) -> Beginning {
        if segment::told(number, start).is_err() {
            return Beginning::Unclear;
        }
        let segment = Segment {
            number,
            bytes: start,
            sectors: FIRST_SECTOR + 1,
        };
        match segment.sector(FIRST_SECTOR) {
            Sector::Written { place: 0, round, .. } => Beginning::Round(round),
            Sector::Unwritten => Beginning::Nothing,
            Sector::Damaged | Sector::Written { .. } => Beginning::Unclear,
        }
    }

    /// The first round that can be read.
    pub(in crate::store) fn first_round(number: u64, bytes: &[u8]) -> Option<u64> {
        let mut walk = Walk::new(number, bytes, 0, u64::MAX).ok()?;
        loop {
            // Nothing is known of what stands before it, if that is damaged.
            if let Ok(read) = walk.next()? {
                return Some(read.link.round);
            }
        }
    }

    /// The newest round up to `through` of which the beginning can be read.
    pub(in crate::store) fn newest_round(number: u64, bytes: &[u8], through: u64) -> Option<u64> {
        let walk = Walk::new(number, bytes, through.saturating_add(1), u64::MAX).ok()?;
        // Where a sector cannot be read, the place of a round is not known.
        let end = match walk.place_of(through.saturating_add(1)) {
            FIRST_SECTOR => walk.segment.sectors,
            place => (place + 1).min(walk.segment.sectors),
        };
        let mut rounds = (FIRST_SECTOR..end)
            .rev()
            .filter_map(|index| match walk.segment.sector(index) {
                Sector::Written { place: 0, round, .. } => Some(round),
                Sector::Damaged | Sector::Unwritten | Sector::Written { .. } => None,
            });
        rounds.find(|round| *round <= through)
    }

    fn try_next(&mut self) -> Result<Option<Read>, Damage> {
        let segment = self.segment;
        while self.at < segment.sectors && self.reader.link().round < self.through {
            let at = self.at;
            match segment.sector(at) {
                Sector::Written { place: 0, bytes, .. } => {
                    let before = self.reader.link();
                    let mut payload = Vec::new();
                    let after = self.reader.record(&segment, at, bytes, &mut |_, bytes| {
                        payload.extend(bytes);
                        Ok(())
                    });
                    let after = after.map_err(|error| match error {
                        ReadError::Damaged(damage) => damage,
                        // It refuses nothing.
                        ReadError::Refused(_) => self.reader.damage(segment.number, at, "it cannot be read"),
                    })?;
                    let Some(after) = after else { return Ok(None) };
                    self.at = after;
                    return Ok(Some(Read {
                        before,
                        link: self.reader.link(),
                        payload,
                    }));
                }
                Sector::Written {
                    round,
                    place: SEAL,
                    bytes,
                } => {
                    self.reader.follows(segment.number, at, round, bytes)?;
                    self.at += 1;
                }
                Sector::Written {
                    round,
                    place: MARK,
                    bytes,
                } => {
                    self.reader.mark(&segment, at, round, bytes)?;
                    return Ok(None);
                }
                Sector::Written { .. } => {
                    return Err(self.reader.damage(segment.number, at, "a record's start is missing"));
                }
                Sector::Unwritten => {
                    self.reader.unwritten_from(&segment, at)?;
                    return Ok(None);
                }
                Sector::Damaged => {
                    return Err(self
                        .reader
                        .damage(segment.number, at, "a sector's checksum does not hold"));
                }
            }
        }
        Ok(None)
    }

    /// Goes on with the first record that begins at sector `at` or behind it and is not behind the end. What is damaged in
    /// between was told, unless it stands at the very beginning.
    fn go_on_from(&mut self, at: u32) {
        for index in at..self.segment.sectors {
            match self.segment.sector(index) {
                Sector::Written { place: 0, .. } => {
                    let follows = self.follows_at(index);
                    if let Some(link) = follows.filter(|link| link.round >= self.reader.link().round) {
                        self.reader.go_on_behind(link);
                        self.at = index;
                        self.is_over = link.round >= self.through;
                        return;
                    }
                }
                // Nothing was told of it yet.
                Sector::Damaged if index == FIRST_SECTOR => {
                    self.at = index;
                    return;
                }
                // What was never written is followed by nothing, but for what damage left.
                Sector::Damaged | Sector::Unwritten | Sector::Written { .. } => {}
            }
        }
        self.is_over = true;
    }

    /// What the record that begins at this sector says that it follows; nothing if none begins there.
    fn follows_at(&self, index: u32) -> Option<Link> {
        match self.segment.sector(index) {
            Sector::Written { place: 0, bytes, .. } => Header::read(bytes)?.follows(),
            _ => None,
        }
    }

    /// The first sector of round `from`, or of the first one behind it. Rounds ascend; where a sector on the way cannot be
    /// read, the first sector of all.
    fn place_of(&self, from: u64) -> u32 {
        let (mut low, mut high) = (FIRST_SECTOR, self.segment.sectors);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.segment.sector(middle) {
                Sector::Written { round, .. } if round < from => low = middle + 1,
                Sector::Written { .. } | Sector::Unwritten => high = middle,
                Sector::Damaged => return FIRST_SECTOR,
            }
        }
        low
    }
}
