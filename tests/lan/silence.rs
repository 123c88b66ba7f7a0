//! A server answers; it never begins. Its network namespace is its own, so that everything it sends is counted there.

use std::ffi::OsString;

use crate::lab::{Host, Lab};
use crate::process::finish;
use crate::shop::{Shop, listed};
use crate::wire::mac;

const SERVER: &str = "10.77.13.1";

/// What the kernel has counted in the namespace of a host.
#[derive(Debug)]
struct Counted {
    /// TCP connections that were begun there, over IPv4 and IPv6.
    connections_out: u64,
    /// TCP connections that were taken there.
    connections_in: u64,
    /// UDP datagrams that were sent from there, over IPv4 and IPv6.
    datagrams_out: u64,
    /// UDP datagrams that somebody there received.
    datagrams_in: u64,
}

impl Counted {
    #[track_caller]
    fn on(host: &Host) -> Self {
        let text = finish(host.command("cat").args(["/proc/net/snmp", "/proc/net/snmp6"])).ok();
        let v4 = |table: &str, column: &str| {
            let mut rows = text
                .lines()
                .filter_map(|line| line.strip_prefix(table)?.strip_prefix(": "));
            let (names, values) = (rows.next().expect(table), rows.next().expect(table));
            let place = names.split(' ').position(|name| name == column).expect(column);
            values
                .split(' ')
                .nth(place)
                .expect(column)
                .parse::<u64>()
                .expect("a number")
        };
        let v6 = |name: &str| {
            let row = text.lines().find_map(|line| line.strip_prefix(name));
            row.map_or(0, |value| value.trim().parse::<u64>().expect("a number"))
        };
        Self {
            connections_out: v4("Tcp", "ActiveOpens"),
            connections_in: v4("Tcp", "PassiveOpens"),
            datagrams_out: v4("Udp", "OutDatagrams") + v6("Udp6OutDatagrams"),
            datagrams_in: v4("Udp", "InDatagrams") + v6("Udp6InDatagrams"),
        }
    }
}

pub(crate) fn counted() {
    let lab = Lab::new();
    let [server, desk] = ["server", "desk"].map(|name| lab.host(name));
    Lab::link((&server, "eth0"), (&desk, "eth0"));
    server.address("eth0", &format!("{SERVER}/24"));
    desk.address("eth0", "10.77.13.2/24");
    // There is a way out: what fails for want of a route would not be counted.
    server.ip(&["route", "add", "default", "via", "10.77.13.2"]);
    let shop = Shop::new(&lab);
    let running = server.serve(&[]);
    let address = format!("{SERVER}:{}", running.address().port());
    let administer = |args: &[OsString]| desk.administer(&server, &address, args).ok();
    let text = OsString::from;
    administer(&[text("vendor"), text("trust"), shop.vendor_key.clone().into()]);
    administer(&[text("catalogue"), text("import"), shop.catalogue().into()]);
    let keys = lab.dir().join("keys.txt");
    std::fs::write(&keys, shop.vendor.license(1, "BKSRV", 5)).unwrap();
    administer(&[text("import-file"), keys.into()]);
    let here = ["--server", &address];
    for number in 1..=3 {
        for verb in ["checkout", "renew"] {
            shop.agent(&desk, number, verb, "agent", &here).ok();
        }
    }
    shop.agent(&desk, 3, "release", "agent", &here).ok();
    let of_machine = mac(1).map(|byte| format!("{byte:02x}")).join(":");
    administer(&["release", &of_machine, "BKSRV", "--reason", "moved"].map(text));
    administer(&["licenses"].map(text));
    administer(&["status"].map(text));

    // Nobody has asked where it is yet.
    let at_work = Counted::on(&server);
    assert!(at_work.connections_in >= 10, "{at_work:?}");
    assert_eq!((at_work.connections_out, at_work.datagrams_out), (0, 0), "{at_work:?}");

    assert_eq!(listed(&desk), std::slice::from_ref(&running.fingerprint));
    let asked = Counted::on(&server);
    assert!(asked.datagrams_out >= 1, "{asked:?}");
    assert!(
        asked.datagrams_out <= asked.datagrams_in,
        "more than answers: {asked:?}"
    );

    running.stop();
    let stopped = Counted::on(&server);
    assert_eq!(stopped.connections_out, 0, "{stopped:?}");
    assert!(stopped.datagrams_out <= stopped.datagrams_in, "{stopped:?}");

    // What does begin a connection there is counted.
    let running = server.serve(&[]);
    server.admin(["status"]).ok();
    assert_eq!(Counted::on(&server).connections_out, 1);
    running.stop();
}
