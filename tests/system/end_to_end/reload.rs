//! A running server reads its configuration again: over the wire, at SIGHUP, under systemd.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{Request, reload};
use seatkeeper::wire::{ConfigEffect, Status, messages::Response};
use serde_json::{Value, json};

use crate::process::{SEATKEEPER, STATE_HOME, ServerProcess, command, finish, run, signal};
use crate::site::Site;
use crate::wire::{Wire, checkout, mac};

const BEFORE: &str = "name = \"one\"\n[limits]\nnew_macs_per_identity_and_day = 1\n";

fn file(site: &Site) -> PathBuf {
    site.dir.path().join("seatkeeper.toml")
}

#[track_caller]
fn write(site: &Site, text: &str) {
    std::fs::write(file(site), text).unwrap();
}

/// What `reload --json` tells of each key, as `KEY EFFECT`.
fn effects(told: &Value) -> Vec<String> {
    let word = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let rows = told["changes"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {}", word(row, "key"), word(row, "effect")))
        .collect()
}

async fn new_seat(wire: &mut Wire, site: &Site, machine: u16) -> Status {
    let ask = checkout(site.vendor.id(), "BKSRV", "agent", mac(machine));
    wire.ask(&ask).await.unwrap().status()
}

#[tokio::test]
async fn what_changed_is_in_force_at_once_or_told_to_need_a_restart_and_who_did_it_is_in_the_log() {
    let site = Site::open_with(BEFORE);
    site.buy(1, "BKSRV", 50);
    let identity = Identity::generate().unwrap();
    let (mut wire, _) = Wire::hello(site.server().address(), &identity).await.unwrap();
    assert_eq!(new_seat(&mut wire, &site, 1).await, Status::OK);
    assert_eq!(new_seat(&mut wire, &site, 2).await, Status::SLOW_DOWN);
    write(
        &site,
        "name = \"two\"\nlisten = [\"10.0.0.1\"]\nrebind = \"approve\"\n[limits]\nnew_macs_per_identity_and_day = 2\n\
         [events]\nkeep_days = 7\n[log]\nlevel = \"debug\"\nformat = \"json\"\n",
    );
    let dry = site.json(["reload", "--dry-run"]);
    let told = [
        "name applied",
        "listen overruled",
        "rebind applied",
        "limits.new_macs_per_identity_and_day applied",
        "events.keep_days applied",
        "log.level applied",
        "log.format needs restart",
    ];
    assert_eq!(effects(&dry), told);
    assert_eq!(
        new_seat(&mut wire, &site, 2).await,
        Status::SLOW_DOWN,
        "it was only asked"
    );
    assert_eq!(site.json(["status"])["name"], "one");

    let done = site.json(["reload"]);
    assert_eq!(effects(&done), told);
    assert_eq!(done["file"], json!(file(&site)));
    let rows = done["changes"].as_array().unwrap();
    assert_eq!((&rows[0]["before"], &rows[0]["after"]), (&json!("one"), &json!("two")));
    assert_eq!(rows[1]["by"], "--listen");
    // On connections that were there before, too.
    assert_eq!(new_seat(&mut wire, &site, 2).await, Status::OK);
    assert_eq!(new_seat(&mut wire, &site, 3).await, Status::SLOW_DOWN);
    let status = site.json(["status"]);
    assert_eq!((&status["name"], &status["rebind"]), (&json!("two"), &json!("approve")));
    site.server().await_line("DEBUG");
    // What waits for a restart is told until then.
    assert_eq!(
        effects(&site.json(["reload"])),
        ["listen overruled", "log.format needs restart"]
    );

    let events = site.json(["events", "--kind", "config-reloaded"]);
    let events = events.as_array().unwrap();
    assert_eq!(events.iter().map(|one| &one["count"]).collect::<Vec<_>>(), [5, 0]);
    assert!(events.iter().all(|event| event["actor"] != "server"), "{events:?}");
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_is_told_as_check_config_tells_it() {
    let site = Site::bare(BEFORE);
    for wrong in [
        "name = \"two\"\nlisen = []\n",
        "[limits]\nconnections = 0\n",
        "[log]\nlevel = \"loud\"\n",
    ] {
        write(&site, wrong);
        let expected = run([std::ffi::OsStr::new("check-config"), file(&site).as_os_str()]).failed_with(2);
        for args in [&["reload"] as &[_], &["reload", "--dry-run"]] {
            let told = site.admin(args.iter().copied()).failed_with(2);
            assert_eq!(told.stderr, expected.stderr);
        }
    }
    assert_eq!(site.json(["status"])["name"], "one");
    assert!(
        site.json(["events", "--kind", "config-reloaded"])
            .as_array()
            .unwrap()
            .is_empty()
    );
    site.server().await_line("was not read again");
    std::fs::remove_file(file(&site)).unwrap();
    let told = site.admin(["reload"]).failed_with(2);
    assert!(told.stderr.contains(file(&site).to_str().unwrap()), "{told:?}");
    site.stop_is_clean();
}

#[test]
fn a_server_without_a_file_says_so() {
    let site = Site::bare("");
    let told = site.admin(["reload"]).failed_with(1);
    assert!(told.stderr.contains("--config"), "{told:?}");
}

#[tokio::test]
async fn who_is_no_administrator_has_nothing_read_and_learns_nothing() {
    let site = Site::bare(BEFORE);
    let identity = Identity::generate().unwrap();
    let fingerprint = data_encoding::HEXLOWER.encode(&identity.fingerprint());
    site.admin(["admin", "add", &fingerprint, "--role", "viewer"]).ok();
    write(&site, "name = \"two\"\n");
    let (mut wire, _) = Wire::hello(site.server().address(), &identity).await.unwrap();
    for dry_run in [None, Some(true)] {
        let response = wire.ask(&Request::Reload(reload::Reload { dry_run })).await.unwrap();
        assert_eq!(response.status(), Status::NOT_AUTHORIZED);
    }
    assert_eq!(site.json(["status"])["name"], "one");
    // It is the administrator who may.
    let admin = Identity::load(&site.data().join("admin.pem")).unwrap();
    let (mut wire, _) = Wire::hello(site.server().address(), &admin).await.unwrap();
    let ask = Request::Reload(reload::Reload::default());
    let Response::Reload(reply) = wire.ask(&ask).await.unwrap() else {
        panic!("not the reply to RELOAD");
    };
    assert!(
        reply
            .rows
            .iter()
            .any(|row| row.key == "name" && row.effect == ConfigEffect::APPLIED)
    );
}

#[test]
fn at_sighup_it_is_read_again_and_the_log_says_what_came_of_it() {
    let site = Site::bare(BEFORE);
    let pid = site.server().pid();
    write(&site, "name = \"two\"\n[log]\nformat = \"json\"\n");
    signal(pid, "HUP");
    site.server().await_line("in force after a restart only");
    let log = site.server().log();
    assert!(log.contains("key=\"name\" before=\"one\" after=\"two\""), "{log}");
    assert_eq!(site.json(["status"])["name"], "two");
    let events = site.json(["events", "--kind", "config-reloaded"]);
    assert_eq!(
        (&events[0]["count"], &events[0]["actor"]),
        (&json!(2), &json!("server"))
    );
    write(&site, "nam = \"three\"\n");
    signal(pid, "HUP");
    site.server().await_line("did you mean `name`?");
    assert_eq!(site.json(["status"])["name"], "two");
    site.stop_is_clean();
}

/// As the unit's `ExecReload=` is run: by a user without a home.
#[test]
fn where_there_is_no_home_the_data_directory_says_enough() {
    let site = Site::bare(BEFORE);
    write(&site, "name = \"two\"\n");
    let mut reload = command(SEATKEEPER);
    let done = finish(
        reload
            .args(["reload", "--data"])
            .arg(site.data())
            .env_remove(STATE_HOME)
            .env_remove("HOME"),
    );
    assert!(done.ok().contains("name"));
    assert_eq!(site.json(["status"])["name"], "two");
    site.stop_is_clean();
}

#[test]
fn systemd_is_told_when_the_configuration_is_read_again_and_that_the_server_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let told = || {
        let mut datagram = [0; 1_024];
        let len = socket.recv(&mut datagram).expect("told in time");
        String::from_utf8(datagram[..len].to_vec()).expect("text")
    };
    let (data, config) = (dir.path().join("data"), dir.path().join("seatkeeper.toml"));
    std::fs::write(&config, "").unwrap();
    let mut serve = command(SEATKEEPER);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    serve.arg("--config").arg(&config).env("NOTIFY_SOCKET", &path);
    let server = ServerProcess::of(&mut serve, &data);
    assert!(told().contains("READY=1"));
    signal(server.pid(), "HUP");
    let begun = told();
    assert!(
        begun.contains("RELOADING=1") && begun.contains("MONOTONIC_USEC="),
        "{begun}"
    );
    assert_eq!(told().trim(), "READY=1");
    server.stop();
    assert_eq!(told().trim(), "STOPPING=1");
}
