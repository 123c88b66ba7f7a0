//! What deployers ask: set aside, commit, abort, and what is set aside (rules X1 to X5).

use crate::wire::limits::{ID_LEN_MAX, NAME_LEN_MAX, PAGE_ROWS_MAX, REFUSAL_TEXT_LEN_MAX, RESERVED_MAX, SERIAL_LEN};
use crate::wire::{Reserved, Settled, Status};

message! {
    /// RESERVE: set seats or units aside, for machines or for a number of them.
    Reserve {
        /// The reservation's name: 16 bytes made at random. The same one again reserves nothing more.
        0x0001 reservation: required [u8; 16];
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0002 vendor: optional [u8; 16];
        /// The product's id.
        0x0003 product: required String, max ID_LEN_MAX;
        /// For how many seconds, 1 to 2,592,000; 172,800 if absent.
        0x0004 secs: optional u32;
        /// The machines to be deployed; none where `count` is there.
        0x0005 macs: repeated [u8; 6], count RESERVED_MAX;
        /// Seats for machines that check out, 1 and more; absent where `macs` are there.
        0x0006 count: optional u32;
        /// Whether to use licenses of the usage alone that the product prefers (rule X5); not if absent.
        0x0007 preferred_only: optional bool;
    }
}

message! {
    /// The reply to RESERVE.
    ReserveOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// What is set aside.
        0x0002 reservation: required ReservationRow;
    }
}

message! {
    /// A reservation and what it still has.
    ReservationRow {
        /// Its name.
        0x0001 reservation: required [u8; 16];
        /// The vendor's id.
        0x0002 vendor: required [u8; 16];
        /// The product's id.
        0x0003 product: required String, max ID_LEN_MAX;
        /// The product's name; its id where no catalogue names it any more.
        0x0004 product_name: required String, max NAME_LEN_MAX;
        /// When it was made, in seconds since 1970-01-01 00:00 UTC.
        0x0005 reserved_at: required u64;
        /// From when on nothing of it is set aside any more, in seconds likewise.
        0x0006 lapses_at: required u64;
        /// Whose identity made it; absent where the server did.
        0x0007 by: optional [u8; 32];
        /// The machines that are neither committed nor aborted.
        0x0008 machines: repeated ReservedRow, count RESERVED_MAX;
        /// The seats that no machine has taken yet, by license.
        0x0009 held: repeated HeldRow, count RESERVED_MAX;
    }
}

message! {
    /// What is set aside for a machine.
    ReservedRow {
        /// The machine's MAC address.
        0x0001 mac: required [u8; 6];
        /// What.
        0x0002 reserved: required Reserved;
        /// The license of its unit or seat; absent where the seat has ended since.
        0x0003 serial: optional String, max SERIAL_LEN;
    }
}

message! {
    /// Seats of a license that are held.
    HeldRow {
        /// The license.
        0x0001 serial: required String, max SERIAL_LEN;
        /// How many.
        0x0002 count: required u32;
    }
}

message! {
    /// COMMIT: machines of a reservation were deployed. Harmless to repeat.
    Commit {
        /// The reservation's name.
        0x0001 reservation: required [u8; 16];
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0002 vendor: optional [u8; 16];
        /// The reservation's product: what is not set aside any more is decided anew.
        0x0003 product: required String, max ID_LEN_MAX;
        /// The machines; all that the reservation still has if there are none.
        0x0004 macs: repeated [u8; 6], count RESERVED_MAX;
        /// As in RESERVE, where a machine is decided anew.
        0x0005 preferred_only: optional bool;
    }
}

message! {
    /// ABORT: give back what a reservation has for machines, or all of it. Harmless to repeat.
    Abort {
        /// The reservation's name.
        0x0001 reservation: required [u8; 16];
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0002 vendor: optional [u8; 16];
        /// The reservation's product.
        0x0003 product: required String, max ID_LEN_MAX;
        /// The machines; all that the reservation still has if there are none.
        0x0004 macs: repeated [u8; 6], count RESERVED_MAX;
    }
}

message! {
    /// The reply to COMMIT and ABORT.
    SettleOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// What became of each machine, in the order of their MAC addresses.
        0x0002 rows: repeated SettledRow, count RESERVED_MAX;
        /// The cause and the remedy of the first machine that was refused, for people.
        0x0003 text: optional String, max REFUSAL_TEXT_LEN_MAX;
    }
}

message! {
    /// What became of a machine of a reservation.
    SettledRow {
        /// The machine's MAC address.
        0x0001 mac: required [u8; 6];
        /// What.
        0x0002 outcome: required Settled;
        /// The license of the unit or seat that it is about.
        0x0003 serial: optional String, max SERIAL_LEN;
        /// Why it was refused; there when it was.
        0x0004 status: optional Status;
    }
}

message! {
    /// RESERVATIONS: a page of the reservations, in the order of their names.
    Reservations {
        /// Start behind this one.
        0x0001 after: optional [u8; 16];
        /// Rows at most.
        0x0002 limit: optional u16;
    }
}

message! {
    /// The reply to RESERVATIONS.
    ReservationsOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more rows follow.
        0x0002 more: required bool;
        /// The rows.
        0x0003 rows: repeated ReservationRow, count PAGE_ROWS_MAX;
    }
}
