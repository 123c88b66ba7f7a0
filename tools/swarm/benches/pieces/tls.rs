//! The handshake, both sides of it: in full, in full with a ticket for the next one, and resumed.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::TicketRequest;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use seatkeeper::tls::{self, Identity, PinRule, Sessions};

use super::Piece;

pub(super) const PIECES: [Piece; 3] = [
    Piece::new("tls: full handshake", || {
        let (client, server) = sides();
        let client = tls::client_config(&client, PinRule::Any).unwrap();
        Box::new(move || assert_eq!(shake_hands(client.clone(), &server), HandshakeKind::Full))
    }),
    Piece::new("tls: full handshake, and a ticket", || {
        let (client, server) = sides();
        let mut config = ClientConfig::clone(&tls::client_config(&client, PinRule::Any).unwrap());
        config.send_ticket_request = Some(TicketRequest {
            new_session_count: 1,
            resumption_count: 1,
        });
        let client = Arc::new(config);
        Box::new(move || assert_eq!(shake_hands(client.clone(), &server), HandshakeKind::Full))
    }),
    Piece::new("tls: resumed handshake, and a ticket", || {
        let (client, server) = sides();
        let sessions = Sessions::default();
        let next = move || {
            let place = SocketAddr::from(([127, 0, 0, 1], 17_328));
            sessions.config(place, &client, PinRule::Any).unwrap()
        };
        shake_hands(next(), &server);
        // The one that this is of has a ticket, and each gets another.
        let client = next();
        shake_hands(client.clone(), &server);
        Box::new(move || assert_eq!(shake_hands(client.clone(), &server), HandshakeKind::Resumed))
    }),
];

fn sides() -> (Identity, Arc<ServerConfig>) {
    let server = Identity::generate().unwrap();
    (Identity::generate().unwrap(), tls::server_config(&server).unwrap())
}

/// From the first byte until neither side has more to say, with what each asks before it believes the other.
fn shake_hands(client: Arc<ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
    let mut client = ClientConnection::new(client, tls::server_name()).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut there = bytes.as_slice();
        while !there.is_empty() {
            server.read_tls(&mut there).unwrap();
            server.process_new_packets().unwrap();
        }
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut there = bytes.as_slice();
        while !there.is_empty() {
            client.read_tls(&mut there).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    black_box(tls::peer_fingerprint(&client).unwrap());
    black_box(tls::peer_fingerprint(&server).unwrap());
    server.handshake_kind().unwrap()
}
