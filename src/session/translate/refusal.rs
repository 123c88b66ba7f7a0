//! Refusals: a stable number, the cause and the remedy (rule V2). Dates are fields: clients know the reader's calendar.

use super::rows::former;
use super::text::text;
use crate::domain::denial::{Denial, Denied, KeyRefusal};
use crate::domain::ids::Mac;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::vendor::{KeyError, ListError};
use crate::wire::Status;
use crate::wire::messages::hello::Refusal;

/// After how many seconds to ask a server again whose disk is full: somebody has to make room.
const DISK_FULL_RETRY_SECS: u32 = 60;

/// The status of a denial.
#[must_use]
pub const fn status_of(denial: &Denial) -> Status {
    status_of_reason(denial.reason())
}

/// The status of a reason. No wildcard arm: a new [`Denial`] does not compile until the registry has a number for it.
#[must_use]
pub const fn status_of_reason(reason: Reason) -> Status {
    match reason {
        Reason::AmbiguousProduct => Status::AMBIGUOUS_PRODUCT,
        Reason::BlacklistNotNewer => Status::BLACKLIST_NOT_NEWER,
        Reason::CatalogueNotNewer => Status::CATALOGUE_NOT_NEWER,
        Reason::Conflict => Status::CONFLICT,
        Reason::DeploymentOnly => Status::DEPLOYMENT_ONLY,
        Reason::DiskFull => Status::DISK_FULL,
        Reason::EnrolmentRequired => Status::ENROLMENT_REQUIRED,
        Reason::IdentityNotBound => Status::IDENTITY_NOT_BOUND,
        Reason::LastAdministrator => Status::LAST_ADMINISTRATOR,
        Reason::LicenseBlacklisted => Status::LICENSE_BLACKLISTED,
        Reason::LicenseExpired => Status::LICENSE_EXPIRED,
        Reason::LicenseInUse => Status::LICENSE_IN_USE,
        Reason::LicenseSuperseded => Status::LICENSE_SUPERSEDED,
        Reason::NoJumpPending => Status::NO_JUMP_PENDING,
        Reason::NoLicense => Status::NO_LICENSE,
        Reason::NotAuthorized => Status::NOT_AUTHORIZED,
        Reason::RebindPending => Status::REBIND_PENDING,
        Reason::ReboundRecently => Status::REBOUND_RECENTLY,
        Reason::RequiredProduct => Status::REQUIRED_PRODUCT,
        Reason::ReservationTaken => Status::RESERVATION_TAKEN,
        Reason::ReservationTooLarge => Status::RESERVATION_TOO_LARGE,
        Reason::ReservationTooLong => Status::RESERVATION_TOO_LONG,
        Reason::SeatsExhausted => Status::SEATS_EXHAUSTED,
        Reason::SlowDown | Reason::TooManyWrongTokens => Status::SLOW_DOWN,
        Reason::TokenRefused => Status::TOKEN_REFUSED,
        Reason::TooManyComponents => Status::TOO_MANY_COMPONENTS,
        Reason::TooManyReservations => Status::TOO_MANY_RESERVATIONS,
        Reason::TooManyTokens => Status::TOO_MANY_TOKENS,
        Reason::TooManyVendors => Status::TOO_MANY_VENDORS,
        Reason::UnknownAdministrator => Status::UNKNOWN_ADMINISTRATOR,
        Reason::UnknownComponent => Status::UNKNOWN_COMPONENT,
        Reason::UnknownIdentity => Status::UNKNOWN_IDENTITY,
        Reason::UnknownProduct => Status::UNKNOWN_PRODUCT,
        Reason::UnknownReservation => Status::UNKNOWN_RESERVATION,
        Reason::UnknownSerial => Status::UNKNOWN_SERIAL,
        Reason::UnknownToken => Status::UNKNOWN_TOKEN,
        Reason::UnknownVendor => Status::UNKNOWN_VENDOR,
    }
}

/// The status of a key that the ledger refused.
#[must_use]
pub const fn status_of_key_refusal(refusal: &KeyRefusal) -> Status {
    match refusal {
        KeyRefusal::Blacklisted { .. } => Status::BLACKLISTED,
        KeyRefusal::Expired => Status::KEY_EXPIRED,
        KeyRefusal::FewerSeatsThanUsed { .. } => Status::FEWER_SEATS_THAN_USED,
        KeyRefusal::NotARenewal => Status::NOT_A_RENEWAL,
        KeyRefusal::SerialTaken => Status::SERIAL_TAKEN,
        KeyRefusal::Superseded => Status::SUPERSEDED,
        KeyRefusal::UnknownProduct => Status::UNKNOWN_PRODUCT,
        KeyRefusal::UnknownVendor => Status::UNKNOWN_VENDOR,
        KeyRefusal::UsageNotOffered => Status::USAGE_NOT_OFFERED,
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
        ListError::Blacklist | ListError::Catalogue | ListError::Damaged { .. } | ListError::Impossible(_) => {
            Status::TEXT_DAMAGED
        }
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
        contact: denied.contact.clone(),
        ..Refusal::default()
    };
    match denied.denial {
        Denial::BlacklistNotNewer { held } | Denial::CatalogueNotNewer { held } => {
            refusal.catalogue_version = Some(held);
        }
        Denial::LicenseInUse { seats } => refusal.used = Some(u64::from(seats)),
        Denial::ReboundRecently { until } => refusal.until = Some(until.0),
        Denial::RequiredProduct { product } => refusal.required_product = Some(product.as_str().to_owned()),
        Denial::SlowDown { retry_secs } | Denial::TooManyWrongTokens { retry_secs } => {
            refusal.retry_secs = Some(retry_secs);
        }
        Denial::DiskFull => refusal.retry_secs = Some(DISK_FULL_RETRY_SECS),
        Denial::AmbiguousProduct
        | Denial::Conflict
        | Denial::DeploymentOnly
        | Denial::EnrolmentRequired
        | Denial::IdentityNotBound
        | Denial::LastAdministrator
        | Denial::LicenseBlacklisted
        | Denial::LicenseExpired
        | Denial::LicenseSuperseded
        | Denial::NoJumpPending
        | Denial::NoLicense
        | Denial::NotAuthorized
        | Denial::RebindPending
        | Denial::ReservationTaken
        | Denial::ReservationTooLarge
        | Denial::ReservationTooLong
        | Denial::SeatsExhausted
        | Denial::TokenRefused
        | Denial::TooManyComponents
        | Denial::TooManyReservations
        | Denial::TooManyTokens
        | Denial::TooManyVendors
        | Denial::UnknownAdministrator
        | Denial::UnknownComponent
        | Denial::UnknownIdentity
        | Denial::UnknownProduct
        | Denial::UnknownReservation
        | Denial::UnknownSerial
        | Denial::UnknownToken
        | Denial::UnknownVendor => {}
    }
    refusal
}
