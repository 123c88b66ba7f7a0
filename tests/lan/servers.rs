//! Two servers, one, none.

use seatkeeper::clock::monotonic;
use seatkeeper::domain::time::Monotonic;

use crate::lab::{Host, Lab};
use crate::process::{Output, signal};
use crate::shop::{Shop, listed, used};

/// How long an agent may take when nobody answers, in milliseconds: ten times its deadline of three seconds, since the
/// machine may be busy.
const WATCHDOG_MS: u64 = 30_000;

#[track_caller]
fn in_time(since: Monotonic, told: Output) -> Output {
    let took = monotonic().millis_since(since);
    assert!(took < WATCHDOG_MS, "{took} ms: {told:?}");
    told
}

pub(crate) fn two_servers() {
    let lab = Lab::new();
    let [one, two, agent] = ["one", "two", "agent"].map(|name| lab.host(name));
    let _switch = lab.switch(&[(&one, "10.77.7.1/24"), (&two, "10.77.7.2/24"), (&agent, "10.77.7.3/24")]);
    let shop = Shop::new(&lab);
    let first = shop.server(&one, &[(1, "BKSRV", 10)]);
    let second = shop.server(&two, &[(2, "BKSRV", 10)]);
    let mut both = vec![first.fingerprint.clone(), second.fingerprint.clone()];
    both.sort();
    assert_eq!(listed(&agent), both);

    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!(used(&one) + used(&two), 1);
    let [(own, own_host), (other, other_host)] = if used(&one) == 1 {
        [(first, &one), (second, &two)]
    } else {
        [(second, &two), (first, &one)]
    };
    for _ in 0..3 {
        shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    }
    assert_eq!((used(own_host), used(other_host)), (1, 0));

    own.stop();
    let since = monotonic();
    let told = in_time(since, shop.agent(&agent, 1, "checkout", "agent", &[])).failed_with(3);
    assert!(
        told.stderr.contains(&other.fingerprint),
        "the other server is told of, not asked: {told:?}"
    );
    assert_eq!(used(other_host), 0);
    let _own = own_host.serve(&[]);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!((used(own_host), used(other_host)), (1, 0));
}

pub(crate) fn the_one_with_the_product() {
    let lab = Lab::new();
    let [without, with, agent] = ["without", "with", "agent"].map(|name| lab.host(name));
    let _switch = lab.switch(&[
        (&without, "10.77.8.1/24"),
        (&with, "10.77.8.2/24"),
        (&agent, "10.77.8.3/24"),
    ]);
    let shop = Shop::new(&lab);
    let _without = shop.server(&without, &[(1, "PRIV", 10)]);
    let _with = shop.server(&with, &[(2, "BKSRV", 10)]);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!((used(&without), used(&with)), (0, 1));
}

#[track_caller]
fn ends_without_server(shop: &Shop, agent: &Host) {
    let since = monotonic();
    let told = in_time(since, shop.agent(agent, 1, "checkout", "agent", &[])).failed_with(3);
    let text = told.stderr.to_lowercase();
    assert!(text.contains("invalid license"), "{told:?}");
}

pub(crate) fn no_server() {
    let lab = Lab::new();
    let [agent, neighbor] = ["agent", "neighbor"].map(|name| lab.host(name));
    Lab::link((&agent, "eth0"), (&neighbor, "eth0"));
    agent.address("eth0", "10.77.9.1/24");
    neighbor.address("eth0", "10.77.9.2/24");
    let shop = Shop::new(&lab);
    ends_without_server(&shop, &agent);
    let none = agent.seatkeeper(["list", "--json"]).failed_with(3);
    assert_eq!(none.stdout.trim(), "[]");
    // Nor where there is no network at all.
    let island = lab.host("island");
    ends_without_server(&shop, &island);
    island.ip(&["link", "set", "lo", "down"]);
    for told in [
        island.seatkeeper(["list", "--timeout", "600"]),
        island.seatkeeper(["status", "--timeout", "600"]),
        shop.agent(&island, 1, "checkout", "agent", &["--timeout", "600"]),
    ] {
        let told = told.failed_with(3);
        assert!(told.stderr.contains("no network interface is up"), "{told:?}");
    }
}

pub(crate) fn silent_server() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    Lab::link((&agent, "eth0"), (&server, "eth0"));
    agent.address("eth0", "10.77.10.1/24");
    server.address("eth0", "10.77.10.2/24");
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    // Stopped, it takes connections and answers none: the kernel does the taking.
    signal(running.pid(), "STOP");
    ends_without_server(&shop, &agent);
    // Neither does a network whose other end is gone.
    server.ip(&["link", "set", "eth0", "down"]);
    ends_without_server(&shop, &agent);
    signal(running.pid(), "CONT");
    server.ip(&["link", "set", "eth0", "up"]);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!(used(&server), 1);
}
