//! What viewers ask: counts and listings.
//!
//! A listing comes in pages, in key order. The server ends a page at the limit asked for, at 256 rows, or where the
//! next row would not fit the frame; `more` says whether to ask again behind the last row's key.

use std::net::IpAddr;

use crate::wire::limits::{
    COMPONENTS_MAX, ENDING_ROWS_MAX, FAULT_LEN_MAX, HOST_NAME_LEN_MAX, ID_LEN_MAX, LABEL_LEN_MAX, NAME_LEN_MAX,
    OTHER_MACS_MAX, PAGE_ROWS_MAX, SCARCE_ROWS_MAX, SERIAL_LEN, VENDOR_ROWS_MAX, WARNINGS_MAX,
};
use crate::wire::{Kind, LicenseStatus, Offers, OnConflict, Role, Usage, Warning};

use super::seat::{Conflict, Counts};

message! {
    /// STATUS: how the server is, and counts over everything.
    Status {}
}

message! {
    /// The reply to STATUS.
    StatusOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The server's name for people.
        0x0002 name: required String, max NAME_LEN_MAX;
        /// The version of its program.
        0x0003 server_version: required String, max NAME_LEN_MAX;
        /// For how many seconds it has been running.
        0x0004 uptime_secs: required u64;
        /// Its name for itself; absent before it was founded, like the next two.
        0x0005 server: optional [u8; 16];
        /// Raised by a restore from backup.
        0x0006 epoch: optional u32;
        /// When it was first started, in seconds since 1970-01-01 00:00 UTC.
        0x0007 founded_at: optional u64;
        /// Products in all catalogues.
        0x0008 products: required u32;
        /// Licenses.
        0x0009 licenses: required u32;
        /// Licenses whose time is over.
        0x000a licenses_expired: required u32;
        /// Engaged seats.
        0x000b seats: required u64;
        /// Engaged seats with a conflict on them.
        0x000c conflicts: required u64;
        /// Identities with a role.
        0x000d admins: required u32;
        /// The trusted vendors.
        0x000e vendors: repeated VendorRow, count VENDOR_ROWS_MAX;
        /// Licenses that their vendors have taken back.
        0x000f licenses_blacklisted: required u32;
        /// Licenses whose place others have taken.
        0x0010 licenses_superseded: required u32;
        /// Engaged seats on which an identity waits for approval.
        0x0011 waiting: required u64;
        /// Reservations.
        0x0012 reservations: required u32;
        /// How the server's clock stands.
        0x0013 clock: required ClockRow;
        /// Bytes that are left for changes; there where the disk is full.
        0x0014 disk_left: optional u64;
        /// Whether only those are served as agents that were enrolled.
        0x0015 enrolment: required bool;
        /// Whether an identity that would take another one's place waits for an administrator's approval (rule I7).
        0x0016 approval: required bool;
        /// How checkpoints go; absent where the server makes none.
        0x0017 checkpoint: optional CheckpointRow;
        /// The disk of the data directory; absent where that is not known.
        0x0018 disk: optional DiskRow;
        /// Connections that there are now.
        0x0019 connections: optional u32;
        /// Connections that there may be.
        0x001a connections_max: optional u32;
        /// What ends next of each product and usage, the soonest first.
        0x001b ending: repeated EndingRow, count ENDING_ROWS_MAX;
        /// Products of whose seats or units at least nine in ten are in use.
        0x001c scarce: repeated ScarceRow, count SCARCE_ROWS_MAX;
        /// What an administrator should do something about, the most pressing first.
        0x001d warnings: repeated WarningRow, count WARNINGS_MAX;
        /// The last backup that the server was told of, the last with identities if there was one; absent where none was.
        0x001e backup: optional BackupRow;
    }
}

message! {
    /// How checkpoints go: a server starts from the last one, and reads what was changed since.
    CheckpointRow {
        /// The number of the last one that was made; 0 before the first.
        0x0001 generation: required u64;
        /// The time of it, in seconds since 1970-01-01 00:00 UTC.
        0x0002 made_at: optional u64;
        /// When one failed since then, likewise.
        0x0003 failed_at: optional u64;
        /// Why it failed, for people.
        0x0004 failure: optional String, max FAULT_LEN_MAX;
    }
}

message! {
    /// The disk of the data directory, as it was a short time ago.
    DiskRow {
        /// Bytes that are free on the file system.
        0x0001 free: required u64;
        /// Bytes of the file system.
        0x0002 total: required u64;
        /// Bytes that the data directory takes.
        0x0003 data: required u64;
        /// Bytes of those that the journal takes.
        0x0004 journal: required u64;
    }
}

message! {
    /// A backup of the server.
    BackupRow {
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
    /// A license that ends, the next of its product and usage.
    EndingRow {
        /// Its serial; the first of several that end at the same moment.
        0x0001 serial: required String, max SERIAL_LEN;
        /// The vendor's id.
        0x0002 vendor: required [u8; 16];
        /// The product's id.
        0x0003 product: required String, max ID_LEN_MAX;
        /// The product's name; its id where no catalogue names it any more.
        0x0004 product_name: required String, max NAME_LEN_MAX;
        /// How it was bought.
        0x0005 kind: required Kind;
        /// What it is for.
        0x0006 usage: required Usage;
        /// Its seats.
        0x0007 seats: required u32;
        /// The first moment at which it no longer serves, in seconds since 1970-01-01 00:00 UTC.
        0x0008 ends_at: required u64;
        /// Days until then, rounded up.
        0x0009 days_left: required u32;
        /// Licenses of the product and usage that end at that moment.
        0x000a licenses: required u32;
    }
}

message! {
    /// A product of whose seats or units at least nine in ten are in use.
    ScarceRow {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The product's name; its id where no catalogue names it any more.
        0x0003 product_name: required String, max NAME_LEN_MAX;
        /// Whether it is about seats or about units for deployments.
        0x0004 usage: required Usage;
        /// Seats, spent and reserved units.
        0x0005 used: required u64;
        /// Free ones of licenses that serve.
        0x0006 available: required u64;
    }
}

message! {
    /// Something that an administrator should do something about.
    WarningRow {
        /// What.
        0x0001 code: required Warning;
        /// The number that belongs to it: see the code.
        0x0002 number: optional u64;
        /// The vendor's id of the product that it is about.
        0x0003 vendor: optional [u8; 16];
        /// The product's id.
        0x0004 product: optional String, max ID_LEN_MAX;
        /// The license that it is about.
        0x0005 serial: optional String, max SERIAL_LEN;
        /// The moment that belongs to it, in seconds since 1970-01-01 00:00 UTC.
        0x0006 at: optional u64;
    }
}

message! {
    /// How the server's clock stands (rule T2).
    ClockRow {
        /// The highest accepted time, in seconds since 1970-01-01 00:00 UTC.
        0x0001 mark: required u64;
        /// By how many seconds the calendar is behind it; there where time stands still.
        0x0002 set_back_secs: optional u64;
        /// By how many seconds the calendar has jumped ahead; there where the jump is pending.
        0x0003 jump_secs: optional u64;
        /// After how many seconds a pending jump is accepted without an administrator.
        0x0004 accepted_in_secs: optional u64;
    }
}

message! {
    /// A trusted vendor.
    VendorRow {
        /// Its id.
        0x0001 vendor: required [u8; 16];
        /// Its Ed25519 public key.
        0x0002 public_key: required [u8; 32];
        /// Since when it is trusted, in seconds since 1970-01-01 00:00 UTC.
        0x0003 trusted_at: required u64;
        /// Its name; empty where it has no catalogue yet.
        0x0004 name: required String, max NAME_LEN_MAX;
        /// The number of its catalogue; 0 where it has none yet.
        0x0005 catalogue_version: required u64;
    }
}

message! {
    /// LICENSES: a page of the licenses, in the order of their serials.
    Licenses {
        /// Start behind this serial.
        0x0001 after: optional String, max SERIAL_LEN;
        /// Rows at most.
        0x0002 limit: optional u16;
    }
}

message! {
    /// The reply to LICENSES.
    LicensesOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more rows follow.
        0x0002 more: required bool;
        /// The rows.
        0x0003 rows: repeated LicenseRow, count PAGE_ROWS_MAX;
    }
}

message! {
    /// A row of the available licenses (rule V1).
    LicenseRow {
        /// Its serial.
        0x0001 serial: required String, max SERIAL_LEN;
        /// The vendor's id.
        0x0002 vendor: required [u8; 16];
        /// The vendor's name.
        0x0003 vendor_name: required String, max NAME_LEN_MAX;
        /// The product's id.
        0x0004 product: required String, max ID_LEN_MAX;
        /// The product's name; its id where no catalogue names it any more.
        0x0005 product_name: required String, max NAME_LEN_MAX;
        /// When it was first imported, in seconds since 1970-01-01 00:00 UTC.
        0x0006 imported_at: required u64;
        /// When its key was signed, in seconds likewise.
        0x0007 issued_at: required u64;
        /// The first moment at which it no longer serves, in seconds likewise; absent where it serves without end.
        0x0008 ends_at: optional u64;
        /// Seats in all.
        0x0009 total: required u32;
        /// Seats, spent and reserved units.
        0x000a used: required u32;
        /// `total - used`.
        0x000b free: required u32;
        /// Free if it serves, else 0.
        0x000c available: required u32;
        /// How it was bought.
        0x000d kind: required Kind;
        /// What it is for.
        0x000e usage: required Usage;
        /// Whether it serves.
        0x000f status: required LicenseStatus;
        /// Whether the vendor renews it by itself.
        0x0010 auto_renew: required bool;
        /// The last day of the vendor's support, in days since 1970-01-01.
        0x0011 support_until_day: optional u32;
        /// Days until its end, rounded up (rule K5); absent where it serves without end.
        0x0012 days_left: optional u32;
    }
}

message! {
    /// SEATS: a page of the engaged seats, in the order of vendor, product and MAC.
    Seats {
        /// Start behind this seat.
        0x0001 after: optional SeatName;
        /// Rows at most.
        0x0002 limit: optional u16;
        /// Only the seats of this machine.
        0x0003 mac: optional [u8; 6];
        /// Only the seats of this product, of whatever vendors have one of this id.
        0x0004 product: optional String, max ID_LEN_MAX;
    }
}

message! {
    /// What a seat is keyed by (rule I1).
    SeatName {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The machine's MAC address.
        0x0003 mac: required [u8; 6];
    }
}

message! {
    /// The reply to SEATS.
    SeatsOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more rows follow.
        0x0002 more: required bool;
        /// The rows.
        0x0003 rows: repeated SeatRow, count PAGE_ROWS_MAX;
    }
}

message! {
    /// A row of the used licenses (rule V1).
    SeatRow {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The product's name; its id where no catalogue names it any more.
        0x0003 product_name: required String, max NAME_LEN_MAX;
        /// The machine's MAC address.
        0x0004 mac: required [u8; 6];
        /// The license.
        0x0005 serial: required String, max SERIAL_LEN;
        /// When it was engaged, in seconds since 1970-01-01 00:00 UTC.
        0x0006 acquired_at: required u64;
        /// When it was last renewed, in seconds likewise.
        0x0007 renewed_at: required u64;
        /// From when on it is free unless renewed, in seconds likewise; absent where it never idles out.
        0x0008 renew_by: optional u64;
        /// Whether it is spent when it ends (rule S9).
        0x0009 single_use: required bool;
        /// The machine's host name, if it told one.
        0x000a host_name: optional String, max HOST_NAME_LEN_MAX;
        /// The address that it last asked from.
        0x000b address: optional IpAddr;
        /// The machine's other MAC addresses.
        0x000c other_macs: repeated [u8; 6], count OTHER_MACS_MAX;
        /// The components that hold it.
        0x000d components: repeated Holder, count COMPONENTS_MAX;
    }
}

message! {
    /// A component that holds a seat.
    Holder {
        /// The component's id.
        0x0001 component: required String, max ID_LEN_MAX;
        /// The identity that is bound to it; absent for an ephemeral component.
        0x0002 identity: optional [u8; 32];
        /// When that identity took the place of another one, in seconds since 1970-01-01 00:00 UTC.
        0x0003 rebound_at: optional u64;
        /// A conflict that stands on it.
        0x0004 conflict: optional Conflict;
        /// An identity that waits for approval (rule I7).
        0x0005 waiting: optional Waiting;
    }
}

message! {
    /// An identity that may not take the bound one's place before an administrator approves (rule I7).
    Waiting {
        /// Which; the one that asked last.
        0x0001 identity: required [u8; 32];
        /// When it first asked, in seconds since 1970-01-01 00:00 UTC.
        0x0002 since: required u64;
    }
}

message! {
    /// PRODUCTS: a page of the products of all catalogues, in the order of vendor and product.
    Products {
        /// Start behind this product.
        0x0001 after: optional ProductName;
        /// Rows at most.
        0x0002 limit: optional u16;
    }
}

message! {
    /// A product with its vendor.
    ProductName {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
    }
}

message! {
    /// The reply to PRODUCTS.
    ProductsOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more rows follow.
        0x0002 more: required bool;
        /// The rows.
        0x0003 rows: repeated ProductRow, count PAGE_ROWS_MAX;
    }
}

message! {
    /// A product of a catalogue.
    ProductRow {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The vendor's name.
        0x0002 vendor_name: required String, max NAME_LEN_MAX;
        /// The product's id.
        0x0003 product: required String, max ID_LEN_MAX;
        /// The product's name.
        0x0004 product_name: required String, max NAME_LEN_MAX;
        /// Days without renewal after which a seat is free; 0 = never.
        0x0005 idle_days: required u16;
        /// Whether its seats never come back.
        0x0006 single_use: required bool;
        /// Its seats; no license where it was never bought.
        0x0007 counts: required Counts;
        /// Its components.
        0x0008 components: repeated ComponentRow, count COMPONENTS_MAX;
        /// Its units for deployments.
        0x0009 units: required Counts;
        /// Days that a strict component may run without a server (rule O3).
        0x000a offline_days: required u16;
        /// The licenses that it is sold by (rule X5).
        0x000b offers: required Offers;
        /// What becomes of a checkout that shows a conflict (rule I7).
        0x000c on_conflict: required OnConflict;
        /// Another product that the machine must hold a seat of (rule S15).
        0x000d required: optional String, max ID_LEN_MAX;
    }
}

message! {
    /// A component of a product.
    ComponentRow {
        /// The component's id.
        0x0001 component: required String, max ID_LEN_MAX;
        /// Whether it takes and renews a seat.
        0x0002 counted: required bool;
        /// Whether it runs when no server answers.
        0x0003 lenient: required bool;
        /// Whether it runs from boot media.
        0x0004 ephemeral: required bool;
    }
}

message! {
    /// `ADMIN_LIST`: a page of the identities with a role, in the order of their fingerprints.
    AdminList {
        /// Start behind this identity.
        0x0001 after: optional [u8; 32];
        /// Rows at most.
        0x0002 limit: optional u16;
    }
}

message! {
    /// The reply to `ADMIN_LIST`.
    AdminListOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more rows follow.
        0x0002 more: required bool;
        /// The rows.
        0x0003 rows: repeated AdminRow, count PAGE_ROWS_MAX;
    }
}

message! {
    /// An identity with a role.
    AdminRow {
        /// The identity.
        0x0001 fingerprint: required [u8; 32];
        /// What it may do.
        0x0002 role: required Role;
        /// Whose it is, for people.
        0x0003 label: required String, max LABEL_LEN_MAX;
        /// When it was added, in seconds since 1970-01-01 00:00 UTC.
        0x0004 added_at: required u64;
    }
}
