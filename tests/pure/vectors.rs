//! The vectors of `proto-spec/vectors/v1` are the judge of the protocol's bytes, in both directions.
//!
//! If a test here fails after a release, the code is wrong: vectors are frozen, new ones are added.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::BytesMut;
use seatkeeper::codec::{Reader, tlv};
use seatkeeper::session::{LeaseKey, lease};
use seatkeeper::wire::discovery::{Offer, Question};
use seatkeeper::wire::messages::seat::Lease;
use seatkeeper::wire::messages::{self, Message, Place, Request, Response, hello};
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};

pub(crate) mod expected;

/// A vector file: its name, its bytes and what its first comment says.
struct Vector {
    name: String,
    bytes: Vec<u8>,
    error: Option<String>,
}

fn vectors(kind: &str) -> Vec<Vector> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("proto-spec/vectors/v1")
        .join(kind);
    let mut vectors: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| vector(&entry.expect("a directory entry").path()))
        .collect();
    vectors.sort_by(|a, b| a.name.cmp(&b.name));
    vectors
}

fn vector(path: &Path) -> Vector {
    let text = fs::read_to_string(path).expect("a text file");
    let digits: String = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    let error = text.lines().next().and_then(|line| line.strip_prefix("# error: "));
    Vector {
        name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
        bytes: bytes_of(&digits),
        error: error.map(str::to_owned),
    }
}

fn bytes_of(digits: &str) -> Vec<u8> {
    assert_eq!(digits.len() % 2, 0, "whole bytes");
    let digit = |digit: char| digit.to_digit(16).expect("a hexadecimal digit");
    let digits: Vec<_> = digits.chars().map(digit).collect();
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit))
        .map(|byte| u8::try_from(byte).expect("two digits"))
        .collect()
}

/// The key that the leases among the vectors are signed with.
fn lease_key() -> LeaseKey {
    LeaseKey::from_seed([0x55; 32])
}

/// Whether a vector is a frame: not a datagram and not a lease.
fn is_frame(name: &str) -> bool {
    !["lease", "offer", "question"].iter().any(|kind| name.starts_with(kind))
}

/// What a frame, a datagram or a lease says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Said {
    Lease(Lease),
    Offer(Offer),
    Parting(Status, hello::Refusal),
    Question(Question),
    /// A request, asked by the opcode that it has or by RENEW.
    Request(Request),
    /// The reply to this opcode.
    Response(Opcode, Response),
}

/// Reads a vector as its receiver does; the error is the text that a person would see.
fn read(name: &str, bytes: &[u8]) -> Result<Said, String> {
    if name.starts_with("question") {
        return Question::decode(bytes)
            .map(Said::Question)
            .map_err(|error| error.to_string());
    }
    if name.starts_with("offer") {
        return Offer::decode(bytes).map(Said::Offer).map_err(|error| error.to_string());
    }
    if name.starts_with("lease") {
        return lease::verify(bytes, &lease_key().public())
            .map(Said::Lease)
            .map_err(|error| error.to_string());
    }
    let mut input = BytesMut::from(bytes);
    let frame = decode_frame(&mut input)
        .map_err(|error| error.to_string())?
        .ok_or("incomplete")?;
    assert!(input.is_empty(), "{name}: bytes behind the frame");
    read_frame(&frame)
}

fn read_frame(frame: &Frame) -> Result<Said, String> {
    let (opcode, body) = (frame.opcode, &frame.body);
    if opcode == Opcode::PARTING {
        assert_eq!(frame.request, 0);
        let refusal = hello::Refusal::decode(body).map_err(|error| error.to_string())?;
        return Ok(Said::Parting(frame.status, refusal));
    }
    assert_eq!(frame.request, 1);
    if opcode.is_reply() {
        let response = Response::decode(opcode.request(), frame.status, body).map_err(|error| error.to_string())?;
        return Ok(Said::Response(opcode.request(), response.ok_or("unsupported")?));
    }
    assert_eq!(frame.status, Status::OK);
    let request = Request::decode(opcode, body).map_err(|error| error.to_string())?;
    Ok(Said::Request(request.ok_or("unsupported")?))
}

fn write(said: &Said) -> Vec<u8> {
    let frame = |opcode, status, request, body| {
        let frame = Frame {
            opcode,
            status,
            request,
            body,
        };
        frame.encode().expect("in bounds").to_vec()
    };
    match said {
        Said::Lease(lease) => lease_key().sign(lease).expect("in bounds").to_vec(),
        Said::Offer(offer) => offer.encode().expect("in bounds"),
        Said::Parting(status, refusal) => {
            let body = refusal.to_body().expect("in bounds");
            frame(Opcode::PARTING, *status, 0, body)
        }
        Said::Question(question) => question.encode().expect("in bounds").to_vec(),
        Said::Request(request) => {
            let body = request.to_body().expect("in bounds");
            frame(request.opcode(), Status::OK, 1, body)
        }
        Said::Response(opcode, response) => {
            let body = response.to_body().expect("in bounds");
            frame(opcode.reply(), response.status(), 1, body)
        }
    }
}

#[test]
fn every_accepted_vector_says_what_is_expected_and_is_written_as_it_was_read() {
    let expected = expected::all();
    let accepted = vectors("accept");
    let names: Vec<_> = accepted.iter().map(|vector| vector.name.as_str()).collect();
    let expected_names: Vec<_> = expected.keys().copied().collect();
    assert_eq!(names, expected_names);
    for vector in &accepted {
        let said = &expected[vector.name.as_str()];
        assert_eq!(read(&vector.name, &vector.bytes).as_ref(), Ok(said), "{}", vector.name);
        assert_eq!(write(said), vector.bytes, "{}", vector.name);
    }
}

#[test]
fn every_truncation_of_an_accepted_vector_is_refused() {
    for vector in vectors("accept") {
        for len in 0..vector.bytes.len() {
            assert!(
                read(&vector.name, &vector.bytes[..len]).is_err(),
                "{} cut at {len}",
                vector.name
            );
        }
    }
}

#[test]
fn every_rejected_vector_is_refused_for_its_reason() {
    for vector in vectors("reject") {
        let error = vector
            .error
            .expect("the first line of a rejected vector is `# error: TEXT`");
        assert_eq!(read(&vector.name, &vector.bytes), Err(error), "{}", vector.name);
    }
}

/// Opcodes with their direction, as the vectors have them; the refusal and the parting count as opcode 0.
fn covered(kind: &str) -> BTreeSet<(Opcode, bool)> {
    let frames = vectors(kind).into_iter().filter(|vector| is_frame(&vector.name));
    frames
        .map(|vector| {
            let mut reader = Reader::new(&vector.bytes);
            reader.u32("body length").expect("a header");
            let opcode = Opcode(reader.u16("opcode").expect("a header"));
            let refused = reader.u16("status").expect("a header") != Status::OK.0;
            if refused {
                (Opcode(0), true)
            } else {
                (opcode.request(), opcode.is_reply())
            }
        })
        .collect()
}

#[test]
fn every_message_has_an_accepted_and_a_rejected_vector() {
    for kind in ["accept", "reject"] {
        let covered = covered(kind);
        for row in messages::TABLE {
            let found = match row.place {
                Place::Request(opcodes) => opcodes.iter().any(|&opcode| covered.contains(&(opcode, false))),
                Place::Reply(opcodes) => opcodes.iter().any(|&opcode| covered.contains(&(opcode, true))),
                Place::Refusal => covered.contains(&(Opcode(0), true)),
                Place::Field => true,
            };
            assert!(found, "{kind}: no vector of {}", row.name);
        }
    }
}

#[test]
fn the_accepted_vectors_use_every_field_of_every_message() {
    let mut used = BTreeSet::new();
    for vector in vectors("accept") {
        if vector.name.starts_with("lease") {
            let (fields, _signature) = vector.bytes.split_last_chunk::<64>().expect("a signature");
            collect("Lease", fields, &mut used);
        }
        if !is_frame(&vector.name) {
            continue;
        }
        let opcode = Opcode(u16::from_be_bytes([vector.bytes[4], vector.bytes[5]]));
        let row = messages::TABLE.iter().find(|row| match row.place {
            Place::Request(opcodes) => opcodes.contains(&opcode),
            Place::Reply(opcodes) => {
                opcode.is_reply() && vector.bytes[6..8] == [0, 0] && opcodes.contains(&opcode.request())
            }
            Place::Refusal => vector.bytes[6..8] != [0, 0],
            Place::Field => false,
        });
        collect(row.expect("a message").name, &vector.bytes[12..], &mut used);
    }
    for row in messages::TABLE {
        for field in row.fields {
            assert!(
                used.contains(&(row.name, field.tag)),
                "no vector has {}.{}",
                row.name,
                field.name
            );
        }
    }
}

/// Notes the fields of `body`, and those of fields that have fields.
fn collect(message: &'static str, body: &[u8], used: &mut BTreeSet<(&'static str, u16)>) {
    let row = messages::TABLE
        .iter()
        .find(|row| row.name == message)
        .expect("a message");
    for field in tlv::Fields::of(body) {
        let field = field.expect("whole");
        used.insert((message, field.tag));
        let known = row
            .fields
            .iter()
            .find(|known| known.tag == field.tag)
            .expect("a known field");
        if messages::TABLE.iter().any(|row| row.name == known.kind) && known.kind != "Status" {
            collect(known.kind, field.value, used);
        }
    }
}
