//! Frames, and the fields of their bodies.

use bytes::BytesMut;

use super::{Dissected, Piece, value};
use crate::codec::{DecodeError, tlv};
use crate::wire::limits::HEADER_LEN;
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::{FieldRow, Message, MessageRow, Place, Presence, Request, Response, TABLE};
use crate::wire::{Frame, Opcode, Status, decode_frame, peek_header};

/// Fields within fields that are gone into, at most: deeper than any message is.
const DEPTH_MAX: usize = 8;

/// Frames that follow each other, up to the first that is not whole or cannot be read.
#[must_use]
pub fn frames(bytes: &[u8]) -> Vec<Dissected> {
    let mut found = Vec::new();
    let mut offset = 0;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        // What is not whole takes up all that is left.
        let frame = one(rest, offset);
        offset += frame.len;
        found.push(frame);
    }
    found
}

/// The frame that `rest` begins with, at `offset` of the input.
fn one(rest: &[u8], offset: usize) -> Dissected {
    let mut frame = Dissected {
        what: "frame",
        message: None,
        offset,
        len: rest.len(),
        pieces: header(rest, offset),
        fault: None,
    };
    match decode_frame(&mut BytesMut::from(rest)) {
        Err(error) => frame.fault = Some(error.to_string()),
        Ok(None) => {
            frame.fault = Some("incomplete".to_owned());
            if let Ok(Some(header)) = peek_header(rest) {
                let row = message(header.opcode, header.status);
                frame.message = row.map(|row| row.name);
                let body = rest.get(HEADER_LEN..).unwrap_or_default();
                frame.pieces.extend(fields(body, offset + HEADER_LEN, row, 0));
            }
        }
        Ok(Some(read)) => {
            let row = message(read.opcode, read.status);
            frame.len = HEADER_LEN + read.body.len();
            frame.message = row.map(|row| row.name);
            frame.pieces.extend(fields(&read.body, offset + HEADER_LEN, row, 0));
            frame.fault = judged(&read).err();
        }
    }
    frame
}

/// What its receiver says to a frame.
fn judged(frame: &Frame) -> Result<(), String> {
    let told = |error: DecodeError| error.to_string();
    let known = if frame.opcode == Opcode::PARTING {
        Refusal::decode(&frame.body).map(|_| true)
    } else if frame.opcode.is_reply() {
        Response::decode(frame.opcode.request(), frame.status, &frame.body).map(|read| read.is_some())
    } else {
        Request::decode(frame.opcode, &frame.body).map(|read| read.is_some())
    };
    if known.map_err(told)? {
        return Ok(());
    }
    Err("unsupported".to_owned())
}

/// The message that a frame's body is.
fn message(opcode: Opcode, status: Status) -> Option<&'static MessageRow> {
    let refused = opcode == Opcode::PARTING || (opcode.is_reply() && status != Status::OK);
    TABLE.iter().find(|row| match row.place {
        Place::Refusal => refused,
        Place::Reply(requests) => !refused && opcode.is_reply() && requests.contains(&opcode.request()),
        Place::Request(opcodes) => opcodes.contains(&opcode),
        Place::Field => false,
    })
}

fn header(rest: &[u8], offset: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (at, len, name, kind) in [
        (0, 4, "body_length", "u32"),
        (4, 2, "opcode", "u16"),
        (6, 2, "status", "Status"),
        (8, 4, "request_id", "u32"),
    ] {
        let Some(bytes) = rest.get(at..at + len) else { break };
        let mut piece = Piece::read(offset + at, name, kind, bytes);
        if let (4, [high, low]) = (at, bytes) {
            piece.value = format!("{:?}", Opcode(u16::from_be_bytes([*high, *low])));
        }
        pieces.push(piece);
    }
    pieces
}

/// The fields of a body, or of a field that has fields.
pub(super) fn fields(body: &[u8], offset: usize, message: Option<&MessageRow>, depth: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut seen: Vec<u16> = Vec::new();
    let mut at = 0;
    for read in tlv::Fields::of(body) {
        let place = offset + at;
        let tlv::Field { tag, value } = match read {
            Ok(field) => field,
            Err(error) => {
                let rest = body.get(at..).unwrap_or_default();
                pieces.push(Piece {
                    fault: Some(error.to_string()),
                    ..Piece::read(place, "rest", "", rest)
                });
                break;
            }
        };
        at += tlv::HEADER_LEN + value.len();
        let row = message.and_then(|message| message.fields.iter().find(|row| row.tag == tag));
        let mut piece = field(place, tag, value, row, depth);
        seen.push(tag);
        let count = seen.iter().filter(|known| **known == tag).count();
        if let Some(row) = row {
            piece.fault = piece.fault.or_else(|| out_of_bounds(row, value.len(), count));
        }
        pieces.push(piece);
    }
    let required = message.into_iter().flat_map(|message| message.fields);
    let missing = required.filter(|row| row.presence == Presence::Required && !seen.contains(&row.tag));
    pieces.extend(missing.map(|row| Piece {
        offset: offset + at,
        len: 0,
        tag: Some(row.tag),
        name: row.name,
        kind: row.kind,
        value: String::new(),
        pieces: Vec::new(),
        fault: Some("it is missing".to_owned()),
    }));
    pieces
}

fn field(place: usize, tag: u16, value: &[u8], row: Option<&FieldRow>, depth: usize) -> Piece {
    let blank = Piece {
        offset: place,
        len: tlv::HEADER_LEN + value.len(),
        tag: Some(tag),
        name: row.map_or("unknown", |row| row.name),
        kind: row.map_or("", |row| row.kind),
        value: String::new(),
        pieces: Vec::new(),
        fault: None,
    };
    // `Status` is the name of a message, too: as a type it is the code.
    let is_inner = |message: &&MessageRow| message.place == Place::Field && message.name == blank.kind;
    let inner = TABLE.iter().find(is_inner);
    match inner {
        Some(message) if depth < DEPTH_MAX => Piece {
            pieces: fields(value, place + tlv::HEADER_LEN, Some(message), depth + 1),
            ..blank
        },
        _ => {
            let read = Piece::read(place, blank.name, blank.kind, value);
            Piece {
                value: if row.is_some() { read.value } else { value::hex(value) },
                fault: read.fault,
                ..blank
            }
        }
    }
}

fn out_of_bounds(row: &FieldRow, len: usize, count: usize) -> Option<String> {
    if len > row.len_max {
        return Some(format!("{len} bytes, more than its bound of {}", row.len_max));
    }
    (count > row.count_max).then(|| format!("it is there {count} times, more than its bound of {}", row.count_max))
}
