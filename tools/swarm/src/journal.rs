//! Reads what a server wrote into its journal, as `src/store/FORMAT.md` draws it: how long, and how much of it says something.

use std::io;
use std::path::Path;

/// Bytes of a sector, and of what stands before its part of a record.
const SECTOR_LEN: usize = 512;
const SECTOR_HEAD_LEN: usize = 16;

/// Bytes of a record before its payload.
const RECORD_HEAD_LEN: usize = 48;

/// The first place of a sector that is no part of a record.
const NO_RECORD: u32 = u32::MAX - 1;

/// A sector of the journal.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    segment: u64,
    sector: usize,
}

/// What stands in a part of the journal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    /// Records: as many rounds were made durable.
    pub(crate) rounds: u64,
    /// Bytes of their payloads.
    pub(crate) payload_len: u64,
    /// Bytes that it takes, in whole sectors; those that say where it goes on among them.
    pub(crate) len: u64,
}

/// The place behind the last record.
pub(crate) fn end(data: &Path) -> io::Result<Place> {
    let mut end = Place { segment: 0, sector: 0 };
    walk(data, end, |place, _| end = place)?;
    Ok(end)
}

/// What was written from this place on; it must still be there.
pub(crate) fn since(data: &Path, from: Place) -> io::Result<Tally> {
    let mut all = Tally::default();
    walk(data, from, |_, tally| {
        all.rounds += tally.rounds;
        all.payload_len += tally.payload_len;
        all.len += tally.len;
    })?;
    Ok(all)
}

/// Hands out whatever stands from a place on, and the place behind it.
fn walk(data: &Path, from: Place, mut visit: impl FnMut(Place, Tally)) -> io::Result<()> {
    let journal = data.join("journal");
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(&journal)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".journal")?.parse().ok());
        segments.extend(number.filter(|&number: &u64| number >= from.segment));
    }
    segments.sort_unstable();
    for segment in segments {
        let bytes = std::fs::read(journal.join(format!("{segment:010}.journal")))?;
        let first = if segment == from.segment { from.sector } else { 0 };
        let mut sector = first;
        while let Some((count, tally)) = bytes.get(sector * SECTOR_LEN..).and_then(read) {
            // Of an empty segment nothing was used yet.
            if sector > 0 || bytes.get(SECTOR_LEN..).and_then(read).is_some() {
                visit(
                    Place {
                        segment,
                        sector: sector + count,
                    },
                    tally,
                );
            }
            sector += count;
        }
    }
    Ok(())
}

/// What begins with these bytes, and how many sectors it takes; nothing where there are only zeros.
fn read(bytes: &[u8]) -> Option<(usize, Tally)> {
    let head = bytes.get(..SECTOR_HEAD_LEN)?;
    if head.iter().all(|&byte| byte == 0) {
        return None;
    }
    let sector = SECTOR_LEN as u64;
    if number(head, 4)? >= NO_RECORD {
        return Some((
            1,
            Tally {
                len: sector,
                ..Tally::default()
            },
        ));
    }
    let record = bytes.get(SECTOR_HEAD_LEN..SECTOR_LEN)?;
    let payload_len = number(record, 0)?;
    let len = RECORD_HEAD_LEN + usize::try_from(payload_len).ok()?;
    let count = len.div_ceil(SECTOR_LEN - SECTOR_HEAD_LEN);
    let tally = Tally {
        rounds: 1,
        payload_len: payload_len.into(),
        len: count as u64 * sector,
    };
    Some((count, tally))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sector with this place and this part of a record.
    fn sector(place: u32, part: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; SECTOR_LEN];
        bytes[0] = 1;
        bytes[4..8].copy_from_slice(&place.to_le_bytes());
        bytes[SECTOR_HEAD_LEN..][..part.len()].copy_from_slice(part);
        bytes
    }

    /// A record with so many bytes of payload, in its sectors.
    fn record(payload_len: u32) -> Vec<u8> {
        let mut record = vec![7; RECORD_HEAD_LEN + payload_len as usize];
        record[..4].copy_from_slice(&payload_len.to_le_bytes());
        let parts = record.chunks(SECTOR_LEN - SECTOR_HEAD_LEN);
        (0..).zip(parts).flat_map(|(place, part)| sector(place, part)).collect()
    }

    #[test]
    fn what_was_written_since_a_place_is_counted_by_the_sector() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("journal");
        std::fs::create_dir(&journal).unwrap();
        let write = |number: u64, mut bytes: Vec<u8>| {
            bytes.resize(16 * SECTOR_LEN, 0);
            std::fs::write(journal.join(format!("{number:010}.journal")), bytes).unwrap();
        };
        let first = sector(u32::MAX, b"SKJRNL");
        write(1, [first.clone(), record(100)].concat());
        write(2, first.clone());
        let before = end(dir.path()).unwrap();
        assert_eq!(before, Place { segment: 1, sector: 2 });
        // A record of three sectors, the mark, and one of a sector in the next segment.
        let mark = sector(NO_RECORD, &[]);
        write(1, [first.clone(), record(100), record(1_400), mark].concat());
        write(2, [first.clone(), record(448)].concat());
        write(3, first);
        let written = since(dir.path(), before).unwrap();
        let expected = Tally {
            rounds: 2,
            payload_len: 1_848,
            len: 6 * 512,
        };
        assert_eq!(written, expected);
        assert_eq!(end(dir.path()).unwrap(), Place { segment: 2, sector: 2 });
    }
}
