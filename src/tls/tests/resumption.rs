//! Sessions that are resumed: whoever connects again is who it was, and nobody else.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Mutex;

use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::server::{ProducesTickets, ServerSessionMemoryCache};
use rustls::{CertificateError, Error, NamedGroup, PeerMisbehaved};

use super::*;

type Pair = (ClientConnection, ServerConnection);

fn identities<const N: usize>() -> [Identity; N] {
    [(); N].map(|()| Identity::generate().unwrap())
}

fn place(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 17_328))
}

/// Connects as a program does that has these sessions.
fn connect(
    sessions: &Sessions,
    to: SocketAddr,
    (client, pins): (&Identity, PinRule),
    server: &Arc<ServerConfig>,
) -> Result<Pair, Error> {
    shake_hands(sessions.config(to, client, pins).unwrap(), server.clone())
}

#[track_caller]
fn kind((client, server): &Pair) -> HandshakeKind {
    assert_eq!(client.handshake_kind(), server.handshake_kind());
    assert_eq!(is_resumed(client), is_resumed(server));
    client.handshake_kind().unwrap()
}

/// Who each side takes the other for: the client, the server.
fn seen((client, server): &Pair) -> [[u8; 32]; 2] {
    [peer_fingerprint(server).unwrap(), peer_fingerprint(client).unwrap()]
}

/// Sessions of a program that has connected twice, as it does before it resumes.
fn acquainted(to: SocketAddr, client: &Identity, pins: &PinRule, server: &Arc<ServerConfig>) -> Sessions {
    let sessions = Sessions::default();
    for _ in 0..2 {
        let pair = connect(&sessions, to, (client, pins.clone()), server).unwrap();
        assert_eq!(kind(&pair), HandshakeKind::Full);
    }
    sessions
}

#[test]
fn who_connects_again_resumes_and_is_who_proved_itself_before() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = Sessions::default();
    let pins = PinRule::OneOf(vec![bob.fingerprint()]);
    for (kind_expected, tickets) in [
        (HandshakeKind::Full, 0),
        (HandshakeKind::Full, 1),
        (HandshakeKind::Resumed, 1),
        (HandshakeKind::Resumed, 1),
    ] {
        let pair = connect(&sessions, place(1), (&alice, pins.clone()), &server).unwrap();
        assert_eq!(kind(&pair), kind_expected);
        assert_eq!(seen(&pair), [alice.fingerprint(), bob.fingerprint()]);
        assert_eq!(pair.0.tls13_tickets_received(), tickets);
        // New keys are agreed on each time: what was recorded stays closed to who has the ticket's secret later.
        assert!(pair.0.negotiated_key_exchange_group().is_some());
    }
}

#[test]
fn who_connects_once_costs_the_server_no_ticket_and_others_one() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let request = |count| {
        Some(rustls::client::TicketRequest {
            new_session_count: count,
            resumption_count: count,
        })
    };
    let once = client_config(&alice, PinRule::Any).unwrap();
    // What another client says: nothing, as one that does not know how to say it, or more than there are.
    for (asked, got) in [(once.send_ticket_request, 0), (None, 1), (request(9), 1)] {
        let mut config = ClientConfig::clone(&once);
        config.send_ticket_request = asked;
        let (client, _) = shake_hands(Arc::new(config), server.clone()).unwrap();
        assert_eq!(client.tls13_tickets_received(), got, "{asked:?}");
    }
}

#[test]
fn who_connects_once_at_a_time_proves_itself_each_time() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let client = client_config(&alice, PinRule::Any).unwrap();
    for _ in 0..3 {
        let pair = shake_hands(client.clone(), server.clone()).unwrap();
        assert_eq!(kind(&pair), HandshakeKind::Full);
    }
}

#[test]
fn a_server_that_was_started_anew_takes_no_old_ticket_and_a_full_handshake_follows() {
    let [alice, bob] = identities();
    let pins = PinRule::OneOf(vec![bob.fingerprint()]);
    let before = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &alice, &pins, &before);
    let after = server_config(&bob).unwrap();
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let pair = connect(&sessions, place(1), (&alice, pins.clone()), &after).unwrap();
        assert_eq!(kind(&pair), expected);
        assert_eq!(seen(&pair), [alice.fingerprint(), bob.fingerprint()]);
    }
}

#[test]
fn another_identity_at_the_place_of_the_server_is_seen_and_refused_where_another_is_pinned() {
    let [alice, bob, other] = identities();
    let pinned = PinRule::OneOf(vec![bob.fingerprint()]);
    for pins in [PinRule::Any, pinned.clone()] {
        let sessions = acquainted(place(1), &alice, &pins, &server_config(&bob).unwrap());
        let outcome = connect(
            &sessions,
            place(1),
            (&alice, pins.clone()),
            &server_config(&other).unwrap(),
        );
        if pins == pinned {
            let error = std::io::Error::other(outcome.unwrap_err());
            let fingerprint = other.fingerprint();
            assert_eq!(wrong_pin(&error), Some(WrongPin { fingerprint }));
        } else {
            let pair = outcome.unwrap();
            assert_eq!(kind(&pair), HandshakeKind::Full);
            assert_eq!(seen(&pair), [alice.fingerprint(), other.fingerprint()]);
        }
    }
}

#[test]
fn a_session_counts_for_the_pins_under_which_it_was_made_alone() {
    let [alice, bob, other] = identities();
    let server = server_config(&bob).unwrap();
    let (admitted, distrusted) = (
        PinRule::OneOf(vec![bob.fingerprint(), other.fingerprint()]),
        PinRule::OneOf(vec![other.fingerprint()]),
    );
    let sessions = acquainted(place(1), &alice, &admitted, &server);
    for pins in [distrusted, PinRule::OneOf(Vec::new())] {
        let error = connect(&sessions, place(1), (&alice, pins), &server)
            .map(|_| ())
            .unwrap_err();
        let fingerprint = bob.fingerprint();
        assert_eq!(wrong_pin(&std::io::Error::other(error)), Some(WrongPin { fingerprint }));
    }
    // Others that admit it as well: it proves itself to them.
    for pins in [PinRule::Any, PinRule::OneOf(vec![bob.fingerprint()])] {
        let pair = connect(&sessions, place(1), (&alice, pins), &server).unwrap();
        assert_eq!(kind(&pair), HandshakeKind::Full);
    }
    let pair = connect(&sessions, place(1), (&alice, admitted), &server).unwrap();
    assert_eq!(kind(&pair), HandshakeKind::Resumed);
}

#[test]
fn a_session_is_offered_by_its_identity_alone_and_at_its_place_alone() {
    let [alice, carol, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &alice, &PinRule::Any, &server);
    let mut elsewhere = place(1);
    elsewhere.set_port(17_329);
    for to in [place(2), elsewhere] {
        let config = sessions.config(to, &alice, PinRule::Any).unwrap();
        assert_eq!(ticket_in(&hello_of(config).1), None, "{to}");
    }
    let pair = connect(&sessions, place(1), (&carol, PinRule::Any), &server).unwrap();
    assert_eq!(kind(&pair), HandshakeKind::Full);
    assert_eq!(seen(&pair), [carol.fingerprint(), bob.fingerprint()]);
    let pair = connect(&sessions, place(1), (&alice, PinRule::Any), &server).unwrap();
    assert_eq!(kind(&pair), HandshakeKind::Resumed);
    assert_eq!(seen(&pair), [alice.fingerprint(), bob.fingerprint()]);
}

#[test]
fn a_servers_certificate_with_another_key_is_refused_also_by_who_had_a_ticket() {
    let [alice, victim, thief] = identities();
    let mut config = ServerConfig::clone(&server_config(&thief).unwrap());
    config.cert_resolver = stolen(&victim, &thief);
    let stealing = Arc::new(config);
    for pins in [PinRule::Any, PinRule::OneOf(vec![victim.fingerprint()])] {
        let sessions = acquainted(place(1), &alice, &pins, &server_config(&victim).unwrap());
        let error = connect(&sessions, place(1), (&alice, pins), &stealing)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error, Error::InvalidCertificate(CertificateError::BadSignature));
    }
}

#[test]
fn a_clients_certificate_with_another_key_is_refused_also_where_it_had_a_ticket() {
    let [bob, victim, thief] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &thief, &PinRule::Any, &server);
    let mut config = ClientConfig::clone(&sessions.config(place(1), &thief, PinRule::Any).unwrap());
    let own = Arc::new(config.clone());
    config.client_auth_cert_resolver = stolen(&victim, &thief);
    // Once with the ticket that is there, once without.
    for _ in 0..2 {
        let error = refusal(Arc::new(config.clone()), server.clone());
        assert_eq!(error, Error::InvalidCertificate(CertificateError::BadSignature));
    }
    let pair = shake_hands(own, server).unwrap();
    assert_eq!(seen(&pair), [thief.fingerprint(), bob.fingerprint()]);
}

/// What a client says first.
fn hello_of(config: Arc<ClientConfig>) -> (ClientConnection, Vec<u8>) {
    let mut client = ClientConnection::new(config, server_name()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    assert!(!client.wants_write(), "no more than that");
    (client, hello)
}

/// Where the ticket is in it: the extension `pre_shared_key` is the last one.
fn ticket_in(hello: &[u8]) -> Option<Range<usize>> {
    let number = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    let is_it = |at: &usize| number(*at) == 41 && at + 4 + number(at + 2) == hello.len();
    let at = (0..hello.len() - 8).find(is_it)?;
    Some(at + 8..at + 8 + number(at + 6))
}

fn hear(server: &mut ServerConnection, mut bytes: &[u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        server.read_tls(&mut bytes).unwrap();
        server.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn a_ticket_is_worth_nothing_to_who_has_not_its_secret() {
    let [bob, victim, mut thief] = identities();
    let len = |identity: &Identity| identity.certified_key().cert[0].len();
    while len(&thief) != len(&victim) {
        thief = Identity::generate().unwrap();
    }
    let server = server_config(&bob).unwrap();
    let hello = |identity: &Identity| {
        let sessions = acquainted(place(1), identity, &PinRule::Any, &server);
        hello_of(sessions.config(place(1), identity, PinRule::Any).unwrap()).1
    };
    let (of_victim, of_thief) = (hello(&victim), hello(&thief));
    let (from, to) = (ticket_in(&of_victim).unwrap(), ticket_in(&of_thief).unwrap());
    let mut spliced = of_thief.clone();
    spliced[to].copy_from_slice(&of_victim[from]);
    let mut taken = ServerConnection::new(server.clone()).unwrap();
    let refused = hear(&mut taken, &spliced);
    assert_eq!(refused, Err(PeerMisbehaved::IncorrectBinder.into()));
    // As each of them stands it would have been taken.
    for whole in [of_victim, of_thief] {
        let mut taken = ServerConnection::new(server.clone()).unwrap();
        hear(&mut taken, &whole).unwrap();
        assert_eq!(taken.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn a_resumed_session_that_was_recorded_gets_nobody_through_the_handshake() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &alice, &PinRule::Any, &server);
    let (mut client, hello) = hello_of(sessions.config(place(1), &alice, PinRule::Any).unwrap());
    let mut first = ServerConnection::new(server.clone()).unwrap();
    hear(&mut first, &hello).unwrap();
    let mut answer = Vec::new();
    first.write_tls(&mut answer).unwrap();
    client.read_tls(&mut answer.as_slice()).unwrap();
    client.process_new_packets().unwrap();
    let mut rest = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut rest).unwrap();
    }
    hear(&mut first, &rest).unwrap();
    assert!(!first.is_handshaking());
    assert_eq!(peer_fingerprint(&first).unwrap(), alice.fingerprint());
    let mut again = ServerConnection::new(server).unwrap();
    hear(&mut again, &hello).unwrap();
    assert_eq!(hear(&mut again, &rest), Err(Error::DecryptError));
    assert!(again.is_handshaking());
}

#[test]
fn a_ticket_with_a_changed_byte_is_none() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &alice, &PinRule::Any, &server);
    let (_, hello) = hello_of(sessions.config(place(1), &alice, PinRule::Any).unwrap());
    for at in ticket_in(&hello).unwrap() {
        let mut changed = hello.clone();
        changed[at] ^= 1;
        let mut taken = ServerConnection::new(server.clone()).unwrap();
        hear(&mut taken, &changed).unwrap();
        assert_eq!(taken.handshake_kind(), Some(HandshakeKind::Full), "byte {at}");
    }
}

#[test]
fn the_protocol_is_agreed_on_anew() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &alice, &PinRule::Any, &server);
    let mut config = ClientConfig::clone(&sessions.config(place(1), &alice, PinRule::Any).unwrap());
    config.alpn_protocols = Vec::new();
    let pair = shake_hands(Arc::new(config.clone()), server.clone()).unwrap();
    assert_eq!(kind(&pair), HandshakeKind::Resumed);
    assert!(matches!(peer_fingerprint(&pair.1), Err(TlsError::OtherProtocol)));
    assert!(matches!(peer_fingerprint(&pair.0), Err(TlsError::OtherProtocol)));
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert_eq!(refusal(Arc::new(config), server), Error::NoApplicationProtocol);
}

/// A client's store whose tickets say that early data may be sent with them.
#[derive(Debug, Default)]
struct Eager(Mutex<Vec<Tls13ClientSessionValue>>);

impl ClientSessionStore for Eager {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }
    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
    fn insert_tls13_ticket(&self, _: ServerName<'static>, mut value: Tls13ClientSessionValue) {
        value._private_set_max_early_data_size(1_000);
        self.0.lock().unwrap().push(value);
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.lock().unwrap().pop()
    }
}

#[test]
fn a_server_takes_no_early_data_whatever_a_client_makes_of_its_ticket() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let mut config = ClientConfig::clone(&client_config(&alice, PinRule::Any).unwrap());
    config.enable_early_data = true;
    config.resumption = Resumption::store(Arc::new(Eager::default()));
    config.send_ticket_request = None;
    let config = Arc::new(config);
    shake_hands(config.clone(), server.clone()).unwrap();
    let mut client = ClientConnection::new(config, server_name()).unwrap();
    let mut early = client.early_data().expect("it believes that it may");
    std::io::Write::write_all(&mut early, b"early").unwrap();
    let server = ServerConnection::new(server).unwrap();
    let (client, mut server) = carry(client, server).unwrap();
    assert_eq!(server.handshake_kind(), Some(HandshakeKind::Resumed));
    assert!(!client.is_early_data_accepted());
    assert!(server.early_data().is_none());
    let read = std::io::Read::read(&mut server.reader(), &mut [0; 8]);
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nothing came");
}

/// A server that keeps sessions instead of handing them out.
#[derive(Debug)]
struct NoTicketer;

impl ProducesTickets for NoTicketer {
    fn enabled(&self) -> bool {
        false
    }
    fn lifetime(&self) -> u32 {
        0
    }
    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn a_client_sends_no_early_data_to_a_server_that_would_take_it() {
    let [alice, bob] = identities();
    let mut server = ServerConfig::clone(&server_config(&bob).unwrap());
    server.ticketer = Arc::new(NoTicketer);
    server.session_storage = ServerSessionMemoryCache::new(8);
    server.max_early_data_size = 1_000;
    let server = Arc::new(server);
    let sessions = acquainted(place(1), &alice, &PinRule::Any, &server);
    let config = sessions.config(place(1), &alice, PinRule::Any).unwrap();
    let mut client = ClientConnection::new(config, server_name()).unwrap();
    assert!(client.early_data().is_none());
    let pair = carry(client, ServerConnection::new(server).unwrap()).unwrap();
    assert_eq!(kind(&pair), HandshakeKind::Resumed);
}

#[test]
fn sessions_are_few_and_that_of_the_longest_ago_goes() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = Sessions::default();
    let most = u8::try_from(SESSIONS_MAX).unwrap();
    let meet = |to| kind(&connect(&sessions, place(to), (&alice, PinRule::Any), &server).unwrap());
    for _ in 0..2 {
        for number in 0..most {
            assert_eq!(meet(number), HandshakeKind::Full);
        }
    }
    assert_eq!(meet(0), HandshakeKind::Resumed);
    assert_eq!(meet(most), HandshakeKind::Full, "one too many");
    assert_eq!(format!("{sessions:?}"), format!("Sessions({SESSIONS_MAX})"));
    assert_eq!(meet(0), HandshakeKind::Resumed, "this one was met lately");
    assert_eq!(meet(1), HandshakeKind::Full, "this one was not");
}

#[test]
fn after_so_many_connections_both_sides_prove_their_keys_anew() {
    let [alice, bob] = identities();
    let server = server_config(&bob).unwrap();
    let sessions = acquainted(place(1), &alice, &PinRule::Any, &server);
    let meet = || kind(&connect(&sessions, place(1), (&alice, PinRule::Any), &server).unwrap());
    for number in 2..RESUMED_MAX {
        assert_eq!(meet(), HandshakeKind::Resumed, "{number}");
    }
    assert_eq!(
        [(); 3].map(|()| meet()),
        [HandshakeKind::Full, HandshakeKind::Full, HandshakeKind::Resumed]
    );
}
