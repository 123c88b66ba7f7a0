//! Every bound of the protocol, with its unit. Configuration may tighten what a site sees; nothing may exceed these.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The oldest protocol version spoken here.
pub const VERSION_MIN: u16 = 1;

/// The newest protocol version spoken here.
pub const VERSION_MAX: u16 = 1;

/// The name that both sides offer in the TLS handshake (ALPN).
pub const ALPN: &[u8] = b"seatkeeper/1";

/// The port of a server, TCP and UDP alike, unless a site changes it.
pub const PORT: u16 = 17_328;

/// The multicast group of questions over IPv4.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 73, 28);

/// The multicast group of questions over IPv6, link-local scope.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0, 0x5ea7);

/// Bytes of a frame's header.
pub const HEADER_LEN: usize = 12;

/// The longest body of a frame, in bytes.
pub const BODY_LEN_MAX: usize = 65_536;

/// Requests on one connection that are not answered yet, at most.
pub const IN_FLIGHT_MAX: usize = 64;

/// Rows of one page of a listing, at most; a page ends earlier where its body would not fit a frame.
pub const PAGE_ROWS_MAX: usize = 256;

/// Kinds of events that one EVENTS may name, at most.
pub const EVENT_KINDS_MAX: usize = 64;

/// Parts of the event log that cannot be read and are told of one page or segment, at most.
pub const GAPS_MAX: usize = 16;

/// Segments of the event log in one answer, at most.
pub const SEGMENT_ROWS_MAX: usize = 8;

/// The longest name of a file of the event log, in bytes.
pub const FILE_LEN_MAX: usize = 64;

/// The longest text of what does not hold of the event log, in bytes.
pub const FAULT_LEN_MAX: usize = 256;

/// The longest product or component id, in bytes.
pub const ID_LEN_MAX: usize = 24;

/// The length of a serial, in bytes.
pub const SERIAL_LEN: usize = 16;

/// The longest name of a server, vendor, product or program, or version text, in bytes.
pub const NAME_LEN_MAX: usize = 64;

/// The longest label of an identity with a role, in bytes.
pub const LABEL_LEN_MAX: usize = 64;

/// The longest host name, in bytes.
pub const HOST_NAME_LEN_MAX: usize = 253;

/// Other MAC addresses of a machine, at most.
pub const OTHER_MACS_MAX: usize = 16;

/// Components of one product, at most.
pub const COMPONENTS_MAX: usize = 64;

/// Machines of one reservation, and licenses that it holds seats of, at most.
pub const RESERVED_MAX: usize = 1_024;

/// Effects of a catalogue that are told, at most.
pub const EFFECTS_MAX: usize = 512;

/// The longest text of how something is before or after a catalogue, in bytes.
pub const EFFECT_TEXT_LEN_MAX: usize = 64;

/// The longest signed list of serials that do not serve, in bytes.
pub const BLACKLIST_LEN_MAX: usize = 49_152;

/// The longest text that says whom to contact, in bytes.
pub const CONTACT_LEN_MAX: usize = 128;

/// The longest reason that an administrator gives, in bytes.
pub const REASON_LEN_MAX: usize = 256;

/// The longest text of a refusal, in bytes.
pub const REFUSAL_TEXT_LEN_MAX: usize = 512;

/// Ends of licenses that STATUS tells, at most.
pub const ENDING_ROWS_MAX: usize = 8;

/// Products with little left that STATUS tells, at most.
pub const SCARCE_ROWS_MAX: usize = 16;

/// Warnings of STATUS, at most.
pub const WARNINGS_MAX: usize = 64;

/// The longest path of a configuration file that is told, in bytes.
pub const PATH_LEN_MAX: usize = 1_024;

/// Keys of the configuration that are told, at most.
pub const CONFIG_ROWS_MAX: usize = 64;

/// The longest name of a key of the configuration, in bytes.
pub const CONFIG_KEY_LEN_MAX: usize = 64;

/// The longest value of a key of the configuration that is told, in bytes.
pub const CONFIG_VALUE_LEN_MAX: usize = 256;

/// Lines that are told of what is wrong with a configuration, at most.
pub const CONFIG_LINES_MAX: usize = 32;

/// The longest of those lines, in bytes.
pub const CONFIG_LINE_LEN_MAX: usize = 1_024;

/// Steps of an explanation, at most.
pub const EXPLAIN_STEPS_MAX: usize = 64;

/// The longest name of a rule, in bytes.
pub const RULE_LEN_MAX: usize = 8;

/// The longest license key, in bytes of its text.
pub const KEY_LEN_MAX: usize = 1_024;

/// License keys in one IMPORT, at most. So many of the longest keys fit one frame.
pub const KEYS_MAX: usize = 60;

/// The longest certificate of a license, in bytes.
pub const CERTIFICATE_LEN_MAX: usize = 1_024;

/// The longest signed lease, in bytes.
pub const LEASE_LEN_MAX: usize = 512;

/// Days that a lease lasts, at most.
pub const LEASE_DAYS_MAX: u8 = 60;

/// The longest signed catalogue entry of one product, in bytes.
pub const CATALOGUE_ENTRY_LEN_MAX: usize = 8_192;

/// The longest signed catalogue, in bytes.
pub const CATALOGUE_LEN_MAX: usize = 49_152;

/// Vendors in the answer to STATUS, at most; further ones are left out.
pub const VENDOR_ROWS_MAX: usize = 128;

/// Statements of succession in the answer to HELLO, at most: an agent that slept over so many rotations still follows.
pub const SUCCESSIONS_MAX: usize = 8;

/// The longest DER `SubjectPublicKeyInfo` of a succession, in bytes.
pub const SPKI_LEN_MAX: usize = 256;

/// The longest DER ECDSA signature of a succession, in bytes.
pub const SUCCESSION_SIGNATURE_LEN_MAX: usize = 128;

/// The TLS handshake, and HELLO after it, each come within this many milliseconds, unless a site changes it.
pub const HELLO_MS: u64 = 5_000;

/// Bytes that a client may send until its TLS handshake is complete: many times those of two small certificates.
pub const HANDSHAKE_LEN_MAX: usize = 16_384;

/// The longest body of HELLO, in bytes: whoever has not said who it is gets no more room.
pub const HELLO_LEN_MAX: usize = 4_096;

/// A frame whose first byte came is whole within this many milliseconds, as long as the server reads, unless a site
/// changes it.
pub const FRAME_MS: u64 = 5_000;

/// What the answer to a request that any agent may ask is taken to weigh, in bytes, until it is given. A grant with a long
/// catalogue entry is longer.
pub const SHORT_ANSWER_LEN: usize = 2_048;

/// What a connection's unanswered requests may weigh together with their answers, in bytes; then no more is read.
pub const UNANSWERED_LEN_MAX: usize = 327_680;

const _: () = assert!(
    HEADER_LEN + BODY_LEN_MAX + BODY_LEN_MAX <= UNANSWERED_LEN_MAX,
    "the longest request with the longest answer must find room"
);

/// An agent's connection may say nothing for this many milliseconds.
pub const SILENCE_AGENT_MS: u64 = 30_000;

/// A deployer's, viewer's or administrator's connection may say nothing for this many milliseconds.
pub const SILENCE_ADMINISTRATOR_MS: u64 = 600_000;

/// A server that stops answers what it accepted within this many milliseconds.
pub const STOP_MS: u64 = 10_000;

/// After BUSY, ask again after this many seconds.
pub const BUSY_RETRY_SECS: u32 = 2;

/// The length of a question, in bytes; other lengths are ignored.
pub const QUESTION_LEN: usize = 512;

/// The longest offer, in bytes: never longer than the question, so that a server amplifies nothing.
pub const OFFER_LEN_MAX: usize = 226;

const _: () = assert!(
    OFFER_LEN_MAX <= QUESTION_LEN,
    "an offer must not be longer than the question"
);

/// When questions are sent, in milliseconds after the first.
pub const QUESTION_TIMES_MS: [u64; 4] = [0, 250, 750, 1_500];

/// A search ends after this many milliseconds.
pub const DISCOVERY_MS: u64 = 3_000;

/// An unpinned search ends this many milliseconds after the first usable offer.
pub const DISCOVERY_SETTLE_MS: u64 = 300;

/// Servers whose offers a search keeps, at most.
pub const SERVERS_MAX: usize = 64;

/// Offers of one server that a search keeps, at most: one for each of its addresses, or for each path to it.
pub const OFFERS_PER_SERVER_MAX: usize = 16;

/// An offer to a broadcast or multicast question is delayed by a random time up to this many milliseconds.
pub const OFFER_DELAY_MS_MAX: u32 = 100;

/// Offers that a server sends in one second, at most, unless a site changes it.
pub const OFFERS_PER_SEC: u32 = 2_000;

/// Offers that one source (/24 or /64) gets in one second over time, at most, unless a site changes it; twice as many at
/// once after a pause.
pub const OFFERS_PER_SOURCE_PER_SEC: u32 = 200;

/// Slots of the limiter: its memory, whatever addresses are forged.
pub const LIMITER_SLOTS: usize = 4_096;
