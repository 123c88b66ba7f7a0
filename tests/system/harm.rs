//! What a disk may do to the store. The long campaigns are `seatsoak disk`.

use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::Now;
use seatkeeper::store::{Round, Store};
use seatkeeper_harm::{Event, Options, Place, Rounds, damage, faults, power};

#[test]
fn no_power_cut_loses_what_was_answered() {
    for seed in 0..3 {
        let told = power(Options::new(seed), 200);
        assert!(
            told.in_starts > 20 && told.checkpoints > 20 && told.rounds > 300,
            "{told:?}"
        );
    }
}

#[test]
fn no_failing_call_and_no_full_disk_loses_what_was_answered() {
    let told = faults(Options::new(1));
    assert!(
        told.calls > 500 && told.refused > 100 && told.survived > 100,
        "{told:?}"
    );
}

#[test]
fn damage_to_any_file_is_healed_or_refused() {
    let told = damage(1, 2);
    assert!(told.harms > 100 && told.healed > 10 && told.refused > 10, "{told:?}");
}

/// Found by `seatsoak world`: a generation that no manifest should have named, and then a power cut.
#[test]
fn a_disk_that_fails_beside_a_generation_that_does_not_hold_is_told_as_what_it_is() {
    let place = Place::new(Options::new(5));
    let (mut store, mut ledger, mut rounds) = (place.open().unwrap(), Ledger::default(), Rounds::new(7));
    store.load(&mut |_| ()).unwrap();
    let mut number = 0;
    // The third manifest names the first two generations.
    while !place.names("").contains(&"manifest.3".to_owned()) {
        number += 1;
        let changes = rounds.next(number);
        let round = Round {
            number,
            now: Now::at(number),
            changes: &changes,
        };
        store.commit(&round).unwrap();
        for change in &changes {
            ledger.evolve(change);
        }
        store.checkpoint(&ledger);
    }
    drop(store);
    let rows = "state.2/rows";
    let bytes = place.file(rows);
    place.put_file(rows, &bytes[..bytes.len() / 2]);
    let mut failed = 0;
    for call in 1..=40 {
        place.disk.plan(call, Event::Fail(std::io::ErrorKind::Other));
        if let Err(error) = place.open().and_then(|mut store| store.load(&mut |_| ())) {
            // It is the disk that failed, whatever was found before: nobody is told to restore a backup over what holds.
            place.disk.blame(&error);
            failed += 1;
        }
    }
    assert!(failed > 5, "only {failed} starts failed");
    place.disk.no_plan();
    place.open().unwrap().load(&mut |_| ()).unwrap();
}
