//! Data directories that earlier releases served until they were killed.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::process::{Output, SEATKEEPER, STATE_DIR, ServerProcess, command, finish};

/// One of data format 2, with the state of an agent that holds a seat, and what the release itself listed.
const SERVED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/served-format-2.tar.gz");

/// Runs a command of the administrator of a data directory.
fn admin(data: &Path, args: &[&str]) -> Output {
    let mut run = command(SEATKEEPER);
    finish(run.args(args).arg("--data").arg(data))
}

/// Whether the rows are those that were kept, in every field that they had. Later releases may tell more.
#[track_caller]
fn assert_kept(told: &Value, kept: &Value) {
    let (told, kept) = (told.as_array().unwrap(), kept.as_array().unwrap());
    assert_eq!(told.len(), kept.len(), "{told:?}");
    for (told, kept) in told.iter().zip(kept) {
        for (field, value) in kept.as_object().unwrap() {
            assert_eq!(&told[field], value, "{field} of {told}");
        }
    }
}

#[test]
fn what_an_earlier_release_served_until_it_was_killed_is_served_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut unpack = std::process::Command::new("tar");
    unpack.arg("-xzf").arg(SERVED).arg("-C").arg(dir.path());
    assert!(unpack.status().expect("tar runs").success());
    let kept = |name: &str| -> Value {
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let data = dir.path().join("data");
    let server = ServerProcess::start_with(&data, std::iter::empty::<&OsStr>());
    let lists = |what: &str| admin(&data, &[what, "--json"]).json();
    assert_kept(&lists("licenses"), &kept("licenses.json"));
    assert_kept(&lists("seats"), &kept("seats.json"));
    assert_eq!(lists("status")["seats"], 3);
    // An agent that took its seat from that release goes on with it, by its own state.
    let mut renew = command(SEATKEEPER);
    renew.args([
        "agent",
        "renew",
        "BKSRV",
        "agent",
        "--mac",
        "00:1a:2b:3c:00:01",
        "--server",
    ]);
    renew
        .arg(server.server_arg())
        .arg("--vendor-key")
        .arg(dir.path().join("vendor.pub"));
    let renewed = finish(renew.env(STATE_DIR, dir.path().join("agent"))).ok();
    assert!(renewed.contains("9PEFB5EYYSB25J4V"), "{renewed}");
    assert_eq!(lists("status")["conflicts"], 0);
    let told = admin(&data, &["events", "verify"]).ok();
    assert!(!told.contains("damage"), "{told}");
    server.stop();
}
