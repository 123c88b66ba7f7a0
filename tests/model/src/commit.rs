//! Deployments that went well or failed (rules X1, X2, X4).

use crate::ask::{AbortRow, Answer, CommitRow, Denial};
use crate::model::{Model, plain};
use crate::state::{Reserved, SpentUnit};
use crate::words::{Mac, Now, ProductKey, ReservationId, SeatKey, Serial};

impl Model {
    pub(crate) fn commit(
        &mut self,
        id: ReservationId,
        product: ProductKey,
        macs: &[Mac],
        preferred_only: bool,
        now: Now,
    ) -> Answer {
        let macs = match self.named(id, product, macs) {
            Ok(macs) => macs,
            Err(denial) => return plain(denial),
        };
        let mut rows = Vec::new();
        for mac in macs {
            rows.push((mac, self.commit_one(id, product, mac, preferred_only, now)));
        }
        self.reservations.retain(|one| !one.is_over());
        Answer::Committed(rows)
    }

    /// The machines that were named, each once and in their order; without a list all that is left.
    fn named(&self, id: ReservationId, product: ProductKey, macs: &[Mac]) -> Result<Vec<Mac>, Denial> {
        let here = self.reservations.iter().find(|one| one.id == id);
        if here.is_none() {
            self.product(product)?;
        }
        if here.is_some_and(|one| one.product != product) {
            return Err(Denial::ReservationTaken);
        }
        let mut named = match here {
            None if macs.is_empty() => return Err(Denial::UnknownReservation),
            Some(here) if macs.is_empty() => here.machines.iter().map(|row| row.0).collect(),
            _ => macs.to_vec(),
        };
        named.sort_unstable();
        named.dedup();
        Ok(named)
    }

    fn commit_one(
        &mut self,
        id: ReservationId,
        product: ProductKey,
        mac: Mac,
        preferred_only: bool,
        now: Now,
    ) -> CommitRow {
        let reserved = self.give_back(id, mac);
        if let Some(serial) = reserved
            && self.serves(self.license(serial), now)
        {
            return self.spend_unit(id, mac, serial, now);
        }
        if reserved.is_none() && self.was_committed(id, product, mac) {
            return CommitRow::AlreadyCommitted;
        }
        if self.is_covered(SeatKey { product, mac }, now) {
            return CommitRow::Covered;
        }
        let product = match self.product(product) {
            Ok(product) => product.clone(),
            Err(denial) => return CommitRow::Refused(denial),
        };
        match self.provide(&product, mac, preferred_only, now) {
            Ok(Reserved::Covered) => CommitRow::Covered,
            Ok(Reserved::Seat) => CommitRow::Seat,
            Ok(Reserved::Unit(serial)) => self.spend_unit(id, mac, serial, now),
            Err(denial) => CommitRow::Refused(denial),
        }
    }

    fn spend_unit(&mut self, id: ReservationId, mac: Mac, serial: Serial, now: Now) -> CommitRow {
        self.license_mut(serial).spent.push(SpentUnit {
            mac,
            at: now.later(),
            reservation: Some(id),
        });
        CommitRow::Spent(serial)
    }

    /// Takes a machine out of its reservation; answers the unit that was reserved for it.
    fn give_back(&mut self, id: ReservationId, mac: Mac) -> Option<Serial> {
        let here = self.reservations.iter_mut().find(|one| one.id == id)?;
        let place = here.machines.iter().position(|row| row.0 == mac)?;
        match here.machines.remove(place).1 {
            Reserved::Unit(serial) => Some(serial),
            Reserved::Covered | Reserved::Seat => None,
        }
    }

    fn was_committed(&self, id: ReservationId, product: ProductKey, mac: Mac) -> bool {
        let licenses = self.licenses.iter().filter(|one| one.key.product == product);
        let mut spent = licenses.flat_map(|one| &one.spent);
        spent.any(|unit| unit.reservation == Some(id) && unit.mac == mac)
    }

    pub(crate) fn abort(&mut self, id: ReservationId, product: ProductKey, macs: &[Mac]) -> Answer {
        let named = match self.named(id, product, macs) {
            Ok(named) => named,
            Err(denial) => return plain(denial),
        };
        let mut rows = Vec::new();
        for mac in named {
            let here = self.reservations.iter().find(|one| one.id == id);
            let listed = here.is_some_and(|one| one.machines.iter().any(|row| row.0 == mac));
            let row = if self.give_back(id, mac).is_some() {
                AbortRow::GivenBack
            } else if listed && self.seat_place(SeatKey { product, mac }).is_some() {
                AbortRow::Covered
            } else if self.was_committed(id, product, mac) {
                AbortRow::AlreadyCommitted
            } else {
                AbortRow::NothingReserved
            };
            rows.push((mac, row));
        }
        if macs.is_empty() {
            self.reservations.retain(|one| one.id != id);
        }
        self.reservations.retain(|one| !one.is_over());
        Answer::Aborted(rows)
    }
}
