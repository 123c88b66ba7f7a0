//! Servers that no question to everybody reaches: behind a router, on networks that pass no broadcasts, on one link of many.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;

use seatkeeper::clock::monotonic;

use crate::lab::{Host, Lab};
use crate::process::{Output, SEATKEEPER, SITE_FILE, STATE_DIR, STATE_HOME, finish};
use crate::shop::{Shop, listed, lists_only, used};
use crate::wire::mac;

/// A host that passes packets on between `eth0` of one and `eth0` of the other.
pub(crate) fn route(router: &Host, (one, one_net): (&Host, &str), (other, other_net): (&Host, &str)) {
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
    shop.agent(&agent, 5, "checkout", "agent", &both).ok();
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

/// Whether there is a name server to ask; it changes its groups, which only root may.
pub(crate) fn dnsmasq() -> Result<(), String> {
    crate::least::root()?;
    let there = crate::process::command("dnsmasq").arg("--version").status();
    match there {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("dnsmasq: {status}")),
        Err(error) => Err(format!("dnsmasq: {error}")),
    }
}

/// A name server on a host of a lab, gone when this goes.
struct NameServer(Child);

impl NameServer {
    /// Starts one that knows the hosts and records of `configuration`, lines for dnsmasq.
    #[track_caller]
    fn start(host: &Host, file: &Path, configuration: &str) -> Self {
        std::fs::write(file, configuration).unwrap();
        let mut run = host.command("dnsmasq");
        run.args([
            "--keep-in-foreground",
            "--log-facility=-",
            "--user=root",
            "--pid-file=",
            "--no-resolv",
            "--no-hosts",
        ]);
        let mut child = run.arg(format!("--conf-file={}", file.display())).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let started = said.lines().map_while(Result::ok).find(|line| line.contains("started"));
        assert!(started.is_some(), "it ended: {:?}", child.wait());
        Self(child)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs the binary under test on `host`, where `resolv.conf` says this.
#[track_caller]
fn resolving(host: &Host, resolv_conf: &Path, args: &[OsString]) -> Output {
    let mut run = host.command("unshare");
    let mounted = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    run.args(["--mount", "--", "sh", "-c", mounted, "sh"])
        .arg(resolv_conf)
        .arg(SEATKEEPER);
    run.args(args).env(STATE_DIR, host.site_file().with_file_name("agent"));
    finish(run.env(STATE_HOME, host.site_file().with_file_name("user")))
}

pub(crate) fn by_dns() {
    let lab = Lab::new();
    let [server, router, agent] = ["server", "router", "agent"].map(|name| lab.host(name));
    route(&router, (&server, "10.77.25"), (&agent, "10.77.26"));
    let shop = Shop::new(&lab);
    let far = shop.server(&server, &[(1, "BKSRV", 20)]);
    let near = shop.server(&router, &[(2, "BKSRV", 20)]);
    let records = "srv-host=_seatkeeper._tcp.site.example,dead.site.example,17328,0,0\n\
                   srv-host=_seatkeeper._tcp.site.example,near.site.example,17328,20,0\n\
                   srv-host=_seatkeeper._tcp.site.example,far.site.example,17328,10,0\n\
                   address=/dead.site.example/10.77.25.9\naddress=/far.site.example/10.77.25.2\n\
                   address=/near.site.example/10.77.26.1\n";
    let names = NameServer::start(&router, &lab.dir().join("dnsmasq.conf"), records);
    let conf = lab.dir().join("resolv.conf");
    std::fs::write(&conf, "nameserver 10.77.26.1\nsearch other.example site.example\n").unwrap();
    let run = |args: &[&str]| resolving(&agent, &conf, &args.iter().map(OsString::from).collect::<Vec<_>>());
    let checkout = |number, paths: &str| {
        let mac = mac(number).map(|byte| format!("{byte:02x}")).join(":");
        let key = shop.vendor_key.to_str().unwrap();
        run(&[
            "agent",
            "checkout",
            "BKSRV",
            "agent",
            "--mac",
            &mac,
            "--vendor-key",
            key,
            "--paths",
            paths,
        ])
    };

    // The one of the lowest number that is there is used, although another one is nearer.
    checkout(1, "dns").ok();
    assert_eq!((used(&server), used(&router)), (1, 0));
    let rows = run(&["list", "--json", "--paths", "dns"]).json();
    let mut found: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["fingerprint"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    let mut both = [far.fingerprint.as_str(), near.fingerprint.as_str()];
    both.sort_unstable();
    assert_eq!(found, both, "{rows}");
    // Nobody crosses the router by asking everybody.
    let lan = run(&["list", "--json", "--paths", "lan"]).json();
    let mut rows = lan.as_array().unwrap().iter();
    assert!(rows.all(|row| row["fingerprint"] == near.fingerprint.as_str()), "{lan}");

    // Without a name service the search ends in time and says so; what is remembered goes on.
    drop(names);
    let told = run(&["list", "--paths", "dns"]).failed_with(3);
    assert!(told.stderr.contains("DNS: _seatkeeper._tcp."), "{told:?}");
    checkout(1, "remembered,dns").ok();
    assert_eq!((used(&server), used(&router)), (1, 0));
}

pub(crate) fn plugged_in_late() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    let shop = Shop::new(&lab);
    // No network at all yet.
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    for (number, round) in [(1, "first"), (2, "again")] {
        Lab::link((&agent, "eth0"), (&server, "eth0"));
        // Over IPv6 alone a server is found by its group, which it joins on each interface.
        server.address("eth0", "fe80::77:2/64");
        agent.address("eth0", "fe80::77:1/64");
        // It looks for interfaces every 10 s, and a search asks in its first seconds alone.
        let mut searches = (0..20).map(|_| agent.seatkeeper(["list", "--json", "--timeout", "2"]));
        let found = searches.find(|told| told.code == Some(0)).expect(round).json();
        assert_eq!(
            found[0]["fingerprint"],
            running.fingerprint.as_str(),
            "{round}: {found}"
        );
        shop.agent(&agent, number, "checkout", "agent", &["--timeout", "15"])
            .ok();
        server.ip(&["link", "del", "eth0"]);
        shop.agent(&agent, number, "checkout", "agent", &["--timeout", "1"])
            .failed_with(3);
    }
    assert_eq!(used(&server), 2);
}

pub(crate) fn on_chosen_interfaces() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    for (port, net) in [("eth0", "10.77.27"), ("eth1", "10.77.28")] {
        Lab::link((&agent, port), (&server, port));
        agent.address(port, &format!("{net}.2/24"));
        server.address(port, &format!("{net}.1/24"));
    }
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    let on = |args: &[&str]| {
        let rows = agent.seatkeeper([["list", "--json"].as_slice(), args].concat()).json();
        let rows = rows.as_array().unwrap().iter();
        let names = rows.map(|row| {
            assert_eq!(row["fingerprint"], running.fingerprint.as_str());
            row["interface"].as_str().unwrap().to_owned()
        });
        names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(on(&[]), ["eth0", "eth1"]);
    assert_eq!(on(&["--interface", "eth1"]), ["eth1"]);
    assert_eq!(on(&["--interface", "eth*", "--not-interface", "eth1"]), ["eth0"]);
    std::fs::write(agent.site_file(), "not-interface eth0\n").unwrap();
    assert_eq!(on(&[]), ["eth1"]);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    // On none where a server is, and on none at all.
    for (says, told) in [
        ("not-interface eth*\n", "this network: nobody answered (lo)"),
        (
            "interface tun0\n",
            "none of the network interfaces that the site lets be asked on is up",
        ),
    ] {
        std::fs::write(agent.site_file(), says).unwrap();
        let none = shop.agent(&agent, 2, "checkout", "other", &[]).failed_with(3);
        assert!(none.stderr.contains(told), "{none:?}");
        let none = agent.seatkeeper(["list"]).failed_with(3);
        assert!(none.stderr.contains(told), "{none:?}");
    }
}
