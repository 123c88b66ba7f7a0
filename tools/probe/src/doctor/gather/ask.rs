//! What each server is asked: the least that tells what is wrong, and nothing that changes anything.

use seatkeeper::domain::ids::{Fingerprint, Mac, ProductId, VendorId};
use seatkeeper::wire::messages::{Request, Response, explain, seat, views};
use seatkeeper::wire::{Role, Status};

use crate::doctor::Args;
use crate::doctor::facts::{Availability, Component, Counts};
use crate::output::Failure;
use crate::query::NO_PRODUCT;

/// What is to be found out.
#[derive(Clone, Copy, Debug)]
pub(in crate::doctor) struct Query {
    vendor: Option<VendorId>,
    product: Option<ProductId>,
    mac: Option<Mac>,
    /// The identity of the product's component on this machine.
    component: Option<Fingerprint>,
}

impl Query {
    pub(super) fn new(args: &Args, components: &[Component], mac: Option<Mac>) -> Result<Self, Failure> {
        let given = args.vendor_key.as_deref().map(crate::query::vendor_key).transpose()?;
        let product = args.product;
        // A component of the product on this machine says whose product it is.
        let here = components
            .iter()
            .find(|one| product.is_some_and(|product| product.as_str() == one.product));
        Ok(Self {
            vendor: given
                .map(|key| key.id())
                .or(here.and_then(|one| one.vendor.parse().ok())),
            product,
            mac,
            component: here.and_then(|one| one.identity.as_ref()?.parse().ok()),
        })
    }

    /// How many seats there are; of a product that nobody has where none was named: the answer tells whom they serve.
    pub(super) fn availability(self) -> Request {
        let product = self
            .product
            .map_or_else(|| NO_PRODUCT.to_owned(), |product| product.to_string());
        Request::Availability(seat::Availability {
            vendor: self.vendor.map(|vendor| vendor.0),
            product,
        })
    }

    /// What the answer to that says.
    pub(super) fn counted(self, response: &Response) -> Option<Availability> {
        Some(match response {
            Response::Availability(reply) => Availability::Counts(Counts {
                licenses: reply.counts.licenses,
                total: reply.counts.total,
                used: reply.counts.used,
                available: reply.counts.available,
                unit_licenses: reply.units.licenses,
            }),
            Response::Refused(Status::ENROLMENT_REQUIRED, _) => Availability::NotEnrolled,
            Response::Refused(Status::UNKNOWN_PRODUCT | Status::UNKNOWN_VENDOR, _) => {
                self.product?;
                Availability::Unknown
            }
            Response::Refused(Status::AMBIGUOUS_PRODUCT, _) => Availability::Ambiguous,
            Response::Refused(status, refusal) => Availability::Refused(format!("{} ({status:?})", refusal.text)),
            other => Availability::Refused(format!("an answer to something else ({:?})", other.status())),
        })
    }

    pub(super) fn status() -> Request {
        Request::Status(views::Status {})
    }

    /// The seats of this machine.
    pub(super) fn seats(self) -> Option<Request> {
        let mac = self.mac?;
        Some(Request::Seats(views::Seats {
            mac: Some(mac.bytes()),
            ..views::Seats::default()
        }))
    }

    /// A page of the licenses, behind this serial.
    pub(super) fn licenses(after: Option<String>) -> Request {
        Request::Licenses(views::Licenses { after, limit: None })
    }

    /// How a checkout of this machine would be decided.
    pub(super) fn explain(self) -> Option<Request> {
        let (product, mac) = self.product.zip(self.mac)?;
        Some(Request::Explain(explain::Explain {
            vendor: self.vendor.map(|vendor| vendor.0),
            product: product.to_string(),
            component: None,
            mac: mac.bytes(),
            identity: self.component.map(|identity| identity.0),
            continuation: None,
        }))
    }
}

/// Whether this role is told everything.
pub(super) fn may_view(role: Role) -> bool {
    [Role::VIEWER, Role::ADMINISTRATOR].contains(&role)
}
