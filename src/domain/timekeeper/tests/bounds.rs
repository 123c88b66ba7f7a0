use super::*;

// proves T2
#[test]
fn parts_of_a_second_are_rounded_down_and_not_lost() {
    let mut bench = Bench::new();
    bench.set(Y2099).look();
    for reading in 1..=1_000_u64 {
        bench.counted_ms += 999;
        assert_eq!(bench.look().0, T + reading * 999 / 1_000);
    }
    let mut bench = Bench::new();
    bench.counted_ms += 1_999;
    assert_eq!(bench.clone().set(T + 1 + D).look(), (T + 1 + D, vec![]));
    assert_eq!(bench.set(T + 2 + D).look(), (T + 1, vec![pending(D + 1, T + 1)]));
}

// proves T1
#[test]
fn the_ends_of_time_neither_panic_nor_set_the_mark_back() {
    let ends = [0, 1, T, u64::MAX - 1, u64::MAX];
    let state = |mark, jump| {
        Some(ClockState {
            mark: Timestamp(mark),
            jump,
        })
    };
    let mut starts = vec![None];
    for mark in ends {
        starts.push(state(mark, None));
        starts.extend(ends.map(|size_secs| state(mark, Some(jump(size_secs, mark)))));
    }
    for start in starts {
        for (first, second, third) in triples(ends) {
            for counted in [[0, 0, 0], [0, 1, u64::MAX], [u64::MAX, 0, u64::MAX], [u64::MAX; 3]] {
                let mut keeper = Timekeeper::start(start, None);
                let mut mark = keeper.state().mark;
                for (calendar, counted) in [first, second, third].into_iter().zip(counted) {
                    let reading = Reading {
                        calendar: Timestamp(calendar),
                        counted: Monotonic(counted),
                    };
                    let (now, changes) = keeper.observe(reading);
                    assert!(mark <= now.steady && changes.len() <= 2);
                    mark = now.steady;
                    let jumped = matches!(keeper.standing(reading), Standing::Jumped { .. });
                    assert_eq!(jumped, keeper.clone().accept(reading).is_ok());
                    assert_eq!(keeper.clone().reset(reading), Now::at(calendar));
                }
            }
        }
    }
}

fn triples(of: [u64; 5]) -> impl Iterator<Item = (u64, u64, u64)> {
    of.into_iter()
        .flat_map(move |first| of.into_iter().map(move |second| (first, second)))
        .flat_map(move |(first, second)| of.into_iter().map(move |third| (first, second, third)))
}

/// Random readings: whatever the calendar does, the mark is never further than an allowance beyond what was counted
/// since the newest start, unless a jump was accepted.
// proves T1 T2
#[test]
fn whatever_the_calendar_does_the_mark_passes_over_no_jump_that_is_not_accepted() {
    let mut seed = 0x5eed_u64;
    let mut random = |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut accepted_seen = 0;
    for _ in 0..300 {
        let mut bench = Bench::new();
        for _ in 0..100 {
            let mark = bench.keeper.state().mark.0;
            let waited = random(2 * D);
            bench.pass(waited);
            match random(8) {
                0 => bench.calendar += random(90 * D),
                1 => bench.calendar = bench.calendar.saturating_sub(random(90 * D)),
                2 => bench.calendar = mark + waited,
                _ => {}
            }
            let moved_ms = bench
                .keeper
                .moved_at
                .map_or(0, |moved_at| bench.counted_ms - moved_at.0);
            let was_pending = bench.keeper.state().jump;
            let (after, changes) = bench.look();
            let is_accepted = matches!(changes.as_slice(), [ClockChange::Accepted(_)]);
            if is_accepted {
                accepted_seen += 1;
                assert_eq!(after, bench.calendar);
            } else {
                assert!(after <= mark + moved_ms / 1_000 + ALLOWANCE_SECS);
                assert!(after <= bench.calendar.max(mark + moved_ms / 1_000));
            }
            // What is told adds up to what is durable.
            let mut jump = was_pending;
            for change in changes {
                jump = match (jump, change) {
                    (None, ClockChange::Pending(new)) => Some(new),
                    (Some(old), ClockChange::Accepted(over) | ClockChange::Rejected { jump: over, .. })
                        if old == over =>
                    {
                        None
                    }
                    (jump, change) => panic!("{change:?} while {jump:?}"),
                };
            }
            assert_eq!(jump, bench.keeper.state().jump);
        }
    }
    assert!(accepted_seen > 100, "{accepted_seen}");
}
