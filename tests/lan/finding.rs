//! Servers that no question to everybody reaches: behind a router, on networks that pass no broadcasts, on one link of many.

use seatkeeper::clock::monotonic;

use crate::lab::{Host, Lab};
use crate::process::{Output, SEATKEEPER, SITE_FILE, STATE_HOME, finish};
use crate::shop::{Shop, listed, lists_only, used};

/// A host that passes packets on between `eth0` of one and `eth0` of the other.
fn route(router: &Host, (one, one_net): (&Host, &str), (other, other_net): (&Host, &str)) {
    Lab::link((router, "eth0"), (one, "eth0"));
    Lab::link((router, "eth1"), (other, "eth0"));
    for (port, host, net) in [("eth0", one, one_net), ("eth1", other, other_net)] {
        router.address(port, &format!("{net}.1/24"));
        host.address("eth0", &format!("{net}.2/24"));
        host.ip(&["route", "add", "default", "via", &format!("{net}.1")]);
    }
    let forward = finish(
        router
            .command("sh")
            .args(["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]),
    );
    assert_eq!(forward.code, Some(0), "{forward:?}");
}

/// Runs an administrator's command on `host`, with the identity of the administrator of `server`. Where the server is, it
/// must find out: from the host's site file, these variables or the arguments.
#[track_caller]
fn administer(host: &Host, server: &Host, variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut run = host.command(SEATKEEPER);
    run.args(args).arg("--identity").arg(server.data().join("admin.pem"));
    // What is remembered of servers is this host's own: every lab has the same addresses.
    run.env(STATE_HOME, host.site_file().with_file_name("user"));
    if host.site_file().exists() {
        run.env(SITE_FILE, host.site_file());
    }
    finish(run.envs(variables.iter().copied()))
}

pub(crate) fn behind_a_router() {
    let lab = Lab::new();
    let [server, router, agent] = ["server", "router", "agent"].map(|name| lab.host(name));
    route(&router, (&server, "10.77.21"), (&agent, "10.77.22"));
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 20)]);

    // Nobody has told it: each path says what came of it.
    let alone = shop.agent(&agent, 1, "checkout", "agent", &[]).failed_with(3);
    for told in [
        "remembered addresses: none yet",
        "named servers: none is named",
        "this network: nobody answered (lo, eth0)",
    ] {
        assert!(alone.stderr.contains(told), "{told}: {alone:?}");
    }
    agent.seatkeeper(["list"]).failed_with(3);

    // The site's file, in which a server is dead and a line is wrong.
    let file = "# deployed\nserver 10.77.21.9\nserver 10.77.21.2\nservre x\n";
    std::fs::write(agent.site_file(), file).unwrap();
    lists_only(&agent, &running);
    let told = shop.agent(&agent, 2, "checkout", "agent", &[]);
    assert!(told.stderr.contains("site:4: 'servre' is no setting"), "{told:?}");
    told.ok();
    let status = administer(&agent, &server, &[], &["status", "--json"]);
    assert!(status.stderr.contains("site:4: "), "{status:?}");
    assert_eq!(status.json()["fingerprint"], running.fingerprint.as_str());

    // Switched off, the file's servers are not asked; nor is the network.
    for paths in ["lan", "remembered"] {
        let off = shop
            .agent(&agent, 3, "checkout", "other", &["--paths", paths])
            .failed_with(3);
        assert!(!off.stderr.contains("named servers"), "{off:?}");
    }
    std::fs::write(agent.site_file(), "server 10.77.21.2\npaths remembered, lan\n").unwrap();
    shop.agent(&agent, 3, "checkout", "other", &[]).failed_with(3);
    let json = shop.agent(&agent, 3, "check", "other", &["--json"]).failed_with(3);
    let rows = serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap()["paths"].clone();
    let paths: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["path"].clone()).collect();
    assert_eq!(paths, ["remembered", "lan"], "{rows}");
    std::fs::remove_file(agent.site_file()).unwrap();

    // The variable, and the option several times: the first one is dead.
    let servers = ("SEATKEEPER_SERVERS", "10.77.21.9, 10.77.21.2");
    administer(&agent, &server, &[servers], &["status"]).ok();
    let none = administer(&agent, &server, &[servers, ("SEATKEEPER_PATHS", "lan")], &["status"]);
    none.failed_with(3);
    let both = ["--server", "10.77.21.9", "--server", "10.77.21.2"];
    let since = monotonic();
    shop.agent(&agent, 5, "checkout", "another", &both).ok();
    administer(&agent, &server, &[], &[["status"].as_slice(), &both].concat()).ok();
    let took = monotonic().millis_since(since);
    assert!(took < 10_000, "a dead server costs no more than its share: {took} ms");
    assert_eq!(used(&server), 2);

    // None of them is there: both are told.
    let none = [
        "status",
        "--server",
        "10.77.21.8",
        "--server",
        "10.77.21.9",
        "--timeout",
        "1",
    ];
    let none = administer(&agent, &server, &[], &none).failed_with(3);
    for address in ["10.77.21.8:17328", "10.77.21.9:17328"] {
        assert!(none.stderr.contains(address), "{none:?}");
    }
}

pub(crate) fn without_broadcasts() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    let switch = lab.switch(&[(&server, "10.77.23.1/24"), (&agent, "10.77.23.2/24")]);
    // As on a tunnel, or where a network keeps its stations apart: what is not for one station alone is not passed on.
    for (host, own, other, other_address) in [
        (&server, "02:00:00:77:23:01", "02:00:00:77:23:02", "10.77.23.2"),
        (&agent, "02:00:00:77:23:02", "02:00:00:77:23:01", "10.77.23.1"),
    ] {
        host.ip(&["link", "set", "eth0", "address", own]);
        host.ip(&[
            "neigh",
            "replace",
            other_address,
            "lladdr",
            other,
            "dev",
            "eth0",
            "nud",
            "permanent",
        ]);
    }
    for port in ["port0", "port1"] {
        switch.ip(&[
            "link",
            "set",
            port,
            "type",
            "bridge_slave",
            "bcast_flood",
            "off",
            "mcast_flood",
            "off",
        ]);
    }
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    agent.seatkeeper(["list"]).failed_with(3);
    std::fs::write(agent.site_file(), "server 10.77.23.1\n").unwrap();
    lists_only(&agent, &running);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    // From then on its address is remembered, whatever the file says.
    std::fs::remove_file(agent.site_file()).unwrap();
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!(used(&server), 1);
}

pub(crate) fn on_one_link() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    Lab::link((&agent, "eth0"), (&server, "eth0"));
    server.address("eth0", "fe80::77:2/64");
    agent.address("eth0", "fe80::77:1/64");
    // A second wire with the same prefix: without its scope the address would lead nowhere.
    let nowhere = lab.host("nowhere");
    Lab::link((&agent, "eth1"), (&nowhere, "eth0"));
    agent.address("eth1", "fe80::77:1/64");
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    let here = ["--server", "[fe80::77:2%eth0]:17328"];
    shop.agent(&agent, 1, "checkout", "agent", &here).ok();
    let rows = agent.seatkeeper(["list", "--json", here[0], here[1]]).json();
    assert_eq!(rows[0]["fingerprint"], running.fingerprint.as_str(), "{rows}");
    assert_eq!(rows.as_array().unwrap().len(), 1, "asked alone: {rows}");
    administer(&agent, &server, &[], &["status", here[0], here[1]]).ok();
    std::fs::write(agent.site_file(), "server fe80::77:2%eth0\npaths servers\n").unwrap();
    assert_eq!(listed(&agent), std::slice::from_ref(&running.fingerprint));
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    std::fs::remove_file(agent.site_file()).unwrap();
    // The other wire, no wire, and none that is there.
    shop.agent(&agent, 1, "checkout", "other", &["--server", "[fe80::77:2%eth1]:17328"])
        .failed_with(3);
    let scopeless = shop
        .agent(&agent, 1, "checkout", "other", &["--server", "fe80::77:2"])
        .failed_with(3);
    assert!(scopeless.stderr.contains("[fe80::77:2%eth0]"), "{scopeless:?}");
    let unknown = administer(&agent, &server, &[], &["status", "--server", "fe80::77:2%eth7"]).failed_with(3);
    assert!(unknown.stderr.contains("no interface eth7"), "{unknown:?}");
    assert_eq!(used(&server), 1);
}
