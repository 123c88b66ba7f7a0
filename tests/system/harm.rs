//! What a disk may do to the store. The long campaigns are `seatsoak disk`.

use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::Now;
use seatkeeper::store::{Round, Store};
use seatkeeper_harm::{Decided, Event, Kinds, Options, Place, damage, faults, foundings, power, tails};

#[test]
fn no_power_cut_loses_what_was_answered() {
    for seed in 0..3 {
        let told = power(Options::new(seed), 100);
        assert!(
            told.in_starts > 10 && told.checkpoints > 20 && told.without_newest > 10 && told.rounds > 150,
            "{told:?}"
        );
    }
}

#[test]
fn no_power_cut_loses_what_was_answered_where_what_is_old_goes() {
    for seed in 0..3 {
        let told = power(Options::aging(seed), 75);
        assert!(
            told.in_starts > 10 && told.checkpoints > 10 && told.without_newest > 5 && told.rounds > 100,
            "{told:?}"
        );
    }
}

#[test]
fn no_power_cut_in_a_founding_or_right_behind_it_loses_what_was_answered() {
    for seed in 0..4 {
        let told = foundings(Options::new(seed), 90);
        assert!(told.in_starts > 40 && told.rounds > 200, "{told:?}");
    }
}

#[test]
fn no_power_cut_brings_back_what_a_repair_has_cut_off() {
    let told = tails(Options::new(0));
    assert!(told.cut > 40 && told.again > 10, "{told:?}");
}

#[test]
fn no_failing_call_loses_what_was_answered_where_what_is_old_goes() {
    let told = faults(Options::aging(2), 9, Kinds::ByTurns);
    assert!(told.calls > 30 && told.refused > 5 && told.survived > 5, "{told:?}");
}

#[test]
fn no_failing_call_and_no_full_disk_loses_what_was_answered() {
    let told = faults(Options::new(1), 1, Kinds::ByTurns);
    assert!(told.calls > 220 && told.refused > 100 && told.survived > 80, "{told:?}");
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
    let (mut store, mut ledger, mut rounds) = (place.open().unwrap(), Ledger::default(), Decided::new(7));
    store.load(&mut |_| ()).unwrap();
    let mut number = 0;
    // The third manifest names the first two generations.
    while !place.names("").contains(&"manifest.3".to_owned()) {
        number += 1;
        rounds.commit(&mut store, &mut ledger, number).unwrap();
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

/// A segment can be there by a name whose sync failed: what is answered must not hang on it, also where a full disk has no
/// later segment made, by which it would have been synced.
#[test]
fn a_segment_whose_name_could_not_be_synced_lasts_once_a_start_has_taken_it() {
    let mut used = 0;
    for call in 1..45 {
        for seed in 0..4 {
            let place = Place::new(Options::new(seed));
            place.disk.plan(call, Event::Fail(std::io::ErrorKind::Other));
            drop(place.open().and_then(|mut store| store.load(&mut |_| ())));
            place.disk.no_plan();
            let (mut store, mut ledger, mut rounds) = (place.open().unwrap(), Ledger::default(), Decided::new(seed));
            store.load(&mut |_| ()).unwrap();
            place.disk.plan(1, Event::Full);
            let mut answered = 0;
            loop {
                if let Err(error) = rounds.commit(&mut store, &mut ledger, answered + 1) {
                    place.disk.blame(&error);
                    break;
                }
                answered += 1;
            }
            drop(store);
            place.disk.power_on();
            let loaded = place.open().and_then(|mut store| store.load(&mut |_| ()));
            let loaded = loaded.unwrap_or_else(|error| panic!("call {call}, seed {seed}: {error}"));
            assert_eq!(loaded.round, answered, "call {call}, seed {seed}");
            used += answered;
        }
    }
    assert!(used > 1_000, "only {used} rounds");
}

/// Found by `seatsoak disk`: a name that was given and not synced was believed by the start behind it.
#[test]
fn a_founding_that_failed_at_any_call_and_was_done_again_lasts_through_a_power_cut() {
    let mut failed = 0;
    for call in 1..40 {
        for seed in 0..8 {
            let place = Place::new(Options::new(seed));
            place.disk.plan(call, Event::Fail(std::io::ErrorKind::Other));
            let founded = place.open().and_then(|mut store| store.load(&mut |_| ()));
            place.disk.no_plan();
            if founded.is_ok() {
                continue;
            }
            failed += 1;
            let mut store = place.open().unwrap();
            store.load(&mut |_| ()).unwrap();
            let now = Now::at(1);
            let (changes, _) = Decided::new(seed).next(&Ledger::default(), now);
            let round = Round {
                number: 1,
                now,
                changes: &changes,
            };
            store.commit(&round).unwrap();
            place.disk.plan(1, Event::PowerCut);
            drop(store.commit(&Round { number: 2, ..round }));
            drop(store);
            place.disk.power_on();
            let loaded = place.open().and_then(|mut store| store.load(&mut |_| ()));
            let loaded = loaded.unwrap_or_else(|error| panic!("call {call}, seed {seed}: {error}"));
            assert!(loaded.round >= 1, "call {call}, seed {seed}: {loaded:?}");
        }
    }
    assert!(failed > 50, "only {failed} foundings failed");
}
