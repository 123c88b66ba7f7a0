//! What histories come to see.

use std::collections::BTreeMap;

use crate::{Answer, History, ImportOutcome};

/// What has to be seen, each at least 30 times.
const WORDS: [&str; 57] = [
    "Added",
    "AlreadyCommitted",
    "AlreadyPresent",
    "AlternatingIdentity",
    "BlacklistImported",
    "BlacklistNotNewer",
    "Blacklisted",
    "CatalogueImported",
    "CatalogueNotNewer",
    "ClockMoved",
    "Conflict",
    "Counts",
    "Covered",
    "DeploymentOnly",
    "EngagedAgain",
    "Expired",
    "GivenBack",
    "Granted",
    "Held",
    "IdentityNotBound",
    "JumpAccepted",
    "JumpRejected",
    "LicenseBlacklisted",
    "LicenseExpired",
    "LicenseInUse",
    "LicenseSuperseded",
    "NoJumpPending",
    "NoLicense",
    "NotARenewal",
    "NotCounted",
    "NothingHeld",
    "NothingReserved",
    "Pending",
    "RebindPending",
    "ReboundRecently",
    "Refused",
    "Released",
    "Removed",
    "Renewed",
    "RequiredProduct",
    "ReservationTaken",
    "ReservationTooLong",
    "Resolved",
    "Seat",
    "SeatsExhausted",
    "SerialTaken",
    "SetBack",
    "Sound",
    "Spent",
    "StaleContinuation",
    "Superseded",
    "TooManyComponents",
    "Unit",
    "UnknownProduct",
    "UnknownReservation",
    "UnknownVendor",
    "UsageNotOffered",
];

/// Counts what was answered, by the first word of its name.
fn tally(tallies: &mut BTreeMap<String, u32>, thing: &impl std::fmt::Debug) {
    let name = format!("{thing:?}");
    let word = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    *tallies.entry(word).or_default() += 1;
}

fn run(seed: u64, turns: u32, tallies: &mut BTreeMap<String, u32>) {
    let mut history = History::new(seed);
    for _ in 0..turns {
        let turn = history.turn();
        history.model().assert_s2();
        if let Some(transition) = turn.transition {
            tally(tallies, &transition.state);
            let rejected = transition.rejected.map(|_| "JumpRejected");
            let accepted = transition.accepted.then_some("JumpAccepted");
            for word in rejected.into_iter().chain(accepted) {
                *tallies.entry(word.to_owned()).or_default() += 1;
            }
        }
        match &turn.answer {
            None => {}
            Some(Answer::Denied { denial, .. }) => tally(tallies, denial),
            Some(Answer::Imported(ImportOutcome::Refused(refusal))) => tally(tallies, refusal),
            Some(Answer::Imported(outcome)) => tally(tallies, outcome),
            Some(Answer::Seat { kind, conflict, .. }) => {
                let number = history.model().some_number();
                history.told(number);
                tally(tallies, kind);
                let fresh = conflict.filter(|one| one.last_seen == turn.now.steady);
                if let Some(one) = fresh {
                    tally(tallies, &one.kind);
                }
            }
            Some(Answer::Reserved {
                machines: rows, held, ..
            }) => {
                for row in rows {
                    tally(tallies, &row.1);
                }
                *tallies.entry("Held".to_owned()).or_default() += u32::try_from(held.len()).unwrap();
            }
            Some(Answer::Committed(rows)) => {
                for row in rows {
                    tally(tallies, &row.1);
                }
            }
            Some(Answer::Aborted(rows)) => {
                for row in rows {
                    tally(tallies, &row.1);
                }
            }
            Some(answer) => tally(tallies, answer),
        }
    }
}

#[test]
fn histories_get_everywhere() {
    let mut tallies = BTreeMap::new();
    for seed in 0..300 {
        run(seed, 300, &mut tallies);
    }
    for word in WORDS {
        let count = tallies.get(word).copied().unwrap_or(0);
        assert!(count >= 30, "{word}: {count}; {tallies:#?}");
    }
}

#[test]
fn a_seed_tells_the_same_history_again() {
    let tell = || {
        let mut history = History::new(7);
        let mut turns = Vec::new();
        for _ in 0..300 {
            let turn = history.turn();
            if matches!(turn.answer, Some(Answer::Seat { .. })) {
                let number = history.model().some_number();
                history.told(number);
            }
            turns.push(turn);
        }
        turns
    };
    assert_eq!(tell(), tell());
}
