use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::*;
use crate::client::state::LastStanding;
use crate::client::testing::{Stub, hello_ok, identities};
use crate::domain::catalogue::Component;
use crate::domain::license::{Claims, Kind, Usage, Validity};
use crate::domain::time::Timestamp;
use crate::sockets::server::ServerSockets;
use crate::sockets::{Groups, interfaces};
use crate::tls::{Identity, Succession};
use crate::vendor::{
    CatalogueDraft, LicenseKey, OnConflict, ProductDraft, SignedCatalogue, SigningKey, sign_catalogue, sign_key,
};
use crate::wire::discovery::{Offer, Question};
use crate::wire::limits::{GROUP_V4, GROUP_V6};
use crate::wire::messages::hello::{self, HelloOk, Refusal};
use crate::wire::messages::seat::{AvailabilityOk, CheckoutOk, Counts, ReleaseOk};
use crate::wire::messages::{Request, Response};
use crate::wire::{Outcome, ReleaseOutcome, Status};

const MAC: [u8; 6] = [0, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];

/// A vendor whose product has a strict, a lenient and an uncounted component.
struct Vendor(SigningKey);

impl Vendor {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_seed([seed; 32]))
    }

    fn entry(&self, version: u64, lenient_counted: bool) -> Bytes {
        let flags = |counted, lenient| Component {
            counted,
            lenient,
            ephemeral: false,
        };
        let components = BTreeMap::from([
            ("strict".parse().unwrap(), flags(true, false)),
            ("lenient".parse().unwrap(), flags(true, true)),
            ("console".parse().unwrap(), flags(lenient_counted, false)),
        ]);
        let product = ProductDraft {
            name: "Backup Server".to_owned(),
            idle_days: 30,
            single_use: false,
            offline_days: 0,
            components,
            required_product: None,
            on_conflict: OnConflict::Flag,
        };
        let draft = CatalogueDraft {
            vendor_name: "Example".to_owned(),
            version,
            issued_at: Timestamp(1),
            products: BTreeMap::from([("BKSRV".parse().unwrap(), product)]),
        };
        let text = sign_catalogue(&self.0, &draft).unwrap();
        let catalogue = SignedCatalogue::parse(&text).unwrap();
        let catalogue = catalogue.verify(&self.0.vendor_key()).unwrap();
        catalogue.products[&"BKSRV".parse().unwrap()].signed_entry.clone()
    }

    fn certificate(&self, product: &str) -> Bytes {
        let claims = Claims {
            vendor: self.0.vendor_key().id(),
            serial: "0123456789ABCDEF".parse().unwrap(),
            product: product.parse().unwrap(),
            seats: 3,
            kind: Kind::Commercial,
            usage: Usage::Machine,
            issued_at: Timestamp(1),
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        };
        let text = sign_key(&self.0, &claims.into(), [9; 16]).unwrap();
        let key = LicenseKey::parse(&text).unwrap();
        key.verify(&self.0.vendor_key()).unwrap().certificate
    }

    fn grant(&self, continuation: u64) -> Response {
        Response::Checkout(CheckoutOk {
            server_time: 1_000,
            outcome: Outcome::GRANTED,
            catalogue_entry: self.entry(1, false),
            serial: Some("0123456789ABCDEF".to_owned()),
            acquired_at: Some(900),
            renew_by: Some(2_000),
            continuation: Some(continuation),
            certificate: Some(self.certificate("BKSRV")),
            ..CheckoutOk::default()
        })
    }

    fn not_counted(entry: Bytes) -> Response {
        Response::Checkout(CheckoutOk {
            server_time: 1_000,
            outcome: Outcome::NOT_COUNTED,
            catalogue_entry: entry,
            counts: Some(Counts {
                total: 3,
                available: 2,
                ..Counts::default()
            }),
            ..CheckoutOk::default()
        })
    }

    fn agent(&self, directory: &tempfile::TempDir, component: &str) -> Agent {
        Agent::new(
            self.0.vendor_key(),
            "BKSRV".parse().unwrap(),
            component.parse().unwrap(),
        )
        .mac(Mac::new(MAC).unwrap())
        .state_dir(directory.path())
        .deadline(Duration::from_secs(10))
    }
}

fn refused(status: Status) -> Response {
    let text = "all 3 seats are in use; buy more or release one".to_owned();
    Response::Refused(
        status,
        Refusal {
            text,
            ..Refusal::default()
        },
    )
}

fn busy(retry_secs: u32) -> Response {
    let text = "the server is busy".to_owned();
    Response::Refused(
        Status::BUSY,
        Refusal {
            text,
            retry_secs: Some(retry_secs),
            ..Refusal::default()
        },
    )
}

fn of(stubs: &[&Stub]) -> Vec<String> {
    stubs.iter().map(|stub| stub.address.to_string()).collect()
}

async fn granting(vendor: &Arc<Vendor>, hello: HelloOk) -> Stub {
    let [identity] = identities();
    let vendor = vendor.clone();
    Stub::start(&identity, hello, move |_| Some(vendor.grant(7))).await
}

async fn answering(response: Response) -> Stub {
    let [identity] = identities();
    Stub::start(&identity, hello_ok(), move |_| Some(response.clone())).await
}

fn checkouts(stub: &Stub) -> Vec<u64> {
    stub.asked()
        .iter()
        .map(|request| match request {
            Request::Checkout(checkout) | Request::Renew(checkout) => checkout.continuation,
            other => panic!("{other:?}"),
        })
        .collect()
}

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

#[tokio::test]
async fn with_a_pin_no_other_server_is_asked() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let (first, other) = (granting(&vendor, hello_ok()).await, granting(&vendor, hello_ok()).await);
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
async fn a_successor_takes_the_place_of_the_pinned_identity() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [old, new, thief] = identities();
    let start = |identity: Arc<Identity>, hello| {
        let vendor = vendor.clone();
        async move { Stub::start(&identity, hello, move |_| Some(vendor.grant(7))).await }
    };
    let statement = Succession::sign(&old, new.public_key()).unwrap();
    let hello = HelloOk {
        succession: Some(hello::Succession {
            old_spki: statement.old_spki.into(),
            signature: statement.signature.into(),
        }),
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
    let stub = answering(Response::Availability(AvailabilityOk { server_time: 1, counts })).await;
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

/// Answers questions on every interface with the offers of these servers: number, product held, priority.
async fn offer_them(sockets: &ServerSockets, servers: &[(&Stub, u8, bool, u16)]) {
    let socket = sockets.v4.as_ref().unwrap();
    let mut buffer = [0; 1_024];
    loop {
        let received = socket.receive(&mut buffer).await.unwrap();
        let question = Question::decode(&buffer[..received.len]).unwrap();
        assert_eq!(question.wanted.unwrap().product, "BKSRV");
        for (stub, number, holds, priority) in servers {
            let offer = Offer {
                nonce: question.nonce,
                server: [*number; 16],
                fingerprint: stub.fingerprint.0,
                port: stub.address.port(),
                epoch: 3,
                priority: *priority,
                server_time: 0,
                version_min: 1,
                version_max: 1,
                holds: Some(*holds),
                name: "office".to_owned(),
                server_version: "0.1.0".to_owned(),
            };
            let sent = socket.send(&offer.encode().unwrap(), received.source, received.way_back());
            sent.unwrap();
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn of_the_servers_that_are_found_one_that_holds_the_product_comes_first_then_the_lowest_priority() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let numbered = |number| HelloOk {
        server: [number; 16],
        ..hello_ok()
    };
    let without = granting(&vendor, numbered(1)).await;
    let late = granting(&vendor, numbered(2)).await;
    let higher_id = granting(&vendor, numbered(4)).await;
    let first = granting(&vendor, numbered(3)).await;
    let sockets = ServerSockets::bind(0).unwrap();
    let groups = Groups {
        v4: GROUP_V4,
        v6: GROUP_V6,
    };
    sockets.join(groups, &interfaces::list().unwrap(), |_, _| ());
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
