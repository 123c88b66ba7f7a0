//! The rules once more, written naively: plain vectors, every question answered by looking at everything.
//!
//! Nothing here is shared with the ledger but the types of values. What a continuation number looks like is the ledger's
//! own business: the model is told each number that was answered and judges by the history of visits alone.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use seatkeeper::domain::command::Checkout;
use seatkeeper::domain::denial::{Denial, KeyRefusal, SeatsInUse};
use seatkeeper::domain::ids::{ComponentId, Fingerprint, ProductKey, Serial};
use seatkeeper::domain::license::{Usage, Validity, VerifiedKey};
use seatkeeper::domain::reply::{Counts, GrantKind};
use seatkeeper::domain::seat::{ConflictKind, EndCause, FormerSeat, SeatKey};
use seatkeeper::domain::time::{Now, Timestamp};

const DAY: u64 = 86_400;

/// What the rules answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Counts(Counts),
    Denied {
        denial: Denial,
        seats: Option<SeatsInUse>,
        former: Option<FormerSeat>,
    },
    Imported(Outcome),
    NotCounted(Counts),
    NothingHeld,
    Reclaimed(usize),
    Released {
        seat_freed: bool,
        components_left: u32,
    },
    Removed(u32),
    Seat {
        kind: GrantKind,
        serial: Serial,
        acquired_at: u64,
        renew_by: Option<u64>,
        conflict: Option<Conflict>,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Added,
    AlreadyPresent,
    Refused(KeyRefusal),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Conflict {
    pub(crate) kind: ConflictKind,
    pub(crate) since: u64,
    pub(crate) last_seen: u64,
    pub(crate) count: u32,
}

pub(crate) struct Product {
    pub(crate) key: ProductKey,
    pub(crate) idle_secs: Option<u64>,
    pub(crate) single_use: bool,
    /// Component, counted, ephemeral.
    pub(crate) components: Vec<(ComponentId, bool, bool)>,
}

pub(crate) struct License {
    pub(crate) key: VerifiedKey,
    pub(crate) first_import: u64,
    pub(crate) present: bool,
    pub(crate) spent: u32,
}

impl License {
    pub(crate) fn ends(&self) -> u64 {
        match self.key.claims.validity {
            Validity::Forever => u64::MAX,
            Validity::Days(days) => self.first_import + u64::from(days) * DAY,
            Validity::ThroughDay(day) => (u64::from(day) + 1) * DAY,
        }
    }

    pub(crate) fn serves(&self, now: Now) -> bool {
        self.present && later(now) < self.ends()
    }
}

pub(crate) struct Seat {
    pub(crate) key: SeatKey,
    pub(crate) serial: Serial,
    pub(crate) acquired_at: u64,
    pub(crate) renewed_at: u64,
    pub(crate) renew_by: Option<u64>,
    pub(crate) single_use: bool,
    pub(crate) components: Vec<Component>,
}

pub(crate) struct Component {
    pub(crate) id: ComponentId,
    /// Empty where the component binds nothing.
    visits: Vec<Visit>,
    conflict: Option<Conflict>,
}

#[derive(Clone, Copy)]
struct Visit {
    at: u64,
    identity: Fingerprint,
    sent: u64,
    answered: u64,
}

impl Component {
    /// Each time that an identity took another one's place: when, and whose.
    fn displacements(&self) -> Vec<(u64, Fingerprint)> {
        let pairs = self.visits.windows(2);
        let taken = pairs.filter(|pair| pair[0].identity != pair[1].identity);
        taken.map(|pair| (pair[1].at, pair[0].identity)).collect()
    }

    /// How a visit would show a copy (rule I7).
    fn copy_shown(&self, identity: Fingerprint, sent: u64, at: u64) -> Option<ConflictKind> {
        let last = self.visits.last()?;
        if last.identity == identity {
            let expected = sent == last.answered || sent == last.sent;
            return (!expected).then_some(ConflictKind::StaleContinuation);
        }
        let displacements = self.displacements();
        let (place, (since, _)) = displacements.iter().enumerate().rfind(|(_, one)| one.1 == identity)?;
        let behind = displacements[place + 1..].iter().map(|(_, identity)| *identity);
        let others: BTreeSet<_> = behind.filter(|other| *other != last.identity).collect();
        // The one whose place is taken now is not displaced yet, and four are remembered.
        (at - since < DAY && others.len() < 4).then_some(ConflictKind::AlternatingIdentity)
    }
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) products: Vec<Product>,
    pub(crate) licenses: Vec<License>,
    pub(crate) seats: Vec<Seat>,
    former: Vec<(SeatKey, FormerSeat)>,
}

fn later(now: Now) -> u64 {
    now.steady.0.max(now.calendar.0)
}

impl Model {
    pub(crate) fn license(&self, serial: Serial) -> &License {
        let mut licenses = self.licenses.iter();
        licenses.find(|one| one.key.claims.serial == serial).unwrap()
    }

    fn license_mut(&mut self, serial: Serial) -> &mut License {
        let mut licenses = self.licenses.iter_mut();
        licenses.find(|one| one.key.claims.serial == serial).unwrap()
    }

    fn seat(&self, key: SeatKey) -> Option<usize> {
        self.seats.iter().position(|seat| seat.key == key)
    }

    fn former(&self, key: SeatKey) -> Option<FormerSeat> {
        self.former
            .iter()
            .find(|(one, _)| *one == key)
            .map(|(_, former)| *former)
    }

    pub(crate) fn used(&self, serial: Serial) -> u32 {
        let seats = self.seats.iter().filter(|seat| seat.serial == serial).count();
        u32::try_from(seats).unwrap() + self.license(serial).spent
    }

    pub(crate) fn free(&self, serial: Serial) -> u32 {
        self.license(serial).key.claims.seats - self.used(serial)
    }

    fn of(&self, product: ProductKey) -> impl Iterator<Item = &License> {
        let present = self.licenses.iter().filter(|one| one.present);
        present.filter(move |one| one.key.claims.product_key() == product)
    }

    pub(crate) fn counts(&self, product: ProductKey, now: Now) -> Counts {
        let mut counts = Counts::default();
        for license in self.of(product) {
            let claims = &license.key.claims;
            counts.licenses += 1;
            counts.total += u64::from(claims.seats);
            counts.used += u64::from(self.used(claims.serial));
            counts.free += u64::from(self.free(claims.serial));
            if license.serves(now) {
                counts.available += u64::from(self.free(claims.serial));
            }
        }
        counts
    }

    /// The license that serves (rules S3, X5).
    fn choose(&self, product: ProductKey, now: Now) -> Option<Serial> {
        self.of(product)
            .filter(|one| one.serves(now) && self.free(one.key.claims.serial) > 0)
            .min_by_key(|one| {
                let claims = &one.key.claims;
                (
                    claims.usage != Usage::Machine,
                    one.ends(),
                    one.first_import,
                    claims.serial,
                )
            })
            .map(|one| one.key.claims.serial)
    }

    /// The earliest renew date among reusable seats of serving licenses (rule V2).
    fn earliest(&self, product: ProductKey, now: Now) -> Option<Timestamp> {
        self.seats
            .iter()
            .filter(|seat| seat.key.product_key() == product && !seat.single_use)
            .filter(|seat| self.license(seat.serial).serves(now))
            .filter_map(|seat| seat.renew_by.map(Timestamp))
            .min()
    }

    fn single_use(&self, product: usize, serial: Serial) -> bool {
        self.products[product].single_use || self.license(serial).key.claims.usage == Usage::Deployment
    }

    pub(crate) fn reclaim(&mut self, now: Now) -> Answer {
        let steady = now.steady.0;
        self.former.retain(|(_, former)| steady < former.ended_at.0 + 365 * DAY);
        let mut count = 0;
        while let Some(due) = (self.seats.iter()).position(|seat| seat.renew_by.is_some_and(|at| steady >= at)) {
            let at = self.seats[due].renew_by.unwrap();
            self.end(due, EndCause::Idle, at);
            count += 1;
        }
        Answer::Reclaimed(count)
    }

    fn end(&mut self, place: usize, cause: EndCause, at: u64) {
        let seat = self.seats.remove(place);
        if seat.single_use {
            self.license_mut(seat.serial).spent += 1;
        }
        let ended_at = Timestamp(at);
        self.former.retain(|(key, _)| *key != seat.key);
        self.former.push((seat.key, FormerSeat { ended_at, cause }));
    }

    pub(crate) fn checkout(&mut self, identity: Fingerprint, asked: &Checkout, now: Now) -> Answer {
        let key = asked.key.product_key();
        if !self.products.iter().any(|one| one.key.vendor == key.vendor) {
            return plain(Denial::UnknownVendor, self.former(asked.key));
        }
        let Some(product) = self.products.iter().position(|one| one.key == key) else {
            return plain(Denial::UnknownProduct, self.former(asked.key));
        };
        let components = &self.products[product].components;
        let Some(&(_, counted, ephemeral)) = components.iter().find(|one| one.0 == asked.component) else {
            return plain(Denial::UnknownComponent, self.former(asked.key));
        };
        if !counted {
            return Answer::NotCounted(self.counts(key, now));
        }
        let (place, kind) = match self.seat(asked.key) {
            Some(place) if self.license(self.seats[place].serial).serves(now) => (place, GrantKind::Renewed),
            Some(place) => {
                let Some(serial) = self.choose(key, now) else {
                    return self.refuse(asked.key, Denial::LicenseExpired, now);
                };
                if self.seats[place].single_use {
                    let from = self.seats[place].serial;
                    self.license_mut(from).spent += 1;
                }
                self.seats[place].serial = serial;
                self.seats[place].single_use = self.single_use(product, serial);
                (place, GrantKind::Renewed)
            }
            None => match self.engage(product, asked.key, now) {
                Ok(kind) => (self.seats.len() - 1, kind),
                Err(denial) => return self.refuse(asked.key, denial, now),
            },
        };
        self.hold(place, product, identity, asked, ephemeral, now);
        let seat = &self.seats[place];
        Answer::Seat {
            kind,
            serial: seat.serial,
            acquired_at: seat.acquired_at,
            renew_by: seat.renew_by,
            conflict: seat
                .components
                .iter()
                .find(|one| one.id == asked.component)
                .unwrap()
                .conflict,
        }
    }

    fn engage(&mut self, product: usize, key: SeatKey, now: Now) -> Result<GrantKind, Denial> {
        let product_key = key.product_key();
        let Some(serial) = self.choose(product_key, now) else {
            let licenses: Vec<_> = self.of(product_key).collect();
            return Err(if licenses.is_empty() {
                Denial::NoLicense
            } else if licenses.iter().any(|one| one.serves(now)) {
                Denial::SeatsExhausted
            } else {
                Denial::LicenseExpired
            });
        };
        let kind = self.former(key).map_or(GrantKind::Granted, GrantKind::EngagedAgain);
        self.former.retain(|(one, _)| *one != key);
        self.seats.push(Seat {
            key,
            serial,
            acquired_at: later(now),
            renewed_at: later(now),
            renew_by: None,
            single_use: self.single_use(product, serial),
            components: Vec::new(),
        });
        Ok(kind)
    }

    fn hold(
        &mut self,
        place: usize,
        product: usize,
        identity: Fingerprint,
        asked: &Checkout,
        ephemeral: bool,
        now: Now,
    ) {
        let idle_secs = self.products[product].idle_secs;
        let seat = &mut self.seats[place];
        seat.renewed_at = later(now);
        seat.renew_by = idle_secs.map(|secs| later(now) + secs);
        if !seat.components.iter().any(|one| one.id == asked.component) {
            seat.components.push(Component {
                id: asked.component,
                visits: Vec::new(),
                conflict: None,
            });
        }
        let mut components = seat.components.iter_mut();
        let component = components.find(|one| one.id == asked.component).unwrap();
        if ephemeral {
            return;
        }
        let at = now.steady.0;
        if let Some(kind) = component.copy_shown(identity, asked.continuation, at) {
            component.conflict = Some(Conflict {
                kind,
                since: component.conflict.map_or(at, |seen| seen.since),
                last_seen: at,
                count: component.conflict.map_or(1, |seen| seen.count + 1),
            });
        }
        component.visits.push(Visit {
            at,
            identity,
            sent: asked.continuation,
            answered: 0,
        });
    }

    /// Tells the model the number that the ledger answered to the checkout just decided.
    pub(crate) fn answered(&mut self, asked: &Checkout, number: u64) {
        let place = self.seat(asked.key).unwrap();
        let mut components = self.seats[place].components.iter_mut();
        let component = components.find(|one| one.id == asked.component).unwrap();
        match component.visits.last_mut() {
            Some(visit) => {
                assert!(
                    number != 0 && number != visit.sent,
                    "{number} answered to {}",
                    visit.sent
                );
                visit.answered = number;
                let (_, before) = component.visits.split_last().unwrap();
                assert!(
                    before.iter().all(|visit| visit.answered < number),
                    "{number} answered again"
                );
            }
            None => assert_eq!(number, 0, "an ephemeral component has no number"),
        }
    }

    fn refuse(&self, key: SeatKey, denial: Denial, now: Now) -> Answer {
        let counts = self.counts(key.product_key(), now);
        Answer::Denied {
            denial,
            seats: Some(SeatsInUse {
                used: counts.used,
                total: counts.total,
                earliest_renew_by: self.earliest(key.product_key(), now),
            }),
            former: self.former(key),
        }
    }

    pub(crate) fn release(&mut self, identity: Fingerprint, key: SeatKey, component: ComponentId, now: Now) -> Answer {
        let Some(place) = self.seat(key) else {
            return Answer::NothingHeld;
        };
        let mut components = self.seats[place].components.iter();
        let Some(held) = components.find(|one| one.id == component) else {
            return Answer::NothingHeld;
        };
        if held.visits.last().is_none_or(|visit| visit.identity != identity) {
            return plain(Denial::IdentityNotBound, None);
        }
        let until = held.displacements().last().map(|(since, _)| since + 30 * DAY);
        match until.filter(|until| now.steady.0 < *until) {
            Some(until) => plain(
                Denial::ReboundRecently {
                    until: Timestamp(until),
                },
                None,
            ),
            None => self.let_go(place, component, EndCause::Released, now),
        }
    }

    pub(crate) fn end_seat(&mut self, key: SeatKey, component: Option<ComponentId>, now: Now) -> Answer {
        let held = |seat: &Seat| component.is_none_or(|id| seat.components.iter().any(|one| one.id == id));
        let Some(place) = self.seats.iter().position(|seat| seat.key == key && held(seat)) else {
            return Answer::NothingHeld;
        };
        if let Some(component) = component {
            return self.let_go(place, component, EndCause::Administrator, now);
        }
        self.end(place, EndCause::Administrator, later(now));
        Answer::Released {
            seat_freed: true,
            components_left: 0,
        }
    }

    fn let_go(&mut self, place: usize, component: ComponentId, cause: EndCause, now: Now) -> Answer {
        let components = &mut self.seats[place].components;
        components.retain(|one| one.id != component);
        let left = u32::try_from(components.len()).unwrap();
        if left == 0 {
            self.end(place, cause, later(now));
        }
        Answer::Released {
            seat_freed: left == 0,
            components_left: left,
        }
    }

    pub(crate) fn import(&mut self, key: &VerifiedKey, now: Now) -> Answer {
        let claims = &key.claims;
        let known = self
            .licenses
            .iter()
            .position(|one| one.key.claims.serial == claims.serial);
        let outcome = match known.map(|place| &self.licenses[place]) {
            Some(held) if held.present && held.key.certificate == key.certificate => Outcome::AlreadyPresent,
            Some(held) if held.key.claims.vendor != claims.vendor => Outcome::Refused(KeyRefusal::SerialTaken),
            Some(held) if held.present || held.spent > claims.seats => Outcome::Refused(KeyRefusal::SerialTaken),
            _ if !self.products.iter().any(|one| one.key.vendor == claims.vendor) => {
                Outcome::Refused(KeyRefusal::UnknownVendor)
            }
            _ if !self.products.iter().any(|one| one.key == claims.product_key()) => {
                Outcome::Refused(KeyRefusal::UnknownProduct)
            }
            before => {
                let license = License {
                    key: key.clone(),
                    first_import: before.map_or(later(now), |held| held.first_import),
                    present: true,
                    spent: before.map_or(0, |held| held.spent),
                };
                if license.serves(now) {
                    match known {
                        Some(place) => self.licenses[place] = license,
                        None => self.licenses.push(license),
                    }
                    Outcome::Added
                } else {
                    Outcome::Refused(KeyRefusal::Expired)
                }
            }
        };
        Answer::Imported(outcome)
    }

    pub(crate) fn remove(&mut self, serial: Serial, end_seats: bool, now: Now) -> Answer {
        let mut licenses = self.licenses.iter();
        if !licenses.any(|one| one.present && one.key.claims.serial == serial) {
            return plain(Denial::UnknownSerial, None);
        }
        let seats = self.seats.iter().filter(|seat| seat.serial == serial).count();
        let seats = u32::try_from(seats).unwrap();
        if seats > 0 && !end_seats {
            return plain(Denial::LicenseInUse { seats }, None);
        }
        while let Some(place) = self.seats.iter().position(|seat| seat.serial == serial) {
            self.end(place, EndCause::LicenseRemoved, later(now));
        }
        self.license_mut(serial).present = false;
        Answer::Removed(seats)
    }
}

fn plain(denial: Denial, former: Option<FormerSeat>) -> Answer {
    Answer::Denied {
        denial,
        seats: None,
        former,
    }
}
