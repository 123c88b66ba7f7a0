//! The commands as they are typed, against a real server in this process.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod own;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Parser;
use seatkeeper::cli::{Cli, run};
use serde_json::Value;

/// What takes longer than this hangs.
const WATCHDOG: Duration = Duration::from_mins(1);

/// How often a file is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What lets this host be many machines.
const MANY_MACHINES: &str = "[limits]\nnew_macs_per_identity_and_day = 1000000\nnew_seats_per_source_and_minute = 1000000\nagent_silence_secs = 86400\n";

/// A server that lives as long as this process.
fn serve(data: &Path, config: &str) -> SocketAddr {
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let file = data.with_extension("toml");
    std::fs::write(&file, format!("{config}[log]\nlevel = \"warn\"\n")).expect("written");
    let args = ["seatkeeper", "serve", "--listen", "127.0.0.1:0", "--data"].map(String::from);
    let cli = Cli::parse_from(args.into_iter().chain([text(data), "--config".to_owned(), text(&file)]));
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

/// Runs a command against a server of its own with that configuration, and reads its report.
fn report(config: &str, args: &[&str]) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    report_of(&data, serve(&data, config), std::process::id(), args)
}

/// The directory that [`a_server_of_its_own`] serves.
const ALONE: &str = "SEATSWARM_TEST_ALONE";

/// What stands before its address.
const SERVING: &str = "serving ";

/// As [`report`], of a server in a process of its own: what it has in memory is nobody else's.
fn report_alone(args: &[&str]) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let mut child = Command::new(std::env::current_exe().expect("this one"))
        .args(["--exact", "a_server_of_its_own", "--nocapture"])
        .env(ALONE, &data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("run");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let address = |line: std::io::Result<String>| line.ok()?.split_once(SERVING)?.1.parse().ok();
    let server = lines.by_ref().find_map(address).expect("a server");
    let report = report_of(&data, server, child.id(), args);
    // It serves until its input ends, and then says how that went.
    drop(child.stdin.take());
    lines.for_each(drop);
    assert!(child.wait().expect("ended").success());
    report
}

/// What `tests/seatkeeper.sh` was asked to do, a word in each line.
const ARGS: &str = "SEATSWARM_TEST_ARGS";

/// The server that commands start: a script that is this program.
const SEATKEEPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seatkeeper.sh");

/// Tells [`SEATKEEPER`] which program that is.
fn this_program(command: &mut Command) -> &mut Command {
    command.env("SEATSWARM_TEST_PROGRAM", std::env::current_exe().expect("this one"))
}

/// Runs a command that starts servers itself, and reads its report.
fn report_started(args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatswarm"));
    let output = this_program(command.args(args).args(["--json", "--seatkeeper", SEATKEEPER])).output();
    let output = output.expect("run");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Not a test by itself: the server of [`report_alone`], and of [`report_started`].
#[test]
fn a_server_of_its_own() {
    if let Ok(args) = std::env::var(ARGS) {
        let cli = Cli::parse_from(std::iter::once("seatkeeper").chain(args.lines()));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        return runtime
            .expect("a runtime")
            .block_on(run(cli))
            .map(drop)
            .expect("a server that ends in good order");
    }
    let Some(data) = std::env::var_os(ALONE) else { return };
    println!("{SERVING}{}", serve(Path::new(&data), MANY_MACHINES));
    let ended = std::io::stdin().read_line(&mut String::new());
    assert_eq!(ended.expect("piped"), 0);
}

fn report_of(data: &Path, server: SocketAddr, pid: u32, args: &[&str]) -> Value {
    let (server, pid) = (server.to_string(), pid.to_string());
    let admin = data.join("admin.pem");
    let whom = [
        "--server",
        &server,
        "--admin",
        admin.to_str().expect("UTF-8"),
        "--pid",
        &pid,
    ];
    let (code, stdout, stderr) = swarm(&[args, &["--json"], &whom].concat());
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

#[test]
fn an_attack_is_lived_through_and_every_agent_is_served_on_both_sides() {
    let report = report("", &["attack", "drip-frame", "--secs", "1", "--runs", "1"]);
    let outcome = &report["attacks"][0];
    assert_eq!(outcome["attack"], "drip-frame");
    assert_eq!(outcome["floor_failures"], 0, "{outcome}");
    assert_eq!(outcome["server_failures"], Value::Object(serde_json::Map::new()));
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
    // As few machines as a server with its usual limits lets a host engage at once.
    let load = ["--connections", "5", "--depth", "2", "--machines", "20"];
    let dir = tempfile::tempdir().expect("a directory");
    let svg = dir.path().join("waits.svg");
    let times = ["--secs", "1", "--runs", "1", "--svg", svg.to_str().expect("UTF-8")];
    let report = report("", &[["steady"].as_slice(), &load, &times].concat());
    let drawn = std::fs::read_to_string(&svg).expect("a picture");
    assert!(drawn.contains("steady: a renewal") && drawn.contains("99%"), "{drawn}");
    assert_eq!(report["refused"], Value::Object(serde_json::Map::new()));
    for side in ["server", "floor"] {
        assert!(report[side]["count"].as_u64() > Some(20), "{side}: {report}");
    }
    assert!(report["ratio"].as_f64() > Some(0.0), "{report}");
    assert_eq!(report["lone_ratio"], Value::Null);
}

#[test]
fn a_mix_is_asked_of_both_sides_by_its_weights_and_nothing_of_it_is_refused() {
    let load = ["--connections", "5", "--depth", "3", "--machines", "20"];
    let mix = ["--mix", "renew=4,checkout=2,release=2,query=1,explain=1", "--seed", "9"];
    let times = ["--secs", "1", "--runs", "3"];
    let report = report(MANY_MACHINES, &[["steady"].as_slice(), &load, &mix, &times].concat());
    assert_eq!(report["refused"], Value::Object(serde_json::Map::new()));
    assert_eq!(
        (&report["seed"], &report["mix"]["renew"]),
        (&Value::from(9), &Value::from(4))
    );
    let kinds = report["kinds"].as_array().expect("kinds");
    let counts = |side: &str| {
        kinds
            .iter()
            .map(|kind| kind[side]["count"].as_u64().expect("a count"))
            .collect::<Vec<_>>()
    };
    let names: Vec<_> = kinds
        .iter()
        .map(|kind| kind["kind"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["renew", "checkout", "release", "query", "explain"]);
    for side in ["server", "floor"] {
        let (all, counts) = (report[side]["count"].as_u64().expect("a count"), counts(side));
        assert_eq!(counts.iter().sum::<u64>(), all, "{side}: {report}");
        assert!(all > 100, "{side}: {report}");
        // In each connection's order every kind is as often as its weight says; a run ends somewhere in it.
        for (count, weight) in counts.iter().zip([4, 2, 2, 1, 1]) {
            let share = all * weight / 10;
            assert!(count.abs_diff(share) < share / 2 + 50, "{side}: {counts:?}");
        }
        // Five connections, three runs: none is more than one checkout ahead, and three may be under way at the end of a run.
        assert!(counts[1].abs_diff(counts[2]) <= 5 + 5 * 3 * 3, "{side}: {counts:?}");
    }
    for kind in kinds {
        assert!(
            kind["server_rate"].as_f64() > Some(0.0) && kind["p99_ratio"].as_f64() > Some(0.0),
            "{kind}"
        );
    }
}

#[test]
fn a_mix_that_would_not_last_is_no_mix() {
    let (code, _, stderr) = swarm(&["steady", "--mix", "renew=80,checkout=5"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("have the same weight"), "{stderr}");
}

#[test]
fn ever_more_seats_are_measured_in_one_server() {
    let dir = tempfile::tempdir().expect("a directory");
    let svg = dir.path().join("growth.svg");
    let sizes = ["--least", "20", "--most", "1999", "--connections", "4", "--depth", "2"];
    let times = ["--secs", "1", "--runs", "1", "--svg", svg.to_str().expect("UTF-8")];
    let report = report(MANY_MACHINES, &[["growth"].as_slice(), &sizes, &times].concat());
    let steps = report["steps"].as_array().expect("steps");
    let sizes: Vec<_> = steps.iter().map(|step| step["machines"].as_u64()).collect();
    assert_eq!(sizes, [Some(20), Some(200)]);
    for step in steps {
        assert_eq!(step["refused"], Value::Object(serde_json::Map::new()));
        assert!(step["server"]["count"].as_u64() > Some(20), "{step}");
        for ratio in ["ratio", "rate_to_first", "ratio_to_first", "p99_to_first"] {
            assert!(step[ratio].as_f64() > Some(0.0), "{ratio}: {step}");
        }
        let pages = step["pages"].as_array().expect("pages");
        assert_eq!(pages.len(), 12, "{step}");
        assert!(pages.iter().all(|page| page["took"]["count"] == 200), "{step}");
        let operations = step["operations"].as_array().expect("operations");
        let names: Vec<_> = operations
            .iter()
            .map(|one| one["operation"].as_str().expect("a name"))
            .collect();
        assert_eq!(
            names,
            [
                "renew",
                "release",
                "checkout",
                "query",
                "explain",
                "end a seat",
                "the floor",
                "a bare sync"
            ]
        );
        for one in operations {
            assert_eq!(one["took"]["count"], 200, "{one}");
            assert!(one["p50_to_first"].as_f64() > Some(0.0), "{one}");
            for figure in ["cpu_to_first", "server_cpu_us"] {
                let is_told = one[figure].as_f64() > Some(0.0);
                let is_ours = !["the floor", "a bare sync"].contains(&one["operation"].as_str().expect("a name"));
                assert_eq!(is_told, is_ours, "{figure}: {one}");
            }
        }
    }
    assert_eq!(steps[0]["rate_to_first"].as_f64(), Some(1.0));
    assert_eq!(steps[0]["operations"][0]["p50_to_first"].as_f64(), Some(1.0));
    let drawn = std::fs::read_to_string(&svg).expect("a picture");
    assert!(drawn.contains("renewals a second"), "{drawn}");
}

#[test]
fn machines_that_start_at_once_are_all_served() {
    let dir = tempfile::tempdir().expect("a directory");
    let svg = dir.path().join("storm.svg");
    let args = ["storm", "--machines", "200", "--open", "64", "--runs", "3", "--svg"];
    let report = report(
        MANY_MACHINES,
        &[args.as_slice(), &[svg.to_str().expect("UTF-8")]].concat(),
    );
    for (what, expected) in [("lost", 0), ("floor_lost", 0)] {
        assert_eq!(report[what].as_u64(), Some(expected), "{report}");
    }
    for what in ["put_off", "failed", "floor_failed"] {
        assert_eq!(report[what], Value::Object(serde_json::Map::new()), "{what}");
    }
    for from in ["waited", "served"] {
        for side in ["server", "floor"] {
            assert_eq!(
                report[from][side]["count"].as_u64(),
                Some(600),
                "{from} {side}: {report}"
            );
        }
    }
    assert!(
        report["ratio"].as_f64() > Some(0.0) && report["cpu_ratio"].as_f64() > Some(0.0),
        "{report}"
    );
    // All are due at once, and a few are connected at a time: most have waited for longer than they were served.
    let p50 = |from: &str| report[from]["server"]["p50_us"].as_u64();
    assert!(p50("waited") > p50("served"), "{report}");
    let drawn = std::fs::read_to_string(&svg).expect("a picture");
    assert!(drawn.contains("storm: a start"), "{drawn}");
}

#[test]
fn machines_come_at_the_pace_that_was_asked_for() {
    let args = ["storm", "--machines", "50", "--runs", "1", "--fresh", "--rate", "50"];
    let report = report(MANY_MACHINES, &args);
    assert_eq!(
        (report["lost"].as_u64(), report["rate"].as_u64()),
        (Some(0), Some(50)),
        "{report}"
    );
    for side in ["server_rate", "floor_rate"] {
        let rate = report["runs"][0][side].as_f64().expect("a rate");
        assert!(rate < 52.0, "{side}: {report}");
    }
}

#[test]
fn questions_within_the_limits_are_all_answered_on_both_sides() {
    let args = [
        "discover",
        "--sockets",
        "4",
        "--rate",
        "200",
        "--secs",
        "1",
        "--runs",
        "1",
    ];
    let report = report("", &args);
    for (what, side) in [("unanswered", "server"), ("floor_unanswered", "floor")] {
        assert_eq!(report[what].as_u64(), Some(0), "{report}");
        let count = report["waited"][side]["count"].as_u64();
        assert!(count >= Some(196), "{side}: {report}");
    }
    assert!(report["cpu_ratio"].as_f64() > Some(0.0), "{report}");
}

#[test]
fn what_a_connection_takes_is_seen_and_all_of_them_were_open() {
    let report = report_alone(&["hold", "--connections", "150"]);
    assert_eq!(report["still_served"].as_u64(), Some(150), "{report}");
    for side in ["server", "floor"] {
        let held = &report[side];
        assert!(held["open"].as_u64() > held["before"].as_u64(), "{side}: {held}");
        assert!(held["per_connection"].as_u64() > Some(500), "{side}: {held}");
    }
    assert!(report["ratio"].as_f64() > Some(0.0), "{report}");
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
