//! Answers of the wire in the model's words.

use seatkeeper::wire;
use seatkeeper::wire::messages::hello::Refusal;
use seatkeeper::wire::messages::{Response, admin, deploy, seat};
use seatkeeper::wire::{Outcome, ReleaseOutcome, Status};
use seatkeeper_model as model;
use seatkeeper_model::{AbortRow, Answer, Ask, CommitRow, Denial};

use crate::words::{conflict_kind, end_cause, serial_number};

/// What an answer says; nothing where it is none to this ask.
#[must_use]
pub fn answer(ask: &Ask, response: &Response) -> Option<Answer> {
    Some(match response {
        Response::Availability(reply) => Answer::Counts(model::Counts {
            seats: tally(&reply.counts),
            units: tally(&reply.units),
        }),
        Response::BindingResolve(reply) => Answer::Resolved(reply.components),
        Response::BlacklistImport(reply) => Answer::BlacklistImported(reply.serials),
        Response::CatalogueImport(reply) => Answer::CatalogueImported(reply.products),
        Response::Checkout(reply) => checkout(reply)?,
        Response::Done(_) => Answer::ClockMoved,
        Response::Import(reply) => match (reply.rows.as_slice(), ask) {
            ([row], Ask::Import(key)) => Answer::Imported(import(row, key)?),
            _ => return None,
        },
        Response::LicenseRemove(reply) => Answer::Removed {
            moved: reply.seats_moved,
            ended: reply.seats_ended,
            spent: reply.spent,
            dropped: reply.dropped,
        },
        Response::Refused(status, refusal) => Answer::Denied {
            denial: denial(*status, Some(refusal))?,
            seats: seats_in_use(*status, refusal),
            former: if_told(refusal.former.as_ref(), former).ok()?,
        },
        Response::Release(reply) => match reply.outcome {
            ReleaseOutcome::NOTHING_HELD => Answer::NothingHeld,
            ReleaseOutcome::SEAT_FREED => Answer::Released {
                seat_freed: true,
                components_left: reply.components_left,
            },
            ReleaseOutcome::COMPONENT_RELEASED => Answer::Released {
                seat_freed: false,
                components_left: reply.components_left,
            },
            _ => return None,
        },
        Response::Reserve(reply) => reserved(&reply.reservation)?,
        Response::Settle(reply) if matches!(ask, Ask::Commit { .. }) => {
            Answer::Committed(reply.rows.iter().map(committed).collect::<Option<_>>()?)
        }
        Response::Settle(reply) => Answer::Aborted(reply.rows.iter().map(aborted).collect::<Option<_>>()?),
        _ => return None,
    })
}

/// The server's calendar in an answer.
#[must_use]
pub const fn server_time(response: &Response) -> Option<u64> {
    Some(match response {
        Response::AdminList(reply) => reply.server_time,
        Response::Availability(reply) => reply.server_time,
        Response::BindingResolve(reply) => reply.server_time,
        Response::BlacklistImport(reply) => reply.server_time,
        Response::CatalogueImport(reply) => reply.server_time,
        Response::Checkout(reply) => reply.server_time,
        Response::Done(reply) => reply.server_time,
        Response::Enrol(reply) => reply.server_time,
        Response::EnrolIdentities(reply) => reply.server_time,
        Response::EnrolTokenAdd(reply) => reply.server_time,
        Response::EnrolTokenRevoke(reply) => reply.server_time,
        Response::EnrolTokens(reply) => reply.server_time,
        Response::Explain(reply) => reply.server_time,
        Response::Events(reply) => reply.server_time,
        Response::EventsVerify(reply) => reply.server_time,
        Response::Hello(reply) => reply.server_time,
        Response::Import(reply) => reply.server_time,
        Response::LicenseRemove(reply) => reply.server_time,
        Response::Licenses(reply) => reply.server_time,
        Response::Products(reply) => reply.server_time,
        Response::Refused(_, refusal) => return refusal.server_time,
        Response::Release(reply) => reply.server_time,
        Response::Reload(reply) => reply.server_time,
        Response::Reservations(reply) => reply.server_time,
        Response::Reserve(reply) => reply.server_time,
        Response::Seats(reply) => reply.server_time,
        Response::Settle(reply) => reply.server_time,
        Response::Status(reply) => reply.server_time,
    })
}

/// What the wire tells of what the rules answer.
#[must_use]
pub fn comparable(expected: &Answer) -> Answer {
    match expected {
        // The wire tells the days in the lease alone, which it has for those who told their time.
        Answer::Seat {
            kind,
            serial,
            acquired_at,
            renew_by,
            conflict,
            ..
        } => Answer::Seat {
            kind: *kind,
            serial: *serial,
            acquired_at: *acquired_at,
            renew_by: *renew_by,
            conflict: *conflict,
            offline_days: 0,
        },
        // Of a machine with a unit the wire tells the unit's license and not the one of a seat that it got since.
        Answer::Reserved {
            ends_at,
            machines,
            seats,
            held,
        } => {
            let has_unit = |mac| (machines.iter()).any(|row| row.0 == mac && matches!(row.1, model::Reserved::Unit(_)));
            Answer::Reserved {
                ends_at: *ends_at,
                machines: machines.clone(),
                seats: seats.iter().filter(|row| !has_unit(row.0)).copied().collect(),
                held: held.clone(),
            }
        }
        other => crate::reply::comparable(other),
    }
}

fn checkout(reply: &seat::CheckoutOk) -> Option<Answer> {
    let kind = match reply.outcome {
        Outcome::NOT_COUNTED => {
            return Some(Answer::NotCounted(model::Counts {
                seats: tally(reply.counts.as_ref()?),
                units: model::Tally::default(),
            }));
        }
        Outcome::GRANTED => model::GrantKind::Granted,
        Outcome::RENEWED => model::GrantKind::Renewed,
        Outcome::ENGAGED_AGAIN => model::GrantKind::EngagedAgain(former(reply.former.as_ref()?)?),
        _ => return None,
    };
    Some(Answer::Seat {
        kind,
        serial: serial_number(reply.serial.as_deref()?)?,
        acquired_at: reply.acquired_at?,
        renew_by: reply.renew_by,
        conflict: if_told(reply.conflict.as_ref(), conflict).ok()?,
        offline_days: 0,
    })
}

fn import(row: &admin::ImportRow, key: &model::Key) -> Option<model::ImportOutcome> {
    // A key that was read is named by what it claims.
    if row.serial.is_some() && row.serial.as_deref().and_then(serial_number) != Some(key.serial) {
        return None;
    }
    if row.product.is_some() && row.product.as_deref() != Some(key.product.id) {
        return None;
    }
    match row.outcome {
        wire::ImportOutcome::ADDED if row.seats == Some(key.seats) => Some(model::ImportOutcome::Added),
        wire::ImportOutcome::PRESENT => Some(model::ImportOutcome::AlreadyPresent),
        wire::ImportOutcome::REFUSED => Some(model::ImportOutcome::Refused(key_refusal(row.status?)?)),
        _ => None,
    }
}

fn reserved(row: &deploy::ReservationRow) -> Option<Answer> {
    let mut machines = Vec::new();
    let mut seats = Vec::new();
    for one in &row.machines {
        let serial = if_told(one.serial.as_deref(), serial_number).ok()?;
        let has = match one.reserved {
            wire::Reserved::COVERED => model::Reserved::Covered,
            wire::Reserved::SEAT => model::Reserved::Seat,
            wire::Reserved::UNIT => model::Reserved::Unit(serial?),
            _ => return None,
        };
        if !matches!(has, model::Reserved::Unit(_)) {
            seats.extend(serial.map(|serial| (one.mac, serial)));
        }
        machines.push((one.mac, has));
    }
    let mut held = Vec::new();
    for one in &row.held {
        let serial = serial_number(&one.serial)?;
        held.extend((0..one.count).map(|_| serial));
    }
    Some(Answer::Reserved {
        ends_at: row.lapses_at,
        machines,
        seats,
        held,
    })
}

fn committed(row: &deploy::SettledRow) -> Option<(model::Mac, CommitRow)> {
    let what = match row.outcome {
        wire::Settled::ALREADY_COMMITTED => CommitRow::AlreadyCommitted,
        wire::Settled::COMMITTED => CommitRow::Spent(serial_number(row.serial.as_deref()?)?),
        wire::Settled::COVERED => CommitRow::Covered,
        wire::Settled::ENGAGED => CommitRow::Seat,
        wire::Settled::REFUSED => CommitRow::Refused(denial(row.status?, None)?),
        _ => return None,
    };
    Some((row.mac, what))
}

fn aborted(row: &deploy::SettledRow) -> Option<(model::Mac, AbortRow)> {
    let what = match row.outcome {
        wire::Settled::ALREADY_COMMITTED => AbortRow::AlreadyCommitted,
        wire::Settled::GIVEN_BACK => AbortRow::GivenBack,
        wire::Settled::COVERED => AbortRow::Covered,
        wire::Settled::NOTHING_RESERVED => AbortRow::NothingReserved,
        _ => return None,
    };
    Some((row.mac, what))
}

const fn tally(counts: &seat::Counts) -> model::Tally {
    model::Tally {
        licenses: counts.licenses,
        total: counts.total,
        used: counts.used,
        free: counts.free,
        available: counts.available,
    }
}

fn conflict(seen: &seat::Conflict) -> Option<model::Conflict> {
    Some(model::Conflict {
        kind: conflict_kind(seen.kind)?,
        since: seen.since,
        last_seen: seen.last_seen,
        count: seen.count,
    })
}

fn former(one: &seat::Former) -> Option<model::Former> {
    Some(model::Former {
        ended_at: one.ended_at,
        cause: end_cause(one.cause)?,
    })
}

fn seats_in_use(status: Status, refusal: &Refusal) -> Option<model::SeatsInUse> {
    if status == Status::LICENSE_IN_USE {
        return None;
    }
    Some(model::SeatsInUse {
        used: refusal.used?,
        total: refusal.total?,
        earliest_renew_by: refusal.earliest_renew_by,
    })
}

const fn key_refusal(status: Status) -> Option<model::KeyRefusal> {
    Some(match status {
        Status::BLACKLISTED => model::KeyRefusal::Blacklisted,
        Status::FEWER_SEATS_THAN_USED => model::KeyRefusal::FewerSeatsThanUsed,
        Status::KEY_EXPIRED => model::KeyRefusal::Expired,
        Status::NOT_A_RENEWAL => model::KeyRefusal::NotARenewal,
        Status::SERIAL_TAKEN => model::KeyRefusal::SerialTaken,
        Status::SUPERSEDED => model::KeyRefusal::Superseded,
        Status::UNKNOWN_PRODUCT => model::KeyRefusal::UnknownProduct,
        Status::UNKNOWN_VENDOR => model::KeyRefusal::UnknownVendor,
        Status::USAGE_NOT_OFFERED => model::KeyRefusal::UsageNotOffered,
        _ => return None,
    })
}

/// The denial of a status, with the numbers that are told along with it.
fn denial(status: Status, refusal: Option<&Refusal>) -> Option<Denial> {
    Some(match status {
        Status::BLACKLIST_NOT_NEWER => Denial::BlacklistNotNewer {
            held: refusal?.catalogue_version?,
        },
        Status::CATALOGUE_NOT_NEWER => Denial::CatalogueNotNewer {
            held: refusal?.catalogue_version?,
        },
        Status::LICENSE_IN_USE => Denial::LicenseInUse {
            seats: u32::try_from(refusal?.used?).ok()?,
        },
        Status::REBOUND_RECENTLY => Denial::ReboundRecently { until: refusal?.until? },
        Status::CONFLICT => Denial::Conflict,
        Status::DEPLOYMENT_ONLY => Denial::DeploymentOnly,
        Status::IDENTITY_NOT_BOUND => Denial::IdentityNotBound,
        Status::LICENSE_BLACKLISTED => Denial::LicenseBlacklisted,
        Status::LICENSE_EXPIRED => Denial::LicenseExpired,
        Status::LICENSE_SUPERSEDED => Denial::LicenseSuperseded,
        Status::NO_JUMP_PENDING => Denial::NoJumpPending,
        Status::NO_LICENSE => Denial::NoLicense,
        Status::REBIND_PENDING => Denial::RebindPending,
        Status::REQUIRED_PRODUCT => Denial::RequiredProduct,
        Status::RESERVATION_TAKEN => Denial::ReservationTaken,
        Status::RESERVATION_TOO_LARGE => Denial::ReservationTooLarge,
        Status::RESERVATION_TOO_LONG => Denial::ReservationTooLong,
        Status::SEATS_EXHAUSTED => Denial::SeatsExhausted,
        Status::TOO_MANY_COMPONENTS => Denial::TooManyComponents,
        Status::TOO_MANY_RESERVATIONS => Denial::TooManyReservations,
        Status::UNKNOWN_COMPONENT => Denial::UnknownComponent,
        Status::UNKNOWN_PRODUCT => Denial::UnknownProduct,
        Status::UNKNOWN_RESERVATION => Denial::UnknownReservation,
        Status::UNKNOWN_SERIAL => Denial::UnknownSerial,
        Status::UNKNOWN_VENDOR => Denial::UnknownVendor,
        _ => return None,
    })
}

/// What is told must be readable; what is not told need not be.
fn if_told<T, U>(told: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Result<Option<U>, ()> {
    told.map(|value| read(value).ok_or(())).transpose()
}
