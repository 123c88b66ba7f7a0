//! Requests of the wire as the domain's commands.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::super::server::Peer;
use super::{Work, events, role_of};
use crate::codec::DecodeError;
use crate::domain::backup::Backup;
use crate::domain::command::{
    Checkout, Command, Page, ProductName, Rebind, Release, Reserve, SeatsPage, Settle, Wanted,
};
use crate::domain::enrolment::{TOKEN_SECS_DEFAULT, TOKEN_SECS_MAX, TOKEN_USES_DEFAULT, TOKEN_USES_MAX};
use crate::domain::explain::Explain;
use crate::domain::ids::{
    ComponentId, Fingerprint, IdError, Mac, ProductId, ReservationId, Serial, TokenHash, TokenId, VendorId,
};
use crate::domain::reservation::RESERVE_SECS_DEFAULT;
use crate::domain::seat::{MachineNote, SeatKey};
use crate::domain::time::Timestamp;
use crate::wire::limits::PAGE_ROWS_MAX;
use crate::wire::messages::reload as wire_reload;
use crate::wire::messages::{Request, admin, deploy, enrol, explain, seat, views};

/// What a request asks for. `rebind` is what this server does about a new identity (rule I7).
///
/// # Errors
/// A value is not in its canonical form: the peer did not keep to the protocol.
pub fn work_of(request: Request, peer: Peer, rebind: Rebind) -> Result<Work, DecodeError> {
    let command = match request {
        Request::Abort(ask) => Command::Abort(abort(&ask)?),
        Request::AdminAdd(ask) => add_admin(ask)?,
        Request::AdminList(ask) => Command::Admins(page("AdminList.limit", ask.after.map(Fingerprint), ask.limit)?),
        Request::AdminRemove(ask) => Command::RemoveAdmin {
            fingerprint: Fingerprint(ask.fingerprint),
        },
        Request::Availability(ask) => Command::Availability(named(ask.vendor, "Availability.product", &ask.product)?),
        Request::BackedUp(ask) => Command::NoteBackup(backup(&ask)),
        Request::BindingResolve(ask) => resolve(&ask)?,
        Request::BlacklistImport(ask) => return Ok(blacklist(ask)),
        Request::CatalogueImport(ask) => {
            return Ok(Work::VerifyCatalogue {
                signed: ask.catalogue,
                dry_run: ask.dry_run.unwrap_or(false),
            });
        }
        Request::Checkout(ask) | Request::Renew(ask) => Command::Checkout(checkout(ask, peer, rebind)?),
        Request::ClockAccept(admin::ClockAccept {}) => Command::ClockAccept,
        Request::ClockReset(admin::ClockReset {}) => Command::ClockReset,
        Request::Commit(ask) => Command::Commit(commit(&ask)?),
        // Behind this point nobody knows the token but by its hash.
        Request::Enrol(ask) => Command::Enrol {
            token: TokenHash(Sha256::digest(ask.secret.0).into()),
        },
        Request::EnrolIdentities(ask) => {
            Command::EnrolledIdentities(page("EnrolIdentities.limit", ask.after.map(Fingerprint), ask.limit)?)
        }
        Request::EnrolRemove(ask) => Command::RemoveEnrolled {
            identity: Fingerprint(ask.identity),
        },
        Request::EnrolTokenAdd(ask) => add_token(ask)?,
        Request::EnrolTokenRevoke(ask) => Command::RevokeToken {
            id: TokenId(ask.token),
            also_identities: ask.also_identities,
        },
        Request::EnrolTokens(ask) => Command::Tokens(page("EnrolTokens.limit", ask.after.map(TokenHash), ask.limit)?),
        Request::Explain(ask) => Command::Explain(Box::new(explain(&ask, rebind)?)),
        Request::Events(ask) => return Ok(Work::Events(Box::new(events::page(&ask)?))),
        Request::EventsVerify(ask) => return Ok(Work::EventsVerify(events::chain_page(&ask))),
        Request::Hello(_) => return Ok(Work::Hello),
        Request::Import(ask) => {
            return Ok(Work::VerifyKeys {
                texts: ask.keys,
                dry_run: ask.dry_run.unwrap_or(false),
            });
        }
        Request::LicenseRemove(ask) => Command::RemoveLicense {
            serial: serial("LicenseRemove.serial", &ask.serial)?,
            end_seats: ask.end_seats,
        },
        Request::Licenses(ask) => Command::Licenses(page(
            "Licenses.limit",
            ask.after.map(|after| serial("Licenses.after", &after)).transpose()?,
            ask.limit,
        )?),
        Request::Products(ask) => products(&ask)?,
        Request::Reload(ask) => return Ok(reload(&ask)),
        Request::Release(ask) => Command::Release(release(&ask)?),
        Request::Reservations(ask) => {
            Command::Reservations(page("Reservations.limit", ask.after.map(ReservationId), ask.limit)?)
        }
        Request::Reserve(ask) => Command::Reserve(reserve(&ask)?),
        Request::SeatEnd(ask) => end_seat(ask)?,
        Request::Seats(ask) => seats(&ask)?,
        Request::Status(views::Status {}) => Command::Status,
        Request::VendorTrust(ask) => return Ok(Work::TrustVendor(ask.public_key)),
    };
    Ok(Work::Command(command))
}

fn blacklist(ask: admin::BlacklistImport) -> Work {
    Work::VerifyBlacklist {
        signed: ask.list,
        dry_run: ask.dry_run.unwrap_or(false),
    }
}

fn reload(ask: &wire_reload::Reload) -> Work {
    Work::Reload {
        dry_run: ask.dry_run.unwrap_or(false),
    }
}

const fn backup(ask: &admin::BackedUp) -> Backup {
    Backup {
        made_at: Timestamp(ask.made_at),
        round: ask.round,
        bytes: ask.bytes,
        has_identities: ask.identities,
    }
}

fn page<T>(field: &'static str, after: Option<T>, asked: Option<u16>) -> Result<Page<T>, DecodeError> {
    let limit = limit(field, asked)?;
    Ok(Page { after, limit })
}

/// What a peer is told that sent a malformed request.
#[must_use]
pub fn malformed(error: &DecodeError) -> String {
    format!("malformed request: {error}; correct the client, see protocol.md")
}

fn checkout(ask: seat::Checkout, peer: Peer, rebind: Rebind) -> Result<Checkout, DecodeError> {
    let other_macs: Result<_, _> = ask
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
            host_name: ask.host_name.unwrap_or_default().into(),
            address: Some(peer.address),
            other_macs: other_macs?,
        },
        rebind,
    })
}

fn explain(ask: &explain::Explain, rebind: Rebind) -> Result<Explain, DecodeError> {
    let component = ask.component.as_ref().map(|id| component("Explain.component", id));
    Ok(Explain {
        mac: mac("Explain.mac", ask.mac)?,
        product: named(ask.vendor, "Explain.product", &ask.product)?,
        component: component.transpose()?,
        identity: ask.identity.map(Fingerprint),
        continuation: ask.continuation,
        // The server knows whom it refused.
        refused: None,
        rebind,
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

fn reserve(ask: &deploy::Reserve) -> Result<Reserve, DecodeError> {
    let wanted = match (ask.macs.is_empty(), ask.count) {
        (false, None) => Wanted::Machines(macs("Reserve.macs", &ask.macs)?),
        (true, Some(count)) if count > 0 => Wanted::Seats(count),
        _ => {
            return Err(DecodeError::Invalid {
                field: "Reserve.macs",
                reason: "either machines or a count of at least 1",
            });
        }
    };
    Ok(Reserve {
        id: ReservationId(ask.reservation),
        product: named(ask.vendor, "Reserve.product", &ask.product)?,
        secs: ask.secs.unwrap_or(RESERVE_SECS_DEFAULT),
        wanted,
        preferred_only: ask.preferred_only.unwrap_or(false),
    })
}

fn commit(ask: &deploy::Commit) -> Result<Settle, DecodeError> {
    Ok(Settle {
        id: ReservationId(ask.reservation),
        product: named(ask.vendor, "Commit.product", &ask.product)?,
        macs: macs("Commit.macs", &ask.macs)?,
        preferred_only: ask.preferred_only.unwrap_or(false),
    })
}

fn abort(ask: &deploy::Abort) -> Result<Settle, DecodeError> {
    Ok(Settle {
        id: ReservationId(ask.reservation),
        product: named(ask.vendor, "Abort.product", &ask.product)?,
        macs: macs("Abort.macs", &ask.macs)?,
        preferred_only: false,
    })
}

fn resolve(ask: &admin::BindingResolve) -> Result<Command, DecodeError> {
    if ask.vendor.is_some() && ask.product.is_none() {
        return Err(DecodeError::Invalid {
            field: "BindingResolve.vendor",
            reason: "a vendor without a product; leave it out for all products",
        });
    }
    let product = ask.product.as_ref();
    let product = product.map(|id| named(ask.vendor, "BindingResolve.product", id));
    Ok(Command::Resolve {
        mac: mac("BindingResolve.mac", ask.mac)?,
        product: product.transpose()?,
    })
}

fn end_seat(ask: admin::SeatEnd) -> Result<Command, DecodeError> {
    if ask.reason.trim().is_empty() {
        return Err(DecodeError::Invalid {
            field: "SeatEnd.reason",
            reason: "must not be empty",
        });
    }
    let component = ask.component.map(|id| component("SeatEnd.component", &id));
    Ok(Command::EndSeat {
        mac: mac("SeatEnd.mac", ask.mac)?,
        product: named(ask.vendor, "SeatEnd.product", &ask.product)?,
        component: component.transpose()?,
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

fn add_token(ask: enrol::EnrolTokenAdd) -> Result<Command, DecodeError> {
    let within = |field, asked: Option<u32>, (default, max), reason| match asked.unwrap_or(default) {
        number if (1..=max).contains(&number) => Ok(number),
        _ => Err(DecodeError::Invalid { field, reason }),
    };
    let (secs, uses) = (
        (TOKEN_SECS_DEFAULT, TOKEN_SECS_MAX),
        (TOKEN_USES_DEFAULT, TOKEN_USES_MAX),
    );
    Ok(Command::AddToken {
        token: TokenHash(ask.hash),
        label: ask.label,
        secs: within("EnrolTokenAdd.secs", ask.secs, secs, "not 1 second to 366 days")?,
        uses: within("EnrolTokenAdd.uses", ask.uses, uses, "not 1 to 100,000")?,
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
        product: ask
            .product
            .as_ref()
            .map(|id| product("Seats.product", id))
            .transpose()?,
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

fn named(vendor: Option<[u8; 16]>, field: &'static str, id: &str) -> Result<ProductName, DecodeError> {
    Ok(ProductName {
        vendor: vendor.map(VendorId),
        product: product(field, id)?,
    })
}

fn macs(field: &'static str, list: &[[u8; 6]]) -> Result<BTreeSet<Mac>, DecodeError> {
    list.iter().map(|bytes| mac(field, *bytes)).collect()
}

/// Rows at most: what is asked for, but no more than a page has.
pub(super) fn limit(field: &'static str, asked: Option<u16>) -> Result<usize, DecodeError> {
    match asked {
        Some(0) => Err(DecodeError::Invalid {
            field,
            reason: "a page of no rows",
        }),
        Some(rows) => Ok(usize::from(rows).min(PAGE_ROWS_MAX)),
        None => Ok(PAGE_ROWS_MAX),
    }
}

pub(super) fn product(field: &'static str, id: &str) -> Result<ProductId, DecodeError> {
    ProductId::from_canonical(id.as_bytes()).map_err(invalid(field))
}

fn component(field: &'static str, id: &str) -> Result<ComponentId, DecodeError> {
    ComponentId::from_canonical(id.as_bytes()).map_err(invalid(field))
}

fn serial(field: &'static str, serial: &str) -> Result<Serial, DecodeError> {
    Serial::from_canonical(serial.as_bytes()).map_err(invalid(field))
}

pub(super) fn mac(field: &'static str, bytes: [u8; 6]) -> Result<Mac, DecodeError> {
    Mac::new(bytes).map_err(invalid(field))
}

const fn invalid(field: &'static str) -> impl Fn(IdError) -> DecodeError {
    move |error| DecodeError::Invalid {
        field,
        reason: error.reason,
    }
}
