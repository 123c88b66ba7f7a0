//! What an installer's script sees of the agent.

use crate::process::{SEATKEEPER, STATE_DIR, command, finish, run};
use crate::site::Site;

#[test]
fn check_tells_the_standing_and_asks_for_nothing() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    let server = site.server().server_arg();
    let check = || {
        site.machine(1)
            .agent("check", "BKSRV", "agent", &["--server", &server, "--json"])
            .json()
    };
    let before = check();
    assert!(before["serial"].is_null() && before["available"] == 1, "{before}");
    assert_eq!(site.audit()[0]["used"], 0);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let acquired = site.json(["seats"]);
    let after = check();
    assert_eq!(after["serial"], acquired[0]["serial"], "{after}");
    assert_eq!(site.json(["seats"]), acquired);
}

#[test]
fn a_checkout_is_told_as_json() {
    let site = Site::open();
    let serial = site.buy(1, "BKSRV", 1);
    let server = site.server().server_arg();
    let told = site
        .machine(1)
        .agent("checkout", "BKSRV", "agent", &["--server", &server, "--json"])
        .json();
    assert_eq!(told["serial"].as_str(), Some(serial.as_str()), "{told}");
    assert_eq!(told["mac"].as_str(), Some(site.machine(1).mac.as_str()), "{told}");
    assert!(told["renew_by"].is_string(), "{told}");
    let refused = site
        .machine(2)
        .agent("checkout", "BKSRV", "agent", &["--server", &server, "--json"])
        .failed_with(4);
    let told: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap_or_else(|_| panic!("{refused:?}"));
    assert!(told.to_string().contains("SEATS_EXHAUSTED"), "the stable code: {told}");
}

#[test]
fn two_macs_are_wrong_usage() {
    run([
        "agent",
        "checkout",
        "BKSRV",
        "agent",
        "--mac",
        "00:1a:2b:3c:00:01",
        "--interface",
        "eth0",
    ])
    .failed_with(2);
    run(["agent", "checkout", "BKSRV", "agent", "--mac", "01:00:5e:00:00:01"]).failed_with(2);
}

#[test]
fn a_component_without_a_known_vendor_is_told_what_to_give() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkout = command(SEATKEEPER);
    checkout
        .args(["agent", "checkout", "BKSRV", "agent", "--mac", "00:1a:2b:3c:00:01"])
        .env(STATE_DIR, dir.path());
    let told = finish(&mut checkout);
    assert_ne!(told.code, Some(0));
    assert!(told.stderr.contains("--vendor-key"), "{told:?}");
}

#[test]
fn an_agent_finds_the_server_of_its_own_host_by_asking_the_network() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    let port = site.server().address().port().to_string();
    let machine = site.machine(1);
    let mut checkout = command(SEATKEEPER);
    checkout.args(machine.args("checkout", "BKSRV", "agent", &[]));
    finish(machine.environment(checkout.env("SEATKEEPER_PORT", &port))).ok();
    assert_eq!(site.audit()[0]["used"], 1);
    let list = finish(
        command(SEATKEEPER)
            .args(["list", "--json"])
            .env("SEATKEEPER_PORT", &port),
    )
    .json();
    let fingerprints = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["fingerprint"].as_str().unwrap());
    assert!(fingerprints.eq([site.server().fingerprint.as_str()]), "{list}");
}

#[test]
fn an_interface_that_is_not_there_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let machine = crate::process::Machine {
        mac: String::new(),
        state: dir.path().join("state"),
        vendor_key: crate::vendor::Vendor::new(1).write_public_key(dir.path()),
    };
    let mut checkout = command(SEATKEEPER);
    checkout
        .args([
            "agent",
            "checkout",
            "BKSRV",
            "agent",
            "--interface",
            "nosuch0",
            "--vendor-key",
        ])
        .arg(&machine.vendor_key);
    let told = finish(machine.environment(&mut checkout)).failed_with(2);
    assert!(told.stderr.contains("nosuch0"), "{told:?}");
}

#[test]
fn one_command_with_a_wrong_vendors_key_does_not_hide_the_right_one() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let (machine, server) = (site.machine(1), site.server().server_arg());
    let other = site.dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let stranger = crate::process::Machine {
        vendor_key: crate::vendor::Vendor::new(2).write_public_key(&other),
        ..machine.clone()
    };
    stranger
        .agent("checkout", "BKSRV", "agent", &["--server", &server])
        .failed_with(4);
    let mut renew = command(SEATKEEPER);
    renew.args([
        "agent",
        "renew",
        "BKSRV",
        "agent",
        "--mac",
        &machine.mac,
        "--server",
        &server,
    ]);
    finish(machine.environment(&mut renew)).ok();
}
