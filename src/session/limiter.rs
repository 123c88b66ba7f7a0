//! How many offers a source gets: token buckets in a table of fixed size, so that forged addresses cost no memory.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::domain::time::Monotonic;
use crate::wire::limits::{LIMITER_SLOTS, OFFERS_PER_SEC, OFFERS_PER_SOURCE_PER_SEC};

/// How many offers a server sends; a site with another shape sets them in its configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OfferLimits {
    /// In a second, in all.
    pub per_sec: u32,
    /// In a second over time to one source (/24 or /64), which gets twice as many at once after a pause.
    pub per_source_per_sec: u32,
}

impl Default for OfferLimits {
    fn default() -> Self {
        Self {
            per_sec: OFFERS_PER_SEC,
            per_source_per_sec: OFFERS_PER_SOURCE_PER_SEC,
        }
    }
}

impl OfferLimits {
    const fn burst_of_source(self) -> u32 {
        self.per_source_per_sec.saturating_mul(2)
    }
}

/// A bucket of tokens, in thousandths.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens_milli: u64,
    filled_at: Monotonic,
}

impl Bucket {
    const fn full(burst: u32, at: Monotonic) -> Self {
        Self {
            tokens_milli: burst as u64 * 1_000,
            filled_at: at,
        }
    }

    /// Takes one token, if there is one.
    fn take(&mut self, per_sec: u32, burst: u32, at: Monotonic) -> bool {
        // So many tokens a second are as many thousandths a millisecond.
        let gained = at.millis_since(self.filled_at).saturating_mul(u64::from(per_sec));
        self.tokens_milli = self.tokens_milli.saturating_add(gained).min(u64::from(burst) * 1_000);
        self.filled_at = self.filled_at.max(at);
        match self.tokens_milli.checked_sub(1_000) {
            Some(left) => {
                self.tokens_milli = left;
                true
            }
            None => false,
        }
    }
}

/// Bounds offers per source (/24 or /64) and in all. Sources that share a slot share its tokens.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Chooses the slots, so that nobody outside can choose a victim's.
    secret: [u8; 16],
    /// A fixed number of them: there is no way for it to grow.
    slots: Box<[Bucket]>,
    total: Bucket,
    limits: OfferLimits,
}

impl Limiter {
    pub(super) fn new(secret: [u8; 16], at: Monotonic) -> Self {
        let limits = OfferLimits::default();
        Self {
            secret,
            slots: vec![Bucket::full(limits.burst_of_source(), at); LIMITER_SLOTS].into(),
            total: Bucket::full(limits.per_sec, at),
            limits,
        }
    }

    /// Goes by other limits from now on. Buckets that are fuller than they may be are emptied as they are next asked;
    /// those that may hold more fill up to that.
    pub(super) const fn set_limits(&mut self, limits: OfferLimits) {
        self.limits = limits;
    }

    /// Its memory, in bytes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        size_of_val(self) + size_of_val(&*self.slots)
    }

    /// Whether `source` gets an offer now.
    pub(super) fn admit(&mut self, source: IpAddr, at: Monotonic) -> bool {
        let slot = self.slot_of(source);
        let OfferLimits {
            per_sec,
            per_source_per_sec,
        } = self.limits;
        let burst = self.limits.burst_of_source();
        let admitted = self
            .slots
            .get_mut(slot)
            .is_some_and(|bucket| bucket.take(per_source_per_sec, burst, at));
        admitted && self.total.take(per_sec, per_sec, at)
    }

    fn slot_of(&self, source: IpAddr) -> usize {
        let digest = Sha256::new_with_prefix(self.secret);
        let digest = match source.to_canonical() {
            IpAddr::V4(address) => digest.chain_update((u32::from(address) >> 8).to_be_bytes()),
            IpAddr::V6(address) => digest.chain_update((u128::from(address) >> 64).to_be_bytes()),
        };
        let [high, low, ..]: [u8; 32] = digest.finalize().into();
        usize::from(u16::from_be_bytes([high, low])) % LIMITER_SLOTS
    }
}
