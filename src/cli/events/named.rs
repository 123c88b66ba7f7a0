//! Whom the first digits of a fingerprint name, as events show them: whoever of that name is in the log.

use std::collections::BTreeSet;

use super::Pages;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::session::Session;
use crate::wire::messages::events::{EventRow, Events};

/// Identities that are told where several are meant, at most.
const TOLD_MAX: usize = 8;

/// The one identity that caused any of the wanted events and whose fingerprint begins with these digits.
///
/// The log is read for it, since an agent is known nowhere else; the newest first, and as far as the other filters go.
pub(super) async fn identity(session: &mut Session, wanted: &Events, digits: &str) -> Result<[u8; 32], CliError> {
    let mut found = BTreeSet::new();
    let mut pages = Pages::new(wanted.clone(), true);
    while let Some(page) = pages.next(session).await? {
        found.extend(begun(&page.rows, digits));
        if found.len() > TOLD_MAX {
            break;
        }
    }
    let none = format!(
        "no event that is kept and looked for was caused by an identity that begins with {digits}; \
         `seatkeeper events --columns by,event` shows who caused which"
    );
    one(&found, digits, &none)
}

/// Who of those that caused these events has a fingerprint that begins so.
pub(in crate::cli) fn begun(rows: &[EventRow], digits: &str) -> impl Iterator<Item = [u8; 32]> {
    let identities = rows.iter().filter_map(|row| row.identity);
    identities.filter(move |identity| output::hex(identity).starts_with(digits))
}

/// The only one of these, all of which begin with these digits; `none` says that there is none.
pub(in crate::cli) fn one(found: &BTreeSet<[u8; 32]>, digits: &str, none: &str) -> Result<[u8; 32], CliError> {
    let mut each = found.iter();
    match (each.next(), each.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => Err(CliError::failed(none)),
        (Some(_), Some(_)) => {
            let told: Vec<String> = found.iter().take(TOLD_MAX).map(|one| output::hex(one)).collect();
            let more = if found.len() > TOLD_MAX { ", and more" } else { "" };
            Err(CliError::Usage(format!(
                "{digits} names several identities: {}{more}; write more digits of the one that is meant",
                told.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(identity: Option<[u8; 32]>) -> EventRow {
        EventRow {
            identity,
            ..EventRow::default()
        }
    }

    #[test]
    fn first_digits_name_one_identity_or_nobody_and_several_are_told() {
        let mut near = [0xab; 32];
        near[31] = 1;
        let rows = [
            by(None),
            by(Some([0xab; 32])),
            by(Some([0xcd; 32])),
            by(Some([0xab; 32])),
            by(Some(near)),
        ];
        let found = |digits: &str| one(&begun(&rows, digits).collect(), digits, "nobody begins so");
        assert_eq!(found("cdcdcdcd").unwrap(), [0xcd; 32]);
        assert_eq!(found(&output::hex(&near)[..63]).unwrap(), near);
        let none = found("00000000").unwrap_err().to_string();
        assert!(none.contains("nobody begins so"), "{none}");
        let several = found("abababab").unwrap_err().to_string();
        assert!(
            several.contains(&output::hex(&near)) && several.contains(&"ab".repeat(32)) && !several.contains("cdcd"),
            "{several}"
        );
    }
}
