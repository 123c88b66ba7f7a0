//! Running without a server on the last lease (rule O3).

use super::*;
use crate::clock::Clock;
use crate::domain::ids::Fingerprint;
use crate::session::LeaseKey;
use crate::wire::messages::seat::{Checkout, Lease};

const T: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// What is done to a lease before it is signed.
type LeaseChange = fn(&mut Lease);

/// What is done to a grant before it is sent.
type GrantChange = fn(&mut CheckoutOk);

fn key(seed: u8) -> LeaseKey {
    LeaseKey::from_seed([seed; 32])
}

fn hello() -> HelloOk {
    HelloOk {
        lease_key: Some(key(1).public()),
        ..hello_ok()
    }
}

fn at(secs: u64) -> Clock {
    Clock::manual(Timestamp(secs))
}

/// A component of a product that may run for 7 days without a server, and what its server answers.
struct Bench {
    directory: tempfile::TempDir,
    vendor: Arc<Vendor>,
    server: Arc<Identity>,
}

impl Bench {
    fn new() -> Self {
        let [server] = identities();
        Self {
            directory: tempfile::tempdir().unwrap(),
            vendor: Arc::new(Vendor::new(1)),
            server,
        }
    }

    fn agent(&self, component: &str) -> Agent {
        // Nobody listens there.
        self.vendor
            .agent(&self.directory, component)
            .servers(["127.0.0.1:1"])
            .clock(at(T))
    }

    /// A grant with the lease that was asked for, changed by `change` and signed by `signer`.
    fn grant(&self, ask: &Checkout, identity: Fingerprint, signer: &LeaseKey, change: LeaseChange) -> CheckoutOk {
        let mut lease = Lease {
            vendor: ask.vendor,
            product: ask.product.clone(),
            component: ask.component.clone(),
            mac: ask.mac,
            identity: identity.0,
            server: hello().server,
            days: 7,
            client_time: ask.client_time.expect("every checkout tells it"),
            server_time: ask.client_time.expect("every checkout tells it"),
        };
        change(&mut lease);
        let Response::Checkout(granted) = self.vendor.grant(7) else {
            unreachable!()
        };
        CheckoutOk {
            catalogue_entry: self.vendor.entry_offline(1, false, 7),
            lease: Some(signer.sign(&lease).unwrap()),
            ..granted
        }
    }

    /// The standing after a checkout from a server whose grant is `change`d.
    async fn check_out(&self, agent: &Agent, signer: LeaseKey, change: LeaseChange, then: GrantChange) -> Standing {
        let identity = agent.fingerprint().await.unwrap();
        let bench = Self {
            directory: tempfile::tempdir().unwrap(),
            vendor: self.vendor.clone(),
            server: self.server.clone(),
        };
        let stub = Stub::start(&self.server, hello(), move |request| match request {
            Request::Checkout(ask) | Request::Renew(ask) => {
                let mut granted = bench.grant(ask, identity, &signer, change);
                then(&mut granted);
                Some(Response::Checkout(granted))
            }
            _ => None,
        })
        .await;
        agent.clone().servers(of(&[&stub])).acquire().await
    }

    async fn license(&self, agent: &Agent) {
        let standing = self.check_out(agent, key(1), |_| (), |_| ()).await;
        assert!(matches!(standing, Standing::Licensed(_)), "{standing}");
        assert_eq!(standing.warnings(), [] as [String; 0]);
    }

    /// What the pinned server answers to a checkout, and nothing else.
    async fn answered(&self, agent: &Agent, response: Response) -> Standing {
        let stub = Stub::start(&self.server, hello(), move |_| Some(response.clone())).await;
        agent.clone().servers(of(&[&stub])).acquire().await
    }
}

/// Asked too often, and not to be asked again before the deadline.
fn slow_down() -> Response {
    let Response::Refused(_, refusal) = busy(3_600) else {
        unreachable!()
    };
    Response::Refused(Status::SLOW_DOWN, refusal)
}

/// The seconds that are left without a server; nothing where the component does not run.
async fn left(agent: &Agent) -> Option<u64> {
    let standing = agent.acquire().await;
    let term = standing.countdown().copied();
    assert_eq!(standing.may_run(), term.is_some(), "{standing}");
    assert_eq!(
        standing.to_string().starts_with("invalid license: "),
        term.is_none(),
        "{standing}"
    );
    term.map(|term| term.left_secs)
}

// proves O3
#[tokio::test]
async fn a_strict_component_runs_on_its_lease_to_the_second_and_counts_down() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    assert_eq!(left(&agent).await, None, "no lease yet");
    bench.license(&agent).await;
    let end = T + 7 * DAY;
    for (now, expected) in [(T, Some(7 * DAY)), (T + DAY, Some(6 * DAY)), (end - 1, Some(1))] {
        assert_eq!(left(&agent.clone().clock(at(now))).await, expected, "{now}");
    }
    let check = agent.clone().clock(at(end - 1)).check().await.unwrap();
    assert_eq!(
        check.offline.running().map(|term| (term.until, term.days)),
        Some((Timestamp(end), 7))
    );
    for now in [end, end + 1, end] {
        let standing = agent.clone().clock(at(now)).acquire().await;
        assert!(!standing.may_run());
        let text = standing.to_string();
        let start = "invalid license: the 7 days that this product may run without its license server are over; start";
        assert!(text.starts_with(start), "{text}");
    }
    bench.license(&agent.clone().clock(at(end + 5))).await;
    assert_eq!(left(&agent.clone().clock(at(end + 5))).await, Some(7 * DAY), "anew");
}

// proves O3
#[tokio::test]
async fn what_is_left_is_told_with_the_faults() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    let standing = agent.clock(at(T + DAY - 3 * 3_600)).acquire().await;
    let text = standing.to_string();
    assert!(
        text.starts_with("running without a license server for 6 d 3 h more: "),
        "{text}"
    );
    assert!(text.contains("127.0.0.1:1"), "the fault: {text}");
    let Standing::NoServer(without) = standing else {
        panic!("{standing}")
    };
    let dated = without.text(|at| format!("<{}>", at.0));
    assert!(
        dated.contains(&format!("for 6 d 3 h more (until <{}>): ", T + 7 * DAY)),
        "{dated}"
    );
}

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

// proves O3
#[tokio::test]
async fn a_lease_for_somebody_else_or_of_somebody_else_is_not_kept_and_that_is_told() {
    let changes: [(u8, LeaseChange); 7] = [
        (2, |_| ()),
        (1, |lease| lease.mac[5] ^= 1),
        (1, |lease| lease.identity[0] ^= 1),
        (1, |lease| lease.vendor[0] ^= 1),
        (1, |lease| lease.product = "OTHER".to_owned()),
        (1, |lease| lease.component = "console".to_owned()),
        (1, |lease| lease.server[0] ^= 1),
    ];
    for (place, (signer, change)) in changes.into_iter().enumerate() {
        let bench = Bench::new();
        let agent = bench.agent("strict");
        let standing = bench.check_out(&agent, key(signer), change, |_| ()).await;
        assert!(standing.may_run(), "the grant stands: {standing}");
        let told = standing.warnings();
        assert!(
            told.iter().any(|told| told.contains("it is not kept")),
            "{place}: {told:?}"
        );
        assert_eq!(agent.recall().await.unwrap().lease, None, "{place}");
        assert_eq!(left(&agent).await, None, "{place}");
    }
}

// proves O3
#[tokio::test]
async fn a_lease_is_useless_on_another_machine_for_another_component_or_identity_and_with_another_servers_key() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    let moved = agent.clone().mac(Mac::new([0, 0x1a, 0x2b, 0, 0, 1]).unwrap());
    let told = moved.acquire().await;
    assert!(
        !told.may_run() && told.to_string().contains("for another machine"),
        "{told}"
    );
    let memory = agent.recall().await.unwrap();

    let console = bench.agent("console");
    let copy = |memory: Memory, to: Agent| async move {
        let mut state = to.open(to.due()).await.unwrap();
        state.memory = memory;
        state.save(Timestamp(T)).await.unwrap();
    };
    // The identity comes along as well when a whole directory is copied and renamed.
    let name = |component: &str, extension: &str| {
        let vendor = agent.owner().product.vendor;
        bench
            .directory
            .path()
            .join(format!("{vendor}~BKSRV~{component}.{extension}"))
    };
    std::fs::copy(name("strict", "pem"), name("console", "pem")).unwrap();
    copy(memory.clone(), console.clone()).await;
    let told = console.acquire().await;
    assert!(
        !told.may_run() && told.to_string().contains("for another component"),
        "{told}"
    );

    let mut other_key = memory.clone();
    other_key.pins[0].lease_key = Some(key(2).public());
    copy(other_key, agent.clone()).await;
    assert_eq!(left(&agent).await, None, "another server's key");
    let mut no_pin = memory.clone();
    no_pin.pins.clear();
    copy(no_pin, agent.clone()).await;
    assert_eq!(left(&agent).await, None, "a server that is not pinned");

    copy(memory.clone(), agent.clone()).await;
    assert_eq!(left(&agent).await, Some(7 * DAY), "as it was");
    std::fs::remove_file(name("strict", "pem")).unwrap();
    let told = agent.acquire().await;
    assert!(
        !told.may_run() && told.to_string().contains("for another identity"),
        "{told}"
    );

    let other_product = Agent {
        owner: Owner {
            product: ProductKey {
                product: "OTHER".parse().unwrap(),
                ..agent.owner().product
            },
            ..agent.owner()
        },
        ..agent
    };
    copy(memory, other_product.clone()).await;
    assert_eq!(left(&other_product).await, None, "another product");
}

// proves O3
#[tokio::test]
async fn a_refusal_and_a_release_end_the_lease_and_a_server_without_time_does_not() {
    let bench = Bench::new();
    let agent = bench.agent("strict").deadline(Duration::from_secs(2));
    bench.license(&agent).await;
    for (response, keeps) in [
        (busy(3_600), true),
        (refused(Status::INTERNAL), true),
        (slow_down(), true),
        (refused(Status::LICENSE_EXPIRED), false),
    ] {
        let standing = bench.answered(&agent, response.clone()).await;
        assert_eq!(
            standing.countdown().is_some(),
            response.status().0 < 0x0100,
            "{standing}"
        );
        assert_eq!(left(&agent).await.is_some(), keeps, "{response:?}");
    }
    bench.license(&agent).await;
    let stub = Stub::start(&bench.server, hello(), |_| {
        Some(Response::Release(ReleaseOk {
            server_time: 1,
            outcome: ReleaseOutcome::SEAT_FREED,
            components_left: 0,
        }))
    })
    .await;
    assert_eq!(
        agent.clone().servers(of(&[&stub])).release().await.unwrap(),
        Released::Seat
    );
    assert_eq!(left(&agent).await, None);
}

// proves O3
#[tokio::test]
async fn a_newer_catalogue_shortens_the_days_of_a_lease_that_is_out() {
    let newer: [(GrantChange, u8); 3] = [
        (
            |granted| granted.catalogue_entry = Vendor::new(1).entry_offline(2, false, 2),
            2,
        ),
        (
            |granted| granted.catalogue_entry = Vendor::new(1).entry_offline(2, false, 60),
            7,
        ),
        (
            |granted| granted.catalogue_entry = Vendor::new(1).entry_offline(2, false, 0),
            0,
        ),
    ];
    for (change, days) in newer {
        let bench = Bench::new();
        let agent = bench.agent("strict");
        let standing = bench.check_out(&agent, key(1), |_| (), change).await;
        assert!(standing.may_run(), "{standing}");
        let secs = u64::from(days) * DAY;
        assert_eq!(left(&agent).await, Some(secs).filter(|secs| *secs > 0));
        assert_eq!(left(&agent.clock(at(T + secs))).await, None);
    }
}

// proves O3
#[tokio::test]
async fn a_lease_lasts_while_another_process_has_the_state() {
    let bench = Bench::new();
    let agent = bench.agent("strict").deadline(Duration::from_millis(300));
    bench.license(&agent.clone().deadline(Duration::from_secs(10))).await;
    let _other_process = agent.open(agent.due()).await.unwrap();
    for (now, expected) in [(T + 1, Some(7 * DAY - 1)), (T + 7 * DAY, None)] {
        let agent = agent.clone().clock(at(now));
        let standing = agent.acquire().await;
        assert!(matches!(standing, Standing::Unable(_)), "{standing}");
        assert_eq!(standing.may_run(), expected.is_some(), "{standing}");
        assert_eq!(standing.countdown().map(|term| term.left_secs), expected);
    }
}

// proves O3
#[tokio::test]
async fn a_lease_goes_over_to_the_successor_of_its_server() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    let [successor] = identities();
    let statement = Succession::sign(&bench.server, successor.public_key()).unwrap();
    let hello = HelloOk {
        succession: Some(hello::Succession {
            old_spki: statement.old_spki.into(),
            signature: statement.signature.into(),
        }),
        ..hello()
    };
    let stub = Stub::start(&successor, hello, |_| Some(slow_down())).await;
    let standing = agent.clone().servers(of(&[&stub])).acquire().await;
    assert!(matches!(standing, Standing::Denied(_)), "{standing}");
    assert_eq!(left(&agent).await, Some(7 * DAY));
}
