//! A server that cannot start says why and what to do; commands tell how they failed by their exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::process::{Output, SEATKEEPER, STATE_HOME, command, finish, run};
use crate::site::Site;

#[track_caller]
fn serve(data: &Path, args: &[&str]) -> Output {
    let args = args.iter().map(OsString::from);
    run(["serve".into(), "--data".into(), data.into()].into_iter().chain(args))
}

#[test]
fn a_second_server_on_a_data_directory_is_told_who_has_it() {
    let site = Site::bare("");
    let refused = serve(&site.data(), &["--listen", "127.0.0.1:0"]).failed_with(1);
    assert!(refused.stderr.contains(site.data().to_str().unwrap()), "{refused:?}");
    assert!(
        refused.stderr.contains(&site.server().pid().to_string()),
        "who has it: {refused:?}"
    );
    site.admin(["status"]).ok();
}

#[test]
fn a_second_server_on_a_port_is_told_that_it_is_taken() {
    let site = Site::bare("");
    let address = site.server().server_arg();
    let refused = serve(&site.dir.path().join("other"), &["--listen", &address]).failed_with(1);
    let port = site.server().address().port().to_string();
    assert!(
        refused.stderr.contains(&port) && refused.stderr.contains("taken"),
        "{refused:?}"
    );
    site.admin(["status"]).ok();
}

#[test]
fn an_unknown_configuration_key_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("seatkeeper.toml");
    std::fs::write(&config, "name = \"one\"\n\n[limits]\nconnection = 5\n").unwrap();
    let refused = serve(&dir.path().join("data"), &["--config", config.to_str().unwrap()]).failed_with(2);
    assert!(
        refused.stderr.contains("line 4") && refused.stderr.contains("connection"),
        "{refused:?}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let refused = serve(&file.join("data"), &["--listen", "127.0.0.1:0"]).failed_with(1);
    assert!(refused.stderr.contains(file.to_str().unwrap()), "{refused:?}");
}

#[test]
fn wrong_usage_ends_with_2_and_no_server_with_3() {
    run(["nonsense"]).failed_with(2);
    run(["import"]).failed_with(2);
    run(["licenses", "--csv", "--json"]).failed_with(2);
    let dir = tempfile::tempdir().unwrap();
    let mut absent = command(SEATKEEPER);
    // Port 1 of this host: nothing listens there.
    absent
        .args(["status", "--server", "127.0.0.1:1", "--data"])
        .arg(dir.path())
        .env(STATE_HOME, dir.path());
    let told = finish(&mut absent).failed_with(3);
    assert!(told.stderr.contains("127.0.0.1:1"), "{told:?}");
}

#[test]
fn the_fingerprint_and_the_data_outlive_a_restart() {
    let mut site = Site::open();
    let before = (
        site.server().fingerprint.clone(),
        site.json(["status"])["server"].clone(),
    );
    site.stop();
    site.start();
    let status = site.json(["status"]);
    assert_eq!((site.server().fingerprint.clone(), status["server"].clone()), before);
    assert!(status["server_time"].is_string(), "{status}");
}

#[test]
fn the_first_command_finds_the_server_that_starts_at_the_same_time() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    // Both must agree on a port before there is a file that tells it: a free one, and none that connections get.
    let is_free = |port: &u16| {
        std::net::UdpSocket::bind(("0.0.0.0", *port)).is_ok() && std::net::TcpListener::bind(("0.0.0.0", *port)).is_ok()
    };
    let port = (21_000..22_000).find(is_free).unwrap();
    let here = |args: &[&str]| {
        let mut command = command(SEATKEEPER);
        command.args(args).arg("--data").arg(&data);
        command
            .env("SEATKEEPER_PORT", port.to_string())
            .env(STATE_HOME, dir.path());
        command
    };
    // The question is asked before there is a server, and again until one answers.
    let asked = here(&["admin", "list", "--timeout", "60"]).spawn().unwrap();
    let server = crate::process::ServerProcess::of(&mut here(&["serve", "--listen", "127.0.0.1"]), &data);
    crate::process::wait(asked).ok();
    server.stop();
}

#[test]
fn a_missing_identity_is_told_when_the_server_makes_a_new_one() {
    let mut site = Site::open();
    site.stop();
    std::fs::remove_file(site.data().join("identity.pem")).unwrap();
    site.start();
    site.server().await_line("identity.pem is missing");
}

#[test]
fn a_missing_lease_key_is_told_when_the_server_makes_a_new_one_and_a_damaged_one_stops_the_start() {
    let mut site = Site::open();
    assert!(
        !site.server().log().contains("lease.pem"),
        "nothing is missing at the first start"
    );
    site.stop();
    let file = site.data().join("lease.pem");
    std::fs::remove_file(&file).unwrap();
    site.start();
    site.server().await_line("lease.pem is missing");
    site.stop();
    std::fs::write(&file, "damaged").unwrap();
    let mut serve = command(SEATKEEPER);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(site.data());
    let told = finish(&mut serve).failed_with(1);
    assert!(told.stderr.contains("restore it from a backup"), "{told:?}");
}

#[test]
fn a_lease_key_of_an_older_release_is_written_anew_with_its_public_key_and_that_is_told_once() {
    const OLD: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                       -----END PRIVATE KEY-----\n";
    let told = "lease.pem was written by an older seatkeeper and is written anew";
    let mut site = Site::open();
    assert!(!site.server().log().contains("older seatkeeper"));
    site.stop();
    let file = site.data().join("lease.pem");
    std::fs::write(&file, OLD).unwrap();
    site.start();
    site.server().await_line(told);
    let read = |pem: &str| seatkeeper::session::LeaseKey::from_pem(pem).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.len() > OLD.len() && read(&written) == read(OLD), "the same key");
    site.stop();
    site.start();
    assert!(!site.server().log().contains(told));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
}

#[test]
fn a_users_identity_does_not_become_that_of_a_server() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("seatkeeper");
    let mut show = command(SEATKEEPER);
    show.args(["identity", "show", "--json", "--data"]).arg(&data);
    let shown = finish(show.env(STATE_HOME, home.path())).json();
    let server = crate::process::ServerProcess::start_with::<&str>(&data, []);
    assert_ne!(shown["fingerprint"].as_str(), Some(server.fingerprint.as_str()));
    server.stop();
}

#[test]
fn a_configuration_is_checked_without_starting_a_server_and_the_key_that_was_meant_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let check = |text: &str, more: &[&str]| {
        let path = dir.path().join("seatkeeper.toml");
        std::fs::write(&path, text).unwrap();
        run([&["check-config", path.to_str().unwrap()], more].concat())
    };
    let sample = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/dist/seatkeeper.toml")).unwrap();
    assert!(check(&sample, &[]).ok().contains("is good: it changes nothing"));
    let own = "name = \"one\"\nlisten = [\"127.0.0.1\"]\n[limits]\nconnections = 7\n";
    assert_eq!(
        check(own, &["--json"]).json()["settings"],
        serde_json::json!(["limits.connections", "listen", "name"])
    );
    for (wrong, place, remedy) in [
        ("lisen = []", "line 1", "did you mean `listen`?"),
        ("[limits]\nconections = 7", "line 2", "did you mean `connections`?"),
        ("rebind = \"aprove\"", "line 1", "did you mean `approve`?"),
        ("[log]\nlevel = \"loud\"", "log.level", "write error, warn"),
        (
            "listen = [\"127.0.0.1:1\", \"[::1]:2\"]",
            "same port",
            "start another server",
        ),
        ("[limits]\nconnections = 0", "limits.connections", "must be 1 to"),
        ("name = ", "line 1", "TOML parse error"),
    ] {
        let said = check(wrong, &[]).failed_with(2).stderr;
        assert!(said.contains(place) && said.contains(remedy), "{wrong}: {said}");
    }
    let missing = run(["check-config", "/nowhere/seatkeeper.toml"]).failed_with(2).stderr;
    assert!(
        missing.contains("/nowhere/seatkeeper.toml") && missing.contains("check the path"),
        "{missing}"
    );
}

/// Every file below a directory with its bytes; not who had it last (`LOCK`).
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name != "LOCK") {
                found.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_newer_data_directory_starts_no_server_and_stays_as_it_is() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.stop();
    let format = site.data().join("FORMAT");
    let ours = std::fs::read_to_string(&format).unwrap();
    let newer = ours.replace('2', "3");
    assert_ne!(newer, ours);
    std::fs::write(&format, &newer).unwrap();
    let before = files(&site.data());
    assert!(before.len() > 4, "{:?}", before.keys());
    let data = site.data();
    let refused = serve(&data, &["--listen", "127.0.0.1:0"]).failed_with(1);
    for told in [
        data.to_str().unwrap(),
        "was written by a newer seatkeeper",
        "data format 3, this one reads up to 2",
    ] {
        assert!(refused.stderr.contains(told), "{told}: {refused:?}");
    }
    // Nor does anything that opens it besides.
    for command in [
        ["repair"].as_slice(),
        &["serve", "--recover-admin", "--listen", "127.0.0.1:0"],
    ] {
        let refused = site.admin(command.iter().copied()).failed_with(1);
        assert!(refused.stderr.contains("newer seatkeeper"), "{refused:?}");
    }
    let after = files(&site.data());
    let changed: Vec<_> = before
        .iter()
        .filter(|(path, bytes)| after.get(*path) != Some(bytes))
        .collect();
    assert!(
        changed.is_empty() && after.len() == before.len(),
        "{changed:?}: {:?}",
        after.keys()
    );
    // A release that knows the format goes on with it.
    std::fs::write(&format, &ours).unwrap();
    site.start();
    assert_eq!(site.audit()[0]["used"], 1);
    site.stop_is_clean();
}
