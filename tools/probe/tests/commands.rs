//! Runs the real `seatprobe` against a real server in this process.

mod doctor;
mod server;

use std::process::{Command, Output};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use server::{HOUR_SECS, Server};

async fn seatprobe(args: &[&str]) -> Output {
    tokio::process::Command::from(Command::new(env!("CARGO_BIN_EXE_seatprobe")))
        .args(args)
        .env_remove("SEATKEEPER_PORT")
        .env_remove("SEATKEEPER_MAC")
        .env("SEATKEEPER_STATE_DIR", "/nowhere")
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
async fn a_server_refuses_every_rejected_vector_and_stands() {
    let server = Server::start("office");
    let report = json(&["vectors", &server.address()], 0).await;
    assert_eq!((&report["stands"], &report["fault"]), (&true.into(), &Value::Null));
    let played = report["played"].as_array().expect("vectors");
    assert!(played.len() > 90, "{report:#}");
    assert!(played.iter().all(|one| one["good"] == true), "{report:#}");
    let of = |name: &str| played.iter().find(|one| one["vector"] == name).expect("played");
    assert_eq!(of("hello_without_versions")["text"], "MALFORMED");
    assert_eq!(of("frame_unknown_opcode")["text"], "UNSUPPORTED");
    assert_eq!(of("frame_cut")["outcome"], "silent");
    assert_eq!(of("question_padding")["transport"], "udp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_plays_nothing() {
    let (udp, port) = server::silent_port();
    let told = json(&["vectors", &format!("127.0.0.1:{port}"), "--timeout", "1"], 3).await;
    drop(udp);
    assert_eq!(told["error"]["exit_code"], 3, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_latency_seats_and_refusals_of_the_server_that_is_there() {
    let server = Server::start("office");
    let (port, admin) = (server.port(), server.administrator());
    let args = [
        "watch",
        "--port",
        &port,
        "--product",
        "BKSRV",
        "--identity",
        &admin,
        "--rounds",
        "2",
        "--every",
        "1",
    ];
    let report = json(&args, 0).await;
    assert_eq!(report["rounds"], 2, "{report:#}");
    let seen = &report["servers"][0];
    assert_eq!(
        (&seen["name"], &seen["total"], &seen["refused"]),
        (&"office".into(), &0.into(), &0.into()),
        "{report:#}"
    );
    assert!(
        seen["answer_micros"].as_u64().is_some_and(|micros| micros > 0),
        "{report:#}"
    );
    assert_eq!(report["events"].as_array().map(Vec::len), Some(1), "{report:#}");
    // Nor does it refuse anything to those that watch and name no product.
    let args = [
        "watch",
        "--port",
        &port,
        "--identity",
        &admin,
        "--rounds",
        "2",
        "--every",
        "1",
    ];
    let report = json(&args, 0).await;
    assert_eq!(report["servers"][0]["refused"], 0, "{report:#}");
    let drawn = seatprobe(&["watch", "--port", &port, "--rounds", "1", "--every", "1"]).await;
    let text = String::from_utf8(drawn.stdout).expect("UTF-8");
    assert!(
        text.contains("office is there at") && text.contains("told to viewers"),
        "{text}"
    );
}

/// A vector of the specification.
fn vector(name: &str) -> String {
    format!("{}/../../proto-spec/vectors/v1/{name}.hex", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_or_digits_are_decoded_and_what_is_refused_says_why() {
    let sound = json(&["decode", &vector("accept/offer_holds")], 0).await;
    let unit = &sound["units"][0];
    assert_eq!((&unit["what"], &unit["fault"]), (&"offer".into(), &Value::Null));
    let refused = json(&["decode", &vector("reject/hello_without_versions")], 1).await;
    assert_eq!(refused["units"][0]["fault"], "Hello.version_max is missing");
    assert_eq!(refused["units"][0]["message"], "Hello");
    let typed = seatprobe(&["decode", "0000", "0000:0020", "0000 00000001"]).await;
    assert_eq!(typed.status.code(), Some(0), "{typed:?}");
    assert!(String::from_utf8_lossy(&typed.stdout).contains("STATUS"), "{typed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_exits_with_2() {
    for args in [
        &["ping"][..],
        &["ping", "host:0"],
        &["ping", "127.0.0.1", "--product", "no such id"],
        &["ping", "127.0.0.1", "--vendor-key", "vendor.pub"],
        &["scan", "--port", "0"],
        &["doctor", "--port", "0"],
        &["decode", "no digits"],
        &["decode"],
        &["doctor", "--vendor-key", "vendor.pub"],
        &["doctor", "--mac", "00:1a:2b:3c:00:01", "--interface", "eth0"],
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
        assert!(
            script.contains("scan") && script.contains("ping") && script.contains("doctor"),
            "{shell}: {script}"
        );
    }
}
