//! What the views show (rules V1, S2).

use crate::ask::Checkout;
use crate::binding::Binding;
use crate::model::Model;
use crate::state::{Former, License, Reservation, Seat, Status};
use crate::words::{DAY, Identity, Key, Now, ProductKey, SeatKey, Usage};

/// Seats or units over all licenses of one usage.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Licenses.
    pub licenses: u32,
    /// In all.
    pub total: u64,
    /// Seats, spent and reserved units.
    pub used: u64,
    /// `total - used`.
    pub free: u64,
    /// Free on licenses that serve.
    pub available: u64,
}

/// A product's seats and its units, which are counted apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Of machine licenses.
    pub seats: Tally,
    /// Of deployment licenses.
    pub units: Tally,
}

/// A row of the available licenses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LicenseView {
    /// What was imported last.
    pub key: Key,
    /// When the serial was imported first.
    pub first_import: u64,
    /// Seats, spent and reserved units.
    pub used: u32,
    /// The others.
    pub free: u32,
    /// Free if it serves, else 0.
    pub available: u32,
    /// Whether it serves.
    pub status: Status,
    /// Days left, rounded up; none where it has no end.
    pub days_left: Option<u64>,
}

/// What a copy of a component is known by: nobody is shown it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Numbers {
    /// Of which seat.
    pub seat: SeatKey,
    /// Of which component.
    pub component: &'static str,
    /// Whether it holds the seat, or has let go of it.
    pub is_held: bool,
    /// Who is or was bound.
    pub identity: Identity,
    /// With what the last answered checkout came; none before an approved identity has come.
    pub sent: Option<u64>,
    /// What it was answered; 0 where none was.
    pub answered: u64,
}

impl Model {
    /// What copies are known by, in no order.
    pub fn numbers(&self) -> impl Iterator<Item = Numbers> {
        let numbers = |seat, component, is_held, binding: &Binding| {
            let (sent, answered) = binding.numbers();
            Numbers {
                seat,
                component,
                is_held,
                identity: binding.identity,
                sent,
                answered,
            }
        };
        let held = self.seats.iter().flat_map(move |seat| {
            let bound = seat
                .holds
                .iter()
                .filter_map(|hold| Some((hold.component, hold.binding.as_ref()?)));
            bound.map(move |(component, binding)| numbers(seat.key, component, true, binding))
        });
        let left = self.left.iter();
        held.chain(left.map(move |one| numbers(one.seat, one.component, false, &one.binding)))
    }

    /// The seats that were held before, in no order.
    #[must_use]
    pub fn former(&self) -> &[(SeatKey, Former)] {
        &self.former
    }

    /// The licenses that are here, in the order of their serials.
    #[must_use]
    pub fn licenses(&self, now: Now) -> Vec<LicenseView> {
        let present = self.licenses.iter().filter(|one| one.present());
        let mut rows: Vec<_> = present.map(|one| self.view(one, now)).collect();
        rows.sort_by_key(|row| row.key.serial);
        rows
    }

    fn view(&self, license: &License, now: Now) -> LicenseView {
        let (end, free) = (license.ends_at(), self.free(license));
        LicenseView {
            key: license.key,
            first_import: license.first_import,
            used: self.used(license.key.serial),
            free,
            available: if self.serves(license, now) { free } else { 0 },
            status: self.status(license, now),
            days_left: (end != u64::MAX).then(|| end.saturating_sub(now.later()).div_ceil(DAY)),
        }
    }

    /// The products of this id that a catalogue offers or a license is here for: what is meant where no vendor is named.
    #[must_use]
    pub fn products_named(&self, id: &str) -> Vec<ProductKey> {
        let offered = self.vendors.iter().flat_map(|one| &one.products).map(|one| one.key);
        let licensed = self
            .licenses
            .iter()
            .filter(|one| one.present())
            .map(|one| one.key.product);
        let mut named: Vec<_> = offered.chain(licensed).filter(|key| key.id == id).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// Whether this checkout is for a seat that the machine does not hold: what limits of new seats are about.
    #[must_use]
    pub fn would_engage(&self, asked: &Checkout) -> bool {
        let components = self.product(asked.seat.product).map(|one| one.components.as_slice());
        let mut components = components.unwrap_or_default().iter();
        self.seat_place(asked.seat).is_none() && components.any(|one| one.id == asked.component && one.counted)
    }

    /// All licenses and tombstones, in no order.
    #[must_use]
    pub fn all_licenses(&self) -> &[License] {
        &self.licenses
    }

    /// The seats, in the order of their keys.
    #[must_use]
    pub fn seats(&self) -> Vec<&Seat> {
        let mut seats: Vec<_> = self.seats.iter().collect();
        seats.sort_by_key(|seat| seat.key);
        seats
    }

    /// The reservations, in the order of their names.
    #[must_use]
    pub fn reservations(&self) -> Vec<&Reservation> {
        let mut reservations: Vec<_> = self.reservations.iter().collect();
        reservations.sort_by_key(|one| one.id);
        reservations
    }

    /// Seats and units of a product.
    #[must_use]
    pub fn counts(&self, product: ProductKey, now: Now) -> Counts {
        let mut counts = Counts::default();
        for license in self.of(product) {
            let tally = match license.key.usage {
                Usage::Machine => &mut counts.seats,
                Usage::Deployment => &mut counts.units,
            };
            let (used, free) = (self.used(license.key.serial), self.free(license));
            tally.licenses += 1;
            tally.total += u64::from(license.key.seats);
            tally.used += u64::from(used);
            tally.free += u64::from(free);
            if self.serves(license, now) {
                tally.available += u64::from(free);
            }
        }
        counts
    }

    /// Panics unless every license has at most what it has in all, and everything that is held is held of one that is
    /// here (rule S2).
    pub fn assert_s2(&self) {
        for license in &self.licenses {
            let used = self.used(license.key.serial);
            assert!(used <= license.key.seats, "{used} of {license:?}");
        }
        for seat in &self.seats {
            let license = self.license(seat.serial);
            assert!(license.present(), "{seat:?} on {license:?}");
            assert_eq!(license.key.usage, Usage::Machine, "{seat:?}");
            assert_eq!(license.key.product, seat.key.product, "{seat:?}");
            let same = self.seats.iter().filter(|one| one.key == seat.key).count();
            assert_eq!(same, 1, "{seat:?}");
            assert!(!self.former.iter().any(|(key, _)| *key == seat.key), "{seat:?}");
        }
        for one in &self.reservations {
            assert!(!one.is_over(), "{one:?}");
            assert_eq!(one.for_number, one.machines.is_empty(), "{one:?}");
            let units = one.units().map(|unit| (unit.1, Usage::Deployment));
            let held = one.held.iter().map(|serial| (*serial, Usage::Machine));
            for (serial, usage) in units.chain(held) {
                let license = self.license(serial);
                assert!(
                    license.present() && license.key.usage == usage,
                    "{one:?} on {license:?}"
                );
            }
        }
    }
}
