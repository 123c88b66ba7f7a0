//! What STATUS warns of, as sentences: what is wrong, and what to do.

use serde::Serialize;

use super::wanting::Wanting;
use crate::cli::clock;
use crate::cli::output::{self, count, date, rfc3339};
use crate::cli::rotate::Note;
use crate::domain::backup;
use crate::domain::time::Timestamp;
use crate::wire::Warning;
use crate::wire::messages::views::{StatusOk, WarningRow};

/// A warning in `status --json`.
#[derive(Serialize)]
pub(super) struct Told {
    code: String,
    text: String,
    number: Option<u64>,
    product: Option<String>,
    serial: Option<String>,
    at: Option<String>,
}

/// The warnings, the most pressing first. Of what is used up, or nearly, only where that kept somebody out lately: then it
/// says when.
pub(super) fn told(status: &StatusOk, wanting: &Wanting) -> Vec<Told> {
    let warning = |row: &WarningRow| {
        let (at, text) = if is_of_scarcity(row.code) {
            let at = wanting.since(row.vendor?, row.product.as_deref()?)?;
            let refused = format!(
                "; somebody was refused for want of it at {} UTC",
                date(Some(Timestamp(at)))
            );
            (Some(at), sentence(row, status) + &refused)
        } else {
            (row.at, sentence(row, status))
        };
        Some(Told {
            code: code(row.code),
            text,
            number: row.number,
            product: row.product.clone(),
            serial: row.serial.clone(),
            at: at.and_then(|at| rfc3339(Some(Timestamp(at)))),
        })
    };
    status.warnings.iter().filter_map(warning).collect()
}

const fn is_of_scarcity(code: Warning) -> bool {
    matches!(code, Warning::NONE_AVAILABLE | Warning::NEARLY_USED_UP)
}

/// What this host knows and the server does not: that its identity was rotated, and that it goes on with the old one.
pub(super) fn rotation_pending(note: Note) -> Told {
    Told {
        code: "rotation-pending".to_owned(),
        text: format!(
            "the identity was rotated, and the server goes on with the old one, stolen or not, until it is started anew; then it \
             has {}",
            note.to
        ),
        number: None,
        product: None,
        serial: None,
        at: None,
    }
}

impl Told {
    /// For people.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A code's name, that of a newer server as a number.
fn code(code: Warning) -> String {
    let number = || format!("warning-{}", code.0);
    code.name()
        .map_or_else(number, |name| output::code(Some(name)).replace(' ', "-"))
}

pub(super) fn sentence(row: &WarningRow, status: &StatusOk) -> String {
    let number = row.number.unwrap_or_default();
    let counted = |what, text: &str| format!("{} {text}", count(number, what));
    let at = date(row.at.map(Timestamp));
    match row.code {
        Warning::DISK_FULL => format!(
            "the disk is full: nothing new is taken, and what is left for everything else is {}; make room on the disk of \
             the data directory before the server stops",
            bytes(number)
        ),
        Warning::DISK_LOW => format!(
            "the disk of the data directory has {} left; make room before it is full and no new seats are given",
            bytes(number)
        ),
        Warning::CHECKPOINT_FAILED => format!(
            "the last checkpoint failed at {at} UTC{}; nothing is lost and it is tried again, but a start takes the longer: \
             mend what it says",
            status
                .checkpoint
                .as_ref()
                .and_then(|checkpoint| checkpoint.failure.as_ref())
                .map_or_else(String::new, |why| format!(": {why}"))
        ),
        Warning::CLOCK_SET_BACK | Warning::CLOCK_JUMPED => {
            clock::warning(status).unwrap_or_else(|| "the clock was not right a moment ago".to_owned())
        }
        Warning::LICENSE_ENDS_AT_ONCE | Warning::LICENSE_ENDS_SOON => ending(row, status),
        Warning::NONE_AVAILABLE => format!(
            "nothing of {} is available, {number} are in use: see seatkeeper seats, and seatkeeper denials for how many more \
             would be enough",
            product(row)
        ),
        Warning::NEARLY_USED_UP => format!(
            "{} is nearly used up, {number} are available: see seatkeeper products, and buy more in time",
            product(row)
        ),
        Warning::CONFLICTS => counted(
            "seat",
            "with a conflict, a copied machine: see seatkeeper seats --conflicts, then seatkeeper resolve MAC",
        ),
        Warning::IDENTITIES_WAIT => counted(
            "seat",
            "on which a new identity waits for approval: see seatkeeper seats --waiting, then seatkeeper resolve MAC",
        ),
        Warning::LICENSES_BLACKLISTED => counted(
            "license",
            "taken back by the vendor: see seatkeeper licenses, and contact the vendor",
        ),
        Warning::LICENSES_SUPERSEDED => counted(
            "license",
            "replaced by others, says the vendor: see seatkeeper licenses, and import the new keys",
        ),
        Warning::LICENSES_EXPIRED => counted(
            "license",
            "expired: see seatkeeper licenses, and import a renewal or seatkeeper remove SERIAL",
        ),
        Warning::CONNECTIONS_NEARLY_USED_UP => format!(
            "{number} of {} connections are taken: raise limits.connections in the configuration if they are wanted, then \
             seatkeeper reload",
            status.connections_max.unwrap_or_default()
        ),
        Warning::NO_VENDOR => "no vendor is trusted yet: seatkeeper vendor trust FILE".to_owned(),
        Warning::NO_RECENT_BACKUP => not_backed_up(row, status),
        Warning::GENERATION_LOST => format!(
            "checkpoint {number} was gone or damaged when the server started: nothing is lost, another one holds, and a new one is \
             made in its place; check the disk, and what the server's log says of it (told until the next start)"
        ),
        Warning(newer) => format!("a warning that this command does not know ({newer}); upgrade it"),
    }
}

fn not_backed_up(row: &WarningRow, status: &StatusOk) -> String {
    let days = count(row.number.unwrap_or_default(), "day");
    let remedy = "seatkeeper backup FILE, to another disk";
    let is_bare = status.backup.as_ref().is_some_and(|backup| !backup.identities);
    match row.at {
        Some(at) if is_bare => format!(
            "the last backup ({} UTC) has none of the server's identities: every machine would have to be told to trust what is \
             restored from it; make one with them: {remedy}",
            date(Some(Timestamp(at)))
        ),
        Some(at) => format!(
            "the last backup is {days} old ({} UTC): {remedy}",
            date(Some(Timestamp(at)))
        ),
        None => format!("no backup was made in the {days} since the {}: {remedy}", begun(status)),
    }
}

/// From when on the server has been what it is.
fn begun(status: &StatusOk) -> &'static str {
    let founded = Timestamp(status.founded_at.unwrap_or_default());
    let restored = (status.epoch).and_then(|epoch| backup::restored_at(epoch, founded, Timestamp(status.server_time)));
    restored.map_or("first start", |_| "restore")
}

fn product(row: &WarningRow) -> &str {
    row.product.as_deref().unwrap_or("a product")
}

/// That a license ends: which, when, how many seats.
fn ending(row: &WarningRow, status: &StatusOk) -> String {
    let serial = row.serial.as_deref().unwrap_or("?");
    let found = status
        .ending
        .iter()
        .find(|ending| Some(&ending.serial) == row.serial.as_ref());
    let (kind, seats, others) = found.map_or_else(
        || ("license".to_owned(), String::new(), String::new()),
        |ending| {
            let kind = match ending.kind {
                crate::wire::Kind::TRIAL => "trial",
                crate::wire::Kind::SUBSCRIPTION => "subscription",
                _ => "license",
            };
            let others = match ending.licenses.saturating_sub(1) {
                0 => String::new(),
                more => format!(" and {more} more that end then"),
            };
            (
                kind.to_owned(),
                format!(", {}", count(ending.seats.into(), "seat")),
                others,
            )
        },
    );
    format!(
        "{kind} {serial} of {}{seats}{others}, ends in {} ({} UTC): import a renewal, seatkeeper import KEY",
        product(row),
        count(row.number.unwrap_or_default(), "day"),
        date(row.at.map(Timestamp))
    )
}

/// So many bytes, for people.
pub(super) fn bytes(number: u64) -> String {
    for (unit, name) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        let (whole, tenths) = (number >> unit, ((number >> (unit - 10)) & 1_023) * 10 / 1_024);
        match whole {
            0 => {}
            1..=9 => return format!("{whole}.{tenths} {name}"),
            _ => return format!("{whole} {name}"),
        }
    }
    format!("{number} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::views;

    #[test]
    fn every_warning_has_a_sentence_of_its_own_that_says_what_to_do() {
        let status = StatusOk {
            clock: views::ClockRow {
                set_back_secs: Some(5),
                ..views::ClockRow::default()
            },
            ..StatusOk::default()
        };
        let mut sentences = Vec::new();
        for (code, name) in Warning::TABLE {
            let row = WarningRow {
                code: *code,
                number: Some(3),
                ..WarningRow::default()
            };
            let text = sentence(&row, &status);
            assert!(!text.contains("does not know"), "{name}: {text}");
            sentences.push((text, *code));
        }
        let newer = WarningRow {
            code: Warning(250),
            ..WarningRow::default()
        };
        assert!(sentence(&newer, &status).contains("upgrade"));
        // The pairs that say the same thing more or less strongly are told apart by their codes.
        sentences.sort_by(|a, b| a.0.cmp(&b.0));
        sentences.dedup_by(|a, b| a.0 == b.0);
        assert_eq!(sentences.len(), Warning::TABLE.len() - 2);
    }

    #[test]
    fn the_license_that_ends_is_named_with_its_seats_and_its_days() {
        let status = StatusOk {
            ending: vec![views::EndingRow {
                serial: "0123456789ABCDEF".to_owned(),
                kind: crate::wire::Kind::TRIAL,
                seats: 5,
                licenses: 3,
                ..views::EndingRow::default()
            }],
            ..StatusOk::default()
        };
        let row = WarningRow {
            code: Warning::LICENSE_ENDS_SOON,
            number: Some(9),
            product: Some("BKSRV".to_owned()),
            serial: Some("0123456789ABCDEF".to_owned()),
            at: Some(1_800_000_000),
            ..WarningRow::default()
        };
        let text = sentence(&row, &status);
        assert!(
            text.starts_with(
                "trial 0123456789ABCDEF of BKSRV, 5 seats and 2 more that end then, ends in 9 days (2027-"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_is_wrong_with_the_last_backup_is_told_in_its_words() {
        const START: u32 = 1_700_000_000;
        let told = |epoch, bare: Option<bool>| {
            let status = StatusOk {
                founded_at: Some(START.into()),
                epoch: Some(epoch),
                server_time: u64::from(START) + 1_000,
                backup: bare.map(|bare| views::BackupRow {
                    identities: !bare,
                    ..views::BackupRow::default()
                }),
                ..StatusOk::default()
            };
            let row = WarningRow {
                code: Warning::NO_RECENT_BACKUP,
                number: Some(40),
                at: bare.map(|_| START.into()),
                ..WarningRow::default()
            };
            sentence(&row, &status)
        };
        for (text, words) in [
            (told(1, None), "in the 40 days since the first start"),
            (told(START + 10, None), "in the 40 days since the restore"),
            (told(1, Some(false)), "the last backup is 40 days old (2023-"),
            (
                told(1, Some(true)),
                "has none of the server's identities: every machine",
            ),
        ] {
            assert!(
                text.contains(words) && text.contains("seatkeeper backup FILE"),
                "{text}"
            );
        }
    }

    #[test]
    fn bytes_are_told_in_units_that_people_read() {
        for (number, text) in [
            (1_000, "1000 bytes"),
            (1_536, "1.5 KiB"),
            (50 << 20, "50 MiB"),
            ((3 << 30) - 1, "2.9 GiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
