//! Tells the log what became durable: every event but a plain renewal, one line each.

use crate::domain::change::{Change, Event, EventKind};
use crate::domain::command::Actor;

/// Tells the events of changes that are durable.
pub(super) fn events(changes: &[Change]) {
    changes.iter().flat_map(|change| &change.events).for_each(tell);
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
