//! What is said of the way to a server, and of who is there.

use super::*;

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
