//! License keys: new ones, and often those of licenses that are or were here.

use super::History;
use super::asks::SERIALS;
use crate::state::License;
use crate::words::{DAY, Key, Kind, Serial, Usage, Validity};

impl History {
    pub(super) fn some_key(&mut self) -> Key {
        let mut serial = self.random.small(SERIALS);
        let ended = self
            .model
            .licenses
            .iter()
            .filter(|one| one.ends_at() <= self.now.later());
        let ended: Vec<_> = ended.map(|one| one.key.serial).collect();
        if !ended.is_empty() && self.random.percent(25) {
            serial = self.random.pick(&ended);
        }
        let known = self.model.licenses.iter().find(|one| one.key.serial == serial).cloned();
        match known {
            Some(license) if !self.random.percent(3) => self.known_key(&license),
            _ => self.new_key(serial),
        }
    }

    fn new_key(&mut self, serial: Serial) -> Key {
        let product = self.some_product();
        let catalogue = self.model.product(product).map(|one| one.offers.clone());
        let offers = catalogue.unwrap_or_else(|_| vec![Usage::Machine]);
        let usage = if self.random.percent(4) {
            Usage::Deployment
        } else {
            self.random.pick(&offers)
        };
        Key {
            serial,
            product,
            seats: 1 + self.random.small(4),
            usage,
            kind: self.random.pick(&[Kind::Commercial, Kind::Trial, Kind::Subscription]),
            validity: self.some_validity(serial),
            certificate: self.random.number(),
        }
    }

    /// Few serials are without end: a renewal of such a one cannot be later.
    fn some_validity(&mut self, serial: Serial) -> Validity {
        if serial.is_multiple_of(8) && self.random.percent(50) {
            return Validity::Forever;
        }
        if self.random.percent(50) {
            return Validity::Days(self.random.small(90));
        }
        let today = u32::try_from(self.now.steady / DAY).unwrap_or(0);
        Validity::ThroughDay(today + self.random.small(90) - 1)
    }

    /// The very same key, or one of the same serial that is larger, smaller, or both.
    fn known_key(&mut self, license: &License) -> Key {
        let mut key = license.key;
        let same = if license.present() { 10 } else { 50 };
        if self.random.percent(same) {
            return key;
        }
        key.certificate = self.random.number();
        let used = self.model.used(key.serial);
        if used > 1 && self.random.percent(15) {
            // Longer, with fewer seats than are used.
            key.seats = 1 + self.random.small(used - 1);
            key.validity = match key.validity {
                Validity::Days(days) => Validity::Days(days + 1),
                Validity::ThroughDay(day) => Validity::ThroughDay(day + 1),
                Validity::Forever => Validity::Forever,
            };
            return key;
        }
        key.seats = match self.random.below(10) {
            0 => key.seats.saturating_sub(1).max(1),
            1..6 => key.seats,
            _ if used + 3 < key.seats => key.seats,
            _ => key.seats + 1 + self.random.small(2),
        };
        key.validity = match (self.random.below(10), key.validity) {
            (0..4, validity) => validity,
            (4, Validity::Days(days)) => Validity::Days(days.saturating_sub(1)),
            (4, Validity::ThroughDay(day)) => Validity::ThroughDay(day - 1),
            (5, Validity::Days(days)) => Validity::Days(days + 1 + self.random.small(20)),
            (_, Validity::ThroughDay(day)) if u64::from(day) * DAY > self.now.steady + 60 * DAY => key.validity,
            _ => self.some_validity(key.serial),
        };
        if self.random.percent(2) {
            key.usage = match key.usage {
                Usage::Machine => Usage::Deployment,
                Usage::Deployment => Usage::Machine,
            };
        }
        key
    }
}
