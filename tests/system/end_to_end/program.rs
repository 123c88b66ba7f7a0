//! `run`: a program only while it is licensed.

use std::io::BufRead;
use std::process::Command;

use crate::process::{Output, SEATKEEPER, command, finish, signal, wait};
use crate::site::Site;

#[track_caller]
fn run_program(site: &Site, machine: u16, component: &str, options: &[&str], program: &[&str]) -> Output {
    finish(&mut to_run(site, machine, component, options, program))
}

fn to_run(site: &Site, machine: u16, component: &str, options: &[&str], program: &[&str]) -> Command {
    let machine = site.machine(machine);
    let mut run = command(SEATKEEPER);
    run.args([
        "run",
        "BKSRV",
        component,
        "--mac",
        &machine.mac,
        "--server",
        &site.server().server_arg(),
    ]);
    run.args(options)
        .arg("--vendor-key")
        .arg(&machine.vendor_key)
        .arg("--")
        .args(program);
    machine.environment(&mut run);
    run
}

#[test]
fn a_licensed_program_runs_and_its_exit_code_is_passed_on() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    for options in [[].as_slice(), &["--stop-on-refusal"]] {
        let told = run_program(&site, 1, "agent", options, &["sh", "-c", "echo hello; exit 7"]).failed_with(7);
        assert_eq!(told.stdout.trim(), "hello");
    }
    run_program(&site, 1, "agent", &[], &["true"]).ok();
    assert_eq!(site.audit()[0]["used"], 1);
}

#[test]
fn a_licensed_program_is_not_told_the_token_that_its_component_was_enrolled_with() {
    let site = Site::open_with("enrol = \"token\"\n");
    site.buy(1, "BKSRV", 1);
    let token = site.json(["enrol", "token"])["token"].as_str().unwrap().to_owned();
    let mut run = to_run(&site, 1, "agent", &[], &["env"]);
    let told = finish(run.env("SEATKEEPER_ENROL_TOKEN", &token)).ok();
    assert!(
        told.contains("SEATKEEPER_STATE_DIR="),
        "the rest of the environment is the program's: {told}"
    );
    assert!(!told.contains(&token), "{told}");
    assert_eq!(site.audit()[0]["used"], 1);
}

// proves O1
#[test]
fn a_program_that_is_not_licensed_does_not_run() {
    let site = Site::open();
    let mark = site.dir.path().join("ran");
    let refused = run_program(&site, 1, "agent", &[], &["touch", mark.to_str().unwrap()]).failed_with(4);
    assert!(super::cause(&refused).starts_with("invalid license"), "{refused:?}");
    assert!(!mark.exists());
}

#[test]
fn sigterm_and_sighup_go_on_to_the_program_and_its_own_end_counts() {
    signalled("TERM");
    signalled("HUP");
}

fn signalled(name: &str) {
    const PROGRAM: &str = "trap 'kill $!; exit 7' TERM HUP; sleep 600 >/dev/null 2>&1 & echo ready; wait";
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    let machine = site.machine(1);
    let mut run = command(SEATKEEPER);
    let server = site.server().server_arg();
    run.args([
        "run",
        "BKSRV",
        "agent",
        "--mac",
        &machine.mac,
        "--server",
        &server,
        "--vendor-key",
    ])
    .arg(&machine.vendor_key)
    .args(["--", "sh", "-c", PROGRAM]);
    let mut child = machine.environment(&mut run).spawn().unwrap();
    let mut line = String::new();
    // One byte at a time: what the program says later is not read ahead.
    let mut stdout = std::io::BufReader::with_capacity(1, child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    signal(child.id(), name);
    child.stdout = Some(stdout.into_inner());
    wait(child).failed_with(7);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    let told = run_program(&site, 1, "agent", &[], &["/no/such/program"]);
    assert_ne!(told.code, Some(0));
    assert!(told.stderr.contains("/no/such/program"), "{told:?}");
}
