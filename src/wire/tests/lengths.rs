//! Every length that bytes can tell: at its bound, beside it, and far from it.

use super::*;
use crate::wire::messages::{FieldRow, MessageRow};
use crate::wire::peek_header;

/// Lengths around `bound`, and all powers of two with their neighbours, up to `most`.
fn lengths(bound: u64, most: u64) -> BTreeSet<u64> {
    let powers = (0..=32).map(|power| 1_u64 << power);
    powers
        .chain([bound])
        .flat_map(|length| [length - 1, length, length + 1])
        .filter(|length| *length <= most)
        .collect()
}

fn header(len: u32) -> [u8; HEADER_LEN] {
    let mut header = [0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 1];
    header[..4].copy_from_slice(&len.to_be_bytes());
    header
}

/// Judges a header that announces a body of `len` bytes.
fn judge(len: u32) {
    let told = peek_header(&header(len)).map(|header| header.map(|header| header.body_len));
    let len = len as usize;
    if len <= BODY_LEN_MAX {
        assert_eq!(told, Ok(Some(len)));
    } else {
        assert_eq!(told, Err(FrameError::BodyTooLong { len }));
    }
}

#[test]
fn a_header_is_judged_by_the_length_that_it_tells_over_the_whole_range() {
    // A prime, so that no residue is left out; every length up to beyond the bound.
    for len in (0..=u32::MAX)
        .step_by(65_521)
        .chain(0..=2 * 65_536)
        .chain(u32::MAX - 9..=u32::MAX)
    {
        judge(len);
    }
    for len in lengths(BODY_LEN_MAX as u64, u64::from(u32::MAX)) {
        judge(u32::try_from(len).expect("four bytes"));
    }
}

#[test]
#[ignore = "minutes: cargo test --release -p seatkeeper --lib -- --ignored every_length_that_four_bytes"]
fn every_length_that_four_bytes_can_tell_is_judged() {
    for len in 0..=u32::MAX {
        // The compiler must not see that it is every length: it would judge them all while it compiles.
        judge(std::hint::black_box(len));
    }
}

#[test]
fn a_header_takes_no_memory_beyond_what_a_frame_may_have() {
    for len in lengths(BODY_LEN_MAX as u64, u64::from(u32::MAX)) {
        let mut input = BytesMut::from(&header(u32::try_from(len).expect("four bytes"))[..]);
        let taken = decode_frame(&mut input);
        match len {
            0 => assert!(matches!(taken, Ok(Some(_)))),
            1..=65_536 => assert_eq!(taken, Ok(None)),
            _ => assert!(matches!(taken, Err(FrameError::BodyTooLong { .. }))),
        }
        assert!(input.capacity() <= 2 * (HEADER_LEN + BODY_LEN_MAX), "{len}");
    }
}

/// Reads a body in which the one field `field` has a value of `len` bytes, of which the last `missing` are not there.
fn read(row: &MessageRow, field: &FieldRow, len: u64, missing: usize) -> Result<Bytes, DecodeError> {
    let len = usize::try_from(len).expect("two bytes");
    let mut out = Writer::new();
    tlv::put(&mut out, field.tag, &vec![b'A'; len]).expect("two bytes");
    let mut body = out.into_bytes();
    body.truncate(body.len() - missing);
    (row.recode)(&body)
}

#[test]
fn every_field_refuses_what_is_longer_than_its_bound_and_what_is_cut_short() {
    for row in messages::TABLE {
        for field in row.fields {
            for len in lengths(field.len_max as u64, tlv::VALUE_LEN_MAX as u64) {
                let name = format!("{}.{} of {len} bytes", row.name, field.name);
                let refused = read(row, field, len, 0).err();
                let is_too_long = matches!(
                    refused,
                    Some(DecodeError::TooLong { max, len: told, .. }) if max == field.len_max && told as u64 == len
                );
                assert_eq!(is_too_long, len > field.len_max as u64, "{name}: {refused:?}");
                let is_fixed = !matches!(field.kind, "text" | "bytes") && field.len_max <= 32;
                if is_fixed && len < field.len_max as u64 && !(field.kind == "address" && len == 4) {
                    let is_judged = matches!(
                        refused,
                        Some(DecodeError::Truncated { .. } | DecodeError::Invalid { .. })
                    );
                    assert!(is_judged, "{name}: {refused:?}");
                }
                if len > 0 {
                    let cut = read(row, field, len, 1);
                    assert!(matches!(cut, Err(DecodeError::Truncated { .. })), "{name}: {cut:?}");
                }
            }
        }
    }
}

#[test]
fn every_repeated_field_refuses_one_more_than_its_count() {
    let mut tried = 0;
    for row in messages::TABLE {
        for field in row.fields.iter().filter(|field| field.presence == Presence::Repeated) {
            let value = match field.kind {
                "text" => vec![b'A'],
                "bytes6" => vec![0, 1, 2, 3, 4, 5],
                // What has fields of its own is not read before it is complete.
                _ => continue,
            };
            let recode = |count: usize| {
                let mut out = Writer::new();
                for _ in 0..count {
                    tlv::put(&mut out, field.tag, &value).expect("short");
                }
                (row.recode)(&out.into_bytes())
            };
            let max = field.count_max;
            for count in [0, 1, max - 1, max] {
                let read = recode(count);
                assert!(
                    matches!(read, Ok(_) | Err(DecodeError::Missing { .. })),
                    "{}: {read:?}",
                    row.name
                );
            }
            let refused = recode(max + 1);
            assert!(
                matches!(refused, Err(DecodeError::TooLong { len, max: told, .. }) if len == max + 1 && told == max),
                "{}: {refused:?}",
                row.name
            );
            tried += 1;
        }
    }
    assert!(tried >= 5, "only {tried} were tried");
}

#[test]
fn every_length_that_an_offer_can_tell_of_a_text_is_judged() {
    let bytes = offer().encode().expect("short");
    // The lengths of both texts stand last.
    for (before, after) in [(bytes.len() - 2, &[0][..]), (bytes.len() - 1, &[])] {
        for len in 0..=u8::MAX {
            let text = vec![b'a'; usize::from(len)];
            let told = [&bytes[..before], &[len], &text, after].concat();
            let read = Offer::decode(&told);
            assert_eq!(read.is_ok(), usize::from(len) <= NAME_LEN_MAX, "{len}: {read:?}");
            if len > 0 {
                assert!(
                    Offer::decode(&told[..before + usize::from(len)]).is_err(),
                    "{len} cut short"
                );
            }
        }
    }
}
