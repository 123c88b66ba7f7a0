//! Requests that are begun and not completed, to fill the server's memory.

use seatkeeper::wire::limits::BODY_LEN_MAX;
use seatkeeper::wire::{Opcode, Status};

use super::{Besieged, attacker, greeted};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_unfinished_requests_hold_in_all_is_bounded_and_the_largest_give_way() {
    // The silence limit is out of the way: what ends them is what they hold.
    let besieged = Besieged::new("connections_memory_mib = 16\nagent_silence_secs = 600\n");
    let mut begun = u32::try_from(BODY_LEN_MAX).unwrap().to_be_bytes().to_vec();
    begun.extend(Opcode::CHECKOUT.0.to_be_bytes());
    begun.extend(Status::OK.0.to_be_bytes());
    begun.extend(5_u32.to_be_bytes());
    begun.resize(60_000, 0);
    // 400 of them are more than 16 MiB.
    let mut open = Vec::new();
    for source in 1..=4 {
        for mut wire in greeted(attacker(source), besieged.server(), 100).await {
            // Who gave way already cannot be written to.
            if wire.send_bytes(&begun).await.is_ok() {
                open.push(wire);
            }
        }
    }
    besieged.site.server().await_line("to make room");
    besieged.serves(1).await;
    drop(open);
    besieged.ends_sound().await;
}
