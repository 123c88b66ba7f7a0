//! Records of the journal: a round each, chained by the hash of the one before, so that what is missing, changed or put
//! together from two journals is found.

use sha2::{Digest, Sha256};

use super::sector::ROOM;

/// Length, checksum, round, hash of the record before.
pub(super) const HEADER_LEN: usize = 4 + 4 + 8 + 32;

/// Bytes of a round's payload, at most. A license of ten million seats that is removed with them comes to about half.
pub(super) const PAYLOAD_MAX: usize = 1 << 30;

/// Where a chain of records ends: its last round and the hash of that round's record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::store) struct Link {
    /// The last round; 0 before the first.
    pub(in crate::store) round: u64,
    /// The SHA-256 of its record; zeros before the first.
    pub(in crate::store) hash: [u8; 32],
}

/// What the first sector of a record says of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    payload_len: usize,
    sum: u32,
    round: u64,
    before: [u8; 32],
}

impl Header {
    /// Reads a header from the start of a record's bytes; nothing if they are too few or tell of too many.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<4>()?;
        let (round, rest) = rest.split_first_chunk::<8>()?;
        let (before, _) = rest.split_first_chunk::<32>()?;
        let payload_len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        (payload_len <= PAYLOAD_MAX).then_some(Self {
            payload_len,
            sum: u32::from_le_bytes(*sum),
            round: u64::from_le_bytes(*round),
            before: *before,
        })
    }

    /// The record before it, as it says.
    pub(super) fn follows(&self) -> Option<Link> {
        let round = self.round.checked_sub(1)?;
        Some(Link {
            round,
            hash: self.before,
        })
    }

    /// Sectors that the whole record takes up.
    pub(super) fn sectors(&self) -> u32 {
        sectors_of(self.payload_len)
    }
}

/// Sectors of a record with a payload of `payload_len` bytes, at most [`PAYLOAD_MAX`].
pub(super) fn sectors_of(payload_len: usize) -> u32 {
    u32::try_from((HEADER_LEN + payload_len).div_ceil(ROOM)).unwrap_or(u32::MAX)
}

/// The bytes of the record that follows `link`, and the link that follows it.
pub(super) fn write(link: &Link, payload: &[u8]) -> (Vec<u8>, Link) {
    let round = link.round + 1;
    let mut bytes = Vec::with_capacity(HEADER_LEN + payload.len());
    bytes.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(checksum(round, &link.hash, payload).to_le_bytes());
    bytes.extend(round.to_le_bytes());
    bytes.extend(link.hash);
    bytes.extend(payload);
    let hash = Sha256::digest(&bytes).into();
    (bytes, Link { round, hash })
}

/// The payload of the record in `bytes`, which may be filled up with zeros, and the link that follows it.
///
/// # Errors
/// What is wrong with it, if it is not the record that follows `link`.
pub(super) fn read<'a>(link: &Link, bytes: &'a [u8]) -> Result<(&'a [u8], Link), &'static str> {
    let header = Header::read(bytes).ok_or("a record's header does not hold")?;
    let (record, filling) = bytes
        .split_at_checked(HEADER_LEN + header.payload_len)
        .ok_or("a record is cut short")?;
    let (_, payload) = record.split_at_checked(HEADER_LEN).ok_or("a record is cut short")?;
    if header.round != link.round + 1 {
        return Err("a round is missing");
    }
    if header.before != link.hash {
        return Err("a record does not follow the one before it");
    }
    if header.sum != checksum(header.round, &header.before, payload) || filling.iter().any(|&byte| byte != 0) {
        return Err("a record's checksum does not hold");
    }
    let hash = Sha256::digest(record).into();
    Ok((
        payload,
        Link {
            round: header.round,
            hash,
        },
    ))
}

fn checksum(round: u64, before: &[u8; 32], payload: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&round.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, before);
    crc32c::crc32c_append(sum, payload)
}
