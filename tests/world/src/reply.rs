//! The ledger's answers in the model's words.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use seatkeeper::domain::denial::{Denial, KeyRefusal, SeatsInUse};
use seatkeeper::domain::ids::{Mac, Serial};
use seatkeeper::domain::reply::{Counts, GrantKind, ImportOutcome, Reply, Settled};
use seatkeeper::domain::reservation::{Hold, Reservation, Reserved};
use seatkeeper::domain::seat::{Conflict, ConflictKind, EndCause, FormerSeat};
use seatkeeper_model as model;
use seatkeeper_model::{AbortRow, Answer, Ask, CommitRow};

use crate::words::serial_number;

/// Serials were made of numbers.
#[must_use]
pub fn number(serial: Serial) -> model::Serial {
    serial_number(serial.as_str()).unwrap()
}

/// What a reply says. It panics where that is no answer to this ask by the rules.
#[must_use]
pub fn answer(ask: &Ask, reply: &Reply) -> Answer {
    match reply {
        Reply::Availability { seats, units } => Answer::Counts(model::Counts {
            seats: tally(*seats),
            units: tally(*units),
        }),
        Reply::BlacklistImported { serials, .. } => Answer::BlacklistImported(*serials),
        Reply::CatalogueImported { products, .. } => Answer::CatalogueImported(*products),
        Reply::Denied(denied) => Answer::Denied {
            denial: denial(denied.denial),
            seats: denied.seats.map(seats_in_use),
            former: denied.former.map(former),
        },
        Reply::Done => Answer::ClockMoved,
        Reply::Imported(outcomes) => Answer::Imported(match &outcomes[..] {
            [ImportOutcome::Added { .. }] => model::ImportOutcome::Added,
            [ImportOutcome::AlreadyPresent { .. }] => model::ImportOutcome::AlreadyPresent,
            [ImportOutcome::Refused { refusal, .. }] => model::ImportOutcome::Refused(key_refusal(refusal)),
            _ => panic!("{outcomes:?} for one key"),
        }),
        Reply::LicenseRemoved(removed) => Answer::Removed {
            moved: removed.seats_moved,
            ended: removed.seats_ended,
            spent: removed.spent,
            dropped: removed.dropped,
        },
        Reply::NotCounted { counts, .. } => Answer::NotCounted(model::Counts {
            seats: tally(*counts),
            units: model::Tally::default(),
        }),
        Reply::NothingHeld => Answer::NothingHeld,
        Reply::Released {
            seat_freed,
            components_left,
        } => Answer::Released {
            seat_freed: *seat_freed,
            components_left: *components_left,
        },
        Reply::Reserved(row) => Answer::Reserved {
            ends_at: row.reservation.lapses_at.0,
            machines: machines(&row.reservation),
            seats: row
                .seats
                .iter()
                .map(|(mac, serial)| (mac.bytes(), number(*serial)))
                .collect(),
            held: held(&row.reservation),
        },
        Reply::Resolved { components } => Answer::Resolved(*components),
        Reply::Seat(grant) => Answer::Seat {
            kind: match grant.kind {
                GrantKind::Granted => model::GrantKind::Granted,
                GrantKind::Renewed => model::GrantKind::Renewed,
                GrantKind::EngagedAgain(one) => model::GrantKind::EngagedAgain(former(one)),
            },
            serial: number(grant.serial),
            acquired_at: grant.acquired_at.0,
            renew_by: grant.renew_by.map(|at| at.0),
            conflict: grant.conflict.map(conflict),
            offline_days: grant.offline_days,
        },
        Reply::Settled { rows, .. } if matches!(ask, Ask::Commit { .. }) => {
            Answer::Committed(rows.iter().map(committed).collect())
        }
        Reply::Settled { rows, .. } => Answer::Aborted(rows.iter().map(aborted).collect()),
        other => panic!("not asked for: {other:?}"),
    }
}

/// Seats or units in the model's words.
#[must_use]
pub const fn tally(counts: Counts) -> model::Tally {
    model::Tally {
        licenses: counts.licenses,
        total: counts.total,
        used: counts.used,
        free: counts.free,
        available: counts.available,
    }
}

/// What a reservation has for its machines.
#[must_use]
pub fn machines(reservation: &Reservation) -> Vec<(model::Mac, model::Reserved)> {
    let Hold::Machines(machines) = &reservation.hold else {
        return Vec::new();
    };
    let row = |(mac, reserved): (&Mac, &Reserved)| {
        let reserved = match reserved {
            Reserved::Covered => model::Reserved::Covered,
            Reserved::Seat => model::Reserved::Seat,
            Reserved::Unit(serial) => model::Reserved::Unit(number(*serial)),
        };
        (mac.bytes(), reserved)
    };
    machines.iter().map(row).collect()
}

/// The seats that a reservation holds, one serial for each.
#[must_use]
pub fn held(reservation: &Reservation) -> Vec<model::Serial> {
    let Hold::Seats(held) = &reservation.hold else {
        return Vec::new();
    };
    let each = |(serial, count): (&Serial, &u32)| vec![number(*serial); usize::try_from(*count).unwrap()];
    held.iter().flat_map(each).collect()
}

fn committed(row: &(Mac, Settled)) -> (model::Mac, CommitRow) {
    let what = match row.1 {
        Settled::AlreadyCommitted(_) => CommitRow::AlreadyCommitted,
        Settled::Committed(serial) => CommitRow::Spent(number(serial)),
        Settled::Covered(_) => CommitRow::Covered,
        Settled::Engaged(_) => CommitRow::Seat,
        Settled::Refused(why) => CommitRow::Refused(denial(why)),
        Settled::GivenBack(_) | Settled::NothingReserved => panic!("{row:?} in a commit"),
    };
    (row.0.bytes(), what)
}

fn aborted(row: &(Mac, Settled)) -> (model::Mac, AbortRow) {
    let what = match row.1 {
        Settled::AlreadyCommitted(_) => AbortRow::AlreadyCommitted,
        Settled::GivenBack(_) => AbortRow::GivenBack,
        Settled::Covered(_) => AbortRow::Covered,
        Settled::NothingReserved => AbortRow::NothingReserved,
        Settled::Committed(_) | Settled::Engaged(_) | Settled::Refused(_) => {
            panic!("{row:?} in an abort")
        }
    };
    (row.0.bytes(), what)
}

/// A conflict in the model's words.
#[must_use]
pub const fn conflict(seen: Conflict) -> model::Conflict {
    model::Conflict {
        kind: match seen.kind {
            ConflictKind::AlternatingIdentity => model::ConflictKind::AlternatingIdentity,
            ConflictKind::StaleContinuation => model::ConflictKind::StaleContinuation,
        },
        since: seen.since.0,
        last_seen: seen.last_seen.0,
        count: seen.count,
    }
}

/// A seat that was held before, in the model's words.
#[must_use]
pub const fn former(one: FormerSeat) -> model::Former {
    model::Former {
        ended_at: one.ended_at.0,
        cause: match one.cause {
            EndCause::Administrator => model::EndCause::Administrator,
            EndCause::Idle => model::EndCause::Idle,
            EndCause::LicenseRemoved => model::EndCause::LicenseRemoved,
            EndCause::Released => model::EndCause::Released,
        },
    }
}

fn seats_in_use(seats: SeatsInUse) -> model::SeatsInUse {
    model::SeatsInUse {
        used: seats.used,
        total: seats.total,
        earliest_renew_by: seats.earliest_renew_by.map(|at| at.0),
    }
}

fn key_refusal(refusal: &KeyRefusal) -> model::KeyRefusal {
    match refusal {
        KeyRefusal::Blacklisted { .. } => model::KeyRefusal::Blacklisted,
        KeyRefusal::Expired => model::KeyRefusal::Expired,
        KeyRefusal::FewerSeatsThanUsed { .. } => model::KeyRefusal::FewerSeatsThanUsed,
        KeyRefusal::NotARenewal => model::KeyRefusal::NotARenewal,
        KeyRefusal::SerialTaken => model::KeyRefusal::SerialTaken,
        KeyRefusal::Superseded => model::KeyRefusal::Superseded,
        KeyRefusal::UnknownProduct => model::KeyRefusal::UnknownProduct,
        KeyRefusal::UnknownVendor => model::KeyRefusal::UnknownVendor,
        KeyRefusal::UsageNotOffered => model::KeyRefusal::UsageNotOffered,
    }
}

/// A refusal in the model's words. It panics where it is none by the rules.
#[must_use]
pub fn denial(denial: Denial) -> model::Denial {
    match denial {
        Denial::BlacklistNotNewer { held } => model::Denial::BlacklistNotNewer { held },
        Denial::CatalogueNotNewer { held } => model::Denial::CatalogueNotNewer { held },
        Denial::Conflict => model::Denial::Conflict,
        Denial::DeploymentOnly => model::Denial::DeploymentOnly,
        Denial::IdentityNotBound => model::Denial::IdentityNotBound,
        Denial::LicenseBlacklisted => model::Denial::LicenseBlacklisted,
        Denial::LicenseExpired => model::Denial::LicenseExpired,
        Denial::LicenseInUse { seats } => model::Denial::LicenseInUse { seats },
        Denial::LicenseSuperseded => model::Denial::LicenseSuperseded,
        Denial::NoJumpPending => model::Denial::NoJumpPending,
        Denial::NoLicense => model::Denial::NoLicense,
        Denial::RebindPending => model::Denial::RebindPending,
        Denial::ReboundRecently { until } => model::Denial::ReboundRecently { until: until.0 },
        Denial::RequiredProduct { .. } => model::Denial::RequiredProduct,
        Denial::ReservationTaken => model::Denial::ReservationTaken,
        Denial::ReservationTooLarge => model::Denial::ReservationTooLarge,
        Denial::ReservationTooLong => model::Denial::ReservationTooLong,
        Denial::SeatsExhausted => model::Denial::SeatsExhausted,
        Denial::TooManyComponents => model::Denial::TooManyComponents,
        Denial::TooManyReservations => model::Denial::TooManyReservations,
        Denial::UnknownComponent => model::Denial::UnknownComponent,
        Denial::UnknownProduct => model::Denial::UnknownProduct,
        Denial::UnknownReservation => model::Denial::UnknownReservation,
        Denial::UnknownSerial => model::Denial::UnknownSerial,
        Denial::UnknownVendor => model::Denial::UnknownVendor,
        Denial::AmbiguousProduct
        | Denial::DiskFull
        | Denial::EnrolmentRequired
        | Denial::LastAdministrator
        | Denial::NotAuthorized
        | Denial::SlowDown { .. }
        | Denial::TokenRefused
        | Denial::TooManyTokens
        | Denial::TooManyVendors
        | Denial::TooManyWrongTokens { .. }
        | Denial::UnknownAdministrator
        | Denial::UnknownIdentity
        | Denial::UnknownToken => panic!("not by these rules: {denial:?}"),
    }
}

/// What an answer of the ledger tells of what the rules answer.
#[must_use]
pub fn comparable(expected: &Answer) -> Answer {
    match expected {
        Answer::NotCounted(counts) => {
            let mut counts = *counts;
            counts.units = model::Tally::default();
            Answer::NotCounted(counts)
        }
        Answer::Denied { denial, former, .. } if !is_about_seats(*denial) => Answer::Denied {
            denial: *denial,
            seats: None,
            former: *former,
        },
        other => other.clone(),
    }
}

/// Other refusals do not tell how the product's seats stand.
const fn is_about_seats(denial: model::Denial) -> bool {
    matches!(
        denial,
        model::Denial::DeploymentOnly
            | model::Denial::LicenseBlacklisted
            | model::Denial::LicenseExpired
            | model::Denial::LicenseSuperseded
            | model::Denial::NoLicense
            | model::Denial::SeatsExhausted
    )
}
