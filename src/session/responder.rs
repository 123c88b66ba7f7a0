//! Answers questions of discovery: a datagram in, an offer or the reason for none out.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::limiter::{Limiter, OfferLimits};
use crate::codec::DecodeError;
use crate::domain::ids::{Fingerprint, ProductId, ProductKey, ServerId, VendorId};
use crate::domain::time::{Monotonic, Timestamp};
use crate::wire::discovery::{Offer, Question, Wanted};
use crate::wire::limits::{OFFER_DELAY_MS_MAX, VERSION_MAX, VERSION_MIN};

/// What a server tells of itself in offers; a snapshot that is replaced when something of it changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// The server's name for itself.
    pub server: ServerId,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Its name for people, at most 64 bytes.
    pub name: String,
    /// The version of its program, at most 64 bytes.
    pub server_version: String,
    /// Its TCP port.
    pub port: u16,
    /// Raised by a restore from backup.
    pub epoch: u32,
    /// The configured priority; the lowest number is preferred.
    pub priority: u16,
    /// The products that it has a license for.
    pub products: BTreeSet<ProductKey>,
}

/// To what kind of address a question was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Addressed {
    /// To this server alone: it answers at once.
    Direct,
    /// To a broadcast or multicast address: others answer too, so each waits a random time.
    Group,
}

/// What to do with a datagram.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Nothing, for this reason.
    Ignore(Reason),
    /// Send the offer back to where the question came from.
    Respond {
        /// The offer's bytes.
        offer: Bytes,
        /// After so many milliseconds, at most [`OFFER_DELAY_MS_MAX`].
        delay_ms: u32,
    },
}

/// Why a datagram gets no offer; for counting.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// Its source is no address that an offer could be sent to.
    BadSource,
    /// It is not a question of version 1.
    Malformed,
    /// Its source, or all together, asked too often.
    RateLimited,
    /// The facts do not fit an offer; the configuration ought to have been refused.
    Unanswerable,
}

/// Answers questions. Its memory is fixed.
#[derive(Debug)]
pub struct Responder {
    limiter: Limiter,
}

impl Responder {
    /// A responder; `secret` is 16 random bytes that keep outsiders from choosing a victim's limiter slot.
    #[must_use]
    pub fn new(secret: [u8; 16], at: Monotonic) -> Self {
        Self {
            limiter: Limiter::new(secret, at),
        }
    }

    /// Sends as many offers as these say from now on.
    pub const fn set_limits(&mut self, limits: OfferLimits) {
        self.limiter.set_limits(limits);
    }

    /// Its memory, in bytes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        size_of_val(self) - size_of_val(&self.limiter) + self.limiter.memory()
    }

    /// Decides about one datagram. `random` is any random number; the delay is made from it.
    pub fn handle(
        &mut self,
        datagram: &[u8],
        (peer, addressed): (SocketAddr, Addressed),
        facts: &Facts,
        (server_time, at): (Timestamp, Monotonic),
        random: u32,
    ) -> Action {
        if !can_be_answered(peer) {
            return Action::Ignore(Reason::BadSource);
        }
        let Ok(question) = Question::decode(datagram) else {
            return Action::Ignore(Reason::Malformed);
        };
        let Ok(holds) = question.wanted.as_ref().map(|wanted| holds(facts, wanted)).transpose() else {
            return Action::Ignore(Reason::Malformed);
        };
        if !self.limiter.admit(peer.ip(), at) {
            return Action::Ignore(Reason::RateLimited);
        }
        let Ok(offer) = offer(&question, holds, facts, server_time).encode() else {
            return Action::Ignore(Reason::Unanswerable);
        };
        let delay_ms = match addressed {
            Addressed::Direct => 0,
            Addressed::Group => random % (OFFER_DELAY_MS_MAX + 1),
        };
        Action::Respond {
            offer: offer.into(),
            delay_ms,
        }
    }
}

fn offer(question: &Question, holds: Option<bool>, facts: &Facts, server_time: Timestamp) -> Offer {
    Offer {
        nonce: question.nonce,
        server: facts.server.0,
        fingerprint: facts.fingerprint.0,
        port: facts.port,
        epoch: facts.epoch,
        priority: facts.priority,
        server_time: server_time.0,
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        holds,
        name: facts.name.clone(),
        server_version: facts.server_version.clone(),
    }
}

fn holds(facts: &Facts, wanted: &Wanted) -> Result<bool, DecodeError> {
    let product = ProductId::from_canonical(wanted.product.as_bytes()).map_err(|fault| DecodeError::Invalid {
        field: "Question.product",
        reason: fault.reason,
    })?;
    let vendor = VendorId(wanted.vendor);
    Ok(facts.products.contains(&ProductKey { vendor, product }))
}

/// Offers go to one machine's port: not to port 0, and never to a group, or one datagram would be answered by many.
fn can_be_answered(peer: SocketAddr) -> bool {
    let address = peer.ip().to_canonical();
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    peer.port() != 0 && !address.is_multicast() && !address.is_unspecified() && !broadcast
}
