//! What stands around every record: version, checksum, payload. Outside serde, so that any release can tell "newer",
//! "damaged" and "mine" apart before it looks inside.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::ids::IdError;

/// The longest record with its envelope, in bytes. The largest is a catalogue, which travels in one frame of 64 KiB;
/// its parsed form and its single entries are several times that.
pub const RECORD_LEN_MAX: usize = 1 << 20;

/// The version and the checksum.
const HEADER_LEN: usize = 5;

/// Bytes that nearly every record has room in.
const ROOM_LEN: usize = 512;

/// Why a record cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes are not those that were written, or were written under another key.
    #[error("its checksum does not hold")]
    Checksum,
    /// The payload cannot be taken apart.
    #[error("its fields cannot be read")]
    Decode(#[from] bincode::error::DecodeError),
    /// The payload cannot be put together.
    #[error("its fields cannot be written")]
    Encode(#[from] bincode::error::EncodeError),
    /// It tells of an event of a kind that this release does not know.
    #[error("it tells of an event of kind {0}, which only a newer seatkeeper knows")]
    EventKind(u8),
    /// It holds a name that is not one.
    #[error("it holds a name that is not one")]
    Id(#[from] IdError),
    /// A field has a value that is not allowed.
    #[error("its field {0} has a value that is not allowed")]
    Field(&'static str),
    /// No kind of record has such a key.
    #[error("no kind of record has such a key; a newer seatkeeper may have written it")]
    Key,
    /// More than [`RECORD_LEN_MAX`] bytes.
    #[error("it has {0} bytes, more than a record may have")]
    TooLong(usize),
    /// Bytes follow the last field.
    #[error("bytes follow its last field")]
    Trailing,
    /// Shorter than what stands before its fields.
    #[error("it is cut short")]
    Truncated,
    /// A newer release wrote it.
    #[error("it has version {0}, written by a newer seatkeeper")]
    Version(u8),
}

/// Every choice spelled out: bincode's defaults must not be able to change our files.
fn config() -> impl bincode::config::Config {
    bincode::config::standard()
        .with_little_endian()
        .with_fixed_int_encoding()
        .with_limit::<RECORD_LEN_MAX>()
}

/// Covers the key too, so that a good value under a wrong key is found.
fn checksum(key: &[u8], version: u8, payload: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&(key.len() as u64).to_le_bytes());
    let sum = crc32c::crc32c_append(sum, key);
    let sum = crc32c::crc32c_append(sum, &[version]);
    crc32c::crc32c_append(sum, payload)
}

/// The record of `value` under `key`.
pub(super) fn seal<T: Serialize>(key: &[u8], version: u8, value: &T) -> Result<Vec<u8>, RecordError> {
    // Room for nearly every record, so that none is moved while it grows.
    let mut record = Vec::with_capacity(ROOM_LEN);
    seal_into(&mut record, key, version, value)?;
    Ok(record)
}

/// Appends the record of `value` under `key`; what there is of it after an error is of no use.
pub(super) fn seal_into<T: Serialize>(
    out: &mut Vec<u8>,
    key: &[u8],
    version: u8,
    value: &T,
) -> Result<(), RecordError> {
    let begin = out.len();
    out.extend([0; HEADER_LEN]);
    bincode::serde::encode_into_std_write(value, out, config())?;
    let record = out.get_mut(begin..).unwrap_or_default();
    if record.len() > RECORD_LEN_MAX {
        return Err(RecordError::TooLong(record.len()));
    }
    if let Some((header, payload)) = record.split_first_chunk_mut::<HEADER_LEN>() {
        let [a, b, c, d] = checksum(key, version, payload).to_le_bytes();
        *header = [version, a, b, c, d];
    }
    Ok(())
}

/// The record of a payload under `key`.
#[cfg(test)]
pub(super) fn seal_payload(key: &[u8], version: u8, payload: &[u8]) -> Result<Vec<u8>, RecordError> {
    let mut record = Vec::with_capacity(HEADER_LEN + payload.len());
    record.push(version);
    record.extend(checksum(key, version, payload).to_le_bytes());
    record.extend(payload);
    if record.len() > RECORD_LEN_MAX {
        return Err(RecordError::TooLong(record.len()));
    }
    Ok(record)
}

/// The fields of `value` as a payload.
pub(super) fn payload_of<T: Serialize>(value: &T) -> Result<Vec<u8>, RecordError> {
    Ok(bincode::serde::encode_to_vec(value, config())?)
}

/// The version and the payload of a record that is whole.
pub(super) fn unseal<'a>(key: &[u8], record: &'a [u8]) -> Result<(u8, &'a [u8]), RecordError> {
    if record.len() > RECORD_LEN_MAX {
        return Err(RecordError::TooLong(record.len()));
    }
    let (&[version, ref sum @ ..], payload) = record.split_first_chunk::<HEADER_LEN>().ok_or(RecordError::Truncated)?;
    if *sum != checksum(key, version, payload).to_le_bytes() {
        return Err(RecordError::Checksum);
    }
    Ok((version, payload))
}

/// The fields of a payload, all of it.
pub(super) fn fields<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, RecordError> {
    let (value, read) = bincode::serde::borrow_decode_from_slice(payload, config())?;
    if read != payload.len() {
        return Err(RecordError::Trailing); // bincode itself accepts trailing bytes
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sample = (u64, String, Vec<u8>, Option<bool>);

    fn sample() -> Sample {
        (7, "seat".into(), vec![1, 2, 3], Some(true))
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let record = seal(b"key", 1, &sample()).unwrap();
        let (version, payload) = unseal(b"key", &record).unwrap();
        assert_eq!((version, fields::<Sample>(payload).unwrap()), (1, sample()));
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                matches!(unseal(b"key", &flipped), Err(RecordError::Checksum)),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn every_cut_is_found() {
        let record = seal(b"key", 1, &sample()).unwrap();
        for len in 0..record.len() {
            assert!(unseal(b"key", &record[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_record_under_another_key_is_found() {
        let record = seal(b"key", 1, &sample()).unwrap();
        for other in [b"kez".as_slice(), b"ke", b"keyy", b""] {
            assert!(matches!(unseal(other, &record), Err(RecordError::Checksum)));
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let record = seal(b"key", 1, &(7_u64, 9_u8)).unwrap();
        let (_, payload) = unseal(b"key", &record).unwrap();
        assert!(matches!(fields::<u64>(payload), Err(RecordError::Trailing)));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_memory_is_taken() {
        let payload = u64::MAX.to_le_bytes();
        assert!(matches!(fields::<Vec<u8>>(&payload), Err(RecordError::Decode(_))));
        assert!(seal(b"key", 1, &vec![0_u8; RECORD_LEN_MAX]).is_err());
    }

    #[test]
    fn the_bytes_are_those_of_the_format_page() {
        let record = seal(b"k", 1, &(0x0102_u16, "ab", Some(3_u8), None::<u8>)).unwrap();
        assert_eq!(record[0], 1);
        assert_eq!(record[5..], [2, 1, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', 1, 3, 0]);
    }
}
