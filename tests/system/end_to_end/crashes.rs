//! `kill -9` at any moment loses no answered request.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{Request, Response, seat};
use seatkeeper_model::Random;

use crate::site::Site;
use crate::wire::{Wire, answer, checkout, mac};

/// Kills; a long campaign sets the variable [`KILLS_VARIABLE`].
const KILLS: u16 = 15;

const KILLS_VARIABLE: &str = "SEATKEEPER_KILLS";

/// Connections that are at work when the server dies.
const CONNECTIONS: u16 = 3;

/// Machines of each connection.
const MACHINES: u16 = 80;

/// Requests in flight on each, at most.
const IN_FLIGHT: usize = 24;

/// A server under load dies after so long at most, in milliseconds: it has made a few checkpoints by then.
const LIFE_MS: u64 = 250;

/// One that starts, after so long: it reads its checkpoint and its journal meanwhile.
const START_MS: u64 = 60;

const SETTINGS: &str = "[limits]\nnew_macs_per_identity_and_day = 100000\nnew_seats_per_source_and_minute = 100000\n\
    [journal]\ncheckpoint_kib = 16\n";

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

/// Who is at work on a connection, and what it knows.
struct Lane {
    identity: Identity,
    /// Its first machine.
    first: u16,
    known: BTreeMap<[u8; 6], Known>,
}

/// Checks machines out and releases them as the dice have it, until the server is gone.
async fn work(server: SocketAddr, vendor: VendorId, lane: &mut Lane, seed: u64) {
    let Lane { identity, first, known } = lane;
    let Ok((mut wire, _)) = Wire::hello(server, identity).await else {
        return;
    };
    let mut dice = Random::new(seed);
    let mut waiting = VecDeque::new();
    loop {
        while waiting.len() < IN_FLIGHT {
            let machine = mac(*first + u16::try_from(dice.below(u64::from(MACHINES))).expect("a number"));
            let request = if dice.percent(60) {
                checkout(vendor, "BKSRV", "agent", machine)
            } else {
                release(vendor, machine)
            };
            known.insert(machine, Known::Open);
            waiting.push_back(machine);
            if wire.send(&request).await.is_err() {
                return;
            }
        }
        let Ok(Some(frame)) = wire.receive().await else {
            return;
        };
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
    }
}

// proves K7
// proves S2
#[test]
fn no_answered_request_is_lost_when_the_server_is_killed() {
    let mut site = Site::open_with(SETTINGS);
    site.buy(1, "BKSRV", 60_000);
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().expect("a number"));
    let lane = |place| Lane {
        identity: Identity::generate().expect("an identity"),
        first: 1 + place * MACHINES,
        known: BTreeMap::new(),
    };
    let mut lanes: Vec<_> = (0..CONNECTIONS).map(lane).collect();
    let mut dice = Random::new(u64::from(kills));
    let mut answered = 0;
    for kill in 0..kills {
        let (server, vendor) = (site.server().address(), site.vendor.id());
        // The instant itself is what is tried: nothing that happens is waited for.
        let life = Duration::from_millis(dice.below(LIFE_MS));
        std::thread::scope(|scope| {
            for lane in &mut lanes {
                let seed = dice.below(u64::MAX);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(work(server, vendor, lane, seed));
                });
            }
            std::thread::sleep(life);
            site.kill();
        });
        for _ in 0..dice.below(3) {
            site.die_in_start(Duration::from_millis(dice.below(START_MS)));
        }
        site.start();
        let rows = site.json(["seats"]);
        let rows = rows.as_array().expect("rows").iter();
        let held: Vec<&str> = rows.map(|row| row["mac"].as_str().expect("text")).collect();
        for (machine, state) in lanes.iter().flat_map(|lane| &lane.known) {
            let shown = machine.map(|byte| format!("{byte:02x}")).join(":");
            match state {
                Known::Free => assert!(!held.contains(&shown.as_str()), "kill {kill}: {shown} came back"),
                Known::Held => assert!(held.contains(&shown.as_str()), "kill {kill}: {shown} was lost"),
                Known::Open => {}
            }
            answered += u32::from(*state != Known::Open);
        }
        site.audit();
    }
    assert!(
        answered > u32::from(kills) * 10,
        "hardly anything was answered: {answered}"
    );
    // Checkpoints were made meanwhile, so that kills hit them too.
    let status = site.json(["status"]);
    assert!(status["checkpoint"]["generation"].as_u64() > Some(1), "{status}");
}
