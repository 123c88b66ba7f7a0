use std::net::Ipv4Addr;

use super::*;
use crate::sockets::server::ServerSockets;

const SECOND: Duration = Duration::from_secs(1);

struct Server {
    sockets: ServerSockets,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let sockets = ServerSockets::bind(0).unwrap();
        let groups = Groups {
            v4: GROUP_V4,
            v6: GROUP_V6,
        };
        sockets.join(groups, &interfaces::list().unwrap(), |_, _| ());
        let port = sockets.port().unwrap();
        Self { sockets, port }
    }

    /// Waits for a question over IPv4 and answers it with what `offers` makes of its nonce.
    async fn answer(&self, offers: impl FnOnce([u8; 16]) -> Vec<Offer>) -> Question {
        let socket = self.sockets.v4.as_ref().unwrap();
        let mut buffer = [0; 1_024];
        let received = socket.receive(&mut buffer).await.unwrap();
        let question = Question::decode(&buffer[..received.len]).unwrap();
        for offer in offers(question.nonce) {
            socket
                .send(&offer.encode().unwrap(), received.source, received.way_back())
                .unwrap();
        }
        question
    }

    fn search(&self, deadline: Duration) -> Search {
        Search {
            scope: Scope::Server((Ipv4Addr::LOCALHOST, self.port).into()),
            deadline,
            ..Search::default()
        }
    }
}

fn offer(nonce: [u8; 16], server: u8) -> Offer {
    Offer {
        nonce,
        server: [server; 16],
        fingerprint: [7; 32],
        port: 4_711,
        epoch: 1,
        priority: 100,
        server_time: 0,
        version_min: 1,
        version_max: 1,
        holds: None,
        name: "office".to_owned(),
        server_version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn a_server_is_found_on_this_host_without_knowing_its_address() {
    let server = Server::start();
    let search = Search {
        scope: Scope::Everywhere { port: server.port },
        ..Search::default()
    };
    let mut discovery = discover(&search).unwrap();
    let serve = async {
        loop {
            server.answer(|nonce| vec![offer(nonce, 1)]).await;
        }
    };
    let found = tokio::select! {
        found = discovery.next() => found.unwrap(),
        () = serve => unreachable!(),
    };
    assert_eq!(found.server(), ServerId([1; 16]));
    assert_eq!(found.tcp_address().port(), 4_711);
    assert!(!found.interface.is_empty());
    assert_ne!(found.kind, PathKind::Unicast);
    assert!(found.round_trip_micros > 0);
}

#[tokio::test]
async fn a_server_is_found_over_ipv4_on_lo_alone() {
    let server = Server::start();
    let lo: Vec<Interface> = interfaces::list().unwrap().into_iter().filter(|i| i.loopback).collect();
    let groups = Groups {
        v4: GROUP_V4,
        v6: GROUP_V6,
    };
    let mut discovery = discover(&server.search(SECOND)).unwrap();
    // The question to the server alone is answered first; the search goes on with those of `lo`.
    discovery.paths = paths::everywhere(&lo, groups, server.port);
    discovery.asker = Asker::new(&discovery.paths);
    discovery.every_path = true;
    let serve = async {
        loop {
            server.answer(|nonce| vec![offer(nonce, 1)]).await;
        }
    };
    let found = tokio::select! {
        found = discovery.all() => found,
        () = serve => unreachable!(),
    };
    let kinds: Vec<PathKind> = found.iter().map(|found| found.kind).collect();
    for kind in [PathKind::DirectedBroadcast, PathKind::MulticastV4] {
        assert!(kinds.contains(&kind), "{found:?}");
    }
    assert!(found.iter().all(|found| found.interface == "lo"));
}

#[tokio::test]
async fn the_question_names_the_product() {
    let server = Server::start();
    let wanted = ProductKey {
        vendor: crate::domain::ids::VendorId([3; 16]),
        product: "BKSRV".parse().unwrap(),
    };
    let search = Search {
        wanted: Some(wanted),
        ..server.search(SECOND)
    };
    let _discovery = discover(&search).unwrap();
    let question = server.answer(|_| Vec::new()).await;
    let expected = Wanted {
        vendor: [3; 16],
        product: "BKSRV".to_owned(),
    };
    assert_eq!(question.wanted, Some(expected));
}

#[tokio::test]
async fn an_offer_that_answers_another_search_is_dropped() {
    let server = Server::start();
    let mut discovery = discover(&server.search(SECOND)).unwrap();
    server
        .answer(|nonce| {
            let mut other = nonce;
            other[15] ^= 1;
            vec![offer(other, 1), offer(nonce, 2)]
        })
        .await;
    assert_eq!(discovery.next().await.unwrap().server(), ServerId([2; 16]));
}

#[tokio::test]
async fn nonces_are_fresh() {
    let server = Server::start();
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let _discovery = discover(&server.search(SECOND)).unwrap();
        nonces.push(server.answer(|_| Vec::new()).await.nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn a_server_is_told_once_for_each_of_its_addresses() {
    let server = Server::start();
    let mut discovery = discover(&server.search(SECOND)).unwrap();
    server
        .answer(|nonce| vec![offer(nonce, 1), offer(nonce, 1), offer(nonce, 2)])
        .await;
    let told: Vec<ServerId> = discovery.all().await.iter().map(Found::server).collect();
    assert_eq!(told, [ServerId([1; 16]), ServerId([2; 16])]);
}

#[tokio::test]
async fn at_most_64_servers_are_kept() {
    let server = Server::start();
    let mut discovery = discover(&server.search(SECOND)).unwrap();
    server
        .answer(|nonce| (0..100).map(|number| offer(nonce, number)).collect())
        .await;
    assert_eq!(discovery.all().await.len(), SERVERS_MAX);
}

#[tokio::test]
async fn paths_to_one_server_take_no_room_from_others() {
    let server = Server::start();
    let mut discovery = discover(&server.search(SECOND)).unwrap();
    discovery.every_path = true;
    for number in 0..100 {
        discovery.interfaces.push(Interface {
            name: format!("eth{number}"),
            index: 1_000 + number,
            ..Interface::default()
        });
    }
    let mut judge = |server, interface| {
        let received = Received {
            len: 0,
            source: (Ipv4Addr::LOCALHOST, 4_711).into(),
            destination: None,
            local: None,
            interface,
        };
        let datagram = offer(discovery.nonce, server).encode().unwrap();
        discovery.judge(&datagram, PathKind::LimitedBroadcast, &received)
    };
    let kept = (1_000..1_100).filter(|&path| judge(1, path).is_some()).count();
    assert_eq!(kept, OFFERS_PER_SERVER_MAX);
    let others = (2..=100).filter(|&server| judge(server, 1_000).is_some()).count();
    assert_eq!(others, SERVERS_MAX - 1);
}

#[tokio::test]
async fn a_search_without_a_path_ends_at_once() {
    let mut discovery = discover(&Search::default()).unwrap();
    discovery.paths.clear();
    let before = clock::monotonic_micros();
    assert_eq!(discovery.next().await, None);
    assert!(clock::monotonic_micros() - before < micros(SECOND));
}

#[tokio::test]
async fn a_lost_question_is_asked_again() {
    let server = Server::start();
    let mut discovery = discover(&server.search(SECOND)).unwrap();
    server.answer(|_| Vec::new()).await;
    let (found, _) = tokio::join!(discovery.next(), server.answer(|nonce| vec![offer(nonce, 1)]));
    assert!(found.is_some());
}

#[tokio::test]
async fn a_search_without_a_server_ends_at_its_deadline() {
    let port = Server::start().port;
    let search = Search {
        scope: Scope::Everywhere { port },
        deadline: Duration::from_millis(400),
        ..Search::default()
    };
    let before = clock::monotonic_micros();
    assert_eq!(discover(&search).unwrap().next().await, None);
    let took_millis = (clock::monotonic_micros() - before) / 1_000;
    assert!((400..1_400).contains(&took_millis), "{took_millis} ms");
}
