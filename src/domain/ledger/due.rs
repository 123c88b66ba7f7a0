//! Seats by the moment at which they come free.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::domain::ids::{Mac, ProductKey};
use crate::domain::seat::SeatKey;
use crate::domain::time::Timestamp;

/// The seats that idle out, each product's for themselves: so a million of them take little room, and the earliest of a
/// product is at hand (rule V2), as is the earliest of all (rule S6).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Due {
    /// No set in it is empty.
    products: BTreeMap<Kind, BTreeSet<(Timestamp, Mac)>>,
    /// The earliest of each of them.
    earliest: BTreeSet<(Timestamp, Kind)>,
}

/// A product and whether its seats are spent when they end.
type Kind = (ProductKey, bool);

impl Due {
    pub(super) fn insert(&mut self, at: Timestamp, key: &SeatKey, single_use: bool) {
        let kind = (key.product_key(), single_use);
        let seats = self.products.entry(kind).or_default();
        let before = seats.first().copied();
        seats.insert((at, key.mac));
        match before {
            Some((first, _)) if first <= at => {}
            before => {
                if let Some((first, _)) = before {
                    self.earliest.remove(&(first, kind));
                }
                self.earliest.insert((at, kind));
            }
        }
    }

    pub(super) fn remove(&mut self, at: Timestamp, key: &SeatKey, single_use: bool) {
        let kind = (key.product_key(), single_use);
        let Some(seats) = self.products.get_mut(&kind) else {
            return;
        };
        seats.remove(&(at, key.mac));
        let next = seats.first().map(|(next, _)| *next);
        if next.is_none() {
            self.products.remove(&kind);
        }
        if next != Some(at) {
            // It was there only where nothing comes before `at`.
            if self.earliest.remove(&(at, kind)) {
                self.earliest.extend(next.map(|next| (next, kind)));
            }
        }
    }

    /// The earliest moment of all.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.earliest.first().map(|(at, _)| *at)
    }

    /// What comes free up to `until`, in the order in which it does, and at one moment in the order of the keys.
    pub(super) fn until(&self, until: Timestamp) -> impl Iterator<Item = (Timestamp, SeatKey)> {
        let due = self.earliest.iter().take_while(move |(at, _)| *at <= until);
        let mut products: Vec<_> = due
            .filter_map(|(_, kind)| Some((kind.0, self.products.get(kind)?.iter())))
            .collect();
        let mut next = BinaryHeap::with_capacity(products.len());
        for (place, (product, seats)) in products.iter_mut().enumerate() {
            next.extend(seats.next().map(|(at, mac)| Reverse((*at, product.seat(*mac), place))));
        }
        std::iter::from_fn(move || {
            let Reverse((at, key, place)) = next.pop()?;
            if let Some((product, seats)) = products.get_mut(place) {
                next.extend(seats.next().map(|(at, mac)| Reverse((*at, product.seat(*mac), place))));
            }
            (at <= until).then_some((at, key))
        })
    }

    /// The seats of a product that come back, the earliest first.
    pub(super) fn reusable(&self, product: ProductKey) -> impl Iterator<Item = (Timestamp, Mac)> {
        self.products.get(&(product, false)).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::VendorId;

    fn key((vendor, product, mac): (u8, u8, u8)) -> SeatKey {
        SeatKey {
            vendor: VendorId([vendor; 16]),
            product: char::from(b'A' + product).to_string().parse().unwrap(),
            mac: Mac::new([0, 0, 0, 0, 1, mac]).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_and_goes_the_earliest_come_first(
            steps in proptest::collection::vec((any::<bool>(), 0..6_u64, (0..2_u8, 0..2_u8, 0..4_u8), any::<bool>()), 0..80),
            until in 0..7_u64,
        ) {
            let mut due = Due::default();
            let mut naive = BTreeSet::new();
            for (is_added, at, seat, single_use) in steps {
                let (at, key) = (Timestamp(at), key(seat));
                if is_added {
                    due.insert(at, &key, single_use);
                    naive.insert((at, key, single_use));
                } else {
                    due.remove(at, &key, single_use);
                    naive.remove(&(at, key, single_use));
                }
                prop_assert_eq!(due.first(), naive.first().map(|(at, ..)| *at));
            }
            let all = |until: u64| {
                let due = naive.iter().filter(move |(at, ..)| *at <= Timestamp(until));
                due.map(|(at, key, _)| (*at, *key)).collect::<Vec<_>>()
            };
            prop_assert_eq!(due.until(Timestamp(until)).collect::<Vec<_>>(), all(until));
            let product = key((1, 0, 0)).product_key();
            let of_product = naive.iter().filter(|(_, key, single_use)| key.product_key() == product && !single_use);
            prop_assert!(due.reusable(product).eq(of_product.map(|(at, key, _)| (*at, key.mac))));
            for (at, key, single_use) in naive {
                due.remove(at, &key, single_use);
            }
            prop_assert_eq!(due, Due::default());
        }
    }
}
