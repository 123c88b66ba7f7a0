//! Requests and replies by opcode.

use bytes::Bytes;

use super::{Message, admin, deploy, enrol, events, explain, hello, reload, seat, views};
use crate::codec::DecodeError;
use crate::wire::{Opcode, Status};

macro_rules! requests {
    ($( $(#[$meta:meta])* $variant:ident($module:ident::$name:ident) = $opcode:ident; )*) => {
        /// A request whose body is read.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum Request {
            $( $(#[$meta])* $variant($module::$name), )*
        }

        impl Request {
            /// Reads the request of this opcode; nothing where this version does not know the opcode.
            ///
            /// # Errors
            /// The body is malformed.
            pub fn decode(opcode: Opcode, body: &[u8]) -> Result<Option<Self>, DecodeError> {
                match opcode {
                    $( Opcode::$opcode => $module::$name::decode(body).map(Self::$variant).map(Some), )*
                    _ => Ok(None),
                }
            }

            /// Its opcode.
            #[must_use]
            pub const fn opcode(&self) -> Opcode {
                match self {
                    $( Self::$variant(_) => Opcode::$opcode, )*
                }
            }

            /// Its body.
            ///
            /// # Errors
            /// A value is over its bound.
            pub fn to_body(&self) -> Result<Bytes, DecodeError> {
                match self {
                    $( Self::$variant(message) => message.to_body(), )*
                }
            }
        }
    };
}

requests! {
    /// Gives back what a reservation has.
    Abort(deploy::Abort) = ABORT;
    /// Gives an identity a role.
    AdminAdd(admin::AdminAdd) = ADMIN_ADD;
    /// Lists the identities with a role.
    AdminList(views::AdminList) = ADMIN_LIST;
    /// Takes an identity's role away.
    AdminRemove(admin::AdminRemove) = ADMIN_REMOVE;
    /// Asks how many seats are available.
    Availability(seat::Availability) = AVAILABILITY;
    /// Tells of a backup.
    BackedUp(admin::BackedUp) = BACKED_UP;
    /// Forgets bindings.
    BindingResolve(admin::BindingResolve) = BINDING_RESOLVE;
    /// Imports a list of serials that do not serve.
    BlacklistImport(admin::BlacklistImport) = BLACKLIST_IMPORT;
    /// Imports a catalogue.
    CatalogueImport(admin::CatalogueImport) = CATALOGUE_IMPORT;
    /// Asks for a seat at the start.
    Checkout(seat::Checkout) = CHECKOUT;
    /// Accepts the clock's jump.
    ClockAccept(admin::ClockAccept) = CLOCK_ACCEPT;
    /// Sets the highest accepted time.
    ClockReset(admin::ClockReset) = CLOCK_RESET;
    /// Machines of a reservation were deployed.
    Commit(deploy::Commit) = COMMIT;
    /// Brings a token.
    Enrol(enrol::Enrol) = ENROL;
    /// Lists the enrolled identities.
    EnrolIdentities(enrol::EnrolIdentities) = ENROL_IDENTITIES;
    /// Takes an enrolment back.
    EnrolRemove(enrol::EnrolRemove) = ENROL_REMOVE;
    /// Lets a token enrol identities.
    EnrolTokenAdd(enrol::EnrolTokenAdd) = ENROL_TOKEN_ADD;
    /// Ends a token.
    EnrolTokenRevoke(enrol::EnrolTokenRevoke) = ENROL_TOKEN_REVOKE;
    /// Lists the tokens.
    EnrolTokens(enrol::EnrolTokens) = ENROL_TOKENS;
    /// Asks how a checkout would be decided.
    Explain(explain::Explain) = EXPLAIN;
    /// Reads the event log.
    Events(events::Events) = EVENTS;
    /// Checks the event log's chain.
    EventsVerify(events::EventsVerify) = EVENTS_VERIFY;
    /// Begins the connection.
    Hello(hello::Hello) = HELLO;
    /// Imports license keys.
    Import(admin::Import) = IMPORT;
    /// Takes a license off the server.
    LicenseRemove(admin::LicenseRemove) = LICENSE_REMOVE;
    /// Lists the licenses.
    Licenses(views::Licenses) = LICENSES;
    /// Lists the products.
    Products(views::Products) = PRODUCTS;
    /// Has the configuration read again.
    Reload(reload::Reload) = RELOAD;
    /// Lets go of a seat.
    Release(seat::Release) = RELEASE;
    /// Asks for a seat while running.
    Renew(seat::Checkout) = RENEW;
    /// Lists the reservations.
    Reservations(deploy::Reservations) = RESERVATIONS;
    /// Sets seats or units aside.
    Reserve(deploy::Reserve) = RESERVE;
    /// Takes a seat back.
    SeatEnd(admin::SeatEnd) = SEAT_END;
    /// Lists the seats.
    Seats(views::Seats) = SEATS;
    /// Asks for counts over everything.
    Status(views::Status) = STATUS;
    /// Trusts a vendor.
    VendorTrust(admin::VendorTrust) = VENDOR_TRUST;
}

macro_rules! responses {
    ($( $(#[$meta:meta])* $variant:ident($module:ident::$name:ident) = $($opcode:ident)|+; )*) => {
        /// A reply whose body is read.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum Response {
            $( $(#[$meta])* $variant($module::$name), )*
            /// The status was not OK.
            Refused(Status, hello::Refusal),
        }

        impl Response {
            /// Reads the reply to a request of opcode `request`; nothing where this version does not know the opcode.
            ///
            /// # Errors
            /// The body is malformed.
            pub fn decode(request: Opcode, status: Status, body: &[u8]) -> Result<Option<Self>, DecodeError> {
                if status != Status::OK {
                    return hello::Refusal::decode(body).map(|refusal| Some(Self::Refused(status, refusal)));
                }
                match request {
                    $( $(Opcode::$opcode)|+ => $module::$name::decode(body).map(Self::$variant).map(Some), )*
                    _ => Ok(None),
                }
            }

            /// Its status.
            #[must_use]
            pub const fn status(&self) -> Status {
                match self {
                    Self::Refused(status, _) => *status,
                    $( Self::$variant(_) => Status::OK, )*
                }
            }

            /// Whether it can answer a request of opcode `request`.
            #[must_use]
            pub const fn answers(&self, request: Opcode) -> bool {
                match self {
                    Self::Refused(..) => true,
                    $( Self::$variant(_) => matches!(request, $(Opcode::$opcode)|+), )*
                }
            }

            /// Its body.
            ///
            /// # Errors
            /// A value is over its bound.
            pub fn to_body(&self) -> Result<Bytes, DecodeError> {
                match self {
                    Self::Refused(_, refusal) => refusal.to_body(),
                    $( Self::$variant(message) => message.to_body(), )*
                }
            }
        }
    };
}

responses! {
    /// The identities with a role.
    AdminList(views::AdminListOk) = ADMIN_LIST;
    /// How many seats are available.
    Availability(seat::AvailabilityOk) = AVAILABILITY;
    /// How many bindings were forgotten.
    BindingResolve(admin::BindingResolveOk) = BINDING_RESOLVE;
    /// The list is here now.
    BlacklistImport(admin::BlacklistImportOk) = BLACKLIST_IMPORT;
    /// The catalogue is here now, or what it would change.
    CatalogueImport(admin::CatalogueImportOk) = CATALOGUE_IMPORT;
    /// How a checkout was decided.
    Checkout(seat::CheckoutOk) = CHECKOUT | RENEW;
    /// Done; nothing more to say.
    Done(admin::Done) = VENDOR_TRUST | ADMIN_ADD | ADMIN_REMOVE | CLOCK_ACCEPT | CLOCK_RESET | ENROL_REMOVE | BACKED_UP;
    /// The identity is enrolled.
    Enrol(enrol::EnrolOk) = ENROL;
    /// The enrolled identities.
    EnrolIdentities(enrol::EnrolIdentitiesOk) = ENROL_IDENTITIES;
    /// The token enrols identities now.
    EnrolTokenAdd(enrol::EnrolTokenAddOk) = ENROL_TOKEN_ADD;
    /// The token is ended.
    EnrolTokenRevoke(enrol::EnrolTokenRevokeOk) = ENROL_TOKEN_REVOKE;
    /// The tokens.
    EnrolTokens(enrol::EnrolTokensOk) = ENROL_TOKENS;
    /// How a checkout would be decided.
    Explain(explain::ExplainOk) = EXPLAIN;
    /// Events.
    Events(events::EventsOk) = EVENTS;
    /// What holds of the chain.
    EventsVerify(events::EventsVerifyOk) = EVENTS_VERIFY;
    /// The connection has begun.
    Hello(hello::HelloOk) = HELLO;
    /// What became of each key.
    Import(admin::ImportOk) = IMPORT;
    /// The license is gone.
    LicenseRemove(admin::LicenseRemoveOk) = LICENSE_REMOVE;
    /// The licenses.
    Licenses(views::LicensesOk) = LICENSES;
    /// The products.
    Products(views::ProductsOk) = PRODUCTS;
    /// What changed of the configuration.
    Reload(reload::ReloadOk) = RELOAD;
    /// What a release did.
    Release(seat::ReleaseOk) = RELEASE | SEAT_END;
    /// The reservations.
    Reservations(deploy::ReservationsOk) = RESERVATIONS;
    /// What is set aside.
    Reserve(deploy::ReserveOk) = RESERVE;
    /// The seats.
    Seats(views::SeatsOk) = SEATS;
    /// What became of each machine.
    Settle(deploy::SettleOk) = COMMIT | ABORT;
    /// Counts over everything.
    Status(views::StatusOk) = STATUS;
}
