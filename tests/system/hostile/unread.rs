//! Peers that ask and never read what they are answered.

use bytes::Bytes;
use seatkeeper::net::ConnectionLimits;
use seatkeeper::net::bounds::{HELD_LEN_MIN, memory_max};
use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{Request, views};
use seatkeeper::wire::{Frame, Status};
use tokio::task::JoinSet;

use super::{Besieged, WATCHDOG, attacker, greeted_as, resident};

const CONNECTIONS: usize = 40;

/// Requests until the server reads no more, and then until it hangs up.
async fn is_left(besieged: &Besieged, identity: &Identity, request: Request) {
    let frame = Frame {
        opcode: request.opcode(),
        status: Status::OK,
        request: 5,
        body: request.to_body().unwrap(),
    };
    let bytes: Bytes = frame.encode().unwrap();
    let before = resident(besieged.site.server());
    let mut attack = JoinSet::new();
    for mut wire in greeted_as(identity, attacker(1), besieged.server(), CONNECTIONS).await {
        let bytes = bytes.clone();
        attack.spawn(async move { while wire.send_bytes(&bytes).await.is_ok() {} });
    }
    besieged.serves(1).await;
    let mut most = 0;
    let ended = async {
        while attack.join_next().await.is_some() {
            most = most.max(resident(besieged.site.server()));
        }
    };
    tokio::time::timeout(WATCHDOG, ended)
        .await
        .expect("the server hangs up");
    let limits = ConnectionLimits {
        total: CONNECTIONS,
        per_source: CONNECTIONS,
        requests_per_source: 256,
        held_len: HELD_LEN_MIN,
    };
    // And as much again, since what is made of requests and answers is longer than they are, and is not counted.
    let bound = before + memory_max(&limits) + HELD_LEN_MIN;
    assert!(most < bound, "{} MiB more", (most - before) >> 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_short_answers_is_left_and_takes_no_more_memory_than_is_said() {
    let besieged = Besieged::new("agent_silence_secs = 2\nconnections_memory_mib = 16\n");
    let unknown = crate::wire::checkout(besieged.site.vendor.id(), "NEVER", "agent", crate::wire::mac(7));
    is_left(&besieged, &Identity::generate().unwrap(), unknown).await;
    besieged.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_long_listings_is_left_too_and_takes_no_more_memory_than_is_said() {
    let besieged = Besieged::new("agent_silence_secs = 2\nconnections_memory_mib = 16\n");
    let keys: Vec<_> = (2..302)
        .map(|number| besieged.site.vendor.license(number, "BKSRV", 1))
        .collect();
    let file = besieged.site.dir.path().join("keys.txt");
    std::fs::write(&file, keys.join("\n")).unwrap();
    besieged.site.admin(["import-file".into(), file.into_os_string()]).ok();
    let administrator = Identity::load(&besieged.site.data().join("admin.pem")).unwrap();
    let licenses = Request::Licenses(views::Licenses {
        limit: Some(256),
        ..Default::default()
    });
    is_left(&besieged, &administrator, licenses).await;
    besieged.ends().await;
}
