//! Identities, copies and lost answers: rule I7.

use super::fixture::*;
use crate::domain::change::EventKind;
use crate::domain::command::Command;
use crate::domain::denial::Denial;
use crate::domain::ledger::Ledger;
use crate::domain::reply::Reply;
use crate::domain::seat::{Binding, Bound, ConflictKind, DISPLACED_MAX, Displaced};
use crate::domain::time::Timestamp;

fn bound(site: &mut Site, machine: u16) -> Bound {
    let seat = site.seat(machine, "SERVER").unwrap();
    match &seat.components[&component("agent")] {
        Binding::Identity(bound) => bound.clone(),
        Binding::Unbound => panic!("nothing is bound"),
    }
}

// proves I7
#[test]
fn lost_answers_in_any_number_and_order_are_no_conflict() {
    let fresh = Site::with(&[key(1, "SERVER", 1)]);
    // Each bit says whether the answer to one of twelve checkouts is lost.
    for lost in 0_u32..1 << 12 {
        let mut site = fresh.clone();
        let mut number = 0;
        for step in 0..12 {
            let grant = site.at(step).grant(agent(1).with(number));
            assert_eq!(grant.conflict, None, "lost {lost:b}, step {step}");
            if lost >> step & 1 == 0 {
                number = grant.continuation;
            }
        }
    }
}

/// Two disks with the same identity check out as `runs` says; answers the length of the run that found them out.
fn found_out_after(site: &mut Site, number: u64, runs: u32, len: u32) -> Option<u32> {
    let mut numbers = [number; 2];
    (0..len).find_map(|step| {
        let who = usize::try_from(runs >> step & 1).unwrap();
        let grant = site.grant(agent(1).with(numbers[who]));
        numbers[who] = grant.continuation;
        grant.conflict.map(|conflict| {
            assert_eq!(conflict.kind, ConflictKind::StaleContinuation);
            step + 1
        })
    })
}

/// The checkouts after which both disks have run and the first of them has run again.
fn back_again(runs: u32, len: u32) -> Option<u32> {
    let first = runs & 1;
    let other = (0..len).find(|step| runs >> step & 1 != first)?;
    (other..len).find(|step| runs >> step & 1 == first).map(|step| step + 1)
}

// proves I7
#[test]
fn a_copied_disk_shows_itself_when_either_runs_again_after_both_have_run() {
    const LEN: u32 = 10;
    let fresh = Site::with(&[key(1, "SERVER", 1)]);
    for runs in 0..1 << LEN {
        for runs_before_copy in 0..4 {
            let mut site = fresh.clone();
            let number = (0..runs_before_copy).fold(0, |number, _| site.grant(agent(1).with(number)).continuation);
            let found = found_out_after(&mut site, number, runs, LEN);
            match back_again(runs, LEN) {
                Some(limit) => assert!(found.is_some_and(|step| step <= limit), "{runs:010b}: {found:?}"),
                None if runs == 0 || runs + 1 == 1 << LEN => assert_eq!(found, None, "one disk alone is no copy"),
                None => {}
            }
        }
    }
}

// proves I7
#[test]
fn a_copy_shows_itself_as_soon_where_the_seat_had_ended_since() {
    for runs_before in 1..6 {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        let number = (0..runs_before).fold(0, |number, _| site.grant(agent(1).with(number)).continuation);
        site.at(IDLE);
        // Strict alternation: original, copy, original.
        let found = found_out_after(&mut site, number, 0b010, 3);
        assert_eq!(found, Some(3), "{runs_before} checkouts before");
    }
}

// proves I7
#[test]
fn a_number_that_is_answered_is_never_the_one_that_was_sent() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    for sent in [0, 1, 2, 3, 3, 5, u64::MAX, 0, 9, u64::MAX - 1] {
        for identity in [1, 2] {
            let answered = site.grant(agent(1).under(identity).with(sent)).continuation;
            assert!(answered != sent && answered != 0, "{answered} for {sent}");
        }
        site.end_seat(1, "SERVER");
        assert_ne!(site.grant(agent(1).with(sent)).continuation, sent);
    }
}

// proves I7
#[test]
fn a_disk_rolled_back_by_two_checkouts_is_a_conflict_that_stands_and_is_counted() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let mut number = site.grant(agent(1)).continuation;
    let rolled_back_to = number;
    for _ in 0..2 {
        number = site.grant(agent(1).with(number)).continuation;
    }
    let grant = site.at(10).grant(agent(1).with(rolled_back_to));
    let seen = grant.conflict.unwrap();
    assert_eq!((seen.kind, seen.count), (ConflictKind::StaleContinuation, 1));
    // It stands on, also when nothing more is seen.
    let later = site.at(20).grant(agent(1).with(grant.continuation)).conflict;
    assert_eq!(later, Some(seen));
    assert_eq!(bound(&mut site, 1).others.conflict, Some(seen));
    let told = site.events(|event| match event {
        EventKind::ConflictSeen { kind, .. } => Some(*kind),
        _ => None,
    });
    assert_eq!(told, [ConflictKind::StaleContinuation]);
    let Reply::Status(status) = site.serve(&Command::Status) else {
        panic!("no status");
    };
    assert_eq!(status.conflicts, 1);
}

// proves I7
#[test]
fn another_identity_is_honoured_keeps_the_seat_and_is_an_event() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let acquired_at = site.grant(agent(1)).acquired_at;
    let grant = site.at(DAY).grant(agent(1).under(9));
    assert_eq!((grant.acquired_at, grant.conflict), (acquired_at, None));
    assert_eq!(bound(&mut site, 1).identity, identity(9));
    let rebound = site.events(|event| match event {
        EventKind::Rebound { from, to, .. } => Some((*from, *to)),
        _ => None,
    });
    assert_eq!(rebound, [(identity(1), identity(9))]);
}

// proves I7
#[test]
fn an_identity_that_comes_back_within_a_day_of_its_displacement_is_a_conflict() {
    for (after, expected) in [
        (0, Some(ConflictKind::AlternatingIdentity)),
        (DAY - 1, Some(ConflictKind::AlternatingIdentity)),
        (DAY, None),
        (DAY + 1, None),
    ] {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        site.grant(agent(1));
        site.at(5 * DAY).grant(agent(1).under(9));
        let grant = site.at(5 * DAY + after).grant(agent(1));
        assert_eq!(grant.conflict.map(|conflict| conflict.kind), expected, "{after}");
    }
}

// proves I7
#[test]
fn identities_one_after_the_other_are_no_conflict() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    for identity in 1..=9 {
        assert_eq!(site.grant(agent(1).under(identity)).conflict, None, "{identity}");
    }
    assert_eq!(bound(&mut site, 1).others.displaced.len(), DISPLACED_MAX);
}

/// Has identities 1 to `copies` take turns, an hour apart; answers the checkout that found them out, counted from 1.
fn turn_found_out(copies: u8, rounds: u8) -> Option<u64> {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let turns = (0..rounds).flat_map(|_| 1..=copies);
    (1..).zip(turns).find_map(|(turn, copy)| {
        let conflict = site.at(turn * 3_600).grant(agent(1).under(copy)).conflict?;
        assert_eq!(conflict.kind, ConflictKind::AlternatingIdentity);
        Some(turn)
    })
}

// proves I7
#[test]
fn up_to_five_copies_that_take_turns_are_found_out_when_the_first_is_back() {
    for copies in 2..=5 {
        assert_eq!(turn_found_out(copies, 2), Some(u64::from(copies) + 1), "{copies}");
    }
    assert_eq!(turn_found_out(6, 3), None, "more are not remembered");
}

// proves I7
#[test]
fn a_copy_between_others_is_a_conflict_within_a_day_of_its_own_displacement() {
    for (after, expected) in [(DAY - 1, true), (DAY, false)] {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        site.grant(agent(1));
        site.at(100).grant(agent(1).under(2));
        site.at(200).grant(agent(1).under(3));
        // The last rebinding was later: it is not what the day runs from.
        let grant = site.at(100 + after).grant(agent(1));
        assert_eq!(grant.conflict.is_some(), expected, "{after}");
        let displaced: Vec<_> = bound(&mut site, 1)
            .others
            .displaced
            .iter()
            .map(|one| one.identity)
            .collect();
        let still = [2, 3].map(identity);
        assert_eq!(displaced, still, "{after}");
    }
}

// proves I7
#[test]
fn an_identity_is_forgotten_a_day_after_its_displacement() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    for (at, identity) in [(0, 1), (10, 2), (20, 3), (DAY + 10, 4)] {
        site.at(at).grant(agent(1).under(identity));
    }
    let left = [(2, 20), (3, DAY + 10)].map(|(number, at)| Displaced {
        identity: identity(number),
        at: Timestamp(START + at),
    });
    assert_eq!(bound(&mut site, 1).others.displaced, left);
}

// proves I7
#[test]
fn a_rebound_identity_releases_after_thirty_days_and_not_before() {
    let mut site = Site::with(&[key(1, "FOREVER", 1)]);
    let ask = agent(1).of("FOREVER");
    site.grant(ask);
    site.at(100).grant(ask.under(9));
    for after in [0, 30 * DAY - 1] {
        let reply = site.at(100 + after).release(ask.under(9));
        assert!(matches!(denial(&reply), Denial::ReboundRecently { until } if until.0 == START + 100 + 30 * DAY));
    }
    // A renewal is no rebinding: it does not start the wait anew.
    site.grant(ask.under(9));
    let reply = site.at(100 + 30 * DAY).release(ask.under(9));
    assert!(matches!(reply, Reply::Released { seat_freed: true, .. }));
}

// proves I7
#[test]
fn a_displaced_identity_cannot_release() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).under(9));
    assert_eq!(denial(&site.at(DAY).release(agent(1))), Denial::IdentityNotBound);
    assert_eq!(site.counts("SERVER").used, 1);
}

// proves I7
#[test]
fn an_ephemeral_component_binds_nothing_and_never_conflicts() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    for (identity, number) in [(1, 0), (2, 7), (1, 0), (2, 3)] {
        let grant = site.grant(agent(1).part("disc").under(identity).with(number));
        assert_eq!((grant.continuation, grant.conflict), (0, None));
    }
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!(seat.components[&component("disc")], Binding::Unbound);
}

// proves I7
#[test]
fn bindings_of_two_components_on_one_seat_do_not_touch() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let mut numbers = [0, 0];
    for _ in 0..5 {
        for (number, (name, identity)) in numbers.iter_mut().zip([("agent", 1), ("cli", 2)]) {
            let grant = site.grant(agent(1).part(name).under(identity).with(*number));
            assert_eq!(grant.conflict, None);
            *number = grant.continuation;
        }
    }
    assert!(matches!(
        site.release(agent(1)),
        Reply::Released { components_left: 1, .. }
    ));
}

// proves I2
// proves I7
#[test]
fn the_same_checkout_is_answered_alike_after_a_crash() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let mut number = 0;
    for step in 0..6 {
        let ask = agent(1).with(number);
        // The crash came before the round was durable: the checkout is decided as if it had never come.
        let mut before = reloaded(&site);
        let first = site.at(step).grant(ask);
        let command = Command::Checkout(ask.checkout());
        let (reply, _) = before.apply(peer(1), &command, site.now);
        assert_eq!(reply, Reply::Seat(Box::new(first.clone())));
        // It came between round and answer: the repetition is answered as by the server that did not crash.
        let mut after = reloaded(&site);
        let repeated = site.grant(ask);
        let (reply, _) = after.apply(peer(1), &command, site.now);
        assert_eq!(reply, Reply::Seat(Box::new(repeated.clone())));
        assert_eq!((repeated.conflict, repeated.acquired_at), (None, first.acquired_at));
        number = repeated.continuation;
    }
}

fn reloaded(site: &Site) -> Ledger {
    let mut ledger = Ledger::default();
    for change in &site.log {
        ledger.record(&change.fact);
    }
    ledger
}
