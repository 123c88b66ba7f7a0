//! What every store keeps to, whatever it is made of.

use std::collections::BTreeMap;

use seatkeeper::domain::change::Fact;
use seatkeeper::domain::time::Now;
use seatkeeper::store::{DiskStore, Loaded, MemoryStore, Round, Store, StoreError};

use crate::support::{changes, every_put, license, record, seat_key, seat_put, serial};

/// A place that a store can be opened at again and again.
trait Place {
    type Store: Store;

    fn open(&self) -> Self::Store;
}

struct Memory(MemoryStore);

impl Place for Memory {
    type Store = MemoryStore;

    fn open(&self) -> MemoryStore {
        self.0.reopen()
    }
}

struct Disk(tempfile::TempDir);

impl Place for Disk {
    type Store = DiskStore;

    fn open(&self) -> DiskStore {
        DiskStore::open(self.0.path()).unwrap()
    }
}

/// What a store holds, in the order of the keys.
fn load(store: &mut impl Store) -> (Loaded, Vec<Fact>) {
    let mut facts = BTreeMap::new();
    let loaded = store.load(&mut |fact| record(&mut facts, fact)).unwrap();
    (loaded, facts.into_values().collect())
}

fn commit(store: &mut impl Store, number: u64, facts: impl IntoIterator<Item = Fact>) -> Result<(), StoreError> {
    store.commit(&Round {
        number,
        now: Now::at(1_000 + number),
        changes: &changes(facts),
    })
}

fn assert_same_facts(found: &[Fact], expected: &[Fact]) {
    assert_eq!(found.len(), expected.len());
    for fact in expected {
        assert!(found.contains(fact), "{fact:?} is not there");
    }
}

fn a_new_store_is_empty(place: &impl Place) {
    let (loaded, facts) = load(&mut place.open());
    let empty = Loaded { round: 0, now: None };
    assert_eq!((loaded, facts.len()), (empty, 0));
    assert_eq!(load(&mut place.open()).0, empty);
}

fn what_is_committed_is_there_after_reopening(place: &impl Place) {
    let mut store = place.open();
    load(&mut store);
    commit(&mut store, 1, every_put()).unwrap();
    drop(store);
    let (loaded, facts) = load(&mut place.open());
    assert_same_facts(&facts, &every_put());
    assert_eq!((loaded.round, loaded.now), (1, Some(Now::at(1_001))));
}

fn replaced_and_deleted_values_stay_so(place: &impl Place) {
    let mut store = place.open();
    load(&mut store);
    commit(&mut store, 1, every_put()).unwrap();
    commit(&mut store, 2, [seat_put(0, 5_000), Fact::SeatEnded(seat_key(1))]).unwrap();
    drop(store);
    let mut store = place.open();
    load(&mut store);
    commit(
        &mut store,
        3,
        [Fact::LicenseRemoved(serial(3)), Fact::FormerDropped(seat_key(50))],
    )
    .unwrap();
    commit(&mut store, 4, [Fact::SeatEnded(seat_key(999))]).unwrap();
    drop(store);
    let gone = [
        seat_put(0, 1_000),
        seat_put(1, 1_000),
        Fact::LicensePut(Box::new(license(3))),
    ];
    let mut expected = every_put();
    expected.retain(|fact| !gone.contains(fact) && !matches!(fact, Fact::FormerPut(key, _) if *key == seat_key(50)));
    expected.push(seat_put(0, 5_000));
    let (loaded, facts) = load(&mut place.open());
    assert_same_facts(&facts, &expected);
    assert_eq!(loaded.round, 4);
}

fn the_last_change_of_a_key_counts(place: &impl Place) {
    let mut store = place.open();
    load(&mut store);
    let gone_and_back = [Fact::SeatEnded(seat_key(1)), seat_put(1, 700)];
    let there_and_gone = [seat_put(2, 600), Fact::SeatEnded(seat_key(2))];
    commit(&mut store, 1, gone_and_back.into_iter().chain(there_and_gone)).unwrap();
    drop(store);
    assert_eq!(load(&mut place.open()).1, [seat_put(1, 700)]);
}

fn a_round_that_cannot_be_stored_leaves_nothing(place: &impl Place) {
    let mut store = place.open();
    load(&mut store);
    commit(&mut store, 1, [seat_put(1, 1_000)]).unwrap();
    let mut unstorable = license(2);
    unstorable.claims.seats = 0;
    let facts = [
        seat_put(2, 1_000),
        Fact::LicensePut(Box::new(unstorable)),
        seat_put(3, 1_000),
    ];
    let error = commit(&mut store, 2, facts).unwrap_err();
    assert!(
        matches!(&error, StoreError::Unstorable { key, .. } if key.contains("license")),
        "{error}"
    );
    assert!(matches!(
        commit(&mut store, 3, [seat_put(4, 1_000)]),
        Err(StoreError::Poisoned)
    ));
    assert!(matches!(store.load(&mut |_| ()), Err(StoreError::Poisoned)));
    drop(store);
    let (loaded, facts) = load(&mut place.open());
    assert_eq!((loaded.round, facts), (1, vec![seat_put(1, 1_000)]));
}

fn rounds_follow_one_another(place: &impl Place) {
    let mut store = place.open();
    assert!(matches!(
        commit(&mut store, 1, [seat_put(1, 1_000)]),
        Err(StoreError::NotLoaded)
    ));
    load(&mut store);
    commit(&mut store, 1, [seat_put(1, 1_000)]).unwrap();
    let error = commit(&mut store, 1, [seat_put(2, 1_000)]).unwrap_err();
    assert!(matches!(error, StoreError::RoundOrder { last: 1, number: 1 }));
    assert!(matches!(commit(&mut store, 2, []), Err(StoreError::Poisoned)));
    drop(store);
    let mut store = place.open();
    load(&mut store);
    let error = commit(&mut store, 3, [seat_put(2, 1_000)]).unwrap_err();
    assert!(matches!(error, StoreError::RoundOrder { last: 1, number: 3 }));
}

fn thousands_of_records_come_back(place: &impl Place) {
    let mut store = place.open();
    load(&mut store);
    for number in 0..5 {
        let from = u32::try_from(number).unwrap() * 1_000;
        commit(&mut store, number + 1, (from..from + 1_000).map(|n| seat_put(n, 1_000))).unwrap();
    }
    let odd = (0..5_000).filter(|n| n % 2 == 1);
    commit(&mut store, 6, odd.map(|n| Fact::SeatEnded(seat_key(n)))).unwrap();
    drop(store);
    let (_, facts) = load(&mut place.open());
    let expected: Vec<_> = (0..5_000).filter(|n| n % 2 == 0).map(|n| seat_put(n, 1_000)).collect();
    assert!(facts == expected, "the facts differ");
}

macro_rules! contract {
    ($place:expr; $($claim:ident)*) => {
        $(
            #[test]
            fn $claim() {
                super::$claim(&$place);
            }
        )*
    };
    ($place:expr) => {
        contract! {
            $place;
            a_new_store_is_empty
            what_is_committed_is_there_after_reopening
            replaced_and_deleted_values_stay_so
            the_last_change_of_a_key_counts
            a_round_that_cannot_be_stored_leaves_nothing
            rounds_follow_one_another
            thousands_of_records_come_back
        }
    };
}

mod memory {
    use super::{Memory, MemoryStore};

    contract!(Memory(MemoryStore::new()));
}

mod disk {
    use super::Disk;

    contract!(Disk(tempfile::tempdir().unwrap()));
}
