//! Rows of listings as fields of the wire, as many as fit a frame.

use super::codes::{cause_code, conflict_kind_code, kind_code, license_status_code, role_code, usage_code};
use crate::codec::tlv;
use crate::domain::catalogue::Component;
use crate::domain::change::Admin;
use crate::domain::ids::{ComponentId, Fingerprint};
use crate::domain::reply::{Counts, LicenseRow, Listing, ProductRow, SeatRow, VendorRow};
use crate::domain::seat::{Binding, Conflict, FormerSeat};
use crate::domain::time::Timestamp;
use crate::wire::limits::{BODY_LEN_MAX, PAGE_ROWS_MAX};
use crate::wire::messages::{Message, seat, views};

/// Bytes of a page that are not rows: the server's time and `more`, each with its header.
const PAGE_HEAD_LEN: usize = 32;

/// The rows that fit one frame, and whether more follow. A page may end early: the client asks again behind its last
/// row, so that it never matters where a page ends.
pub(super) fn page<T, M: Message>(listing: Listing<T>, row: impl Fn(T) -> M) -> (Vec<M>, bool) {
    let Listing { rows, more } = listing;
    let asked = rows.len();
    let mut room = BODY_LEN_MAX - PAGE_HEAD_LEN;
    let mut fitting = Vec::with_capacity(asked.min(PAGE_ROWS_MAX));
    for row in rows.into_iter().take(PAGE_ROWS_MAX).map(row) {
        // A row over a bound takes no room here; encoding the page then says so.
        let len = tlv::HEADER_LEN + row.to_body().map_or(0, |body| body.len());
        let Some(left) = room.checked_sub(len) else {
            break;
        };
        room = left;
        fitting.push(row);
    }
    let more = more || fitting.len() < asked;
    (fitting, more)
}

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
        vendor_name: row.vendor_name,
        product_name: row.product_name,
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
        host_name: Some(seat.machine.host_name).filter(|name| !name.is_empty()),
        address: seat.machine.address,
        other_macs: seat.machine.other_macs.iter().map(|mac| mac.bytes()).collect(),
    }
}

fn holder(component: ComponentId, binding: &Binding) -> views::Holder {
    let component = component.as_str().to_owned();
    match binding {
        Binding::Ephemeral => views::Holder {
            component,
            ..views::Holder::default()
        },
        Binding::Identity(bound) => views::Holder {
            component,
            identity: Some(bound.identity.0),
            rebound_at: bound.rebound_at.map(|at| at.0),
            conflict: bound.conflict.map(conflict),
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

pub(super) fn admin((fingerprint, admin): (Fingerprint, Admin)) -> views::AdminRow {
    views::AdminRow {
        fingerprint: fingerprint.0,
        role: role_code(admin.role),
        label: admin.label,
        added_at: admin.added_at.0,
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
