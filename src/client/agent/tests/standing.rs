//! How a component stands: proven grants, refusals, no server.

use super::*;

// proves K9
#[tokio::test]
async fn the_first_grant_pins_the_server_and_what_it_answered_is_remembered() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let stub = granting(&vendor, hello_ok()).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let standing = agent.acquire().await;
    let Standing::Licensed(licensed) = &standing else {
        panic!("{standing}")
    };
    assert_eq!(licensed.serial.as_str(), "0123456789ABCDEF");
    assert_eq!(licensed.acquired_at, Timestamp(900));
    assert_eq!(licensed.renew_by, Some(Timestamp(2_000)));
    assert!(standing.may_run());
    let memory = agent.recall().await.unwrap();
    let pin = memory.pin(stub.fingerprint).unwrap();
    assert_eq!((pin.epoch, pin.address), (3, Some(stub.address)));
    assert_eq!(memory.standing.unwrap().0, LastStanding::Licensed);
    assert!(agent.renew().await.may_run());
    assert_eq!(checkouts(&stub), [0, 7], "the number comes back");
}

// proves K9
#[tokio::test]
async fn a_server_without_a_genuine_license_of_the_vendor_licenses_nothing_and_is_not_pinned() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let forged = |change: fn(&mut CheckoutOk, &Vendor)| {
        let Response::Checkout(mut answer) = vendor.grant(7) else {
            unreachable!()
        };
        change(&mut answer, &vendor);
        Response::Checkout(answer)
    };
    let forgeries = [
        Vendor::new(2).grant(7),
        forged(|answer, _| answer.certificate = None),
        forged(|answer, _| answer.certificate = Some(Vendor::new(2).certificate("BKSRV"))),
        forged(|answer, vendor| answer.certificate = Some(vendor.certificate("OTHER"))),
        forged(|answer, _| answer.catalogue_entry = Vendor::new(2).entry(1, false)),
        forged(|answer, _| answer.serial = Some("0000000000000000".to_owned())),
        forged(|answer, _| answer.outcome = Outcome(99)),
    ];
    for forgery in forgeries {
        let stub = answering(forgery).await;
        let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
        let standing = agent.acquire().await;
        assert!(matches!(standing, Standing::NoServer(_)), "{standing}");
        assert!(!standing.may_run());
        assert_eq!(agent.recall().await.unwrap().pins, []);
    }
}

// proves I3
#[tokio::test]
async fn not_counted_is_believed_only_if_the_newest_known_catalogue_says_so() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let honest = answering(Vendor::not_counted(vendor.entry(1, false))).await;
    let console = vendor.agent(&directory, "console").servers(of(&[&honest]));
    let standing = console.acquire().await;
    assert!(
        matches!(&standing, Standing::NotCounted(seen) if seen.counts.available == 2),
        "{standing}"
    );
    assert_eq!(console.recall().await.unwrap().pins, [], "nothing was granted");
    let strict = vendor.agent(&directory, "strict").servers(of(&[&honest]));
    assert!(!strict.acquire().await.may_run());
    // A newer catalogue counts it; a server that shows the old one again is not believed.
    let newer = answering(Vendor::not_counted(vendor.entry(2, true))).await;
    assert!(!console.clone().servers(of(&[&newer])).acquire().await.may_run());
    let seat = {
        let Response::Checkout(mut answer) = vendor.grant(1) else {
            unreachable!()
        };
        answer.catalogue_entry = vendor.entry(2, true);
        answering(Response::Checkout(answer)).await
    };
    assert!(console.clone().servers(of(&[&seat])).acquire().await.may_run());
    let [identity] = identities();
    let old_entry = Vendor::not_counted(vendor.entry(1, false));
    let replayed = Stub::start(&identity, hello_ok(), move |_| Some(old_entry.clone())).await;
    console.trust(replayed.fingerprint).await.unwrap();
    let standing = console.servers(of(&[&replayed])).acquire().await;
    assert!(!standing.may_run(), "{standing}");
}

// proves O1
#[tokio::test]
async fn a_denial_begins_with_invalid_license_and_keeps_the_servers_words() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let stub = answering(refused(Status::SEATS_EXHAUSTED)).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let standing = agent.acquire().await;
    assert!(matches!(&standing, Standing::Denied(denied) if denied.status == Status::SEATS_EXHAUSTED));
    assert_eq!(
        standing.to_string(),
        "invalid license: all 3 seats are in use; buy more or release one"
    );
    assert!(!standing.may_run());
}

// proves O1
#[tokio::test]
async fn a_strict_component_without_an_answer_does_not_run_and_says_why_within_its_deadline() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity] = identities();
    let silent = Stub::start(&identity, hello_ok(), |_| None).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&silent]));
    let limit = Duration::from_millis(400);
    let standing = tokio::time::timeout(Duration::from_secs(5), agent.deadline(limit).acquire())
        .await
        .expect("it must not hang");
    assert!(standing.to_string().starts_with("invalid license: "), "{standing}");
    assert!(!standing.may_run());
}

// proves O2
#[tokio::test]
async fn a_lenient_component_runs_unless_a_server_that_proved_itself_refuses() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity, stranger] = identities();
    let refuses = Arc::new(AtomicUsize::new(0));
    let stub = {
        let (vendor, refuses) = (vendor.clone(), refuses.clone());
        Stub::start(&identity, hello_ok(), move |_| match refuses.load(Ordering::SeqCst) {
            0 => Some(vendor.grant(7)),
            1 => Some(refused(Status::LICENSE_EXPIRED)),
            2 => Some(busy(3_600)),
            _ => None,
        })
        .await
    };
    let agent = vendor.agent(&directory, "lenient").servers(of(&[&stub]));
    let (closed, _) = crate::client::testing::listening().await;
    let gone = closed.local_addr().unwrap().to_string();
    drop(closed);
    let without = agent.clone().servers([gone]);
    assert!(!without.acquire().await.may_run(), "strict before the first contact");
    assert!(
        without
            .clone()
            .lenient_before_first_contact(true)
            .acquire()
            .await
            .may_run()
    );
    assert!(agent.acquire().await.may_run());
    assert!(without.acquire().await.may_run(), "nobody there");
    refuses.store(1, Ordering::SeqCst);
    assert!(!agent.acquire().await.may_run(), "a pinned server refused");
    refuses.store(2, Ordering::SeqCst);
    let standing = agent.acquire().await;
    assert!(
        matches!(&standing, Standing::NoServer(without) if without.may_run),
        "{standing}"
    );
    let untrusted = Stub::start(&stranger, hello_ok(), |_| Some(refused(Status::LICENSE_EXPIRED))).await;
    let standing = agent.servers(of(&[&untrusted])).acquire().await;
    assert!(standing.may_run(), "a wrong pin is no server: {standing}");
    assert!(standing.to_string().contains("seatkeeper agent trust"), "{standing}");
    assert_eq!(untrusted.asked(), []);
}

// proves O2
#[tokio::test]
async fn the_catalogue_decides_leniency_also_while_another_process_has_the_state() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let stub = granting(&vendor, hello_ok()).await;
    for (component, may_run) in [("lenient", true), ("strict", false)] {
        let agent = vendor.agent(&directory, component).servers(of(&[&stub]));
        assert!(agent.acquire().await.may_run());
        let _other_process = agent.open(agent.due()).await.unwrap();
        let standing = agent
            .clone()
            .deadline(Duration::from_millis(50))
            .lenient_before_first_contact(!may_run)
            .acquire()
            .await;
        assert!(matches!(standing, Standing::Unable(_)), "{standing}");
        assert_eq!(standing.may_run(), may_run, "{component}: {standing}");
    }
}
