//! Tells the log what became durable: every event but a plain renewal, one line each.

use crate::domain::change::{Change, Event, EventKind};
use crate::domain::command::Actor;
use crate::domain::timekeeper::ClockChange;

/// Tells the events of changes that are durable.
pub(super) fn events(changes: &[Change]) {
    changes.iter().flat_map(|change| &change.events).for_each(tell);
}

/// Tells what became of a jump of the clock. Times are seconds since 1970.
pub(super) fn clock_change(change: ClockChange) {
    match change {
        ClockChange::Accepted(jump) => {
            tracing::warn!(
                jump.size_secs,
                began_at = jump.began_at.0,
                "the jump of the clock is accepted"
            );
        }
        ClockChange::Pending(jump) => tracing::warn!(
            jump.size_secs,
            began_at = jump.began_at.0,
            "the clock jumped ahead: no seat idles out by it until it has lasted for a day or an administrator accepts \
             it; if it is wrong, set this machine's clock"
        ),
        ClockChange::Rejected { jump, mark } => tracing::warn!(
            jump.size_secs,
            began_at = jump.began_at.0,
            mark = mark.0,
            "the jump of the clock is over and counts for nothing"
        ),
    }
}

/// Tells that the clock is before the mark.
pub(super) fn clock_set_back(secs: u64) {
    tracing::warn!(
        secs,
        "the clock is set back: time stands still until it has caught up, or until an administrator resets it"
    );
}

/// Tells that the clock is not before the mark any more.
pub(super) fn clock_caught_up() {
    tracing::info!("the clock is not set back any more: time goes on");
}

fn tell(event: &Event) {
    let by = match event.actor {
        Actor::Peer { identity, address } => format!("{address} {identity}"),
        Actor::Server => "server".to_owned(),
    };
    match &event.kind {
        EventKind::SeatRenewed { key } => tracing::trace!(%by, mac = %key.mac, product = %key.product, "seat renewed"),
        EventKind::AdminAdded { fingerprint, role } => tracing::info!(%by, %fingerprint, ?role, "role given"),
        EventKind::AdminRemoved { fingerprint } => tracing::info!(%by, %fingerprint, "role taken away"),
        EventKind::CatalogueImported { vendor, version } => {
            tracing::info!(%by, %vendor, version, "catalogue imported");
        }
        EventKind::ComponentAdded { key, component } => {
            tracing::info!(%by, mac = %key.mac, product = %key.product, %component, "component added to seat");
        }
        EventKind::ComponentReleased { key, component, reason } => {
            tracing::info!(%by, mac = %key.mac, product = %key.product, %component, reason, "component released");
        }
        EventKind::ConflictSeen { key, component, kind } => {
            tracing::warn!(%by, mac = %key.mac, product = %key.product, %component, ?kind, "conflict: a copied machine?");
        }
        EventKind::LicenseImported { serial, product, seats } => {
            tracing::info!(%by, %serial, product = %product.product, seats, "license imported");
        }
        EventKind::LicenseRemoved { serial, seats_ended } => {
            tracing::info!(%by, %serial, seats_ended, "license removed");
        }
        EventKind::Rebound {
            key,
            component,
            from,
            to,
        } => {
            tracing::info!(%by, mac = %key.mac, product = %key.product, %component, %from, %to, "identity replaced");
        }
        EventKind::SeatEnded {
            key,
            serial,
            cause,
            reason,
            spent,
        } => {
            tracing::info!(%by, mac = %key.mac, product = %key.product, %serial, ?cause, reason, spent, "seat ended");
        }
        EventKind::SeatEngaged { key, serial, again } => {
            tracing::info!(%by, mac = %key.mac, product = %key.product, %serial, again, "seat engaged");
        }
        EventKind::SeatMoved { key, from, to } => {
            tracing::info!(%by, mac = %key.mac, product = %key.product, %from, %to, "seat moved");
        }
        EventKind::ServerFounded { id } => tracing::info!(%id, "first start"),
        EventKind::VendorTrusted { vendor } => tracing::info!(%by, %vendor, "vendor trusted"),
    }
}
