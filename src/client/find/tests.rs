use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use super::*;
use crate::client::discover::DEADLINE;
use crate::sockets::server::ServerSockets;
use crate::sockets::udp::Received;
use crate::sockets::{Groups, interfaces};
use crate::wire::discovery::{Offer, Question};
use crate::wire::limits::{GROUP_V4, GROUP_V6};

/// Answers each question over IPv4 with offers of these servers: number, identity, epoch.
async fn answer(sockets: &ServerSockets, servers: &[(u8, u8, u32)]) {
    let socket = sockets.v4.as_ref().unwrap();
    let mut buffer = [0; 1_024];
    loop {
        let received: Received = socket.receive(&mut buffer).await.unwrap();
        let question = Question::decode(&buffer[..received.len]).unwrap();
        for (server, identity, epoch) in servers {
            let bytes = offer(question.nonce, *server, *identity, *epoch).encode().unwrap();
            socket.send(&bytes, received.source, received.way_back()).unwrap();
        }
    }
}

fn offer(nonce: [u8; 16], server: u8, identity: u8, epoch: u32) -> Offer {
    Offer {
        nonce,
        server: [server; 16],
        fingerprint: [identity; 32],
        port: 4_711,
        epoch,
        priority: 100,
        server_time: 0,
        version_min: 1,
        version_max: 1,
        holds: None,
        name: "office".to_owned(),
        server_version: "0.1.0".to_owned(),
    }
}

fn bound() -> (ServerSockets, u16) {
    let sockets = ServerSockets::bind(0).unwrap();
    let groups = Groups {
        v4: GROUP_V4,
        v6: GROUP_V6,
    };
    sockets.join(groups, &interfaces::list().unwrap(), |_, _| ());
    let port = sockets.port().unwrap();
    (sockets, port)
}

fn quest(port: u16) -> Quest {
    Quest {
        wanted: None,
        port,
        deadline: DEADLINE,
        every_path: false,
    }
}

#[tokio::test]
async fn a_named_server_is_asked_alone_and_a_dead_one_beside_it_costs_nothing() {
    let (sockets, port) = bound();
    // Nobody has that address, and the name cannot be one.
    let servers = ["192.0.2.1".to_owned(), "a..b".to_owned(), format!("127.0.0.1:{port}")];
    let site = Site::only(&servers, 1);
    let mut finder = find(&site, quest(1)).unwrap();
    tokio::select! {
        () = finder.settled() => (),
        () = answer(&sockets, &[(1, 1, 1)]) => unreachable!(),
    };
    let found = finder.offers();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kind, PathKind::Unicast);
    assert_eq!(found[0].source.ip(), Ipv4Addr::LOCALHOST);
    let verdicts = finder.verdicts();
    let [named] = verdicts.as_slice() else {
        panic!("nobody else was asked: {verdicts:?}")
    };
    assert_eq!((named.way, named.answered), (Way::Servers, 1));
    let mut asked = named.asked.clone();
    asked.sort();
    assert_eq!(
        asked,
        [
            format!("127.0.0.1:{port}"),
            "192.0.2.1:1".to_owned(),
            "a..b:1".to_owned()
        ]
    );
    assert!(named.faults[0].contains("cannot find the host a..b"), "{named:?}");
    // In the order in which they were named, for who connects without having been offered anything.
    let alive = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let targets: Vec<_> = finder.named().into_iter().map(|target| target.address).collect();
    assert_eq!(targets, ["192.0.2.1:1".parse().unwrap(), alive]);
}

#[tokio::test]
async fn the_network_and_named_servers_are_asked_at_once_and_each_path_has_its_verdict() {
    let (sockets, port) = bound();
    let mut site = Site::only(&["192.0.2.1"], 1);
    site.ways = BTreeSet::from([Way::Servers, Way::Lan]);
    let mut finder = find(&site, quest(port)).unwrap();
    tokio::select! {
        () = finder.settled() => (),
        () = answer(&sockets, &[(1, 1, 1)]) => unreachable!(),
    };
    let found = finder.offers();
    assert!(found.iter().all(|one| one.kind != PathKind::Unicast), "{found:?}");
    let verdicts = finder.verdicts();
    let told: Vec<_> = verdicts.iter().map(|verdict| (verdict.way, verdict.answered)).collect();
    assert_eq!(told, [(Way::Servers, 0), (Way::Lan, 1)]);
    assert!(verdicts[1].asked.contains(&"lo".to_owned()), "{verdicts:?}");
    assert!(
        finder.tried().contains("named servers: nobody answered (192.0.2.1:1)"),
        "{}",
        finder.tried()
    );
}

#[tokio::test]
async fn where_every_path_is_off_or_empty_a_search_ends_at_once_and_says_so() {
    let site = Site::only::<&str>(&[], 1);
    let long = Duration::from_mins(10);
    let mut finder = find(
        &site,
        Quest {
            deadline: long,
            ..quest(1)
        },
    )
    .unwrap();
    assert_eq!(finder.all().await, []);
    assert_eq!(finder.tried(), "named servers: none is named");
}

#[test]
fn offers_that_cannot_all_be_true_are_told() {
    let found = |server, identity, epoch, last: u8| Found {
        offer: offer([0; 16], server, identity, epoch),
        source: SocketAddr::from(([192, 0, 2, last], 17_328)),
        interface: String::new(),
        kind: PathKind::LimitedBroadcast,
        round_trip_micros: 1,
    };
    let sound = [found(1, 1, 3, 1), found(1, 1, 3, 2), found(2, 2, 0, 3)];
    assert_eq!(oddities(&sound), <[String; 0]>::default());
    let told = |offers: &[Found], part: &str, also: &str| {
        let told = oddities(offers);
        assert!(
            told.len() == 1 && told[0].contains(part) && told[0].contains(also),
            "{told:?}"
        );
    };
    told(
        &[found(1, 1, 3, 1), found(1, 2, 3, 2)],
        "with 2 identities",
        "192.0.2.1:4711, 192.0.2.2:4711",
    );
    told(
        &[found(1, 1, 3, 1), found(2, 1, 3, 2)],
        "by 2 servers",
        "give each server its own",
    );
    told(
        &[found(1, 1, 3, 1), found(1, 1, 4, 2)],
        "with epochs 3, 4",
        "stop the one of the lower epoch",
    );
}
