//! A whole exchange, recorded on the wire and played to whoever listens: it moves nobody.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::process::{Machine, Output};
use crate::site::Site;

/// What takes longer than this hangs.
const WATCHDOG: Duration = Duration::from_secs(20);

/// What both sides of a connection said.
struct Recording {
    client: Vec<u8>,
    server: Vec<u8>,
}

/// Carries bytes from one side to the other until it ends, and keeps them.
async fn carry(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut bytes = vec![0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        kept.extend_from_slice(&bytes[..count]);
        if to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
    drop(to.shutdown().await);
    kept
}

/// Runs an agent's command through a wiretap; what it said and what passed.
async fn recorded(server: SocketAddr, machine: Machine, verb: &'static str) -> (Output, Recording) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().to_string();
    let tap = tokio::spawn(async move {
        let (agent, _) = listener.accept().await.unwrap();
        let (from_agent, to_agent) = agent.into_split();
        let (from_server, to_server) = TcpStream::connect(server).await.unwrap().into_split();
        let (client, server) = tokio::join!(carry(from_agent, to_server), carry(from_server, to_agent));
        Recording { client, server }
    });
    let run = tokio::task::spawn_blocking(move || machine.agent(verb, "BKSRV", "agent", &["--server", &here]));
    let told = run.await.unwrap();
    let recording = tokio::time::timeout(WATCHDOG, tap).await;
    (told, recording.expect("both have hung up").unwrap())
}

/// Plays the client's bytes to a server, until it hangs up; how many bytes it answered.
async fn play_to_server(server: SocketAddr, client: &[u8]) -> usize {
    let mut tcp = TcpStream::connect(server).await.unwrap();
    // It may hang up before all of it is written.
    drop(tcp.write_all(client).await);
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(WATCHDOG, tcp.read_to_end(&mut answer));
    drop(ended.await.expect("it hangs up"));
    answer.len()
}

/// Plays the server's bytes to an agent that asks for a seat.
async fn play_to_agent(server: Vec<u8>, machine: Machine) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().to_string();
    let playing = tokio::spawn(async move {
        let (mut agent, _) = listener.accept().await.unwrap();
        // Not before it has asked, as the server did.
        let mut asked = [0; 1];
        agent.read_exact(&mut asked).await.unwrap();
        drop(agent.write_all(&server).await);
        drop(agent.read_to_end(&mut Vec::new()).await);
    });
    let run = tokio::task::spawn_blocking(move || machine.agent("checkout", "BKSRV", "agent", &["--server", &here]));
    let told = run.await.unwrap();
    let played = tokio::time::timeout(WATCHDOG, playing).await;
    played.expect("the agent came and hung up").unwrap();
    told
}

/// What the server holds, as its administrator sees it.
fn ledger(site: &Site) -> [Value; 3] {
    ["seats", "licenses", "products"].map(|view| site.json([view]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_exchange_played_to_anybody_is_refused_and_changes_nothing() {
    let site = Site::open();
    site.buy(1, "BKSRV", 2);
    let server = site.server().address();
    let mut recordings = Vec::new();
    for verb in ["checkout", "renew", "release"] {
        let (told, recording) = recorded(server, site.machine(1), verb).await;
        told.ok();
        assert!(recording.client.len() > 500 && recording.server.len() > 500, "{verb}");
        recordings.push((verb, recording));
    }
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let before = ledger(&site);
    for (verb, recording) in &recordings {
        let answered = play_to_server(server, &recording.client).await;
        // Its own half of a handshake that the recording does not fit, and an alert: nothing was granted.
        assert!(answered < recording.server.len(), "{verb}: {answered} bytes");
        assert_eq!(ledger(&site), before, "{verb} was carried out again");
    }
    // The machine that asked, one that knows the server, and one that knows none.
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    let before = ledger(&site);
    for (verb, recording) in recordings {
        for number in [1, 2, 3] {
            let told = play_to_agent(recording.server.clone(), site.machine(number)).await;
            assert_eq!(told.code, Some(3), "{verb} was believed by machine {number}: {told:?}");
        }
    }
    let state = site.machine(3).state;
    for file in std::fs::read_dir(&state).unwrap().map(Result::unwrap) {
        let text = String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned();
        assert!(!text.contains(&site.server().fingerprint), "{text}");
    }
    assert_eq!(ledger(&site), before);
    for number in [1, 2] {
        site.agent(number, "renew", "BKSRV", "agent").ok();
    }
}
