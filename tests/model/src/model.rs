//! The model, and its one door.

use crate::ask::{Answer, Ask, Denial, SeatsInUse};
use crate::binding::Binding;
use crate::clock::{Clock, Transition};
use crate::state::{EndCause, Former, Hold, Left, License, Reservation, Seat, SpentUnit, Status};
use crate::views::Tally;
use crate::words::{Blacklisting, DAY, Identity, Now, Product, ProductKey, SeatKey, Serial, Usage, Vendor};

/// How long a former seat is remembered.
const FORMER_SECS: u64 = 365 * DAY;

/// Everything that the rules decide about.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub(crate) vendors: Vec<Trusted>,
    pub(crate) licenses: Vec<License>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) former: Vec<(SeatKey, Former)>,
    pub(crate) left: Vec<Left>,
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) clock: Clock,
    /// The seat and component of the checkout that was granted last and whose number is not told yet.
    pub(crate) untold: Option<(SeatKey, &'static str)>,
}

/// A vendor that is trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Trusted {
    pub(crate) id: Vendor,
    pub(crate) catalogue_version: Option<u64>,
    pub(crate) products: Vec<Product>,
    pub(crate) blacklist_version: Option<u64>,
    pub(crate) blacklist: Vec<(Serial, Blacklisting)>,
}

/// What was overdue (rules S6, X4, S7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Freed {
    /// Seats whose renew date has come.
    pub seats: u32,
    /// Reservations that have lapsed.
    pub reservations: u32,
    /// Former seats that are forgotten.
    pub former: u32,
}

impl Model {
    /// Trusts a vendor from now on.
    pub fn trust(&mut self, vendor: Vendor) {
        if self.vendor(vendor).is_none() {
            self.vendors.push(Trusted {
                id: vendor,
                catalogue_version: None,
                products: Vec::new(),
                blacklist_version: None,
                blacklist: Vec::new(),
            });
        }
    }

    /// Decides one ask at one time: first everything that is overdue is freed.
    pub fn decide(&mut self, identity: Identity, ask: &Ask, now: Now) -> Answer {
        self.free_overdue(now);
        self.untold = None;
        match ask {
            Ask::Checkout(asked) => self.check_out(identity, asked, now),
            Ask::Release { seat, component } => self.release(identity, *seat, component, now),
            Ask::EndSeat { seat, component } => self.end_seat(*seat, *component, now),
            Ask::Resolve { mac, product } => self.resolve(*mac, *product),
            Ask::Import(key) => Answer::Imported(self.import(*key, now)),
            Ask::Remove { serial, end_seats } => self.remove(*serial, *end_seats, now),
            Ask::ImportCatalogue {
                vendor,
                version,
                products,
            } => self.import_catalogue(*vendor, *version, products),
            Ask::ImportBlacklist {
                vendor,
                version,
                entries,
            } => self.import_blacklist(*vendor, *version, entries),
            Ask::Reserve {
                id,
                product,
                for_secs,
                what,
                preferred_only,
            } => self.reserve(*id, *product, *for_secs, what, *preferred_only, now),
            Ask::Commit {
                id,
                product,
                macs,
                preferred_only,
            } => self.commit(*id, *product, macs, *preferred_only, now),
            Ask::Abort { id, product, macs } => self.abort(*id, *product, macs),
            Ask::Availability(product) => match self.product(*product) {
                Ok(_) => Answer::Counts(self.counts(*product, now)),
                Err(denial) => plain(denial),
            },
            Ask::ClockAccept => self.accept_jump(),
            Ask::ClockReset => self.reset_clock(),
        }
    }

    /// Reads the calendar and the clock that only counts (rule T2).
    pub fn read_clock(&mut self, calendar: u64, counted: u64) -> (Now, Transition) {
        let (now, transition) = self.clock.read(calendar, counted);
        if let Some((size, mark)) = transition.rejected {
            self.move_dates_back(size, mark);
        }
        if transition.accepted {
            self.not_after(now.steady);
        }
        (now, transition)
    }

    /// The jump that is pending was found and not recorded: the next start knows nothing of it.
    pub const fn forget_jump(&mut self) {
        self.clock.forget_jump();
    }

    /// The server starts again: the clock that only counts does so too.
    pub fn restart(&mut self) {
        self.clock.restart();
        self.untold = None;
    }

    /// Whether both hold the same, whatever the time is.
    #[must_use]
    pub fn holds_the_same_as(&self, other: &Self) -> bool {
        self.vendors == other.vendors
            && self.licenses == other.licenses
            && self.seats == other.seats
            && self.former == other.former
            && self.left == other.left
            && self.reservations == other.reservations
    }

    /// What is known of the time.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Frees what is overdue; [`Model::decide`] does it first.
    pub fn free_overdue(&mut self, now: Now) -> Freed {
        let mut freed = Freed::default();
        while let Some(due) = (self.seats.iter()).position(|seat| seat.renew_by.is_some_and(|at| now.steady >= at)) {
            let at = self.seats[due].renew_by.expect("it is due");
            self.end(due, EndCause::Idle, at);
            freed.seats += 1;
        }
        let before = self.reservations.len();
        self.reservations.retain(|one| now.steady < one.ends_at);
        freed.reservations = number(before - self.reservations.len());
        let before = self.former.len();
        self.former.retain(|(_, one)| now.steady < one.ended_at + FORMER_SECS);
        freed.former = number(before - self.former.len());
        self.left.retain(|one| now.steady < one.at + FORMER_SECS);
        freed
    }

    /// The number that was answered to the checkout that was granted just now; none for a component that binds nothing.
    pub fn told(&mut self, number: Option<u64>) {
        let (seat, component) = self.untold.take().expect("a checkout was granted");
        let place = self.seat_place(seat).expect("the seat is held");
        let hold = self.seats[place].hold(component).expect("the component holds it");
        match (&mut self.seats[place].holds[hold].binding, number) {
            (Some(binding), Some(number)) => binding.told(number),
            (None, None) => {}
            (binding, number) => panic!("{number:?} was answered where {binding:?} is bound"),
        }
    }

    /// A number that the server could answer to the checkout that was granted just now.
    #[must_use]
    pub fn some_number(&self) -> Option<u64> {
        let (seat, component) = self.untold?;
        let seat = &self.seats[self.seat_place(seat)?];
        let binding = seat.holds[seat.hold(component)?].binding.as_ref()?;
        Some(binding.next_number())
    }

    pub(crate) fn vendor(&self, id: Vendor) -> Option<&Trusted> {
        self.vendors.iter().find(|one| one.id == id)
    }

    pub(crate) fn vendor_mut(&mut self, id: Vendor) -> Option<&mut Trusted> {
        self.vendors.iter_mut().find(|one| one.id == id)
    }

    pub(crate) fn product(&self, key: ProductKey) -> Result<&Product, Denial> {
        let vendor = self.vendor(key.vendor).ok_or(Denial::UnknownVendor)?;
        let mut products = vendor.products.iter();
        products.find(|one| one.key == key).ok_or(Denial::UnknownProduct)
    }

    pub(crate) fn license(&self, serial: Serial) -> &License {
        let mut licenses = self.licenses.iter();
        licenses.find(|one| one.key.serial == serial).expect("it was imported")
    }

    pub(crate) fn license_mut(&mut self, serial: Serial) -> &mut License {
        let mut licenses = self.licenses.iter_mut();
        licenses.find(|one| one.key.serial == serial).expect("it was imported")
    }

    /// The licenses of a product that are here.
    pub(crate) fn of(&self, product: ProductKey) -> impl Iterator<Item = &License> {
        let present = self.licenses.iter().filter(|one| one.present());
        present.filter(move |one| one.key.product == product)
    }

    pub(crate) fn seat_place(&self, key: SeatKey) -> Option<usize> {
        self.seats.iter().position(|seat| seat.key == key)
    }

    pub(crate) fn former_of(&self, key: SeatKey) -> Option<Former> {
        let mut former = self.former.iter();
        former.find(|(one, _)| *one == key).map(|(_, former)| *former)
    }

    pub(crate) fn listed(&self, license: &License) -> Option<Blacklisting> {
        let vendor = self.vendor(license.key.product.vendor)?;
        let mut entries = vendor.blacklist.iter();
        entries.find(|entry| entry.0 == license.key.serial).map(|entry| entry.1)
    }

    pub(crate) fn status(&self, license: &License, now: Now) -> Status {
        match self.listed(license) {
            Some(Blacklisting::Blacklisted) => Status::Blacklisted,
            Some(Blacklisting::Superseded) => Status::Superseded,
            None if now.later() >= license.ends_at() => Status::Expired,
            None => Status::Valid,
        }
    }

    pub(crate) fn serves(&self, license: &License, now: Now) -> bool {
        license.present() && self.status(license, now) == Status::Valid
    }

    /// Seats, spent units and reserved units (rule S2).
    pub(crate) fn used(&self, serial: Serial) -> u32 {
        let seats = self.seats.iter().filter(|seat| seat.serial == serial).count();
        let spent = self.license(serial).spent.len();
        let reserved = self.reservations.iter().map(|one| {
            let units = one.units().filter(|unit| unit.1 == serial).count();
            units + one.held.iter().filter(|held| **held == serial).count()
        });
        number(seats + spent + reserved.sum::<usize>())
    }

    pub(crate) fn free(&self, license: &License) -> u32 {
        license.key.seats - self.used(license.key.serial)
    }

    /// The license that serves (rule S3).
    pub(crate) fn choose(&self, product: ProductKey, usage: Usage, now: Now) -> Option<Serial> {
        self.of(product)
            .filter(|one| one.key.usage == usage && self.serves(one, now) && self.free(one) > 0)
            .min_by_key(|one| (one.ends_at(), one.first_import, one.key.serial))
            .map(|one| one.key.serial)
    }

    /// Why no license of these usages has anything left.
    pub(crate) fn why_none(&self, product: ProductKey, usages: &[Usage], now: Now) -> Denial {
        let licenses = self.of(product).filter(|one| usages.contains(&one.key.usage));
        let found: Vec<_> = licenses.map(|one| self.status(one, now)).collect();
        let has = |status| found.contains(&status);
        let machines_alone = usages == [Usage::Machine];
        if found.is_empty() && machines_alone && self.of(product).count() > 0 {
            Denial::DeploymentOnly
        } else if found.is_empty() {
            Denial::NoLicense
        } else if has(Status::Valid) {
            Denial::SeatsExhausted
        } else if has(Status::Expired) {
            Denial::LicenseExpired
        } else if has(Status::Blacklisted) {
            Denial::LicenseBlacklisted
        } else {
            Denial::LicenseSuperseded
        }
    }

    /// Engages a seat that no component holds yet.
    pub(crate) fn engage(&mut self, product: &Product, key: SeatKey, serial: Serial, now: Now) -> Option<Former> {
        let former = self.former_of(key);
        self.former.retain(|(one, _)| *one != key);
        self.seats.push(Seat {
            key,
            serial,
            acquired_at: now.later(),
            renewed_at: now.later(),
            renew_by: product.idle_secs.map(|secs| now.later() + secs),
            single_use: product.single_use,
            holds: Vec::new(),
        });
        former
    }

    /// Ends a seat. What is single use is spent.
    pub(crate) fn end(&mut self, place: usize, cause: EndCause, at: u64) {
        let seat = self.seats.remove(place);
        if seat.single_use {
            self.spend(seat.serial, seat.key, at);
        }
        for hold in &seat.holds {
            self.leave(seat.key, hold, at);
        }
        self.former.retain(|(key, _)| *key != seat.key);
        self.former.push((seat.key, Former { ended_at: at, cause }));
    }

    /// "What components leave behind": identity and numbers, remembered as long as a former seat.
    pub(crate) fn leave(&mut self, seat: SeatKey, hold: &Hold, at: u64) {
        let Some(binding) = hold.binding.as_ref().and_then(Binding::left_behind) else {
            return;
        };
        let earlier = self.left.iter().filter(|one| one.seat == seat).map(|one| one.at);
        let last = earlier.max().unwrap_or(at).max(at);
        self.left
            .retain(|one| (one.seat, one.component) != (seat, hold.component));
        self.left.push(Left {
            seat,
            component: hold.component,
            binding,
            at,
        });
        for one in self.left.iter_mut().filter(|one| one.seat == seat) {
            one.at = last;
        }
    }

    /// What this component left behind, which binds anew.
    pub(crate) fn take_up(&mut self, seat: SeatKey, component: &str) -> Option<Binding> {
        let place = self.left_place(seat, component)?;
        Some(self.left.remove(place).binding)
    }

    pub(crate) fn left_place(&self, seat: SeatKey, component: &str) -> Option<usize> {
        self.left
            .iter()
            .position(|one| (one.seat, one.component) == (seat, component))
    }

    pub(crate) fn spend(&mut self, serial: Serial, seat: SeatKey, at: u64) {
        self.license_mut(serial).spent.push(SpentUnit {
            mac: seat.mac,
            at,
            reservation: None,
        });
    }

    /// How a product's seats and units stand, over the usages that were looked at (rule V2).
    pub(crate) fn seats_in_use(&self, product: ProductKey, usages: &[Usage], now: Now) -> SeatsInUse {
        let counts = self.counts(product, now);
        let of = |usage, tally: Tally| {
            if usages.contains(&usage) {
                tally
            } else {
                Tally::default()
            }
        };
        let (seats_of, units_of) = (of(Usage::Machine, counts.seats), of(Usage::Deployment, counts.units));
        let seats = self.seats.iter();
        let reusable = seats.filter(|seat| seat.key.product == product && !seat.single_use);
        let serving = reusable.filter(|seat| self.serves(self.license(seat.serial), now));
        SeatsInUse {
            used: seats_of.used + units_of.used,
            total: seats_of.total + units_of.total,
            earliest_renew_by: serving.filter_map(|seat| seat.renew_by).min(),
        }
    }
}

pub(crate) const fn plain(denial: Denial) -> Answer {
    Answer::Denied {
        denial,
        seats: None,
        former: None,
    }
}

pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).expect("the model stays small")
}
