use std::net::Ipv4Addr;

use tokio::task::JoinHandle;

use super::super::listen::Place;
use super::*;
use crate::client::discover::{Found, Scope, Search, discover};
use crate::domain::ids::{Fingerprint, ProductKey, ServerId, VendorId};
use crate::domain::time::Timestamp;
use crate::sockets::paths::PathKind;

struct Server {
    port: u16,
    facts: watch::Sender<Arc<Facts>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn product() -> ProductKey {
    ProductKey {
        vendor: VendorId([3; 16]),
        product: "BKSRV".parse().unwrap(),
    }
}

fn facts(products: &[ProductKey]) -> Arc<Facts> {
    Arc::new(Facts {
        server: ServerId([1; 16]),
        fingerprint: Fingerprint([2; 32]),
        name: "office".to_owned(),
        server_version: "0.1.0".to_owned(),
        port: 4_711,
        epoch: 9,
        priority: 100,
        products: products.iter().copied().collect(),
    })
}

impl Server {
    fn start(listen: ListenFilter) -> Self {
        let sockets = ServerSockets::bind(0).unwrap();
        let port = sockets.port().unwrap();
        let (facts, told) = watch::channel(facts(&[]));
        let stop = CancellationToken::new();
        let discovery = Discovery::new(sockets, listen, told, Clock::manual(Timestamp(1_000))).unwrap();
        let task = tokio::spawn(discovery.run(stop.clone()));
        Self {
            port,
            facts,
            stop,
            task,
        }
    }

    async fn found(&self, scope: Scope, deadline_millis: u64) -> Vec<Found> {
        let search = Search {
            wanted: Some(product()),
            scope,
            deadline: Duration::from_millis(deadline_millis),
            every_path: true,
        };
        discover(&search).unwrap().all().await
    }

    fn at(&self, address: [u8; 4]) -> Scope {
        Scope::Server((Ipv4Addr::from(address), self.port).into())
    }
}

#[tokio::test]
async fn a_server_answers_with_its_newest_facts() {
    let server = Server::start(ListenFilter::default());
    let offers = server.found(server.at([127, 0, 0, 1]), 200).await;
    let [found] = offers.as_slice() else {
        panic!("{offers:?}")
    };
    assert_eq!((found.server(), found.offer.epoch), (ServerId([1; 16]), 9));
    assert_eq!(found.offer.server_time, 1_000);
    assert_eq!(found.offer.holds, Some(false));
    server.facts.send(facts(&[product()])).unwrap();
    let offers = server.found(server.at([127, 0, 0, 1]), 200).await;
    assert_eq!(offers.first().unwrap().offer.holds, Some(true));
}

#[tokio::test]
async fn a_server_answers_from_the_address_that_was_asked() {
    let server = Server::start(ListenFilter::default());
    let offers = server.found(server.at([127, 0, 0, 2]), 200).await;
    assert_eq!(offers.first().unwrap().source, ([127, 0, 0, 2], server.port).into());
}

#[tokio::test]
async fn a_server_that_listens_on_this_host_only_is_found_on_it_and_nowhere_else() {
    let loopback = ListenFilter::on(vec![Place::Address(Ipv4Addr::LOCALHOST.into())]);
    let server = Server::start(loopback);
    let offers = server.found(Scope::Everywhere { port: server.port }, 1_000).await;
    for kind in [PathKind::DirectedBroadcast, PathKind::MulticastV4] {
        assert!(offers.iter().any(|found| found.kind == kind), "{offers:?}");
    }
    for found in &offers {
        assert_eq!(found.source, (Ipv4Addr::LOCALHOST, server.port).into());
        assert_eq!(found.interface, "lo");
    }
    let elsewhere = server.found(server.at([127, 0, 0, 2]), 400).await;
    assert_eq!(elsewhere, []);
}

#[tokio::test]
async fn a_server_that_stops_frees_its_port() {
    let server = Server::start(ListenFilter::default());
    assert!(ServerSockets::bind(server.port).is_err());
    server.stop.cancel();
    server.task.await.unwrap();
    ServerSockets::bind(server.port).unwrap();
}

#[tokio::test]
async fn what_is_no_question_gets_no_answer() {
    let server = Server::start(ListenFilter::default());
    let asker = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for junk in [&[0; 512][..], &[], &[b'S'; 4_000]] {
        asker.send_to(junk, ("127.0.0.1", server.port)).await.unwrap();
    }
    let mut buffer = [0; 16];
    let answer = tokio::time::timeout(Duration::from_millis(300), asker.recv_from(&mut buffer)).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(server.found(server.at([127, 0, 0, 1]), 200).await.len(), 1);
}

/// A responder of no server, whose sockets nobody asks.
fn responder() -> Discovery {
    let (_, told) = watch::channel(facts(&[]));
    let sockets = ServerSockets::bind(0).unwrap();
    let clock = Clock::manual(Timestamp(1_000));
    Discovery::new(sockets, ListenFilter::default(), told, clock).unwrap()
}

/// Whether a question that comes in on `lo` is answered.
fn is_answered(discovery: &mut Discovery, source: [u8; 4], destination: [u8; 4]) -> bool {
    let question = crate::wire::discovery::Question {
        nonce: [1; 16],
        wanted: None,
    };
    let question = question.encode().unwrap();
    let received = Received {
        len: QUESTION_LEN,
        source: (source, 40_000).into(),
        destination: Some(destination.into()),
        local: Some(Ipv4Addr::LOCALHOST.into()),
        interface: discovery.interfaces.iter().find(|one| one.name == "lo").unwrap().index,
    };
    // Some answers wait for no time at all; not all of so many.
    for _ in 0..20 {
        discovery.handle(&question, &received);
    }
    let is_answered = discovery.delayed.next_due_millis().is_some();
    discovery.delayed = Delayed::new();
    is_answered
}

#[tokio::test]
async fn a_question_that_claims_to_come_from_everybody_on_a_network_is_not_answered() {
    let mut discovery = responder();
    assert!(!is_answered(&mut discovery, [127, 255, 255, 255], GROUP_V4.octets()));
    assert!(is_answered(&mut discovery, [127, 0, 0, 9], GROUP_V4.octets()));
}

#[tokio::test]
async fn a_question_that_the_site_left_out_is_not_answered_until_it_is_heard_again() {
    let (answers, answering) = watch::channel(Answering::default());
    let mut discovery = responder().within(answering);
    let mut by = |destination| is_answered(&mut discovery, [127, 0, 0, 9], destination);
    let (broadcast, group) = ([127, 255, 255, 255], GROUP_V4.octets());
    assert!(by(broadcast) && by(group));
    answers.send_modify(|answering| answering.heard.multicast = false);
    assert!(by(broadcast) && !by(group));
    answers.send_modify(|answering| answering.heard = Heard::default());
    assert!(by(broadcast) && by(group));
    answers.send_modify(|answering| answering.heard.interfaces.not = vec!["l*".to_owned()]);
    assert!(!by(broadcast) && !by(group));
}
