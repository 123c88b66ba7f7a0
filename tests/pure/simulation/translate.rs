//! The model's words in the ledger's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use seatkeeper::domain::command::{Actor, Checkout, Command, ProductName, Rebind, Release, Reserve, Settle, Wanted};
use seatkeeper::domain::ids::{Fingerprint, Mac, ProductKey, ReservationId, VendorId};
use seatkeeper::domain::license::VerifiedKey;
use seatkeeper::domain::reservation::RESERVE_SECS_DEFAULT;
use seatkeeper::domain::seat::{MachineNote, SeatKey};
use seatkeeper_model as model;
use seatkeeper_model::{Ask, Rollout};
use seatkeeper_world::words::{claims, serial};

use super::catalogue::{blacklist, catalogue};

pub(super) fn vendor(vendor: model::Vendor) -> VendorId {
    VendorId([vendor; 16])
}

/// Reservations sort as the numbers do.
pub(super) fn reservation(id: model::ReservationId) -> ReservationId {
    ReservationId(id.to_be_bytes())
}

pub(super) fn mac(bytes: model::Mac) -> Mac {
    Mac::new(bytes).unwrap()
}

pub(super) fn fingerprint(identity: model::Identity) -> Fingerprint {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&identity.to_be_bytes());
    Fingerprint(bytes)
}

pub(super) fn product_key(key: model::ProductKey) -> ProductKey {
    ProductKey {
        vendor: vendor(key.vendor),
        product: key.id.parse().unwrap(),
    }
}

fn product_name(key: model::ProductKey) -> ProductName {
    ProductName {
        vendor: Some(vendor(key.vendor)),
        product: key.id.parse().unwrap(),
    }
}

pub(super) fn seat_key(key: model::SeatKey) -> SeatKey {
    SeatKey {
        vendor: vendor(key.product.vendor),
        product: key.product.id.parse().unwrap(),
        mac: mac(key.mac),
    }
}

pub(super) fn peer(identity: model::Identity) -> Actor {
    Actor::Peer {
        identity: fingerprint(identity),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

pub(super) fn key(key: model::Key) -> VerifiedKey {
    VerifiedKey {
        claims: claims(&key, vendor(key.product.vendor)).unwrap(),
        certificate: Bytes::from(key.certificate.to_be_bytes().to_vec()),
    }
}

/// Who asks the ledger, and what.
pub(super) fn command(identity: model::Identity, ask: &Ask) -> (Actor, Command) {
    let agent = matches!(ask, Ask::Checkout(_) | Ask::Release { .. });
    let actor = if agent { peer(identity) } else { Actor::Server };
    (actor, what(ask))
}

fn what(ask: &Ask) -> Command {
    match ask {
        Ask::Checkout(asked) => Command::Checkout(checkout(asked)),
        Ask::Release { seat, component } => Command::Release(Release {
            key: seat_key(*seat),
            component: component.parse().unwrap(),
        }),
        Ask::EndSeat { seat, component } => Command::EndSeat {
            mac: mac(seat.mac),
            product: product_name(seat.product),
            component: component.map(|component| component.parse().unwrap()),
            reason: "the dice".to_owned(),
        },
        Ask::Resolve { mac: of, product } => Command::Resolve {
            mac: mac(*of),
            product: product.map(product_name),
        },
        Ask::Import(one) => Command::Import(vec![key(*one)]),
        Ask::Remove { serial: of, end_seats } => Command::RemoveLicense {
            serial: serial(*of),
            end_seats: *end_seats,
        },
        Ask::ImportCatalogue {
            vendor,
            version,
            products,
        } => Command::ImportCatalogue {
            catalogue: Box::new(catalogue(*vendor, *version, products)),
            dry_run: false,
        },
        Ask::ImportBlacklist {
            vendor,
            version,
            entries,
        } => Command::ImportBlacklist {
            list: Box::new(blacklist(*vendor, *version, entries)),
            dry_run: false,
        },
        Ask::Reserve { .. } | Ask::Commit { .. } | Ask::Abort { .. } => deployment(ask),
        Ask::Availability(product) => Command::Availability(product_name(*product)),
        Ask::ClockAccept => Command::ClockAccept,
        Ask::ClockReset => Command::ClockReset,
    }
}

fn checkout(asked: &model::Checkout) -> Checkout {
    Checkout {
        key: seat_key(asked.seat),
        component: asked.component.parse().unwrap(),
        continuation: asked.continuation,
        machine: MachineNote::default(),
        rebind: if asked.approve { Rebind::Approve } else { Rebind::Honour },
    }
}

fn deployment(ask: &Ask) -> Command {
    let settle = |id: &model::ReservationId, product: &model::ProductKey, macs: &[model::Mac], preferred_only| Settle {
        id: reservation(*id),
        product: product_name(*product),
        macs: macs.iter().copied().map(mac).collect(),
        preferred_only,
    };
    match ask {
        Ask::Reserve {
            id,
            product,
            for_secs,
            what,
            preferred_only,
        } => Command::Reserve(Reserve {
            id: reservation(*id),
            product: product_name(*product),
            secs: for_secs.map_or(RESERVE_SECS_DEFAULT, |secs| u32::try_from(secs).unwrap()),
            wanted: match what {
                Rollout::Machines(macs) => Wanted::Machines(macs.iter().copied().map(mac).collect()),
                Rollout::Count(count) => Wanted::Seats(*count),
            },
            preferred_only: *preferred_only,
        }),
        Ask::Commit {
            id,
            product,
            macs,
            preferred_only,
        } => Command::Commit(settle(id, product, macs, *preferred_only)),
        Ask::Abort { id, product, macs } => Command::Abort(settle(id, product, macs, false)),
        _ => panic!("{ask:?} is no deployment"),
    }
}
