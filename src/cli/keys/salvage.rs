//! What is left of a part of a mail that was damaged or cut on its way.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode_char;

/// Stands for what is no digit of base64. Nothing that it makes is a digit of a license key, nor left out between two.
const PATCH: u8 = b'V';

/// What can be decoded of a part's bytes, by the encoding that its header tells.
pub(super) fn decoded<'a>(raw: &'a [u8], encoding: Option<&str>) -> Cow<'a, [u8]> {
    match encoding {
        Some(name) if name.eq_ignore_ascii_case("base64") => base64(raw).into(),
        Some(name) if name.eq_ignore_ascii_case("quoted-printable") => quoted_printable(raw).into(),
        _ => raw.into(),
    }
}

fn base64(raw: &[u8]) -> Vec<u8> {
    let lines = || raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let width = lines().map(<[u8]>::len).max().unwrap_or_default();
    let mut digits = Vec::with_capacity(raw.len());
    for line in lines().filter(|line| !line.is_empty()) {
        // Programs end lines behind whole groups of four: one that lost a character does not harm the next.
        while width.is_multiple_of(4) && !digits.len().is_multiple_of(4) {
            digits.push(PATCH);
        }
        let patched = |byte: &u8| if is_digit(*byte) { *byte } else { PATCH };
        digits.extend(line.iter().filter(|byte| **byte != b'=').map(patched));
    }
    if digits.len() % 4 > 1 {
        digits.push(b'=');
    }
    base64_decode(&digits).unwrap_or_default()
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'=', [b'\r', b'\n', next @ ..] | [b'\n', next @ ..]) => rest = next,
            (b'=', [high, low, next @ ..]) => match quoted_printable_decode_char(*high, *low) {
                Some(byte) => {
                    decoded.push(byte);
                    rest = next;
                }
                None => decoded.push(b'='),
            },
            (other, _) => decoded.push(*other),
        }
    }
    decoded
}
