//! The TOML file that a blacklist is made of.

use std::collections::BTreeMap;

use seatkeeper::domain::blacklist::{CONTACT_LEN_MAX, LISTED_MAX, Listed};
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::BlacklistDraft;
use serde::Deserialize;
use toml::Spanned;

use crate::one_line;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Option<u64>,
    contact: Contact,
    #[serde(default)]
    blacklisted: Vec<Spanned<String>>,
    #[serde(default)]
    superseded: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Contact(String);

impl TryFrom<String> for Contact {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        one_line::check(text, "contact", CONTACT_LEN_MAX).map(Self)
    }
}

/// Reads the file; errors name line and field.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<BlacklistDraft, String> {
    let file: File = toml::from_str(text).map_err(|fault| fault.to_string())?;
    let mut serials = BTreeMap::new();
    let listed = [
        (file.blacklisted, Listed::Blacklisted),
        (file.superseded, Listed::Superseded),
    ];
    for (list, why) in listed {
        for spanned in list {
            // Read here, since TOML knows the line of the list but not of a serial in it that cannot be read.
            let line = line_of(text, spanned.span().start);
            let typed = spanned.into_inner();
            let serial: Serial = typed
                .parse()
                .map_err(|fault| format!("line {line}: `{typed}`: {fault}"))?;
            if serials.insert(serial, why).is_some() {
                return Err(format!("line {line}: serial {serial} is there twice; list it once"));
            }
        }
    }
    if serials.len() > LISTED_MAX {
        return Err(format!(
            "{} serials are listed, more than the {LISTED_MAX} that a blacklist can hold, and each list replaces the one \
             before as a whole; leave out the serials of licenses whose end date has passed, since those serve no more anyway",
            serials.len()
        ));
    }
    Ok(BlacklistDraft {
        version: file.version.unwrap_or(now.0),
        issued_at: now,
        contact: file.contact.0,
        serials,
    })
}

/// The line, from 1 on, of the byte at `place`.
fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|&byte| byte == b'\n').count() + 1
}
