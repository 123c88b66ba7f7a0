//! An event as a sentence: who, what, which machine and product, which license.

use crate::cli::output::{self, IDENTITY_DIGITS, count, date, lasting};
use crate::domain::time::Timestamp;
use crate::wire::messages::events::EventRow;
use crate::wire::{EndCause, EventKind};

/// Who caused it, with so many digits of the identity.
pub(super) fn by(row: &EventRow, digits: usize) -> String {
    row.identity
        .as_ref()
        .map_or_else(|| "server".to_owned(), |identity| identity_text(identity, digits))
}

/// What happened, in a sentence. It may hold what a machine calls itself: whoever shows it makes that harmless.
pub(super) fn sentence(row: &EventRow) -> String {
    let what = what(row);
    match (&row.identity, row.address) {
        (Some(_), Some(address)) => format!("{what} (by {} at {address})", by(row, IDENTITY_DIGITS)),
        (Some(_), None) => format!("{what} (by {})", by(row, IDENTITY_DIGITS)),
        (None, _) => what,
    }
}

fn what(row: &EventRow) -> String {
    match row.kind {
        EventKind::BINDING_FORGOTTEN
        | EventKind::COMPONENT_ADDED
        | EventKind::COMPONENT_RELEASED
        | EventKind::CONFLICT_SEEN
        | EventKind::IDENTITY_APPROVED
        | EventKind::IDENTITY_WAITS
        | EventKind::IDENTITY_REPLACED => of_component(row),
        EventKind::SEAT_ENDED | EventKind::SEAT_ENGAGED | EventKind::SEAT_MOVED | EventKind::SEAT_RENEWED => {
            of_seat(row)
        }
        EventKind::LICENSE_IMPORTED | EventKind::LICENSE_LISTED | EventKind::LICENSE_REMOVED => of_license(row),
        EventKind::DEPLOYMENT_ABORTED | EventKind::DEPLOYMENT_COMMITTED | EventKind::RESERVATION_ENDED => {
            of_reservation(row)
        }
        EventKind::MACHINES_RESERVED | EventKind::RESERVED | EventKind::SEATS_HELD | EventKind::UNITS_RESERVED => {
            of_setting_aside(row)
        }
        EventKind::JUMP_ACCEPTED | EventKind::JUMP_PENDING | EventKind::JUMP_REJECTED | EventKind::TIME_SET => {
            of_clock(row)
        }
        EventKind::REFUSED => of_refusal(row),
        _ => of_server(row),
    }
}

fn of_server(row: &EventRow) -> String {
    let identity = subject(row);
    let (vendor, version) = (hex(row.vendor.as_ref()), row.version.unwrap_or_default());
    let token = hex(row.token.as_ref());
    match row.kind {
        EventKind::ROLE_GIVEN => {
            let role = output::code(row.role.and_then(crate::wire::Role::name));
            format!("identity {identity} was given the role {role}")
        }
        EventKind::ROLE_TAKEN => format!("identity {identity} lost its role"),
        EventKind::BLACKLIST_IMPORTED => format!("blacklist {version} of vendor {vendor} was imported"),
        EventKind::CATALOGUE_IMPORTED => format!("catalogue {version} of vendor {vendor} was imported"),
        EventKind::BACKED_UP | EventKind::BACKED_UP_WITHOUT_IDENTITY => format!(
            "a backup was made at {}, through round {version}, {} the server's identities",
            time(row.from),
            if row.kind == EventKind::BACKED_UP {
                "with"
            } else {
                "without"
            }
        ),
        EventKind::CONFIG_RELOADED => format!(
            "the configuration was read again: {} taken over",
            count(counted(row), "key")
        ),
        EventKind::SERVER_FOUNDED => format!("server {} was started for the first time", hex(row.server.as_ref())),
        EventKind::SERVER_RESTORED => format!(
            "the server was restored from the backup of {}: epoch {version} from now on",
            time(row.from)
        ),
        EventKind::SERVER_IDENTITY_REPLACED => format!(
            "the server has the identity {identity} from now on, in place of {}",
            row.subject_before.map_or_else(unknown, short)
        ),
        EventKind::VENDOR_TRUSTED => format!("vendor {vendor} is trusted from now on"),
        EventKind::TOKEN_ADDED => format!(
            "enrolment token {token} enrols {} until {}",
            count(counted(row), "identity").replace("identitys", "identities"),
            time(row.to)
        ),
        EventKind::TOKEN_REVOKED => match counted(row) {
            0 => format!("enrolment token {token} was revoked"),
            many => format!(
                "enrolment token {token} was revoked, and {} enrolled no more",
                if many == 1 {
                    "1 identity is".to_owned()
                } else {
                    format!("{many} identities are")
                }
            ),
        },
        EventKind::IDENTITY_ENROLLED => format!("identity {identity} was enrolled by token {token}"),
        EventKind::IDENTITY_REMOVED => format!("identity {identity}, enrolled by token {token}, is enrolled no more"),
        unknown => format!(
            "something that this version does not know happened (kind {})",
            unknown.0
        ),
    }
}

fn of_seat(row: &EventRow) -> String {
    let (machine, product, license) = (machine(row), product(row), license(row));
    match row.kind {
        EventKind::SEAT_ENGAGED if row.again == Some(true) => {
            format!("{machine} engaged a seat of {product} again, on license {license}")
        }
        EventKind::SEAT_ENGAGED => format!("{machine} engaged a seat of {product}, on license {license}"),
        EventKind::SEAT_MOVED => format!(
            "the seat of {product} of {machine} moved from license {} to {license}",
            row.serial_before.as_deref().unwrap_or("?")
        ),
        EventKind::SEAT_ENDED => {
            let cause = match row.cause {
                Some(EndCause::ADMINISTRATOR) => "an administrator took it back",
                Some(EndCause::IDLE) => "it was not renewed in time",
                Some(EndCause::LICENSE_REMOVED) => "its license was removed",
                Some(EndCause::RELEASED) => "it was released",
                _ => "for a reason that this version does not know",
            };
            let spent = if row.spent == Some(true) {
                "; its unit stays spent"
            } else {
                ""
            };
            format!(
                "the seat of {product} of {machine} on license {license} ended: {cause}{}{spent}",
                reason(row)
            )
        }
        _ => format!("{machine} renewed its seat of {product}"),
    }
}

fn of_component(row: &EventRow) -> String {
    let component = row.component.as_deref().unwrap_or("?");
    let place = format!("{component} of {} on {}", product(row), machine(row));
    let (identity, before) = (subject(row), row.subject_before.map_or_else(unknown, short));
    match row.kind {
        EventKind::BINDING_FORGOTTEN => format!("the binding of {place} was forgotten: its next checkout binds anew"),
        EventKind::COMPONENT_ADDED => format!("{place} holds the seat too"),
        EventKind::COMPONENT_RELEASED => format!("{place} was released{}", reason(row)),
        EventKind::CONFLICT_SEEN => {
            let kind = output::code(row.conflict.and_then(crate::wire::ConflictKind::name));
            format!("{place} shows a conflict, {kind}: a copied machine?")
        }
        EventKind::IDENTITY_APPROVED => {
            format!("identity {identity} was approved for {place}, in place of {before}")
        }
        EventKind::IDENTITY_WAITS => format!("identity {identity} waits for approval for {place}"),
        _ => format!("identity {identity} took the place of {before} for {place}"),
    }
}

fn of_license(row: &EventRow) -> String {
    let license = license(row);
    match row.kind {
        EventKind::LICENSE_IMPORTED => format!(
            "license {license} of {} was imported: {}",
            product(row),
            count(counted(row), "seat")
        ),
        EventKind::LICENSE_LISTED => match row.listed {
            Some(listed) => format!(
                "license {license} is {} by its vendor's list",
                output::code(listed.name())
            ),
            None => format!("license {license} is good again by its vendor's list"),
        },
        _ => format!(
            "license {license} was removed, and {} ended with it",
            count(counted(row), "seat")
        ),
    }
}

fn of_reservation(row: &EventRow) -> String {
    let reservation = hex(row.reservation.as_ref());
    match row.kind {
        EventKind::DEPLOYMENT_ABORTED => format!(
            "the deployment of {} was aborted: its unit of license {} is free again (reservation {reservation})",
            machine(row),
            license(row)
        ),
        EventKind::DEPLOYMENT_COMMITTED => format!(
            "the deployment of {} was committed: a unit of license {} is spent (reservation {reservation})",
            machine(row),
            license(row)
        ),
        _ if row.lapsed == Some(true) => format!("reservation {reservation} lapsed"),
        _ => format!("reservation {reservation} is settled: nothing is left of it"),
    }
}

/// What a reservation has. The machines that got a seat have an event of their own each.
fn of_setting_aside(row: &EventRow) -> String {
    let (reservation, product, counted) = (hex(row.reservation.as_ref()), product(row), counted(row));
    let were = if counted == 1 { "was" } else { "were" };
    match row.kind {
        EventKind::MACHINES_RESERVED => {
            format!(
                "reservation {reservation} of {product} was made for {}",
                count(counted, "machine")
            )
        }
        EventKind::SEATS_HELD => {
            let held = count(counted, "seat");
            format!("reservation {reservation} of {product} was made: {held} held for machines that check out")
        }
        EventKind::UNITS_RESERVED => {
            let units = count(counted, "unit");
            format!("{units} of {product} {were} set aside by reservation {reservation}")
        }
        // As an earlier release told it, of either.
        _ if counted == 0 => {
            format!(
                "reservation {reservation} of {product} was made for machines that all have a seat: no unit was set aside"
            )
        }
        _ => {
            let either = if counted == 1 {
                "unit or held seat"
            } else {
                "units or held seats"
            };
            format!("{counted} {either} of {product} {were} set aside by reservation {reservation}")
        }
    }
}

fn of_clock(row: &EventRow) -> String {
    let jump = lasting(row.jump_secs.unwrap_or_default());
    let from = time(row.from);
    match row.kind {
        EventKind::TIME_SET => format!("the time was set from {from} to {}", time(row.to)),
        EventKind::JUMP_ACCEPTED => format!("the clock's jump of {jump}, begun at {from}, was accepted"),
        EventKind::JUMP_PENDING => format!("the clock jumped ahead by {jump} at {from}: pending"),
        _ => format!("the clock's jump of {jump}, begun at {from}, is over and counts for nothing"),
    }
}

fn of_refusal(row: &EventRow) -> String {
    let who = match (&row.mac, &row.product) {
        (_, Some(_)) if row.lacked.is_some() => format!("a reservation of {} was refused", product(row)),
        (Some(_), Some(_)) => format!("{} was refused {}", machine(row), product(row)),
        (Some(_), None) => format!("{} was refused", machine(row)),
        (None, Some(_)) => format!("a request for {} was refused", product(row)),
        (None, None) => "a request was refused".to_owned(),
    };
    let why = row.status.map_or_else(unknown, |status| {
        status
            .name()
            .map_or_else(|| format!("status {}", status.0), |name| output::code(Some(name)))
    });
    let lacked = row.lacked.map_or_else(String::new, |lacked| {
        format!(", {} more would have been enough", count(lacked.into(), "seat"))
    });
    match counted(row) {
        0 | 1 => format!("{who}: {why}{lacked}"),
        many => format!("{who}: {why}, {many} times since {}{lacked}", time(row.from)),
    }
}

fn machine(row: &EventRow) -> String {
    let mac = row.mac.map_or_else(|| "a machine".to_owned(), output::mac);
    match &row.host_name {
        Some(name) => format!("{name} ({mac})"),
        None => mac,
    }
}

fn product(row: &EventRow) -> &str {
    row.product.as_deref().unwrap_or("a product")
}

fn license(row: &EventRow) -> &str {
    row.serial.as_deref().unwrap_or("?")
}

fn subject(row: &EventRow) -> String {
    row.subject.map_or_else(unknown, short)
}

fn short(identity: [u8; 32]) -> String {
    identity_text(&identity, IDENTITY_DIGITS)
}

fn identity_text(identity: &[u8], digits: usize) -> String {
    output::hex(identity).chars().take(digits).collect()
}

fn hex<const N: usize>(bytes: Option<&[u8; N]>) -> String {
    bytes.map_or_else(unknown, |bytes| output::hex(bytes))
}

fn unknown() -> String {
    "?".to_owned()
}

fn counted(row: &EventRow) -> u64 {
    row.count.unwrap_or_default().into()
}

fn time(secs: Option<u64>) -> String {
    date(secs.map(Timestamp))
}

fn reason(row: &EventRow) -> String {
    row.reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Status;

    #[test]
    fn every_kind_has_a_sentence_of_its_own() {
        let mut told = std::collections::BTreeSet::new();
        for (kind, name) in EventKind::TABLE {
            let row = EventRow {
                kind: *kind,
                ..EventRow::default()
            };
            let text = sentence(&row);
            assert!(!text.contains("does not know happened"), "{name}: {text}");
            assert!(told.insert(text.clone()), "{name} is told like another one: {text}");
        }
        let newer = EventRow {
            kind: EventKind(200),
            ..EventRow::default()
        };
        assert!(sentence(&newer).contains("kind 200"));
    }

    #[test]
    fn a_sentence_tells_who_what_where_and_which() {
        let row = EventRow {
            kind: EventKind::REFUSED,
            identity: Some([0xa1; 32]),
            address: Some([192, 0, 2, 7].into()),
            product: Some("BKSRV".into()),
            mac: Some([0, 0, 0x5e, 0, 0x53, 4]),
            host_name: Some("srv-4".into()),
            status: Some(Status::SEATS_EXHAUSTED),
            count: Some(5),
            from: Some(0),
            ..EventRow::default()
        };
        assert_eq!(
            sentence(&row),
            "srv-4 (00:00:5e:00:53:04) was refused BKSRV: seats exhausted, 5 times since 1970-01-01 00:00:00 \
             (by a1a1a1a1a1a1a1a1 at 192.0.2.7)"
        );
        let ended = EventRow {
            kind: EventKind::SEAT_ENDED,
            product: Some("BKSRV".into()),
            mac: Some([0, 0, 0x5e, 0, 0x53, 4]),
            serial: Some("0123456789ABCDEF".into()),
            cause: Some(EndCause::ADMINISTRATOR),
            reason: Some("sold".into()),
            spent: Some(true),
            ..EventRow::default()
        };
        assert_eq!(
            sentence(&ended),
            "the seat of BKSRV of 00:00:5e:00:53:04 on license 0123456789ABCDEF ended: an administrator took it back: sold; \
             its unit stays spent"
        );
    }
    #[test]
    fn what_a_reservation_sets_aside_is_told_by_what_it_is() {
        let of = |kind, count| {
            sentence(&EventRow {
                kind,
                product: Some("BKWKS".into()),
                reservation: Some([0x0a; 16]),
                count: Some(count),
                ..EventRow::default()
            })
        };
        let id = "0a".repeat(16);
        for (kind, count, told) in [
            (
                EventKind::MACHINES_RESERVED,
                5,
                format!("reservation {id} of BKWKS was made for 5 machines"),
            ),
            (
                EventKind::UNITS_RESERVED,
                1,
                format!("1 unit of BKWKS was set aside by reservation {id}"),
            ),
            (
                EventKind::SEATS_HELD,
                7,
                format!("reservation {id} of BKWKS was made: 7 seats held for machines that check out"),
            ),
            (
                EventKind::RESERVED,
                0,
                format!("reservation {id} of BKWKS was made for machines that all have a seat: no unit was set aside"),
            ),
            (
                EventKind::RESERVED,
                1,
                format!("1 unit or held seat of BKWKS was set aside by reservation {id}"),
            ),
            (
                EventKind::RESERVED,
                7,
                format!("7 units or held seats of BKWKS were set aside by reservation {id}"),
            ),
        ] {
            assert_eq!(of(kind, count), told);
        }
    }
}
