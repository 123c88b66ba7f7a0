//! Damage to the files of a data directory that are not the store's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use seatkeeper::store::DiskStore;
use seatkeeper_harm::copy_dir;

use crate::process::{ServerProcess, finish, run, serve};
use crate::site::Site;

/// What runs longer than this hangs.
const WATCHDOG: Duration = Duration::from_mins(1);

/// What the store does not hold, and the file that says how to read the rest. What the store holds is harmed in `harm.rs`.
const FILES: [&str; 5] = ["FORMAT", "LOCK", "admin.pem", "identity.pem", "lease.pem"];

/// Nothing hangs on its content: each start writes it anew.
const REWRITTEN: &str = "LOCK";

/// What is done to a file.
type Harm = (&'static str, fn(&Path));

const HARMS: [Harm; 4] = [
    ("deleted", |file| fs::remove_file(file).unwrap()),
    ("emptied", |file| fs::write(file, "").unwrap()),
    ("cut in half", |file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("with a bit changed", |file| {
        let mut bytes = fs::read(file).unwrap();
        let place = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 0x04;
        }
        fs::write(file, bytes).unwrap();
    }),
];

#[test]
fn damage_to_a_key_or_another_file_beside_the_store_is_named_and_costs_no_seat() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let seats = site.json(["seats"]);
    let fingerprint = site.server().fingerprint.clone();
    site.stop();
    let dir = tempfile::tempdir().unwrap();
    for (number, file) in FILES.iter().enumerate() {
        for (what, harm) in HARMS {
            let data = dir.path().join(format!("{number}-{what}"));
            copy_dir(&site.data(), &data);
            harm(&data.join(file));
            let case = format!("{file} {what}");
            let (told, served_as) = started(&data, &case, &seats, *file == "admin.pem");
            // What is beside the key in its file may be damaged without harm.
            let is_harmless = *file == "identity.pem" && served_as.as_ref() == Some(&fingerprint);
            let is_named = told.contains(file) || is_harmless || *file == REWRITTEN;
            assert!(is_named, "{case}: nobody is told: {told}");
        }
    }
}

/// The generations in a data directory, the oldest first.
fn generations(data: &Path) -> Vec<u64> {
    let names = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name());
    let mut numbers: Vec<u64> = names
        .filter_map(|name| name.to_str()?.strip_prefix("state.")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_checkpoint_that_is_gone_is_told_by_repair_by_the_log_and_by_status_and_made_anew() {
    let mut site = Site::open_with("[journal]\ncheckpoint_kib = 16\n");
    let mut number = 0;
    while generations(&site.data()).len() < 2 {
        number += 1;
        assert!(number < 200, "no two checkpoints: {:?}", generations(&site.data()));
        site.buy(number, "BKSRV", 1);
    }
    let licenses = site.json(["licenses"]);
    site.stop();
    let both = generations(&site.data());
    let (spare, newest) = (both[0], both[1]);
    fs::remove_dir_all(site.data().join(format!("state.{spare}"))).unwrap();
    let examined = site.admin(["repair"]).ok();
    for told in [
        format!("state.{spare}/db is gone"),
        format!("nothing is lost, but generation {spare} is"),
    ] {
        assert!(examined.contains(&told), "{told}: {examined}");
    }
    assert_eq!(site.json(["repair"])["starts"], true);
    site.start();
    site.server().await_line(&format!("state.{spare}/db is gone"));
    assert_eq!(site.json(["licenses"]), licenses);
    let warned = |site: &Site| {
        let warnings = site.json(["status"])["warnings"].clone();
        let rows = warnings.as_array().unwrap().iter();
        let mut lost = rows.filter(|row| row["code"] == "generation-lost");
        lost.next().map(|row| row["number"].as_u64().unwrap())
    };
    assert_eq!(warned(&site), Some(spare));
    let checked = site.admin(["status", "--check"]).failed_with(1);
    assert!(
        checked
            .stdout
            .contains(&format!("checkpoint {spare} was gone or damaged")),
        "{checked:?}"
    );
    // Made at once, and not only when the journal has grown.
    site.server().await_line(&format!("checkpoint {}: ", newest + 1));
    site.stop();
    assert_eq!(generations(&site.data()).len(), 2);
    site.start();
    assert_eq!(warned(&site), None);
}

#[test]
fn a_store_that_was_lost_is_missed_and_not_begun_anew_under_the_same_keys() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    site.stop();
    for entry in fs::read_dir(site.data()).unwrap() {
        let path = entry.unwrap().path();
        let is_key = path.extension().is_some_and(|ending| ending == "pem");
        match path.is_dir() {
            _ if is_key => {}
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
    let refused = finish(&mut serve(&site.data(), std::iter::empty::<&str>())).failed_with(1);
    for told in ["identity.pem", "nothing of its store", "seatkeeper restore"] {
        assert!(refused.stderr.contains(told), "{told}: {refused:?}");
    }
    assert!(!site.data().join("FORMAT").exists(), "nothing was made in its place");
}

#[test]
fn a_server_that_was_killed_in_its_very_first_start_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    // All that is made before the name of the format, which is made last.
    drop(DiskStore::open(&data).unwrap());
    for name in ["journal", "manifest.1"] {
        assert!(data.join(name).exists(), "{name}");
    }
    fs::remove_file(data.join("FORMAT")).unwrap();
    ServerProcess::start_with(&data, std::iter::empty::<&str>()).stop();
    assert!(data.join("FORMAT").exists());
}

/// Starts a server on `data`. If it serves, it has these seats, as its administrator sees them unless his key was harmed. What
/// they said, and with which identity it served.
#[track_caller]
fn started(data: &Path, case: &str, seats: &serde_json::Value, is_admin_harmed: bool) -> (String, Option<String>) {
    let mut serve = serve(data, std::iter::empty::<&str>());
    let mut child = serve.stdout(Stdio::null()).spawn().expect("start the server");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let (say, lines) = channel();
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
    let mut told = String::new();
    let serves = loop {
        match lines.recv_timeout(WATCHDOG) {
            Ok(line) => {
                told.push_str(&line);
                told.push('\n');
                if line.contains("serving addresses") {
                    break true;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => panic!("{case}: neither served nor ended: {told}"),
        }
    };
    let mut served_as = None;
    if serves {
        let file = fs::read_to_string(data.join("server.json")).expect("readable");
        let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        served_as = file["fingerprint"].as_str().map(str::to_owned);
        let shown = run(["seats".as_ref(), "--json".as_ref(), "--data".as_ref(), data.as_os_str()]);
        if is_admin_harmed && shown.code != Some(0) {
            // His command is refused, and says why.
            told.push_str(&shown.text());
        } else {
            assert_eq!(shown.json(), *seats, "{case}: {told}");
            // What is beside the key in its file may be damaged without harm.
            told.push_str(if is_admin_harmed {
                "admin.pem is good enough"
            } else {
                ""
            });
        }
        child.kill().expect("killed");
    }
    let code = child.wait().expect("wait").code();
    assert!(serves || code == Some(1), "{case}: ended with {code:?}: {told}");
    (told, served_as)
}
