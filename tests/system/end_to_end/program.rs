//! `run`: a program only while it is licensed.

use crate::process::{Output, SEATKEEPER, command, finish};
use crate::site::Site;

#[track_caller]
fn run_program(site: &Site, machine: u16, component: &str, options: &[&str], program: &[&str]) -> Output {
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
    finish(machine.environment(&mut run))
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
fn a_program_that_is_not_there_is_named() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    let told = run_program(&site, 1, "agent", &[], &["/no/such/program"]);
    assert_ne!(told.code, Some(0));
    assert!(told.stderr.contains("/no/such/program"), "{told:?}");
}
