//! By which clock a lease counts, and what a clock that is wrong gains.

use super::*;

// proves O3
#[tokio::test]
async fn a_clock_that_is_set_back_gains_nothing_and_is_told() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    assert_eq!(left(&agent.clone().clock(at(T + 3 * DAY))).await, Some(4 * DAY));
    // However often it is started with the clock set back, before the grant or after it.
    for start in 0..40 {
        let now = [T - 9 * DAY, T, T + DAY, T + 2 * DAY + start * 60][usize::try_from(start % 4).unwrap()];
        let standing = agent.clone().clock(at(now)).acquire().await;
        assert!(!standing.may_run(), "{start}: {standing}");
        assert_eq!(standing.countdown(), None, "{start}");
    }
    let told = agent.clone().clock(at(T + DAY)).acquire().await.to_string();
    let expected = "invalid license: this machine's clock stands 2 d 0 h behind the newest time that the agent has stored: set it \
                    right, or reach the license server: ";
    assert!(told.starts_with(expected) && told.contains("127.0.0.1:1"), "{told}");
    let check = agent.clone().clock(at(T + DAY)).check().await.unwrap();
    assert_eq!(check.offline, Offline::ClockBehind(2 * DAY));
    assert_eq!(
        left(&agent.clone().clock(at(T + 3 * DAY + 60))).await,
        Some(4 * DAY - 60),
        "set right"
    );
    // A small step back costs nothing and gains nothing.
    for start in 0..40 {
        let clock = at(T + 3 * DAY - start * 60);
        assert_eq!(
            left(&agent.clone().clock(clock)).await,
            Some(4 * DAY - 60),
            "{start}: time stands still"
        );
    }
    let told = agent.clone().clock(at(T + 3 * DAY)).acquire().await.to_string();
    assert!(told.contains("clock stands 60 s behind"), "{told}");
    assert_eq!(left(&agent.clone().clock(at(T + 7 * DAY))).await, None);
    for now in [T + 7 * DAY - 3_600, T + 3 * DAY, T] {
        let standing = agent.clone().clock(at(now)).acquire().await;
        assert!(!standing.may_run(), "over is over: {standing}");
        assert!(standing.to_string().contains("the 7 days"), "{standing}");
    }
    // The server's next grant counts from the clock of its moment.
    bench.license(&agent.clone().clock(at(T))).await;
    assert_eq!(left(&agent.clock(at(T))).await, Some(7 * DAY));
}

// proves O3
#[tokio::test]
async fn a_clock_may_stand_an_hour_behind_and_not_a_second_longer() {
    // Behind the lease's own time, and behind a newer one that was stored.
    for newest in [T, T + DAY] {
        let bench = Bench::new();
        let agent = bench.agent("strict");
        bench.license(&agent).await;
        let still = T + 7 * DAY - newest;
        assert_eq!(left(&agent.clone().clock(at(newest))).await, Some(still));
        for (behind, runs) in [(3_599, true), (3_600, true), (3_601, false), (3_600, true)] {
            let agent = agent.clone().clock(at(newest - behind));
            assert_eq!(left(&agent).await, runs.then_some(still), "{behind}");
        }
    }
}

// proves O3
#[tokio::test]
async fn a_clock_behind_is_told_while_another_process_has_the_state_as_well() {
    let bench = Bench::new();
    let agent = bench.agent("strict").deadline(Duration::from_millis(300));
    bench.license(&agent.clone().deadline(Duration::from_secs(10))).await;
    let _other_process = agent.open(agent.due()).await.unwrap();
    let standing = agent.clock(at(T - 3_601)).acquire().await;
    assert!(matches!(standing, Standing::Unable(_)), "{standing}");
    assert!(!standing.may_run(), "{standing}");
    let told = standing.to_string();
    assert!(
        told.contains("locked") && told.contains("clock stands 1 h 0 min behind"),
        "{told}"
    );
}

// proves O3
#[tokio::test]
async fn a_lease_of_a_clock_more_than_a_day_ahead_of_the_servers_is_not_kept_and_that_is_told() {
    let cases: [(LeaseChange, bool); 5] = [
        (|lease| lease.server_time = lease.client_time - DAY + 1, true),
        (|lease| lease.server_time = lease.client_time - DAY, true),
        (|lease| lease.server_time = lease.client_time - DAY - 1, false),
        (|lease| lease.server_time = 0, false),
        // A clock that stands behind only shortens.
        (|lease| lease.server_time = lease.client_time + 1_000 * DAY, true),
    ];
    for (place, (change, keeps)) in cases.into_iter().enumerate() {
        let bench = Bench::new();
        let agent = bench.agent("strict");
        let standing = bench.check_out(&agent, key(1), change, |_| ()).await;
        assert!(
            matches!(standing, Standing::Licensed(_)),
            "the grant stands: {standing}"
        );
        let told = standing.warnings().join("; ");
        assert_eq!(told.is_empty(), keeps, "{place}: {told}");
        assert_eq!(
            told.contains("ahead of its license server's") && told.contains("set this machine's clock right"),
            !keeps,
            "{place}: {told}"
        );
        assert_eq!(agent.recall().await.unwrap().lease.is_some(), keeps, "{place}");
        assert_eq!(left(&agent).await, keeps.then_some(7 * DAY), "{place}");
    }
}

// proves O3
#[tokio::test]
async fn a_lease_that_counts_from_a_clock_far_ahead_is_useless_though_an_older_version_kept_it() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    let mut state = agent.open(agent.due()).await.unwrap();
    let kept = state.memory.lease.as_mut().unwrap();
    let mut lease = crate::session::lease::verify(&kept.signed, &key(1).public()).unwrap();
    lease.server_time = T - DAY - 1;
    kept.signed = key(1).sign(&lease).unwrap();
    state.save(Timestamp(T)).await.unwrap();
    drop(state);
    let standing = agent.acquire().await;
    assert!(!standing.may_run(), "{standing}");
    assert!(standing.to_string().contains("1 d 0 h ahead"), "{standing}");
}
