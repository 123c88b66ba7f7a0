//! Envelopes, sectors, records of the journal and manifests with sums that hold, around whatever bytes.

use sha2::{Digest, Sha256};

/// Bytes of a sector.
pub const SECTOR_LEN: usize = 512;

/// Bytes of a record in a sector.
pub const ROOM: usize = SECTOR_LEN - 16;

/// The place of a seal, and of a segment's first sector.
pub const SEAL: u32 = u32::MAX;

/// The place of a mark.
pub const MARK: u32 = u32::MAX - 1;

/// The value of a row: an envelope around `payload`.
#[must_use]
pub fn envelope(key: &[u8], version: u8, payload: &[u8]) -> Vec<u8> {
    let covered = [&(key.len() as u64).to_le_bytes(), key, &[version], payload].concat();
    [&[version], crc32c::crc32c(&covered).to_le_bytes().as_slice(), payload].concat()
}

/// A sector that was written. `bytes` are at most [`ROOM`].
#[must_use]
pub fn sector(segment: u64, index: u32, place: u32, round: u64, bytes: &[u8]) -> Vec<u8> {
    let mut stamped = [&place.to_le_bytes(), round.to_le_bytes().as_slice(), bytes].concat();
    stamped.resize(SECTOR_LEN - 4, 0);
    let covered = [&segment.to_le_bytes(), index.to_le_bytes().as_slice(), &stamped].concat();
    [crc32c::crc32c(&covered).to_le_bytes().as_slice(), &stamped].concat()
}

/// The first sector of a segment that says that it has so many.
#[must_use]
pub fn first_sector(segment: u64, sectors: u32) -> Vec<u8> {
    let told = [b"SKJRNL\x00\x01", sectors.to_le_bytes().as_slice()].concat();
    sector(segment, 0, SEAL, 0, &told)
}

/// A record, and its hash. `len` is the length that it tells.
#[must_use]
pub fn record(round: u64, before: &[u8; 32], len: u32, payload: &[u8]) -> (Vec<u8>, [u8; 32]) {
    let covered = [&round.to_le_bytes(), before.as_slice(), payload].concat();
    let sum = crc32c::crc32c(&covered);
    let record = [&len.to_le_bytes(), sum.to_le_bytes().as_slice(), &covered].concat();
    let hash = Sha256::digest(&record).into();
    (record, hash)
}

/// The last line of a manifest whose other lines are `text`.
#[must_use]
pub fn manifest_sum(text: &[u8]) -> String {
    format!("crc32c {:08x}\n", crc32c::crc32c(text))
}

/// The payload of a round: rows in the order of their keys, a deleted one without a record, and events.
#[must_use]
pub fn round<'a>(
    time: [u64; 2],
    rows: impl ExactSizeIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    events: &[Vec<u8>],
) -> Vec<u8> {
    let count = |len: usize| u32::try_from(len).expect("few").to_le_bytes();
    let mut bytes = time.map(u64::to_le_bytes).concat();
    bytes.extend(count(rows.len()));
    for (key, record) in rows {
        bytes.push(u8::try_from(key.len()).expect("a short key"));
        bytes.extend(key);
        bytes.extend(record.map_or([0xff; 4], |record| count(record.len())));
        bytes.extend(record.unwrap_or_default());
    }
    bytes.extend(count(events.len()));
    for event in events {
        bytes.extend(count(event.len()));
        bytes.extend(event);
    }
    bytes
}
