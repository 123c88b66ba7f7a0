//! Datagrams of discovery: fields at fixed places.

use super::{Dissected, Piece};
use crate::wire::discovery::{KIND_OFFER, KIND_QUESTION, MAGIC, Offer, Question};

/// Where a field stands: its name, its type, its length in bytes.
type Place = (&'static str, &'static str, usize);

const HEAD: [Place; 5] = [
    ("magic", "text", 8),
    ("version", "u8", 1),
    ("kind", "u8", 1),
    ("flags", "u16", 2),
    ("nonce", "bytes16", 16),
];

const WANTED: [Place; 2] = [("vendor", "bytes16", 16), ("product", "text", 24)];

const OFFER: [Place; 8] = [
    ("server", "bytes16", 16),
    ("fingerprint", "bytes32", 32),
    ("port", "u16", 2),
    ("epoch", "u32", 4),
    ("priority", "u16", 2),
    ("server_time", "u64", 8),
    ("version_min", "u16", 2),
    ("version_max", "u16", 2),
];

/// One datagram: a question or an offer.
#[must_use]
pub fn datagram(bytes: &[u8]) -> Dissected {
    let mut walk = Walk {
        bytes,
        at: 0,
        pieces: Vec::new(),
    };
    for place in HEAD {
        walk.take(place);
    }
    let is_ours = bytes.starts_with(&MAGIC);
    let (what, fault) = match bytes.get(MAGIC.len() + 1).copied().filter(|_| is_ours) {
        Some(KIND_QUESTION) => {
            walk.question();
            ("question", Question::decode(bytes).err())
        }
        Some(KIND_OFFER) => {
            walk.offer();
            ("offer", Offer::decode(bytes).err())
        }
        // Whoever gets it takes it for a question.
        _ => ("datagram", Question::decode(bytes).err()),
    };
    walk.rest(if what == "question" { "padding" } else { "rest" });
    Dissected {
        what,
        message: None,
        offset: 0,
        len: bytes.len(),
        pieces: walk.pieces,
        fault: fault.map(|error| error.to_string()),
    }
}

/// The way through a datagram.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    pieces: Vec<Piece>,
}

impl Walk<'_> {
    /// Takes the field at this place; false if it is not there.
    fn take(&mut self, (name, kind, len): Place) -> bool {
        let Some(bytes) = self.bytes.get(self.at..self.at + len) else {
            return false;
        };
        // An id that is shorter than its place is followed by zeros.
        let text_len = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let shown = if name == "product" {
            bytes.get(..text_len).unwrap_or(bytes)
        } else {
            bytes
        };
        let piece = Piece {
            len,
            ..Piece::read(self.at, name, kind, shown)
        };
        self.pieces.push(piece);
        self.at += len;
        true
    }

    fn question(&mut self) {
        if self.flags() & 1 != 0 {
            for place in WANTED {
                self.take(place);
            }
        }
    }

    fn offer(&mut self) {
        for place in OFFER {
            if !self.take(place) {
                return;
            }
        }
        for (len_name, name) in [("name_length", "name"), ("server_version_length", "server_version")] {
            let Some(&len) = self.bytes.get(self.at) else { return };
            if !self.take((len_name, "u8", 1)) || !self.take((name, "text", len.into())) {
                return;
            }
        }
    }

    fn flags(&self) -> u16 {
        match self.bytes.get(10..12) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            _ => 0,
        }
    }

    /// What is left: zeros are counted and not shown.
    fn rest(&mut self, name: &'static str) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        let mut piece = Piece::read(self.at, name, "bytes", rest);
        if rest.iter().all(|&byte| byte == 0) {
            piece.value = format!("{} zeros", rest.len());
        }
        self.pieces.push(piece);
    }
}
