//! Each verdict from facts that are written down here.

use std::net::SocketAddr;

use seatkeeper::client::discover::PathKind;
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
fn udp_answered_and_tcp_closed_is_a_firewall() {
    fails(
        &ends(Reached::TcpClosed),
        Check::Tcp,
        "UDP is answered and TCP port 17328 is closed",
        "firewall",
    );
    fails(
        &ends(Reached::TcpSilent),
        Check::Tcp,
        "UDP is answered and TCP port 17328 is silent",
        "firewall",
    );
    assert_eq!(Report::new(&ends(Reached::TcpClosed)).exit_code(), 3);
}

/// A server that the user named and that says nothing over UDP.
fn named_without_udp(reached: Reached) -> Facts {
    let mut facts = Facts {
        offers: Vec::new(),
        named: Some(Gathered::Known(vec![at("192.0.2.1:17328")])),
        servers: vec![Server {
            lead: Lead::Named,
            offer: None,
            unicast: false,
            ..server(reached)
        }],
        ..well()
    };
    facts.asked.server = Some("office".to_owned());
    facts
}

#[test]
fn tcp_open_and_udp_silent_is_a_warning_that_names_the_way_round() {
    let facts = named_without_udp(Reached::Met(Box::new(met())));
    warns(&facts, Check::Udp, "TCP is open and UDP is silent");
    assert!(
        only(&facts, Check::Udp)
            .remedy
            .expect("a remedy")
            .contains("--server 192.0.2.1")
    );
}

#[test]
fn a_host_without_a_server_is_told_from_a_host_that_is_not_there() {
    fails(
        &named_without_udp(Reached::TcpClosed),
        Check::Tcp,
        "nothing listens on TCP port 17328",
        "start the server",
    );
    fails(
        &named_without_udp(Reached::TcpSilent),
        Check::Tcp,
        "no answer at all",
        "firewall",
    );
    fails(
        &named_without_udp(Reached::TcpFailed("Network is unreachable".to_owned())),
        Check::Tcp,
        "cannot connect: Network is unreachable",
        "routes",
    );
}

#[test]
fn one_address_of_a_named_server_that_leads_there_is_enough() {
    let mut facts = named_without_udp(Reached::Met(Box::new(met())));
    facts.servers.push(Server {
        lead: Lead::Named,
        address: at("[2001:db8::1]:17328"),
        ..server(Reached::TcpSilent)
    });
    warns(&facts, Check::Tcp, "TCP port 17328 is silent");
}

#[test]
fn a_server_that_cannot_be_reached_is_a_warning_where_another_one_is_there() {
    let mut facts = well();
    facts.servers.push(server(Reached::TcpClosed));
    warns(&facts, Check::Tcp, "TCP port 17328 is closed");
}

#[test]
fn each_way_in_which_tls_is_refused_has_a_cause_of_its_own() {
    for (fault, cause) in [
        (TlsFault::Closed, "closed at once"),
        (TlsFault::NotTls, "does not speak TLS"),
        (TlsFault::OtherProtocol, "is no license server"),
        (TlsFault::Silent, "nothing is said"),
        (TlsFault::Version, "older than 1.3"),
        (TlsFault::Other("bad record".to_owned()), "bad record"),
    ] {
        fails(&ends(Reached::Tls(fault)), Check::Tls, cause, "port");
    }
}

fn no_hello(fault: HelloFault) -> Facts {
    ends(Reached::Hello {
        fault,
        fingerprint: FINGERPRINT.to_owned(),
    })
}

#[test]
fn protocols_that_do_not_meet_are_told_once_and_which_side_to_upgrade() {
    let mismatch = no_hello(HelloFault::Version("the server speaks 2 to 3".to_owned()));
    fails(
        &mismatch,
        Check::Protocol,
        "no common protocol version",
        "upgrade the older",
    );
    assert_eq!(of(&mismatch, Check::Protocol).len(), 1);
    let mut newer = no_hello(HelloFault::Other("closed".to_owned()));
    let offer = newer.servers[0].offer.as_mut().expect("an offer");
    (offer.protocol_min, offer.protocol_max) = (VERSION_MAX + 1, VERSION_MAX + 2);
    fails(
        &newer,
        Check::Protocol,
        "speaks protocol versions 2 to 3",
        "this program",
    );
    let mut older = newer;
    let offer = older.servers[0].offer.as_mut().expect("an offer");
    (offer.protocol_min, offer.protocol_max) = (0, 0);
    fails(
        &older,
        Check::Protocol,
        "speaks protocol versions 0 to 0",
        "upgrade the server",
    );
}

#[test]
fn each_end_of_hello_has_a_cause_of_its_own() {
    for (fault, cause) in [
        (HelloFault::Busy, "too much to do"),
        (HelloFault::GoingAway, "is stopping"),
        (
            HelloFault::NotOurs("a frame out of bounds".to_owned()),
            "no license server",
        ),
        (HelloFault::Other("silence".to_owned()), "silence"),
    ] {
        let facts = no_hello(fault);
        let (findings, _) = judge(&facts);
        let first = root_cause(&findings).expect("it fails");
        assert!(first.check == Check::Hello && first.cause.contains(cause), "{first:#?}");
    }
}

#[test]
fn an_identity_that_was_offered_and_not_proven_is_a_forged_answer() {
    let mut facts = well();
    facts.servers[0].offer.as_mut().expect("an offer").fingerprint = OTHER.to_owned();
    warns(&facts, Check::Identity, "another one was proven");
}

#[test]
fn a_server_that_the_components_do_not_trust_fails_unless_theirs_is_there_too() {
    let rogue = answers(|met| met.fingerprint = OTHER.to_owned());
    let rogue = Facts {
        servers: rogue
            .servers
            .into_iter()
            .map(|mut one| {
                one.offer.as_mut().expect("an offer").fingerprint = OTHER.to_owned();
                one
            })
            .collect(),
        ..rogue
    };
    let facts = with_component(rogue.clone(), |_| ());
    fails(
        &facts,
        Check::Pin,
        "is not the server that the components of this machine trust",
        "seatkeeper agent trust bb",
    );
    assert_eq!(Report::new(&facts).exit_code(), 3);

    let mut both = facts;
    both.servers.extend(well().servers);
    warns(&both, Check::Pin, "is not the server");

    let successor = answers(|met| {
        met.fingerprint = OTHER.to_owned();
        met.succeeds = vec![FINGERPRINT.to_owned()];
    });
    assert_eq!(
        only(&with_component(successor, |_| ()), Check::Pin).verdict,
        Verdict::Pass
    );
    assert_eq!(of(&rogue, Check::Pin), [], "nothing is trusted yet");
    let of_another = with_component(rogue.clone(), |one| one.product = "OTHER".to_owned());
    assert_eq!(of(&of_another, Check::Pin), [], "each component trusts for itself");
    let by_all = Facts {
        trusted: vec![FINGERPRINT.to_owned()],
        ..rogue
    };
    fails(&by_all, Check::Pin, "is not the server", "seatkeeper agent trust bb");
}

// proves T3
#[test]
fn clocks_that_disagree_are_warned_of() {
    let late = answers(|met| met.skew = Skew::of(seatkeeper::domain::time::Timestamp(0)));
    warns(&late, Check::Clock, "against this machine's");
    assert_eq!(only(&well(), Check::Clock).verdict, Verdict::Pass);
}

#[test]
fn two_servers_of_one_name_and_one_server_with_two_identities_are_warned_of() {
    let other = |server: &str, fingerprint: &str| Offered {
        server: server.to_owned(),
        fingerprint: fingerprint.to_owned(),
        ..offer()
    };
    let mut facts = well();
    facts.offers.push(other("02", OTHER));
    warns(&facts, Check::Names, "2 servers call themselves so");
    let mut facts = well();
    facts.offers.push(other("01", OTHER));
    warns(&facts, Check::Identity, "one server id is shown with 2 identities");
    assert_eq!(of(&well(), Check::Names), []);
}

/// What a viewer is told by a server that has these licenses.
fn seen(serials: &[&str]) -> Seen {
    Seen {
        serials: serials.iter().map(|&serial| serial.to_owned()).collect(),
        ..Seen::default()
    }
}

#[test]
fn one_license_on_two_servers_is_warned_of_and_two_addresses_of_one_server_are_not_two() {
    let mut facts = answers(|met| met.seen = Some(seen(&["S1", "S2"])));
    let again = facts.servers[0].clone();
    facts.servers.push(again);
    assert_eq!(of(&facts, Check::Serials), []);
    let other = answers(|met| {
        met.server = "02".to_owned();
        met.seen = Some(seen(&["S2", "S3"]));
    });
    facts.servers.extend(other.servers);
    warns(&facts, Check::Serials, "is on 2 servers");
    assert_eq!(only(&facts, Check::Serials).about, "S2");
}

#[test]
fn a_product_that_no_server_knows_fails_and_one_that_another_knows_warns() {
    let unknown = answers(|met| met.availability = Some(Availability::Unknown));
    fails(&unknown, Check::Product, "BKSRV is unknown here", "seatkeeper products");
    assert_eq!(Report::new(&unknown).exit_code(), 4);
    let mut both = unknown;
    both.servers.extend(well().servers);
    warns(&both, Check::Product, "BKSRV is unknown here");
    let two = answers(|met| met.availability = Some(Availability::Ambiguous));
    fails(&two, Check::Product, "two vendors", "--vendor-key");
    let busy = answers(|met| met.availability = Some(Availability::Refused("later".to_owned())));
    fails(&busy, Check::Product, "later", "the refusal");
    let silent = answers(|met| met.availability = Some(Availability::Silent("it broke".to_owned())));
    fails(&silent, Check::Hello, "it broke", "log");
}

// proves S1
#[test]
fn that_no_seat_is_free_is_told_with_why() {
    let none = |change: fn(&mut Counts)| {
        let mut counts = Counts {
            licenses: 1,
            total: 3,
            used: 3,
            available: 0,
            unit_licenses: 0,
        };
        change(&mut counts);
        answers(|met| met.availability = Some(Availability::Counts(counts)))
    };
    fails(
        &none(|_| ()),
        Check::Seats,
        "no seat of BKSRV is free: all 3 are in use",
        "seatkeeper release",
    );
    fails(
        &none(|counts| counts.used = 1),
        Check::Seats,
        "2 seats of BKSRV are free, on licenses that do not serve",
        "renewal",
    );
    fails(
        &none(|counts| (counts.licenses, counts.total, counts.used) = (0, 0, 0)),
        Check::Seats,
        "no license of BKSRV was ever imported",
        "seatkeeper import",
    );
    fails(
        &none(|counts| (counts.licenses, counts.unit_licenses) = (0, 1)),
        Check::Seats,
        "for deployments alone",
        "machine license",
    );
    assert_eq!(Report::new(&none(|_| ())).exit_code(), 4);
    let mut elsewhere = none(|_| ());
    elsewhere.servers.extend(well().servers);
    warns(&elsewhere, Check::Seats, "all 3 are in use");
}

fn full(change: impl FnOnce(&mut Met)) -> Facts {
    answers(|met| {
        met.availability = Some(counts(3, 3, 0));
        change(met);
    })
}

#[test]
fn when_one_comes_free_is_told_to_viewers_and_otherwise_what_the_component_was_told() {
    let viewer = full(|met| {
        met.seen = Some(Seen {
            explained: Some(Explained {
                next_free: Some("2026-12-24 12:00 UTC".to_owned()),
                ..Explained::default()
            }),
            ..Seen::default()
        });
    });
    fails(&viewer, Check::Seats, "free from 2026-12-24 12:00 UTC", "release");
    let refused = with_component(full(|_| ()), |one| {
        one.denied = Some(Denied {
            status: "SEATS_EXHAUSTED".to_owned(),
            text: "one is free on Monday".to_owned(),
            at: "yesterday".to_owned(),
        });
    });
    fails(
        &refused,
        Check::Seats,
        "at yesterday it was told: one is free on Monday",
        "explain",
    );
    assert_eq!(only(&refused, Check::Components).verdict, Verdict::Warn);
}

// proves I2
#[test]
fn a_machine_that_has_a_seat_needs_none_that_is_free() {
    let grant = |mac| {
        let serial = "S1".to_owned();
        Some(Grant {
            mac,
            serial,
            renew_by: None,
        })
    };
    let remembered = with_component(full(|_| ()), |one| one.grant = grant(mac()));
    assert_eq!(only(&remembered, Check::Seats).verdict, Verdict::Pass);
    let of_another = with_component(full(|_| ()), |one| {
        one.grant = grant("00:1a:2b:3c:00:09".parse().expect("a MAC"));
    });
    fails(&of_another, Check::Seats, "no seat", "release");
    let shown = full(|met| met.seen = Some(with_seat(|_| ())));
    assert_eq!(only(&shown, Check::Seats).verdict, Verdict::Pass);
}

fn with_seat(change: impl FnOnce(&mut Seat)) -> Seen {
    let mut seat = Seat {
        product: "BKSRV".to_owned(),
        serial: "S1".to_owned(),
        ..Seat::default()
    };
    change(&mut seat);
    Seen {
        seats: Some(vec![seat]),
        ..Seen::default()
    }
}

// proves I7
#[test]
fn a_conflict_on_this_machines_address_is_told_and_fails_where_it_is_refused() {
    let flagged = answers(|met| met.seen = Some(with_seat(|seat| seat.conflicts.push("agent".to_owned()))));
    warns(
        &flagged,
        Check::Conflict,
        "a conflict stands on this machine's address (agent)",
    );
    let waiting = answers(|met| met.seen = Some(with_seat(|seat| seat.waiting.push("agent".to_owned()))));
    warns(&waiting, Check::Conflict, "waits for approval (agent)");
    let refused = answers(|met| {
        let mut seen = with_seat(|seat| seat.conflicts.push("agent".to_owned()));
        seen.explained = Some(Explained {
            status: "CONFLICT".to_owned(),
            text: "it is a copy".to_owned(),
            remedy: "resolve it".to_owned(),
            ..Explained::default()
        });
        met.seen = Some(seen);
    });
    fails(&refused, Check::Conflict, "it is a copy", "resolve it");
}

#[test]
fn closed_enrolment_fails_for_a_component_that_is_refused_and_warns_before_there_is_one() {
    let closed = answers(|met| met.availability = Some(Availability::NotEnrolled));
    warns(&closed, Check::Enrolment, "a component that is new is refused");
    let mut component = with_component(closed.clone(), |_| ());
    component.asked.identity = AskedAs::Component("BKSRV agent".to_owned());
    fails(
        &component,
        Check::Enrolment,
        "BKSRV agent of this machine is not enrolled",
        "seatkeeper agent enrol",
    );
    assert_eq!(Report::new(&component).exit_code(), 5);
    let mut holds = with_component(closed, |one| {
        one.grant = Some(Grant {
            mac: mac(),
            serial: "S1".to_owned(),
            renew_by: None,
        });
    });
    holds.asked.identity = AskedAs::Component("BKSRV agent".to_owned());
    warns(&holds, Check::Enrolment, "as long as the seat");
}

#[test]
fn what_the_server_warns_of_is_told_and_who_may_not_know_is_told_that() {
    let warned = answers(|met| {
        let warnings = vec![("DISK_LOW".to_owned(), "3 MiB are left".to_owned())];
        met.seen = Some(Seen {
            warnings,
            ..Seen::default()
        });
        met.may_view = true;
    });
    warns(&warned, Check::Warnings, "DISK_LOW: 3 MiB are left");
    let (_, unchecked) = judge(&well());
    let told = |check| {
        unchecked
            .iter()
            .any(|one| one.check == check && one.reason.contains("--identity"))
    };
    assert!(
        told(Check::Warnings) && told(Check::Machine) && told(Check::Conflict),
        "{unchecked:#?}"
    );
}

#[test]
fn of_several_failures_the_one_that_the_others_rest_on_is_the_root_cause() {
    let mut facts = with_component(answers(|met| met.availability = Some(Availability::Unknown)), |one| {
        one.pins = vec![OTHER.to_owned()];
    });
    fails(&facts, Check::Pin, "is not the server", "trust");
    facts.mac = Gathered::Unknown("NO_MAC".to_owned());
    fails(&facts, Check::Mac, "NO_MAC", "--mac");
    let report = Report::new(&facts);
    assert_eq!(report.sentence(), "Root cause (MAC): NO_MAC.");
    assert!(
        report.text().ends_with("\n\nRoot cause (MAC): NO_MAC.\n"),
        "{}",
        report.text()
    );
}

#[test]
fn what_servers_call_themselves_moves_no_cursor() {
    let facts = answers(|met| met.name = "a\u{1b}[2Jb".to_owned());
    assert!(!Report::new(&facts).text().contains('\u{1b}'));
}
