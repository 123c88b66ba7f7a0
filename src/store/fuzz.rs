//! Doors for `tests/fuzz` into what the store keeps to itself: how bytes on disk are read and written. No part of the
//! library: what is here may change or go at any time, and nothing else may use it.

use std::path::Path;
use std::sync::Arc;

use super::chronicle::Chronicle;
use super::disk::Disk;
use super::envelope::RecordError;
use super::journal::{End, Found, Journal, Link, Position, Shape};
use super::manifest::{Generation, Manifest};
use super::{Round, StoreError, records, round, rows};
use crate::domain::change::{Change, Event, Fact};
use crate::domain::time::Now;

/// A row as it is on disk: its key, and its record or nothing where it is deleted.
pub type DiskRow = (Vec<u8>, Option<Vec<u8>>);

/// The row that a fact is written as.
///
/// # Errors
/// The fact cannot be stored.
pub fn row(fact: Fact) -> Result<Option<DiskRow>, StoreError> {
    let change = Change::from(fact);
    let rows = rows::rows(&[change])?;
    let row = rows.iter().next();
    Ok(row.map(|(key, record)| (key.to_vec(), record.map(<[u8]>::to_vec))))
}

/// The fact in a row of a generation; nothing in the row that is about the generation itself.
///
/// # Errors
/// The row cannot be read.
pub fn stored(key: &[u8], record: &[u8]) -> Result<Option<Fact>, RecordError> {
    let fact = rows::stored(key, record)?;
    if fact.is_none() {
        rows::meta(record)?;
    }
    Ok(fact)
}

/// The fact that a row of the journal tells.
///
/// # Errors
/// The row cannot be read.
pub fn told(key: &[u8], record: Option<&[u8]>) -> Result<Fact, RecordError> {
    rows::told(key, record)
}

/// The bytes of an event.
///
/// # Errors
/// The event cannot be stored.
pub fn event_bytes(event: &Event) -> Result<Vec<u8>, RecordError> {
    records::event_bytes(event)
}

/// The event that has these bytes.
///
/// # Errors
/// No event has them.
pub fn event(bytes: &[u8]) -> Result<Event, RecordError> {
    records::event(bytes)
}

/// The payload of a round.
///
/// # Errors
/// One of its changes cannot be stored.
pub fn round_bytes(round: &Round<'_>) -> Result<Vec<u8>, StoreError> {
    round::write(round, &rows::rows(round.changes)?)
}

/// The time of a round and the facts that its rows tell.
///
/// # Errors
/// The payload or one of its rows cannot be read.
pub fn read_round(payload: &[u8]) -> Result<(Now, Vec<Fact>), RecordError> {
    let round = round::read(payload)?;
    let facts = round.rows.iter().map(|&(key, record)| told(key, record));
    Ok((round.now, facts.collect::<Result<_, _>>()?))
}

/// A manifest as it is written anew, and the one that follows when the next generation was made.
#[derive(Debug)]
pub struct ReadManifest {
    /// Its text.
    pub text: String,
    /// The number of the one that follows, and its text.
    pub next: (u64, String),
}

/// The manifest that has this number and these bytes; nothing if none has.
#[must_use]
pub fn manifest(number: u64, bytes: &[u8]) -> Option<ReadManifest> {
    let manifest = Manifest::read(number, bytes)?;
    let newest = *manifest.generations.first()?;
    let next = manifest.next(Generation {
        number: newest.number + 1,
        ..newest
    });
    Some(ReadManifest {
        text: manifest.text(),
        next: (next.number, next.text()),
    })
}

/// A journal whose segments are made as they are needed.
#[derive(Debug)]
pub struct Writing(Journal);

/// Where a reading starts, and what stands before it.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The number of the segment.
    pub segment: u64,
    /// The sector in it.
    pub sector: u32,
    /// The round before.
    pub round: u64,
    /// The hash of its record.
    pub hash: [u8; 32],
}

impl Start {
    /// Where a whole journal starts.
    pub const FIRST: Self = Self {
        segment: Position::FIRST.segment,
        sector: Position::FIRST.sector,
        round: 0,
        hash: [0; 32],
    };

    const fn position(&self) -> Position {
        Position {
            segment: self.segment,
            sector: self.sector,
        }
    }

    const fn link(&self) -> Link {
        Link {
            round: self.round,
            hash: self.hash,
        }
    }
}

/// A journal as far as it was read: its rounds, and where it ends or why that cannot be told.
#[derive(Debug)]
pub struct Reading {
    /// Each round that was handed out: its number and its payload.
    pub rounds: Vec<(u64, Vec<u8>)>,
    /// Where it ends.
    pub end: Result<ReadEnd, StoreError>,
}

/// Where a journal ends.
#[derive(Debug)]
pub struct ReadEnd {
    end: End,
    /// The last round.
    pub round: u64,
    /// Whether a record that nobody was answered follows.
    pub is_torn: bool,
}

impl ReadEnd {
    /// Whether it says that the last round was answered.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.end.is_sealed
    }
}

/// The shape of journals with segments of `segment_bytes` bytes.
const fn shape(segment_bytes: u32) -> Shape {
    Shape { segment_bytes }
}

impl Writing {
    /// Makes an empty journal in the directory `data`.
    ///
    /// # Errors
    /// The disk fails.
    pub fn create(disk: Arc<dyn Disk>, data: &Path, segment_bytes: u32) -> Result<Self, StoreError> {
        Journal::create(disk, data, shape(segment_bytes), Link::default()).map(Self)
    }

    /// Goes on with a journal where it was read to end.
    ///
    /// # Errors
    /// The disk fails, or what was read has changed.
    pub fn resume(disk: Arc<dyn Disk>, data: &Path, segment_bytes: u32, end: &ReadEnd) -> Result<Self, StoreError> {
        Journal::resume(Found::look(disk, data)?, shape(segment_bytes), None, &end.end).map(Self)
    }

    /// Appends the next round.
    ///
    /// # Errors
    /// The disk fails.
    pub fn append(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        self.0.append(payload)
    }

    /// Says that the last round was answered.
    ///
    /// # Errors
    /// The disk fails.
    pub fn seal(&mut self) -> Result<(), StoreError> {
        self.0.seal()
    }
}

/// Reads the journal in the directory `data`.
///
/// # Errors
/// The directory cannot be read.
pub fn read_journal(disk: Arc<dyn Disk>, data: &Path, start: Start) -> Result<Reading, StoreError> {
    let mut rounds = Vec::new();
    let read = Found::look(disk, data)?.read(start.position(), start.link(), &mut |round, payload| {
        rounds.push((round, payload.to_vec()));
        Ok(())
    });
    let end = read.map(|end| ReadEnd {
        end,
        round: end.link.round,
        is_torn: end.torn.is_some(),
    });
    Ok(Reading { rounds, end })
}

/// Cuts off what follows the last round that can be read, as `repair --cut-tail` does, and tells that round.
///
/// # Errors
/// The disk fails.
pub fn cut_journal(disk: Arc<dyn Disk>, data: &Path, start: Start, segment_bytes: u32) -> Result<u64, StoreError> {
    let found = Found::look(disk, data)?;
    let (end, _) = found.read_to_damage(start.position(), start.link(), &mut |_, _| Ok(()));
    found.cut(&end, shape(segment_bytes))?;
    Ok(end.link.round)
}

/// A reader of the events in the directory `data`.
#[must_use]
pub fn chronicle(disk: Arc<dyn Disk>, data: &Path) -> Chronicle {
    Chronicle::new(disk, data)
}
