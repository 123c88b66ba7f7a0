//! What administrators ask: trust, import, remove, end, and who may do so.

use bytes::Bytes;

use crate::wire::limits::{
    CATALOGUE_LEN_MAX, ID_LEN_MAX, KEY_LEN_MAX, KEYS_MAX, LABEL_LEN_MAX, REASON_LEN_MAX, REFUSAL_TEXT_LEN_MAX,
    SERIAL_LEN,
};
use crate::wire::{ImportOutcome, Role, Status};

message! {
    /// `VENDOR_TRUST`: trust a vendor's public key.
    VendorTrust {
        /// The Ed25519 public key.
        0x0001 public_key: required [u8; 32];
    }
}

message! {
    /// The reply to `VENDOR_TRUST`, `ADMIN_ADD` and `ADMIN_REMOVE`: done.
    Done {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
    }
}

message! {
    /// `CATALOGUE_IMPORT`: import a vendor's signed catalogue.
    CatalogueImport {
        /// The catalogue as it was signed.
        0x0001 catalogue: required Bytes, max CATALOGUE_LEN_MAX;
    }
}

message! {
    /// The reply to `CATALOGUE_IMPORT`.
    CatalogueImportOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How many products it has.
        0x0002 products: required u32;
    }
}

message! {
    /// IMPORT: import license keys.
    Import {
        /// The keys' texts.
        0x0001 keys: repeated String, max KEY_LEN_MAX, count KEYS_MAX;
    }
}

message! {
    /// The reply to IMPORT.
    ImportOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// What became of each key, in the order in which they came.
        0x0002 rows: repeated ImportRow, count KEYS_MAX;
    }
}

message! {
    /// What became of one key.
    ImportRow {
        /// Its place among the keys of the request, from 0.
        0x0001 index: required u16;
        /// What became of it.
        0x0002 outcome: required ImportOutcome;
        /// Its serial; absent where it could not be read, like the next two.
        0x0003 serial: optional String, max SERIAL_LEN;
        /// Its vendor's id.
        0x0004 vendor: optional [u8; 16];
        /// Its product's id.
        0x0005 product: optional String, max ID_LEN_MAX;
        /// Its seats; there when it was added.
        0x0006 seats: optional u32;
        /// Why it was refused; there when it was.
        0x0007 status: optional Status;
        /// The cause and the remedy, for people; there when it was refused.
        0x0008 text: optional String, max REFUSAL_TEXT_LEN_MAX;
    }
}

message! {
    /// `LICENSE_REMOVE`: take a license off the server.
    LicenseRemove {
        /// Its serial.
        0x0001 serial: required String, max SERIAL_LEN;
        /// Whether to end the seats that are in use.
        0x0002 end_seats: required bool;
    }
}

message! {
    /// The reply to `LICENSE_REMOVE`.
    LicenseRemoveOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How many seats ended.
        0x0002 seats_ended: required u32;
    }
}

message! {
    /// `SEAT_END`: take a seat back, or one component of it.
    SeatEnd {
        /// The machine's MAC address.
        0x0001 mac: required [u8; 6];
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0002 vendor: optional [u8; 16];
        /// The product's id.
        0x0003 product: required String, max ID_LEN_MAX;
        /// Only this component; without it the whole seat.
        0x0004 component: optional String, max ID_LEN_MAX;
        /// Why; part of the event, and not empty.
        0x0005 reason: required String, max REASON_LEN_MAX;
    }
}

message! {
    /// `ADMIN_ADD`: give an identity a role.
    AdminAdd {
        /// The identity.
        0x0001 fingerprint: required [u8; 32];
        /// Its role from now on.
        0x0002 role: required Role;
        /// Whose it is, for people.
        0x0003 label: required String, max LABEL_LEN_MAX;
    }
}

message! {
    /// `ADMIN_REMOVE`: take an identity's role away.
    AdminRemove {
        /// The identity.
        0x0001 fingerprint: required [u8; 32];
    }
}
