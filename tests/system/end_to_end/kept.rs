//! Data directories that earlier releases served until they were killed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Output, SEATKEEPER, STATE_DIR, ServerProcess, command, finish};

/// One of data format 2, with the state of an agent that holds a seat, and what the release itself listed.
const SERVED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/served-format-2.tar.gz");

/// One of data format 1: with deployments, a rollout under way, a license that was taken back and one that was removed, and the
/// state of each agent.
const SERVED_BEFORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/served-format-1.tar.gz");

/// A directory with what such an archive holds.
struct Kept(TempDir);

impl Kept {
    fn of(archive: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut unpack = std::process::Command::new("tar");
        unpack.arg("-xzf").arg(archive).arg("-C").arg(dir.path());
        assert!(unpack.status().expect("tar runs").success());
        Self(dir)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// What an agent with the state that is kept in `state` is told.
    fn renew(&self, server: &ServerProcess, state: &str, mac: &str, [product, component]: [&str; 2]) -> String {
        let mut renew = command(SEATKEEPER);
        renew.args(["agent", "renew", product, component, "--mac", mac, "--server"]);
        renew.arg(server.server_arg());
        renew.arg("--vendor-key").arg(self.0.path().join("vendor.pub"));
        finish(renew.env(STATE_DIR, self.0.path().join(state))).ok()
    }
}

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
    let kept = Kept::of(SERVED);
    let data = kept.data();
    let server = ServerProcess::start_with(&data, std::iter::empty::<&OsStr>());
    let lists = |what: &str| admin(&data, &[what, "--json"]).json();
    assert_kept(&lists("licenses"), &kept.json("licenses.json"));
    assert_kept(&lists("seats"), &kept.json("seats.json"));
    assert_eq!(lists("status")["seats"], 3);
    // An agent that took its seat from that release goes on with it, by its own state.
    let renewed = kept.renew(&server, "agent", "00:1a:2b:3c:00:01", ["BKSRV", "agent"]);
    assert!(renewed.contains("9PEFB5EYYSB25J4V"), "{renewed}");
    assert_eq!(lists("status")["conflicts"], 0);
    let told = admin(&data, &["events", "verify"]).ok();
    assert!(!told.contains("damage"), "{told}");
    server.stop();
}

/// Row by row what it was; of the license that a rollout holds seats of, with or without them: it has lapsed in the meantime, or
/// not yet.
fn assert_licenses_kept(told: &Value, kept: &Value, rollout: &Value) {
    let mut kept = kept.clone();
    if rollout.as_array().unwrap().is_empty() {
        let is_held = |license: &&mut Value| license["serial"] == "KEPT00000000WKS1";
        let held = kept.as_array_mut().unwrap().iter_mut().find(is_held).unwrap();
        assert_eq!(held["used"], 2);
        (held["used"], held["free"], held["available"]) = (0.into(), 4.into(), 4.into());
    }
    assert_kept(told, &kept);
}

#[test]
fn what_a_release_of_format_1_served_until_it_was_killed_is_served_on() {
    let kept = Kept::of(SERVED_BEFORE);
    let data = kept.data();
    assert!(data.join("ledger").is_dir() && kept.text("data/FORMAT").ends_with(" 1\n"));
    // The start that upgrades it, and the one after that.
    for is_first in [true, false] {
        let server = ServerProcess::start_with(&data, std::iter::empty::<&OsStr>());
        assert!(!data.join("ledger").exists() && kept.text("data/FORMAT").ends_with(" 2\n"));
        let list = |what: &[&str]| admin(&data, &[what, &["--json"]].concat()).json();
        let rollout = list(&["reservations"]);
        if !rollout.as_array().unwrap().is_empty() {
            assert_kept(&rollout, &kept.json("reservations.json"));
        }
        if is_first {
            assert_licenses_kept(&list(&["licenses"]), &kept.json("licenses.json"), &rollout);
            assert_kept(&list(&["seats"]), &kept.json("seats.json"));
            assert_kept(&list(&["admin", "list"]), &kept.json("admins.json"));
            // A removed license goes on from where it was: its key is that of a license that had no seats when it went.
            let key = kept.text("removed.key");
            let added = admin(&data, &["import", key.trim()]).ok();
            assert!(added.contains("added 1"), "{added}");
        }
        for (machine, asked, serial) in [
            (1, ["BKSRV", "agent"], "KEPT00000000SRV1"),
            (2, ["BKSRV", "agent"], "KEPT00000000SRV1"),
            (2, ["CRYPT", "agent"], "KEPT0000000CRYP1"),
            (3, ["PRIVACY", "guard"], "KEPT0000000PR1V1"),
            (6, ["DEPLOY", "agent"], "KEPT0000000DEP12"),
        ] {
            let (state, mac) = (format!("agents/{machine}"), format!("00:1a:2b:3c:00:0{machine}"));
            let renewed = kept.renew(&server, &state, &mac, asked);
            assert!(renewed.contains(" renewed: ") && renewed.contains(serial), "{renewed}");
        }
        let status = list(&["status"]);
        assert_eq!((&status["seats"], &status["conflicts"]), (&5.into(), &0.into()));
        let told = admin(&data, &["events", "verify"]).ok();
        assert!(!told.contains("damage"), "{told}");
        server.stop();
    }
}
