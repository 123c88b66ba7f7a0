//! License keys in files as they reach an administrator: texts in UTF-8, UTF-16, UTF-32 or Windows-1252, mails with all that they carry (rule K3).

mod charset;
mod guise;
mod mail;
mod picture;
mod salvage;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use mail_parser::decoders::html::html_to_text;
use serde::Serialize;
use thiserror::Error;

use crate::vendor::{KEYS_MAX, LicenseKey, ScanError, find_keys};

/// A key, or what begins like one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Candidate {
    /// Where it stands.
    pub(super) place: Place,
    /// Its canonical text; what is there of a damaged one.
    pub(super) text: String,
}

/// Where a key stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// Which part of a mail, in words; nothing in a file of text.
    pub(super) part: Option<String>,
    /// The line of that part or file, from 1.
    pub(super) line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{part}, line {}", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}

/// A part of a mail, or a file, that was not searched, or not all of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Unsearched {
    /// Which.
    pub(super) part: String,
    /// Why, and what to do.
    pub(super) reason: String,
    /// Whether the rest of it was searched.
    #[serde(skip)]
    is_rest_searched: bool,
}

impl fmt::Display for Unsearched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, reason, .. } = self;
        if self.is_rest_searched {
            write!(f, "not all of {part} was searched: {reason}")
        } else {
            write!(f, "{part} was not searched: {reason}")
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    /// Keys in the order in which they stand there.
    pub(super) keys: Vec<Candidate>,
    /// What was not searched.
    pub(super) unsearched: Vec<Unsearched>,
    /// Attachments that do not say so and are pictures, by kind: they are not searched either.
    pub(super) pictures: BTreeMap<&'static str, u32>,
}

impl Found {
    /// What was not searched, for people: each part, and how many pictures.
    pub(super) fn told_unsearched(&self) -> Vec<String> {
        let parts = self.unsearched.iter().map(Unsearched::to_string);
        parts.chain(told_pictures(&self.pictures)).collect()
    }
}

/// How many pictures were not searched, in a sentence; nothing where there were none.
pub(super) fn told_pictures(pictures: &BTreeMap<&'static str, u32>) -> Option<String> {
    let kinds: Vec<String> = pictures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    (!kinds.is_empty()).then(|| {
        format!(
            "pictures among the attachments were not searched ({}): a key that one shows has to be typed",
            kinds.join(", ")
        )
    })
}

/// Why a file cannot be searched. The message goes behind its name.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(super) enum KeyFileError {
    /// It is something else than text or a mail.
    #[error(transparent)]
    NoText(#[from] charset::NoText),
    /// It is beyond the bounds.
    #[error(transparent)]
    Scan(#[from] ScanError),
}

/// All keys in the bytes of a file. A mail is one by its name, `.eml`, or by how it begins.
///
/// # Errors
/// It is no text, or beyond the bounds of [`find_keys`].
pub(super) fn find(name: &Path, bytes: &[u8]) -> Result<Found, KeyFileError> {
    let is_named_so = name
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("eml"));
    if is_named_so || mail::begins_like_one(bytes) {
        let found = mail::find(bytes)?;
        // A text that was only named like a mail, or begins with something like a header.
        if !found.keys.is_empty() || !found.unsearched.is_empty() || !found.pictures.is_empty() {
            return Ok(found);
        }
    }
    let mut found = Search::default();
    found.text(None, &charset::decode(bytes)?)?;
    Ok(found.found)
}

/// Which keys of a text are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    All,
    /// Those that are not damaged.
    Whole,
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Search {
    found: Found,
    /// Keys of a mail that were found: the same ones stand in its text, in its HTML, and quoted below an answer.
    known: BTreeSet<String>,
}

impl Search {
    /// Searches a file's text, or that of a part of a mail. What may be hidden in it is told.
    fn text(&mut self, part: Option<&str>, text: &str) -> Result<(), ScanError> {
        let name = part.unwrap_or("the file");
        let hidden = guise::hidden_in(text).into_iter().map(|reason| Unsearched {
            part: name.to_owned(),
            reason,
            is_rest_searched: true,
        });
        self.found.unsearched.extend(hidden);
        if guise::is_rtf(text) {
            return self.keys(Some(name), text, Wanted::Whole);
        }
        if guise::is_html(text) {
            return self.html(&part.map_or_else(|| "HTML text".to_owned(), str::to_owned), text);
        }
        self.keys(part, text, Wanted::All)
    }

    /// Searches HTML: what it shows, and then what stands whole in what it does not show, as in a link.
    fn html(&mut self, part: &str, html: &str) -> Result<(), ScanError> {
        self.keys(Some(part), &mail::cleared(&html_to_text(html)), Wanted::All)?;
        self.keys(Some(part), html, Wanted::Whole)
    }

    fn keys(&mut self, part: Option<&str>, text: &str, wanted: Wanted) -> Result<(), ScanError> {
        for key in find_keys(text)? {
            if wanted == Wanted::Whole && LicenseKey::parse(&key.text).is_err() {
                continue;
            }
            if part.is_some() && !self.known.insert(key.text.clone()) {
                continue;
            }
            if self.found.keys.len() == KEYS_MAX {
                return Err(ScanError::TooManyKeys);
            }
            self.found.keys.push(Candidate {
                place: Place {
                    part: part.map(str::to_owned),
                    line: key.line,
                },
                text: key.text,
            });
        }
        Ok(())
    }

    /// Notes what is searched, and why that may not be all of it.
    fn note_partly(&mut self, part: &str, reason: &str) {
        self.found.unsearched.push(Unsearched {
            part: part.to_owned(),
            reason: reason.to_owned(),
            is_rest_searched: true,
        });
    }

    /// Notes what is not searched.
    fn pass_over(&mut self, part: &str, reason: impl fmt::Display) {
        self.found.unsearched.push(Unsearched {
            part: part.to_owned(),
            reason: reason.to_string(),
            is_rest_searched: false,
        });
    }
}
