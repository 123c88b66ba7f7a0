//! The clock, and the dates that move with it.

use crate::{Clock, DAY, Now, State};

const START: u64 = 1_767_225_600;
const FAR: u64 = 4_070_908_800;

fn clock() -> Clock {
    let mut clock = Clock::default();
    clock.read(START, 0);
    clock
}

#[test]
fn a_clock_that_is_set_back_stands_still_until_it_has_caught_up() {
    let mut clock = clock();
    let (now, transition) = clock.read(START - 10, 60);
    assert_eq!((now.steady, transition.state), (START, State::SetBack));
    let (now, transition) = clock.read(START + 5, 75);
    assert_eq!((now.steady, transition.state), (START + 5, State::Sound));
}

#[test]
fn more_than_a_day_ahead_is_pending_and_exactly_a_day_is_not() {
    for (ahead, state) in [(DAY, State::Sound), (DAY + 1, State::Pending)] {
        let mut clock = clock();
        let (_, transition) = clock.read(START + 100 + ahead, 100);
        assert_eq!(transition.state, state);
    }
}

#[test]
fn a_start_allows_45_days_and_no_second_more() {
    for (ahead, state) in [(45 * DAY, State::Sound), (45 * DAY + 1, State::Pending)] {
        let mut clock = clock();
        clock.restart();
        let (_, transition) = clock.read(START + ahead, 3);
        assert_eq!(transition.state, state);
    }
}

#[test]
fn a_glitch_is_rejected_when_it_is_over_and_accepted_when_it_lasts() {
    let mut clock = clock();
    let (now, _) = clock.read(FAR, 60);
    assert_eq!(
        now,
        Now {
            steady: START + 60,
            calendar: FAR
        }
    );
    let mut lasting = clock.clone();
    let (now, transition) = clock.read(START + 120, 120);
    assert_eq!((now, transition.state), (Now::at(START + 120), State::Sound));
    assert_eq!(transition.rejected, Some((FAR - START - 60, START + 120)));
    let (now, transition) = lasting.read(FAR + DAY - 1, 60 + DAY - 1);
    assert_eq!((now.steady, transition.accepted), (START + 59 + DAY, false));
    let (now, transition) = lasting.read(FAR + DAY, 60 + DAY);
    assert_eq!((now, transition.accepted), (Now::at(FAR + DAY), true));
}

#[test]
fn a_jump_from_the_jump_is_another_one() {
    let mut clock = clock();
    clock.read(START + 10 * DAY, 0);
    let (_, transition) = clock.read(START + 20 * DAY, 0);
    assert_eq!(transition.rejected, Some((10 * DAY, START)));
    assert_eq!(clock.pending().unwrap().size, 20 * DAY);
}

#[test]
fn an_administrator_accepts_or_resets() {
    let mut clock = clock();
    assert!(!clock.accept());
    clock.read(FAR, 0);
    assert!(clock.accept());
    assert_eq!(clock.now(), Now::at(FAR));
    clock.read(START + 5, 5);
    assert_eq!(clock.now().steady, FAR);
    assert_eq!(clock.reset(), START + 5);
    assert_eq!(clock.now(), Now::at(START + 5));
}
