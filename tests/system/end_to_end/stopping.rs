//! A server that is asked to stop answers what it accepted.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use seatkeeper::tls::Identity;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::Response;

use crate::process::{SEATKEEPER, ServerProcess, command, signal};
use crate::site::Site;
use crate::wire::{Wire, answer, checkout, mac};

const LIMITS: &str = "[limits]\nnew_macs_per_identity_and_day = 100000\nnew_seats_per_source_and_minute = 100000\n";
const CONNECTIONS: u16 = 8;
const IN_FLIGHT: u16 = 48;

// proves S2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_accepted_request_stays_unanswered_at_sigterm() {
    let mut site = Site::open_with(LIMITS);
    site.buy(1, "BKSRV", 5_000);
    let (server, pid, vendor) = (site.server().address(), site.server().pid(), site.vendor.id());
    let mut wires = Vec::new();
    for connection in 0..CONNECTIONS {
        let (wire, _) = Wire::hello(server, &Identity::generate().unwrap())
            .await
            .expect("HELLO");
        wires.push((connection, wire));
    }
    let mut clients = Vec::new();
    for (connection, mut wire) in wires {
        clients.push(tokio::spawn(async move {
            let machines: Vec<_> = (0..IN_FLIGHT).map(|n| mac(1 + connection * 1_000 + n)).collect();
            for machine in &machines {
                // A server that stops takes no more; what it took before it answers.
                if wire.send(&checkout(vendor, "BKSRV", "agent", *machine)).await.is_err() {
                    break;
                }
            }
            if connection == 0 {
                signal(pid, "TERM");
            }
            let mut granted = BTreeSet::new();
            let mut asked = machines.into_iter();
            // The end of the stream, orderly or not, ends the answers.
            while let Ok(Some(frame)) = wire.receive().await {
                if frame.request == 0 {
                    continue;
                }
                let machine = asked.next().expect("an answer to each request at most");
                match answer(&frame).expect("readable") {
                    Response::Checkout(_) => drop(granted.insert(machine)),
                    Response::Refused(status, refusal) => assert_eq!(status, Status::GOING_AWAY, "{}", refusal.text),
                    other => panic!("{other:?}"),
                }
            }
            granted
        }));
    }
    let mut granted = BTreeSet::new();
    for client in clients {
        granted.extend(client.await.expect("client"));
    }
    let (code, log) = site.server.take().unwrap().ended();
    assert_eq!(code, Some(0), "{log}");
    site.start();
    let rows = site.json(["seats"]);
    let held: BTreeSet<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["mac"].as_str().unwrap().to_owned())
        .collect();
    let granted: BTreeSet<String> = granted
        .iter()
        .map(|machine| machine.map(|byte| format!("{byte:02x}")).join(":"))
        .collect();
    assert_eq!(
        held, granted,
        "a seat that nobody was told of, or one that was told and is gone"
    );
    site.audit();
}

#[test]
fn a_server_stops_at_sigint_too_and_gives_port_and_directory_back() {
    let mut site = Site::open();
    let address = site.server().server_arg();
    signal(site.server().pid(), "INT");
    let (code, log) = site.server.take().unwrap().ended();
    assert_eq!(code, Some(0), "{log}");
    // Commands must not look for it any more.
    assert!(!site.data().join("server.json").exists());
    // Its UDP port too: a server has one port for both.
    let mut again = command(SEATKEEPER);
    again.args(["serve", "--listen", &address, "--data"]).arg(site.data());
    drop(ServerProcess::of(&mut again, &site.data()));
}

/// What a service tells systemd next.
#[track_caller]
fn told(socket: &UnixDatagram) -> String {
    let mut datagram = [0; 1_024];
    let len = socket.recv(&mut datagram).expect("told in time");
    String::from_utf8(datagram[..len].to_vec()).expect("text")
}

#[test]
fn systemd_is_told_when_the_server_serves_that_it_is_alive_and_that_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let data = dir.path().join("data");
    let mut serve = command(SEATKEEPER);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000");
    let server = ServerProcess::of(&mut serve, &data);
    // It may have been alive before it could say that it is ready.
    let ready = (0..3).map(|_| told(&socket)).find(|said| said.contains("READY=1"));
    let ready = ready.expect("ready");
    assert!(ready.contains(&format!("serving on {}", server.address())), "{ready}");
    for _ in 0..3 {
        assert_eq!(told(&socket).trim(), "WATCHDOG=1");
    }
    server.stop();
    let mut said = told(&socket);
    while said.trim() == "WATCHDOG=1" {
        said = told(&socket);
    }
    assert_eq!(said.trim(), "STOPPING=1");
}
