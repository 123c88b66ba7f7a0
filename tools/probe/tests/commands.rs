//! Runs the real `seatprobe` against a real server in this process.

mod server;

use std::process::{Command, Output};

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use server::{HOUR_SECS, Server};

async fn seatprobe(args: &[&str]) -> Output {
    tokio::process::Command::from(Command::new(env!("CARGO_BIN_EXE_seatprobe")))
        .args(args)
        .env_remove("SEATKEEPER_PORT")
        .output()
        .await
        .expect("seatprobe starts")
}

/// Runs a command that must exit with `code`, and returns its JSON.
async fn json(args: &[&str], code: i32) -> Value {
    let output = seatprobe(&[&["--json"], args].concat()).await;
    let (out, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{said}");
    serde_json::from_str(&out).expect("JSON")
}

fn outcomes(report: &Value) -> Vec<&str> {
    let steps = report["steps"].as_array().expect("steps");
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["step"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["udp", "tcp", "tls", "hello", "query"]);
    steps
        .iter()
        .map(|step| step["outcome"].as_str().expect("an outcome"))
        .collect()
}

fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut steps = report["steps"].as_array().expect("steps").iter();
    steps.find(|step| step["step"] == name).expect("the step")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_shows_each_path_on_which_the_server_answers() {
    let server = Server::start("office");
    let report = json(&["scan", "--port", &server.port(), "--timeout", "1"], 0).await;
    let offers = report["offers"].as_array().expect("offers");
    assert!(offers.len() >= 2, "lo alone has two paths: {report}");
    let mut ways: Vec<_> = offers
        .iter()
        .map(|one| {
            (
                one["interface"].to_string(),
                one["path"].to_string(),
                one["address"].to_string(),
            )
        })
        .collect();
    assert!(ways.contains(&(
        "\"lo\"".to_owned(),
        "\"directed_broadcast\"".to_owned(),
        format!("\"127.0.0.1:{}\"", server.port())
    )));
    ways.sort();
    ways.dedup();
    assert_eq!(ways.len(), offers.len(), "no path twice: {report}");
    for offer in offers {
        assert_eq!(offer["name"], "office");
        assert_eq!(offer["fingerprint"], server.fingerprint());
        assert_eq!(offer["server"], server.id());
        assert_eq!((&offer["protocol_min"], &offer["protocol_max"]), (&1.into(), &1.into()));
        assert!(offer["round_trip_micros"].as_u64().is_some_and(|micros| micros > 0));
        assert!(
            offer["skew_secs"].as_i64().is_some_and(|skew| skew.abs() <= 2),
            "{offer}"
        );
    }
    assert_eq!(report["warnings"], Value::Array(Vec::new()));
}

// proves T3
#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_clock_is_ahead_is_shown_with_its_skew_and_a_warning() {
    let server = Server::start_ahead("office", HOUR_SECS);
    let hour = i64::try_from(HOUR_SECS).expect("an hour");
    let near = |skew: &Value| skew.as_i64().is_some_and(|skew| (skew - hour).abs() <= 5);
    let scanned = json(&["scan", "--port", &server.port(), "--timeout", "1"], 0).await;
    assert!(near(&scanned["offers"][0]["skew_secs"]), "{scanned}");
    assert_eq!(scanned["warnings"][0]["code"], "clock_skew");
    let pinged = json(&["ping", &server.address()], 0).await;
    assert!(near(&pinged["server"]["skew_secs"]), "{pinged}");
    assert_eq!(pinged["warnings"][0]["code"], "clock_skew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_for_people_shows_a_server_once() {
    let server = Server::start("office");
    let output = seatprobe(&["scan", "--port", &server.port(), "--timeout", "1"]).await;
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.matches(&server.fingerprint()).count(), 1, "{text}");
    assert!(
        text.contains("directed broadcast") && text.contains("IPv4 multicast"),
        "{text}"
    );
    assert!(!text.contains("WARNING"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_finds_nothing_says_what_to_check() {
    let (udp, port) = server::silent_port();
    let output = seatprobe(&["scan", "--port", &port.to_string(), "--timeout", "1"]).await;
    drop(udp);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(3), "{said}");
    for hint in [
        "seatkeeper status",
        "SEATKEEPER_PORT",
        "firewall",
        "router",
        "seatprobe ping",
    ] {
        assert!(said.contains(hint), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_of_a_server_goes_all_the_way() {
    let server = Server::start("office");
    let report = json(&["ping", &server.address()], 0).await;
    assert_eq!(outcomes(&report), ["good"; 5], "{report}");
    let greeting = &report["server"];
    assert_eq!(greeting["name"], "office");
    assert_eq!(greeting["role"], "agent");
    assert_eq!(greeting["protocol"], 1);
    assert_eq!(greeting["fingerprint"], server.fingerprint());
    assert_eq!(greeting["server"], server.id());
    for name in ["udp", "tcp", "tls", "hello", "query"] {
        assert!(
            step(&report, name)["micros"].as_u64().is_some_and(|micros| micros > 0),
            "{report}"
        );
    }
    let told = step(&report, "query")["text"].as_str().expect("text");
    assert!(told.contains("UNKNOWN_PRODUCT"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_told_the_status() {
    let server = Server::start("office");
    let report = json(&["ping", &server.address(), "--identity", &server.administrator()], 0).await;
    assert_eq!(report["server"]["role"], "administrator");
    let told = step(&report, "query")["text"].as_str().expect("text");
    assert!(told.starts_with("STATUS: 1 products, 0 licenses"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_asked_for_by_id_and_vendor() {
    let server = Server::start("office");
    let (address, key) = (server.address(), server.vendor_key());
    let known = json(&["ping", &address, "--product", "bksrv", "--vendor-key", &key], 0).await;
    let told = step(&known, "query")["text"].as_str().expect("text");
    assert_eq!(told, "AVAILABILITY of BKSRV: 0 seats, 0 used, 0 available");

    let unknown = json(&["ping", &address, "--product", "NOTHING"], 1).await;
    assert_eq!(
        outcomes(&unknown),
        ["good", "good", "good", "good", "failed"],
        "{unknown}"
    );
    assert!(
        step(&unknown, "query")["text"]
            .as_str()
            .expect("text")
            .contains("UNKNOWN_PRODUCT")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_udp_the_other_steps_are_gone_all_the_same() {
    let server = Server::start_without_udp("office");
    let report = json(&["ping", &server.address(), "--timeout", "1"], 1).await;
    assert_eq!(
        outcomes(&report),
        ["failed", "good", "good", "good", "good"],
        "{report}"
    );
    assert!(
        step(&report, "udp")["meaning"]
            .as_str()
            .expect("a meaning")
            .contains("firewall")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_on_the_port_fails_at_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // Closes as soon as it hears something that it does not understand.
        stream.read_u8().await.expect("the client speaks first");
    });
    let report = json(&["ping", &address, "--timeout", "1"], 1).await;
    other.await.expect("no panic");
    assert_eq!(
        outcomes(&report),
        ["failed", "good", "failed", "skipped", "skipped"],
        "{report}"
    );
    assert_eq!(report["server"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_of_nothing_exits_with_3_within_its_time() {
    let (udp, port) = server::silent_port();
    let report = json(&["ping", &format!("127.0.0.1:{port}"), "--timeout", "1"], 3).await;
    drop(udp);
    assert_eq!(
        outcomes(&report),
        ["failed", "failed", "skipped", "skipped", "skipped"],
        "{report}"
    );
    let meaning = step(&report, "tcp")["meaning"].as_str().expect("a meaning");
    assert!(meaning.contains("nothing listens"), "{meaning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_exits_with_2() {
    for args in [
        &["ping"][..],
        &["ping", "host:0"],
        &["ping", "127.0.0.1", "--product", "no such id"],
        &["ping", "127.0.0.1", "--vendor-key", "vendor.pub"],
        &["scan", "--port", "0"],
        &["scan", "--timeout", "0"],
    ] {
        assert_eq!(seatprobe(args).await.status.code(), Some(2), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_named_and_json_tells_it_too() {
    let told = json(&["ping", "127.0.0.1", "--identity", "/nowhere/me.pem"], 1).await;
    assert!(
        told["error"]["message"]
            .as_str()
            .expect("an error")
            .contains("/nowhere/me.pem"),
        "{told}"
    );
    assert_eq!(told["error"]["exit_code"], 1);
    let args = [
        "ping",
        "127.0.0.1",
        "--product",
        "X",
        "--vendor-key",
        "/nowhere/vendor.pub",
    ];
    let told = json(&args, 1).await;
    assert!(
        told["error"]["message"]
            .as_str()
            .expect("an error")
            .contains("/nowhere/vendor.pub"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_scripts_name_the_commands() {
    for shell in ["bash", "fish", "zsh"] {
        let output = seatprobe(&["completions", shell]).await;
        let script = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(script.contains("scan") && script.contains("ping"), "{shell}: {script}");
    }
}
