//! The event log over the real binary.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::process::Stdio;

use serde_json::Value;

use super::cause;
use crate::process::{SEATKEEPER, command, finish};
use crate::site::Site;

/// What `events` prints with these options.
#[track_caller]
fn events(site: &Site, options: &[&str]) -> Vec<Value> {
    let args = ["events"].iter().chain(options);
    site.json(args).as_array().expect("a list").clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

/// A site where machine 1 has the only seat, machine 2 was refused three times and machine 3 once.
fn busy() -> Site {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    for machine in [2, 2, 3, 2] {
        site.agent(machine, "checkout", "BKSRV", "agent").failed_with(4);
    }
    site
}

// proves V3
#[test]
fn what_happened_is_shown_by_time_machine_product_kind_and_who_did_it() {
    let site = busy();
    let all = events(&site, &[]);
    assert_eq!(
        kinds(&all)[..6],
        [
            "server-founded",
            "role-given",
            "vendor-trusted",
            "catalogue-imported",
            "license-imported",
            "seat-engaged"
        ]
    );
    assert_eq!(
        kinds(&all)[6..],
        ["refused", "refused"],
        "a machine's in an hour are one"
    );
    let refused = events(&site, &["--kind", "refused", "--mac", &site.machine(2).mac]);
    assert_eq!(
        (refused.len(), &refused[0]["count"], &refused[0]["counting"]),
        (1, &3.into(), &true.into())
    );
    assert_eq!(refused[0]["status"], "seats-exhausted");
    let text = refused[0]["text"].as_str().unwrap();
    assert!(
        text.contains("was refused BKSRV: seats exhausted, 3 times since"),
        "{text}"
    );
    assert!(events(&site, &["--mac", &site.machine(9).mac]).is_empty());
    assert_eq!(
        kinds(&events(
            &site,
            &["--product", "BKSRV", "--kind", "seat-engaged,license-imported"]
        )),
        ["license-imported", "seat-engaged"]
    );
    assert_eq!(
        kinds(&events(&site, &["--actor", "server"])),
        ["server-founded", "role-given"]
    );
    let who = all[2]["actor"].as_str().unwrap();
    // As events show it, too.
    for name in [who, &who[..16]] {
        assert_eq!(
            kinds(&events(&site, &["--actor", name])),
            ["vendor-trusted", "catalogue-imported", "license-imported"],
            "{name}"
        );
    }
    assert!(
        all[2]["text"]
            .as_str()
            .unwrap()
            .contains(&format!("(by {} ", &who[..16]))
    );
    let nobody = site.admin(["events", "--actor", "00000000"]).failed_with(1);
    assert!(nobody.stderr.contains("begins with 00000000"), "{nobody:?}");
    assert!(
        events(&site, &["--until", "2020-01-01"]).is_empty() && events(&site, &["--since", "2h"]).len() == all.len()
    );
    assert_eq!(
        kinds(&events(&site, &["--kind", "seat-engaged,server-founded", "--reverse"])),
        ["seat-engaged", "server-founded"]
    );
    assert_eq!(events(&site, &["-n", "3"]), all[5..], "the last ones, the oldest first");
}

#[test]
fn events_are_a_table_or_csv_and_a_slip_in_an_option_is_told() {
    let site = busy();
    let all = events(&site, &[]);
    let csv = site.admin(["events", "--csv", "--kind", "refused", "--reverse"]).ok();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert_eq!(
        csv.lines().next(),
        Some("time,kind,by,address,product,mac,host,component,serial,reason,count,event")
    );
    let table = site.admin(["events"]).ok();
    assert_eq!(table.lines().count(), all.len() + 1, "{table}");
    let near = site.admin(["events", "--kind", "seat-engagd"]).failed_with(2);
    assert!(near.stderr.contains("'seat-engaged'"), "{near:?}");
    let wrong = site.admin(["events", "--since", "once"]).failed_with(2);
    assert!(wrong.stderr.contains("2026-01-31"), "{wrong:?}");
}

// proves V1, V3
#[test]
fn events_have_the_columns_order_and_text_that_are_asked_for() {
    let site = busy();
    let list = |options: &[&str]| site.admin(["events"].iter().chain(options).copied()).ok();
    let csv = list(&[
        "--csv",
        "--kind",
        "refused",
        "--columns",
        "mac,count",
        "--sort",
        "-count",
    ]);
    let [second, third] = [2, 3].map(|number| site.machine(number).mac);
    assert_eq!(csv, format!("mac,count\n{second},3\n{third},1\n"));
    let csv = list(&["--csv", "--columns", "kind", "--sort", "-kind", "--last", "3"]);
    assert_eq!(csv, "kind\nseat-engaged\nrefused\nrefused\n", "of the last three");
    let table = list(&["--columns", "product,kind", "--search", "SEAT-ENG"]);
    assert_eq!(table, "product  kind\nBKSRV    seat-engaged\n");
    assert_eq!(
        list(&["--columns", "kind", "--search", "bksrv"]),
        "no such event\n",
        "it is not shown"
    );
    // Of those that are found, not of those that are looked through.
    let found = events(&site, &["--search", "engaged a seat", "--last", "1"]);
    assert_eq!(kinds(&found), ["seat-engaged"]);
    let newest = events(&site, &["--search", "bksrv", "--reverse", "--last", "3"]);
    assert_eq!(kinds(&newest), ["refused", "refused", "seat-engaged"]);
    let sorted = events(&site, &["--sort", "kind"]);
    assert_eq!(kinds(&sorted)[..2], ["catalogue-imported", "license-imported"]);
    assert_eq!(
        list(&["--csv", "--columns", "host,mac", "--sort", "host", "--search", "nobody"]),
        "host,mac\n"
    );
    let endless = site.admin(["events", "--follow", "--sort", "kind"]).failed_with(2);
    assert!(
        endless.stderr.contains("'--sort <SORT>'") && endless.stderr.contains("cannot be used with"),
        "{endless:?}"
    );
}

// proves V3
#[test]
fn what_is_counted_is_written_when_the_server_stops_and_is_told_once() {
    let mut site = busy();
    site.stop();
    site.start();
    let refused = events(&site, &["--kind", "refused"]);
    let counts: Vec<_> = refused
        .iter()
        .map(|event| (&event["count"], &event["counting"]))
        .collect();
    assert_eq!(counts.len(), 2);
    assert!(
        counts.contains(&(&3.into(), &false.into())) && counts.contains(&(&1.into(), &false.into())),
        "{counts:?}"
    );
}

// proves V3
#[test]
fn refusals_are_summed_up_with_how_many_seats_more_would_have_been_enough() {
    let mut site = busy();
    let sums = site.json(["denials"]);
    let row = &sums[0];
    assert_eq!(sums.as_array().unwrap().len(), 1, "{sums}");
    assert_eq!(
        (&row["status"], &row["product"]),
        (&"seats-exhausted".into(), &"BKSRV".into())
    );
    assert_eq!(
        (&row["count"], &row["machines"], &row["seats_more"]),
        (&4.into(), &2.into(), &2.into())
    );
    site.admin(["release", &site.machine(1).mac, "BKSRV", "--reason", "sold"])
        .ok();
    site.agent(3, "checkout", "BKSRV", "agent").ok();
    let sums = site.json(["denials", "--product", "BKSRV", "--reason", "seats-exhausted"]);
    assert_eq!(
        (&sums[0]["machines"], &sums[0]["seats_more"]),
        (&2.into(), &1.into()),
        "one got a seat later"
    );
    // Nobody named the vendor here: the same product all the same. What was asked for and is not there is lacking.
    let hundred = ["reserve", "BKSRV", "--for", "1h", "--count", "100"];
    let refused = site.admin(hundred).failed_with(4);
    assert!(cause(&refused).contains("100 more would be enough"), "{refused:?}");
    let macs = [site.machine(1).mac, site.machine(4).mac].join("\n");
    let list = site.dir.path().join("macs.txt");
    std::fs::write(&list, macs).unwrap();
    site.admin(["reserve", "BKSRV", "--macs", list.to_str().unwrap()])
        .failed_with(4);
    let sums = site.json(["denials"]);
    assert_eq!(sums.as_array().unwrap().len(), 1, "{sums}");
    assert_eq!(
        (&sums[0]["count"], &sums[0]["machines"], &sums[0]["seats_more"]),
        (&6.into(), &2.into(), &101.into())
    );
    let found = events(&site, &["--search", "a reservation of BKSRV was refused"]);
    let told: Vec<_> = found.iter().map(|event| (&event["count"], &event["lacked"])).collect();
    assert_eq!(
        told,
        [(&Value::from(2), &Value::from(100))],
        "the most that one of them lacked"
    );
    // As they were told, so they are when they were durable.
    site.stop();
    site.start();
    let durable = events(&site, &["--search", "a reservation of BKSRV was refused"]);
    assert_eq!(site.json(["denials"]), sums);
    assert!(durable.iter().all(|event| event["counting"] == false), "{durable:?}");
    site.agent(4, "checkout", "BKSRV", "agent").failed_with(4);
    assert_eq!(
        site.json(["denials", "--reason", "no-license"])
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let csv = site.admin(["denials", "--csv"]).ok();
    assert!(
        csv.starts_with("day,product,reason,refused,machines,seats-more\n20"),
        "{csv}"
    );
}

// proves V1, V3
#[test]
fn denials_have_the_columns_order_and_text_that_are_asked_for() {
    let site = busy();
    site.agent(4, "checkout", "PRIV", "a").failed_with(4);
    let list = |options: &[&str]| site.admin(["denials"].iter().chain(options).copied()).ok();
    let csv = list(&["--csv", "--columns", "product,refused,seats-more", "--sort", "refused"]);
    assert_eq!(csv, "product,refused,seats-more\nPRIV,1,\nBKSRV,4,2\n");
    let csv = list(&["--csv", "--columns", "product", "--sort", "-product"]);
    assert_eq!(csv, "product\nPRIV\nBKSRV\n");
    let csv = list(&["--csv", "--columns", "reason", "--search", "EXHAUST"]);
    assert_eq!(csv, "reason\nseats-exhausted\n");
    let none = list(&["--search", "nobody"]);
    assert_eq!(none, "no refusal has this text in what is shown of it\n");
    let sums = site.json(["denials", "--search", "priv"]);
    assert_eq!(
        (sums.as_array().unwrap().len(), &sums[0]["status"]),
        (1, &"no-license".into())
    );
}

#[test]
fn new_events_are_followed_across_a_restart_of_the_server() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    let mut follow = command(env!("CARGO_BIN_EXE_seatkeeper"))
        .args(["events", "--follow", "--json", "-n", "1", "--data"])
        .arg(site.data())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().expect("a line").unwrap()).unwrap() };
    assert_eq!(next()["kind"], "license-imported", "the last one first");
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(next()["kind"], "seat-engaged");
    site.agent(2, "checkout", "BKSRV", "agent").failed_with(4);
    let refused = next();
    assert_eq!(
        (&refused["kind"], &refused["counting"]),
        (&"refused".into(), &true.into())
    );
    site.stop();
    site.start();
    site.admin(["release", &site.machine(1).mac, "BKSRV", "--reason", "sold"])
        .ok();
    // The refusal was written meanwhile, and shown before.
    assert_eq!(next()["kind"], "seat-ended");
    follow.kill().unwrap();
    follow.wait().unwrap();
}

// proves V3
#[test]
fn an_edit_of_the_log_is_found_and_its_place_named_and_an_anchor_tells_an_older_log() {
    let site = busy();
    let anchor = site.admin(["events", "anchor"]).ok();
    let told = site.admin(["events", "verify", "--anchor", anchor.trim()]).ok();
    assert!(
        told.contains("the chain holds from the server's first round on"),
        "{told}"
    );
    assert!(told.contains("is the one of the anchor"), "{told}");
    let verified = site.json(["events", "verify"]);
    assert_eq!(
        (&verified["holds"], &verified["first_round"], &verified["faults"]),
        (&true.into(), &1.into(), &Value::Array(Vec::new()))
    );
    assert_eq!(verified["events"], 6, "what is counted is not written yet");
    let kept = site.dir.path().join("anchors.txt");
    std::fs::write(&kept, &anchor).unwrap();
    let kept = kept.display().to_string();
    site.admin(["events", "verify", "--anchor", &kept]).ok();
    // A round later the anchor still holds; with another hash, or of a round that is not there, it does not.
    site.buy(2, "PRIV", 1);
    site.admin(["events", "verify", "--anchor", &kept]).ok();
    let words: Vec<&str> = anchor.split_whitespace().collect();
    let other = anchor.trim().replace(words[7], &"ab".repeat(32));
    let differs = site.admin(["events", "verify", "--anchor", &other]).failed_with(1);
    assert!(cause(&differs).contains("NOT the one of the anchor"), "{differs:?}");
    let other = anchor.trim().replace(words[9], "2001-01-01T00:00:00Z");
    let forged = site.admin(["events", "verify", "--anchor", &other]).failed_with(1);
    assert!(
        cause(&forged).contains("and not at 2001-01-01 00:00:00 UTC, as the anchor says"),
        "{forged:?}"
    );
    let ahead = anchor.trim().replace(&format!("round {}", words[5]), "round 999");
    let ahead = site.admin(["events", "verify", "--anchor", &ahead]).failed_with(1);
    assert!(cause(&ahead).contains("the log ends with round"), "{ahead:?}");
    let half = site
        .admin(["events", "verify", "--anchor", &anchor[..60]])
        .failed_with(2);
    assert!(cause(&half).contains("copy it whole"), "{half:?}");
    // A byte of the second round, behind the server's back.
    let segment = site.data().join("journal/0000000001.journal");
    let bytes = std::fs::read(&segment).unwrap();
    let at = bytes
        .windows(5)
        .position(|bytes| bytes == b"BKSRV")
        .expect("a product in the log");
    let file = std::fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(b"C", at as u64).unwrap();
    let sector = at as u64 / 512 * 512;
    let broken = site.admin(["events", "verify"]).failed_with(1);
    assert!(
        broken.stdout.contains("DAMAGED journal/0000000001.journal at byte"),
        "{broken:?}"
    );
    let faults = site.admin(["events", "verify", "--json"]).failed_with(1);
    let faults: Value = serde_json::from_str(&faults.stdout).unwrap();
    assert_eq!(
        (&faults["holds"], &faults["faults"][0]["byte"]),
        (&false.into(), &sector.into()),
        "{faults}"
    );
    let listed = site.admin(["events", "--json"]);
    assert!(
        listed
            .stderr
            .contains("some events cannot be read: journal/0000000001.journal"),
        "{listed:?}"
    );
    file.write_all_at(b"B", at as u64).unwrap();
    site.admin(["events", "verify"]).ok();
}

#[test]
fn options_of_every_command_may_stand_before_the_check_of_the_log_and_those_that_choose_events_not() {
    let site = busy();
    let data = site.data().display().to_string();
    for args in [
        ["events", "--data", &data, "verify"],
        ["events", "verify", "--data", &data],
    ] {
        finish(command(SEATKEEPER).args(args)).ok();
    }
    let misplaced = site.admin(["events", "--since", "1h", "verify"]).failed_with(2);
    assert!(cause(&misplaced).contains("are of the whole log"), "{misplaced:?}");
}

#[test]
fn whoever_has_no_role_reads_no_events() {
    let site = busy();
    let identity = site.dir.path().join("nobody.pem");
    let as_nobody = ["--identity", identity.to_str().unwrap()];
    seatkeeper::tls::Identity::load_or_create(&identity).unwrap();
    for verb in [
        vec!["events"],
        vec!["events", "verify"],
        vec!["events", "anchor"],
        vec!["denials"],
    ] {
        site.admin(verb.iter().chain(&as_nobody).copied()).failed_with(5);
    }
    let refused = events(&site, &["--kind", "refused"]);
    let by_nobody = refused
        .iter()
        .find(|event| event["status"] == "not-authorized")
        .expect("noted");
    assert_eq!(by_nobody["count"], 4);
}
