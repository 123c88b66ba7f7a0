//! The time across rounds and starts (rule T2), and what refusals leave behind (rule V3).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::timekeeper::Standing;

/// 2099-01-01 00:00 UTC.
const FAR: u64 = 4_070_908_800;
const HOUR: u64 = 3_600;

/// What the clocks say: the calendar, and for how many seconds this start has been counting.
fn reading(calendar: u64, counted_secs: u64) -> Reading {
    Reading {
        calendar: Timestamp(calendar),
        counted: Monotonic(1 + counted_secs * 1_000),
    }
}

/// A server with one seat held since the start, and its disk.
fn served() -> (Writer<MemoryStore>, MemoryStore) {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let mut writer = writer(store);
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, reading(START, 0)).expect("commits");
    (writer, disk)
}

fn seats<S: Store>(writer: &mut Writer<S>, reading: Reading) -> usize {
    let replies = writer.round(&[all_seats()], reading).expect("commits");
    seats_listed(&replies[0])
}

fn ask<S: Store>(writer: &mut Writer<S>, command: Command, reading: Reading) -> Reply {
    let replies = writer.round(&[as_server(command)], reading).expect("commits");
    replies.into_iter().next().expect("one")
}

fn standing<S: Store>(writer: &mut Writer<S>, reading: Reading) -> (u64, Standing) {
    match ask(writer, Command::Status, reading) {
        Reply::Status(status) => status.clock.map(|(mark, standing)| (mark.0, standing)).expect("kept"),
        other => panic!("{other:?}"),
    }
}

fn jumped(standing: Standing) -> bool {
    matches!(standing, Standing::Jumped { .. })
}

// proves T2
#[test]
fn a_glitch_to_2099_harms_nothing_also_across_a_restart() {
    let (mut before, disk) = served();
    assert_eq!(seats(&mut before, reading(FAR, HOUR)), 1, "nothing idles out by it");
    // A renewal during it, then a restart in it.
    before
        .round(&[checkout(1, 1)], reading(FAR + 5, HOUR + 5))
        .expect("commits");
    let mut after = writer(disk.reopen());
    assert!(jumped(standing(&mut after, reading(FAR + 60, 0)).1), "still pending");
    assert_eq!(seats(&mut after, reading(FAR + 61, 1)), 1);
    // The clock is mended.
    let mended = START + 2 * HOUR;
    assert_eq!(standing(&mut after, reading(mended, 2)), (mended, Standing::Fine));
    let renewed_at = START + HOUR + 5;
    let due = renewed_at + 30 * DAY_SECS;
    assert_eq!(
        after.ledger().next_due(),
        Some(Timestamp(due)),
        "dates go back by the jump"
    );
    assert_eq!(writer(disk).ledger(), after.ledger());
}

// proves T2
#[test]
fn a_jump_that_lasts_a_day_is_accepted_and_seats_idle_out_by_it() {
    let (mut writer, _) = served();
    let ahead = START + 40 * DAY_SECS;
    assert_eq!(seats(&mut writer, reading(ahead, 0)), 1);
    assert_eq!(seats(&mut writer, reading(ahead + DAY_SECS - 1, DAY_SECS - 1)), 1);
    assert_eq!(seats(&mut writer, reading(ahead + DAY_SECS, DAY_SECS)), 0);
}

// proves T2
#[test]
fn dates_of_a_calendar_that_was_further_ahead_become_the_time_once_a_jump_is_accepted_and_not_at_the_next_start() {
    let ahead = START + 20 * DAY_SECS;
    let further = checkout(1, 1);
    for by_itself in [true, false] {
        let (mut before, disk) = served();
        assert!(jumped(standing(&mut before, reading(ahead + HOUR, 0)).1));
        // Just before the end of its day, then the calendar goes back by an hour.
        let last = DAY_SECS - 1;
        before
            .round(std::slice::from_ref(&further), reading(ahead + HOUR + last, last))
            .expect("commits");
        let accepted = ahead + DAY_SECS;
        if by_itself {
            assert_eq!(standing(&mut before, reading(accepted, DAY_SECS)).0, accepted);
        } else {
            assert_eq!(
                ask(&mut before, Command::ClockAccept, reading(accepted, last)),
                Reply::Done
            );
        }
        let due = Some(Timestamp(accepted + 30 * DAY_SECS));
        assert_eq!(before.ledger().next_due(), due, "by itself: {by_itself}");
        let mut after = writer(disk);
        assert_eq!(standing(&mut after, reading(accepted, 0)), (accepted, Standing::Fine));
        assert_eq!(after.ledger().next_due(), due, "a start changes no date");
    }
}

// proves T2
#[test]
fn an_administrator_accepts_a_jump_and_what_follows_in_the_round_is_of_the_time_after() {
    let (mut writer, disk) = served();
    let ahead = START + 40 * DAY_SECS;
    let requests = [
        all_seats(),
        as_server(Command::ClockAccept),
        all_seats(),
        checkout(2, 2),
    ];
    let replies = writer.round(&requests, reading(ahead, 5)).expect("commits");
    assert_eq!(seats_listed(&replies[0]), 1);
    assert_eq!(replies[1], Reply::Done);
    assert_eq!(
        seats_listed(&replies[2]),
        0,
        "reclaimed before anything else is decided"
    );
    assert!(matches!(replies[3], Reply::Seat(_)));
    // A restart goes on from there, also if the calendar has not moved.
    let mut after = super::writer(disk);
    assert_eq!(standing(&mut after, reading(ahead, 0)), (ahead, Standing::Fine));
}

// proves T2
#[test]
fn a_shutdown_of_forty_days_is_time_that_passed_and_one_of_fifty_is_asked_about() {
    let (_, disk) = served();
    let mut after = writer(disk.reopen());
    assert_eq!(seats(&mut after, reading(START + 40 * DAY_SECS, 0)), 0);
    let mut after = writer(disk);
    let ahead = START + 40 * DAY_SECS + 50 * DAY_SECS;
    assert!(jumped(standing(&mut after, reading(ahead, 0)).1));
}

// proves T2
#[test]
fn a_boot_with_a_wrong_clock_makes_time_stand_still_until_it_is_mended() {
    let (_, disk) = served();
    let mut after = writer(disk);
    assert_eq!(
        standing(&mut after, reading(0, 0)),
        (START, Standing::SetBack { secs: START })
    );
    assert_eq!(seats(&mut after, reading(HOUR, HOUR)), 1);
    // Mended an hour later, after three days without power.
    let mended = START + 3 * DAY_SECS + HOUR;
    assert_eq!(standing(&mut after, reading(mended, HOUR)), (mended, Standing::Fine));
}

// proves T2
#[test]
fn a_reset_takes_back_a_time_that_was_wrongly_accepted_and_stays_so_after_a_restart() {
    let (mut before, disk) = served();
    before
        .round(&[as_server(Command::ClockAccept)], reading(FAR, 5))
        .expect("commits");
    before.round(&[checkout(1, 1)], reading(FAR + 5, 10)).expect("commits");
    let mended = START + DAY_SECS;
    assert!(matches!(
        standing(&mut before, reading(mended, 20)),
        (_, Standing::SetBack { .. })
    ));
    assert_eq!(ask(&mut before, Command::ClockReset, reading(mended, 20)), Reply::Done);
    assert_eq!(standing(&mut before, reading(mended, 20)), (mended, Standing::Fine));
    assert_eq!(before.ledger().next_due(), Some(Timestamp(mended + 30 * DAY_SECS)));
    let mut after = writer(disk);
    assert_eq!(standing(&mut after, reading(mended, 0)), (mended, Standing::Fine));
}

// proves T2
#[test]
fn a_reset_that_moves_no_date_stays_so_after_a_restart() {
    let (mut before, disk) = served();
    before
        .round(&[as_server(Command::ClockAccept)], reading(FAR, 5))
        .expect("commits");
    let mended = START + DAY_SECS;
    assert_eq!(ask(&mut before, Command::ClockReset, reading(mended, 20)), Reply::Done);
    let mut after = writer(disk);
    assert_eq!(standing(&mut after, reading(mended, 0)), (mended, Standing::Fine));
}

// proves T2
#[test]
fn without_a_jump_there_is_nothing_to_accept_and_only_administrators_set_the_clock() {
    let (mut writer, _) = served();
    let reply = ask(&mut writer, Command::ClockAccept, reading(START + 5, 5));
    assert!(matches!(&reply, Reply::Denied(denied) if denied.denial == Denial::NoJumpPending));
    let stranger = Request {
        command: Command::ClockReset,
        ..checkout(1, 1)
    };
    let replies = writer
        .round(&[stranger], reading(START - DAY_SECS, 6))
        .expect("commits");
    assert!(matches!(&replies[0], Reply::Denied(denied) if denied.denial == Denial::NotAuthorized));
    assert!(matches!(
        standing(&mut writer, reading(START - DAY_SECS, 6)),
        (_, Standing::SetBack { .. })
    ));
}

// proves V3
// proves I7
#[test]
fn what_a_refusal_notes_becomes_durable_with_the_next_grant_and_syncs_nothing_by_itself() {
    let memory = MemoryStore::new();
    let disk = memory.reopen();
    let commits = Arc::new(AtomicUsize::new(0));
    let mut writer = writer(CountingStore {
        inner: memory,
        progress: Progress::Resting,
        commits: commits.clone(),
    });
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, reading(START, 0)).expect("commits");
    let before = commits.load(Ordering::SeqCst);
    for identity in 2..9 {
        let replies = writer
            .round(&[stranger(identity)], reading(START + 1, 1))
            .expect("noted");
        assert!(matches!(&replies[0], Reply::Denied(denied) if denied.denial == Denial::RebindPending));
    }
    assert_eq!(commits.load(Ordering::SeqCst), before, "no sync");
    assert!(matches!(
        ask(&mut writer, Command::Status, reading(START + 1, 1)),
        Reply::Status(status) if status.waiting == 1
    ));
    // A grant on the same seat takes the notes along, in their order.
    writer
        .round(&[checkout(1, 1), stranger(9)], reading(START + 2, 2))
        .expect("commits");
    assert_eq!(commits.load(Ordering::SeqCst), before + 1);
    assert_eq!(super::writer(disk.reopen()).ledger(), writer.ledger());
    // Alone it waits for the end.
    writer.round(&[stranger(10)], reading(START + 3, 3)).expect("noted");
    assert_ne!(super::writer(disk.reopen()).ledger(), writer.ledger());
    writer.finish(reading(START + 3, 3)).expect("commits");
    assert_eq!(super::writer(disk).ledger(), writer.ledger());
}

// proves V3
#[test]
fn a_seat_that_ends_takes_what_was_noted_of_it_along() {
    let (mut writer, disk) = served();
    writer.round(&[stranger(2)], reading(START + 1, 1)).expect("noted");
    let due = START + 30 * DAY_SECS;
    let mut passed = 1;
    // Day by day, or it would be a jump.
    for day in 1..=30 {
        passed = day * DAY_SECS;
        writer
            .round(&[all_seats()], reading(START + passed, passed))
            .expect("commits");
    }
    assert_eq!(START + passed, due);
    assert_eq!(super::writer(disk).ledger(), writer.ledger());
    assert_eq!(writer.ledger().next_due(), None);
}

#[test]
fn notes_do_not_gather_without_end() {
    let memory = MemoryStore::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let mut writer = writer(CountingStore {
        inner: memory,
        progress: Progress::Resting,
        commits: commits.clone(),
    });
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, reading(START, 0)).expect("commits");
    let before = commits.load(Ordering::SeqCst);
    for _ in 0..3_000 {
        writer.round(&[stranger(2)], reading(START + 1, 1)).expect("noted");
    }
    assert_eq!(commits.load(Ordering::SeqCst) - before, 3_000 / 1_024);
}

// proves T2
#[test]
fn a_stop_makes_the_time_durable() {
    let (mut before, disk) = served();
    // Day by day, or it would be a jump. Nothing changes after the seat idled out.
    for day in 1..=50 {
        let passed = day * DAY_SECS;
        before
            .round(&[all_seats()], reading(START + passed, passed))
            .expect("commits");
    }
    let stopped = START + 50 * DAY_SECS;
    before.finish(reading(stopped, 50 * DAY_SECS)).expect("commits");
    let mut after = writer(disk);
    let later = stopped + 45 * DAY_SECS;
    assert_eq!(standing(&mut after, reading(later, 0)), (later, Standing::Fine));
}

/// A server with so many seats, founded by a clock that was forty days ahead, and its disk.
fn crowded(seats: u16) -> MemoryStore {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let limits = NewSeatLimits {
        macs_per_identity: u32::MAX,
        seats_per_source: u32::MAX,
    };
    let mut writer = Writer::load(store, limits).expect("loads");
    let ahead = reading(START + 40 * DAY_SECS, 0);
    let mut requests = setup(u32::from(seats));
    requests.extend((0..seats).map(|machine| {
        let mut request = checkout(1, 1);
        if let Command::Checkout(checkout) = &mut request.command {
            let [high, low] = machine.to_be_bytes();
            checkout.key.mac = Mac::new([2, 0, 0, 0, high, low]).expect("unicast");
        }
        request
    }));
    writer.round(&requests, ahead).expect("commits");
    disk
}

// proves T2
// proves S6
#[test]
fn a_crash_in_the_midst_of_a_reset_ends_no_seat_and_a_start_finishes_it() {
    const SEATS: u16 = 2_400;
    let due = START + 30 * DAY_SECS;
    let crowded = crowded(SEATS);
    for commits_left in 0..=4 {
        let disk = crowded.copy();
        let mut before = writer(FailingStore {
            inner: disk.reopen(),
            commits_left,
        });
        let reset = before.round(&[as_server(Command::ClockReset)], reading(START, 0));
        assert_eq!(
            reset.is_ok(),
            commits_left == 4,
            "the time, and three portions of dates"
        );
        // Started again by whoever finds it so: with the first commit the time is what it was set to.
        let mut after = writer(disk);
        after.reclaim(reading(START + 60, 0)).expect("commits");
        let replies = after
            .round(&[as_server(Command::ClockReset)], reading(START + 60, 0))
            .expect("commits");
        assert_eq!(replies, [Reply::Done]);
        let Reply::Status(status) = ask(&mut after, Command::Status, reading(START + 60, 0)) else {
            panic!("no status");
        };
        assert_eq!(status.seats, u64::from(SEATS), "after {commits_left} commits");
        let next = after.ledger().next_due().expect("seats idle out");
        assert!(next.0 <= due + 60, "every date became the time");
    }
}
