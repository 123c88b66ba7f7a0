//! Connections that say nothing: thousands, and all that there are places for.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use seatkeeper::clock::monotonic;
use seatkeeper::domain::time::Monotonic;
use seatkeeper::net::ConnectionLimits;
use seatkeeper::net::bounds::{CONNECTION_LEN_MAX, FREE_LEN, memory_max};
use seatkeeper::wire::limits::{HEADER_LEN, HELLO_MS};
use seatkeeper::wire::{Opcode, Status};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Besieged, LOOK_EVERY, attacker, await_sockets, connect_from, greeted, is_required, resident, sockets};
use crate::process::{SEATKEEPER, ServerProcess, command};

/// What a connection that says nothing takes at most, in bytes, as the configuration's text has it.
const IDLE_LEN_MAX: usize = CONNECTION_LEN_MAX / 3;

/// Connections that an attack of this many may open here: as many, where this process may have so many files open. Where
/// it may not, that is told, and with `SEATKEEPER_LAN=require` it fails.
fn make_room(connections: usize) -> usize {
    /// Files besides the connections.
    const OTHERS: u64 = 1_000;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let needed = u64::try_from(connections).unwrap() + OTHERS;
    if soft < needed {
        setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard).expect("up to the hard limit");
    }
    if hard >= needed {
        return connections;
    }
    let left = usize::try_from(hard.saturating_sub(OTHERS)).unwrap();
    let told = format!(
        "only {left} of {connections} idle connections are tried: this process may open {hard} files, and needs {needed}; \
         raise the hard limit (ulimit -H -n)"
    );
    assert!(!is_required() && left > 0, "{told}");
    // Not by a macro: what those print of a test that passes is not shown.
    writeln!(std::io::stderr(), "\n{told}").expect("standard error");
    left
}

/// Connections that have said HELLO and then nothing, among those that have not got so far. How many more a server holds
/// when each has, `seatswarm hold` measures: proving who they are takes a test too long.
const GREETED: usize = 500;

/// A connection without HELLO: it says nothing at all, or the beginning of a handshake. When it was opened.
type Silent = (TcpStream, Monotonic);

/// The beginning of a record that holds a `ClientHello`.
const HANDSHAKE_BEGUN: [u8; 9] = [0x16, 3, 1, 0x01, 0xf0, 1, 0, 0x01, 0xec];

/// Opens connections, of which every second one begins TLS and the others do not even that.
async fn half_open(besieged: &Besieged, sources: u8, of_each: usize) -> Vec<Silent> {
    let mut opening = JoinSet::new();
    for source in 1..=sources {
        let server = besieged.server();
        opening.spawn(async move {
            let mut open = Vec::new();
            for number in 0..of_each {
                let mut tcp = connect_from(attacker(source), server).await.expect("a connection");
                let at = monotonic();
                if number % 2 == 1 {
                    // The server may have hung up already.
                    drop(tcp.write_all(&HANDSHAKE_BEGUN).await);
                }
                open.push((tcp, at));
            }
            open
        });
    }
    opening.join_all().await.into_iter().flatten().collect()
}

/// How many of them the server has no right to end yet: HELLO is not due for another second.
fn young(silent: &[Silent]) -> usize {
    let now = monotonic();
    let is_young = |opened: &Monotonic| now.millis_since(*opened) < HELLO_MS - 1_000;
    silent.iter().filter(|(_, opened)| is_young(opened)).count()
}

/// Waits until the server holds every connection that it may not end yet, besides `others`; how many it holds then.
async fn await_held(besieged: &Besieged, silent: &[Silent], others: usize) -> usize {
    let begun = monotonic();
    loop {
        // First those that are due, which get fewer and fewer, so that none counts that was ended meanwhile.
        let due = besieged.sockets + others + young(silent);
        let held = sockets(besieged.site.server());
        if held >= due {
            return held - besieged.sockets;
        }
        // What has been connected may wait for a moment to be accepted.
        let waited = monotonic().millis_since(begun);
        assert!(
            waited < 1_000,
            "{held} sockets of {due}: {}",
            besieged.site.server().log()
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_connections_take_no_more_memory_than_is_said_and_keep_nobody_out() {
    let count = make_room(10_000) - GREETED;
    let besieged = Besieged::new("agent_silence_secs = 600\n");
    let before = resident(besieged.site.server());
    let mut greeted_ones = Vec::new();
    for source in 101..=105 {
        greeted_ones.extend(greeted(attacker(source), besieged.server(), GREETED / 5).await);
    }
    let silent = half_open(&besieged, 50, count / 50).await;
    let reached = await_held(&besieged, &silent, GREETED).await;
    let memory = resident(besieged.site.server());
    // The first ones may have been ended before the last ones came.
    assert!(reached > count / 4, "{reached} of {count} at once");
    let each = (memory - before) / reached;
    assert!(each < IDLE_LEN_MAX, "{each} bytes each");
    // An agent is served while they are there, and none of them has to go for it.
    besieged.serves(1).await;
    await_held(&besieged, &silent, GREETED).await;
    // Those without HELLO end by themselves, in the time that a handshake has; those with it stay, and are answered.
    await_sockets(besieged.site.server(), "ended", |left| {
        left <= besieged.sockets + GREETED
    })
    .await;
    for (number, wire) in (2_000..).zip(&mut greeted_ones) {
        wire.ask(&besieged.checkout(number)).await.expect("it is still held");
    }
    drop((silent, greeted_ones));
    besieged.ends().await;
}

/// The beginning of a request that is not counted, and then that of a record of TLS: each but for its last byte.
fn begun() -> (Vec<u8>, Vec<u8>) {
    let body_len = FREE_LEN - HEADER_LEN;
    let mut request = u32::try_from(body_len).unwrap().to_be_bytes().to_vec();
    request.extend(Opcode::CHECKOUT.0.to_be_bytes());
    request.extend(Status::OK.0.to_be_bytes());
    request.extend(5_u32.to_be_bytes());
    request.resize(FREE_LEN - 1, 0);
    let mut record = vec![0x17, 3, 3, 0x41, 0];
    record.resize(5 + RECORD_LEN - 1, 0);
    (request, record)
}

/// The longest record of TLS: 2^14 bytes and 256 for its cipher.
const RECORD_LEN: usize = 16_640;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn established_connections_take_no_more_memory_than_is_said() {
    let besieged = Besieged::new("");
    let before = resident(besieged.site.server());
    let mut open = Vec::new();
    for source in 1..=2 {
        open.extend(greeted(attacker(source), besieged.server(), 200).await);
    }
    let count = open.len();
    let each = || resident(besieged.site.server()).saturating_sub(before) / count;
    let idle = each();
    assert!(idle < IDLE_LEN_MAX, "{idle} bytes each");
    let (request, record) = begun();
    for wire in &mut open {
        wire.send_bytes(&request).await.unwrap();
        wire.stream.get_mut().0.write_all(&record).await.unwrap();
    }
    let mut most = 0;
    for _ in 0..10 {
        tokio::time::sleep(LOOK_EVERY).await;
        most = most.max(each());
    }
    let sent = request.len() + record.len();
    assert!(
        most > idle + sent,
        "{idle} bytes each, then {most}: {sent} are not held"
    );
    assert!(most < CONNECTION_LEN_MAX, "{most} bytes each");
    besieged.serves(1).await;
    drop(open);
    besieged.ends().await;
}

#[test]
fn the_default_bounds_of_memory_are_those_that_the_texts_name() {
    assert_eq!(CONNECTION_LEN_MAX, 112 << 10);
    // 20,000 connections at their worst, from 79 sources or more.
    assert_eq!(memory_max(&ConnectionLimits::default()) >> 20, 2_443);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (text, said) in [
        ("README.md", "112 KiB each, and 256 MiB for what is under way"),
        (
            "tools/dist/seatkeeper.toml",
            "takes at most\n# 112 KiB of memory, one that says nothing at most a third",
        ),
        ("tools/dist/seatkeeper.toml", "With the defaults 2,443 MiB"),
    ] {
        let read = std::fs::read_to_string(root.join(text)).expect(text);
        assert!(read.contains(said), "{text} does not say: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_have_not_said_hello_give_way_to_an_agent_at_the_same_address() {
    let besieged = Besieged::new("connections_per_source = 50\n");
    let mut open = Vec::new();
    for _ in 0..60 {
        open.push(connect_from(Ipv4Addr::LOCALHOST, besieged.server()).await.unwrap());
    }
    besieged.serves(1).await;
    assert!(
        sockets(besieged.site.server()) <= besieged.sockets + 52,
        "the bound holds"
    );
    besieged.site.server().await_line("to make room");
    drop(open);
    besieged.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_take_every_place_make_room_for_an_agent_of_another() {
    let besieged = Besieged::new("connections = 60\nconnections_per_source = 20\n");
    let mut hogs = Vec::new();
    for source in 1..=3 {
        hogs.extend(greeted(attacker(source), besieged.server(), 20).await);
    }
    for number in 1..=3 {
        besieged.serves(number).await;
    }
    besieged.site.server().await_line("to make room");
    drop(hogs);
    besieged.ends().await;
}

/// A server that the system lets open so many files.
fn with_files(besieged: &mut Besieged, soft: u32, hard: u32) {
    besieged.site.stop();
    let mut shell = command("sh");
    shell
        .args([
            "-c",
            &format!("ulimit -S -n {soft} && ulimit -H -n {hard} && exec \"$0\" \"$@\""),
        ])
        .args([SEATKEEPER, "serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(besieged.site.data());
    besieged.site.server = Some(ServerProcess::of(&mut shell, &besieged.site.data()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_may_open_few_files_takes_fewer_connections_and_says_so() {
    let mut besieged = Besieged::new("");
    with_files(&mut besieged, 100, 100);
    besieged.site.server().await_line("LimitNOFILE");
    let open = half_open(&besieged, 5, 40).await;
    besieged.serves(1).await;
    drop(open);
    besieged.ends().await;
}

#[tokio::test]
async fn a_server_raises_its_own_limit_of_open_files() {
    let mut besieged = Besieged::new("");
    with_files(&mut besieged, 64, 1_000);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", besieged.site.server().pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft = line.split_whitespace().nth(3).unwrap();
    assert_eq!(soft, "1000", "{line}");
    besieged.ends().await;
}
