//! Which server is asked, and what becomes of those that do not answer.

use super::*;

#[tokio::test]
async fn with_a_pin_no_other_server_is_asked() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let another = HelloOk {
        server: [6; 16],
        ..hello_ok()
    };
    let (first, other) = (granting(&vendor, hello_ok()).await, granting(&vendor, another).await);
    let agent = vendor.agent(&directory, "strict");
    assert!(agent.clone().servers(of(&[&first])).acquire().await.may_run());
    let both = agent.clone().servers(of(&[&other, &first]));
    assert!(both.acquire().await.may_run());
    assert_eq!(checkouts(&first), [0, 7]);
    assert_eq!(other.asked(), []);
    drop(first);
    let standing = both.clone().deadline(Duration::from_secs(2)).acquire().await;
    assert!(matches!(standing, Standing::NoServer(_)), "{standing}");
    assert_eq!(other.asked(), []);
    assert!(both.trust(other.fingerprint).await.unwrap());
    assert!(both.acquire().await.may_run());
    assert_eq!(checkouts(&other), [0], "each server has its own numbers");
}

#[tokio::test]
async fn an_agent_that_asks_again_and_again_resumes_its_session_as_long_as_it_trusts_the_same() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let stub = granting(&vendor, hello_ok()).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    // The first time it trusts nobody yet, and whom it trusts proves itself.
    for _ in 0..4 {
        assert!(agent.acquire().await.may_run());
    }
    assert_eq!(stub.resumed(), [false, false, false, true]);
    assert!(agent.clone().renew().await.may_run());
    assert_eq!(stub.resumed()[4..], [true]);
    let [other] = identities();
    assert!(agent.trust(Fingerprint(other.fingerprint())).await.unwrap());
    assert!(agent.renew().await.may_run());
    assert_eq!(stub.resumed()[5..], [false]);
}

// proves I7
#[tokio::test]
async fn a_server_that_has_another_identity_now_is_sent_the_number_that_it_answered_last() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let (before, now) = (granting(&vendor, hello_ok()).await, granting(&vendor, hello_ok()).await);
    let agent = vendor.agent(&directory, "strict");
    assert!(agent.clone().servers(of(&[&before])).acquire().await.may_run());
    drop(before);
    let agent = agent.servers(of(&[&now]));
    assert!(agent.trust(now.fingerprint).await.unwrap());
    assert!(agent.acquire().await.may_run());
    assert_eq!(checkouts(&now), [7]);
}

#[tokio::test]
async fn without_a_pin_the_preferred_server_is_asked_first_and_a_refusal_leads_on_to_the_next() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let full = answering(refused(Status::SEATS_EXHAUSTED)).await;
    let (second, third) = (granting(&vendor, hello_ok()).await, granting(&vendor, hello_ok()).await);
    let agent = vendor
        .agent(&directory, "strict")
        .servers(of(&[&full, &second, &third]));
    let standing = agent.acquire().await;
    let Standing::Licensed(licensed) = standing else {
        panic!("{standing}")
    };
    assert_eq!(licensed.server.fingerprint, second.fingerprint);
    assert_eq!(full.asked().len(), 1);
    assert_eq!(third.asked(), []);
}

/// Answers with what stands in `answers`, one after another; the last one stays.
async fn in_turn(mut answers: Vec<Response>, hello: HelloOk) -> Stub {
    let [identity] = identities();
    answers.reverse();
    let answer = move |_: &Request| {
        if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        }
    };
    Stub::start(&identity, hello, answer).await
}

/// Servers by their numbers, of which the lowest is asked first where nothing else tells.
pub(super) fn numbered(number: u8) -> HelloOk {
    HelloOk {
        server: [number; 16],
        ..hello_ok()
    }
}

/// Asks these servers, all of them pinned, by an agent that never was granted anything.
async fn pinned(vendor: &Vendor, directory: &tempfile::TempDir, component: &str, stubs: &[&Stub]) -> Agent {
    let agent = vendor.agent(directory, component).servers(of(stubs));
    for stub in stubs {
        agent.trust(stub.fingerprint).await.unwrap();
    }
    agent
}

// proves O2
#[tokio::test]
async fn where_one_pinned_server_refuses_another_may_grant_and_only_when_all_have_refused_that_counts() {
    let vendor = Arc::new(Vendor::new(1));
    for component in ["strict", "lenient"] {
        let directory = tempfile::tempdir().unwrap();
        let exhausted = refused(Status::SEATS_EXHAUSTED);
        let full = in_turn(vec![exhausted], numbered(1)).await;
        let other = in_turn(vec![vendor.grant(7), refused(Status::LICENSE_EXPIRED)], numbered(2)).await;
        let agent = pinned(&vendor, &directory, component, &[&full, &other]).await;
        let Standing::Licensed(licensed) = agent.acquire().await else {
            panic!("{component}")
        };
        assert_eq!(licensed.server.fingerprint, other.fingerprint);
        let told = licensed.warnings.join("\n");
        assert!(told.contains(": refused: all 3 seats are in use"), "{told}");
        assert_eq!((full.asked().len(), checkouts(&other)), (1, vec![0]));
        // The one that granted is asked first from then on, and its refusal stands for all.
        let Standing::Denied(denied) = agent.acquire().await else {
            panic!("{component}")
        };
        assert_eq!(denied.status, Status::LICENSE_EXPIRED);
        assert_eq!(denied.server.fingerprint, other.fingerprint);
        let told = denied.warnings.join("\n");
        assert!(told.contains(&format!("at {}: refused: all 3", full.address)), "{told}");
        assert_eq!((full.asked().len(), checkouts(&other)), (2, vec![0, 7]));
    }
}

#[tokio::test]
async fn a_seat_is_renewed_where_it_is_held_and_nobody_else_is_asked_also_while_that_server_is_busy() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let eager = in_turn(vec![vendor.grant(1)], numbered(1)).await;
    let holder = in_turn(
        vec![vendor.grant(7), vendor.grant(8), busy(1), vendor.grant(9)],
        numbered(2),
    )
    .await;
    let agent = pinned(&vendor, &directory, "strict", &[&eager, &holder]).await;
    assert!(agent.clone().servers(of(&[&holder])).acquire().await.may_run());
    for known in [[7].as_slice(), &[8, 8]] {
        assert!(agent.acquire().await.may_run());
        assert_eq!(&checkouts(&holder)[checkouts(&holder).len() - known.len()..], known);
        assert_eq!(eager.asked(), [], "a second seat");
    }
    // Where it is gone, there is no other way.
    drop(holder);
    assert!(agent.acquire().await.may_run());
    assert_eq!(checkouts(&eager), [0]);
}

#[tokio::test]
async fn a_server_that_gives_no_new_seats_for_now_keeps_nobody_from_asking_another() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let Response::Refused(_, refusal) = busy(1) else {
        unreachable!()
    };
    let slow = in_turn(vec![Response::Refused(Status::SLOW_DOWN, refusal)], numbered(1)).await;
    let other = in_turn(vec![vendor.grant(7)], numbered(2)).await;
    let agent = pinned(&vendor, &directory, "strict", &[&slow, &other]).await;
    assert!(agent.acquire().await.may_run());
    assert_eq!((slow.asked().len(), checkouts(&other)), (1, vec![0]));
}

#[tokio::test]
async fn addresses_that_never_answer_give_way_to_those_that_wait_and_to_nobody_else() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(crate::client::testing::listening().await);
    }
    let healthy = granting(&vendor, hello_ok()).await;
    let servers = silent.iter().map(|(_, target)| target.to_string());
    let agent = vendor
        .agent(&directory, "strict")
        .servers(servers.chain(of(&[&healthy])))
        .deadline(Duration::from_secs(4));
    let standing = agent.acquire().await;
    let Standing::Licensed(licensed) = standing else {
        panic!("{standing}")
    };
    assert_eq!(licensed.server.fingerprint, healthy.fingerprint);
    // Four at a time: the first four made way for the next four, and one of those for the last.
    assert_eq!(licensed.warnings.len(), 5, "{:?}", licensed.warnings);
    for told in &licensed.warnings {
        assert!(told.contains(": no answer in time"), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_shows_a_lower_epoch_than_before_is_refused() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity] = identities();
    let epoch = |epoch| HelloOk { epoch, ..hello_ok() };
    let start = |hello| {
        let vendor = vendor.clone();
        Stub::start(&identity, hello, move |_| Some(vendor.grant(7)))
    };
    let agent = vendor.agent(&directory, "strict");
    for (shown, runs) in [(3, true), (4, true), (3, false), (4, true)] {
        let stub = start(epoch(shown)).await;
        let standing = agent.clone().servers(of(&[&stub])).acquire().await;
        assert_eq!(standing.may_run(), runs, "epoch {shown}: {standing}");
        assert_eq!(stub.asked().len(), usize::from(runs));
    }
}

#[tokio::test]
async fn of_a_server_and_the_same_one_restored_the_restored_one_is_asked_whichever_is_met_first() {
    let vendor = Arc::new(Vendor::new(1));
    let [identity] = identities();
    let start = |epoch| {
        let (vendor, identity) = (vendor.clone(), identity.clone());
        let hello = HelloOk { epoch, ..hello_ok() };
        async move { Stub::start(&identity, hello, move |_| Some(vendor.grant(7))).await }
    };
    let (old, restored) = (start(3).await, start(4).await);
    for servers in [[&old, &restored], [&restored, &old]] {
        let directory = tempfile::tempdir().unwrap();
        let agent = vendor.agent(&directory, "strict").servers(of(&servers));
        let standing = agent.acquire().await;
        let Standing::Licensed(licensed) = standing else {
            panic!("{standing}")
        };
        assert_eq!(licensed.server.epoch, 4);
        assert_eq!(agent.recall().await.unwrap().pins[0].epoch, 4);
    }
    assert_eq!(old.asked(), [], "what runs on old data");
}

#[tokio::test]
async fn a_successor_takes_the_place_of_the_pinned_identity() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [old, new, thief] = identities();
    let start = |identity: Arc<Identity>, hello| {
        let vendor = vendor.clone();
        async move { Stub::start(&identity, hello, move |_| Some(vendor.grant(7))).await }
    };
    let statement = Succession::sign(&old, new.public_key()).unwrap();
    let hello = HelloOk {
        succession: vec![hello::Succession {
            old_spki: statement.old_spki.into(),
            signature: statement.signature.into(),
        }],
        ..hello_ok()
    };
    let agent = vendor.agent(&directory, "strict");
    let before = start(old, hello_ok()).await;
    assert!(agent.clone().servers(of(&[&before])).acquire().await.may_run());
    let stolen = start(thief, hello.clone()).await;
    assert!(!agent.clone().servers(of(&[&stolen])).acquire().await.may_run());
    assert_eq!(stolen.asked(), []);
    let after = start(new, hello).await;
    assert!(agent.clone().servers(of(&[&after])).acquire().await.may_run());
    assert_eq!(checkouts(&after), [7], "the numbers go on");
    let memory = agent.recall().await.unwrap();
    assert_eq!(memory.pins.len(), 1);
    assert!(memory.pin(after.fingerprint).is_some());
}

#[tokio::test]
async fn a_busy_server_is_asked_again_inside_the_deadline() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    for first in [busy(1), {
        let Response::Refused(_, refusal) = busy(1) else {
            unreachable!()
        };
        Response::Refused(Status::SLOW_DOWN, refusal)
    }] {
        let [identity] = identities();
        let mut answers = vec![vendor.grant(7), first];
        let stub = Stub::start(&identity, hello_ok(), move |_| answers.pop()).await;
        let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
        agent.trust(stub.fingerprint).await.unwrap();
        assert!(agent.acquire().await.may_run());
        assert_eq!(stub.asked().len(), 2);
    }
}

/// An offer of a server with this number that holds the product; it answers no question yet.
pub(super) fn offer_of(stub: &Stub, number: u8) -> Offer {
    Offer {
        nonce: [0; 16],
        server: [number; 16],
        fingerprint: stub.fingerprint.0,
        port: stub.address.port(),
        epoch: 3,
        priority: 100,
        server_time: 0,
        version_min: 1,
        version_max: 1,
        holds: Some(true),
        name: "office".to_owned(),
        server_version: "0.1.0".to_owned(),
    }
}

/// Answers questions on every interface with the offers of these servers: number, product held, priority.
async fn offer_them(sockets: &ServerSockets, servers: &[(&Stub, u8, bool, u16)]) {
    let offers = servers.iter().map(|(stub, number, holds, priority)| Offer {
        priority: *priority,
        holds: Some(*holds),
        ..offer_of(stub, *number)
    });
    answer_with(sockets, &offers.collect::<Vec<_>>()).await;
}

/// Answers questions on every interface with these offers, in this order.
pub(super) async fn answer_with(sockets: &ServerSockets, offers: &[Offer]) {
    let socket = sockets.v4.as_ref().unwrap();
    let mut buffer = [0; 1_024];
    loop {
        let received = socket.receive(&mut buffer).await.unwrap();
        let question = Question::decode(&buffer[..received.len]).unwrap();
        assert_eq!(question.wanted.unwrap().product, "BKSRV");
        for offer in offers {
            let offer = Offer {
                nonce: question.nonce,
                ..offer.clone()
            };
            let sent = socket.send(&offer.encode().unwrap(), received.source, received.way_back());
            sent.unwrap();
        }
    }
}

/// Sockets on a free port that hear everybody's questions.
#[cfg(target_os = "linux")]
pub(super) fn on_every_interface() -> ServerSockets {
    let sockets = ServerSockets::bind(0).unwrap();
    let groups = Groups {
        v4: GROUP_V4,
        v6: GROUP_V6,
    };
    sockets.join(groups, &interfaces::list().unwrap(), |_, _| ());
    sockets
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_path_whose_addresses_are_dead_holds_up_no_other() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(crate::client::testing::listening().await);
    }
    let servers: Vec<_> = silent.iter().map(|(_, target)| target.to_string()).collect();
    let mut site = Site::only(&servers, 1);
    site.ways = BTreeSet::from([Way::Remembered, Way::Servers, Way::Lan]);
    let (alive, sockets) = (granting(&vendor, numbered(1)).await, on_every_interface());
    let agent = vendor
        .agent(&directory, "strict")
        .site(site)
        .port(sockets.port().unwrap())
        .deadline(Duration::from_secs(40));
    let offered = [(&alive, 1, true, 100)];
    let standing = tokio::select! {
        standing = agent.acquire() => standing,
        () = offer_them(&sockets, &offered) => unreachable!(),
    };
    let Standing::Licensed(licensed) = standing else {
        panic!("{standing}")
    };
    assert_eq!(licensed.server.fingerprint, alive.fingerprint);
    // Nobody had to give way for it: those would be told.
    assert_eq!(licensed.warnings, <[String; 0]>::default());
}

#[tokio::test]
async fn where_no_server_is_found_each_path_says_what_came_of_it() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let (closed, target) = crate::client::testing::listening().await;
    drop(closed);
    let mut site = Site::only(&[target.to_string(), "a..b".to_owned()], 1);
    site.ways = BTreeSet::from([Way::Remembered, Way::Servers]);
    site.faults.push("site:3: nonsense".to_owned());
    let agent = vendor.agent(&directory, "strict").site(site);
    let standing = agent.acquire().await;
    let Standing::NoServer(without) = &standing else {
        panic!("{standing}")
    };
    let [remembered, named] = without.paths.as_slice() else {
        panic!("{without:?}")
    };
    assert_eq!(
        (remembered.way, remembered.note.as_deref()),
        (Way::Remembered, Some("none yet"))
    );
    assert_eq!((named.way, named.answered, named.asked.len()), (Way::Servers, 0, 2));
    let told = named.faults.join("\n");
    assert!(
        told.contains(": not reachable") && told.contains("cannot find the host a..b"),
        "{told}"
    );
    let text = standing.to_string();
    assert!(
        text.starts_with("invalid license: no license server gave a usable answer: site:3: nonsense; remembered addresses: none yet; named servers: "),
        "{text}"
    );
    assert_eq!(text.matches("a..b").count(), 1, "each fault once: {text}");
    let told = agent.check().await.unwrap().tried();
    assert!(
        told.contains("named servers: ") && told.contains("site:3: nonsense"),
        "{told}"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn of_the_servers_that_are_found_one_that_holds_the_product_comes_first_then_the_lowest_priority() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let without = granting(&vendor, numbered(1)).await;
    let late = granting(&vendor, numbered(2)).await;
    let higher_id = granting(&vendor, numbered(4)).await;
    let first = granting(&vendor, numbered(3)).await;
    let sockets = on_every_interface();
    let servers = [
        (&without, 1, false, 0),
        (&late, 2, true, 20),
        (&higher_id, 4, true, 10),
        (&first, 3, true, 10),
    ];
    let agent = vendor.agent(&directory, "strict").port(sockets.port().unwrap());
    for known in [0, 7] {
        let standing = tokio::select! {
            standing = agent.acquire() => standing,
            () = offer_them(&sockets, &servers) => unreachable!(),
        };
        let Standing::Licensed(licensed) = standing else {
            panic!("{standing}")
        };
        assert_eq!(licensed.server.fingerprint, first.fingerprint);
        assert_eq!(checkouts(&first).last(), Some(&known));
    }
    for other in [without, late, higher_id] {
        assert_eq!(other.asked(), []);
    }
}
