//! Messages: the bodies of frames, one file a group. Each is a table of fields from which the struct, both
//! directions and the registry's rows follow.
//!
//! Fields come in the order of their tags, are read in any order, and unknown ones are skipped. A field that may be
//! there once and is there twice is an error. What is encoded without an error decodes without one.

use bytes::Bytes;

use super::Opcode;
use crate::codec::{DecodeError, Writer};

#[macro_use]
mod table;
pub(crate) mod field;

pub mod admin;
pub mod deploy;
pub mod enrol;
pub mod events;
pub mod explain;
pub mod hello;
pub mod reload;
mod request;
pub mod seat;
pub mod views;

pub(crate) use field::text_of;
pub use field::{FieldRow, Presence};
pub use request::{Request, Response};

/// The body of a frame, or the value of a field that has fields.
pub trait Message: Sized {
    /// Its name in the registry.
    const NAME: &'static str;
    /// Its fields, in the order of their tags.
    const FIELDS: &'static [FieldRow];

    /// Reads it from the fields of `body`.
    ///
    /// # Errors
    /// A field is malformed, missing, too long or there too often; the error names it.
    fn decode(body: &[u8]) -> Result<Self, DecodeError>;

    /// Appends its fields, in the order of their tags.
    ///
    /// # Errors
    /// A value is over its bound, or all together are longer than a frame's body.
    fn encode(&self, out: &mut Writer) -> Result<(), DecodeError>;

    /// Its fields as the body of a frame.
    ///
    /// # Errors
    /// As [`Message::encode`].
    fn to_body(&self) -> Result<Bytes, DecodeError> {
        /// Room for nearly every body, so that none is moved while it grows.
        const ROOM_LEN: usize = 256;
        let mut out = Writer::with_capacity(ROOM_LEN);
        self.encode(&mut out)?;
        Ok(out.into_bytes().into())
    }
}

/// Where a message belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The body of a request.
    Request(&'static [Opcode]),
    /// The body of a reply whose status is OK.
    Reply(&'static [Opcode]),
    /// The body of a reply whose status is not OK.
    Refusal,
    /// The value of a field.
    Field,
}

/// A row of the table of messages.
#[derive(Clone, Copy, Debug)]
pub struct MessageRow {
    /// Its name.
    pub name: &'static str,
    /// Where it belongs.
    pub place: Place,
    /// Its fields.
    pub fields: &'static [FieldRow],
    /// Reads a body and writes it again.
    pub recode: fn(&[u8]) -> Result<Bytes, DecodeError>,
    #[cfg(test)]
    pub(crate) sample: fn(&mut crate::wire::tests::Random) -> Bytes,
}

macro_rules! table {
    ($( $module:ident::$name:ident, $place:expr; )*) => {
        /// All messages, in the order of the registry.
        pub const TABLE: &[MessageRow] = &[ $(
            MessageRow {
                name: <$module::$name as Message>::NAME,
                place: $place,
                fields: <$module::$name as Message>::FIELDS,
                recode: |body| <$module::$name as Message>::decode(body)?.to_body(),
                #[cfg(test)]
                sample: |random| {
                    let message = <$module::$name as field::Value>::sample(random, 0);
                    let body = message.to_body().expect("a sample keeps its bounds");
                    assert_eq!($module::$name::decode(&body), Ok(message));
                    body
                },
            },
        )* ];
    };
}

table! {
    hello::Hello, Place::Request(&[Opcode::HELLO]);
    hello::HelloOk, Place::Reply(&[Opcode::HELLO]);
    hello::Succession, Place::Field;
    hello::Refusal, Place::Refusal;
    seat::Checkout, Place::Request(&[Opcode::CHECKOUT, Opcode::RENEW]);
    seat::CheckoutOk, Place::Reply(&[Opcode::CHECKOUT, Opcode::RENEW]);
    seat::Lease, Place::Field;
    seat::Conflict, Place::Field;
    seat::Former, Place::Field;
    seat::Counts, Place::Field;
    seat::Release, Place::Request(&[Opcode::RELEASE]);
    seat::ReleaseOk, Place::Reply(&[Opcode::RELEASE, Opcode::SEAT_END]);
    seat::Availability, Place::Request(&[Opcode::AVAILABILITY]);
    seat::AvailabilityOk, Place::Reply(&[Opcode::AVAILABILITY]);
    deploy::Reserve, Place::Request(&[Opcode::RESERVE]);
    deploy::ReserveOk, Place::Reply(&[Opcode::RESERVE]);
    deploy::ReservationRow, Place::Field;
    deploy::ReservedRow, Place::Field;
    deploy::HeldRow, Place::Field;
    deploy::Commit, Place::Request(&[Opcode::COMMIT]);
    deploy::Abort, Place::Request(&[Opcode::ABORT]);
    deploy::SettleOk, Place::Reply(&[Opcode::COMMIT, Opcode::ABORT]);
    deploy::SettledRow, Place::Field;
    deploy::Reservations, Place::Request(&[Opcode::RESERVATIONS]);
    deploy::ReservationsOk, Place::Reply(&[Opcode::RESERVATIONS]);
    enrol::Enrol, Place::Request(&[Opcode::ENROL]);
    enrol::EnrolOk, Place::Reply(&[Opcode::ENROL]);
    views::Status, Place::Request(&[Opcode::STATUS]);
    views::StatusOk, Place::Reply(&[Opcode::STATUS]);
    views::ClockRow, Place::Field;
    views::CheckpointRow, Place::Field;
    views::DiskRow, Place::Field;
    views::BackupRow, Place::Field;
    views::EndingRow, Place::Field;
    views::ScarceRow, Place::Field;
    views::WarningRow, Place::Field;
    views::VendorRow, Place::Field;
    views::Licenses, Place::Request(&[Opcode::LICENSES]);
    views::LicensesOk, Place::Reply(&[Opcode::LICENSES]);
    views::LicenseRow, Place::Field;
    views::Seats, Place::Request(&[Opcode::SEATS]);
    views::SeatsOk, Place::Reply(&[Opcode::SEATS]);
    views::SeatName, Place::Field;
    views::SeatRow, Place::Field;
    views::Holder, Place::Field;
    views::Waiting, Place::Field;
    views::Products, Place::Request(&[Opcode::PRODUCTS]);
    views::ProductsOk, Place::Reply(&[Opcode::PRODUCTS]);
    views::ProductName, Place::Field;
    views::ProductRow, Place::Field;
    views::ComponentRow, Place::Field;
    views::AdminList, Place::Request(&[Opcode::ADMIN_LIST]);
    views::AdminListOk, Place::Reply(&[Opcode::ADMIN_LIST]);
    views::AdminRow, Place::Field;
    explain::Explain, Place::Request(&[Opcode::EXPLAIN]);
    explain::ExplainOk, Place::Reply(&[Opcode::EXPLAIN]);
    explain::ExplainStep, Place::Field;
    enrol::EnrolTokens, Place::Request(&[Opcode::ENROL_TOKENS]);
    enrol::EnrolTokensOk, Place::Reply(&[Opcode::ENROL_TOKENS]);
    enrol::TokenRow, Place::Field;
    enrol::EnrolIdentities, Place::Request(&[Opcode::ENROL_IDENTITIES]);
    enrol::EnrolIdentitiesOk, Place::Reply(&[Opcode::ENROL_IDENTITIES]);
    enrol::EnrolledRow, Place::Field;
    events::Events, Place::Request(&[Opcode::EVENTS]);
    events::EventsOk, Place::Reply(&[Opcode::EVENTS]);
    events::EventPlace, Place::Field;
    events::EventRow, Place::Field;
    events::Gap, Place::Field;
    events::EventsVerify, Place::Request(&[Opcode::EVENTS_VERIFY]);
    events::EventsVerifyOk, Place::Reply(&[Opcode::EVENTS_VERIFY]);
    events::SegmentRow, Place::Field;
    events::Span, Place::Field;
    admin::VendorTrust, Place::Request(&[Opcode::VENDOR_TRUST]);
    admin::Done, Place::Reply(&[
        Opcode::VENDOR_TRUST,
        Opcode::ADMIN_ADD,
        Opcode::ADMIN_REMOVE,
        Opcode::CLOCK_ACCEPT,
        Opcode::CLOCK_RESET,
        Opcode::ENROL_REMOVE,
        Opcode::BACKED_UP,
    ]);
    admin::CatalogueImport, Place::Request(&[Opcode::CATALOGUE_IMPORT]);
    admin::CatalogueImportOk, Place::Reply(&[Opcode::CATALOGUE_IMPORT]);
    admin::Effect, Place::Field;
    admin::BlacklistImport, Place::Request(&[Opcode::BLACKLIST_IMPORT]);
    admin::BlacklistImportOk, Place::Reply(&[Opcode::BLACKLIST_IMPORT]);
    admin::BindingResolve, Place::Request(&[Opcode::BINDING_RESOLVE]);
    admin::BindingResolveOk, Place::Reply(&[Opcode::BINDING_RESOLVE]);
    admin::ClockAccept, Place::Request(&[Opcode::CLOCK_ACCEPT]);
    admin::ClockReset, Place::Request(&[Opcode::CLOCK_RESET]);
    admin::BackedUp, Place::Request(&[Opcode::BACKED_UP]);
    admin::Import, Place::Request(&[Opcode::IMPORT]);
    admin::ImportOk, Place::Reply(&[Opcode::IMPORT]);
    admin::ImportRow, Place::Field;
    admin::LicenseRemove, Place::Request(&[Opcode::LICENSE_REMOVE]);
    admin::LicenseRemoveOk, Place::Reply(&[Opcode::LICENSE_REMOVE]);
    admin::SeatEnd, Place::Request(&[Opcode::SEAT_END]);
    admin::AdminAdd, Place::Request(&[Opcode::ADMIN_ADD]);
    admin::AdminRemove, Place::Request(&[Opcode::ADMIN_REMOVE]);
    enrol::EnrolTokenAdd, Place::Request(&[Opcode::ENROL_TOKEN_ADD]);
    enrol::EnrolTokenAddOk, Place::Reply(&[Opcode::ENROL_TOKEN_ADD]);
    enrol::EnrolTokenRevoke, Place::Request(&[Opcode::ENROL_TOKEN_REVOKE]);
    enrol::EnrolTokenRevokeOk, Place::Reply(&[Opcode::ENROL_TOKEN_REVOKE]);
    enrol::EnrolRemove, Place::Request(&[Opcode::ENROL_REMOVE]);
    reload::Reload, Place::Request(&[Opcode::RELOAD]);
    reload::ReloadOk, Place::Reply(&[Opcode::RELOAD]);
    reload::ConfigRow, Place::Field;
}
