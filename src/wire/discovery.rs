//! The datagrams of discovery: a question of exactly 512 bytes and an offer that is never longer.
//!
//! Their fields stand at fixed places, unlike those of frames, so that a question is judged without parsing.

use super::limits::{ID_LEN_MAX, NAME_LEN_MAX, OFFER_LEN_MAX, QUESTION_LEN};
use super::messages::text_of;
use crate::codec::{DecodeError, Reader, Writer};

/// The first bytes of every datagram.
pub const MAGIC: [u8; 8] = *b"SEATKEEP";

/// The version of both layouts. A newer client asks in this one too: versions are settled in HELLO.
pub const VERSION: u8 = 1;

pub(super) const KIND_QUESTION: u8 = 1;
pub(super) const KIND_OFFER: u8 = 2;
const FLAG_ASKED: u16 = 1;
const FLAG_HOLDS: u16 = 2;

/// Magic, version, kind, flags and nonce, in bytes.
const HEAD_LEN: usize = 8 + 1 + 1 + 2 + 16;

const _: () = assert!(
    HEAD_LEN + 16 + ID_LEN_MAX <= QUESTION_LEN,
    "what a question says must fit its length"
);

const _: () = assert!(
    HEAD_LEN + 16 + 32 + 2 + 4 + 2 + 8 + 2 + 2 + 2 * (1 + NAME_LEN_MAX) == OFFER_LEN_MAX,
    "an offer's bound is the sum of its fields, which stays below the length of a question"
);

/// Who is there? Sent to broadcast and multicast addresses, or to one server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// 16 random bytes that the offer carries back.
    pub nonce: [u8; 16],
    /// The product that the client wants licensed; nothing where any server will do.
    pub wanted: Option<Wanted>,
}

/// A product as a question names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// The vendor's id.
    pub vendor: [u8; 16],
    /// The product's id, 1 to 24 bytes.
    pub product: String,
}

/// A server's answer. Nothing in it is proven; the TLS session proves the fingerprint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// The question's nonce.
    pub nonce: [u8; 16],
    /// The server's name for itself.
    pub server: [u8; 16],
    /// The SHA-256 of the DER `SubjectPublicKeyInfo` of its certificate.
    pub fingerprint: [u8; 32],
    /// Its TCP port at the address that the offer came from.
    pub port: u16,
    /// Raised by a restore from backup.
    pub epoch: u32,
    /// The configured priority; the lowest number is preferred.
    pub priority: u16,
    /// Its calendar, in seconds since 1970-01-01 00:00 UTC; for showing the clock skew.
    pub server_time: u64,
    /// The oldest protocol version that it speaks.
    pub version_min: u16,
    /// The newest protocol version that it speaks.
    pub version_max: u16,
    /// Whether it has a license for the wanted product; nothing where the question named none.
    pub holds: Option<bool>,
    /// Its name for people, at most 64 bytes.
    pub name: String,
    /// The version of its program, at most 64 bytes.
    pub server_version: String,
}

impl Question {
    /// The question's 512 bytes.
    ///
    /// # Errors
    /// The product id is empty or longer than 24 bytes.
    pub fn encode(&self) -> Result<[u8; QUESTION_LEN], DecodeError> {
        let mut out = head(
            KIND_QUESTION,
            if self.wanted.is_some() { FLAG_ASKED } else { 0 },
            &self.nonce,
        );
        if let Some(wanted) = &self.wanted {
            let mut id = [0; ID_LEN_MAX];
            id.get_mut(..wanted.product.len())
                .ok_or(DecodeError::TooLong {
                    field: "Question.product",
                    len: wanted.product.len(),
                    max: ID_LEN_MAX,
                })?
                .copy_from_slice(wanted.product.as_bytes());
            padded_id(id)?;
            out.bytes(&wanted.vendor);
            out.bytes(&id);
        }
        let mut bytes = out.into_bytes();
        bytes.resize(QUESTION_LEN, 0);
        bytes.try_into().map_err(|_| DecodeError::Invalid {
            field: "Question",
            reason: "not 512 bytes",
        })
    }

    /// Reads a question.
    ///
    /// # Errors
    /// The datagram is not a question of version 1, or its padding is not zero. Ignore it.
    pub fn decode(datagram: &[u8]) -> Result<Self, DecodeError> {
        if datagram.len() != QUESTION_LEN {
            return Err(DecodeError::Invalid {
                field: "Question",
                reason: "not 512 bytes",
            });
        }
        Reader::all(datagram, |r| {
            let flags = read_head(r, KIND_QUESTION)?;
            let nonce = r.array("Question.nonce")?;
            let wanted = if flags & FLAG_ASKED == 0 {
                None
            } else {
                Some(Wanted {
                    vendor: r.array("Question.vendor")?,
                    product: padded_id(r.array("Question.product")?)?,
                })
            };
            let padding = r.bytes(r.remaining(), "Question.padding")?;
            if padding.iter().any(|&byte| byte != 0) {
                return Err(DecodeError::Invalid {
                    field: "Question.padding",
                    reason: "must be zero",
                });
            }
            Ok(Self { nonce, wanted })
        })
    }
}

impl Offer {
    /// The offer's bytes, at most [`OFFER_LEN_MAX`].
    ///
    /// # Errors
    /// A text is longer than 64 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let flags = match self.holds {
            None => 0,
            Some(false) => FLAG_ASKED,
            Some(true) => FLAG_ASKED | FLAG_HOLDS,
        };
        let mut out = head(KIND_OFFER, flags, &self.nonce);
        out.bytes(&self.server);
        out.bytes(&self.fingerprint);
        out.u16(self.port);
        out.u32(self.epoch);
        out.u16(self.priority);
        out.u64(self.server_time);
        out.u16(self.version_min);
        out.u16(self.version_max);
        put_text(&mut out, &self.name, "Offer.name")?;
        put_text(&mut out, &self.server_version, "Offer.server_version")?;
        debug_assert!(out.len() <= OFFER_LEN_MAX, "the sum of the bounds of its fields");
        Ok(out.into_bytes())
    }

    /// Reads an offer. Bytes behind its last field belong to later revisions and are skipped.
    ///
    /// # Errors
    /// The datagram is not an offer of version 1. Ignore it.
    pub fn decode(datagram: &[u8]) -> Result<Self, DecodeError> {
        if datagram.len() > QUESTION_LEN {
            return Err(DecodeError::TooLong {
                field: "Offer",
                len: datagram.len(),
                max: QUESTION_LEN,
            });
        }
        let mut r = Reader::new(datagram);
        let flags = read_head(&mut r, KIND_OFFER)?;
        let holds = match (flags & FLAG_ASKED != 0, flags & FLAG_HOLDS != 0) {
            (false, false) => None,
            (true, holds) => Some(holds),
            (false, true) => {
                return Err(DecodeError::Invalid {
                    field: "Offer.flags",
                    reason: "holds a product that was not asked for",
                });
            }
        };
        Ok(Self {
            nonce: r.array("Offer.nonce")?,
            server: r.array("Offer.server")?,
            fingerprint: r.array("Offer.fingerprint")?,
            port: r.u16("Offer.port")?,
            epoch: r.u32("Offer.epoch")?,
            priority: r.u16("Offer.priority")?,
            server_time: r.u64("Offer.server_time")?,
            version_min: r.u16("Offer.version_min")?,
            version_max: r.u16("Offer.version_max")?,
            holds,
            name: take_text(&mut r, "Offer.name")?,
            server_version: take_text(&mut r, "Offer.server_version")?,
        })
    }
}

fn head(kind: u8, flags: u16, nonce: &[u8; 16]) -> Writer {
    let mut out = Writer::new();
    out.bytes(&MAGIC);
    out.u8(VERSION);
    out.u8(kind);
    out.u16(flags);
    out.bytes(nonce);
    out
}

/// Reads magic, version and kind; answers the flags. Unknown flags are ignored.
fn read_head(r: &mut Reader<'_>, kind: u8) -> Result<u16, DecodeError> {
    let invalid = |field, reason| Err(DecodeError::Invalid { field, reason });
    if r.array("magic")? != MAGIC {
        return invalid("magic", "not a datagram of this protocol");
    }
    if r.u8("version")? != VERSION {
        return invalid("version", "not version 1");
    }
    if r.u8("kind")? != kind {
        return invalid("kind", "a question where an offer belongs, or the other way round");
    }
    r.u16("flags")
}

fn padded_id(bytes: [u8; ID_LEN_MAX]) -> Result<String, DecodeError> {
    let len = bytes.iter().position(|&byte| byte == 0).unwrap_or(ID_LEN_MAX);
    let (text, padding) = bytes.split_at_checked(len).unwrap_or((&bytes, &[]));
    if text.is_empty() || padding.iter().any(|&byte| byte != 0) {
        return Err(DecodeError::Invalid {
            field: "Question.product",
            reason: "1 to 24 bytes, then zeros",
        });
    }
    text_of(text, "Question.product")
}

fn put_text(out: &mut Writer, text: &str, field: &'static str) -> Result<(), DecodeError> {
    text_of(text.as_bytes(), field)?;
    let too_long = DecodeError::TooLong {
        field,
        len: text.len(),
        max: NAME_LEN_MAX,
    };
    match u8::try_from(text.len()) {
        Ok(len) if text.len() <= NAME_LEN_MAX => out.u8(len),
        _ => return Err(too_long),
    }
    out.bytes(text.as_bytes());
    Ok(())
}

fn take_text(r: &mut Reader<'_>, field: &'static str) -> Result<String, DecodeError> {
    let len = usize::from(r.u8(field)?);
    if len > NAME_LEN_MAX {
        return Err(DecodeError::TooLong {
            field,
            len,
            max: NAME_LEN_MAX,
        });
    }
    text_of(r.bytes(len, field)?, field)
}
