//! Crockford's base32 as license keys and enrolment tokens use it: no I, L, O and U among the digits; I and L are read as 1, O as 0.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

static ENCODING: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.encoding().expect("32 different symbols")
});

/// The digits of `bytes`, upper case.
pub(crate) fn encode(bytes: &[u8]) -> String {
    ENCODING.encode(bytes)
}

/// The bytes of canonical digits, as [`digit`] returns them. Unused bits must be 0: bytes have one form only.
pub(crate) fn decode(digits: &str) -> Option<Vec<u8>> {
    ENCODING.decode(digits.as_bytes()).ok()
}

/// How many digits `len` bytes have.
pub(super) const fn digits_of(len: usize) -> usize {
    (len * 8).div_ceil(5)
}

/// The digit that a person meant by `c`, in full width too; nothing if it is none.
pub(crate) fn digit(c: char) -> Option<char> {
    let c = match u32::from(c) {
        full @ 0xff01..=0xff5e => char::from_u32(full - 0xfee0)?,
        _ => c,
    };
    match c.to_ascii_uppercase() {
        'I' | 'L' => Some('1'),
        'O' => Some('0'),
        'U' => None,
        other if other.is_ascii_alphanumeric() => Some(other),
        _ => None,
    }
}

/// Whether `c` may stand between the digits of a key: spaces, line breaks, hyphens and what word processors and mail
/// programs make of them, low lines as in names of files.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || c == '_' || is_hyphen(c)
}

/// Whether `c` is a hyphen, or stands in its place and is not seen.
pub(super) const fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{ad}' | '\u{200b}' | '\u{2010}'..='\u{2015}' | '\u{2060}' | '\u{2212}' | '\u{feff}' | '\u{ff0d}'
    )
}
