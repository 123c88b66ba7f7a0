//! The seats, by product and then by machine: a million of them are found by six bytes and not by forty-six, and take as
//! much less room.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::domain::ids::{Mac, ProductKey};
use crate::domain::seat::{Seat, SeatKey};

/// All seats. They are shared with the changes that made them, which go on to the disk, and are never changed in place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Seats {
    /// No map in it is empty.
    products: BTreeMap<ProductKey, BTreeMap<Mac, Arc<Seat>>>,
    len: usize,
}

impl Seats {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: &SeatKey) -> Option<&Seat> {
        self.products.get(&key.product_key())?.get(&key.mac).map(Arc::as_ref)
    }

    pub(super) fn contains_key(&self, key: &SeatKey) -> bool {
        self.get(key).is_some()
    }

    /// The seat of a key, to be put in another one's place.
    pub(super) fn get_mut(&mut self, key: &SeatKey) -> Option<&mut Arc<Seat>> {
        self.products.get_mut(&key.product_key())?.get_mut(&key.mac)
    }

    pub(super) fn insert(&mut self, key: &SeatKey, seat: Arc<Seat>) {
        let before = self
            .products
            .entry(key.product_key())
            .or_default()
            .insert(key.mac, seat);
        self.len += usize::from(before.is_none());
    }

    pub(super) fn remove(&mut self, key: &SeatKey) -> Option<Arc<Seat>> {
        let product = key.product_key();
        let seats = self.products.get_mut(&product)?;
        let seat = seats.remove(&key.mac)?;
        self.len -= 1;
        if seats.is_empty() {
            self.products.remove(&product);
        }
        Some(seat)
    }

    /// All of them, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SeatKey, &Arc<Seat>)> {
        self.behind(None)
    }

    /// Those with a greater key, in the order of their keys.
    pub(super) fn behind(&self, after: Option<SeatKey>) -> impl Iterator<Item = (SeatKey, &Arc<Seat>)> {
        let product = after.map(|after| after.product_key());
        let first = product.map_or(Bound::Unbounded, Bound::Included);
        self.products
            .range((first, Bound::Unbounded))
            .flat_map(move |(one, seats)| {
                let mac = after.filter(|_| Some(*one) == product).map(|after| after.mac);
                let first = mac.map_or(Bound::Unbounded, Bound::Excluded);
                seats
                    .range((first, Bound::Unbounded))
                    .map(|(mac, seat)| (one.seat(*mac), seat))
            })
    }

    /// Those of a product with a greater key, in the order of their keys.
    pub(super) fn of(
        &self,
        product: ProductKey,
        after: Option<SeatKey>,
    ) -> impl Iterator<Item = (SeatKey, &Arc<Seat>)> {
        let is_over = after.is_some_and(|after| after.product_key() > product);
        let seats = self.products.get(&product).filter(|_| !is_over);
        let mac = after
            .filter(|after| after.product_key() == product)
            .map(|after| after.mac);
        let first = mac.map_or(Bound::Unbounded, Bound::Excluded);
        seats.into_iter().flat_map(move |seats| {
            let behind = seats.range((first, Bound::Unbounded));
            behind.map(move |(mac, seat)| (product.seat(*mac), seat))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Serial, VendorId};
    use crate::domain::seat::MachineNote;
    use crate::domain::sorted_map::SortedMap;
    use crate::domain::time::Timestamp;

    fn key(vendor: u8, product: &str, mac: u8) -> SeatKey {
        SeatKey {
            vendor: VendorId([vendor; 16]),
            product: product.parse().unwrap(),
            mac: Mac::new([0, 0, 0, 0, 1, mac]).unwrap(),
        }
    }

    fn seat() -> Arc<Seat> {
        Arc::new(Seat {
            serial: Serial::FIRST,
            acquired_at: Timestamp(1),
            renewed_at: Timestamp(1),
            renew_by: None,
            single_use: false,
            machine: MachineNote::default(),
            components: SortedMap::new(),
        })
    }

    #[test]
    fn seats_stand_in_the_order_of_their_keys_and_behind_any_key_come_those_that_are_greater() {
        let keys = [
            key(1, "A", 1),
            key(1, "A", 9),
            key(1, "B", 5),
            key(2, "A", 2),
            key(2, "A", 3),
        ];
        let mut seats = Seats::default();
        for key in keys.iter().rev() {
            seats.insert(key, seat());
            seats.insert(key, seat());
        }
        assert_eq!(seats.len(), keys.len());
        assert!(seats.iter().map(|(key, _)| key).eq(keys));
        // Those that are there, and others before, between and behind them.
        let others = [
            key(0, "Z", 1),
            key(1, "A", 5),
            key(1, "AA", 7),
            key(1, "C", 1),
            key(3, "A", 1),
        ];
        for after in keys.into_iter().chain(others) {
            let behind = seats.behind(Some(after)).map(|(key, _)| key);
            assert!(behind.eq(keys.into_iter().filter(|key| *key > after)), "{after:?}");
            for product in keys.into_iter().chain(others).map(|key| key.product_key()) {
                let of = seats.of(product, Some(after)).map(|(key, _)| key);
                let expected = keys
                    .into_iter()
                    .filter(|key| *key > after && key.product_key() == product);
                assert!(of.eq(expected), "{product:?} behind {after:?}");
            }
        }
        for (left, key) in (0..keys.len()).rev().zip(&keys) {
            assert!(seats.remove(key).is_some() && seats.remove(key).is_none() && !seats.contains_key(key));
            assert_eq!(seats.len(), left);
        }
        assert_eq!(seats, Seats::default());
    }
}
