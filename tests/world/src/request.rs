//! The model's asks as requests of the wire, and who sends each.

use seatkeeper::wire::messages::{Request, admin, deploy, seat};
use seatkeeper_model as model;
use seatkeeper_model::{Ask, Identity, Rollout};

use crate::error::Untranslatable;
use crate::words::{Vendors, reservation, serial_text};

/// Whose identity a request comes from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Speaker {
    /// An installed component.
    Agent(Identity),
    /// The administrator.
    Administrator,
    /// Who deploys.
    Deployer,
}

impl Speaker {
    /// Who asks this.
    #[must_use]
    pub const fn of(identity: Identity, ask: &Ask) -> Self {
        match ask {
            Ask::Checkout(_) | Ask::Release { .. } => Self::Agent(identity),
            Ask::Abort { .. } | Ask::Availability(_) | Ask::Commit { .. } | Ask::Reserve { .. } => Self::Deployer,
            Ask::ClockAccept
            | Ask::ClockReset
            | Ask::EndSeat { .. }
            | Ask::Import(_)
            | Ask::ImportBlacklist { .. }
            | Ask::ImportCatalogue { .. }
            | Ask::Remove { .. }
            | Ask::Resolve { .. } => Self::Administrator,
        }
    }
}

/// The request that asks this.
///
/// # Errors
/// No vendor could sign what is in it.
pub fn request(ask: &Ask, vendors: &Vendors) -> Result<Request, Untranslatable> {
    Ok(match ask {
        Ask::Checkout(asked) => Request::Checkout(checkout(asked, vendors)?),
        Ask::Release { seat, component } => Request::Release(seat::Release {
            vendor: vendors.id(seat.product.vendor)?,
            product: seat.product.id.to_owned(),
            component: (*component).to_owned(),
            mac: seat.mac,
        }),
        Ask::EndSeat { seat, component } => Request::SeatEnd(admin::SeatEnd {
            mac: seat.mac,
            vendor: Some(vendors.id(seat.product.vendor)?),
            product: seat.product.id.to_owned(),
            component: component.map(str::to_owned),
            reason: "the dice".to_owned(),
        }),
        Ask::Resolve { mac, product } => Request::BindingResolve(admin::BindingResolve {
            mac: *mac,
            vendor: product.map(|product| vendors.id(product.vendor)).transpose()?,
            product: product.map(|product| product.id.to_owned()),
        }),
        Ask::Import(key) => Request::Import(admin::Import {
            keys: vec![vendors.license_key(key)?],
            dry_run: None,
        }),
        Ask::Remove { serial, end_seats } => Request::LicenseRemove(admin::LicenseRemove {
            serial: serial_text(*serial),
            end_seats: *end_seats,
        }),
        Ask::ImportCatalogue {
            vendor,
            version,
            products,
        } => Request::CatalogueImport(admin::CatalogueImport {
            catalogue: vendors.catalogue(*vendor, *version, products)?,
            dry_run: None,
        }),
        Ask::ImportBlacklist {
            vendor,
            version,
            entries,
        } => Request::BlacklistImport(admin::BlacklistImport {
            list: vendors.blacklist(*vendor, *version, entries)?,
            dry_run: None,
        }),
        Ask::Reserve { .. } | Ask::Commit { .. } | Ask::Abort { .. } => deployment(ask, vendors)?,
        Ask::Availability(product) => Request::Availability(seat::Availability {
            vendor: Some(vendors.id(product.vendor)?),
            product: product.id.to_owned(),
        }),
        Ask::ClockAccept => Request::ClockAccept(admin::ClockAccept {}),
        Ask::ClockReset => Request::ClockReset(admin::ClockReset {}),
    })
}

fn checkout(asked: &model::Checkout, vendors: &Vendors) -> Result<seat::Checkout, Untranslatable> {
    Ok(seat::Checkout {
        vendor: vendors.id(asked.seat.product.vendor)?,
        product: asked.seat.product.id.to_owned(),
        component: asked.component.to_owned(),
        mac: asked.seat.mac,
        continuation: asked.continuation,
        ..seat::Checkout::default()
    })
}

fn deployment(ask: &Ask, vendors: &Vendors) -> Result<Request, Untranslatable> {
    Ok(match ask {
        Ask::Reserve {
            id,
            product,
            for_secs,
            what,
            preferred_only,
        } => {
            let (macs, count) = match what {
                Rollout::Machines(macs) => (macs.clone(), None),
                Rollout::Count(count) => (Vec::new(), Some(*count)),
            };
            Request::Reserve(deploy::Reserve {
                reservation: reservation(*id),
                vendor: Some(vendors.id(product.vendor)?),
                product: product.id.to_owned(),
                secs: for_secs.map(|secs| u32::try_from(secs).unwrap_or(u32::MAX)),
                macs,
                count,
                preferred_only: Some(*preferred_only),
            })
        }
        Ask::Commit {
            id,
            product,
            macs,
            preferred_only,
        } => Request::Commit(deploy::Commit {
            reservation: reservation(*id),
            vendor: Some(vendors.id(product.vendor)?),
            product: product.id.to_owned(),
            macs: macs.clone(),
            preferred_only: Some(*preferred_only),
        }),
        Ask::Abort { id, product, macs } => Request::Abort(deploy::Abort {
            reservation: reservation(*id),
            vendor: Some(vendors.id(product.vendor)?),
            product: product.id.to_owned(),
            macs: macs.clone(),
        }),
        other => return Err(Untranslatable::Impossible(format!("{other:?} is no deployment"))),
    })
}
