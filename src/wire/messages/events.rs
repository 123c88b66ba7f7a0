//! The event log: a page of it, and whether its chain holds.

use std::net::IpAddr;

use crate::wire::codes::{ConflictKind, EndCause, EventKind, LicenseStatus, Role};
use crate::wire::limits::{
    EVENT_KINDS_MAX, FAULT_LEN_MAX, FILE_LEN_MAX, GAPS_MAX, HOST_NAME_LEN_MAX, ID_LEN_MAX, PAGE_ROWS_MAX,
    REASON_LEN_MAX, SEGMENT_ROWS_MAX, SERIAL_LEN,
};
use crate::wire::status::Status;

message! {
    /// EVENTS: a page of the event log, of the events for which all of it holds.
    Events {
        /// From this moment on, in seconds since 1970-01-01 00:00 UTC.
        0x0001 since: optional u64;
        /// Before this moment.
        0x0002 until: optional u64;
        /// About this machine.
        0x0003 mac: optional [u8; 6];
        /// About this product.
        0x0004 product: optional String, max ID_LEN_MAX;
        /// Of one of these kinds; of any if there are none.
        0x0005 kinds: repeated EventKind, count EVENT_KINDS_MAX;
        /// Caused by this identity.
        0x0006 identity: optional [u8; 32];
        /// Caused by the server itself; not together with `identity`.
        0x0007 by_server: optional bool;
        /// Whether the newest come first; the oldest if absent.
        0x0008 newest_first: optional bool;
        /// Go on behind this place, as the last answer named it; from the beginning if absent.
        0x0009 after: optional EventPlace;
        /// Rows at most; 256 if absent.
        0x000a limit: optional u16;
    }
}

message! {
    /// A place in the event log.
    EventPlace {
        /// The round with which the event became durable; 2^64-1 of refusals that are still counted.
        0x0001 round: required u64;
        /// Which of its events, counted from 0.
        0x0002 index: required u32;
    }
}

message! {
    /// The reply to EVENTS.
    EventsOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The last round that was durable.
        0x0002 through: required u64;
        /// Whether there may be more: ask again behind `next`. A page may have no rows and yet have more behind it.
        0x0003 more: required bool;
        /// Everything up to here was looked at.
        0x0004 next: required EventPlace;
        /// The events, in the order that was asked for.
        0x0005 rows: repeated EventRow, count PAGE_ROWS_MAX;
        /// What could not be read on the way.
        0x0006 gaps: repeated Gap, count GAPS_MAX;
    }
}

message! {
    /// Something that happened. Which fields it has goes by its kind.
    EventRow {
        /// Where it stands.
        0x0001 place: required EventPlace;
        /// When, in seconds since 1970-01-01 00:00 UTC; of refusals that of the last one.
        0x0002 at: required u64;
        /// What.
        0x0003 kind: required EventKind;
        /// Who caused it; absent where the server itself did.
        0x0004 identity: optional [u8; 32];
        /// From where.
        0x0005 address: optional IpAddr;
        /// The vendor.
        0x0006 vendor: optional [u8; 16];
        /// The product.
        0x0007 product: optional String, max ID_LEN_MAX;
        /// The machine.
        0x0008 mac: optional [u8; 6];
        /// What the machine calls itself; of refusals.
        0x0009 host_name: optional String, max HOST_NAME_LEN_MAX;
        /// The component.
        0x000a component: optional String, max ID_LEN_MAX;
        /// The license.
        0x000b serial: optional String, max SERIAL_LEN;
        /// The license before, of a seat that moved.
        0x000c serial_before: optional String, max SERIAL_LEN;
        /// The identity that it is about.
        0x000d subject: optional [u8; 32];
        /// The identity before.
        0x000e subject_before: optional [u8; 32];
        /// The role that was given.
        0x000f role: optional Role;
        /// An administrator's reason.
        0x0010 reason: optional String, max REASON_LEN_MAX;
        /// Why a seat ended.
        0x0011 cause: optional EndCause;
        /// How a copied machine showed itself.
        0x0012 conflict: optional ConflictKind;
        /// What a vendor's list says of a license; absent where it is good again.
        0x0013 listed: optional LicenseStatus;
        /// Why requests were refused.
        0x0014 status: optional Status;
        /// How many: seats of a license, units and held seats of a reservation, seats that ended with a license, identities
        /// that a token enrols or that are enrolled no more, requests that were refused, keys of the configuration that
        /// were taken over.
        0x0015 count: optional u32;
        /// Whether the machine held a seat before; of an engaged seat.
        0x0016 again: optional bool;
        /// Whether the reservation's time was over.
        0x0017 lapsed: optional bool;
        /// Whether the seat's unit stays spent.
        0x0018 spent: optional bool;
        /// The reservation.
        0x0019 reservation: optional [u8; 16];
        /// The token, by its short name.
        0x001a token: optional [u8; 8];
        /// The server's name for itself.
        0x001b server: optional [u8; 16];
        /// The number of a catalogue or blacklist; the epoch of a server that was restored; the last round in a backup.
        0x001c version: optional u64;
        /// The first refusal; when a jump began; the time before it was set; when the backup was made.
        0x001d from: optional u64;
        /// Until when a token enrols; the time that was set.
        0x001e to: optional u64;
        /// How far the clock jumped, in seconds.
        0x001f jump_secs: optional u64;
        /// With so many seats more each of the requests would have been granted; of reservations that found too few.
        0x0020 lacked: optional u32;
    }
}

message! {
    /// A part of the event log that cannot be read.
    Gap {
        /// The file, from the data directory.
        0x0001 file: required String, max FILE_LEN_MAX;
        /// At which byte of the segment.
        0x0002 byte: required u64;
        /// What does not hold.
        0x0003 what: required String, max FAULT_LEN_MAX;
        /// The last round before it that could be read; 0 where that is not known.
        0x0004 after: required u64;
    }
}

message! {
    /// `EVENTS_VERIFY`: check a portion of the event log's chain.
    EventsVerify {
        /// Go on behind the segment of this number; from the oldest if absent.
        0x0001 after: optional u64;
        /// Whether only the last segment that holds a round is wanted.
        0x0002 newest_only: optional bool;
        /// A round whose hash is wanted.
        0x0003 round: optional u64;
    }
}

message! {
    /// The reply to `EVENTS_VERIFY`.
    EventsVerifyOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The last round that was durable.
        0x0002 through: required u64;
        /// Whether more follow: ask again behind the last row's number.
        0x0003 more: required bool;
        /// The segments, in the order of their numbers.
        0x0004 rows: repeated SegmentRow, count SEGMENT_ROWS_MAX;
    }
}

message! {
    /// What a segment of the event log holds.
    SegmentRow {
        /// Its number.
        0x0001 number: required u64;
        /// Its file, from the data directory.
        0x0002 file: required String, max FILE_LEN_MAX;
        /// From where to where its chain goes; absent where it holds no round.
        0x0003 span: optional Span;
        /// Rounds that hold.
        0x0004 rounds: required u64;
        /// Events in them.
        0x0005 events: required u64;
        /// The hash of the round that was asked for, where it is here and holds.
        0x0006 hash_of_round: optional [u8; 32];
        /// What is damaged.
        0x0007 gaps: repeated Gap, count GAPS_MAX;
        /// When that round was decided, in seconds since 1970-01-01 00:00 UTC.
        0x0008 time_of_round: optional u64;
    }
}

message! {
    /// From where to where a chain of rounds goes.
    Span {
        /// The first round.
        0x0001 first: required u64;
        /// The hash of the round before it.
        0x0002 before: required [u8; 32];
        /// When the first round was decided, in seconds since 1970-01-01 00:00 UTC.
        0x0003 first_at: required u64;
        /// The last round.
        0x0004 last: required u64;
        /// Its hash.
        0x0005 hash: required [u8; 32];
        /// When it was decided.
        0x0006 last_at: required u64;
    }
}
