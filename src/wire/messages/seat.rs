//! What agents ask: check out, renew, release, how many are available.

use bytes::Bytes;

use crate::wire::limits::{
    CATALOGUE_ENTRY_LEN_MAX, CERTIFICATE_LEN_MAX, HOST_NAME_LEN_MAX, ID_LEN_MAX, LEASE_LEN_MAX, OTHER_MACS_MAX,
    SERIAL_LEN,
};
use crate::wire::{ConflictKind, EndCause, Outcome, ReleaseOutcome};

message! {
    /// CHECKOUT and RENEW: one decision (rule S14).
    Checkout {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The component's id.
        0x0003 component: required String, max ID_LEN_MAX;
        /// The machine's MAC address.
        0x0004 mac: required [u8; 6];
        /// The number that the last answered checkout of this component returned; 0 where there was none (rule I7).
        0x0005 continuation: required u64;
        /// The machine's host name.
        0x0006 host_name: optional String, max HOST_NAME_LEN_MAX;
        /// The machine's other MAC addresses.
        0x0007 other_macs: repeated [u8; 6], count OTHER_MACS_MAX;
        /// The class of its operating system; not used yet (rule P5).
        0x0008 os_class: optional u16;
        /// Names the operating-system instance; not used yet (rule P5).
        0x0009 instance: optional [u8; 16];
        /// Its CPUs; not used yet (rule P5).
        0x000a cpus: optional u16;
        /// The agent's clock, in seconds since 1970-01-01 00:00 UTC; repeated in the lease and used for nothing else
        /// (rules O3, T3). Without it there is no lease.
        0x000b client_time: optional u64;
    }
}

message! {
    /// The reply to CHECKOUT and RENEW.
    CheckoutOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How it was decided.
        0x0002 outcome: required Outcome;
        /// The catalogue entry as the vendor signed it (rule O2).
        0x0003 catalogue_entry: required Bytes, max CATALOGUE_ENTRY_LEN_MAX;
        /// The license; absent where the component is not counted, like all that follows up to `certificate`.
        0x0004 serial: optional String, max SERIAL_LEN;
        /// When the seat was engaged, in seconds since 1970-01-01 00:00 UTC.
        0x0005 acquired_at: optional u64;
        /// From when on it is free unless renewed, in seconds likewise; absent where it never idles out.
        0x0006 renew_by: optional u64;
        /// The number to send with the next checkout; 0 for an ephemeral component.
        0x0007 continuation: optional u64;
        /// A conflict that stands on the component.
        0x0008 conflict: optional Conflict;
        /// The license's certificate (rule K9).
        0x0009 certificate: optional Bytes, max CERTIFICATE_LEN_MAX;
        /// The seat that the machine held before; there when it was engaged again.
        0x000a former: optional Former;
        /// The product's seats; there when the component is not counted (rule I3).
        0x000b counts: optional Counts;
        /// The signed lease (rule O3); there when a seat was granted, `client_time` was sent and the product may run
        /// without a server.
        0x000c lease: optional Bytes, max LEASE_LEN_MAX;
    }
}

message! {
    /// What a component may show itself when no server answers (rule O3); signed, see [`crate::session::lease`].
    Lease {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The component's id.
        0x0003 component: required String, max ID_LEN_MAX;
        /// The machine's MAC address.
        0x0004 mac: required [u8; 6];
        /// The identity of the component that asked.
        0x0005 identity: required [u8; 32];
        /// The server's name for itself.
        0x0006 server: required [u8; 16];
        /// Days that it lasts, from `client_time` on; 60 at most.
        0x0007 days: required u8;
        /// The agent's clock as the checkout told it, in seconds since 1970-01-01 00:00 UTC.
        0x0008 client_time: required u64;
        /// The server's calendar, in seconds likewise; `client_time` of a lease that counts is at most a day later.
        0x0009 server_time: required u64;
    }
}

message! {
    /// A conflict on a component (rule I7).
    Conflict {
        /// How the copy showed itself last.
        0x0001 kind: required ConflictKind;
        /// When it was first seen, in seconds since 1970-01-01 00:00 UTC.
        0x0002 since: required u64;
        /// When it was last seen, in seconds likewise.
        0x0003 last_seen: required u64;
        /// How often it was seen.
        0x0004 count: required u32;
    }
}

message! {
    /// A seat that ended (rule S7).
    Former {
        /// When it ended, in seconds since 1970-01-01 00:00 UTC.
        0x0001 ended_at: required u64;
        /// Why.
        0x0002 cause: required EndCause;
    }
}

message! {
    /// A product's seats over all its licenses (rule S2).
    Counts {
        /// Licenses that were imported for it.
        0x0001 licenses: required u32;
        /// Seats in all.
        0x0002 total: required u64;
        /// Seats, spent and reserved units.
        0x0003 used: required u64;
        /// `total - used`.
        0x0004 free: required u64;
        /// Free on licenses that serve.
        0x0005 available: required u64;
    }
}

message! {
    /// RELEASE: a component lets go of its machine's seat (rule S8).
    Release {
        /// The vendor's id.
        0x0001 vendor: required [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The component's id.
        0x0003 component: required String, max ID_LEN_MAX;
        /// The machine's MAC address.
        0x0004 mac: required [u8; 6];
    }
}

message! {
    /// The reply to RELEASE and `SEAT_END`.
    ReleaseOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// What it did.
        0x0002 outcome: required ReleaseOutcome;
        /// Counted components that still hold the seat.
        0x0003 components_left: required u32;
    }
}

message! {
    /// AVAILABILITY: how many seats of a product are available; engages none (rule S10).
    Availability {
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0001 vendor: optional [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
    }
}

message! {
    /// The reply to AVAILABILITY.
    AvailabilityOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The product's seats: its machine licenses.
        0x0002 counts: required Counts;
        /// The product's units for deployments: its deployment licenses.
        0x0003 units: required Counts;
    }
}
