//! Three hundred identities in three namespaces, all at once.
//!
//! A third of them each live in a process of their own host: this program again, which connects them, says that it is
//! ready, waits for the word and writes down what they were answered.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ExitCode, Stdio};
use std::sync::Arc;

use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls::Identity;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::Response;
use tokio::sync::Barrier;

use crate::lab::{Host, Lab};
use crate::shop::Shop;
use crate::wire::{Wire, checkout, mac};

/// Set for a process that is a third of the crowd: the server's address, the vendor and the first machine's number.
const PART: &str = "SEATKEEPER_LAN_CROWD";

/// Identities in each of the three namespaces.
const IDENTITIES: u16 = 100;

const SEATS: u32 = 200;

const LIMITS: &str = "[limits]\nnew_seats_per_source_and_minute = 100000\n";

/// Runs a third of the crowd, if this process is one.
pub(crate) fn part() -> Option<ExitCode> {
    let told = std::env::var(PART).ok()?;
    let mut words = told.split(' ');
    let mut word = || words.next().expect("three words");
    let server: SocketAddr = word().parse().expect("an address");
    let vendor: VendorId = word().parse().expect("a vendor");
    let first: u16 = word().parse().expect("a number");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(third(server, vendor, first));
    Some(ExitCode::SUCCESS)
}

async fn third(server: SocketAddr, vendor: VendorId, first: u16) {
    let barrier = Arc::new(Barrier::new(usize::from(IDENTITIES) + 1));
    let mut clients = Vec::new();
    for number in first..first + IDENTITIES {
        let barrier = Arc::clone(&barrier);
        clients.push(tokio::spawn(async move {
            let identity = Identity::generate().expect("identity");
            let (mut wire, _) = Wire::hello(server, &identity).await.expect("HELLO");
            barrier.wait().await;
            barrier.wait().await;
            wire.ask(&checkout(vendor, "BKSRV", "agent", mac(number)))
                .await
                .expect("an answer")
        }));
    }
    barrier.wait().await;
    println!("ready");
    let mut word = String::new();
    std::io::stdin().read_line(&mut word).expect("the word");
    barrier.wait().await;
    for client in clients {
        match client.await.expect("client") {
            Response::Checkout(granted) => println!("granted {}", granted.serial.expect("a serial")),
            Response::Refused(Status::SEATS_EXHAUSTED, refusal) => {
                println!(
                    "exhausted {}/{}",
                    refusal.used.expect("used"),
                    refusal.total.expect("total")
                );
            }
            other => println!("unexpected {other:?}"),
        }
    }
}

fn start_third(host: &Host, server: &str, vendor: VendorId, first: u16) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut part = host.command(program);
    part.env(PART, format!("{server} {vendor} {first}"))
        .stdin(Stdio::piped())
        .stderr(Stdio::inherit());
    part.spawn().expect("a third of the crowd")
}

// proves S1
// proves S2
pub(crate) fn three_namespaces() {
    let lab = Lab::new();
    let server = lab.host("server");
    let homes = ["one", "two", "three"].map(|name| lab.host(name));
    let _switch = lab.switch(&[
        (&server, "10.77.12.1/24"),
        (&homes[0], "10.77.12.2/24"),
        (&homes[1], "10.77.12.3/24"),
        (&homes[2], "10.77.12.4/24"),
    ]);
    let shop = Shop::new(&lab);
    let config = lab.dir().join("seatkeeper.toml");
    std::fs::write(&config, LIMITS).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let running = shop.server_with(&server, &[(1, "BKSRV", 150), (2, "BKSRV", SEATS - 150)], &config);
    let address = format!("10.77.12.1:{}", running.address().port());
    let mut thirds: Vec<Child> = homes
        .iter()
        .zip([1, 1_001, 2_001])
        .map(|(home, first)| start_third(home, &address, shop.vendor.id(), first))
        .collect();
    let mut outputs: Vec<_> = thirds
        .iter_mut()
        .map(|third| BufReader::new(third.stdout.take().unwrap()).lines())
        .collect();
    for output in &mut outputs {
        assert_eq!(output.next().unwrap().unwrap(), "ready");
    }
    for third in &mut thirds {
        third.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let answers: Vec<String> = outputs.into_iter().flatten().map(Result::unwrap).collect();
    for mut third in thirds {
        assert!(third.wait().unwrap().success());
    }
    let count = |what: &str| answers.iter().filter(|answer| answer.starts_with(what)).count();
    assert_eq!(
        (count("granted"), count("exhausted 200/200")),
        (200, 100),
        "{answers:?}"
    );

    let before = audit(&server);
    running.kill();
    let _running = server.serve(&config);
    assert_eq!(audit(&server), before);
}

/// Checks rule S2 on each license; the licenses.
#[track_caller]
fn audit(server: &Host) -> serde_json::Value {
    let licenses = server.admin(["licenses", "--json"]).json();
    let seats = server.admin(["seats", "--json"]).json();
    for license in licenses.as_array().unwrap() {
        let [total, used, free, available] =
            ["total", "used", "free", "available"].map(|column| license[column].as_u64().unwrap());
        assert_eq!((total, free), (used + free, available), "{license}");
        let held = seats
            .as_array()
            .unwrap()
            .iter()
            .filter(|seat| seat["serial"] == license["serial"]);
        assert_eq!(license["used"], held.count(), "{license}");
    }
    let used: u64 = licenses
        .as_array()
        .unwrap()
        .iter()
        .map(|license| license["used"].as_u64().unwrap())
        .sum();
    assert_eq!(used, u64::from(SEATS));
    licenses
}
