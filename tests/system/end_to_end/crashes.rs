//! `kill -9` between any two requests loses no answered one.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{Request, Response, seat};

use crate::site::Site;
use crate::wire::{Wire, answer, checkout, mac};

/// Kills; a long campaign sets the variable [`KILLS_VARIABLE`].
const KILLS: u16 = 15;

const KILLS_VARIABLE: &str = "SEATKEEPER_KILLS";

/// Machines of each life of the server.
const MACHINES: u16 = 100;

/// Requests in flight when the server dies, at most.
const IN_FLIGHT: u16 = 24;

const LIMITS: &str = "[limits]\nnew_macs_per_identity_and_day = 100000\nnew_seats_per_source_and_minute = 100000\n";

/// What the client knows of a machine's seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Free,
    Held,
    /// The last request for it was not answered.
    Open,
}

fn release(vendor: VendorId, mac: [u8; 6]) -> Request {
    Request::Release(seat::Release {
        vendor: vendor.0,
        product: "BKSRV".into(),
        component: "agent".into(),
        mac,
    })
}

/// Checks out one machine after the other, releases every third again, and stops reading after `answers` answers.
async fn work(
    server: SocketAddr,
    identity: &Identity,
    vendor: VendorId,
    first: u16,
    answers: u16,
    known: &mut BTreeMap<[u8; 6], Known>,
) {
    let (mut wire, _) = Wire::hello(server, identity).await.expect("HELLO");
    let mut sent = Vec::new();
    for number in first..first + answers + IN_FLIGHT {
        let machine = mac(number);
        sent.push((machine, checkout(vendor, "BKSRV", "agent", machine)));
        if number % 3 == 0 {
            sent.push((machine, release(vendor, machine)));
        }
    }
    let mut asked = sent.iter();
    let mut waiting = std::collections::VecDeque::new();
    for (machine, request) in asked.by_ref().take(usize::from(IN_FLIGHT)) {
        known.insert(*machine, Known::Open);
        wire.send(request).await.expect("send");
        waiting.push_back(*machine);
    }
    for _ in 0..answers {
        let frame = wire.receive().await.expect("receive").expect("an answer");
        let machine = waiting.pop_front().expect("asked");
        // A later request for the same machine may be on its way: what it comes to is open.
        if !waiting.contains(&machine) {
            let state = match answer(&frame).expect("readable") {
                Response::Checkout(_) => Known::Held,
                Response::Release(_) => Known::Free,
                other => panic!("{other:?}"),
            };
            known.insert(machine, state);
        }
        if let Some((machine, request)) = asked.next() {
            known.insert(*machine, Known::Open);
            wire.send(request).await.expect("send");
            waiting.push_back(*machine);
        }
    }
}

// proves K7
// proves S2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_request_is_lost_when_the_server_is_killed() {
    let mut site = Site::open_with(LIMITS);
    site.buy(1, "BKSRV", 60_000);
    let identity = Identity::generate().unwrap();
    let mut known = BTreeMap::new();
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().expect("a number"));
    assert!(kills <= u16::MAX / MACHINES, "{KILLS_VARIABLE} is too large");
    for kill in 0..kills {
        let server = site.server().address();
        work(
            server,
            &identity,
            site.vendor.id(),
            1 + kill * MACHINES,
            // Spread over all that are sent, in no order.
            1 + kill.wrapping_mul(7_919) % (MACHINES - IN_FLIGHT),
            &mut known,
        )
        .await;
        site.kill();
        site.start();
        let rows = site.json(["seats"]);
        let held: Vec<&str> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["mac"].as_str().unwrap())
            .collect();
        for (machine, state) in &known {
            let shown = machine.map(|byte| format!("{byte:02x}")).join(":");
            match state {
                Known::Free => assert!(!held.contains(&shown.as_str()), "kill {kill}: {shown} came back"),
                Known::Held => assert!(held.contains(&shown.as_str()), "kill {kill}: {shown} was lost"),
                Known::Open => {}
            }
        }
        site.audit();
    }
    assert!(known.values().any(|state| *state == Known::Held) && known.values().any(|state| *state == Known::Free));
}
