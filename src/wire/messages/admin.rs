//! What administrators ask: trust, import, remove, end, and who may do so.

use bytes::Bytes;

use crate::wire::limits::{
    BLACKLIST_LEN_MAX, CATALOGUE_LEN_MAX, EFFECT_TEXT_LEN_MAX, EFFECTS_MAX, ID_LEN_MAX, KEY_LEN_MAX, KEYS_MAX,
    LABEL_LEN_MAX, REASON_LEN_MAX, REFUSAL_TEXT_LEN_MAX, SERIAL_LEN,
};
use crate::wire::{Altered, ImportOutcome, Role, Status};

message! {
    /// `VENDOR_TRUST`: trust a vendor's public key.
    VendorTrust {
        /// The Ed25519 public key.
        0x0001 public_key: required [u8; 32];
    }
}

message! {
    /// The reply to `VENDOR_TRUST`, `ADMIN_ADD`, `ADMIN_REMOVE`, `CLOCK_ACCEPT`, `CLOCK_RESET` and `BACKED_UP`: done.
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
        /// Whether only to tell what it would change; not if absent.
        0x0002 dry_run: optional bool;
    }
}

message! {
    /// The reply to `CATALOGUE_IMPORT`.
    CatalogueImportOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How many products it has.
        0x0002 products: required u32;
        /// What it changes, as many as fit.
        0x0003 effects: repeated Effect, count EFFECTS_MAX;
        /// Whether it changes more than is told.
        0x0004 more: required bool;
    }
}

message! {
    /// Something that a catalogue changes.
    Effect {
        /// Of which product.
        0x0001 product: required String, max ID_LEN_MAX;
        /// Of which component, if of one.
        0x0002 component: optional String, max ID_LEN_MAX;
        /// What.
        0x0003 what: required Altered;
        /// How it is; empty where there was nothing.
        0x0004 before: required String, max EFFECT_TEXT_LEN_MAX;
        /// How it will be; empty where there will be nothing.
        0x0005 after: required String, max EFFECT_TEXT_LEN_MAX;
        /// Live seats that it touches.
        0x0006 seats: required u64;
        /// Licenses of the product that are here; where the product comes or goes.
        0x0007 licenses: optional u64;
    }
}

message! {
    /// `BLACKLIST_IMPORT`: import a vendor's signed list of serials that do not serve.
    BlacklistImport {
        /// The list as it was signed.
        0x0001 list: required Bytes, max BLACKLIST_LEN_MAX;
        /// Whether only to tell what it would name; not if absent.
        0x0002 dry_run: optional bool;
    }
}

message! {
    /// The reply to `BLACKLIST_IMPORT`.
    BlacklistImportOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How many serials it names.
        0x0002 serials: required u32;
        /// How many of them are licenses here.
        0x0003 licenses: required u32;
        /// Seats and units in use of those.
        0x0004 used: required u64;
    }
}

message! {
    /// `BINDING_RESOLVE`: resolve a machine's components: bind the identity that waits; forget a binding with a conflict where none does.
    BindingResolve {
        /// The machine's MAC address.
        0x0001 mac: required [u8; 6];
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0002 vendor: optional [u8; 16];
        /// Only of this product.
        0x0003 product: optional String, max ID_LEN_MAX;
    }
}

message! {
    /// The reply to `BINDING_RESOLVE`.
    BindingResolveOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How many components were resolved.
        0x0002 components: required u32;
    }
}

message! {
    /// `CLOCK_ACCEPT`: accept the clock's pending jump.
    ClockAccept {}
}

message! {
    /// `CLOCK_RESET`: make what the calendar says the highest accepted time.
    ClockReset {}
}

message! {
    /// `BACKED_UP`: a backup was made of the server, and holds.
    BackedUp {
        /// When it was made, in seconds since 1970-01-01 00:00 UTC.
        0x0001 made_at: required u64;
        /// The last round that is in it.
        0x0002 round: required u64;
        /// Bytes of its file.
        0x0003 bytes: required u64;
        /// Whether the server's identities are in it.
        0x0004 identities: required bool;
    }
}

message! {
    /// IMPORT: import license keys.
    Import {
        /// The keys' texts.
        0x0001 keys: repeated String, max KEY_LEN_MAX, count KEYS_MAX;
        /// Whether only to tell what it would do; not if absent.
        0x0002 dry_run: optional bool;
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
        /// Whether it renewed the license of its serial (rule K6); there when it was added.
        0x0009 renewal: optional bool;
    }
}

message! {
    /// `LICENSE_REMOVE`: take a license off the server.
    LicenseRemove {
        /// Its serial.
        0x0001 serial: required String, max SERIAL_LEN;
        /// Whether to end what is in use and finds no room on other licenses.
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
        /// How many seats went to other licenses.
        0x0003 seats_moved: required u32;
        /// How many of the seats that ended stay spent.
        0x0004 spent: required u32;
        /// Reserved units and held seats that found no room elsewhere.
        0x0005 dropped: required u32;
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
