//! The ledger's words in the model's.

use seatkeeper::domain::change::Fact;
use seatkeeper::domain::reply::{ImportOutcome, Reply};

use crate::model::{Answer, Conflict, Outcome};

/// The key of a fact, as text that sorts by kind first, and whether it is there or deleted.
pub(super) fn place_of(fact: &Fact) -> (String, bool) {
    match fact {
        Fact::AdminPut(id, _) => (format!("a{id:?}"), true),
        Fact::AdminRemoved(id) => (format!("a{id:?}"), false),
        Fact::CataloguePut(catalogue) => (format!("c{:?}", catalogue.vendor), true),
        Fact::FormerDropped(key) => (format!("f{key:?}"), false),
        Fact::FormerPut(key, _) => (format!("f{key:?}"), true),
        Fact::LicensePut(license) => (format!("l{:?}", license.claims.serial), true),
        Fact::LicenseRemoved(serial) => (format!("l{serial:?}"), false),
        Fact::SeatEnded(key) => (format!("s{key:?}"), false),
        Fact::SeatPut(key, _) => (format!("s{key:?}"), true),
        Fact::ServerPut(_) => ("server".to_owned(), true),
        Fact::SpentPut(serial, unit, _) => (format!("u{serial:?} {unit:08}"), true),
        Fact::TombstonePut(serial, _) => (format!("t{serial:?}"), true),
        Fact::VendorPut(id, _) => (format!("v{id:?}"), true),
    }
}

pub(super) fn answer(reply: &Reply) -> Answer {
    match reply {
        Reply::Availability(counts) => Answer::Counts(*counts),
        Reply::Denied(denied) => Answer::Denied {
            denial: denied.denial,
            seats: denied.seats,
            former: denied.former,
        },
        Reply::Imported(outcomes) => Answer::Imported(match outcomes[..] {
            [ImportOutcome::Added { .. }] => Outcome::Added,
            [ImportOutcome::AlreadyPresent { .. }] => Outcome::AlreadyPresent,
            [ImportOutcome::Refused { refusal, .. }] => Outcome::Refused(refusal),
            _ => panic!("{outcomes:?} for one key"),
        }),
        Reply::LicenseRemoved { seats_ended } => Answer::Removed(*seats_ended),
        Reply::NotCounted { counts, .. } => Answer::NotCounted(*counts),
        Reply::NothingHeld => Answer::NothingHeld,
        Reply::Reclaimed(count) => Answer::Reclaimed(*count),
        Reply::Released {
            seat_freed,
            components_left,
        } => Answer::Released {
            seat_freed: *seat_freed,
            components_left: *components_left,
        },
        Reply::Seat(grant) => Answer::Seat {
            kind: grant.kind,
            serial: grant.serial,
            acquired_at: grant.acquired_at.0,
            renew_by: grant.renew_by.map(|at| at.0),
            conflict: grant.conflict.map(|seen| Conflict {
                kind: seen.kind,
                since: seen.since.0,
                last_seen: seen.last_seen.0,
                count: seen.count,
            }),
        },
        other => panic!("not asked for: {other:?}"),
    }
}
