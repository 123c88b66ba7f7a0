//! The one question that is asked behind HELLO.

use seatkeeper::domain::ids::{ProductId, VendorId};
use seatkeeper::wire::messages::views::Status;
use seatkeeper::wire::messages::{Request, Response, seat};
use seatkeeper::wire::{Role, Status as Code};

use crate::query::NO_PRODUCT;

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Query {
    /// How many seats of a product are available.
    Product {
        /// Its vendor, if given.
        vendor: Option<VendorId>,
        /// Its id.
        product: ProductId,
    },
    /// How the server is; for viewers and administrators.
    Status,
    /// How many seats of [`NO_PRODUCT`] are available.
    Unknown,
}

impl Query {
    /// The question for somebody who named no product.
    pub(super) const fn for_role(role: Role) -> Self {
        match role {
            Role::VIEWER | Role::ADMINISTRATOR => Self::Status,
            _ => Self::Unknown,
        }
    }

    pub(super) fn request(self) -> Request {
        let availability = |vendor: Option<VendorId>, product: String| {
            Request::Availability(seat::Availability {
                vendor: vendor.map(|vendor| vendor.0),
                product,
            })
        };
        match self {
            Self::Product { vendor, product } => availability(vendor, product.to_string()),
            Self::Status => Request::Status(Status {}),
            Self::Unknown => availability(None, NO_PRODUCT.to_owned()),
        }
    }

    /// What is asked, for people.
    pub(super) fn asked(self) -> String {
        match self {
            Self::Product { product, .. } => format!("AVAILABILITY of {product}"),
            Self::Status => "STATUS".to_owned(),
            Self::Unknown => format!("AVAILABILITY of {NO_PRODUCT}, which nobody has"),
        }
    }

    /// What the answer says; an error if it is not one to this question.
    pub(super) fn judge(self, response: &Response) -> Result<String, String> {
        match (self, response) {
            (Self::Product { .. } | Self::Unknown, Response::Availability(reply)) => {
                let counts = &reply.counts;
                Ok(format!(
                    "{} seats, {} used, {} available",
                    counts.total, counts.used, counts.available
                ))
            }
            (Self::Status, Response::Status(status)) => Ok(format!(
                "{} products, {} licenses, {} seats engaged",
                status.products, status.licenses, status.seats
            )),
            (Self::Unknown, Response::Refused(Code::UNKNOWN_PRODUCT, _)) => {
                Ok("refused as UNKNOWN_PRODUCT, as it should".to_owned())
            }
            (_, Response::Refused(status, refusal)) => Err(format!("refused ({status:?}): {}", refusal.text)),
            (_, other) => Err(format!("answered with something else ({:?})", other.status())),
        }
    }
}

#[cfg(test)]
mod tests {
    use seatkeeper::wire::messages::hello::Refusal;

    use super::*;

    fn refused(status: Code) -> Response {
        Response::Refused(status, Refusal::default())
    }

    #[test]
    fn an_unknown_product_is_an_answer_only_where_it_was_made_up() {
        let named = Query::Product {
            vendor: None,
            product: "BKSRV".parse().expect("an id"),
        };
        assert!(Query::Unknown.judge(&refused(Code::UNKNOWN_PRODUCT)).is_ok());
        assert!(named.judge(&refused(Code::UNKNOWN_PRODUCT)).is_err());
        assert!(Query::Unknown.judge(&refused(Code::BUSY)).is_err());
        assert!(Query::Status.judge(&refused(Code::UNKNOWN_PRODUCT)).is_err());
    }

    #[test]
    fn the_made_up_product_has_an_id_that_servers_read() {
        assert!(ProductId::from_canonical(NO_PRODUCT.as_bytes()).is_ok());
    }

    #[test]
    fn status_is_asked_by_those_who_may() {
        assert_eq!(Query::for_role(Role::VIEWER), Query::Status);
        assert_eq!(Query::for_role(Role::ADMINISTRATOR), Query::Status);
        assert_eq!(Query::for_role(Role::AGENT), Query::Unknown);
        assert_eq!(Query::for_role(Role::DEPLOYER), Query::Unknown);
    }
}
