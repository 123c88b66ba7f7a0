//! The protocol: what a connection's task and the responder do, without their sockets.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use seatkeeper::domain::change::Server;
use seatkeeper::domain::command::Role;
use seatkeeper::domain::ids::{Fingerprint, ServerId};
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::{Monotonic, Timestamp};
use seatkeeper::session::responder::Action as Said;
use seatkeeper::session::{
    Action, Addressed, Answer, Facts, Greeting, Peer, RequestTag, Responder, ServerSession, SessionConfig,
};
use seatkeeper::wire::discovery::{Question, Wanted};
use seatkeeper::wire::messages::hello::Hello;
use seatkeeper::wire::messages::seat::Checkout;
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};

use super::Piece;
use super::ledger::{self, NOW, Site};
use super::signed::Vendor;

pub(super) const PIECES: [Piece; 5] = [
    Piece::new("wire: read a renewal", || {
        let body = renewal().to_body().unwrap();
        Box::new(move || {
            black_box(Request::decode(Opcode::RENEW, black_box(&body)).unwrap());
        })
    }),
    Piece::new("wire: read a grant", || {
        let bytes = granted();
        Box::new(move || {
            let frame = decode_frame(&mut BytesMut::from(&bytes[..])).unwrap().unwrap();
            black_box(Response::decode(frame.opcode.request(), frame.status, &frame.body).unwrap());
        })
    }),
    Piece::new("session: a renewal comes and its grant goes", || session(1)),
    Piece {
        name: "session: 16 renewals come at once and their grants go",
        prepare: || session(16),
        requests: 16,
    },
    Piece::new("discovery: a question comes and an offer goes", discovery),
];

const AT: Monotonic = Monotonic(1_000);
const SERVER_TIME: Timestamp = Timestamp(1_800_000_000);

fn renewal() -> Request {
    let product = Vendor::new().product();
    Request::Renew(Checkout {
        vendor: product.vendor.0,
        product: product.product.as_str().to_owned(),
        component: super::signed::component().as_str().to_owned(),
        mac: ledger::mac(7).bytes(),
        continuation: 0x0102_0304_0506_0708,
        host_name: Some("swarm0000007".to_owned()),
        other_macs: vec![[6, 0x5e, 0, 0, 0, 7]],
        ..Checkout::default()
    })
}

fn framed(request: u32, asked: &Request) -> Bytes {
    let frame = Frame {
        opcode: asked.opcode(),
        status: Status::OK,
        request,
        body: asked.to_body().unwrap(),
    };
    frame.encode().unwrap()
}

/// What the ledger replies to a renewal.
fn grant() -> Reply {
    let mut site = Site::with(8);
    let command = site.checkout(7, 0);
    site.ledger.apply(ledger::actor(7), &command, NOW).0
}

/// What it is on the wire.
fn granted() -> Bytes {
    let mut session = greeted();
    session.handle_bytes(&framed(2, &renewal()), AT);
    let tag = submitted(&mut session).next().unwrap();
    session.handle_reply(tag, Answer::Reply(Box::new(grant())), SERVER_TIME, AT);
    sent(&mut session)
}

fn submitted(session: &mut ServerSession) -> impl Iterator<Item = RequestTag> {
    std::iter::from_fn(|| match session.poll_action()? {
        Action::Submit { tag, work } => {
            black_box(work);
            Some(tag)
        }
        other => panic!("{other:?}"),
    })
}

fn sent(session: &mut ServerSession) -> Bytes {
    match session.poll_action() {
        Some(Action::Send(bytes)) => bytes,
        other => panic!("{other:?}"),
    }
}

/// A session of an agent whose HELLO is answered.
fn greeted() -> ServerSession {
    let config = SessionConfig::new("seats".to_owned(), "1.0.0".to_owned(), Monotonic(0));
    let peer = Peer {
        identity: ledger::identity(7),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let mut session = ServerSession::new(Arc::new(config), peer, AT);
    let hello = Request::Hello(Hello {
        version_min: 1,
        version_max: 1,
        client: "bench 1".to_owned(),
        in_flight_max: 64,
    });
    session.handle_bytes(&framed(1, &hello), AT);
    let tag = submitted(&mut session).next().unwrap();
    let greeting = Greeting {
        role: Role::Agent,
        server: Server {
            id: ServerId([4; 16]),
            epoch: 1,
            founded_at: Timestamp(1),
            last_backup: None,
        },
    };
    session.handle_reply(tag, Answer::Hello(Box::new(greeting)), SERVER_TIME, AT);
    sent(&mut session);
    session
}

/// So many requests that come in one piece.
fn session(at_once: u32) -> Box<dyn FnMut()> {
    let mut session = greeted();
    let bytes: Vec<u8> = (0..at_once)
        .flat_map(|request| framed(2 + request, &renewal()))
        .collect();
    let reply = grant();
    Box::new(move || {
        session.handle_bytes(black_box(&bytes), AT);
        let tags: Vec<_> = submitted(&mut session).collect();
        assert_eq!(tags.len(), at_once as usize);
        for tag in tags {
            session.handle_reply(tag, Answer::Reply(Box::new(reply.clone())), SERVER_TIME, AT);
            black_box(sent(&mut session));
        }
    })
}

fn discovery() -> Box<dyn FnMut()> {
    let product = Vendor::new().product();
    let facts = Facts {
        server: ServerId([4; 16]),
        fingerprint: Fingerprint([9; 32]),
        name: "seats".to_owned(),
        server_version: "1.0.0".to_owned(),
        port: 17_328,
        epoch: 1,
        priority: 100,
        products: BTreeSet::from([product]),
    };
    let question = Question {
        nonce: [3; 16],
        wanted: Some(Wanted {
            vendor: product.vendor.0,
            product: product.product.as_str().to_owned(),
        }),
    };
    let datagram = question.encode().unwrap();
    let mut responder = Responder::new([1; 16], AT);
    let from = SocketAddr::from(([192, 0, 2, 7], 40_000));
    let mut millis = 1_000;
    Box::new(move || {
        // As long after the one before that none is over a limit.
        millis += 1_000;
        let clocks = (SERVER_TIME, Monotonic(millis));
        let said = responder.handle(&datagram, (from, Addressed::Direct), &facts, clocks, 7);
        assert!(matches!(said, Said::Respond { .. }), "{said:?}");
        black_box(said);
    })
}
