//! Much of it, fast: connections, opcodes before HELLO, requests without end.

use std::sync::Arc;

use seatkeeper::wire::{Frame, Opcode, Status};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Besieged, WATCHDOG, attacker, config_of_attackers, connect_from, greeted};
use crate::wire::Wire;

const UNLIMITED: &str = "new_seats_per_source_and_minute = 100000\nnew_macs_per_identity_and_day = 100000\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_connections_keeps_no_agent_out() {
    let besieged = Besieged::new("connections = 200\nconnections_per_source = 60\n");
    let stop = CancellationToken::new();
    let mut attack = JoinSet::new();
    // More than all places, from several sources: each holds what it has and opens the next.
    for source in 1..=8 {
        let (server, stop) = (besieged.server(), stop.clone());
        attack.spawn(async move {
            let mut open = std::collections::VecDeque::new();
            while !stop.is_cancelled() {
                // The system may be out of ports for a moment.
                open.extend(connect_from(attacker(source), server).await.ok());
                if open.len() > 200 {
                    open.pop_front();
                }
                tokio::task::yield_now().await;
            }
        });
    }
    besieged.site.server().await_line("to make room");
    for number in 1..=5 {
        besieged.serves(number).await;
    }
    stop.cancel();
    attack.join_all().await;
    besieged.ends_sound(200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_before_hello_are_refused_at_their_header_and_cost_nobody_else() {
    let besieged = Besieged::new("");
    let config = config_of_attackers();
    let opcodes = Opcode::TABLE.iter().map(|row| row.opcode).chain([Opcode(0x0777)]);
    let mut attack = JoinSet::new();
    for opcode in opcodes.filter(|opcode| *opcode != Opcode::HELLO) {
        let frame = Frame {
            opcode,
            status: Status::OK,
            request: 3,
            body: vec![0; 60_000].into(),
        };
        let bytes = frame.encode().unwrap();
        let (server, config) = (besieged.server(), Arc::clone(&config));
        attack.spawn(async move {
            let tcp = connect_from(attacker(1), server).await?;
            let mut wire = Wire::connect_over(tcp, config).await?;
            // The rest of the body never comes.
            wire.send_bytes(&bytes[..100]).await?;
            let status = wire.receive().await?.expect("an answer").status;
            assert!(matches!(wire.receive().await, Ok(None) | Err(_)));
            Ok::<_, std::io::Error>(status)
        });
    }
    besieged.serves(1).await;
    for status in attack.join_all().await {
        assert_eq!(status.expect("told"), Status::OUT_OF_ORDER);
    }
    besieged.ends_sound(64).await;
}

/// Keeps 64 requests in flight: half of them are sent while the others are answered. Tells of each half that is.
async fn ask_without_end(mut wire: Wire, half: Vec<u8>, told: mpsc::UnboundedSender<Status>) -> std::io::Result<()> {
    wire.send_bytes(&half).await?;
    loop {
        wire.send_bytes(&half).await?;
        for _ in 0..32 {
            let answer = wire.receive().await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
            if told.send(answer.status).is_err() {
                return Ok(()); // at the end nobody listens any more
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_pipelines_without_end_waits_for_its_own_requests_and_fills_the_queue_for_nobody() {
    let besieged = Besieged::new(UNLIMITED);
    let mut attack = JoinSet::new();
    let (tell, mut told) = mpsc::unbounded_channel();
    let connections = 128;
    let wires = greeted(attacker(1), besieged.server(), connections).await;
    for (number, wire) in (1_000..).zip(wires) {
        let request = besieged.checkout(number);
        let frame = Frame {
            opcode: request.opcode(),
            status: Status::OK,
            request: 5,
            body: request.to_body().unwrap(),
        };
        let half = frame.encode().unwrap().repeat(32);
        attack.spawn(ask_without_end(wire, half, tell.clone()));
    }
    for number in 1..=4 {
        // Each time while all of them ask: twice as many requests as the queue has places are on their way.
        for _ in 0..connections * 8 {
            let status = tokio::time::timeout(WATCHDOG, told.recv()).await.expect("answers");
            assert_eq!(status, Some(Status::OK), "there is room for all that are read");
        }
        besieged.serves(number).await;
    }
    attack.abort_all();
    tokio::time::timeout(WATCHDOG, async { while attack.join_next().await.is_some() {} })
        .await
        .expect("ended");
    besieged.ends_sound(129).await;
}
