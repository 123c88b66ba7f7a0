//! The commands as they are typed, against a real server in this process.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use seatkeeper::cli::{Cli, run};
use serde_json::Value;

/// What takes longer than this hangs.
const WATCHDOG: Duration = Duration::from_mins(1);

/// How often a file is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A server that lives as long as this process.
fn serve(data: &Path) -> SocketAddr {
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let config = data.with_extension("toml");
    std::fs::write(&config, "[log]\nlevel = \"warn\"\n").expect("written");
    let args = ["seatkeeper", "serve", "--listen", "127.0.0.1:0", "--data"].map(String::from);
    let cli = Cli::parse_from(
        args.into_iter()
            .chain([text(data), "--config".to_owned(), text(&config)]),
    );
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.expect("a runtime").block_on(run(cli)).expect("a server");
    });
    let file = data.join("server.json");
    let mut waited = Duration::ZERO;
    while !file.exists() {
        assert!(waited < WATCHDOG, "no server");
        std::thread::sleep(LOOK_EVERY);
        waited += LOOK_EVERY;
    }
    let told: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("whole")).expect("JSON");
    told["listen"][0].as_str().expect("an address").parse().expect("one")
}

fn swarm(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_seatswarm"))
        .args(args)
        .output()
        .expect("run");
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    (output.status.code(), stdout, stderr)
}

#[test]
fn an_attack_is_lived_through_and_every_agent_is_served_on_both_sides() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let server = serve(&data).to_string();
    let admin = data.join("admin.pem");
    let admin = admin.to_str().expect("UTF-8");
    let (code, stdout, stderr) = swarm(&[
        "attack",
        "drip-frame",
        "--secs",
        "1",
        "--runs",
        "1",
        "--json",
        "--server",
        &server,
        "--admin",
        admin,
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    let outcome = &report["attacks"][0];
    assert_eq!(outcome["attack"], "drip-frame");
    assert_eq!(outcome["floor_failures"], 0, "{outcome}");
    assert_eq!(outcome["server_failures"], Value::Array(Vec::new()));
    for (what, least) in [("request", 40), ("start", 8)] {
        for side in ["server", "floor"] {
            let summary = &outcome[what][side];
            assert!(summary["count"].as_u64() >= Some(least), "{what} {side}: {summary}");
            assert!(summary["p50_us"].as_u64() > Some(0), "{what} {side}: {summary}");
        }
        assert!(outcome[what]["p99_ratio"].as_f64() > Some(0.0), "{what}");
    }
}

#[test]
fn renewals_are_counted_on_both_sides_and_nothing_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let server = serve(&data).to_string();
    let admin = data.join("admin.pem");
    // As few machines as a server with its usual limits lets a host engage at once.
    let (code, stdout, stderr) = swarm(&[
        "steady",
        "--connections",
        "5",
        "--depth",
        "2",
        "--machines",
        "20",
        "--secs",
        "1",
        "--runs",
        "1",
        "--json",
        "--server",
        &server,
        "--admin",
        admin.to_str().expect("UTF-8"),
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(report["refused"], Value::Array(Vec::new()));
    for side in ["server", "floor"] {
        assert!(report[side]["count"].as_u64() > Some(20), "{side}: {report}");
    }
    assert!(report["ratio"].as_f64() > Some(0.0), "{report}");
    assert_eq!(report["lone_ratio"], Value::Null);
}

#[test]
fn what_is_missing_is_told_with_the_remedy() {
    let (code, _, stderr) = swarm(&["attack", "none", "--seatkeeper", "/nowhere/seatkeeper"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("cannot start /nowhere/seatkeeper") && stderr.contains("--seatkeeper"),
        "{stderr}"
    );
    let (code, _, stderr) = swarm(&["attack", "--server", "127.0.0.1:1"]);
    assert_eq!(code, Some(2), "{stderr}");
}
