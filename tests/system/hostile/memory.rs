//! Requests that are begun and not completed, to fill the server's memory.

use seatkeeper::net::bounds::{FREE_LEN, HELD_LEN_MIN};
use seatkeeper::wire::limits::BODY_LEN_MAX;
use seatkeeper::wire::{Opcode, Status};

use tokio::task::JoinSet;

use super::{Besieged, LOOK_EVERY, attacker, greeted, resident};

/// Sources of the attack, and the connections of each. They begin to send more than twice what all may hold.
const SOURCES: u8 = 4;
const OF_EACH: usize = 250;

/// What the allocator keeps of what was given back.
const SLACK: usize = 8 << 20;

/// What TLS has deciphered of a connection and the server has not read yet, in bytes: a record. A silent connection has no room
/// for it, so it is no part of what was in memory before.
const RECORD_LEN: usize = 16 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_unfinished_requests_hold_in_all_is_bounded_and_the_largest_give_way() {
    // The silence limit is out of the way: what ends them is what they hold.
    let besieged = Besieged::new("connections_memory_mib = 16\nagent_silence_secs = 600\n");
    let mut begun = u32::try_from(BODY_LEN_MAX).unwrap().to_be_bytes().to_vec();
    begun.extend(Opcode::CHECKOUT.0.to_be_bytes());
    begun.extend(Status::OK.0.to_be_bytes());
    begun.extend(5_u32.to_be_bytes());
    begun.resize(60_000, 0);
    let mut wires = Vec::new();
    for source in 1..=SOURCES {
        wires.extend(greeted(attacker(source), besieged.server(), OF_EACH).await);
    }
    let count = wires.len();
    let allowed = HELD_LEN_MIN + count * (FREE_LEN + RECORD_LEN) + SLACK;
    assert!(count * begun.len() > allowed);
    let before = resident(besieged.site.server());
    let mut attack = JoinSet::new();
    for mut wire in wires {
        let begun = begun.clone();
        // Who gave way cannot be written to.
        attack.spawn(async move { wire.send_bytes(&begun).await.is_ok().then_some(wire) });
    }
    let (mut open, mut most) = (Vec::new(), before);
    while let Some(sent) = attack.join_next().await {
        open.extend(sent.expect("no panic"));
        most = most.max(resident(besieged.site.server()));
    }
    // What was sent last may still be on its way.
    for _ in 0..20 {
        tokio::time::sleep(LOOK_EVERY).await;
        most = most.max(resident(besieged.site.server()));
    }
    assert!(most < before + allowed, "{} MiB more", (most - before) >> 20);
    besieged.site.server().await_line("to make room");
    besieged.serves(1).await;
    drop(open);
    besieged.ends().await;
}
