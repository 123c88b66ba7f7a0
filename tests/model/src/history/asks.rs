//! Who asks for what.

use super::catalogue::{PARTS, PRODUCTS, later_catalogue};
use super::{History, Installation};
use crate::ask::{Ask, Checkout, Rollout};
use crate::clock::State;
use crate::words::{Blacklisting, DAY, Identity, Mac, ProductKey, ReservationId, SeatKey, Serial};

/// Machines.
const MACHINES: u8 = 7;

/// Serials; few enough that each is imported again and again.
pub(super) const SERIALS: u32 = 96;

/// Names of reservations.
const RESERVATIONS: u32 = 24;

impl History {
    pub(super) fn some_ask(&mut self) -> (Identity, Ask) {
        let clock = match self.clock_state() {
            State::Sound => 3,
            State::Pending => 25,
            State::SetBack => 80,
        };
        if self.random.below(1_000) < clock {
            return (0, self.some_clock_ask());
        }
        match self.random.below(1_000) {
            0..400 => self.some_checkout(),
            400..490 => self.some_release(),
            490..515 => (0, self.some_end()),
            515..535 => (0, self.some_resolve()),
            535..720 => (0, Ask::Import(self.some_key())),
            720..755 => (0, self.some_removal()),
            755..761 => (0, self.some_catalogue()),
            761..775 => (0, self.some_blacklist()),
            775..865 => (0, self.some_reservation()),
            865..945 => (0, self.some_commit()),
            945..980 => (0, self.some_abort()),
            980 => self.all_parts(),
            _ => (0, Ask::Availability(self.some_product())),
        }
    }

    fn some_clock_ask(&mut self) -> Ask {
        let reset = match self.clock_state() {
            State::Sound | State::Pending => 30,
            State::SetBack => 90,
        };
        if self.random.percent(reset) {
            Ask::ClockReset
        } else {
            Ask::ClockAccept
        }
    }

    fn some_mac(&mut self) -> Mac {
        [
            2,
            0,
            0,
            0,
            0,
            u8::try_from(self.random.below(u64::from(MACHINES))).unwrap_or(0),
        ]
    }

    pub(super) fn some_product(&mut self) -> ProductKey {
        match self.random.below(200) {
            0 => ProductKey {
                vendor: 1,
                id: "UNKNOWN",
            },
            1..4 => PRODUCTS[10],
            4..24 => self.random.pick(&PRODUCTS[..10]),
            _ => {
                let focus = self.focus.clone();
                self.random.pick(&focus)
            }
        }
    }

    /// Four of them, and what they require.
    pub(super) fn some_products(&mut self) -> Vec<ProductKey> {
        let mut products: Vec<_> = (0..4).map(|_| self.random.pick(&PRODUCTS[..10])).collect();
        if products.contains(&PRODUCTS[4]) {
            products.push(PRODUCTS[0]);
        }
        products.sort_unstable();
        products.dedup();
        products
    }

    /// Often one that is held.
    fn some_seat(&mut self) -> SeatKey {
        if !self.model.seats.is_empty() && self.random.percent(55) {
            let place = self.random.below(self.model.seats.len() as u64);
            return self.model.seats[usize::try_from(place).unwrap_or(0)].key;
        }
        SeatKey {
            product: self.some_product(),
            mac: self.some_mac(),
        }
    }

    fn some_identity(&mut self, seat: SeatKey) -> Identity {
        let machine = match self.random.below(100) {
            0 => self.random.below(u64::from(MACHINES)),
            _ => u64::from(seat.mac[5]),
        };
        // Mostly the first installation; now and then one of several that take turns.
        let installation = match self.random.below(100) {
            0..82 => 0,
            82..91 => 1,
            _ => 2 + self.random.below(5),
        };
        u16::try_from(1 + machine * 8 + installation).unwrap_or(1)
    }

    fn some_component(&mut self) -> &'static str {
        match self.random.below(100) {
            0..60 => "agent",
            60..80 => "cli",
            80..90 => "disc",
            90..95 => "console",
            95..97 => "stick",
            _ => "unknown",
        }
    }

    fn some_checkout(&mut self) -> (Identity, Ask) {
        let seat = self.some_seat();
        let installation = Installation {
            disk: u8::from(self.random.percent(6)),
            identity: self.some_identity(seat),
            seat,
            component: self.some_component(),
        };
        self.copy_disks(installation);
        let remembered = self.remembered(installation);
        let continuation = match self.random.below(100) {
            0 => self.random.below(remembered.saturating_add(3).max(1)),
            1 => self.random.pick(&[0, 1, u64::MAX - 1, u64::MAX]),
            2 => {
                let others = self.memory.iter().filter(|(one, _)| {
                    (one.seat, one.component) == (seat, installation.component) && **one != installation
                });
                let others: Vec<_> = others.filter_map(|(_, numbers)| numbers.last().copied()).collect();
                others.first().copied().unwrap_or(remembered)
            }
            _ => remembered,
        };
        self.last = Some(installation);
        let checkout = Checkout {
            seat,
            component: installation.component,
            continuation,
            approve: self.approve,
        };
        let ask = Ask::Checkout(checkout);
        if self.random.percent(5) {
            // The same once more at the same time: its answer was lost.
            self.planned.push_back((installation.identity, ask.clone()));
        }
        (installation.identity, ask)
    }

    pub(super) fn remembered(&self, installation: Installation) -> u64 {
        let numbers = self.memory.get(&installation);
        numbers.and_then(|numbers| numbers.last().copied()).unwrap_or(0)
    }

    /// Now and then a disk is copied, or rolled back by one or two checkouts.
    fn copy_disks(&mut self, installation: Installation) {
        let original = Installation {
            disk: 0,
            ..installation
        };
        let copy = Installation {
            disk: 1,
            ..installation
        };
        if (self.random.percent(3) || (installation.disk == 1 && !self.memory.contains_key(&copy)))
            && let Some(numbers) = self.memory.get(&original).cloned()
        {
            self.memory.insert(copy, numbers);
        }
        if self.random.percent(3) {
            let by = self.random.below(3);
            if let Some(numbers) = self.memory.get_mut(&installation) {
                let left = numbers.len().saturating_sub(usize::try_from(by).unwrap_or(0));
                numbers.truncate(left);
            }
        }
    }

    /// Often by the identity that is bound.
    fn some_release(&mut self) -> (Identity, Ask) {
        let seat = self.some_seat();
        let (mut identity, mut component) = (self.some_identity(seat), self.some_component());
        if let Some(place) = self.model.seat_place(seat)
            && self.random.percent(70)
        {
            let bound: Vec<_> = (self.model.seats[place].holds.iter())
                .filter_map(|hold| Some((hold.identity()?, hold.component)))
                .collect();
            if !bound.is_empty() {
                (identity, component) = self.random.pick(&bound);
            }
        }
        (identity, Ask::Release { seat, component })
    }

    fn some_end(&mut self) -> Ask {
        Ask::EndSeat {
            seat: self.some_seat(),
            component: self.random.percent(50).then(|| self.some_component()),
        }
    }

    fn some_resolve(&mut self) -> Ask {
        let held = self.model.seats.iter();
        let troubled =
            held.filter(|seat| (seat.holds.iter()).any(|one| one.conflict.is_some() || one.waiting.is_some()));
        let troubled: Vec<_> = troubled.map(|seat| seat.key).collect();
        let seat = if !troubled.is_empty() && self.random.percent(60) {
            self.random.pick(&troubled)
        } else {
            self.some_seat()
        };
        Ask::Resolve {
            mac: seat.mac,
            product: self.random.percent(70).then_some(seat.product),
        }
    }

    fn some_removal(&mut self) -> Ask {
        let present = self.model.licenses.iter().filter(|one| one.present());
        let mut present: Vec<_> = present.map(|one| one.key.serial).collect();
        let in_use = |serial: &Serial| self.model.used(*serial) > 0;
        if present.iter().any(in_use) && self.random.percent(70) {
            present.retain(in_use);
        }
        Ask::Remove {
            serial: if present.is_empty() || self.random.percent(8) {
                self.random.small(SERIALS)
            } else {
                self.random.pick(&present)
            },
            end_seats: self.random.percent(50),
        }
    }

    fn some_vendor(&mut self) -> u8 {
        match self.random.below(20) {
            0 => 3,
            1..5 => 2,
            _ => 1,
        }
    }

    fn some_catalogue(&mut self) -> Ask {
        let vendor = self.some_vendor();
        let version = self.catalogue_versions.entry(vendor).or_default();
        *version += u64::from(!self.random.percent(30));
        Ask::ImportCatalogue {
            vendor,
            version: *version,
            products: later_catalogue(vendor, &mut self.random),
        }
    }

    fn some_blacklist(&mut self) -> Ask {
        let vendor = self.some_vendor();
        let version = self.blacklist_versions.entry(vendor).or_default();
        *version += u64::from(*version == 0 || !self.random.percent(25));
        let version = *version;
        let mut entries: Vec<(Serial, Blacklisting)> = Vec::new();
        for _ in 0..self.random.below(6) {
            let mut serial = self.random.small(SERIALS);
            if self.random.percent(50) && !self.model.seats.is_empty() {
                let place = self.random.below(self.model.seats.len() as u64);
                serial = self.model.seats[usize::try_from(place).unwrap_or(0)].serial;
            }
            if entries.iter().all(|entry| entry.0 != serial) {
                let why = [Blacklisting::Blacklisted, Blacklisting::Superseded];
                entries.push((serial, self.random.pick(&why)));
            }
        }
        Ask::ImportBlacklist {
            vendor,
            version,
            entries,
        }
    }

    /// The name of a reservation and its product; often one that is here, and mostly of one product each.
    fn some_reservation_of(&mut self) -> (ReservationId, ProductKey) {
        let here: Vec<_> = (self.model.reservations.iter())
            .map(|one| (one.id, one.product))
            .collect();
        let (id, product) = if !here.is_empty() && self.random.percent(50) {
            self.random.pick(&here)
        } else {
            let id = ReservationId::from(self.random.small(RESERVATIONS));
            (id, self.focus[usize::try_from(id).unwrap_or(0) % self.focus.len()])
        };
        if self.random.percent(3) {
            return (id, self.some_product());
        }
        (id, product)
    }

    /// In any order and some of them twice.
    fn some_macs(&mut self) -> Vec<Mac> {
        (0..=self.random.below(4)).map(|_| self.some_mac()).collect()
    }

    fn some_reservation(&mut self) -> Ask {
        let (id, product) = self.some_reservation_of();
        let what = if self.random.percent(60) {
            Rollout::Machines(self.some_macs())
        } else {
            Rollout::Count(1 + self.random.small(3))
        };
        let for_secs = match self.random.below(20) {
            0 => Some(0),
            1 => Some(1),
            2 => Some(30 * DAY),
            3 => Some(30 * DAY + 1),
            4..9 => Some(self.random.below(3 * DAY)),
            _ => None,
        };
        Ask::Reserve {
            id,
            product,
            for_secs,
            what,
            preferred_only: self.random.percent(30),
        }
    }

    /// Nothing, or machines in their order; often those that something is reserved for.
    fn some_of(&mut self, id: ReservationId) -> Vec<Mac> {
        if self.random.percent(35) {
            return Vec::new();
        }
        let mut macs = self.some_macs();
        let here = self.model.reservations.iter().filter(|one| one.id == id);
        let reserved: Vec<_> = here.flat_map(|one| one.machines.iter().map(|row| row.0)).collect();
        if !reserved.is_empty() {
            macs.truncate(1);
            macs.push(self.random.pick(&reserved));
        }
        macs.sort_unstable();
        macs.dedup();
        macs
    }

    fn some_commit(&mut self) -> Ask {
        let (id, product) = self.some_reservation_of();
        Ask::Commit {
            id,
            product,
            macs: self.some_of(id),
            preferred_only: self.random.percent(30),
        }
    }

    fn some_abort(&mut self) -> Ask {
        let (id, product) = self.some_reservation_of();
        Ask::Abort {
            id,
            product,
            macs: self.some_of(id),
        }
    }

    /// One machine with more components than a seat can have.
    fn all_parts(&mut self) -> (Identity, Ask) {
        let mac = self.some_mac();
        let identity = 1 + u16::from(mac[5]) * 8;
        let asks = PARTS.map(|component| {
            let checkout = Checkout {
                seat: SeatKey {
                    product: PRODUCTS[2],
                    mac,
                },
                component,
                continuation: 0,
                approve: self.approve,
            };
            (identity, Ask::Checkout(checkout))
        });
        let [first, others @ ..] = asks;
        self.planned.extend(others);
        first
    }
}
