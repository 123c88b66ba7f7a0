mod administration;
mod answers;
mod connection;
mod deployment;
mod explaining;
mod refusals;
mod responder;
mod shares;
mod stopping;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::SessionConfig;
use super::lease::{self, LeaseKey};
use super::server::{Action, Peer, Reason, RequestTag, ServerSession};
use super::translate::{checkout_of, release_of, reply_of_checkout, reply_of_release};
use super::{Answer, ClientError, ClientEvent, ClientSession, Greeting, KeyOutcome, Work};
use crate::domain::change::Server;
use crate::domain::command::{Checkout, Command, Rebind, Release, Role};
use crate::domain::denial::{Denial, Denied, SeatsInUse, Subject};
use crate::domain::ids::{Fingerprint, Mac, ProductKey, Serial, ServerId, VendorId};
use crate::domain::reply::{Counts, Grant, GrantKind, Listing, Reply, SeatRow};
use crate::domain::seat::{Binding, Bound, Conflict, ConflictKind, EndCause, FormerSeat, MachineNote, Seat, SeatKey};
use crate::domain::time::{Monotonic, Timestamp};
use crate::vendor::KeyError;
use crate::wire::discovery::{Offer, Question, Wanted};
use crate::wire::limits::{self, BODY_LEN_MAX, HEADER_LEN, OFFER_DELAY_MS_MAX, OFFERS_PER_SOURCE_PER_SEC};
use crate::wire::messages::seat::Lease;
use crate::wire::messages::{Request, Response, admin, seat, views};
use crate::wire::{Frame, Opcode, Status, decode_frame};

const NOW: Timestamp = Timestamp(1_800_000_000);

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
        let mut config = SessionConfig::new("name".into(), "1.2.3".into(), Monotonic(0));
        config.lease_key = Some(Arc::new(lease_key()));
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

    /// Asks, gives this answer to what was submitted, and says what that was and what arrived.
    fn exchange(&mut self, request: &Request, reply: Reply) -> (Work, Response) {
        self.ask(request);
        let (tag, work) = self.submitted.pop().expect("submitted");
        self.reply(tag, Answer::Reply(Box::new(reply)));
        (work, self.answers().pop().expect("answered"))
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

fn lease_key() -> LeaseKey {
    LeaseKey::from_seed([0x55; 32])
}

fn greeting(role: Role) -> Greeting {
    let server = Server {
        id: ServerId([4; 16]),
        epoch: 3,
        founded_at: Timestamp(1),
        last_backup: None,
    };
    Greeting { role, server }
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
            other_macs: [Mac::new([2, 1, 2, 3, 4, 5]).expect("unicast")].into(),
        },
        rebind: Rebind::Honour,
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
fn the_bounds_of_the_texts_fit_the_frames_that_carry_them() {
    use crate::vendor;
    const { assert!(vendor::CATALOGUE_LEN_MAX <= limits::CATALOGUE_LEN_MAX) };
    const { assert!(vendor::BLACKLIST_LEN_MAX <= limits::BLACKLIST_LEN_MAX) };
    const { assert!(crate::domain::blacklist::CONTACT_LEN_MAX == limits::CONTACT_LEN_MAX) };
    const { assert!(crate::domain::reply::EFFECTS_MAX == limits::EFFECTS_MAX) };
    const { assert!(crate::domain::reservation::HELD_LICENSES_MAX == limits::RESERVED_MAX) };
    const { assert!(crate::domain::reservation::MACHINES_MAX == limits::RESERVED_MAX) };
    const { assert!(vendor::ENTRY_LEN_MAX <= limits::CATALOGUE_ENTRY_LEN_MAX) };
    const { assert!(vendor::CERTIFICATE_LEN_MAX <= limits::CERTIFICATE_LEN_MAX) };
    const { assert!(vendor::OFFLINE_DAYS_MAX == limits::LEASE_DAYS_MAX) };
    const { assert!(vendor::KEY_LEN_MAX <= limits::KEY_LEN_MAX) };
    const { assert!(vendor::NAME_LEN_MAX <= limits::NAME_LEN_MAX) };
    const { assert!(crate::domain::seat::HOST_NAME_LEN_MAX == limits::HOST_NAME_LEN_MAX) };
    const { assert!(crate::domain::seat::OTHER_MACS_MAX == limits::OTHER_MACS_MAX) };
    const { assert!(crate::domain::ids::ID_LEN_MAX == limits::ID_LEN_MAX) };
    const { assert!(crate::domain::command::PAGE_ROWS_MAX == limits::PAGE_ROWS_MAX) };
    const { assert!(crate::domain::catalogue::COMPONENTS_MAX == limits::COMPONENTS_MAX) };
}
