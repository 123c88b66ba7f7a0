//! Frames and datagrams piece by piece, for whoever wants to see them: each with its place, its name in the registry and
//! its value. Whether they are sound is not judged here: that is said by the decoders that server and client use, and their
//! error stands beside the pieces.
//!
//! It is made for people's terminals, not for speed: nothing on the way of a request calls it.

mod datagram;
mod frame;
mod value;

#[cfg(test)]
mod tests;

pub use datagram::datagram;
pub use frame::frames;

/// A frame or a datagram.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dissected {
    /// What it is: `question`, `offer` or `datagram` where that is not known, or `frame`.
    pub what: &'static str,
    /// The message of a frame's body, by its name in the registry; nothing where it is not known.
    pub message: Option<&'static str>,
    /// Its first byte, from the beginning of the input.
    pub offset: usize,
    /// Its length in bytes, as far as it is there.
    pub len: usize,
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
    /// Why its receiver would not take it; nothing where it would.
    pub fault: Option<String>,
}

/// A field, or what stands around fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Its first byte, from the beginning of the input; of a field that of its tag.
    pub offset: usize,
    /// Its length in bytes; of a field with tag and length.
    pub len: usize,
    /// The tag of a field.
    pub tag: Option<u16>,
    /// Its name; `unknown` for a tag that this version does not know.
    pub name: &'static str,
    /// The name of its type in the registry; empty where it has none.
    pub kind: &'static str,
    /// Its value for people; empty where it is made of pieces.
    pub value: String,
    /// The fields of a field that has fields.
    pub pieces: Vec<Self>,
    /// What is wrong with it by itself.
    pub fault: Option<String>,
}

impl Piece {
    /// A piece of this kind, with its value if it can be read.
    fn read(offset: usize, name: &'static str, kind: &'static str, bytes: &[u8]) -> Self {
        let read = value::shown(kind, bytes);
        let (value, fault) = match read {
            Ok(value) => (value, None),
            Err(error) => (value::unread(kind, bytes), Some(error.to_string())),
        };
        Self {
            offset,
            len: bytes.len(),
            tag: None,
            name,
            kind,
            value,
            pieces: Vec::new(),
            fault,
        }
    }
}
