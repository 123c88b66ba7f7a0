//! Which seats an administrator takes back.

use std::net::IpAddr;

use clap::Args;

use super::Consent;
use super::note::reason;
use super::views::lately;
use crate::domain::ids::{ComponentId, Mac, ProductId, VendorId};

#[derive(Args, Debug)]
pub(in crate::cli) struct ReleaseTarget {
    /// The machine.
    #[arg(required_unless_present = "new")]
    mac: Option<Mac>,
    /// The product.
    #[arg(required_unless_present = "new")]
    product: Option<ProductId>,
    /// Only this component; without it the whole seat ends.
    component: Option<ComponentId>,
    /// Why; it becomes part of the event.
    #[arg(long, value_parser = reason)]
    pub(in crate::cli) reason: String,
    /// The product's vendor, where two vendors have a product of this id.
    #[arg(long, value_name = "ID", requires = "mac")]
    vendor: Option<VendorId>,
    /// Every seat that was engaged lately from one address, as `seatkeeper seats --new` shows them.
    #[arg(long, conflicts_with = "mac", requires = "from")]
    new: bool,
    /// How lately: 90s, 30m, 24h or 7d.
    #[arg(long = "since", value_name = "TIME", requires = "new", default_value = "24h", value_parser = lately)]
    since_secs: u32,
    /// The address that their machines asked from last; of IPv6 its /64 network counts.
    #[arg(long, value_name = "ADDRESS", requires = "new")]
    from: Option<IpAddr>,
    /// With --new: only seats of this product.
    #[arg(long = "product", id = "only", value_name = "PRODUCT", requires = "new")]
    only: Option<ProductId>,
    /// With --new: do it without asking back.
    #[arg(long, requires = "new")]
    yes: bool,
    /// With --new: only say which seats it would end.
    #[arg(long, requires = "new", conflicts_with = "yes")]
    dry_run: bool,
}

/// One machine's seat, or a component's hold on it.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct OneSeat {
    pub(in crate::cli) mac: Mac,
    pub(in crate::cli) product: ProductId,
    pub(in crate::cli) component: Option<ComponentId>,
    pub(in crate::cli) vendor: Option<VendorId>,
}

/// Seats that were engaged lately from one address.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct NewSeats {
    pub(in crate::cli) since_secs: u32,
    pub(in crate::cli) from: IpAddr,
    pub(in crate::cli) product: Option<ProductId>,
    pub(in crate::cli) consent: Consent,
}

impl ReleaseTarget {
    /// The one seat that is meant, if one is.
    pub(in crate::cli) fn one(&self) -> Option<OneSeat> {
        Some(OneSeat {
            mac: self.mac?,
            product: self.product?,
            component: self.component,
            vendor: self.vendor,
        })
    }

    /// The new seats that are meant, if they are.
    pub(in crate::cli) fn new_ones(&self) -> Option<NewSeats> {
        Some(NewSeats {
            since_secs: self.since_secs,
            from: self.from?,
            product: self.only,
            consent: Consent {
                yes: self.yes,
                dry_run: self.dry_run,
            },
        })
    }
}
