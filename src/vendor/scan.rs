//! Finds license keys in any text (rule K3): one or several on a line, quoted, wrapped, with comments around them.
//!
//! A key tells its own length, so that words behind it are not taken for a part of it. Everything that begins like a
//! key, with `SK1` and a hyphen, is found: a damaged one must be reported with its line, not passed over. `SK1` without a
//! hyphen may be a word or an accident; behind it a key is found if it is whole.

use thiserror::Error;

use super::base32;
use super::license_key::{LENGTH_LEN, LicenseKey, OVERHEAD, PAYLOAD_LEN_MAX, PREFIX};

/// The longest text that is searched, in bytes: as many keys as it may have, each with some words around it (rule K8).
pub const SCAN_LEN_MAX: usize = 64 * 1024 * 1024;

/// Keys, and mentions of `SK1-`, in one text, at most: 100,000 keys (rule K8) may be mentioned twice each. `SK1` without a
/// hyphen counts where the length of a key follows.
pub const KEYS_MAX: usize = 200_000;

/// The longest damaged text that is shown, in characters.
const SHOWN_MAX: usize = 1024;

/// Separators between two digits of one key, at most: a wrapped and indented line has fewer.
const GAP_MAX: usize = 64;

/// Something in a text that begins like a license key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FoundKey {
    /// The line that it begins on, from 1.
    pub line: u32,
    /// The canonical text of an undamaged key; what is there of a damaged one, at most 1,024 characters.
    pub text: String,
}

/// Why a text was not searched.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ScanError {
    /// The text is longer than [`SCAN_LEN_MAX`].
    #[error("the text has {len} bytes, more than {SCAN_LEN_MAX}; split it and import the parts")]
    TextTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// More than [`KEYS_MAX`] keys and mentions are in it.
    #[error("the text has more than {KEYS_MAX} license keys and mentions of SK1-; split it and import the parts")]
    TooManyKeys,
}

/// Digits in a row behind a beginning inside a word from which on it is taken for that of a damaged key, and not for a
/// word such as `task1-2026`.
const GLUED_MIN: usize = 20;

/// Everything in `text` that begins like a license key, in order. There is no syntax for comments: what is no key is
/// passed over, and a key is found wherever it stands.
///
/// # Errors
/// [`ScanError`] if the text is beyond the bounds.
pub fn find_keys(text: &str) -> Result<Vec<FoundKey>, ScanError> {
    if text.len() > SCAN_LEN_MAX {
        return Err(ScanError::TextTooLong { len: text.len() });
    }
    let mut found = Vec::new();
    let mut place = Place {
        rest: text,
        line: 1,
        before: None,
    };
    let mut starts = 0;
    while let Some(start) = place.next_start() {
        let body = start.body;
        let Some(wanted) = digits_wanted(body).or(start.has_hyphen.then_some(0)) else {
            place.move_to(body);
            continue;
        };
        // Every beginning costs a look at what follows, so every one counts.
        if starts == KEYS_MAX {
            return Err(ScanError::TooManyKeys);
        }
        starts += 1;
        let is_prose = || !start.has_hyphen || !body.starts_with(char::is_alphanumeric);
        let (text, end) = match whole_key(body, wanted) {
            Some((key, end)) => (key.to_text(), end),
            None if is_prose() || place.is_inside_a_word() && digits_in_a_row(body) < GLUED_MIN => {
                place.move_to(body);
                continue;
            }
            None => (damaged_text(place.rest, body), body),
        };
        let line = place.line;
        found.push(FoundKey { line, text });
        place.move_to(end);
    }
    Ok(found)
}

/// Where the search is.
struct Place<'a> {
    rest: &'a str,
    /// The line that `rest` begins on.
    line: u32,
    /// The character before `rest`.
    before: Option<char>,
}

impl<'a> Place<'a> {
    /// Whether what is before `rest` goes on in it.
    fn is_inside_a_word(&self) -> bool {
        self.before.is_some_and(char::is_alphanumeric)
    }

    /// Moves to what may be the next beginning of a key. It may stand inside a word: whatever made
    /// the text may have left out what was between a word and the key.
    fn next_start(&mut self) -> Option<Start<'a>> {
        loop {
            if let Some(start) = behind_prefix(self.rest) {
                return Some(start);
            }
            let mut chars = self.rest.chars();
            chars.next()?;
            self.move_to(chars.as_str());
        }
    }

    /// Moves forward to `end`, a tail of `rest`.
    fn move_to(&mut self, end: &'a str) {
        let passed = self
            .rest
            .get(..self.rest.len().saturating_sub(end.len()))
            .unwrap_or_default();
        let lines = passed.bytes().filter(|&byte| byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.before = passed.chars().next_back().or(self.before);
        self.rest = end;
    }
}

/// What may be the beginning of a key.
struct Start<'a> {
    /// What is behind `SK1`, and behind the hyphen there.
    body: &'a str,
    /// Whether there is one. `SK1` alone, as in prose, or in the middle of other letters, means a key only with a whole one.
    has_hyphen: bool,
}

/// The beginning of a key, in any case and with any hyphen or none, if `text` begins so.
fn behind_prefix(text: &str) -> Option<Start<'_>> {
    let mut chars = text.chars();
    for wanted in PREFIX.chars() {
        if base32::digit(chars.next()?)? != wanted {
            return None;
        }
    }
    let bare = chars.as_str();
    let has_hyphen = chars.next().is_some_and(base32::is_hyphen);
    let body = if has_hyphen { chars.as_str() } else { bare };
    Some(Start { body, has_hyphen })
}

/// How many digits the key that begins at `body` has, by its first four; nothing if no key begins so.
fn digits_wanted(body: &str) -> Option<usize> {
    let (digits, _) = digits(body, base32::digits_of(LENGTH_LEN))?;
    Some(base32::digits_of(length(&digits)?))
}

/// The undamaged key of so many digits that begins at `body`, and what is behind it.
fn whole_key(body: &str, wanted: usize) -> Option<(LicenseKey, &str)> {
    let (digits, rest) = digits(body, wanted)?;
    let key = LicenseKey::from_digits(&digits).ok()?;
    Some((key, rest))
}

/// So many digits from `body` on, and what is behind them.
fn digits(body: &str, wanted: usize) -> Option<(String, &str)> {
    let mut digits = String::new();
    let mut rest = body;
    while digits.len() < wanted {
        let (digit, behind) = next_digit(rest)?;
        digits.push(digit);
        rest = behind;
    }
    Some((digits, rest))
}

/// The length in bytes that a payload's first four digits tell; nothing if no key has it.
fn length(digits: &str) -> Option<usize> {
    // Four digits are 20 bits: the length and the upper half of the next byte, completed here to whole bytes.
    let bytes = base32::decode(&format!("{digits}0000"))?;
    let len = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    (OVERHEAD..=PAYLOAD_LEN_MAX).contains(&len).then_some(len)
}

/// The next digit behind separators. A line that continues a key may begin with the mark of a quoted mail.
fn next_digit(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let mut line_begins = false;
    for _ in 0..GAP_MAX {
        let c = chars.next()?;
        if let Some(digit) = base32::digit(c) {
            return Some((digit, chars.as_str()));
        }
        let quote_mark = c == '>' && line_begins;
        if !quote_mark && !base32::is_separator(c) {
            return None;
        }
        line_begins |= c == '\n' || c == '\r';
    }
    None
}

/// Digits and hyphens behind one another, counted as far as it matters.
fn digits_in_a_row(body: &str) -> usize {
    let belongs = |c: &char| base32::digit(*c).is_some() || (base32::is_separator(*c) && !c.is_whitespace());
    body.chars().take_while(belongs).take(GLUED_MIN).count()
}

/// What to show of a damaged key: its first line, up to the first space.
fn damaged_text(text: &str, body: &str) -> String {
    let prefix = text.get(..text.len().saturating_sub(body.len())).unwrap_or_default();
    let belongs = |c: &char| c.is_alphanumeric() || (base32::is_separator(*c) && !c.is_whitespace());
    let mut shown = prefix.to_owned();
    shown.extend(
        body.chars()
            .take_while(belongs)
            .take(SHOWN_MAX.saturating_sub(prefix.len())),
    );
    shown
}
