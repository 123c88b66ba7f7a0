//! Each verdict from facts that are written down here.

use std::net::SocketAddr;

use seatkeeper::client::discover::PathKind;
use seatkeeper::client::ways::{self, Way};
use seatkeeper::domain::ids::Mac;
use seatkeeper::wire::limits::VERSION_MAX;

use super::*;
use crate::doctor::facts::{
    Asked, AskedAs, Availability, Component, Counts, Denied, Explained, Gathered, Grant, HelloFault, Interface,
    Machine, Offered, Path, Seat, Seen, TlsFault,
};
use crate::doctor::finding::{Check, Verdict, root_cause};
use crate::doctor::report::Report;
use crate::skew::Skew;

mod seats;
mod servers;

const FINGERPRINT: &str = "aa";
const OTHER: &str = "bb";

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn mac() -> Mac {
    "00:1a:2b:3c:00:01".parse().expect("an address")
}

fn offer() -> Offered {
    Offered {
        name: "office".to_owned(),
        server: "01".to_owned(),
        fingerprint: FINGERPRINT.to_owned(),
        address: Some(at("192.0.2.1:17328")),
        version: "0.1.0".to_owned(),
        protocol_min: 1,
        protocol_max: 1,
    }
}

fn met() -> Met {
    Met {
        name: "office".to_owned(),
        server: "01".to_owned(),
        fingerprint: FINGERPRINT.to_owned(),
        version: "0.1.0".to_owned(),
        protocol: 1,
        role: "agent".to_owned(),
        availability: Some(counts(3, 1, 2)),
        ..Met::default()
    }
}

const fn counts(total: u64, used: u64, available: u64) -> Availability {
    Availability::Counts(Counts {
        licenses: 1,
        total,
        used,
        available,
        unit_licenses: 0,
    })
}

fn server(reached: Reached) -> Server {
    Server {
        lead: Lead::Discovered,
        address: at("192.0.2.1:17328"),
        offer: Some(offer()),
        unicast: true,
        reached,
    }
}

fn path(kind: PathKind, answered: bool) -> Path {
    Path {
        interface: "eth0".to_owned(),
        loopback: false,
        kind,
        destination: "192.0.2.255:17328".to_owned(),
        unsent: None,
        answered: answered.then(|| "office".to_owned()).into_iter().collect(),
    }
}

/// A path by which so many servers were found.
fn searched(way: Way, asked: &[&str], answered: usize) -> ways::Verdict {
    ways::Verdict {
        way,
        asked: asked.iter().map(ToString::to_string).collect(),
        answered,
        faults: Vec::new(),
        note: None,
    }
}

/// A machine and a server between which nothing is wrong.
fn well() -> Facts {
    Facts {
        asked: Asked {
            server: None,
            port: 17_328,
            product: Some("BKSRV".to_owned()),
            identity: AskedAs::Throwaway,
        },
        interfaces: Gathered::Known(vec![Interface {
            name: "eth0".to_owned(),
            up: true,
            running: true,
            loopback: false,
            addresses: vec![at("192.0.2.7:0").ip()],
            carries: vec![PathKind::DirectedBroadcast, PathKind::MulticastV4],
        }]),
        mac: Gathered::Known(Machine {
            mac: Some(mac()),
            why: "eth0: built-in Ethernet".to_owned(),
            kept: true,
        }),
        components: Gathered::Known(Vec::new()),
        trusted: Vec::new(),
        paths: Gathered::Known(vec![
            path(PathKind::DirectedBroadcast, true),
            path(PathKind::MulticastV4, true),
        ]),
        ways: vec![searched(Way::Lan, &["eth0"], 1)],
        remembers_off: false,
        site_faults: Vec::new(),
        named: None,
        offers: vec![offer()],
        servers: vec![server(Reached::Met(Box::new(met())))],
    }
}

/// The same, where the way to the only server ends like this.
fn ends(reached: Reached) -> Facts {
    Facts {
        servers: vec![server(reached)],
        ..well()
    }
}

/// The same, where the server answers like this.
fn answers(change: impl FnOnce(&mut Met)) -> Facts {
    let mut met = met();
    change(&mut met);
    ends(Reached::Met(Box::new(met)))
}

/// A component of this machine.
fn component() -> Component {
    Component {
        product: "BKSRV".to_owned(),
        id: "agent".to_owned(),
        pins: vec![FINGERPRINT.to_owned()],
        ..Component::default()
    }
}

fn with_component(facts: Facts, change: impl FnOnce(&mut Component)) -> Facts {
    let mut one = component();
    change(&mut one);
    Facts {
        components: Gathered::Known(vec![one]),
        ..facts
    }
}

fn of(facts: &Facts, check: Check) -> Vec<Finding> {
    let (findings, _) = judge(facts);
    findings.into_iter().filter(|finding| finding.check == check).collect()
}

/// The only finding of a check.
#[track_caller]
fn only(facts: &Facts, check: Check) -> Finding {
    let mut found = of(facts, check);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// Checks what fails first, and that what is told holds these words in this order: of the cause, then of the remedy.
#[track_caller]
fn fails(facts: &Facts, check: Check, cause: &str, remedy: &str) {
    let (findings, _) = judge(facts);
    let first = root_cause(&findings).unwrap_or_else(|| panic!("nothing fails: {findings:#?}"));
    assert_eq!(first.check, check, "{findings:#?}");
    assert!(first.cause.contains(cause), "{first:#?}");
    assert!(
        first.remedy.as_ref().is_some_and(|told| told.contains(remedy)),
        "{first:#?}"
    );
}

/// Checks that nothing fails, and that this is warned of.
#[track_caller]
fn warns(facts: &Facts, check: Check, cause: &str) {
    let (findings, _) = judge(facts);
    assert_eq!(root_cause(&findings), None, "{findings:#?}");
    let told = |one: &Finding| one.check == check && one.verdict == Verdict::Warn && one.cause.contains(cause);
    assert!(findings.iter().any(told), "{findings:#?}");
}

#[test]
fn where_nothing_is_wrong_every_line_passes() {
    let (findings, _) = judge(&well());
    assert!(findings.iter().all(|one| one.verdict == Verdict::Pass), "{findings:#?}");
    let report = Report::new(&well());
    assert_eq!(
        (report.exit_code(), report.sentence()),
        (0, "Nothing is wrong that can be seen from here.")
    );
    for check in [
        Check::Interfaces,
        Check::Mac,
        Check::Path,
        Check::Discovery,
        Check::Udp,
        Check::Tcp,
        Check::Tls,
        Check::Hello,
    ] {
        assert!(!of(&well(), check).is_empty(), "{check:?}");
    }
}

#[test]
fn each_line_that_does_not_pass_says_what_to_do() {
    let facts = [ends(Reached::TcpClosed), ends(Reached::TcpSilent), Facts::default()];
    for finding in facts.iter().flat_map(|facts| judge(facts).0) {
        assert_eq!(
            finding.remedy.is_none(),
            finding.verdict == Verdict::Pass,
            "{finding:#?}"
        );
    }
}

#[test]
fn a_machine_without_a_network_is_told_so_before_anything_else() {
    let mut facts = Facts {
        interfaces: Gathered::Known(Vec::new()),
        paths: Gathered::Known(Vec::new()),
        offers: Vec::new(),
        servers: Vec::new(),
        ..well()
    };
    fails(&facts, Check::Interfaces, "no network interface", "connect");
    facts.servers = well().servers;
    warns(&facts, Check::Interfaces, "no network interface");
}

#[test]
fn each_interface_is_told_with_what_it_carries_or_why_it_carries_nothing() {
    let down = Interface {
        name: "eth1".to_owned(),
        ..Interface::default()
    };
    let idle = Interface {
        up: true,
        ..down.clone()
    };
    let bare = Interface {
        running: true,
        ..idle.clone()
    };
    let mut facts = well();
    let Gathered::Known(interfaces) = &mut facts.interfaces else {
        unreachable!("known above")
    };
    interfaces.extend([down, idle, bare]);
    let told: Vec<_> = of(&facts, Check::Interfaces).into_iter().map(|one| one.cause).collect();
    assert_eq!(
        told,
        [
            "192.0.2.7; carries directed broadcast, IPv4 multicast",
            "switched off, not used",
            "without a carrier, not used",
            "without an address, not used"
        ]
    );
}

// proves I5
#[test]
fn the_address_that_agents_are_counted_by_is_told_with_its_reason_and_its_absence_fails() {
    let told = only(&well(), Check::Mac);
    assert_eq!(
        told.cause,
        "00:1a:2b:3c:00:01, chosen and kept: eth0: built-in Ethernet"
    );
    let facts = Facts {
        mac: Gathered::Unknown("NO_MAC: none".to_owned()),
        ..well()
    };
    fails(&facts, Check::Mac, "NO_MAC", "--mac");
    assert_eq!(Report::new(&facts).exit_code(), 1);
}

#[test]
fn each_path_has_a_verdict_of_its_own() {
    let mut unsent = path(PathKind::MulticastV6, false);
    unsent.unsent = Some("Operation not permitted".to_owned());
    let mut on_lo = path(PathKind::MulticastV4, false);
    (on_lo.interface, on_lo.loopback) = ("lo".to_owned(), true);
    let mut elsewhere = path(PathKind::MulticastV4, false);
    elsewhere.interface = "eth1".to_owned();
    let facts = Facts {
        paths: Gathered::Known(vec![
            path(PathKind::DirectedBroadcast, true),
            path(PathKind::MulticastV4, false),
            unsent,
            on_lo,
            elsewhere,
        ]),
        ..well()
    };
    let told: Vec<_> = of(&facts, Check::Path);
    let verdicts: Vec<_> = told.iter().map(|one| one.verdict).collect();
    assert_eq!(
        verdicts,
        [
            Verdict::Pass,
            Verdict::Warn,
            Verdict::Warn,
            Verdict::Pass,
            Verdict::Warn
        ]
    );
    assert!(told[1].cause.contains("answers other questions"), "{told:#?}");
    assert!(told[2].cause.contains("not permitted"), "{told:#?}");
    assert_eq!(told[4].cause, "nobody answered");
    assert_eq!(told[0].about, "directed broadcast on eth0");
}

#[test]
fn that_nobody_answers_fails_only_where_nothing_else_leads_to_a_server() {
    let mut facts = Facts {
        paths: Gathered::Known(vec![path(PathKind::DirectedBroadcast, false)]),
        offers: Vec::new(),
        servers: Vec::new(),
        ..well()
    };
    fails(
        &facts,
        Check::Discovery,
        "no license server answered on UDP port 17328",
        "firewalls",
    );
    assert_eq!(Report::new(&facts).exit_code(), 3);
    facts.servers = vec![Server {
        lead: Lead::Named,
        ..server(Reached::Met(Box::new(met())))
    }];
    facts.asked.server = Some("office".to_owned());
    facts.named = Some(Gathered::Known(vec![at("192.0.2.1:17328")]));
    warns(&facts, Check::Discovery, "no license server answered");
}

#[test]
fn a_name_that_nobody_knows_is_told_apart_from_a_server_that_is_not_there() {
    let mut facts = Facts {
        named: Some(Gathered::Unknown("cannot find the host offce".to_owned())),
        servers: Vec::new(),
        ..well()
    };
    facts.asked.server = Some("offce".to_owned());
    fails(&facts, Check::Name, "cannot find the host", "how the name is written");
}

#[test]
fn each_path_of_the_search_has_a_verdict_of_its_own() {
    let mut dns = searched(Way::Dns, &["_seatkeeper._tcp.example.org"], 0);
    dns.note = Some("_seatkeeper._tcp.example.org: no such record".to_owned());
    let servers = searched(Way::Servers, &["192.0.2.9:17328"], 0);
    let facts = Facts {
        ways: vec![servers, searched(Way::Lan, &["eth0"], 1), dns],
        site_faults: vec!["/etc/seatkeeper/site:4: 'servre' is no setting".to_owned()],
        ..with_component(well(), |one| one.addresses = vec![at("192.0.2.1:17328")])
    };
    let told = |facts: &Facts| {
        let of = of(facts, Check::Way).into_iter();
        of.map(|one| (one.verdict, one.about, one.cause)).collect::<Vec<_>>()
    };
    let line = |verdict, about: &str, cause: &str| (verdict, about.to_owned(), cause.to_owned());
    assert_eq!(
        told(&facts),
        [
            line(Verdict::Pass, "remembered addresses", "192.0.2.1:17328"),
            line(Verdict::Warn, "named servers", "nobody answered (192.0.2.9:17328)"),
            line(Verdict::Pass, "this network", "1 answered"),
            line(Verdict::Pass, "DNS", "_seatkeeper._tcp.example.org: no such record"),
        ]
    );
    warns(&facts, Check::Site, "site:4: 'servre' is no setting");
    // What the site switched off is told as such.
    let off = Facts {
        ways: vec![searched(Way::Lan, &["eth0"], 1)],
        remembers_off: true,
        ..facts
    };
    let causes: Vec<_> = told(&off).into_iter().map(|(_, _, cause)| cause).collect();
    for (place, is_off) in [true, true, false, true].into_iter().enumerate() {
        assert_eq!(causes[place].starts_with("switched off"), is_off, "{causes:?}");
    }
}

#[test]
fn a_server_of_the_site_that_has_no_address_is_the_cause_where_no_other_is_met() {
    let mut servers = searched(Way::Servers, &["license.example.org:17328"], 0);
    servers.faults = vec!["cannot find the host license.example.org".to_owned()];
    let mut facts = Facts {
        ways: vec![servers, searched(Way::Lan, &["eth0"], 0)],
        paths: Gathered::Known(vec![path(PathKind::DirectedBroadcast, false)]),
        offers: Vec::new(),
        servers: Vec::new(),
        ..well()
    };
    fails(
        &facts,
        Check::Way,
        "cannot find the host license.example.org",
        "name service",
    );
    assert_eq!(Report::new(&facts).exit_code(), 3);
    facts.servers = well().servers;
    warns(&facts, Check::Way, "cannot find the host license.example.org");
}
