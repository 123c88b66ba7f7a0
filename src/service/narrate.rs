//! Tells the log what became durable: every event but a plain renewal, one line each.

use std::num::NonZeroU32;

use crate::domain::change::{Change, ClockEvent, Event, EventKind};
use crate::domain::command::Actor;
use crate::domain::event_log::Refused;

/// Tells the events of changes that are durable.
pub(super) fn events(changes: &[Change]) {
    changes.iter().flat_map(|change| &change.events).for_each(tell);
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
    // Nearly all that there is, and nobody listens nearly always: not even who it was is put into words then.
    if matches!(event.kind, EventKind::SeatRenewed { .. }) && !tracing::enabled!(tracing::Level::TRACE) {
        return;
    }
    let by = match event.actor {
        Actor::Peer { identity, address } => format!("{address} {identity}"),
        Actor::Server => "server".to_owned(),
    };
    let by = by.as_str();
    match &event.kind {
        EventKind::AdminAdded { .. }
        | EventKind::AdminRemoved { .. }
        | EventKind::BackedUp(_)
        | EventKind::BlacklistImported { .. }
        | EventKind::CatalogueImported { .. }
        | EventKind::ConfigReloaded { .. }
        | EventKind::ServerFounded { .. }
        | EventKind::ServerIdentityReplaced { .. }
        | EventKind::ServerRestored { .. }
        | EventKind::VendorTrusted { .. } => tell_of_the_server(&event.kind, by),
        EventKind::IdentityEnrolled { .. }
        | EventKind::IdentityRemoved { .. }
        | EventKind::TokenAdded { .. }
        | EventKind::TokenRevoked { .. } => tell_of_enrolment(&event.kind, by),
        EventKind::ClockChanged(change) => tell_of_the_clock(*change, by),
        EventKind::DeploymentAborted { .. }
        | EventKind::DeploymentCommitted { .. }
        | EventKind::Reserved { .. }
        | EventKind::ReservationEnded { .. } => tell_of_deployments(&event.kind, by),
        EventKind::LicenseImported { .. } | EventKind::LicenseListed { .. } | EventKind::LicenseRemoved { .. } => {
            tell_of_licenses(&event.kind, by);
        }
        EventKind::BindingForgotten { .. }
        | EventKind::ComponentAdded { .. }
        | EventKind::ComponentReleased { .. }
        | EventKind::ConflictSeen { .. }
        | EventKind::IdentityApproved { .. }
        | EventKind::IdentityWaits { .. }
        | EventKind::Rebound { .. } => tell_of_components(&event.kind, by),
        EventKind::SeatEnded { .. }
        | EventKind::SeatEngaged { .. }
        | EventKind::SeatMoved { .. }
        | EventKind::SeatRenewed { .. } => tell_of_seats(&event.kind, by),
        EventKind::Refused { refused, lacked } => tell_of_refusals(refused, *lacked, by),
    }
}

fn tell_of_refusals(refused: &Refused, lacked: Option<NonZeroU32>, by: &str) {
    let Refused {
        product,
        mac,
        reason,
        count,
        since,
        ..
    } = refused;
    let (mac, product) = (mac.map(tracing::field::display), product.map(tracing::field::display));
    tracing::info!(by, mac, product, ?reason, count, lacked, since = since.0, "refused");
}

fn tell_of_the_server(kind: &EventKind, by: &str) {
    match kind {
        EventKind::AdminAdded { fingerprint, role } => tracing::info!(by, %fingerprint, ?role, "role given"),
        EventKind::AdminRemoved { fingerprint } => tracing::info!(by, %fingerprint, "role taken away"),
        EventKind::BackedUp(backup) => {
            tracing::info!(by, backup.round, backup.bytes, backup.has_identities, "backed up");
        }
        EventKind::BlacklistImported { vendor, version } => tracing::info!(by, %vendor, version, "blacklist imported"),
        EventKind::CatalogueImported { vendor, version } => tracing::info!(by, %vendor, version, "catalogue imported"),
        EventKind::ConfigReloaded { applied } => tracing::info!(by, applied, "configuration read again"),
        EventKind::ServerFounded { id } => tracing::info!(%id, "first start"),
        EventKind::ServerIdentityReplaced { from, to } => {
            tracing::warn!(%from, %to, "the server has another identity from now on");
        }
        EventKind::ServerRestored { epoch, made_at } => {
            tracing::warn!(epoch, made_at = made_at.0, "the server goes on from a backup");
        }
        EventKind::VendorTrusted { vendor } => tracing::info!(by, %vendor, "vendor trusted"),
        _ => {}
    }
}

/// Of a token its short name is told: the token itself is not known here.
fn tell_of_enrolment(kind: &EventKind, by: &str) {
    match kind {
        EventKind::IdentityEnrolled { token, identity } => tracing::info!(by, %token, %identity, "identity enrolled"),
        EventKind::IdentityRemoved { token, identity } => {
            tracing::info!(by, %token, %identity, "identity enrolled no more");
        }
        EventKind::TokenAdded {
            token,
            uses,
            expires_at,
        } => tracing::info!(by, %token, uses, expires_at = expires_at.0, "enrolment token added"),
        EventKind::TokenRevoked { token, identities } => {
            tracing::info!(by, %token, identities, "enrolment token revoked");
        }
        _ => {}
    }
}

/// Times are seconds since 1970.
fn tell_of_the_clock(change: ClockEvent, by: &str) {
    match change {
        ClockEvent::JumpAccepted(jump) => {
            tracing::warn!(
                by,
                jump.size_secs,
                began_at = jump.began_at.0,
                "the jump of the clock is accepted"
            );
        }
        ClockEvent::JumpPending(jump) => tracing::warn!(
            jump.size_secs,
            began_at = jump.began_at.0,
            "the clock jumped ahead: no seat idles out by it until it has lasted for a day or an administrator accepts \
             it (seatkeeper clock accept); if it is wrong, set this machine's clock"
        ),
        ClockEvent::JumpRejected(jump) => tracing::warn!(
            jump.size_secs,
            began_at = jump.began_at.0,
            "the jump of the clock is over and counts for nothing: dates that it had set were moved back"
        ),
        ClockEvent::Reset { from, to } => tracing::warn!(by, from = from.0, to = to.0, "the time was set"),
    }
}

fn tell_of_deployments(kind: &EventKind, by: &str) {
    match kind {
        EventKind::DeploymentAborted {
            reservation,
            mac,
            serial,
        } => tracing::info!(by, %reservation, %mac, %serial, "deployment aborted: its unit is free again"),
        EventKind::DeploymentCommitted {
            reservation,
            mac,
            serial,
        } => tracing::info!(by, %reservation, %mac, %serial, "deployment committed: its unit is spent"),
        EventKind::Reserved {
            reservation,
            product,
            what,
            count,
        } => tracing::info!(by, %reservation, product = %product.product, ?what, count, "reserved"),
        EventKind::ReservationEnded { reservation, lapsed } => {
            tracing::info!(by, %reservation, lapsed, "reservation ended");
        }
        _ => {}
    }
}

fn tell_of_licenses(kind: &EventKind, by: &str) {
    match kind {
        EventKind::LicenseImported { serial, product, seats } => {
            tracing::info!(by, %serial, product = %product.product, seats, "license imported");
        }
        EventKind::LicenseListed { serial, listed } => {
            tracing::warn!(by, %serial, ?listed, "what the vendor's list says of a license has changed");
        }
        EventKind::LicenseRemoved { serial, seats_ended } => {
            tracing::info!(by, %serial, seats_ended, "license removed");
        }
        _ => {}
    }
}

fn tell_of_components(kind: &EventKind, by: &str) {
    match kind {
        EventKind::BindingForgotten { key, component } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %component, "binding forgotten");
        }
        EventKind::ComponentAdded { key, component } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %component, "component added to seat");
        }
        EventKind::ComponentReleased { key, component, reason } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %component, reason, "component released");
        }
        EventKind::ConflictSeen { key, component, kind } => {
            tracing::warn!(by, mac = %key.mac, product = %key.product, %component, ?kind, "conflict: a copied machine?");
        }
        EventKind::IdentityApproved {
            key,
            component,
            from,
            to,
        } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %component, %from, %to, "identity approved");
        }
        EventKind::IdentityWaits {
            key,
            component,
            identity,
        } => {
            tracing::warn!(by, mac = %key.mac, product = %key.product, %component, %identity, "an identity waits for approval");
        }
        EventKind::Rebound {
            key,
            component,
            from,
            to,
        } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %component, %from, %to, "identity replaced");
        }
        _ => {}
    }
}

fn tell_of_seats(kind: &EventKind, by: &str) {
    match kind {
        EventKind::SeatEnded {
            key,
            serial,
            cause,
            reason,
            spent,
        } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %serial, ?cause, reason, spent, "seat ended");
        }
        EventKind::SeatEngaged {
            key,
            serial,
            again,
            host_name,
        } => {
            let host = host_name.as_deref();
            tracing::info!(by, mac = %key.mac, host, product = %key.product, %serial, again, "seat engaged");
        }
        EventKind::SeatMoved { key, from, to } => {
            tracing::info!(by, mac = %key.mac, product = %key.product, %from, %to, "seat moved");
        }
        EventKind::SeatRenewed { key } => tracing::trace!(by, mac = %key.mac, product = %key.product, "seat renewed"),
        _ => {}
    }
}
