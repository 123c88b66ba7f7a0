//! The armour of a catalogue file: base64 between a BEGIN and an END line. Text around it is ignored.

use data_encoding::BASE64;

pub(super) const BEGIN: &str = "-----BEGIN SEATKEEPER CATALOGUE-----";
pub(super) const END: &str = "-----END SEATKEEPER CATALOGUE-----";

/// Base64 digits in a line, as in PEM.
#[cfg(feature = "mint")]
const LINE_LEN: usize = 64;

/// The bytes between the lines, or what is wrong with them. White space does not count.
pub(super) fn open(text: &str) -> Result<Vec<u8>, &'static str> {
    let (_, rest) = text.split_once(BEGIN).ok_or("the BEGIN line is missing")?;
    let (inside, rest) = rest.split_once(END).ok_or("the END line is missing")?;
    if rest.contains(BEGIN) {
        return Err("there is more than one catalogue in it");
    }
    let digits: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64
        .decode(digits.as_bytes())
        .map_err(|_| "characters are missing, added or mistyped")
}

/// The text of `bytes`, ending in a line break.
#[cfg(feature = "mint")]
pub(super) fn close(bytes: &[u8]) -> String {
    let mut text = format!("{BEGIN}\n");
    for (place, digit) in BASE64.encode(bytes).chars().enumerate() {
        if place > 0 && place % LINE_LEN == 0 {
            text.push('\n');
        }
        text.push(digit);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}
