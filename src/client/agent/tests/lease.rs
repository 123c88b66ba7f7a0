//! Running without a server on the last lease (rule O3): its days, and its end.

mod clocks;
mod whose;

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
