//! What a component may do without a server for as long as its last lease lasts (rule O3). What a customer can do against
//! it all the same is told in `proto-spec/protocol.md`, section 9.1.

use crate::client::state::{Memory, Owner};
use crate::domain::ids::{Fingerprint, Mac, ServerId};
use crate::domain::time::Timestamp;
use crate::session::lease::verify;
use crate::wire::limits::LEASE_DAYS_MAX;
use crate::wire::messages::seat::Lease;

use super::{Agent, proof};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How far the clock may stand behind the newest time that was stored, so that a small correction stops nobody.
const BEHIND_MAX_SECS: u64 = HOUR;

/// How far the clock that a lease counts from may stand ahead of the server's.
const AHEAD_MAX_SECS: u64 = DAY;

/// What a component's lease says when no server answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Offline {
    /// There is none, the product allows none, or the component needs none.
    #[default]
    NoLease,
    /// Until when it lasts; it may be over.
    Leased(Term),
    /// The clock stands so many seconds behind the newest time that was stored: too far to count by.
    ClockBehind(u64),
    /// It counts for nothing here, for this reason.
    Unfit(String),
}

impl Offline {
    /// The term of a lease that is not over.
    #[must_use]
    pub const fn running(&self) -> Option<&Term> {
        match self {
            Self::Leased(term) if term.left_secs > 0 => Some(term),
            Self::Leased(_) | Self::ClockBehind(_) | Self::NoLease | Self::Unfit(_) => None,
        }
    }

    /// One sentence on a clock that was set back, with the remedy; nothing where it was not.
    #[must_use]
    pub fn clock_fault(&self) -> Option<String> {
        let (behind, counted) = match self {
            Self::ClockBehind(secs) => (span(*secs), ""),
            Self::Leased(term) if term.behind_secs > 0 => (
                format!("{} s", term.behind_secs),
                ", and the time without a server is counted by that one",
            ),
            Self::Leased(_) | Self::NoLease | Self::Unfit(_) => return None,
        };
        Some(format!(
            "this machine's clock stands {behind} behind the newest time that the agent has stored{counted}: set it \
             right, or reach the license server"
        ))
    }
}

/// A time for people: `6 d 3 h`, `3 h 20 min`, `5 min`. Rounded down, but never to nothing.
fn span(secs: u64) -> String {
    let (days, hours) = (secs / DAY, secs % DAY / HOUR);
    let minutes = secs % HOUR / MINUTE;
    match (days, hours) {
        (0, 0) => format!("{} min", minutes.max(u64::from(secs > 0))),
        (0, hours) => format!("{hours} h {minutes} min"),
        (days, hours) => format!("{days} d {hours} h"),
    }
}

/// How long a lease lasts, by this machine's clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Term {
    /// The days that it lasts in all.
    pub days: u8,
    /// The first moment at which the component may not run any more.
    pub until: Timestamp,
    /// Seconds until then; 0 when it is over.
    pub left_secs: u64,
    /// Seconds by which the machine's clock stands behind the newest time that was stored, which counts in its place;
    /// more than an hour only if the lease is over.
    pub behind_secs: u64,
}

impl Term {
    /// What is left for people: `6 d 3 h`, `3 h 20 min`, `5 min`. Rounded down, but never to nothing.
    #[must_use]
    pub fn left(&self) -> String {
        span(self.left_secs)
    }
}

/// For whom a lease must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub(super) owner: Owner,
    pub(super) mac: Mac,
    pub(super) identity: Fingerprint,
}

impl Holder {
    /// The lease, if this server signed it for this holder. The error is one sentence for people.
    pub(super) fn check(
        &self,
        signed: &[u8],
        key: Option<[u8; 32]>,
        server: Option<ServerId>,
    ) -> Result<Lease, String> {
        let key = key.ok_or("the license server has told no key for leases")?;
        let lease = verify(signed, &key).map_err(|error| format!("the lease counts for nothing: {error}"))?;
        let product = self.owner.product;
        let checks = [
            ("server", server.is_some_and(|server| server.0 == lease.server)),
            ("vendor", lease.vendor == product.vendor.0),
            ("product", lease.product == product.product.as_str()),
            ("component", lease.component == self.owner.component.as_str()),
            ("machine", lease.mac == self.mac.bytes()),
            ("identity", lease.identity == self.identity.0),
        ];
        match checks.iter().find(|(_, fits)| !fits) {
            None => Ok(lease),
            Some(("server", _)) => Err("the lease is of another license server".to_owned()),
            Some((what, _)) => Err(format!("the lease is for another {what}")),
        }
    }
}

impl Agent {
    /// What the component may do now without a server, if it is not lenient.
    pub(super) fn offline(&self, memory: &Memory, mac: Mac, identity: Fingerprint) -> Offline {
        let Some(kept) = &memory.lease else {
            return Offline::NoLease;
        };
        let entry = memory.signed_entry.as_ref();
        let allowed = entry.and_then(|entry| proof::offline_days_in(entry, self.owner, &self.key));
        // The vendor may have shortened the time since.
        let Some(allowed @ 1..) = allowed else {
            return Offline::NoLease;
        };
        let pin = memory.pin(kept.server);
        let holder = Holder {
            owner: self.owner,
            mac,
            identity,
        };
        let key = pin.and_then(|pin| pin.lease_key);
        match holder.check(&kept.signed, key, pin.and_then(|pin| pin.server)) {
            Ok(lease) => match ahead_fault(&lease) {
                None => stand(term(&lease, allowed, self.time(), memory.newest_time)),
                Some(told) => Offline::Unfit(told),
            },
            Err(told) => Offline::Unfit(told),
        }
    }
}

/// One sentence on a lease that counts from a time far beyond its server's: it would last until long after its days.
pub(super) fn ahead_fault(lease: &Lease) -> Option<String> {
    let ahead = lease.client_time.saturating_sub(lease.server_time);
    (ahead > AHEAD_MAX_SECS).then(|| {
        format!(
            "this machine's clock stood {} ahead of its license server's when the lease was granted",
            span(ahead)
        )
    })
}

/// What is over stays over by any clock. One that was set back far measures nothing: it may be set so again and again.
const fn stand(term: Term) -> Offline {
    if term.left_secs > 0 && term.behind_secs > BEHIND_MAX_SECS {
        Offline::ClockBehind(term.behind_secs)
    } else {
        Offline::Leased(term)
    }
}

fn term(lease: &Lease, allowed: u8, clock: Timestamp, newest: Timestamp) -> Term {
    let days = lease.days.min(allowed).min(LEASE_DAYS_MAX);
    // By a clock that is set back the time stands still; and no time from before the lease was granted can be true.
    let newest = newest.0.max(lease.client_time);
    let now = newest.max(clock.0);
    let until = lease.client_time.saturating_add(u64::from(days) * DAY);
    Term {
        days,
        until: Timestamp(until),
        left_secs: until.saturating_sub(now),
        behind_secs: newest.saturating_sub(clock.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves O3
    #[test]
    fn what_is_left_is_shown_in_the_units_that_matter() {
        let left = |left_secs| {
            let term = Term {
                days: 7,
                until: Timestamp(0),
                left_secs,
                behind_secs: 0,
            };
            term.left()
        };
        let cases = [
            (7 * DAY, "7 d 0 h"),
            (6 * DAY + 3 * HOUR + 3_599, "6 d 3 h"),
            (DAY - 1, "23 h 59 min"),
            (HOUR, "1 h 0 min"),
            (HOUR - 1, "59 min"),
            (1, "1 min"),
            (0, "0 min"),
        ];
        for (secs, text) in cases {
            assert_eq!(left(secs), text, "{secs}");
        }
    }

    // proves O3
    #[test]
    fn a_term_is_the_least_of_the_days_that_server_vendor_and_protocol_allow() {
        let days = |leased, allowed| {
            let lease = Lease {
                days: leased,
                client_time: 1_000,
                ..Lease::default()
            };
            term(&lease, allowed, Timestamp(1_000), Timestamp(1_000)).left_secs / DAY
        };
        assert_eq!([days(7, 9), days(9, 7), days(200, 200), days(0, 7)], [7, 7, 60, 0]);
        let endless = Lease {
            days: 60,
            client_time: u64::MAX,
            ..Lease::default()
        };
        assert_eq!(term(&endless, 60, Timestamp(0), Timestamp(0)).left_secs, 0);
    }
}
