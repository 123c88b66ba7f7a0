//! Bytes to text, whatever wrote them. License keys are ASCII: what matters is that they come through.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use thiserror::Error;

/// What is no text, with the remedy. The message goes behind the name of the file or part.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(in crate::cli) enum NoText {
    /// A mail as Outlook keeps it.
    #[error("it is a mail in Outlook's own format; save it as .eml, or copy the keys into a text file")]
    Outlook,
    /// What Outlook makes of a mail for Outlook.
    #[error("it is in Outlook's own format (winmail.dat); ask the sender for plain text")]
    Tnef,
    /// A packed archive, or a document that is one.
    #[error("it is a packed file or an office document; unpack it, or copy the keys into a text file")]
    Packed,
    /// A document.
    #[error("it is a PDF document; copy the keys into a text file")]
    Pdf,
    /// Something else.
    #[error("it is not text; save the keys as a text file")]
    Binary,
}

/// How files begin that are no text.
const SIGNATURES: [(&[u8], NoText); 5] = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", NoText::Outlook),
    (b"\x78\x9f\x3e\x22", NoText::Tnef),
    (b"PK\x03\x04", NoText::Packed),
    (b"\x1f\x8b", NoText::Packed),
    (b"%PDF-", NoText::Pdf),
];

/// Bytes as they are, with a mark for each that is no ASCII where they are no UTF-8: never longer than they are.
pub(super) fn as_it_is(bytes: &[u8]) -> Cow<'_, str> {
    let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '?' };
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(ascii).collect(), Cow::Borrowed)
}

/// How much is looked at to tell what wrote it, in bytes.
const LOOK_LEN: usize = 4_096;

/// The text of bytes: as their byte order mark says (UTF-8, UTF-16, UTF-32), else UTF-16 if every second byte is zero or a key stands in it so, UTF-8
/// if they are, and Windows-1252 otherwise, in which every byte means something.
///
/// # Errors
/// They are no text.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, NoText> {
    if let Some((_, what)) = SIGNATURES.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return Err(*what);
    }
    // Before UTF-16, whose mark one of these begins with.
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => return Ok(utf32(rest, u32::from_le_bytes).into()),
        [0, 0, 0xfe, 0xff, rest @ ..] => return Ok(utf32(rest, u32::from_be_bytes).into()),
        _ => {}
    }
    if let Some((encoding, mark_len)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark_len..).unwrap_or_default();
        return Ok(encoding.decode_without_bom_handling(rest).0);
    }
    let begin = bytes.get(..bytes.len().min(LOOK_LEN)).unwrap_or_default();
    if begin.contains(&0) {
        let encoding = utf16_without_mark(begin).or_else(|| utf16_of_a_key(bytes));
        let encoding = encoding.ok_or(NoText::Binary)?;
        return Ok(encoding.decode_without_bom_handling(bytes).0);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let encoding = utf16_of_a_key(bytes).unwrap_or(WINDOWS_1252);
    Ok(encoding.decode_without_bom_handling(bytes).0)
}

/// The text of UTF-32. What is no character is read as one that stands for it.
fn utf32(bytes: &[u8], order: fn([u8; 4]) -> u32) -> String {
    let (characters, _) = bytes.as_chunks::<4>();
    let read = |four: &[u8; 4]| char::from_u32(order(*four)).unwrap_or(char::REPLACEMENT_CHARACTER);
    characters.iter().map(read).collect()
}

/// How the beginning of a key stands in them, where it is in UTF-16: what is around it may be in any script.
fn utf16_of_a_key(bytes: &[u8]) -> Option<&'static Encoding> {
    let begins = |s: u8, k: u8, one: u8, behind: u8| {
        let is_prefix = s.eq_ignore_ascii_case(&b'S') && k.eq_ignore_ascii_case(&b'K') && b"1ILil".contains(&one);
        is_prefix && (behind.is_ascii_alphanumeric() || b"-_ \t\r\n".contains(&behind))
    };
    bytes.windows(8).step_by(2).find_map(|eight| match *eight {
        [s, 0, k, 0, one, 0, behind, 0] if begins(s, k, one, behind) => Some(UTF_16LE),
        [0, s, 0, k, 0, one, 0, behind] if begins(s, k, one, behind) => Some(UTF_16BE),
        _ => None,
    })
}

/// Which half of the characters is zero, where nearly all of one half is and hardly any of the other.
fn utf16_without_mark(begin: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset: usize| begin.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second, half) = (zeros(0), zeros(1), begin.len() / 2);
    let nearly_all = half - half / 4;
    if second >= nearly_all && first <= half / 16 {
        Some(UTF_16LE)
    } else if first >= nearly_all && second <= half / 16 {
        Some(UTF_16BE)
    } else {
        None
    }
}
