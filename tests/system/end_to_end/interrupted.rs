//! Long imports that end early, behind a relay that lets so much through and no more.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::cause;
use crate::process::{SEATKEEPER, command, signal, wait};
use crate::site::Site;

/// Keys of the file: more than two frames of them.
const KEYS: u16 = 130;

/// What passes the relay: the handshake and a frame of 60 keys, not two of them.
const PASSES: usize = 40_000;

/// What a relay does once so much has passed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Then {
    /// It closes the connection.
    Cuts,
    /// It says nothing more, and keeps it open.
    Holds,
}

/// A relay to `server`; it tells when it stops.
fn relay(server: SocketAddr, then: Then) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stopped, hear) = channel();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(server).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let mut passed = 0;
        let mut buffer = [0; 1_024];
        while passed < PASSES {
            let len = client.read(&mut buffer).unwrap();
            server.write_all(&buffer[..len]).unwrap();
            passed += len;
        }
        if then == Then::Cuts {
            client.shutdown(std::net::Shutdown::Both).unwrap();
        }
        stopped.send(()).unwrap();
        // Until the command has ended.
        drop(std::io::copy(&mut client, &mut std::io::sink()));
    });
    (address, hear)
}

fn file(site: &Site) -> String {
    let keys = (1..=KEYS).map(|number| site.vendor.license(number, "BKSRV", 1));
    let path = site.dir.path().join("many.txt");
    std::fs::write(&path, keys.collect::<Vec<_>>().join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// `import-file` through a relay, as the administrator.
fn import(site: &Site, server: SocketAddr, file: &str) -> std::process::Child {
    let mut import = command(SEATKEEPER);
    import
        .args(["import-file", file, "--timeout", "60", "--server", &server.to_string()])
        .arg("--data")
        .arg(site.data());
    import.spawn().unwrap()
}

/// Running it again adds the rest.
#[track_caller]
fn goes_on(site: &Site, file: &str) {
    let done = site.check_counts().len() as u64;
    assert!(done >= 60 && done < u64::from(KEYS), "{done}");
    let summary: Value = site.json(["import-file", file]);
    assert_eq!(summary["already_present"], done, "{summary}");
    assert_eq!(summary["added"], u64::from(KEYS) - done, "{summary}");
}

// proves K8
#[test]
fn an_import_whose_server_goes_away_says_what_was_added_and_goes_on_when_repeated() {
    let site = Site::open();
    let file = file(&site);
    let (address, _stopped) = relay(site.server().address(), Then::Cuts);
    let told = wait(import(&site, address, &file)).failed_with(3);
    let text = cause(&told);
    assert!(text.contains("60 of 130 keys were done, 60 of them added"), "{told:?}");
    assert!(text.contains("again"), "{told:?}");
    goes_on(&site, &file);
}

// proves K8
#[test]
fn an_import_that_is_interrupted_says_what_was_added_and_goes_on_when_repeated() {
    let site = Site::open();
    let file = file(&site);
    let (address, stopped) = relay(site.server().address(), Then::Holds);
    let import = import(&site, address, &file);
    stopped.recv_timeout(Duration::from_mins(1)).unwrap();
    signal(import.id(), "INT");
    let told = wait(import).failed_with(1);
    assert!(
        cause(&told).contains("interrupted; 60 of 130 keys were done"),
        "{told:?}"
    );
    goes_on(&site, &file);
}

// proves K8
#[test]
fn where_nobody_watches_no_progress_is_shown() {
    let site = Site::open();
    let told = site.admin(["import-file", &file(&site)]);
    assert_eq!(told.stderr, "", "{told:?}");
    assert!(told.ok().contains("added 130, already present 0, refused 0"));
}
