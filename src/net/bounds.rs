//! What a connection may cost, so that what all of them hold has a bound that can be told beforehand: [`memory_max`].

use super::limits::ConnectionLimits;
use crate::wire::limits::{BODY_LEN_MAX, HANDSHAKE_LEN_MAX, HEADER_LEN, UNANSWERED_LEN_MAX};

/// What is read from a peer at once, in bytes. Requests of agents are much shorter.
pub(super) const READ_LEN: usize = 4_096;

/// What the system may buffer of a connection in each direction, in bytes: much for a local network, and little for a
/// peer that does not read or never stops writing. Linux takes twice as much for its own bookkeeping.
pub(super) const SOCKET_LEN: usize = 65_536;

/// What TLS may keep of answers that the peer does not read, in bytes.
pub(super) const TLS_SEND_LEN: usize = 16_384;

/// Bytes that a peer may send without anything to read in them, once the handshake is complete: more than the longest
/// record of TLS. A message of TLS itself could be longer, and would be waited for.
pub(super) const FRUITLESS_LEN_MAX: usize = 24 * 1_024;

const _: () = assert!(
    16_384 + 256 + 5 + READ_LEN <= FRUITLESS_LEN_MAX,
    "a whole record must fit"
);

/// What TLS keeps of what came from a peer, in bytes: records that are not whole, and what was in the last one.
const TLS_RECEIVE_LEN: usize = FRUITLESS_LEN_MAX + READ_LEN + 16_384;

/// What a connection may hold of requests and answers under way without being counted, in bytes.
pub const FREE_LEN: usize = 8_192;

/// The automata of the connection and of TLS with the keys, and the task that runs them, in bytes.
const STATE_LEN: usize = 16_384;

/// What a connection takes at most in the server's memory, in bytes, besides what is counted against
/// [`ConnectionLimits::held_len`].
pub const CONNECTION_LEN_MAX: usize = 112 * 1_024;

const _: () = assert!(
    READ_LEN + TLS_SEND_LEN + TLS_RECEIVE_LEN + FREE_LEN + STATE_LEN + HANDSHAKE_LEN_MAX <= CONNECTION_LEN_MAX,
    "a connection must not take more than it is said to"
);

/// What a connection holds at most that is counted, in bytes: what is unanswered, and a frame with what came behind it,
/// whose buffer has room for twice as much.
const COUNTED_LEN_MAX: usize =
    UNANSWERED_LEN_MAX + 2 * (HEADER_LEN + BODY_LEN_MAX + READ_LEN) + HEADER_LEN + BODY_LEN_MAX;

/// The least that connections must be allowed to hold together, in bytes: else one that does nothing wrong would go.
pub const HELD_LEN_MIN: usize = 16 << 20;

const _: () = assert!(
    16 * COUNTED_LEN_MAX <= HELD_LEN_MIN,
    "several administrators at work must find room"
);

/// What the connections of a server hold at most in its memory together, in bytes, by what each is counted with: buffers,
/// automata, and the bytes of requests and answers as they are on the wire.
///
/// The process takes more: what is made of requests and answers while they are decided is a few times as long as they are,
/// certificates and signatures are checked in memory of their own, and the allocator keeps some of what it is given back.
/// Tests measure that whole server under attack.
#[must_use]
pub const fn memory_max(limits: &ConnectionLimits) -> usize {
    limits
        .total
        .saturating_mul(CONNECTION_LEN_MAX)
        .saturating_add(limits.held_len)
}
