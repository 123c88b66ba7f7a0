//! Failures with `--json`: standard output holds one JSON value, whatever happens.

use serde_json::Value;

use crate::process::{Output, run};
use crate::site::Site;

/// The one JSON value that a failed command printed.
#[track_caller]
fn told(output: Output, code: i32) -> Value {
    let output = output.failed_with(code);
    assert!(
        output.stderr.contains("seatkeeper: "),
        "people are told as well: {output:?}"
    );
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("not one JSON value ({error}): {output:?}"))
}

#[test]
fn a_failure_before_a_result_is_told_as_an_error_with_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere.pub");
    let nobody = ["--server", "127.0.0.1:1", "--json"];
    for (args, code, names) in [
        (vec!["vendor", "trust", nowhere.to_str().unwrap()], 1, "nowhere.pub"),
        (vec!["status"], 3, "127.0.0.1:1"),
    ] {
        let output = run(args
            .iter()
            .chain(&nobody)
            .chain(&["--data", dir.path().to_str().unwrap()]));
        let value = told(output, code);
        let error = value["error"].as_object().unwrap();
        assert!(error["message"].as_str().unwrap().contains(names), "{value}");
        assert_eq!(error["exit_code"], code, "{value}");
    }
}

#[test]
fn a_result_that_tells_the_failure_is_followed_by_no_error() {
    let site = Site::open();
    let denied = told(
        site.machine(1).agent(
            "checkout",
            "BKSRV",
            "agent",
            &["--json", "--server", &site.server().server_arg()],
        ),
        4,
    );
    assert_eq!(denied["may_run"], false, "{denied}");
    let imported = told(site.admin(["import", "SK1-NONSENSE", "--json"]), 4);
    assert_eq!(imported["refused"].as_array().unwrap().len(), 1, "{imported}");
}

#[test]
fn a_data_directory_is_nothing_that_a_machines_component_has_and_its_own_variable_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    for args in [
        &["agent", "check", "BKSRV", "agent"][..],
        &["run", "BKSRV", "agent"],
        &["agent", "trust", &"0".repeat(64)],
    ] {
        let program: &[&str] = if args[0] == "run" { &["--", "true"] } else { &[] };
        let options = ["--mac", "02:00:00:00:00:01", "--server", "127.0.0.1:1", "--data", data];
        let options = if args[1] == "trust" {
            &options[2..]
        } else {
            &options[..]
        };
        let output = run(args.iter().chain(options).chain(program)).failed_with(2);
        assert!(output.stderr.contains("SEATKEEPER_STATE_DIR"), "{output:?}");
    }
}

#[test]
fn a_search_that_finds_nothing_prints_an_empty_list() {
    // A port that this test holds, so that no server has it.
    let held = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let mut list = crate::process::command(crate::process::SEATKEEPER);
    list.env("SEATKEEPER_PORT", held.local_addr().unwrap().port().to_string());
    let output = crate::process::finish(list.args(["list", "--json", "--timeout", "1"]));
    assert_eq!(told(output, 3), Value::Array(Vec::new()));
}
