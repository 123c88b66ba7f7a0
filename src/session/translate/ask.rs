//! Requests of the wire as the domain's commands.

use super::super::server::Peer;
use super::{Work, role_of};
use crate::codec::DecodeError;
use crate::domain::command::{Checkout, Command, Page, ProductName, Release, SeatsPage};
use crate::domain::ids::{ComponentId, Fingerprint, IdError, Mac, ProductId, Serial, VendorId};
use crate::domain::seat::{MachineNote, SeatKey};
use crate::wire::limits::PAGE_ROWS_MAX;
use crate::wire::messages::{Request, admin, seat, views};

/// What a request asks for.
///
/// # Errors
/// A value is not in its canonical form: the peer did not keep to the protocol.
pub fn work_of(request: Request, peer: Peer) -> Result<Work, DecodeError> {
    let command = match request {
        Request::AdminAdd(ask) => add_admin(ask)?,
        Request::AdminList(ask) => Command::Admins(Page {
            after: ask.after.map(Fingerprint),
            limit: limit("AdminList.limit", ask.limit)?,
        }),
        Request::AdminRemove(ask) => Command::RemoveAdmin {
            fingerprint: Fingerprint(ask.fingerprint),
        },
        Request::Availability(ask) => Command::Availability(ProductName {
            vendor: ask.vendor.map(VendorId),
            product: product("Availability.product", &ask.product)?,
        }),
        Request::CatalogueImport(ask) => return Ok(Work::VerifyCatalogue(ask.catalogue)),
        Request::Checkout(ask) | Request::Renew(ask) => Command::Checkout(checkout(ask, peer)?),
        Request::Hello(_) => return Ok(Work::Hello),
        Request::Import(ask) => return Ok(Work::VerifyKeys(ask.keys)),
        Request::LicenseRemove(ask) => Command::RemoveLicense {
            serial: serial("LicenseRemove.serial", &ask.serial)?,
            end_seats: ask.end_seats,
        },
        Request::Licenses(ask) => Command::Licenses(Page {
            after: ask.after.map(|after| serial("Licenses.after", &after)).transpose()?,
            limit: limit("Licenses.limit", ask.limit)?,
        }),
        Request::Products(ask) => products(&ask)?,
        Request::Release(ask) => Command::Release(release(&ask)?),
        Request::SeatEnd(ask) => end_seat(ask)?,
        Request::Seats(ask) => seats(&ask)?,
        Request::Status(views::Status {}) => Command::Status,
        Request::VendorTrust(ask) => return Ok(Work::TrustVendor(ask.public_key)),
    };
    Ok(Work::Command(command))
}

/// What a peer is told that sent a malformed request.
#[must_use]
pub fn malformed(error: &DecodeError) -> String {
    format!("malformed request: {error}; correct the client, see protocol.md")
}

fn checkout(ask: seat::Checkout, peer: Peer) -> Result<Checkout, DecodeError> {
    let other_macs: Result<Vec<_>, _> = ask
        .other_macs
        .into_iter()
        .map(|bytes| mac("Checkout.other_macs", bytes))
        .collect();
    Ok(Checkout {
        key: SeatKey {
            vendor: VendorId(ask.vendor),
            product: product("Checkout.product", &ask.product)?,
            mac: mac("Checkout.mac", ask.mac)?,
        },
        component: component("Checkout.component", &ask.component)?,
        continuation: ask.continuation,
        machine: MachineNote {
            host_name: ask.host_name.unwrap_or_default(),
            address: Some(peer.address),
            other_macs: other_macs?,
        },
    })
}

fn release(ask: &seat::Release) -> Result<Release, DecodeError> {
    Ok(Release {
        key: SeatKey {
            vendor: VendorId(ask.vendor),
            product: product("Release.product", &ask.product)?,
            mac: mac("Release.mac", ask.mac)?,
        },
        component: component("Release.component", &ask.component)?,
    })
}

fn end_seat(ask: admin::SeatEnd) -> Result<Command, DecodeError> {
    if ask.reason.trim().is_empty() {
        return Err(DecodeError::Invalid {
            field: "SeatEnd.reason",
            reason: "must not be empty",
        });
    }
    let named = ask.component.map(|id| component("SeatEnd.component", &id));
    Ok(Command::EndSeat {
        mac: mac("SeatEnd.mac", ask.mac)?,
        product: ProductName {
            vendor: ask.vendor.map(VendorId),
            product: product("SeatEnd.product", &ask.product)?,
        },
        component: named.transpose()?,
        reason: ask.reason,
    })
}

fn add_admin(ask: admin::AdminAdd) -> Result<Command, DecodeError> {
    Ok(Command::AddAdmin {
        fingerprint: Fingerprint(ask.fingerprint),
        role: role_of(ask.role).ok_or(DecodeError::Invalid {
            field: "AdminAdd.role",
            reason: "no role that can be given",
        })?,
        label: ask.label,
    })
}

fn seats(ask: &views::Seats) -> Result<Command, DecodeError> {
    let after = ask.after.as_ref().map(|after| {
        Ok(SeatKey {
            vendor: VendorId(after.vendor),
            product: product("SeatName.product", &after.product)?,
            mac: mac("SeatName.mac", after.mac)?,
        })
    });
    Ok(Command::Seats(SeatsPage {
        mac: ask.mac.map(|bytes| mac("Seats.mac", bytes)).transpose()?,
        page: Page {
            after: after.transpose()?,
            limit: limit("Seats.limit", ask.limit)?,
        },
    }))
}

fn products(ask: &views::Products) -> Result<Command, DecodeError> {
    let after = ask
        .after
        .as_ref()
        .map(|after| Ok((VendorId(after.vendor), product("ProductName.product", &after.product)?)));
    Ok(Command::Products(Page {
        after: after.transpose()?,
        limit: limit("Products.limit", ask.limit)?,
    }))
}

/// Rows at most: what is asked for, but no more than a page has.
fn limit(field: &'static str, asked: Option<u16>) -> Result<usize, DecodeError> {
    match asked {
        Some(0) => Err(DecodeError::Invalid {
            field,
            reason: "a page of no rows",
        }),
        Some(rows) => Ok(usize::from(rows).min(PAGE_ROWS_MAX)),
        None => Ok(PAGE_ROWS_MAX),
    }
}

fn product(field: &'static str, id: &str) -> Result<ProductId, DecodeError> {
    ProductId::from_canonical(id.as_bytes()).map_err(invalid(field))
}

fn component(field: &'static str, id: &str) -> Result<ComponentId, DecodeError> {
    ComponentId::from_canonical(id.as_bytes()).map_err(invalid(field))
}

fn serial(field: &'static str, serial: &str) -> Result<Serial, DecodeError> {
    Serial::from_canonical(serial.as_bytes()).map_err(invalid(field))
}

fn mac(field: &'static str, bytes: [u8; 6]) -> Result<Mac, DecodeError> {
    Mac::new(bytes).map_err(invalid(field))
}

const fn invalid(field: &'static str) -> impl Fn(IdError) -> DecodeError {
    move |error| DecodeError::Invalid {
        field,
        reason: error.reason,
    }
}
