//! Reads a journal segment by segment: hands out its records, finds where it ends, and tells a record that a power cut
//! tore, which nobody was answered, from damage to one that was.

use super::record::{Header, Link, read};
use super::sector::{self, MARK, ROOM, SEAL, SECTOR_LEN, Sector};
use super::segment::{self, FIRST_SECTOR};
use super::{Damage, LAST_SECTORS, Position, ReadError};
use crate::store::StoreError;

/// Why a record that is not whole was written whole once.
const LATER: &str = "a record is not whole, but something was written after it";

/// Why something cannot stand where it does: a mark must find room behind it, or what follows would be missed.
const NO_ROOM: &str = "the segment's last sector is not kept free";

/// Why nothing can be said of a sector.
const UNSOUND: &str = "a sector's checksum does not hold";

/// A record that was being written when the power went: nobody was answered, it counts as never written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) struct Torn {
    /// Where its first sector would be.
    pub(super) at: Position,
    /// Sectors from there to its last one that was written.
    pub(super) sectors: u32,
}

/// Gets each round's number and payload.
pub(in crate::store) type Visit<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>;

/// The state of a reading between segments.
#[derive(Debug)]
pub(super) struct Reader {
    start: Position,
    link: Link,
    end: Position,
    next: Next,
    mark: Option<Position>,
    torn: Option<Torn>,
    is_sealed: bool,
}

/// What the next segment may be.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The one that the reading starts with.
    Start,
    /// The one of this number, which the one before names. Those in between are empty.
    Named(u64),
    /// An empty one: the journal has ended.
    Empty,
}

/// Where a journal ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct End {
    /// The last record.
    pub(in crate::store) link: Link,
    /// Where the next one goes.
    pub(super) at: Position,
    /// Where the last mark stands, if the reading came by one.
    pub(super) mark: Option<Position>,
    /// What has to be cut off first.
    pub(in crate::store) torn: Option<Torn>,
    /// Whether a seal follows the last record.
    pub(in crate::store) is_sealed: bool,
}

impl End {
    /// The segment where the next record goes.
    pub(in crate::store) const fn segment(&self) -> u64 {
        self.at.segment
    }
}

impl Reader {
    /// Reads from `start`, where the record that follows `link` stands.
    pub(super) const fn new(start: Position, link: Link) -> Self {
        Self {
            start,
            link,
            end: start,
            next: Next::Start,
            mark: None,
            torn: None,
            is_sealed: false,
        }
    }

    /// The last record that was read.
    pub(super) const fn link(&self) -> Link {
        self.link
    }

    /// Goes on behind another record: what stands in between cannot be read.
    pub(super) const fn go_on_behind(&mut self, link: Link) {
        self.link = link;
    }

    /// Where it starts.
    pub(super) const fn start(&self) -> Position {
        self.start
    }

    /// Reads the next segment, in the order of the numbers; those before the start are not to be given.
    pub(super) fn segment(&mut self, number: u64, bytes: &[u8], visit: Visit<'_>) -> Result<(), ReadError> {
        let sectors = segment::check(number, bytes).map_err(|what| self.damage(number, 0, what))?;
        let segment = Segment { number, bytes, sectors };
        let at = match self.next {
            Next::Start if number != self.start.segment => return Err(self.missing(self.start.segment).into()),
            Next::Named(named) if number > named => return Err(self.missing(named).into()),
            Next::Named(named) if number < named => return Ok(self.nothing_in(&segment)?),
            Next::Empty => return Ok(self.nothing_in(&segment)?),
            Next::Start => self.start.sector,
            Next::Named(_) => FIRST_SECTOR,
        };
        self.next = Next::Empty;
        self.records(&segment, at, visit)
    }

    /// Where what can be read ends, whatever follows.
    pub(super) const fn so_far(&self) -> End {
        End {
            link: self.link,
            at: self.end,
            mark: self.mark,
            torn: None,
            is_sealed: false,
        }
    }

    /// Where the journal ends, once every segment was read.
    pub(super) const fn finish(self) -> Result<End, Damage> {
        match self.next {
            Next::Start => Err(self.missing(self.start.segment)),
            Next::Named(named) => Err(self.missing(named)),
            Next::Empty => Ok(End {
                link: self.link,
                at: self.end,
                mark: self.mark,
                torn: self.torn,
                is_sealed: self.is_sealed,
            }),
        }
    }

    fn records(&mut self, segment: &Segment<'_>, mut at: u32, visit: Visit<'_>) -> Result<(), ReadError> {
        let number = segment.number;
        self.end = Position {
            segment: number,
            sector: at,
        };
        if !segment.has_room_at(at) {
            return Err(self.damage(number, at, NO_ROOM).into());
        }
        while at < segment.sectors {
            match segment.sector(at) {
                Sector::Unwritten => return Ok(self.unwritten_from(segment, at)?),
                Sector::Damaged => return Err(self.damage(number, at, UNSOUND).into()),
                Sector::Written {
                    round,
                    place: SEAL,
                    bytes,
                } => {
                    self.follows(number, at, round, bytes)?;
                    if !segment.has_room_at(at + 1) {
                        return Err(self.damage(number, at, NO_ROOM).into());
                    }
                    self.is_sealed = true;
                    at += 1;
                }
                Sector::Written {
                    round,
                    place: MARK,
                    bytes,
                } => return Ok(self.mark(segment, at, round, bytes)?),
                Sector::Written { place: 0, bytes, .. } => match self.record(segment, at, bytes, visit)? {
                    Some(after) => at = after,
                    None => return Ok(()),
                },
                Sector::Written { .. } => return Err(self.damage(number, at, "a record's start is missing").into()),
            }
            self.end = Position {
                segment: number,
                sector: at,
            };
        }
        Ok(())
    }

    /// Seals and marks name the record before them.
    pub(super) fn follows(&self, segment: u64, at: u32, round: u64, bytes: &[u8; ROOM]) -> Result<(), Damage> {
        if round != self.link.round || !bytes.starts_with(&self.link.hash) {
            return Err(self.damage(segment, at, "a seal or mark is not that of the record before it"));
        }
        Ok(())
    }

    /// Goes on in the segment that a mark names; nothing follows in this one.
    pub(super) fn mark(
        &mut self,
        segment: &Segment<'_>,
        at: u32,
        round: u64,
        bytes: &[u8; ROOM],
    ) -> Result<(), Damage> {
        self.follows(segment.number, at, round, bytes)?;
        let named = bytes
            .split_at(self.link.hash.len())
            .1
            .first_chunk()
            .map(|number| u64::from_le_bytes(*number));
        let Some(named) = named.filter(|&named| named > segment.number) else {
            return Err(self.damage(segment.number, at, "a mark names no later segment"));
        };
        if (at + 1..segment.sectors).any(|index| segment.sector(index) != Sector::Unwritten) {
            return Err(self.damage(segment.number, at, "something follows the segment's last mark"));
        }
        self.next = Next::Named(named);
        self.mark = Some(Position {
            segment: segment.number,
            sector: at,
        });
        Ok(())
    }

    /// Reads the record that starts at sector `at`: the sector after it, or nothing if it is torn.
    pub(super) fn record(
        &mut self,
        segment: &Segment<'_>,
        at: u32,
        first: &[u8; ROOM],
        visit: Visit<'_>,
    ) -> Result<Option<u32>, ReadError> {
        let damage = |what| self.damage(segment.number, at, what);
        let header = Header::read(first).ok_or_else(|| damage("a record's header does not hold"))?;
        let after = at
            .checked_add(header.sectors())
            .filter(|&after| segment.has_room_at(after))
            .ok_or_else(|| damage("a record goes beyond its segment or to its end"))?;
        let mut record = Vec::new();
        for index in at..after {
            match segment.sector(index) {
                Sector::Unwritten => {
                    self.unwritten_from(segment, at)?;
                    return Ok(None);
                }
                Sector::Written { round, place, bytes } if round == self.link.round + 1 && place == index - at => {
                    record.extend(bytes);
                }
                Sector::Written { .. } => {
                    return Err(self
                        .damage(segment.number, index, "a sector of another record stands here")
                        .into());
                }
                Sector::Damaged => return Err(self.damage(segment.number, index, UNSOUND).into()),
            }
        }
        let (payload, link) = read(&self.link, &record).map_err(damage)?;
        visit(link.round, payload).map_err(ReadError::Refused)?;
        self.link = link;
        self.is_sealed = false;
        Ok(Some(after))
    }

    /// The journal ends here: from sector `at` on nothing is written, but for what is left of the one record that was
    /// being written.
    pub(super) fn unwritten_from(&mut self, segment: &Segment<'_>, at: u32) -> Result<(), Damage> {
        for index in at..segment.sectors {
            match segment.sector(index) {
                Sector::Unwritten => {}
                Sector::Written { round, place, .. } if round == self.link.round + 1 && place == index - at => {
                    self.torn = Some(Torn {
                        at: Position {
                            segment: segment.number,
                            sector: at,
                        },
                        sectors: index - at + 1,
                    });
                }
                Sector::Written { .. } => return Err(self.damage(segment.number, at, LATER)),
                Sector::Damaged => return Err(self.damage(segment.number, index, UNSOUND)),
            }
        }
        Ok(())
    }

    /// A segment that was made ahead and never used.
    pub(super) fn nothing_in(&self, segment: &Segment<'_>) -> Result<(), Damage> {
        let is_written = |&index: &u32| segment.sector(index) != Sector::Unwritten;
        match (FIRST_SECTOR..segment.sectors).find(is_written) {
            None => Ok(()),
            Some(index) if segment.sector(index) == Sector::Damaged => Err(self.damage(segment.number, index, UNSOUND)),
            Some(_) => Err(self.damage(self.end.segment, self.end.sector, LATER)),
        }
    }

    const fn missing(&self, segment: u64) -> Damage {
        self.damage(segment, 0, "the segment is missing")
    }

    pub(super) const fn damage(&self, segment: u64, sector: u32, what: &'static str) -> Damage {
        Damage {
            segment,
            byte: sector as u64 * SECTOR_LEN as u64,
            what,
            after: self.link.round,
        }
    }
}

/// A segment that is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
    pub(super) sectors: u32,
}

impl Segment<'_> {
    /// Whether a mark can stand at sector `at` or behind it.
    pub(super) const fn has_room_at(&self, at: u32) -> bool {
        at <= self.sectors.saturating_sub(LAST_SECTORS)
    }

    pub(super) fn sector(&self, index: u32) -> Sector<'_> {
        let start = index as usize * SECTOR_LEN;
        match self.bytes.get(start..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => sector::read(self.number, index, bytes),
            None => Sector::Damaged,
        }
    }
}
