//! The beginning of every connection, and its end.

use bytes::Bytes;

use crate::wire::Role;
use crate::wire::limits::{
    CONTACT_LEN_MAX, NAME_LEN_MAX, REFUSAL_TEXT_LEN_MAX, SPKI_LEN_MAX, SUCCESSION_SIGNATURE_LEN_MAX, SUCCESSIONS_MAX,
};
use crate::wire::limits::{ID_LEN_MAX, SERIAL_LEN};

use super::seat::Former;

message! {
    /// HELLO: which versions the client speaks.
    Hello {
        /// The oldest protocol version that the client speaks.
        0x0001 version_min: required u16;
        /// The newest one.
        0x0002 version_max: required u16;
        /// The client's program and its version, for the server's log.
        0x0003 client: required String, max NAME_LEN_MAX;
        /// Requests that the client means to have in flight, at most.
        0x0004 in_flight_max: required u16;
    }
}

message! {
    /// The reply to HELLO.
    HelloOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The version spoken from here on: the newest that both sides speak.
        0x0002 version: required u16;
        /// The server's name for itself.
        0x0003 server: required [u8; 16];
        /// Its name for people.
        0x0004 name: required String, max NAME_LEN_MAX;
        /// The version of its program.
        0x0005 server_version: required String, max NAME_LEN_MAX;
        /// Raised by a restore from backup; who has seen a higher one refuses this server.
        0x0006 epoch: required u32;
        /// The longest body of a frame, in bytes.
        0x0007 body_len_max: required u32;
        /// Requests in flight, at most.
        0x0008 in_flight_max: required u16;
        /// How long the connection may say nothing, in milliseconds.
        0x0009 silence_ms: required u32;
        /// The role of the client's identity.
        0x000a role: required Role;
        /// The server's identities before this one said which one takes their place; the newest first.
        0x000b succession: repeated Succession, count SUCCESSIONS_MAX;
        /// The Ed25519 public key that signs leases.
        0x000c lease_key: optional [u8; 32];
    }
}

message! {
    /// An identity names its successor.
    Succession {
        /// The DER `SubjectPublicKeyInfo` of the identity before.
        0x0001 old_spki: required Bytes, max SPKI_LEN_MAX;
        /// Its ECDSA P-256 SHA-256 signature, in DER, over `seatkeeper/1 succession`, a zero byte and the DER
        /// `SubjectPublicKeyInfo` of the identity that followed: in the first statement that of the certificate of this
        /// session, in each other one `old_spki` of the statement before.
        0x0002 signature: required Bytes, max SUCCESSION_SIGNATURE_LEN_MAX;
    }
}

message! {
    /// The body of every reply whose status is not OK, and of a parting.
    Refusal {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: optional u64;
        /// The cause and the remedy, for people; to be shown as it is.
        0x0002 text: required String, max REFUSAL_TEXT_LEN_MAX;
        /// Seats in use.
        0x0003 used: optional u64;
        /// Seats in all.
        0x0004 total: optional u64;
        /// No seat comes free for want of renewal before this moment; in seconds since 1970-01-01 00:00 UTC.
        0x0005 earliest_renew_by: optional u64;
        /// The seat that the machine held before.
        0x0006 former: optional Former;
        /// After how many seconds to ask again.
        0x0007 retry_secs: optional u32;
        /// From when on it would be granted, in seconds since 1970-01-01 00:00 UTC.
        0x0008 until: optional u64;
        /// The product that it is about.
        0x0009 product: optional String, max ID_LEN_MAX;
        /// The component that it is about.
        0x000a component: optional String, max ID_LEN_MAX;
        /// The machine that it is about.
        0x000b mac: optional [u8; 6];
        /// The license that it is about.
        0x000c serial: optional String, max SERIAL_LEN;
        /// The number of the catalogue or blacklist that is here already.
        0x000d catalogue_version: optional u64;
        /// The oldest protocol version that the server speaks.
        0x000e version_min: optional u16;
        /// The newest protocol version that the server speaks.
        0x000f version_max: optional u16;
        /// The product that the machine needs a seat of first (rule S15).
        0x0010 required_product: optional String, max ID_LEN_MAX;
        /// Whom to contact, where the vendor has taken a license back (rule C3).
        0x0011 contact: optional String, max CONTACT_LEN_MAX;
    }
}
