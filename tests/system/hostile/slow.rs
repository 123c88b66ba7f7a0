//! Bytes that drip: in the handshake, in HELLO, in a header, in a body.

use std::time::Duration;

use bytes::Bytes;
use seatkeeper::wire::limits::HELLO_MS;
use seatkeeper::wire::{Frame, Opcode, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Besieged, WATCHDOG, attacker, config_of_attackers, connect_from, greeted};
use crate::wire::Wire;

/// The pace of the dripping: no limit on silence between bytes would ever be hit.
const DRIP_EVERY: Duration = Duration::from_millis(100);

/// Drips until the server hangs up.
async fn drip(mut tcp: TcpStream, bytes: &[u8]) {
    let mut told = [0; 64];
    for byte in bytes {
        if tcp.write_all(&[*byte]).await.is_err() {
            return;
        }
        let pause = tokio::time::timeout(DRIP_EVERY, tcp.read(&mut told));
        if let Ok(Ok(0) | Err(_)) = pause.await {
            return;
        }
    }
    panic!("all of it was taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_drip_end_in_time_and_agents_are_served_meanwhile() {
    let besieged = Besieged::new("");
    // The beginning of a record that holds a ClientHello, as long as one may be.
    let mut bytes = vec![0; 4_000];
    bytes[..9].copy_from_slice(&[0x16, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xec]);
    let mut attack = JoinSet::new();
    for _ in 0..100 {
        let (server, bytes) = (besieged.server(), bytes.clone());
        attack.spawn(async move {
            let tcp = connect_from(attacker(1), server).await.expect("a connection");
            drip(tcp, &bytes).await;
        });
    }
    besieged.serves(1).await;
    tokio::time::timeout(WATCHDOG, attack.join_all())
        .await
        .expect("the server hangs up");
    besieged.ends_sound(101).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_too_long_is_cut_before_its_time_is_over() {
    let besieged = Besieged::new("");
    // Records of a ClientHello that is announced as long as TLS lets it be; half of it comes.
    let mut record = vec![0; 5 + 4_096];
    record[..9].copy_from_slice(&[0x16, 3, 1, 0x10, 0, 1, 0, 0xff, 0xf0]);
    let mut tcp = connect_from(attacker(1), besieged.server()).await.unwrap();
    let cut = async {
        for _ in 0..8 {
            if tcp.write_all(&record).await.is_err() {
                return;
            }
            record[5..9].fill(0);
        }
        // The end, whether it is orderly or not.
        drop(tcp.read(&mut record).await);
    };
    tokio::time::timeout(Duration::from_millis(HELLO_MS - 1_000), cut)
        .await
        .expect("cut before its time is over");
    besieged.serves(1).await;
    besieged.ends_sound(8).await;
}

/// Drips over TLS until the server hangs up; the status of its parting.
async fn drip_tls(mut wire: Wire, bytes: Vec<u8>) -> Status {
    for byte in bytes {
        if wire.send_bytes(&[byte]).await.is_err() {
            break;
        }
        if let Ok(told) = tokio::time::timeout(DRIP_EVERY, wire.receive()).await {
            return told.expect("readable").expect("a parting").status;
        }
    }
    wire.receive().await.expect("readable").expect("a parting").status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_drip_end_in_time_wherever_they_do_and_agents_are_served_meanwhile() {
    // The silence limit is longer than the watchdog: it is not what ends them.
    let besieged = Besieged::new("agent_silence_secs = 600\n");
    let frame = |opcode| Frame {
        opcode,
        status: Status::OK,
        request: 9,
        body: Bytes::from_static(&[0; 4_000]),
    };
    let whole = |opcode| frame(opcode).encode().expect("in bounds").to_vec();
    let mut attack = JoinSet::new();
    // Before HELLO: its header, then its body.
    for _ in 0..8 {
        let tcp = connect_from(attacker(1), besieged.server()).await.unwrap();
        let wire = Wire::connect_over(tcp, config_of_attackers()).await.unwrap();
        attack.spawn(drip_tls(wire, whole(Opcode::HELLO)));
    }
    // After it: a header, a body.
    let mut wires = greeted(attacker(2), besieged.server(), 16).await;
    for mut wire in wires.split_off(8) {
        let bytes = whole(Opcode::CHECKOUT);
        wire.send_bytes(&bytes[..100]).await.unwrap();
        attack.spawn(drip_tls(wire, bytes[100..].to_vec()));
    }
    for wire in wires {
        attack.spawn(drip_tls(wire, whole(Opcode::CHECKOUT)));
    }
    besieged.serves(1).await;
    let ends = tokio::time::timeout(WATCHDOG, attack.join_all())
        .await
        .expect("the server hangs up");
    assert_eq!(ends, [Status::SILENCE_LIMIT; 24]);
    besieged.ends_sound(25).await;
}
