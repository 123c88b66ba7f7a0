//! The indexes, and what is asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::Ledger;
use super::due::Due;
use super::ends::{Ending, Ends};
use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductKey, ReservationId, Serial, TokenId};
use crate::domain::license::{License, Usage};
use crate::domain::reply::Counts;
use crate::domain::seat::SeatKey;
use crate::domain::time::{Now, Timestamp};

/// A license with a free unit, in the order in which those of one usage serve (rule S3).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Open {
    pub(super) product: ProductKey,
    pub(super) usage: Usage,
    /// 0 where the vendor's list names it: it never serves.
    pub(super) ends_at: Timestamp,
    pub(super) imported_at: Timestamp,
    pub(super) serial: Serial,
}

/// Sums over the licenses of a product and usage.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    pub(super) licenses: u32,
    pub(super) blacklisted: u32,
    pub(super) superseded: u32,
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) free: u64,
}

impl Tally {
    /// What of it stands with the moment at which licenses end.
    pub(super) const fn ending(&self) -> Ending {
        Ending {
            licenses: self.licenses,
            free: self.free,
        }
    }
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Index {
    /// Seats by renew date (rules S6, V2).
    pub(super) due: Due,
    /// Former seats by the time they ended.
    pub(super) former_ended: BTreeSet<(Timestamp, SeatKey)>,
    /// What components left behind, by the time at which they did.
    pub(super) left_at: BTreeSet<(Timestamp, SeatKey)>,
    /// Machines with a seat of a license; the license says of which product. No set in it is empty.
    pub(super) holders: BTreeMap<Serial, BTreeSet<Mac>>,
    /// Seats, spent and reserved units of each license (rule S2).
    pub(super) used: BTreeMap<Serial, u32>,
    pub(super) open: BTreeSet<Open>,
    /// Licenses without a free unit, in the same order: what is not in the one is in the other.
    pub(super) full: BTreeSet<Open>,
    /// Sums over the licenses of a product by the moment from which they do not serve. None in it is empty.
    pub(super) ends: BTreeMap<(ProductKey, Usage), Ends>,
    pub(super) tallies: BTreeMap<(ProductKey, Usage), Tally>,
    /// Seats by the components that hold them.
    pub(super) holding: BTreeMap<(ProductKey, ComponentId), u64>,
    /// Seats of each product.
    pub(super) seats: BTreeMap<ProductKey, u64>,
    pub(super) conflicts: u64,
    pub(super) waiting: u64,
    /// Reservations by the moment at which they lapse (rule X4).
    pub(super) lapses: BTreeSet<(Timestamp, ReservationId)>,
    /// Reservations that hold seats for machines that check out, the soonest to lapse first (rule X4).
    pub(super) held: BTreeSet<(ProductKey, Timestamp, ReservationId)>,
    /// Units spent for a machine of a reservation, so that a commit can be repeated (rule X2).
    pub(super) committed: BTreeSet<(ReservationId, Mac, Serial, u32)>,
    /// Identities that are enrolled, by the token that did it; not those that were taken back.
    pub(super) enrolled: BTreeSet<(TokenId, Fingerprint)>,
    /// How many of them each token has.
    pub(super) enrolled_counts: BTreeMap<TokenId, u64>,
}

/// Seats looked at for the earliest renew date, at most: those of licenses that do not serve may come first.
const EARLIEST_LOOKS_MAX: usize = 64;

impl Index {
    pub(super) fn used(&self, serial: Serial) -> u32 {
        self.used.get(&serial).copied().unwrap_or(0)
    }

    /// The products with a license, each once.
    pub(super) fn products(&self) -> impl Iterator<Item = ProductKey> {
        let mut last = None;
        self.tallies
            .keys()
            .map(|(product, _)| *product)
            .filter(move |product| last.replace(*product) != Some(*product))
    }

    /// The licenses of a usage that serve and have a free unit, in the order in which they serve (rule S3).
    fn open(&self, product: ProductKey, usage: Usage, now: Now) -> impl Iterator<Item = Serial> {
        let serving = now.latest().after_secs(1)..=Timestamp::MAX;
        self.open
            .range(open_between(product, usage, &serving))
            .map(|open| open.serial)
    }

    /// The licenses of a usage that have a free unit, whether they serve or not, in the order in which they would.
    pub(super) fn with_free(&self, product: ProductKey, usage: Usage) -> impl Iterator<Item = Serial> {
        let all = open_between(product, usage, &(Timestamp(0)..=Timestamp::MAX));
        self.open.range(all).map(|open| open.serial)
    }

    /// Those that have none, likewise.
    pub(super) fn without_free(&self, product: ProductKey, usage: Usage) -> impl Iterator<Item = Serial> {
        let all = open_between(product, usage, &(Timestamp(0)..=Timestamp::MAX));
        self.full.range(all).map(|open| open.serial)
    }

    /// The first license of a usage that ends at this very moment.
    pub(super) fn first_ending(&self, product: ProductKey, usage: Usage, ends_at: Timestamp) -> Option<Serial> {
        let then = open_between(product, usage, &(ends_at..=ends_at));
        let (open, full) = (self.open.range(then.clone()).next(), self.full.range(then).next());
        open.into_iter().chain(full).min().map(|one| one.serial)
    }

    /// The machine license that serves a new seat (rules S3, X3).
    pub(super) fn first_open(&self, product: ProductKey, now: Now) -> Option<Serial> {
        self.open(product, Usage::Machine, now).next()
    }

    pub(super) fn holders(&self, serial: Serial) -> impl Iterator<Item = Mac> {
        self.holders.get(&serial).into_iter().flatten().copied()
    }

    pub(super) fn add_holder(&mut self, serial: Serial, mac: Mac) {
        self.holders.entry(serial).or_default().insert(mac);
    }

    pub(super) fn remove_holder(&mut self, serial: Serial, mac: Mac) {
        if let Some(holders) = self.holders.get_mut(&serial) {
            holders.remove(&mac);
            if holders.is_empty() {
                self.holders.remove(&serial);
            }
        }
    }

    /// How the licenses of a product and usage stand.
    pub(super) fn standing(&self, product: ProductKey, usage: Usage, now: Now) -> Standing {
        let tally = self.tallies.get(&(product, usage)).copied().unwrap_or_default();
        let ended = self.ended(product, usage, now).licenses;
        Standing {
            serving: tally.licenses - ended,
            expired: ended - tally.blacklisted - tally.superseded,
            blacklisted: tally.blacklisted,
            superseded: tally.superseded,
        }
    }

    /// How all licenses stand.
    pub(super) fn standing_of_all(&self, now: Now) -> Standing {
        let keys = self.tallies.keys();
        keys.map(|(product, usage)| self.standing(*product, *usage, now))
            .fold(Standing::default(), Standing::and)
    }

    /// What has ended of a product and usage.
    fn ended(&self, product: ProductKey, usage: Usage, now: Now) -> Ending {
        let ends = self.ends.get(&(product, usage));
        ends.map_or_else(Ending::default, |ends| ends.until(now.latest()))
    }

    pub(super) const fn conflicts(&self) -> u64 {
        self.conflicts
    }

    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }

    pub(super) fn lapses(&self) -> impl Iterator<Item = &(Timestamp, ReservationId)> {
        self.lapses.iter()
    }

    /// The reservations that hold seats of a product, the soonest to lapse first.
    pub(super) fn held(&self, product: ProductKey) -> impl Iterator<Item = ReservationId> {
        let (first, last) = (ReservationId([0; 16]), ReservationId([0xff; 16]));
        self.held
            .range((product, Timestamp(0), first)..=(product, Timestamp::MAX, last))
            .map(|(.., id)| *id)
    }

    /// The licenses whose units were spent for this machine under this name: of several products if the name was used
    /// for several.
    pub(super) fn committed(&self, id: ReservationId, mac: Mac) -> impl Iterator<Item = Serial> {
        let (first, last) = ((id, mac, Serial::FIRST, 0), (id, mac, Serial::LAST, u32::MAX));
        self.committed.range(first..=last).map(|(_, _, serial, _)| *serial)
    }

    /// Whether any unit was spent under this name.
    pub(super) fn has_committed(&self, id: ReservationId) -> bool {
        let (first, last) = (
            (id, Mac::FIRST, Serial::FIRST, 0),
            (id, Mac::LAST, Serial::LAST, u32::MAX),
        );
        self.committed.range(first..=last).next().is_some()
    }

    /// The identities that a token enrolled and that still are.
    pub(super) fn identities_of(&self, token: TokenId) -> impl Iterator<Item = Fingerprint> {
        let (first, last) = (Fingerprint([0; 32]), Fingerprint([0xff; 32]));
        self.enrolled
            .range((token, first)..=(token, last))
            .map(|(_, identity)| *identity)
    }

    /// How many identities a token enrolled that still are.
    pub(super) fn enrolled_by(&self, token: TokenId) -> u64 {
        self.enrolled_counts.get(&token).copied().unwrap_or(0)
    }

    /// Seats of a product, or those of them that a component holds.
    pub(super) fn seats_of(&self, product: ProductKey, component: Option<ComponentId>) -> u64 {
        match component {
            None => self.seats.get(&product),
            Some(id) => self.holding.get(&(product, id)),
        }
        .copied()
        .unwrap_or(0)
    }
}

/// How many licenses serve, and why the others do not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Standing {
    pub(super) serving: u32,
    pub(super) expired: u32,
    pub(super) blacklisted: u32,
    pub(super) superseded: u32,
}

impl Standing {
    /// Both together.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            serving: self.serving + other.serving,
            expired: self.expired + other.expired,
            blacklisted: self.blacklisted + other.blacklisted,
            superseded: self.superseded + other.superseded,
        }
    }

    /// How many licenses there are.
    pub(super) const fn licenses(self) -> u32 {
        self.serving + self.expired + self.blacklisted + self.superseded
    }
}

impl Ledger {
    /// The earliest renew date of all seats and end of all reservations: nothing is due before it.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let seat = self.index.due.first();
        let reservation = self.index.lapses.first().map(|(at, _)| *at);
        [seat, reservation].into_iter().flatten().min()
    }

    /// The licenses of a usage that serve and have a free unit, with how many, in the order in which they serve.
    pub(super) fn open_licenses(
        &self,
        product: ProductKey,
        usage: Usage,
        now: Now,
    ) -> impl Iterator<Item = (Serial, u32)> {
        let open = self.index.open(product, usage, now);
        open.filter_map(|serial| Some((serial, self.free_of(self.licenses.get(&serial)?))))
    }

    /// Seats, or units for deployments, of a product over all its licenses of a usage (rules S2, S10).
    #[must_use]
    pub fn counts(&self, product: ProductKey, usage: Usage, now: Now) -> Counts {
        let tally = self.index.tallies.get(&(product, usage)).copied().unwrap_or_default();
        let idle = self.index.ended(product, usage, now).free;
        Counts {
            licenses: tally.licenses,
            total: tally.total,
            used: tally.used,
            free: tally.free,
            available: tally.free.saturating_sub(idle),
        }
    }

    /// A time before which no reusable seat of a serving license idles out (rule V2).
    pub(super) fn earliest_renew_by(&self, product: ProductKey, now: Now) -> Option<Timestamp> {
        let mut last = None;
        for (looked, (renew_by, mac)) in self.index.due.reusable(product).enumerate() {
            let seat = self.seats.get(&product.seat(mac));
            let license = seat.and_then(|seat| self.licenses.get(&seat.serial));
            if license.is_some_and(|license| license.status(now.latest()).serves()) {
                return Some(renew_by);
            }
            if looked + 1 == EARLIEST_LOOKS_MAX {
                last = Some(renew_by);
                break;
            }
        }
        last
    }

    /// Seats of a license that nobody holds and no unit was spent of.
    pub(super) fn free_of(&self, license: &License) -> u32 {
        license
            .claims
            .seats
            .saturating_sub(self.index.used(license.claims.serial))
    }
}

fn open_between(product: ProductKey, usage: Usage, ends: &RangeInclusive<Timestamp>) -> RangeInclusive<Open> {
    let first = Open {
        product,
        usage,
        ends_at: *ends.start(),
        imported_at: Timestamp(0),
        serial: Serial::FIRST,
    };
    let last = Open {
        product,
        usage,
        ends_at: *ends.end(),
        imported_at: Timestamp::MAX,
        serial: Serial::LAST,
    };
    first..=last
}
