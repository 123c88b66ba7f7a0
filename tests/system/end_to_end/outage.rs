//! Components without their server, and with the wrong one.

use super::cause;
use crate::process::{Machine, Output, SEATKEEPER, command, finish};
use crate::site::Site;
use crate::vendor::Vendor;

/// An agent's command on a machine whose server does not answer.
#[track_caller]
fn without_server(site: &Site, machine: u16, verb: &str, product: &str, component: &str) -> Output {
    site.machine(machine)
        .agent(verb, product, component, &["--server", NOBODY])
}

/// Where no server is.
const NOBODY: &str = "127.0.0.1:1";

/// `run` on a machine whose server does not answer.
#[track_caller]
fn run_without_server(machine: &Machine, product: &str) -> Output {
    let mut run = command(SEATKEEPER);
    run.args([
        "run",
        product,
        "agent",
        "--mac",
        &machine.mac,
        "--server",
        NOBODY,
        "--vendor-key",
    ]);
    run.arg(&machine.vendor_key).args(["--", "sh", "-c", "exit 7"]);
    finish(machine.environment(&mut run))
}

// proves O1
#[test]
fn a_strict_component_does_not_run_without_its_server() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    let told = without_server(&site, 1, "checkout", "BKSRV", "agent").failed_with(3);
    assert!(cause(&told).starts_with("invalid license"), "{told:?}");
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.kill();
    let told = without_server(&site, 1, "checkout", "BKSRV", "agent").failed_with(3);
    assert!(cause(&told).starts_with("invalid license"), "{told:?}");
}

// proves O2
#[test]
fn a_lenient_component_runs_without_its_server_once_it_has_its_catalogue_entry() {
    let mut site = Site::open();
    site.buy(1, "BKWS", 1);
    without_server(&site, 1, "checkout", "BKWS", "agent").failed_with(3);
    site.agent(1, "checkout", "BKWS", "agent").ok();
    site.kill();
    let told = without_server(&site, 1, "checkout", "BKWS", "agent");
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.text().contains("without"), "it is told: {told:?}");
    // A strict component of the same product does not.
    without_server(&site, 1, "checkout", "BKWS", "restore").failed_with(3);
}

// proves O2
#[test]
fn a_lenient_component_that_its_server_refuses_does_not_run() {
    let site = Site::open();
    site.buy(1, "BKWS", 1);
    site.agent(1, "checkout", "BKWS", "agent").ok();
    site.admin(["release", &site.machine(1).mac, "BKWS", "--reason", "moved"])
        .ok();
    site.agent(2, "checkout", "BKWS", "agent").ok();
    let refused = site.agent(1, "checkout", "BKWS", "agent").failed_with(4);
    assert!(cause(&refused).starts_with("invalid license"), "{refused:?}");
}

// proves K9
#[test]
fn a_server_with_another_vendors_keys_is_refused_and_not_pinned() {
    let site = Site::open();
    site.buy(1, "BKSRV", 5);
    let other = Vendor::new(2);
    let mut machine = site.machine(1);
    machine.vendor_key = other.write_public_key(site.dir.path());
    let here = site.server().server_arg();
    let refused = machine
        .agent("checkout", "BKSRV", "agent", &["--server", &here])
        .failed_with(4);
    assert!(cause(&refused).starts_with("invalid license"), "{refused:?}");
    assert_eq!(site.audit()[0]["used"], 0);
    let fingerprint = &site.server().fingerprint;
    for file in std::fs::read_dir(&machine.state).into_iter().flatten() {
        let path = file.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        assert!(
            !text.contains(fingerprint),
            "{} has a pin in it: {text}",
            path.display()
        );
    }

    // With the vendor's catalogue, which anybody can have, and no key it is none either; with a key it is.
    let dir = site.dir.path();
    site.admin(["vendor", "trust", machine.vendor_key.to_str().unwrap()])
        .ok();
    site.admin(["catalogue", "import", other.write_catalogue(dir, 1).to_str().unwrap()])
        .ok();
    assert_ne!(
        machine.agent("checkout", "BKSRV", "agent", &["--server", &here]).code,
        Some(0)
    );
    site.admin(["import", &other.license(2, "BKSRV", 1)]).ok();
    machine.agent("checkout", "BKSRV", "agent", &["--server", &here]).ok();
}

#[test]
fn an_agent_talks_to_its_own_server_alone_until_it_is_told_to_trust_another() {
    let (ours, theirs) = (Site::open(), Site::open());
    ours.buy(1, "BKSRV", 1);
    theirs.buy(2, "BKSRV", 1);
    ours.agent(1, "checkout", "BKSRV", "agent").ok();
    let there = theirs.server().server_arg();
    let machine = ours.machine(1);
    let refused = machine
        .agent("checkout", "BKSRV", "agent", &["--server", &there])
        .failed_with(3);
    assert!(
        refused.stderr.contains(&theirs.server().fingerprint),
        "which server it is: {refused:?}"
    );
    assert_eq!(theirs.audit()[0]["used"], 0);
    let mut trust = command(SEATKEEPER);
    trust.args(["agent", "trust", &theirs.server().fingerprint]);
    finish(machine.environment(&mut trust)).ok();
    machine.agent("checkout", "BKSRV", "agent", &["--server", &there]).ok();
    assert_eq!(theirs.audit()[0]["used"], 1);
}

// proves O3
#[test]
fn a_product_with_offline_days_runs_without_its_server_on_this_machine_and_no_other_one_does() {
    const WEEK_SECS: u64 = 7 * 86_400;
    let mut site = Site::open();
    site.buy(1, "FIELD", 2);
    site.buy(2, "BKSRV", 1);
    let left = |told: &serde_json::Value| {
        let left = told["offline_left_secs"].as_u64().unwrap_or_else(|| panic!("{told}"));
        assert!((WEEK_SECS - 300..=WEEK_SECS).contains(&left), "{told}");
        assert!(told["offline_until"].is_string(), "{told}");
    };
    for product in ["FIELD", "BKSRV"] {
        let told = site.agent(1, "checkout", product, "agent");
        assert!(!told.text().contains("warning"), "{told:?}");
        told.ok();
    }
    let machine = site.machine(1);
    let here = site.server().server_arg();
    let check = |more: &[&str]| machine.agent("check", "FIELD", "agent", more);
    left(&check(&["--server", &here, "--json"]).json());
    site.stop();

    let told = without_server(&site, 1, "checkout", "FIELD", "agent");
    assert!(
        told.text().contains("without a license server for ") && told.text().contains(" UTC)"),
        "{told:?}"
    );
    told.ok();
    let told = machine
        .agent("renew", "FIELD", "agent", &["--server", NOBODY, "--json"])
        .json();
    assert!(told["may_run"] == true && told["outcome"] == "no server", "{told}");
    left(&told);
    let told = run_without_server(&machine, "FIELD").failed_with(7);
    assert!(
        told.stderr.contains("without a license server for "),
        "it does not do so unseen: {told:?}"
    );
    let told = check(&["--server", NOBODY]).failed_with(3);
    assert!(
        told.stdout.contains("without a server the component runs for "),
        "{told:?}"
    );
    let told = check(&["--server", NOBODY, "--json"]).failed_with(3);
    left(&serde_json::from_str(&told.stdout).unwrap());

    // A product that allows no offline days stays refused, and so does a copy on another machine.
    let told = run_without_server(&machine, "BKSRV").failed_with(3);
    assert!(cause(&told).starts_with("invalid license"), "{told:?}");
    let copy = Machine {
        state: site.dir.path().join("copy"),
        ..site.machine(2)
    };
    std::fs::create_dir(&copy.state).unwrap();
    for file in std::fs::read_dir(&machine.state).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.state.join(file.file_name())).unwrap();
    }
    let told = run_without_server(&copy, "FIELD").failed_with(3);
    assert!(cause(&told).starts_with("invalid license"), "{told:?}");
    assert!(told.stderr.contains("for another machine"), "{told:?}");
    run_without_server(
        &Machine {
            mac: machine.mac.clone(),
            ..copy
        },
        "FIELD",
    )
    .failed_with(7);
}
