//! The event log between domain and wire.

use std::num::NonZeroU32;

use super::ask::{limit, mac, product};
use super::codes::{cause_code, conflict_kind_code, role_code};
use super::pages;
use super::refusal::status_of_reason;
use crate::codec::DecodeError;
use crate::domain::blacklist::Listed;
use crate::domain::change::{ClockEvent, Event, EventKind};
use crate::domain::command::Actor;
use crate::domain::event_log::{
    By, ChainPage, ChainRead, EventFilter, EventPlace, EventsPage, EventsRead, Gap, Refused, SegmentRead,
};
use crate::domain::ids::{Fingerprint, ProductKey, Serial};
use crate::domain::time::Timestamp;
use crate::domain::timekeeper::Jump;
use crate::wire::limits::{FAULT_LEN_MAX, GAPS_MAX, SEGMENT_ROWS_MAX};
use crate::wire::messages::{Response, events};
use crate::wire::{self, LicenseStatus};

/// Which page EVENTS asks for.
pub(super) fn page(ask: &events::Events) -> Result<EventsPage, DecodeError> {
    let by = match (ask.identity, ask.by_server.unwrap_or(false)) {
        (Some(_), true) => {
            return Err(invalid_field("Events.by_server", "an identity is asked for as well"));
        }
        (Some(identity), false) => Some(By::Identity(Fingerprint(identity))),
        (None, true) => Some(By::Server),
        (None, false) => None,
    };
    Ok(EventsPage {
        filter: EventFilter {
            since: ask.since.map(Timestamp),
            until: ask.until.map(Timestamp),
            mac: ask.mac.map(|bytes| mac("Events.mac", bytes)).transpose()?,
            product: ask
                .product
                .as_ref()
                .map(|id| product("Events.product", id))
                .transpose()?,
            kinds: ask.kinds.iter().map(|kind| kind.0).collect(),
            by,
        },
        newest_first: ask.newest_first.unwrap_or(false),
        after: ask.after.as_ref().map(|after| EventPlace {
            round: after.round,
            index: after.index,
        }),
        limit: limit("Events.limit", ask.limit)?,
    })
}

const fn invalid_field(field: &'static str, reason: &'static str) -> DecodeError {
    DecodeError::Invalid { field, reason }
}

/// What `EVENTS_VERIFY` asks for.
pub(super) fn chain_page(ask: &events::EventsVerify) -> ChainPage {
    ChainPage {
        after: ask.after,
        newest_only: ask.newest_only.unwrap_or(false),
        round: ask.round,
    }
}

/// The reply to EVENTS: as many rows as fit.
pub(super) fn found(read: EventsRead, server_time: u64) -> Response {
    let EventsRead {
        through,
        rows,
        next,
        more,
        gaps,
    } = read;
    let gaps: Vec<_> = gaps.into_iter().take(GAPS_MAX).map(gap).collect();
    let asked = rows.len();
    let rows = pages::fitting_beside(rows, &gaps, |(at, event)| row(at, &event));
    let is_cut = rows.len() < asked;
    let next = match rows.last() {
        Some(last) if is_cut => last.place.clone(),
        _ => place(next.unwrap_or(EventPlace::behind(through))),
    };
    Response::Events(events::EventsOk {
        server_time,
        through,
        more: more || is_cut,
        next,
        rows,
        gaps,
    })
}

/// The reply to `EVENTS_VERIFY`.
pub(super) fn checked(read: ChainRead, server_time: u64) -> Response {
    let ChainRead {
        through,
        segments,
        more,
    } = read;
    let more = more || segments.len() > SEGMENT_ROWS_MAX;
    Response::EventsVerify(events::EventsVerifyOk {
        server_time,
        through,
        more,
        rows: segments.into_iter().take(SEGMENT_ROWS_MAX).map(segment).collect(),
    })
}

fn segment(read: SegmentRead) -> events::SegmentRow {
    events::SegmentRow {
        number: read.number,
        file: read.file,
        span: read.span.map(|span| events::Span {
            first: span.first,
            before: span.before,
            first_at: span.first_at.0,
            last: span.last,
            hash: span.hash,
            last_at: span.last_at.0,
        }),
        rounds: read.rounds,
        events: read.events,
        hash_of_round: read.hash_of_round,
        time_of_round: read.time_of_round.map(|at| at.0),
        gaps: read.gaps.into_iter().take(GAPS_MAX).map(gap).collect(),
    }
}

fn gap(gap: Gap) -> events::Gap {
    // The system's words for a failure are not ours to bound.
    let plain: String = gap.what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    events::Gap {
        file: gap.file,
        byte: gap.byte,
        what: plain
            .get(..plain.floor_char_boundary(FAULT_LEN_MAX))
            .unwrap_or_default()
            .to_owned(),
        after: gap.after,
    }
}

const fn place(place: EventPlace) -> events::EventPlace {
    events::EventPlace {
        round: place.round,
        index: place.index,
    }
}

fn row(at: EventPlace, event: &Event) -> events::EventRow {
    let (identity, address) = match event.actor {
        Actor::Peer { identity, address } => (Some(identity.0), Some(address)),
        Actor::Server => (None, None),
    };
    events::EventRow {
        place: place(at),
        at: event.at.0,
        kind: wire::EventKind(event.kind.number()),
        identity,
        address,
        ..fields(&event.kind)
    }
}

/// The fields that a kind has. No wildcard arm: a new kind does not compile until it says what is told of it.
fn fields(kind: &EventKind) -> events::EventRow {
    match kind {
        EventKind::AdminAdded { fingerprint, role } => events::EventRow {
            role: Some(role_code(*role)),
            ..about(*fingerprint)
        },
        EventKind::AdminRemoved { fingerprint } => about(*fingerprint),
        EventKind::BackedUp(backup) => events::EventRow {
            version: Some(backup.round),
            from: Some(backup.made_at.0),
            ..events::EventRow::default()
        },
        EventKind::BlacklistImported { vendor, version } | EventKind::CatalogueImported { vendor, version } => {
            events::EventRow {
                vendor: Some(vendor.0),
                version: Some(*version),
                ..events::EventRow::default()
            }
        }
        EventKind::ClockChanged(change) => of_clock(*change),
        EventKind::ConfigReloaded { applied } => events::EventRow {
            count: Some(*applied),
            ..events::EventRow::default()
        },
        EventKind::DeploymentAborted { .. }
        | EventKind::DeploymentCommitted { .. }
        | EventKind::ReservationEnded { .. }
        | EventKind::Reserved { .. } => of_reservation(kind),
        EventKind::IdentityEnrolled { .. }
        | EventKind::IdentityRemoved { .. }
        | EventKind::TokenAdded { .. }
        | EventKind::TokenRevoked { .. } => of_token(kind),
        EventKind::LicenseImported { .. } | EventKind::LicenseListed { .. } | EventKind::LicenseRemoved { .. } => {
            of_license(kind)
        }
        EventKind::Refused { refused, lacked } => of_refusal(refused, *lacked),
        EventKind::ServerFounded { id } => events::EventRow {
            server: Some(id.0),
            ..events::EventRow::default()
        },
        EventKind::ServerIdentityReplaced { from, to } => events::EventRow {
            subject_before: Some(from.0),
            ..about(*to)
        },
        EventKind::ServerRestored { epoch, made_at } => events::EventRow {
            version: Some((*epoch).into()),
            from: Some(made_at.0),
            ..events::EventRow::default()
        },
        EventKind::VendorTrusted { vendor } => events::EventRow {
            vendor: Some(vendor.0),
            ..events::EventRow::default()
        },
        EventKind::BindingForgotten { key, .. }
        | EventKind::ComponentAdded { key, .. }
        | EventKind::ComponentReleased { key, .. }
        | EventKind::ConflictSeen { key, .. }
        | EventKind::IdentityApproved { key, .. }
        | EventKind::IdentityWaits { key, .. }
        | EventKind::Rebound { key, .. }
        | EventKind::SeatEnded { key, .. }
        | EventKind::SeatEngaged { key, .. }
        | EventKind::SeatMoved { key, .. }
        | EventKind::SeatRenewed { key } => events::EventRow {
            vendor: Some(key.vendor.0),
            product: Some(key.product.as_str().to_owned()),
            mac: Some(key.mac.bytes()),
            ..of_seat(kind)
        },
    }
}

/// What is told of a seat besides which it is.
fn of_seat(kind: &EventKind) -> events::EventRow {
    match kind {
        EventKind::BindingForgotten { component, .. } | EventKind::ComponentAdded { component, .. } => {
            of_component(component.as_str())
        }
        EventKind::ComponentReleased { component, reason, .. } => events::EventRow {
            reason: reason.clone(),
            ..of_component(component.as_str())
        },
        EventKind::ConflictSeen { component, kind, .. } => events::EventRow {
            conflict: Some(conflict_kind_code(*kind)),
            ..of_component(component.as_str())
        },
        EventKind::IdentityApproved {
            component, from, to, ..
        }
        | EventKind::Rebound {
            component, from, to, ..
        } => events::EventRow {
            subject: Some(to.0),
            subject_before: Some(from.0),
            ..of_component(component.as_str())
        },
        EventKind::IdentityWaits {
            component, identity, ..
        } => events::EventRow {
            subject: Some(identity.0),
            ..of_component(component.as_str())
        },
        EventKind::SeatEnded {
            serial,
            cause,
            reason,
            spent,
            ..
        } => events::EventRow {
            cause: Some(cause_code(*cause)),
            reason: reason.clone(),
            spent: Some(*spent),
            ..of_serial(*serial)
        },
        EventKind::SeatEngaged {
            serial,
            again,
            host_name,
            ..
        } => events::EventRow {
            again: Some(*again),
            host_name: host_name.as_deref().map(str::to_owned),
            ..of_serial(*serial)
        },
        EventKind::SeatMoved { from, to, .. } => events::EventRow {
            serial_before: Some(from.as_str().to_owned()),
            ..of_serial(*to)
        },
        _ => events::EventRow::default(),
    }
}

fn of_reservation(kind: &EventKind) -> events::EventRow {
    match kind {
        EventKind::DeploymentAborted {
            reservation,
            mac,
            serial,
        }
        | EventKind::DeploymentCommitted {
            reservation,
            mac,
            serial,
        } => events::EventRow {
            reservation: Some(reservation.0),
            mac: Some(mac.bytes()),
            ..of_serial(*serial)
        },
        EventKind::ReservationEnded { reservation, lapsed } => events::EventRow {
            reservation: Some(reservation.0),
            lapsed: Some(*lapsed),
            ..events::EventRow::default()
        },
        EventKind::Reserved {
            reservation,
            product,
            count,
            ..
        } => events::EventRow {
            reservation: Some(reservation.0),
            count: Some(*count),
            ..of_product(product)
        },
        _ => events::EventRow::default(),
    }
}

fn of_token(kind: &EventKind) -> events::EventRow {
    match kind {
        EventKind::IdentityEnrolled { token, identity } | EventKind::IdentityRemoved { token, identity } => {
            events::EventRow {
                token: Some(token.0),
                ..about(*identity)
            }
        }
        EventKind::TokenAdded {
            token,
            uses,
            expires_at,
        } => events::EventRow {
            token: Some(token.0),
            count: Some(*uses),
            to: Some(expires_at.0),
            ..events::EventRow::default()
        },
        EventKind::TokenRevoked { token, identities } => events::EventRow {
            token: Some(token.0),
            count: Some(*identities),
            ..events::EventRow::default()
        },
        _ => events::EventRow::default(),
    }
}

fn of_license(kind: &EventKind) -> events::EventRow {
    match kind {
        EventKind::LicenseImported { serial, product, seats } => events::EventRow {
            serial: Some(serial.as_str().to_owned()),
            count: Some(*seats),
            ..of_product(product)
        },
        EventKind::LicenseListed { serial, listed } => events::EventRow {
            listed: listed.map(|listed| match listed {
                Listed::Blacklisted => LicenseStatus::BLACKLISTED,
                Listed::Superseded => LicenseStatus::SUPERSEDED,
            }),
            ..of_serial(*serial)
        },
        EventKind::LicenseRemoved { serial, seats_ended } => events::EventRow {
            count: Some(*seats_ended),
            ..of_serial(*serial)
        },
        _ => events::EventRow::default(),
    }
}

fn of_clock(change: ClockEvent) -> events::EventRow {
    match change {
        ClockEvent::JumpAccepted(jump) | ClockEvent::JumpPending(jump) | ClockEvent::JumpRejected(jump) => {
            let Jump { size_secs, began_at } = jump;
            events::EventRow {
                from: Some(began_at.0),
                jump_secs: Some(size_secs),
                ..events::EventRow::default()
            }
        }
        ClockEvent::Reset { from, to } => events::EventRow {
            from: Some(from.0),
            to: Some(to.0),
            ..events::EventRow::default()
        },
    }
}

fn of_refusal(refused: &Refused, lacked: Option<NonZeroU32>) -> events::EventRow {
    events::EventRow {
        vendor: refused.vendor.map(|vendor| vendor.0),
        product: refused.product.map(|product| product.as_str().to_owned()),
        mac: refused.mac.map(crate::domain::ids::Mac::bytes),
        host_name: Some(refused.host_name.clone()).filter(|name| !name.is_empty()),
        status: Some(status_of_reason(refused.reason)),
        count: Some(refused.count),
        from: Some(refused.since.0),
        lacked: lacked.map(NonZeroU32::get),
        ..events::EventRow::default()
    }
}

fn of_product(product: &ProductKey) -> events::EventRow {
    events::EventRow {
        vendor: Some(product.vendor.0),
        product: Some(product.product.as_str().to_owned()),
        ..events::EventRow::default()
    }
}

fn of_component(id: &str) -> events::EventRow {
    events::EventRow {
        component: Some(id.to_owned()),
        ..events::EventRow::default()
    }
}

fn of_serial(serial: Serial) -> events::EventRow {
    events::EventRow {
        serial: Some(serial.as_str().to_owned()),
        ..events::EventRow::default()
    }
}

fn about(identity: Fingerprint) -> events::EventRow {
    events::EventRow {
        subject: Some(identity.0),
        ..events::EventRow::default()
    }
}

#[cfg(test)]
mod tests;
