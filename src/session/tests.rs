use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::responder::{self, Addressed, Facts, Responder};
use super::server::{Action, Peer, Reason, RequestTag, ServerSession, SessionConfig};
use super::translate::{checkout_of, release_of, reply_of_checkout, reply_of_release};
use super::{Answer, ClientError, ClientEvent, ClientSession, Greeting, KeyOutcome, Work};
use crate::domain::change::Server;
use crate::domain::command::{Checkout, Command, Release, Role};
use crate::domain::denial::{Denial, Denied, SeatsInUse, Subject};
use crate::domain::ids::{Fingerprint, Mac, ProductKey, Serial, ServerId, VendorId};
use crate::domain::reply::{Counts, Grant, GrantKind, Listing, Reply, SeatRow};
use crate::domain::seat::{Binding, Bound, Conflict, ConflictKind, EndCause, FormerSeat, MachineNote, Seat, SeatKey};
use crate::domain::time::{Monotonic, Now, Timestamp};
use crate::vendor::KeyError;
use crate::wire::discovery::{Offer, Question, Wanted};
use crate::wire::limits::{self, BODY_LEN_MAX, HEADER_LEN, OFFER_DELAY_MS_MAX, OFFERS_PER_SOURCE_BURST};
use crate::wire::messages::{Request, Response, admin, seat, views};
use crate::wire::{Frame, Opcode, Status, decode_frame};

const NOW: Now = Now::at(1_800_000_000);

/// A server's session and a client's, with the bytes carried by hand.
struct Pair {
    server: ServerSession,
    client: ClientSession,
    submitted: Vec<(RequestTag, Work)>,
    closed: Option<Reason>,
    at: Monotonic,
}

impl Pair {
    fn new() -> Self {
        let at = Monotonic(1_000);
        let config = SessionConfig::new("name".into(), "1.2.3".into(), Monotonic(0));
        Self {
            server: ServerSession::new(Arc::new(config), peer(), at),
            client: ClientSession::new("test 1").expect("short"),
            submitted: Vec::new(),
            closed: None,
            at,
        }
    }

    /// A pair whose HELLO is answered.
    fn greeted(role: Role) -> Self {
        let mut pair = Self::new();
        pair.carry();
        assert_eq!(pair.submitted.pop(), Some((RequestTag(0), Work::Hello)));
        pair.reply(RequestTag(0), Answer::Hello(Box::new(greeting(role))));
        assert!(matches!(pair.client.poll_event(), Some(ClientEvent::Greeted(hello)) if hello.epoch == 3));
        pair
    }

    fn ask(&mut self, request: &Request) {
        self.client.request(request).expect("in bounds");
        self.carry();
    }

    fn reply(&mut self, tag: RequestTag, answer: Answer) {
        self.server.handle_reply(tag, answer, NOW, self.at);
        self.carry();
    }

    fn carry(&mut self) {
        while let Some(bytes) = self.client.poll_transmit() {
            // One byte at a time: no frame may depend on how the stream is cut.
            for byte in &bytes {
                self.server.handle_bytes(&[*byte], self.at);
            }
        }
        for action in std::iter::from_fn(|| self.server.poll_action()) {
            assert_eq!(self.closed, None, "closing is the last action");
            match action {
                Action::Send(bytes) => {
                    for byte in &bytes {
                        drop(self.client.handle_bytes(&[*byte]));
                    }
                }
                Action::Submit { tag, work } => self.submitted.push((tag, work)),
                Action::Close(reason) => self.closed = Some(reason),
            }
        }
    }

    fn answers(&mut self) -> Vec<Response> {
        let events = std::iter::from_fn(|| self.client.poll_event());
        events
            .filter_map(|event| match event {
                ClientEvent::Answered { response, .. } => Some(*response),
                ClientEvent::Greeted(_) => None,
            })
            .collect()
    }
}

fn peer() -> Peer {
    Peer {
        identity: Fingerprint([9; 32]),
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)),
    }
}

fn greeting(role: Role) -> Greeting {
    let server = Server {
        id: ServerId([4; 16]),
        epoch: 3,
        founded_at: Timestamp(1),
    };
    Greeting {
        role,
        server,
        succession: None,
        lease_key: None,
    }
}

fn key() -> SeatKey {
    SeatKey {
        vendor: VendorId([1; 16]),
        product: "BKSRV".parse().expect("an id"),
        mac: Mac::new([0, 1, 2, 3, 4, 5]).expect("unicast"),
    }
}

fn checkout(continuation: u64) -> Checkout {
    Checkout {
        key: key(),
        component: "agent".parse().expect("an id"),
        continuation,
        machine: MachineNote {
            host_name: "host".into(),
            address: Some(peer().address),
            other_macs: vec![Mac::new([2, 1, 2, 3, 4, 5]).expect("unicast")],
        },
    }
}

fn serial() -> Serial {
    Serial::from_random([7; 10])
}

fn sent(session: &mut ServerSession) -> Vec<Frame> {
    let mut bytes = BytesMut::new();
    while let Some(action) = session.poll_action() {
        if let Action::Send(sent) = action {
            bytes.extend_from_slice(&sent);
        }
    }
    std::iter::from_fn(|| decode_frame(&mut bytes).expect("frames")).collect()
}

fn frame(request: &Request, id: u32) -> Bytes {
    let frame = Frame {
        opcode: request.opcode(),
        status: Status::OK,
        request: id,
        body: request.to_body().expect("in bounds"),
    };
    frame.encode().expect("in bounds")
}

#[test]
fn a_checkout_arrives_as_it_was_asked_and_its_grant_as_it_was_given() {
    let grants = [
        GrantKind::Granted,
        GrantKind::Renewed,
        GrantKind::EngagedAgain(FormerSeat {
            ended_at: Timestamp(5),
            cause: EndCause::Idle,
        }),
    ];
    for (number, kind) in grants.into_iter().enumerate() {
        let mut pair = Pair::greeted(Role::Agent);
        let ask = checkout(number as u64);
        pair.ask(&Request::Checkout(checkout_of(&ask)));
        let (tag, work) = pair.submitted.pop().expect("submitted");
        assert_eq!(work, Work::Command(Command::Checkout(ask)));
        let grant = Reply::Seat(Box::new(Grant {
            kind,
            serial: serial(),
            acquired_at: Timestamp(10),
            renew_by: (number > 0).then_some(Timestamp(20)),
            continuation: 77,
            conflict: Some(Conflict {
                kind: ConflictKind::StaleContinuation,
                since: Timestamp(1),
                last_seen: Timestamp(2),
                count: 3,
            }),
            certificate: Bytes::from_static(b"certificate"),
            signed_entry: Bytes::from_static(b"entry"),
        }));
        pair.reply(tag, Answer::Reply(Box::new(grant.clone())));
        let [Response::Checkout(reply)] = &pair.answers()[..] else {
            panic!("not one grant");
        };
        assert_eq!(reply.server_time, NOW.calendar.0);
        assert_eq!(reply_of_checkout(reply.clone()), Ok(grant));
    }
}

#[test]
fn not_counted_and_released_arrive_as_they_were_given() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Renew(checkout_of(&checkout(0))));
    let not_counted = Reply::NotCounted {
        counts: Counts {
            licenses: 1,
            total: 5,
            used: 2,
            free: 3,
            available: 3,
        },
        signed_entry: Bytes::from_static(b"entry"),
    };
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.reply(tag, Answer::Reply(Box::new(not_counted.clone())));
    let [Response::Checkout(reply)] = &pair.answers()[..] else {
        panic!("not one answer");
    };
    assert_eq!(reply_of_checkout(reply.clone()), Ok(not_counted));

    let released = |seat_freed, components_left| Reply::Released {
        seat_freed,
        components_left,
    };
    for given in [Reply::NothingHeld, released(true, 0), released(false, 2)] {
        let ask = Release {
            key: key(),
            component: "agent".parse().expect("an id"),
        };
        pair.ask(&Request::Release(release_of(&ask)));
        let (tag, work) = pair.submitted.pop().expect("submitted");
        assert_eq!(work, Work::Command(Command::Release(ask)));
        pair.reply(tag, Answer::Reply(Box::new(given.clone())));
        let [Response::Release(reply)] = &pair.answers()[..] else {
            panic!("not one answer");
        };
        assert_eq!(reply_of_release(reply), Ok(given));
    }
}

// proves V2
#[test]
fn a_refusal_carries_the_code_the_cause_the_counts_and_the_remedy() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let denied = Denied {
        denial: Denial::SeatsExhausted,
        subject: Subject {
            product: Some(key().product),
            mac: Some(key().mac),
            ..Subject::default()
        },
        seats: Some(SeatsInUse {
            used: 3,
            total: 3,
            earliest_renew_by: Some(Timestamp(99)),
        }),
        former: Some(FormerSeat {
            ended_at: Timestamp(50),
            cause: EndCause::Idle,
        }),
    };
    pair.reply(tag, Answer::Reply(Box::new(Reply::Denied(denied))));
    let [Response::Refused(Status::SEATS_EXHAUSTED, refusal)] = &pair.answers()[..] else {
        panic!("not one refusal");
    };
    assert_eq!(
        (refusal.used, refusal.total, refusal.earliest_renew_by),
        (Some(3), Some(3), Some(99))
    );
    assert_eq!(refusal.former.as_ref().map(|former| former.ended_at), Some(50));
    assert!(
        refusal
            .text
            .contains("no seat of BKSRV is available: 3 of 3 are in use"),
        "{}",
        refusal.text
    );
    assert!(refusal.text.contains("seatkeeper import"), "{}", refusal.text);
}

#[test]
fn every_denial_has_a_text_that_fits_and_a_status_of_its_own() {
    let denials = [
        Denial::AmbiguousProduct,
        Denial::CatalogueNotNewer { held: u64::MAX },
        Denial::IdentityNotBound,
        Denial::LastAdministrator,
        Denial::LicenseExpired,
        Denial::LicenseInUse { seats: u32::MAX },
        Denial::NoLicense,
        Denial::NotAuthorized,
        Denial::ReboundRecently { until: Timestamp(1) },
        Denial::SeatsExhausted,
        Denial::SlowDown { retry_secs: u32::MAX },
        Denial::TooManyComponents,
        Denial::TooManyVendors,
        Denial::UnknownAdministrator,
        Denial::UnknownComponent,
        Denial::UnknownProduct,
        Denial::UnknownSerial,
        Denial::UnknownVendor,
    ];
    let mut statuses = BTreeSet::new();
    for denial in denials {
        let denied = Denied {
            denial,
            subject: Subject {
                product: "P".repeat(24).parse().ok(),
                component: "c".repeat(24).parse().ok(),
                mac: Some(key().mac),
                serial: Some(serial()),
            },
            seats: Some(SeatsInUse {
                used: u64::MAX,
                total: u64::MAX,
                earliest_renew_by: None,
            }),
            former: None,
        };
        let mut pair = Pair::greeted(Role::Agent);
        pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
        let (tag, _) = pair.submitted.pop().expect("submitted");
        pair.reply(tag, Answer::Reply(Box::new(Reply::Denied(denied))));
        let [Response::Refused(status, refusal)] = &pair.answers()[..] else {
            panic!("{denial:?} was not answered");
        };
        assert_ne!(*status, Status::INTERNAL, "{denial:?}");
        assert!(statuses.insert(*status), "{denial:?} shares {status:?}");
        assert!(refusal.text.len() > 20, "{}", refusal.text);
    }
}

#[test]
fn pipelined_requests_are_answered_in_the_order_in_which_they_came() {
    let mut pair = Pair::greeted(Role::Viewer);
    for number in 0..3 {
        pair.ask(&Request::Checkout(checkout_of(&checkout(number))));
    }
    let tags: Vec<_> = pair.submitted.iter().map(|(tag, _)| *tag).collect();
    let answer = |used| {
        Answer::Reply(Box::new(Reply::Denied(Denied {
            seats: Some(SeatsInUse {
                used,
                ..SeatsInUse::default()
            }),
            ..Denial::SeatsExhausted.into()
        })))
    };
    pair.reply(tags[2], answer(2));
    pair.reply(tags[1], answer(1));
    assert_eq!(pair.answers(), []);
    pair.reply(tags[0], answer(0));
    let used: Vec<_> = pair
        .answers()
        .iter()
        .map(|response| match response {
            Response::Refused(_, refusal) => refusal.used,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(used, [Some(0), Some(1), Some(2)]);
}

#[test]
fn sixty_four_requests_are_in_flight_and_the_next_waits_in_the_socket() {
    let mut pair = Pair::greeted(Role::Viewer);
    for _ in 0..limits::IN_FLIGHT_MAX {
        assert!(pair.server.wants_input());
        pair.ask(&Request::Status(views::Status {}));
    }
    assert!(!pair.server.wants_input());
    assert_eq!(
        pair.client.request(&Request::Status(views::Status {})),
        Err(ClientError::Full)
    );
    assert_eq!(pair.submitted.len(), limits::IN_FLIGHT_MAX);
    // What was read along with the last of them is kept, not decided.
    pair.server
        .handle_bytes(&frame(&Request::Status(views::Status {}), 999), pair.at);
    assert_eq!(pair.server.poll_action(), None);
    let first = pair.submitted[0].0;
    pair.server.handle_reply(first, Answer::Busy, NOW, pair.at);
    assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))));
    assert!(matches!(pair.server.poll_action(), Some(Action::Submit { .. })));
    assert!(!pair.server.wants_input());
}

#[test]
fn busy_names_a_time_to_retry() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.reply(tag, Answer::Busy);
    assert!(matches!(
        &pair.answers()[..],
        [Response::Refused(Status::BUSY, refusal)] if refusal.retry_secs == Some(limits::BUSY_RETRY_SECS)
    ));
    assert_eq!(pair.closed, None);
}

#[test]
fn a_request_before_hello_and_a_second_hello_end_the_connection() {
    let config = Arc::new(SessionConfig::new(String::new(), String::new(), Monotonic(0)));
    let mut session = ServerSession::new(config, peer(), Monotonic(0));
    session.handle_bytes(&frame(&Request::Status(views::Status {}), 5), Monotonic(1));
    let actions: Vec<_> = std::iter::from_fn(|| session.poll_action()).collect();
    let [Action::Send(bytes), Action::Close(Reason::OutOfOrder)] = &actions[..] else {
        panic!("{actions:?}");
    };
    let answer = decode_frame(&mut BytesMut::from(&bytes[..]))
        .expect("a frame")
        .expect("whole");
    assert_eq!((answer.status, answer.request), (Status::OUT_OF_ORDER, 5));
    session.handle_bytes(&frame(&Request::Status(views::Status {}), 6), Monotonic(2));
    assert_eq!(session.poll_action(), None, "nothing is read behind the end");

    let mut pair = Pair::greeted(Role::Agent);
    let hello = Request::Hello(crate::wire::messages::hello::Hello {
        version_min: 1,
        version_max: 1,
        ..Default::default()
    });
    pair.ask(&hello);
    assert_eq!(pair.closed, Some(Reason::OutOfOrder));
}

#[test]
fn an_unknown_opcode_is_unsupported_and_the_connection_stays() {
    let mut pair = Pair::greeted(Role::Agent);
    let unknown = Frame {
        opcode: Opcode(0x0777),
        status: Status::OK,
        request: 8,
        body: Bytes::new(),
    };
    pair.server.handle_bytes(&unknown.encode().expect("short"), pair.at);
    let answers = sent(&mut pair.server);
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].opcode, answers[0].status, answers[0].request),
        (Opcode(0x8777), Status::UNSUPPORTED, 8)
    );
    assert!(pair.server.wants_input());
}

#[test]
fn a_header_that_is_no_requests_ends_the_connection_with_a_parting() {
    for (opcode, status, request) in [
        (Opcode(0), Status::OK, 7),
        (Opcode::STATUS.reply(), Status::OK, 7),
        (Opcode::STATUS, Status::BUSY, 7),
        (Opcode::STATUS, Status::OK, 0),
    ] {
        let mut pair = Pair::greeted(Role::Viewer);
        let frame = Frame {
            opcode,
            status,
            request,
            body: Bytes::new(),
        };
        pair.server.handle_bytes(&frame.encode().expect("short"), pair.at);
        let parting = sent(&mut pair.server);
        assert_eq!(
            parting
                .iter()
                .map(|frame| (frame.opcode, frame.status, frame.request))
                .collect::<Vec<_>>(),
            [(Opcode::PARTING, Status::MALFORMED, 0)],
            "{opcode:?} {status:?} {request}"
        );
        assert!(!pair.server.wants_input());
    }
}

#[test]
fn malformed_requests_are_told_behind_the_answers_before_them() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let lower_case = Request::Availability(seat::Availability {
        vendor: None,
        product: "bksrv".into(),
    });
    pair.ask(&lower_case);
    assert_eq!(pair.answers(), []);
    assert_eq!(pair.closed, None);
    assert!(!pair.server.wants_input());
    pair.reply(tag, Answer::Reply(Box::new(Reply::Denied(Denial::NoLicense.into()))));
    let answers = pair.answers();
    assert!(
        matches!(answers[0], Response::Refused(Status::NO_LICENSE, _)),
        "{answers:?}"
    );
    assert!(
        matches!(&answers[1], Response::Refused(Status::MALFORMED, refusal) if refusal.text.contains("Availability.product")),
        "{answers:?}"
    );
    assert_eq!(pair.closed, Some(Reason::Malformed));
}

#[test]
fn a_header_that_is_no_request_ends_the_connection_with_a_parting() {
    let header = |len: u32, opcode: u16, status: u16, request: u32| {
        let mut bytes = len.to_be_bytes().to_vec();
        bytes.extend(opcode.to_be_bytes());
        bytes.extend(status.to_be_bytes());
        bytes.extend(request.to_be_bytes());
        bytes
    };
    for bytes in [
        header(65_537, 0x10, 0, 1),
        header(0, 0x8010, 0, 1),
        header(0, 0x20, 1, 1),
        header(0, 0x20, 0, 0),
    ] {
        let mut pair = Pair::greeted(Role::Agent);
        pair.server.handle_bytes(&bytes, pair.at);
        let actions: Vec<_> = std::iter::from_fn(|| pair.server.poll_action()).collect();
        let [Action::Send(parting), Action::Close(Reason::Malformed)] = &actions[..] else {
            panic!("{actions:?}");
        };
        assert!(matches!(
            pair.client.handle_bytes(parting),
            Err(ClientError::Ended {
                status: Status::MALFORMED,
                ..
            })
        ));
        assert!(pair.client.request(&Request::Status(views::Status {})).is_err());
    }
}

#[test]
fn no_common_version_is_told_with_the_servers_versions() {
    let mut pair = Pair::new();
    let hello = Request::Hello(crate::wire::messages::hello::Hello {
        version_min: 2,
        version_max: 9,
        ..Default::default()
    });
    pair.server.handle_bytes(&frame(&hello, 1), pair.at);
    let answers = sent(&mut pair.server);
    assert_eq!(answers[0].status, Status::VERSION_MISMATCH);
    let answer = Response::decode(Opcode::HELLO, answers[0].status, &answers[0].body);
    assert!(matches!(answer, Ok(Some(Response::Refused(_, refusal))) if refusal.version_max == Some(1)));
}

#[test]
fn a_connection_without_hello_ends_after_five_seconds_and_not_before() {
    let mut pair = Pair::new();
    let due = Monotonic(1_000 + limits::HELLO_MS);
    assert_eq!(pair.server.poll_timeout(), Some(due));
    // Dripping bytes does not count.
    pair.server.handle_bytes(&[0, 0], Monotonic(5_000));
    pair.server.handle_timeout(Monotonic(due.0 - 1));
    assert_eq!(pair.server.poll_action(), None);
    pair.server.handle_timeout(due);
    assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))));
    assert_eq!(pair.server.poll_action(), Some(Action::Close(Reason::HelloDeadline)));
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn the_silence_limit_follows_the_role_and_waits_while_the_server_is_asked() {
    for (role, limit) in [
        (Role::Agent, limits::SILENCE_AGENT_MS),
        (Role::Administrator, limits::SILENCE_ADMINISTRATOR_MS),
    ] {
        let mut pair = Pair::greeted(role);
        assert_eq!(pair.server.poll_timeout(), Some(pair.at.after_millis(limit)));
        pair.at = Monotonic(9_000);
        pair.ask(&Request::Status(views::Status {}));
        assert_eq!(pair.server.poll_timeout(), None, "the peer waits for the server");
        pair.at = Monotonic(20_000);
        let (tag, _) = pair.submitted.pop().expect("submitted");
        pair.reply(tag, Answer::Failed);
        assert_eq!(pair.server.poll_timeout(), Some(pair.at.after_millis(limit)));
        pair.server.handle_timeout(pair.at.after_millis(limit));
        pair.carry();
        assert_eq!(pair.closed, Some(Reason::Silent));
    }
}

#[test]
fn a_stop_answers_what_was_accepted_and_then_parts() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.server.begin_stop(pair.at);
    pair.ask(&Request::Checkout(checkout_of(&checkout(1))));
    assert_eq!(pair.submitted, []);
    assert_eq!(pair.closed, None);
    pair.reply(tag, Answer::Reply(Box::new(Reply::NothingHeld)));
    assert_eq!(pair.closed, Some(Reason::Stopping));
    let answers = pair.answers();
    // A reply that does not belong to the request is a fault of the server, and told as that.
    assert!(
        matches!(answers[..], [Response::Refused(Status::INTERNAL, _)]),
        "{answers:?}"
    );
    assert!(matches!(
        pair.client.handle_bytes(&[]),
        Err(ClientError::Ended {
            status: Status::GOING_AWAY,
            ..
        })
    ));
}

#[test]
fn a_stop_refuses_what_it_had_read_and_not_accepted() {
    let mut pair = Pair::greeted(Role::Agent);
    let whole = frame(&Request::Checkout(checkout_of(&checkout(0))), 2);
    pair.server.handle_bytes(&whole[..whole.len() - 1], pair.at);
    pair.server.begin_stop(pair.at);
    let answers = sent(&mut pair.server);
    assert_eq!(answers.len(), 1, "half a frame was not asked");
    assert_eq!(
        (answers[0].opcode, answers[0].status),
        (Opcode::PARTING, Status::GOING_AWAY)
    );
}

#[test]
fn a_peer_that_closed_its_side_is_still_answered() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Status(views::Status {}));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.server.handle_end(pair.at);
    assert_eq!(pair.server.poll_action(), None);
    pair.reply(tag, Answer::Busy);
    assert_eq!(pair.answers().len(), 1);
    assert_eq!(pair.closed, Some(Reason::PeerClosed));
}

#[test]
fn texts_with_signatures_are_handed_on_unchecked_and_their_faults_told_key_by_key() {
    let mut pair = Pair::greeted(Role::Administrator);
    let keys = vec!["SK1-A".to_owned(), "SK1-B".to_owned()];
    pair.ask(&Request::Import(admin::Import { keys: keys.clone() }));
    pair.ask(&Request::CatalogueImport(admin::CatalogueImport {
        catalogue: Bytes::from_static(b"c"),
    }));
    pair.ask(&Request::VendorTrust(admin::VendorTrust { public_key: [3; 32] }));
    let works: Vec<_> = pair.submitted.iter().map(|(_, work)| work.clone()).collect();
    let catalogue = Work::VerifyCatalogue(Bytes::from_static(b"c"));
    assert_eq!(works, [Work::VerifyKeys(keys), catalogue, Work::TrustVendor([3; 32])]);
    let outcomes = vec![
        KeyOutcome::Unverified(KeyError::BadSignature),
        KeyOutcome::Decided(crate::domain::reply::ImportOutcome::Added {
            serial: serial(),
            product: key().product_key(),
            seats: 10,
        }),
    ];
    pair.reply(pair.submitted[0].0, Answer::Imported(outcomes));
    let [Response::Import(reply)] = &pair.answers()[..] else {
        panic!("not one answer");
    };
    assert_eq!(reply.rows[0].status, Some(Status::BAD_SIGNATURE));
    assert_eq!((reply.rows[1].index, reply.rows[1].seats), (1, Some(10)));
}

#[test]
fn a_page_ends_where_the_next_row_would_not_fit_the_frame() {
    let binding = Binding::Identity(Bound {
        identity: Fingerprint([1; 32]),
        rebound_at: Some(Timestamp(1)),
        displaced: Vec::new(),
        continuation: 1,
        continuation_before: 1,
        conflict: None,
    });
    let row = SeatRow {
        key: key(),
        product_name: "p".repeat(64),
        seat: Seat {
            serial: serial(),
            acquired_at: Timestamp(1),
            renewed_at: Timestamp(2),
            renew_by: None,
            single_use: false,
            machine: MachineNote {
                host_name: "h".repeat(253),
                address: Some(peer().address),
                other_macs: vec![key().mac; 16],
            },
            components: BTreeMap::from([("agent".parse().expect("an id"), binding)]),
        },
    };
    let mut pair = Pair::greeted(Role::Viewer);
    pair.ask(&Request::Seats(views::Seats::default()));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let listing = Listing {
        rows: vec![row; 256],
        more: false,
    };
    pair.server
        .handle_reply(tag, Answer::Reply(Box::new(Reply::Seats(listing))), NOW, pair.at);
    let frames = sent(&mut pair.server);
    assert!(frames[0].body.len() <= BODY_LEN_MAX && frames[0].body.len() > BODY_LEN_MAX - 1_024);
    let page = Response::decode(Opcode::SEATS, Status::OK, &frames[0].body);
    let Ok(Some(Response::Seats(page))) = page else {
        panic!("{page:?}");
    };
    assert!(
        page.more && page.rows.len() < 256 && page.rows.len() > 50,
        "{}",
        page.rows.len()
    );
}

#[test]
fn a_reply_that_was_not_asked_for_ends_the_clients_session() {
    let mut pair = Pair::greeted(Role::Agent);
    let stray = Frame {
        opcode: Opcode::STATUS.reply(),
        status: Status::OK,
        request: 2,
        body: Bytes::new(),
    };
    let bytes = stray.encode().expect("short");
    assert_eq!(bytes.len(), HEADER_LEN);
    assert!(matches!(
        pair.client.handle_bytes(&bytes),
        Err(ClientError::Unasked { request: 2, .. })
    ));
}

#[test]
fn status_tells_the_uptime_and_the_name() {
    let mut pair = Pair::greeted(Role::Viewer);
    pair.ask(&Request::Status(views::Status {}));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.at = Monotonic(61_999);
    let status = crate::domain::reply::Status {
        server: None,
        vendors: Vec::new(),
        products: 1,
        licenses: 2,
        licenses_expired: 1,
        seats: 3,
        conflicts: 0,
        admins: 1,
    };
    pair.reply(tag, Answer::Reply(Box::new(Reply::Status(Box::new(status)))));
    let answers = pair.answers();
    assert!(
        matches!(&answers[..], [Response::Status(status)] if status.uptime_secs == 61 && status.name == "name"),
        "{answers:?}"
    );
}

fn facts() -> Facts {
    Facts {
        server: ServerId([1; 16]),
        fingerprint: Fingerprint([2; 32]),
        name: "name".into(),
        server_version: "1.2.3".into(),
        port: 17_328,
        epoch: 1,
        priority: 100,
        products: BTreeSet::from([ProductKey {
            vendor: VendorId([1; 16]),
            product: key().product,
        }]),
    }
}

fn question(product: Option<&str>) -> [u8; 512] {
    let wanted = product.map(|product| Wanted {
        vendor: [1; 16],
        product: product.into(),
    });
    Question { nonce: [8; 16], wanted }.encode().expect("short")
}

#[test]
fn a_question_gets_an_offer_with_its_nonce_and_whether_the_product_is_held() {
    let mut responder = Responder::new([0; 16], Monotonic(0));
    let from = SocketAddr::from(([10, 0, 0, 9], 40_000));
    for (product, holds) in [(None, None), (Some("BKSRV"), Some(true)), (Some("OTHER"), Some(false))] {
        let times = (Timestamp(77), Monotonic(0));
        let action = responder.handle(&question(product), (from, Addressed::Direct), &facts(), times, 55);
        let responder::Action::Respond { offer, delay_ms: 0 } = action else {
            panic!("{action:?}");
        };
        let offer = Offer::decode(&offer).expect("an offer");
        assert_eq!((offer.nonce, offer.holds, offer.server_time), ([8; 16], holds, 77));
    }
}

#[test]
fn only_group_questions_are_answered_late_and_never_by_more_than_the_bound() {
    let mut responder = Responder::new([0; 16], Monotonic(0));
    let from = SocketAddr::from(([10, 0, 0, 9], 40_000));
    let mut delays = BTreeSet::new();
    for random in 0..300 {
        let times = (Timestamp(0), Monotonic(0));
        let action = responder.handle(&question(None), (from, Addressed::Group), &facts(), times, random);
        let responder::Action::Respond { delay_ms, .. } = action else {
            panic!("{action:?}");
        };
        delays.insert(delay_ms);
    }
    assert_eq!(delays, (0..=OFFER_DELAY_MS_MAX).collect());
}

#[test]
fn a_source_that_asks_too_often_is_ignored_and_others_are_not() {
    let mut responder = Responder::new([5; 16], Monotonic(0));
    let mut ask = |address: [u8; 4], at| {
        let from = SocketAddr::from((address, 40_000));
        responder.handle(
            &question(None),
            (from, Addressed::Direct),
            &facts(),
            (Timestamp(0), Monotonic(at)),
            0,
        )
    };
    let limited = responder::Action::Ignore(responder::Reason::RateLimited);
    for _ in 0..OFFERS_PER_SOURCE_BURST {
        assert_ne!(ask([10, 0, 0, 1], 0), limited);
    }
    assert_eq!(ask([10, 0, 0, 2], 0), limited, "one /24 is one source");
    assert_ne!(ask([10, 0, 1, 1], 0), limited);
    assert_eq!(ask([10, 0, 0, 1], 4), limited);
    assert_ne!(ask([10, 0, 0, 1], 5), limited, "200 a second are one in 5 ms");
}

#[test]
fn all_sources_together_get_no_more_than_the_total() {
    let mut responder = Responder::new([5; 16], Monotonic(0));
    let mut answered = 0_u32;
    for number in 0..5_000_u32 {
        let from = SocketAddr::from((Ipv4Addr::from(0x0b00_0000 + (number << 8)), 40_000));
        let times = (Timestamp(0), Monotonic(0));
        let action = responder.handle(&question(None), (from, Addressed::Direct), &facts(), times, 0);
        answered += u32::from(matches!(action, responder::Action::Respond { .. }));
    }
    assert_eq!(answered, limits::OFFERS_PER_SEC);
}

#[test]
fn what_cannot_or_must_not_be_answered_is_ignored_for_a_reason() {
    let mut responder = Responder::new([0; 16], Monotonic(0));
    let mut ask = |bytes: &[u8], from: &str| {
        let from = (from.parse().expect("an address"), Addressed::Group);
        responder.handle(bytes, from, &facts(), (Timestamp(0), Monotonic(0)), 0)
    };
    let malformed = responder::Action::Ignore(responder::Reason::Malformed);
    let bad_source = responder::Action::Ignore(responder::Reason::BadSource);
    assert_eq!(ask(&question(None)[..511], "10.0.0.1:9"), malformed);
    assert_eq!(ask(&question(Some("lower")), "10.0.0.1:9"), malformed);
    for from in [
        "10.0.0.1:0",
        "239.1.1.1:9",
        "255.255.255.255:9",
        "0.0.0.0:9",
        "[ff02::1]:9",
    ] {
        assert_eq!(ask(&question(None), from), bad_source, "{from}");
    }
    assert!(matches!(
        ask(&question(None), "[fe80::1]:9"),
        responder::Action::Respond { .. }
    ));
}

#[test]
fn the_bounds_of_the_texts_fit_the_frames_that_carry_them() {
    use crate::vendor;
    const { assert!(vendor::CATALOGUE_LEN_MAX <= limits::CATALOGUE_LEN_MAX) };
    const { assert!(vendor::CERTIFICATE_LEN_MAX <= limits::CERTIFICATE_LEN_MAX) };
    const { assert!(vendor::KEY_LEN_MAX <= limits::KEY_LEN_MAX) };
    const { assert!(vendor::NAME_LEN_MAX <= limits::NAME_LEN_MAX) };
    const { assert!(crate::domain::seat::HOST_NAME_LEN_MAX == limits::HOST_NAME_LEN_MAX) };
    const { assert!(crate::domain::seat::OTHER_MACS_MAX == limits::OTHER_MACS_MAX) };
    const { assert!(crate::domain::ids::ID_LEN_MAX == limits::ID_LEN_MAX) };
    const { assert!(crate::domain::command::PAGE_ROWS_MAX == limits::PAGE_ROWS_MAX) };
    const { assert!(crate::domain::catalogue::COMPONENTS_MAX == limits::COMPONENTS_MAX) };
}
