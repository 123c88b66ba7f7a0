//! Rows of listings as fields of the wire.

use super::codes::{
    altered_code, cause_code, conflict_kind_code, kind_code, license_status_code, offers_code, on_conflict_code,
    role_code, usage_code,
};
use super::refusal::status_of;
use crate::domain::catalogue::Component;
use crate::domain::change::Admin;
use crate::domain::enrolment::Enrolled;
use crate::domain::ids::{ComponentId, Fingerprint, Mac, Serial};
use crate::domain::reply::{
    Counts, Effect, LicenseRow, ProductRow, ReservationRow, SeatRow, Settled, TokenRow, VendorRow,
};
use crate::domain::reservation::{Hold, Reserved};
use crate::domain::seat::{Binding, Conflict, FormerSeat};
use crate::domain::time::Timestamp;
use crate::domain::timekeeper::Standing;
use crate::wire;
use crate::wire::messages::{admin, deploy, enrol, seat, views};

pub(super) fn license(row: LicenseRow) -> views::LicenseRow {
    let claims = &row.license.claims;
    let ends_at = row.license.ends_at();
    views::LicenseRow {
        serial: claims.serial.as_str().to_owned(),
        vendor: claims.vendor.0,
        product: claims.product.as_str().to_owned(),
        imported_at: row.license.imported_at.0,
        issued_at: claims.issued_at.0,
        ends_at: (ends_at != Timestamp::MAX).then_some(ends_at.0),
        total: claims.seats,
        used: row.used,
        free: row.free(),
        available: row.available(),
        kind: kind_code(claims.kind),
        usage: usage_code(claims.usage),
        status: license_status_code(row.status),
        auto_renew: claims.auto_renew,
        support_until_day: claims.support_until_day,
        days_left: row.days_left,
        vendor_name: row.vendor_name,
        product_name: row.product_name,
    }
}

pub(super) fn enrolled((identity, enrolled): (Fingerprint, Enrolled)) -> enrol::EnrolledRow {
    enrol::EnrolledRow {
        identity: identity.0,
        token: enrolled.token.0,
        enrolled_at: enrolled.at.0,
        revoked_at: enrolled.revoked_at.map(|at| at.0),
    }
}

pub(super) fn token(row: TokenRow) -> enrol::TokenRow {
    let TokenRow {
        hash,
        token,
        identities,
    } = row;
    enrol::TokenRow {
        hash: hash.0,
        label: token.label,
        created_at: token.created_at.0,
        expires_at: token.expires_at.0,
        uses_left: token.uses_left,
        enrolled: token.enrolled,
        identities,
        last_used_at: token.last_used_at.map(|at| at.0),
        revoked_at: token.revoked_at.map(|at| at.0),
    }
}

pub(super) fn seat(row: SeatRow) -> views::SeatRow {
    let SeatRow {
        key,
        seat,
        product_name,
    } = row;
    let holders = seat.components.iter();
    views::SeatRow {
        vendor: key.vendor.0,
        product: key.product.as_str().to_owned(),
        product_name,
        mac: key.mac.bytes(),
        serial: seat.serial.as_str().to_owned(),
        acquired_at: seat.acquired_at.0,
        renewed_at: seat.renewed_at.0,
        renew_by: seat.renew_by.map(|at| at.0),
        single_use: seat.single_use,
        components: holders
            .map(|(component, binding)| holder(*component, binding))
            .collect(),
        host_name: Some(String::from(seat.machine.host_name)).filter(|name| !name.is_empty()),
        address: seat.machine.address,
        other_macs: seat.machine.other_macs.iter().map(|mac| mac.bytes()).collect(),
    }
}

fn holder(component: ComponentId, binding: &Binding) -> views::Holder {
    let component = component.as_str().to_owned();
    match binding {
        Binding::Unbound => views::Holder {
            component,
            ..views::Holder::default()
        },
        Binding::Identity(bound) => views::Holder {
            component,
            identity: Some(bound.identity.0),
            rebound_at: bound.others.rebound_at.map(|at| at.0),
            conflict: bound.others.conflict.map(conflict),
            waiting: bound.others.waiting.as_ref().map(|waiting| views::Waiting {
                identity: waiting.identity.0,
                since: waiting.since.0,
            }),
        },
    }
}

pub(super) fn product(row: ProductRow) -> views::ProductRow {
    views::ProductRow {
        vendor: row.key.vendor.0,
        vendor_name: row.vendor_name,
        product: row.key.product.as_str().to_owned(),
        product_name: row.product_name,
        idle_days: row.idle_days,
        single_use: row.single_use,
        counts: counts(row.counts),
        units: counts(row.units),
        offline_days: row.offline_days.into(),
        offers: offers_code(row.offers),
        on_conflict: on_conflict_code(row.on_conflict),
        required: row.required.map(|id| id.as_str().to_owned()),
        components: row.components.into_iter().map(component).collect(),
    }
}

fn component((id, component): (ComponentId, Component)) -> views::ComponentRow {
    let Component {
        counted,
        lenient,
        ephemeral,
    } = component;
    views::ComponentRow {
        component: id.as_str().to_owned(),
        counted,
        lenient,
        ephemeral,
    }
}

pub(super) fn effect(effect: Effect) -> admin::Effect {
    admin::Effect {
        product: effect.product.as_str().to_owned(),
        component: effect.component.map(|id| id.as_str().to_owned()),
        what: altered_code(effect.what),
        before: effect.before,
        after: effect.after,
        seats: effect.seats,
        licenses: effect.licenses,
    }
}

pub(super) fn reservation(row: ReservationRow) -> deploy::ReservationRow {
    let ReservationRow {
        id,
        reservation,
        product_name,
        seats,
    } = row;
    let mut out = deploy::ReservationRow {
        reservation: id.0,
        vendor: reservation.product.vendor.0,
        product: reservation.product.product.as_str().to_owned(),
        product_name,
        reserved_at: reservation.reserved_at.0,
        lapses_at: reservation.lapses_at.0,
        by: reservation.by.map(|identity| identity.0),
        ..deploy::ReservationRow::default()
    };
    match reservation.hold {
        Hold::Machines(machines) => {
            out.machines = machines
                .into_iter()
                .map(|(mac, has)| reserved(mac, has, &seats))
                .collect();
        }
        Hold::Seats(held) => {
            let row = |(serial, count): (Serial, u32)| deploy::HeldRow {
                serial: serial.as_str().to_owned(),
                count,
            };
            out.held = held.into_iter().map(row).collect();
        }
    }
    out
}

fn reserved(mac: Mac, has: Reserved, seats: &[(Mac, Serial)]) -> deploy::ReservedRow {
    let seat = || {
        seats
            .iter()
            .find(|(holder, _)| *holder == mac)
            .map(|(_, serial)| *serial)
    };
    let (reserved, serial) = match has {
        Reserved::Covered => (wire::Reserved::COVERED, seat()),
        Reserved::Seat => (wire::Reserved::SEAT, seat()),
        Reserved::Unit(serial) => (wire::Reserved::UNIT, Some(serial)),
    };
    deploy::ReservedRow {
        mac: mac.bytes(),
        reserved,
        serial: serial.map(|serial| serial.as_str().to_owned()),
    }
}

pub(super) fn settled((mac, settled): &(Mac, Settled)) -> deploy::SettledRow {
    let (outcome, serial, status) = match settled {
        Settled::AlreadyCommitted(serial) => (wire::Settled::ALREADY_COMMITTED, Some(serial), None),
        Settled::Committed(serial) => (wire::Settled::COMMITTED, Some(serial), None),
        Settled::Covered(serial) => (wire::Settled::COVERED, Some(serial), None),
        Settled::Engaged(serial) => (wire::Settled::ENGAGED, Some(serial), None),
        Settled::GivenBack(serial) => (wire::Settled::GIVEN_BACK, Some(serial), None),
        Settled::NothingReserved => (wire::Settled::NOTHING_RESERVED, None, None),
        Settled::Refused(denial) => (wire::Settled::REFUSED, None, Some(status_of(denial))),
    };
    deploy::SettledRow {
        mac: mac.bytes(),
        outcome,
        serial: serial.map(|serial| serial.as_str().to_owned()),
        status,
    }
}

pub(super) fn admin((fingerprint, admin): (Fingerprint, Admin)) -> views::AdminRow {
    views::AdminRow {
        fingerprint: fingerprint.0,
        role: role_code(admin.role),
        label: admin.label,
        added_at: admin.added_at.0,
    }
}

pub(super) fn clock((mark, standing): (Timestamp, Standing)) -> views::ClockRow {
    let row = views::ClockRow {
        mark: mark.0,
        ..views::ClockRow::default()
    };
    match standing {
        Standing::Fine => row,
        Standing::Jumped { jump, accepted_in_secs } => views::ClockRow {
            jump_secs: Some(jump.size_secs),
            accepted_in_secs: Some(accepted_in_secs),
            ..row
        },
        Standing::SetBack { secs } => views::ClockRow {
            set_back_secs: Some(secs),
            ..row
        },
    }
}

pub(super) fn vendor(row: VendorRow) -> views::VendorRow {
    views::VendorRow {
        vendor: row.id.0,
        public_key: row.vendor.public_key,
        trusted_at: row.vendor.trusted_at.0,
        name: row.name,
        catalogue_version: row.catalogue_version,
    }
}

pub(super) const fn counts(counts: Counts) -> seat::Counts {
    let Counts {
        licenses,
        total,
        used,
        free,
        available,
    } = counts;
    seat::Counts {
        licenses,
        total,
        used,
        free,
        available,
    }
}

pub(super) const fn conflict(conflict: Conflict) -> seat::Conflict {
    seat::Conflict {
        kind: conflict_kind_code(conflict.kind),
        since: conflict.since.0,
        last_seen: conflict.last_seen.0,
        count: conflict.count,
    }
}

pub(super) const fn former(former: FormerSeat) -> seat::Former {
    seat::Former {
        ended_at: former.ended_at.0,
        cause: cause_code(former.cause),
    }
}
