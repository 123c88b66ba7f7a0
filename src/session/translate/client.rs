//! The way back, from the wire to the domain, for the tests: what is asked must arrive as it was asked. Clients use the
//! wire's messages as they are.

use super::codes::{cause_of, conflict_kind_of};
use crate::codec::DecodeError;
use crate::domain::command::{Checkout, Release};
use crate::domain::ids::Serial;
use crate::domain::reply::{Counts, Grant, GrantKind, Reply};
use crate::domain::seat::{Conflict, FormerSeat};
use crate::domain::time::Timestamp;
use crate::wire::messages::seat;
use crate::wire::{Outcome, ReleaseOutcome};

/// The body of CHECKOUT and RENEW. The server fills in the machine's address.
#[must_use]
pub(in crate::session) fn checkout_of(ask: &Checkout) -> seat::Checkout {
    let host_name = Some(ask.machine.host_name.to_string());
    seat::Checkout {
        vendor: ask.key.vendor.0,
        product: ask.key.product.as_str().to_owned(),
        component: ask.component.as_str().to_owned(),
        mac: ask.key.mac.bytes(),
        continuation: ask.continuation,
        host_name: host_name.filter(|name| !name.is_empty()),
        other_macs: ask.machine.other_macs.iter().map(|mac| mac.bytes()).collect(),
        ..seat::Checkout::default()
    }
}

/// The body of RELEASE.
#[must_use]
pub(in crate::session) fn release_of(ask: &Release) -> seat::Release {
    seat::Release {
        vendor: ask.key.vendor.0,
        product: ask.key.product.as_str().to_owned(),
        component: ask.component.as_str().to_owned(),
        mac: ask.key.mac.bytes(),
    }
}

/// The reply to CHECKOUT and RENEW: [`Reply::Seat`] or [`Reply::NotCounted`]. The certificate is not checked here.
///
/// # Errors
/// A field that belongs to the outcome is missing, or a code is not known: upgrade the client.
pub(in crate::session) fn reply_of_checkout(reply: seat::CheckoutOk) -> Result<Reply, DecodeError> {
    let former = reply.former.as_ref().map(former_of).transpose()?;
    let kind = match reply.outcome {
        Outcome::GRANTED => GrantKind::Granted,
        Outcome::RENEWED => GrantKind::Renewed,
        Outcome::ENGAGED_AGAIN => GrantKind::EngagedAgain(former.ok_or(missing("CheckoutOk.former"))?),
        Outcome::NOT_COUNTED => {
            let counts = reply.counts.ok_or(missing("CheckoutOk.counts"))?;
            return Ok(Reply::NotCounted {
                counts: counts_of(&counts),
                signed_entry: reply.catalogue_entry,
            });
        }
        _ => return Err(unknown("CheckoutOk.outcome")),
    };
    let serial = reply.serial.ok_or(missing("CheckoutOk.serial"))?;
    Ok(Reply::Seat(Box::new(Grant {
        kind,
        serial: Serial::from_canonical(serial.as_bytes()).map_err(|error| DecodeError::Invalid {
            field: "CheckoutOk.serial",
            reason: error.reason,
        })?,
        acquired_at: Timestamp(reply.acquired_at.ok_or(missing("CheckoutOk.acquired_at"))?),
        renew_by: reply.renew_by.map(Timestamp),
        continuation: reply.continuation.ok_or(missing("CheckoutOk.continuation"))?,
        conflict: reply.conflict.as_ref().map(conflict_of).transpose()?,
        certificate: reply.certificate.ok_or(missing("CheckoutOk.certificate"))?,
        signed_entry: reply.catalogue_entry,
        // Not on the wire: a lease says it.
        offline_days: 0,
    })))
}

/// The reply to RELEASE and `SEAT_END`: [`Reply::Released`] or [`Reply::NothingHeld`].
///
/// # Errors
/// The outcome is not known: upgrade the client.
pub(in crate::session) fn reply_of_release(reply: &seat::ReleaseOk) -> Result<Reply, DecodeError> {
    match reply.outcome {
        ReleaseOutcome::COMPONENT_RELEASED => Ok(Reply::Released {
            seat_freed: false,
            components_left: reply.components_left,
        }),
        ReleaseOutcome::SEAT_FREED => Ok(Reply::Released {
            seat_freed: true,
            components_left: 0,
        }),
        ReleaseOutcome::NOTHING_HELD => Ok(Reply::NothingHeld),
        _ => Err(unknown("ReleaseOk.outcome")),
    }
}

fn former_of(former: &seat::Former) -> Result<FormerSeat, DecodeError> {
    Ok(FormerSeat {
        ended_at: Timestamp(former.ended_at),
        cause: cause_of(former.cause).ok_or(unknown("Former.cause"))?,
    })
}

fn conflict_of(conflict: &seat::Conflict) -> Result<Conflict, DecodeError> {
    Ok(Conflict {
        kind: conflict_kind_of(conflict.kind).ok_or(unknown("Conflict.kind"))?,
        since: Timestamp(conflict.since),
        last_seen: Timestamp(conflict.last_seen),
        count: conflict.count,
    })
}

const fn counts_of(counts: &seat::Counts) -> Counts {
    Counts {
        licenses: counts.licenses,
        total: counts.total,
        used: counts.used,
        free: counts.free,
        available: counts.available,
    }
}

const fn missing(field: &'static str) -> DecodeError {
    DecodeError::Missing { field }
}

const fn unknown(field: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field,
        reason: "a code that this version does not know",
    }
}
