//! Refusals: a stable number, the cause and the remedy (rule V2). Dates are fields: clients know the reader's calendar.

use super::rows::former;
use crate::domain::catalogue::VENDORS_MAX;
use crate::domain::denial::{Denial, Denied, KeyRefusal};
use crate::domain::ids::Mac;
use crate::domain::time::Timestamp;
use crate::vendor::{KeyError, ListError};
use crate::wire::Status;
use crate::wire::messages::hello::Refusal;

/// The status of a denial. No wildcard arm: a new [`Denial`] does not compile until the registry has a number for it.
#[must_use]
pub const fn status_of(denial: &Denial) -> Status {
    match denial {
        Denial::AmbiguousProduct => Status::AMBIGUOUS_PRODUCT,
        Denial::CatalogueNotNewer { .. } => Status::CATALOGUE_NOT_NEWER,
        Denial::IdentityNotBound => Status::IDENTITY_NOT_BOUND,
        Denial::LastAdministrator => Status::LAST_ADMINISTRATOR,
        Denial::LicenseExpired => Status::LICENSE_EXPIRED,
        Denial::LicenseInUse { .. } => Status::LICENSE_IN_USE,
        Denial::NoLicense => Status::NO_LICENSE,
        Denial::NotAuthorized => Status::NOT_AUTHORIZED,
        Denial::ReboundRecently { .. } => Status::REBOUND_RECENTLY,
        Denial::SeatsExhausted => Status::SEATS_EXHAUSTED,
        Denial::SlowDown { .. } => Status::SLOW_DOWN,
        Denial::TooManyComponents => Status::TOO_MANY_COMPONENTS,
        Denial::TooManyVendors => Status::TOO_MANY_VENDORS,
        Denial::UnknownAdministrator => Status::UNKNOWN_ADMINISTRATOR,
        Denial::UnknownComponent => Status::UNKNOWN_COMPONENT,
        Denial::UnknownProduct => Status::UNKNOWN_PRODUCT,
        Denial::UnknownSerial => Status::UNKNOWN_SERIAL,
        Denial::UnknownVendor => Status::UNKNOWN_VENDOR,
    }
}

/// The status of a key that the ledger refused.
#[must_use]
pub const fn status_of_key_refusal(refusal: KeyRefusal) -> Status {
    match refusal {
        KeyRefusal::Expired => Status::KEY_EXPIRED,
        KeyRefusal::SerialTaken => Status::SERIAL_TAKEN,
        KeyRefusal::UnknownProduct => Status::UNKNOWN_PRODUCT,
        KeyRefusal::UnknownVendor => Status::UNKNOWN_VENDOR,
    }
}

/// The status of a key that counts for nothing.
#[must_use]
pub const fn status_of_key_error(error: &KeyError) -> Status {
    match error {
        KeyError::BadSignature => Status::BAD_SIGNATURE,
        KeyError::Damaged { .. } | KeyError::Impossible(_) => Status::TEXT_DAMAGED,
        KeyError::NeedsNewer(_) => Status::NEEDS_NEWER_SERVER,
        KeyError::UnknownVendor { .. } => Status::UNKNOWN_VENDOR,
    }
}

/// The status of a catalogue or blacklist that counts for nothing.
#[must_use]
pub const fn status_of_list_error(error: &ListError) -> Status {
    match error {
        ListError::BadSignature => Status::BAD_SIGNATURE,
        ListError::Damaged { .. } | ListError::Impossible(_) => Status::TEXT_DAMAGED,
        ListError::NeedsNewer(_) => Status::NEEDS_NEWER_SERVER,
        ListError::UnknownVendor { .. } => Status::UNKNOWN_VENDOR,
    }
}

/// The denial as a refusal.
pub(super) fn refusal(denied: &Denied, server_time: Timestamp) -> Refusal {
    let seats = denied.seats;
    let subject = denied.subject;
    let mut refusal = Refusal {
        server_time: Some(server_time.0),
        text: text(denied),
        used: seats.map(|seats| seats.used),
        total: seats.map(|seats| seats.total),
        earliest_renew_by: seats.and_then(|seats| seats.earliest_renew_by).map(|at| at.0),
        former: denied.former.map(former),
        product: subject.product.map(|id| id.as_str().to_owned()),
        component: subject.component.map(|id| id.as_str().to_owned()),
        mac: subject.mac.map(Mac::bytes),
        serial: subject.serial.map(|serial| serial.as_str().to_owned()),
        ..Refusal::default()
    };
    match denied.denial {
        Denial::CatalogueNotNewer { held } => refusal.catalogue_version = Some(held),
        Denial::LicenseInUse { seats } => refusal.used = Some(u64::from(seats)),
        Denial::ReboundRecently { until } => refusal.until = Some(until.0),
        Denial::SlowDown { retry_secs } => refusal.retry_secs = Some(retry_secs),
        Denial::AmbiguousProduct
        | Denial::IdentityNotBound
        | Denial::LastAdministrator
        | Denial::LicenseExpired
        | Denial::NoLicense
        | Denial::NotAuthorized
        | Denial::SeatsExhausted
        | Denial::TooManyComponents
        | Denial::TooManyVendors
        | Denial::UnknownAdministrator
        | Denial::UnknownComponent
        | Denial::UnknownProduct
        | Denial::UnknownSerial
        | Denial::UnknownVendor => {}
    }
    refusal
}

/// The cause and the remedy of a denial.
fn text(denied: &Denied) -> String {
    let subject = denied.subject;
    let product = subject.product.map_or("the product".to_owned(), |id| id.to_string());
    let component = subject
        .component
        .map_or("the component".to_owned(), |id| id.to_string());
    let serial = subject
        .serial
        .map_or("this serial".to_owned(), |serial| serial.to_string());
    match denied.denial {
        Denial::AmbiguousProduct => {
            format!(
                "more than one vendor has a product {product}; name the vendor with `--vendor ID`, see `seatkeeper status`"
            )
        }
        Denial::CatalogueNotNewer { held } => {
            format!("the catalogue is not newer than number {held}, which is here; import a newer one")
        }
        Denial::IdentityNotBound => format!(
            "{component} of {product} is bound to another identity; release it from the installation that holds it, or \
             have an administrator run `seatkeeper release MAC PRODUCT COMPONENT --reason TEXT`"
        ),
        Denial::LastAdministrator => {
            "this is the last administrator; add another one first: `seatkeeper admin add FINGERPRINT`".to_owned()
        }
        Denial::LicenseExpired => format!(
            "every license of {product} that could serve this machine has expired; import a key that is valid: \
             `seatkeeper import KEY`"
        ),
        Denial::LicenseInUse { seats } => format!(
            "{seats} seats of {serial} are in use; release them first, or end them with `seatkeeper remove {serial} --end-seats`"
        ),
        Denial::NoLicense => {
            format!("no license for {product} was ever imported here; import its key: `seatkeeper import KEY`")
        }
        Denial::NotAuthorized => "this identity's role does not include the request; have an administrator run \
             `seatkeeper admin add FINGERPRINT --role ROLE` with what `seatkeeper identity show` prints here"
            .to_owned(),
        Denial::ReboundRecently { .. } => format!(
            "this identity took the place of another one at {component} less than 30 days ago and cannot release it yet; \
             wait, or have an administrator run `seatkeeper release MAC PRODUCT --reason TEXT`"
        ),
        Denial::SeatsExhausted => exhausted(denied, &product),
        Denial::SlowDown { retry_secs } => {
            format!("too many new machines from here at once; ask again in {retry_secs} seconds")
        }
        Denial::TooManyComponents => {
            format!("{product} has as many components on this machine as it may; release one that is not used any more")
        }
        Denial::TooManyVendors => {
            format!("{VENDORS_MAX} vendors are trusted here already, as many as may be; another server has room")
        }
        Denial::UnknownAdministrator => "the identity has no role; see `seatkeeper admin list`".to_owned(),
        Denial::UnknownComponent => format!(
            "{product} has no component {component} in the catalogue that is here; check its name, or import the vendor's \
             newer catalogue: `seatkeeper catalogue import FILE`"
        ),
        Denial::UnknownProduct => format!(
            "no catalogue here has {product}; check its name, or import the vendor's catalogue: \
             `seatkeeper catalogue import FILE`"
        ),
        Denial::UnknownSerial => format!("no license {serial} is here; see `seatkeeper licenses`"),
        Denial::UnknownVendor => {
            "the vendor is not trusted here; trust its public key: `seatkeeper vendor trust FILE`".to_owned()
        }
    }
}

fn exhausted(denied: &Denied, product: &str) -> String {
    let in_use = denied.seats.map_or(String::new(), |seats| {
        format!(": {} of {} are in use", seats.used, seats.total)
    });
    let remedy = "import another key with `seatkeeper import KEY`, or release a machine that is not used any more with \
                  `seatkeeper release MAC PRODUCT --reason TEXT`";
    format!("no seat of {product} is available{in_use}; {remedy}")
}

/// The cause and the remedy of a key that the ledger refused.
pub(super) const fn key_refusal_text(refusal: KeyRefusal) -> &'static str {
    match refusal {
        KeyRefusal::Expired => "the key's time is over; ask the vendor for one that is valid",
        KeyRefusal::SerialTaken => {
            "a license of this serial with other terms is or was here; renewal keys need a newer server, and for any other \
             key ask the vendor for one with a serial of its own"
        }
        KeyRefusal::UnknownProduct => {
            "no catalogue of its vendor has the product; import the catalogue first: `seatkeeper catalogue import FILE`"
        }
        KeyRefusal::UnknownVendor => {
            "its vendor is not trusted here; trust its public key first: `seatkeeper vendor trust FILE`"
        }
    }
}
