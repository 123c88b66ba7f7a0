//! Questions without end, from as many sources as can be made up, and datagrams that are none.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use seatkeeper::clock::monotonic;
use seatkeeper::wire::discovery::{Offer, Question};
use seatkeeper::wire::limits::{OFFERS_PER_SEC, QUESTION_LEN};

use super::{Besieged, WATCHDOG, resident};

/// Networks that questions come from, each a source of its own for the limiter.
const NETWORKS: u8 = 60;

/// Questions of each: more than one source gets answered, and in all more than everybody together.
const OF_EACH: u16 = 600;

fn socket(network: u8) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 77, network, 1), 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn offers(socket: &UdpSocket) -> u32 {
    let mut buffer = [0; 2_048];
    let mut count = 0;
    while let Ok(len) = socket.recv(&mut buffer) {
        assert!(len <= QUESTION_LEN);
        Offer::decode(&buffer[..len]).expect("an offer");
        count += 1;
    }
    count
}

/// Asks as an installer does, until there is an offer.
fn is_found(server: SocketAddr) {
    let asker = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asker.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    let question = Question {
        nonce: [9; 16],
        wanted: None,
    };
    let mut buffer = [0; 2_048];
    let begun = monotonic();
    loop {
        asker.send_to(&question.encode().unwrap(), server).unwrap();
        if let Ok(len) = asker.recv(&mut buffer) {
            assert_eq!(Offer::decode(&buffer[..len]).expect("an offer").nonce, [9; 16]);
            return;
        }
        assert!(
            u128::from(monotonic().millis_since(begun)) < WATCHDOG.as_millis(),
            "never answered"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_questions_is_answered_so_often_and_no_more_and_costs_no_memory() {
    let besieged = Besieged::new("");
    let before = resident(besieged.site.server());
    let question = Question {
        nonce: [1; 16],
        wanted: None,
    };
    let question = question.encode().unwrap();
    let sockets: Vec<_> = (0..NETWORKS).map(socket).collect();
    let begun = monotonic();
    let mut answered = 0;
    for round in 0..OF_EACH {
        for socket in &sockets {
            // A full buffer loses it, as the network may.
            drop(socket.send_to(&question, besieged.server()));
            let junk = vec![0x53; usize::from(round) * 2 + 1];
            drop(socket.send_to(&junk, besieged.server()));
            answered += offers(socket);
        }
    }
    besieged.serves(1).await;
    // What came before the flood counts too: a second's worth at once.
    is_found(besieged.server());
    answered += sockets.iter().map(offers).sum::<u32>();
    let most = u64::from(OFFERS_PER_SEC) * (1_001 + monotonic().millis_since(begun)) / 1_000;
    assert!(answered > 0 && u64::from(answered) <= most, "{answered} offers");
    let memory = resident(besieged.site.server());
    assert!(memory < before + (16 << 20), "{} KiB more", (memory - before) >> 10);
    besieged.ends().await;
}
