//! Renewal, check and release.

use super::*;

#[tokio::test]
async fn a_release_asks_the_trusted_server_only_and_is_no_error_where_nothing_was_held() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity] = identities();
    let stub = {
        let vendor = vendor.clone();
        let mut released = false;
        Stub::start(&identity, hello_ok(), move |request| match request {
            Request::Release(release) => {
                assert_eq!(release.mac, MAC);
                let outcome = if std::mem::replace(&mut released, true) {
                    ReleaseOutcome::NOTHING_HELD
                } else {
                    ReleaseOutcome::SEAT_FREED
                };
                Some(Response::Release(ReleaseOk {
                    server_time: 1,
                    outcome,
                    components_left: 0,
                }))
            }
            _ => Some(vendor.grant(7)),
        })
        .await
    };
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    assert_eq!(agent.release().await.unwrap(), Released::NothingHeld);
    assert_eq!(stub.asked(), [], "it never met a server");
    assert!(agent.acquire().await.may_run());
    assert_eq!(agent.release().await.unwrap(), Released::Seat);
    assert_eq!(agent.release().await.unwrap(), Released::NothingHeld);
    let memory = agent.recall().await.unwrap();
    assert_eq!(memory.grant, None);
    assert_eq!(memory.standing.unwrap().0, LastStanding::Released);
    drop(stub);
    let error = agent.deadline(Duration::from_secs(2)).release().await.unwrap_err();
    assert!(matches!(error, ReleaseError::NoServer(_)), "{error}");
}

#[tokio::test]
async fn a_release_is_not_done_while_the_server_that_granted_is_away() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity] = identities();
    let granted = granting(&vendor, hello_ok()).await;
    let other = Stub::start(&identity, hello_ok(), |_| {
        Some(Response::Release(ReleaseOk {
            server_time: 1,
            outcome: ReleaseOutcome::NOTHING_HELD,
            components_left: 0,
        }))
    })
    .await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&granted]));
    assert!(agent.acquire().await.may_run());
    agent.trust(other.fingerprint).await.unwrap();
    let agent = agent.servers(of(&[&granted, &other]));
    drop(granted);
    let error = agent.release().await.unwrap_err();
    assert!(matches!(error, ReleaseError::NoServer(_)), "{error}");
    assert!(
        agent.recall().await.unwrap().grant.is_some(),
        "an uninstaller may try again"
    );
}

// proves S10
#[tokio::test]
async fn a_check_takes_no_seat() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let counts = Counts {
        total: 3,
        used: 1,
        free: 2,
        available: 2,
        licenses: 1,
    };
    let stub = answering(Response::Availability(AvailabilityOk {
        server_time: 1,
        counts,
        units: Counts::default(),
    }))
    .await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let check = agent.check().await.unwrap();
    assert_eq!(check.available.unwrap().0.available, 2);
    assert!(
        stub.asked()
            .iter()
            .all(|request| matches!(request, Request::Availability(_)))
    );
}

// proves S5
#[tokio::test]
async fn a_refused_renewal_is_told_and_the_next_one_comes_all_the_same() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity] = identities();
    let mut answers = vec![
        None,
        Some(vendor.grant(9)),
        Some(refused(Status::SEATS_EXHAUSTED)),
        Some(vendor.grant(8)),
        Some(vendor.grant(7)),
    ];
    let stub = Stub::start(&identity, hello_ok(), move |_| answers.pop().flatten()).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let first = agent.acquire().await;
    let keeper = agent.keep_pausing(first, |_| Duration::from_millis(20));
    let mut standing = keeper.standing();
    assert!(standing.borrow_and_update().may_run());
    for runs in [true, false, true] {
        standing.changed().await.unwrap();
        assert_eq!(standing.borrow_and_update().may_run(), runs);
    }
    drop(keeper);
    while standing.changed().await.is_ok() {}
    let renewals = stub.asked();
    assert!(matches!(renewals.first(), Some(Request::Checkout(_))));
    assert!(
        renewals
            .iter()
            .skip(1)
            .all(|request| matches!(request, Request::Renew(_)))
    );
}

#[tokio::test]
async fn the_first_renewal_is_most_of_a_day_away() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let stub = granting(&vendor, hello_ok()).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let keeper = agent.keep(agent.acquire().await);
    let mut standing = keeper.standing();
    let changed = tokio::time::timeout(Duration::from_millis(100), standing.changed()).await;
    assert!(changed.is_err(), "it renewed at once");
}

#[tokio::test]
async fn what_keeps_the_agent_from_asking_is_told_with_the_remedy() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let agent = vendor.agent(&directory, "strict").interface("nosuch0");
    let standing = agent.acquire().await;
    assert!(matches!(standing, Standing::Unable(_)));
    assert!(standing.to_string().starts_with("invalid license: "), "{standing}");
    assert!(standing.to_string().contains("--mac"), "{standing}");
    assert!(!standing.may_run());
}
