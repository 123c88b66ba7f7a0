//! The sectors of a segment. A disk writes a sector whole or not at all, so each carries a stamp of its own: a record
//! that was torn by a power cut has sectors that were never written, a damaged one has sectors that do not hold.

/// Bytes of a sector.
pub(crate) const SECTOR_LEN: usize = 512;

/// Bytes of a sector's checksum, which stands first.
const SUM_LEN: usize = 4;

/// Checksum, place in the record, round.
const STAMP_LEN: usize = SUM_LEN + 4 + 8;

/// Bytes of a record that fit into a sector.
pub(super) const ROOM: usize = SECTOR_LEN - STAMP_LEN;

/// What a sector holds.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Sector<'a> {
    /// Neither written nor never written: a disk or a hand changed it.
    Damaged,
    /// Zeros, as the segment was made.
    Unwritten,
    /// A part of a record.
    Written {
        /// The round that the record is of.
        round: u64,
        /// How many sectors of the record come before this one; [`SEAL`] for a seal.
        place: u32,
        /// The record's bytes, in the last sector filled up with zeros.
        bytes: &'a [u8; ROOM],
    },
}

/// The place of a seal: it says that the record before it was answered. No record has so many sectors.
pub(super) const SEAL: u32 = u32::MAX;

/// The place of a mark: it says which segment the journal goes on in.
pub(super) const MARK: u32 = u32::MAX - 1;

/// Appends the sectors of `bytes`, the first of them sector `index` of segment `segment`, to `out`.
pub(super) fn write(segment: u64, index: u32, round: u64, bytes: &[u8], out: &mut Vec<u8>) {
    for (place, part) in (0..MARK).zip(bytes.chunks(ROOM)) {
        write_one(segment, index.wrapping_add(place), round, place, part, out);
    }
}

/// Appends one sector to `out`. `part` is at most [`ROOM`] bytes.
pub(super) fn write_one(segment: u64, index: u32, round: u64, place: u32, part: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; SUM_LEN]);
    out.extend(place.to_le_bytes());
    out.extend(round.to_le_bytes());
    out.extend(part);
    out.resize(start + SECTOR_LEN, 0);
    let sector = out.get_mut(start..).and_then(<[u8]>::split_first_chunk_mut::<SUM_LEN>);
    if let Some((sum, stamped)) = sector {
        *sum = checksum(segment, index, stamped).to_le_bytes();
    }
}

/// What sector `index` of segment `segment` holds.
pub(super) fn read(segment: u64, index: u32, sector: &[u8; SECTOR_LEN]) -> Sector<'_> {
    if *sector == [0; SECTOR_LEN] {
        return Sector::Unwritten;
    }
    let Some((sum, stamped)) = sector.split_first_chunk::<SUM_LEN>() else {
        return Sector::Damaged;
    };
    if checksum(segment, index, stamped).to_le_bytes() != *sum {
        return Sector::Damaged;
    }
    let parts = stamped.split_first_chunk::<4>().and_then(|(place, rest)| {
        let (round, bytes) = rest.split_first_chunk::<8>()?;
        Some((place, round, <&[u8; ROOM]>::try_from(bytes).ok()?))
    });
    match parts {
        Some((place, round, bytes)) => Sector::Written {
            round: u64::from_le_bytes(*round),
            place: u32::from_le_bytes(*place),
            bytes,
        },
        None => Sector::Damaged,
    }
}

/// Covers where the sector stands, so that a good sector in a wrong place is found.
fn checksum(segment: u64, index: u32, stamped: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&segment.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &index.to_le_bytes());
    crc32c::crc32c_append(sum, stamped)
}
