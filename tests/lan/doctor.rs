//! `seatprobe doctor` on networks where something is wrong.

use std::path::{Path, PathBuf};

use seatkeeper::clock::monotonic;
use serde_json::Value;

use crate::finding::route;
use crate::lab::{Host, Lab};
use crate::process::{Output, SEATKEEPER, SITE_FILE, STATE_DIR, ServerProcess, finish};
use crate::shop::Shop;
use crate::wire::mac;

/// What a report may take, in milliseconds: the machine may be busy, so twice what it is made to last at most.
const IN_TIME_MS: u64 = 20_000;

fn program() -> PathBuf {
    Path::new(SEATKEEPER).with_file_name("seatprobe")
}

/// Whether the program is there: only a build of the whole workspace makes it.
pub(crate) fn built() -> Result<(), String> {
    if program().exists() {
        return Ok(());
    }
    Err(format!(
        "there is no {}; cargo test --workspace makes it",
        program().display()
    ))
}

/// Runs `doctor` on a host, for the machine with the first MAC address and with the state of its agents.
#[track_caller]
fn run(host: &Host, args: &[&str]) -> Output {
    let of_machine = mac(1).map(|byte| format!("{byte:02x}")).join(":");
    let mut doctor = host.command(program());
    doctor.args(["doctor", "--json", "--mac", &of_machine]).args(args);
    doctor.env(STATE_DIR, host.data().with_file_name("agent"));
    if host.site_file().exists() {
        doctor.env(SITE_FILE, host.site_file());
    }
    let since = monotonic();
    let told = finish(&mut doctor);
    let took = monotonic().millis_since(since);
    assert!(took < IN_TIME_MS, "{took} ms: {told:?}");
    told
}

#[track_caller]
fn report(told: &Output) -> Value {
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {told:?}"))
}

/// Checks the exit code, and that this is the root cause.
#[track_caller]
fn fails(told: &Output, code: i32, check: &str, cause: &str) -> Value {
    let report = report(told);
    assert_eq!(report["root_cause"]["check"], check, "{report:#}");
    let text = report["root_cause"]["cause"].as_str().unwrap();
    assert!(text.contains(cause), "{report:#}");
    assert_eq!(told.code, Some(code), "{report:#}");
    report
}

/// Checks that nothing fails and this is warned of.
#[track_caller]
fn warns(told: &Output, check: &str, cause: &str) -> Value {
    let report = report(told);
    assert_eq!(
        (told.code, &report["root_cause"]),
        (Some(0), &Value::Null),
        "{report:#}"
    );
    let mut findings = report["findings"].as_array().unwrap().iter();
    let warned = |one: &Value| {
        one["check"] == check && one["verdict"] == "warn" && one["cause"].as_str().unwrap().contains(cause)
    };
    assert!(findings.any(warned), "{report:#}");
    report
}

/// How each way on which everybody was asked is judged.
fn paths(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let paths = findings.filter(|one| one["check"] == "path");
    paths.map(|one| (text(&one["about"]), text(&one["verdict"]))).collect()
}

pub(crate) fn nothing_listens() {
    let lab = Lab::new();
    let [empty, desk] = ["empty", "desk"].map(|name| lab.host(name));
    let _switch = lab.switch(&[(&empty, "10.77.21.1/24"), (&desk, "10.77.21.2/24")]);
    fails(&run(&desk, &[]), 3, "discovery", "no license server answered");
    fails(
        &run(&desk, &["--server", "10.77.21.1"]),
        3,
        "tcp",
        "nothing listens on TCP port 17328",
    );
    fails(&run(&desk, &["--server", "10.77.21.9"]), 3, "tcp", "");
    // Nor is there a network at all.
    let lone = lab.host("lone");
    fails(&run(&lone, &[]), 3, "interfaces", "no network interface");
}

/// Has what a server says from its port get lost, over one transport. What it sends out of an interface that it names, as
/// it does offers over IPv4, no rule of its own keeps back: those are lost where they arrive.
fn lose((server, address): (&Host, &str), desk: &Host, transport: &str) {
    let lost = ["ipproto", transport, "sport", "17328", "blackhole"];
    for family in ["-4", "-6"] {
        server.ip(&[&[family, "rule", "add", "pref", "10"][..], &lost].concat());
    }
    if transport == "udp" {
        // What is for the host itself is looked up first of all, unless that is put off.
        desk.ip(&["rule", "add", "pref", "100", "lookup", "local"]);
        desk.ip(&["rule", "del", "pref", "0"]);
        desk.ip(&[&["rule", "add", "pref", "10", "from", address][..], &lost].concat());
    }
}

pub(crate) fn firewalls() {
    let lab = Lab::new();
    let [without_tcp, without_udp, desk] = ["without-tcp", "without-udp", "desk"].map(|name| lab.host(name));
    let _switch = lab.switch(&[
        (&without_tcp, "10.77.22.1/24"),
        (&without_udp, "10.77.22.2/24"),
        (&desk, "10.77.22.3/24"),
    ]);
    let shop = Shop::new(&lab);
    let _running = [&without_tcp, &without_udp].map(|host| shop.server(host, &[(1, "BKSRV", 10)]));
    lose((&without_tcp, "10.77.22.1"), &desk, "tcp");
    lose((&without_udp, "10.77.22.2"), &desk, "udp");
    let report = fails(
        &run(&desk, &[]),
        3,
        "tcp",
        "UDP is answered and TCP port 17328 is silent",
    );
    let way = |kind: &str, verdict: &str| (format!("{kind} on eth0"), verdict.to_owned());
    for kind in ["directed broadcast", "limited broadcast", "IPv4 multicast"] {
        assert!(paths(&report).contains(&way(kind, "pass")), "{report:#}");
    }
    let named = ["--server", "10.77.22.2", "--product", "BKSRV"];
    warns(&run(&desk, &named), "udp", "TCP is open and UDP is silent");
}

/// How each path of the search is judged.
fn searched(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let ways = findings.filter(|one| one["check"] == "way");
    ways.map(|one| (text(&one["about"]), text(&one["verdict"]))).collect()
}

pub(crate) fn beyond_a_router() {
    let lab = Lab::new();
    let [server, router, desk] = ["server", "router", "desk"].map(|name| lab.host(name));
    route(&router, (&server, "10.77.26"), (&desk, "10.77.27"));
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    // Nobody has told this machine.
    let told = fails(
        &run(&desk, &["--product", "BKSRV"]),
        3,
        "discovery",
        "no license server answered",
    );
    assert!(
        searched(&told).contains(&("this network".to_owned(), "warn".to_owned())),
        "{told:#}"
    );

    // Its site file leads there, beside a server that is dead and a line that is wrong.
    std::fs::write(desk.site_file(), "server 10.77.26.9\nserver 10.77.26.2\nservre x\n").unwrap();
    let told = warns(
        &run(&desk, &["--product", "BKSRV"]),
        "site",
        "site:3: 'servre' is no setting",
    );
    let line = |about: &str, verdict: &str| (about.to_owned(), verdict.to_owned());
    let [remembered, servers, lan] = [
        line("remembered addresses", "pass"),
        line("named servers", "pass"),
        line("this network", "warn"),
    ];
    assert_eq!(searched(&told)[..3], [remembered, servers, lan], "{told:#}");
    assert!(told.to_string().contains("takes connections"), "{told:#}");

    // Switched off, the file's server is not asked; and a name that nobody knows is the cause.
    std::fs::write(desk.site_file(), "server 10.77.26.2\npaths lan\n").unwrap();
    let told = fails(&run(&desk, &[]), 3, "discovery", "no license server answered");
    assert!(told.to_string().contains("switched off for this machine"), "{told:#}");
    std::fs::write(desk.site_file(), "server license.invalid\n").unwrap();
    fails(&run(&desk, &[]), 3, "way", "license.invalid");

    // The server that the file names is off.
    std::fs::write(desk.site_file(), "server 10.77.26.2\n").unwrap();
    running.stop();
    fails(&run(&desk, &[]), 3, "tcp", "nothing listens on TCP port 17328");
}

pub(crate) fn rogue() {
    let lab = Lab::new();
    let [own, rogue, desk] = ["office", "rogue", "desk"].map(|name| lab.host(name));
    let _switch = lab.switch(&[
        (&own, "10.77.23.1/24"),
        (&rogue, "10.77.23.2/24"),
        (&desk, "10.77.23.3/24"),
    ]);
    let shop = Shop::new(&lab);
    let running = shop.server(&own, &[(1, "BKSRV", 10)]);
    shop.agent(&desk, 1, "checkout", "agent", &[]).ok();
    let told = run(&desk, &["--product", "BKSRV"]);
    assert_eq!(told.code, Some(0), "{:#}", report(&told));
    // Another one of the same name.
    let mut serve = rogue.command(SEATKEEPER);
    serve.args(["serve", "--name", "office", "--data"]).arg(rogue.data());
    let _rogue = ServerProcess::of(&mut serve, &rogue.data());
    let both = run(&desk, &["--product", "BKSRV"]);
    warns(&both, "names", "2 servers call themselves so");
    warns(
        &both,
        "pin",
        "is not the server that the components of this machine trust",
    );
    running.stop();
    let alone = run(&desk, &["--product", "BKSRV"]);
    let report = fails(
        &alone,
        3,
        "pin",
        "is not the server that the components of this machine trust",
    );
    assert!(
        report["root_cause"]["remedy"]
            .as_str()
            .unwrap()
            .contains("seatkeeper agent trust")
    );
}

pub(crate) fn rules() {
    let lab = Lab::new();
    let [server, desk, other] = ["office", "desk", "other"].map(|name| lab.host(name));
    let _switch = lab.switch(&[
        (&server, "10.77.24.1/24"),
        (&desk, "10.77.24.2/24"),
        (&other, "10.77.24.3/24"),
    ]);
    let shop = Shop::new(&lab);
    let _running = shop.server(&server, &[(1, "BKSRV", 1)]);
    fails(
        &run(&desk, &["--product", "NOTHING"]),
        4,
        "product",
        "NOTHING is unknown here",
    );
    let free = run(&desk, &["--product", "BKSRV"]);
    assert_eq!(free.code, Some(0), "{:#}", report(&free));

    // The only seat is another machine's.
    shop.agent(&other, 2, "checkout", "agent", &[]).ok();
    let none = "no seat of BKSRV is free: all 1 are in use";
    fails(&run(&desk, &["--product", "BKSRV"]), 4, "seats", none);
    let admin = server.data().join("admin.pem");
    let as_admin = ["--product", "BKSRV", "--identity", admin.to_str().unwrap()];
    let told = fails(&run(&desk, &as_admin), 4, "seats", none);
    let cause = told["root_cause"]["cause"].as_str().unwrap();
    assert!(cause.contains("the next one is free from 20"), "{told:#}");
    // Nothing was engaged by asking.
    assert_eq!(crate::shop::used(&server), 1);

    // It is this machine's, and a copy of it is at work.
    shop.agent(&other, 2, "release", "agent", &[]).ok();
    for host in [&desk, &other, &desk] {
        shop.agent(host, 1, "checkout", "agent", &[]).ok();
    }
    let told = warns(
        &run(&desk, &as_admin),
        "conflict",
        "a conflict stands on this machine's address (agent)",
    );
    assert!(
        told.to_string().contains("this machine has a seat of BKSRV"),
        "{told:#}"
    );
}

pub(crate) fn enrolment() {
    let lab = Lab::new();
    let [server, desk] = ["office", "desk"].map(|name| lab.host(name));
    let _switch = lab.switch(&[(&server, "10.77.25.1/24"), (&desk, "10.77.25.2/24")]);
    let shop = Shop::new(&lab);
    let config = lab.dir().join("seatkeeper.toml");
    std::fs::write(&config, "enrol = \"token\"\n").unwrap();
    let _running = shop.server_with(&server, &[(1, "BKSRV", 5)], &["--config", config.to_str().unwrap()]);
    let product = ["--product", "BKSRV"];
    warns(&run(&desk, &product), "enrolment", "a component that is new is refused");
    // It asked once, and so it has an identity.
    shop.agent(&desk, 1, "checkout", "agent", &[]).failed_with(4);
    fails(
        &run(&desk, &product),
        5,
        "enrolment",
        "BKSRV agent of this machine is not enrolled",
    );
    let token = server.admin(["enrol", "token", "--json"]).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    shop.agent(&desk, 1, "enrol", "agent", &[&token]).ok();
    shop.agent(&desk, 1, "checkout", "agent", &[]).ok();
    let told = run(&desk, &product);
    assert_eq!(told.code, Some(0), "{:#}", report(&told));
}

pub(crate) fn listening() {
    let lab = Lab::new();
    let [server, desk] = ["office", "desk"].map(|name| lab.host(name));
    let _switch = lab.switch(&[(&server, "10.77.26.1/24"), (&desk, "10.77.26.2/24")]);
    let shop = Shop::new(&lab);
    let _running = shop.server(&server, &[(1, "BKSRV", 5)]);
    // Beside a server, which shares its port with nobody.
    let mut listen = server.command(program());
    let listening = listen.args(["listen", "--for", "6", "--json"]).spawn().unwrap();
    shop.agent(&desk, 1, "checkout", "agent", &[]).ok();
    // The one may have come before the other listened.
    desk.seatkeeper(["list"]).ok();
    let told = crate::process::wait(listening).json();
    assert_eq!(told["everything"], true, "{told:#}");
    let heard = told["heard"].as_array().unwrap();
    let is = |one: &Value, what: &str, key: &str, with: &str| {
        one["what"] == what && one[key].as_str().is_some_and(|address| address.starts_with(with))
    };
    assert!(
        heard.iter().any(|one| is(one, "question", "from", "10.77.26.2:")),
        "{told:#}"
    );
    let mut offers = heard.iter().filter(|one| is(one, "offer", "to", "10.77.26.2:"));
    assert!(
        offers.any(|one| one["name"] == "office" && one["answer_micros"].is_u64()),
        "{told:#}"
    );
}
