//! What a disk may do to the store. The long campaigns are `seatsoak disk`.

use seatkeeper_harm::{Options, damage, faults, power};

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
