//! Rollouts: set aside, committed, aborted, by somebody who may do that and no more.

use serde_json::Value;

use super::cause;
use super::colleague::Colleague;
use crate::site::Site;

/// A file with these machines, with a comment, a blank line and the first of them twice.
fn list(site: &Site, numbers: &[u16]) -> String {
    let macs: Vec<String> = numbers.iter().map(|number| site.machine(*number).mac).collect();
    let path = site.dir.path().join("macs.txt");
    let text = format!("# the third floor\n{}\n\n{} # again\n", macs.join("\n"), macs[0]);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The first license's counts: used and available.
fn counts(site: &Site, number: u16) -> (u64, u64) {
    let serial = crate::vendor::serial(number).to_string();
    let licenses = site.check_counts();
    let license = licenses
        .iter()
        .find(|license| license["serial"] == *serial)
        .expect("a license");
    let [used, available] = ["used", "available"].map(|column| license[column].as_u64().expect(column));
    (used, available)
}

fn column<'a>(told: &'a Value, rows: &str, column: &str) -> Vec<&'a str> {
    let rows = told[rows].as_array().unwrap_or_else(|| panic!("{told}"));
    rows.iter()
        .map(|row| row[column].as_str().unwrap_or_default())
        .collect()
}

#[track_caller]
fn reserved(told: &Value) -> String {
    told["reservation"]
        .as_str()
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

// proves X1
// proves X2
// proves X5
#[test]
fn a_list_of_machines_is_reserved_all_or_none_then_committed_and_aborted() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.admin(["import", &site.vendor.deployment_license(2, "BKSRV", 2)])
        .ok();
    let deployer = Colleague::with_role(&site, "deployer");
    let refused = deployer
        .ask(&["reserve", "BKSRV", "--macs", &list(&site, &[1, 2, 3, 4])])
        .failed_with(4);
    assert!(
        cause(&refused).contains("not enough seats of BKSRV are available: 0 of 3 are in use"),
        "{refused:?}"
    );
    assert!(
        cause(&refused).contains("asked for: 4 machines") && cause(&refused).contains("available: 1 seat and 2 units"),
        "{refused:?}"
    );
    assert_eq!(
        (counts(&site, 1), counts(&site, 2)),
        ((0, 1), (0, 2)),
        "none is reserved"
    );

    let told = deployer.json(&["reserve", "BKSRV", "--macs", &list(&site, &[3, 1, 2])]);
    assert_eq!(
        column(&told, "machines", "reserved"),
        ["seat", "unit", "unit"],
        "{told}"
    );
    assert_eq!((counts(&site, 1), counts(&site, 2)), ((1, 0), (2, 0)));
    let id = reserved(&told);
    let listed = deployer.json(&["reservations"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]), (1, &told), "{listed}");
    let again = deployer.json(&[
        "reserve",
        "BKSRV",
        "--macs",
        &list(&site, &[1, 2, 3]),
        "--reservation",
        &id,
    ]);
    assert_eq!(again, told, "the same name reserves nothing more");

    let second = site.machine(2).mac;
    let done = deployer.json(&["commit", &id, "BKSRV", &second]);
    assert_eq!(column(&done, "settled", "outcome"), ["committed"], "{done}");
    let done = deployer.json(&["commit", &id, "BKSRV", &second]);
    assert_eq!(column(&done, "settled", "outcome"), ["already committed"], "{done}");
    // As long as it is listed, its product need not be named.
    let third = site.machine(3).mac;
    let back = deployer.json(&["abort", &id, &third]);
    assert_eq!(column(&back, "settled", "outcome"), ["given back"], "{back}");
    assert_eq!((counts(&site, 1), counts(&site, 2)), ((1, 0), (1, 1)));
    let rest = deployer.ask(&["commit", &id]).ok();
    assert!(
        rest.contains(&site.machine(1).mac) && rest.contains("covered"),
        "{rest}"
    );
    assert!(deployer.json(&["reservations"]).as_array().unwrap().is_empty());
    let gone = deployer.ask(&["commit", &id]).failed_with(4);
    assert!(cause(&gone).contains("PRODUCT"), "{gone:?}");
    // The seat is the machine's own.
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(counts(&site, 1), (1, 0));
}

// proves X4
#[test]
fn a_machine_that_was_given_back_is_decided_anew_when_it_is_committed_all_the_same() {
    let site = Site::open();
    site.admin(["import", &site.vendor.deployment_license(1, "BKSRV", 1)])
        .ok();
    let deployer = Colleague::with_role(&site, "deployer");
    let id = reserved(&deployer.json(&["reserve", "BKSRV", "--macs", &list(&site, &[1])]));
    deployer.ask(&["abort", &id, "BKSRV"]).ok();
    assert_eq!(counts(&site, 1), (0, 1));
    let (first, second) = (site.machine(1).mac, site.machine(2).mac);
    let told = deployer
        .ask(&["commit", &id, "BKSRV", &first, &second, "--json"])
        .failed_with(4);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(column(&told, "settled", "outcome"), ["committed", "refused"], "{told}");
    assert_eq!(told["refused_count"], 1, "{told}");
    assert_eq!(told["settled"][1]["status"], "SEATS_EXHAUSTED", "{told}");
    assert_eq!(counts(&site, 1), (1, 0));
}

// proves X3
#[test]
fn a_machine_that_was_deployed_under_a_deployment_license_still_needs_a_seat_to_be_managed() {
    let site = Site::open();
    site.admin(["import", &site.vendor.deployment_license(1, "BKSRV", 2)])
        .ok();
    let deployer = Colleague::with_role(&site, "deployer");
    for used in [1, 2] {
        let id = reserved(&deployer.json(&["reserve", "BKSRV", "--macs", &list(&site, &[1])]));
        deployer.ask(&["commit", &id]).ok();
        assert_eq!(counts(&site, 1), (used, 2 - used), "each deployment pays a unit");
    }
    let refused = site.agent(1, "checkout", "BKSRV", "agent").failed_with(4);
    assert!(cause(&refused).contains("machine license"), "{refused:?}");
}

// proves X5
#[test]
fn with_the_preferred_kind_alone_the_other_is_not_used() {
    let site = Site::open();
    site.admin(["import", &site.vendor.deployment_license(1, "BKSRV", 5)])
        .ok();
    let deployer = Colleague::with_role(&site, "deployer");
    let macs = list(&site, &[1]);
    deployer
        .ask(&["reserve", "BKSRV", "--macs", &macs, "--preferred-only"])
        .failed_with(4);
    assert_eq!(counts(&site, 1), (0, 5));
    let told = deployer.ask(&["reserve", "BKSRV", "--macs", &macs]).ok();
    assert!(
        told.contains("seatkeeper commit") && told.contains("a unit"),
        "the next command: {told}"
    );
    let table = deployer.ask(&["reservations"]).ok();
    assert!(table.contains("BKSRV"), "{table}");
    let csv = deployer.ask(&["reservations", "--csv"]).ok();
    assert_eq!(
        (csv.lines().count(), csv.starts_with("reservation,")),
        (2, true),
        "{csv}"
    );
}

// proves X4
#[test]
fn seats_held_for_a_number_bind_as_machines_check_out_and_what_is_left_is_given_back() {
    let site = Site::open();
    site.buy(1, "BKSRV", 3);
    let deployer = Colleague::with_role(&site, "deployer");
    let refused = deployer.ask(&["reserve", "BKSRV", "--count", "4"]).failed_with(4);
    assert!(
        cause(&refused).contains("asked for: 4 seats; available: 3 seats;"),
        "{refused:?}"
    );
    let told = deployer.json(&["reserve", "BKSRV", "--count", "3", "--for", "7d"]);
    assert_eq!(told["held"][0]["count"], 3, "{told}");
    let date = |column: &str| told[column].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(
        date("lapses_at").as_second() - date("reserved_at").as_second(),
        7 * 86_400
    );
    assert_eq!(counts(&site, 1), (3, 0));
    for number in [1, 2] {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    let listed = deployer.json(&["reservations"]);
    assert_eq!(listed[0]["held"][0]["count"], 1, "{listed}");
    assert_eq!(counts(&site, 1), (3, 0));
    let id = reserved(&told);
    let held = deployer.ask(&["reservations", &id, "--csv"]).ok();
    assert_eq!(
        held.lines().last(),
        Some(format!("{},1", crate::vendor::serial(1)).as_str()),
        "{held}"
    );
    let told = deployer.ask(&["commit", &id]).ok();
    assert!(
        told.contains("nothing is to be committed") && told.contains(&format!("seatkeeper abort {id}")),
        "{told}"
    );
    assert_eq!(counts(&site, 1), (3, 0));
    let told = deployer.ask(&["abort", &id]).ok();
    assert!(told.contains("free again"), "{told}");
    deployer.ask(&["reservations", &id]).failed_with(4);
    assert_eq!(counts(&site, 1), (2, 1));
    assert_eq!(site.json(["status"])["reservations"], 0);
}

#[test]
fn deployers_reserve_viewers_look_and_agents_do_neither() {
    let site = Site::open();
    site.buy(1, "BKSRV", 5);
    let deployer = Colleague::with_role(&site, "deployer");
    let id = reserved(&deployer.json(&["reserve", "BKSRV", "--count", "1"]));
    deployer.ask(&["licenses"]).failed_with(5);
    let viewer = Colleague::with_role(&site, "viewer");
    assert_eq!(viewer.json(&["reservations"])[0]["reservation"], *id);
    let agent = Colleague::new(&site, "agent");
    agent.ask(&["reservations"]).failed_with(5);
    for somebody in [&viewer, &agent] {
        somebody.ask(&["reserve", "BKSRV", "--count", "1"]).failed_with(5);
        somebody.ask(&["commit", &id, "BKSRV"]).failed_with(5);
        somebody.ask(&["abort", &id, "BKSRV"]).failed_with(5);
    }
    assert_eq!(counts(&site, 1), (1, 4));
}

#[test]
fn what_cannot_be_reserved_is_refused_before_the_server_is_asked() {
    let site = Site::open();
    site.buy(1, "BKSRV", 5);
    for time in ["31d", "0s", "soon"] {
        site.admin(["reserve", "BKSRV", "--count", "1", "--for", time])
            .failed_with(2);
    }
    let text = format!("{}\nhost-7\n\n01:00:5e:00:00:01\n", site.machine(1).mac);
    let told = site
        .admin_with_input(["reserve", "BKSRV", "--macs", "-"], &text)
        .failed_with(1);
    assert!(cause(&told).contains("line 2: "), "{told:?}");
    assert!(told.stderr.contains("line 4: "), "{told:?}");
    assert_eq!(counts(&site, 1), (0, 5));
}
