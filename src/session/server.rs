//! The server's side of a connection.
//!
//! Requests are answered in the order in which they came, at most [`SessionConfig::in_flight_max`] of them at a
//! time; while that many wait, [`ServerSession::wants_input`] is false and the peer's bytes stay in its socket. Every
//! `handle_` call may leave actions behind: take them with [`ServerSession::poll_action`] until there are none.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::config::SessionConfig;
use super::inbox::Inbox;
use super::lease;
use super::spoken::{encode, parting};
use super::translate::{Answer, Context, Work, malformed, respond, work_of};
use crate::domain::command::{Actor, Role};
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::time::{Monotonic, Timestamp};
use crate::wire::messages::hello::{Hello, Refusal};
use crate::wire::messages::seat::Lease;
use crate::wire::messages::{Request, Response};
use crate::wire::{FrameError, Header, Opcode, Status, limits};

/// Who is at the other end; proven by TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// Its identity.
    pub identity: Fingerprint,
    /// The address it connected from.
    pub address: IpAddr,
}

impl Peer {
    /// The peer as the one who asks.
    #[must_use]
    pub const fn actor(self) -> Actor {
        Actor::Peer {
            identity: self.identity,
            address: self.address,
        }
    }
}

/// Names a submitted request until it is answered; never used twice on a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestTag(pub u64);

/// What the connection's task is to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Write these bytes.
    Send(Bytes),
    /// Have this done and hand the answer to [`ServerSession::handle_reply`].
    Submit {
        /// Names the request.
        tag: RequestTag,
        /// What is asked.
        work: Work,
    },
    /// Close, after what is to be sent is sent. The last action of a session.
    Close(Reason),
}

/// Why a connection ends; for the log and the counters. The peer was told before, where it could be.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// No HELLO came in time.
    HelloDeadline,
    /// The peer sent what cannot be read.
    Malformed,
    /// A request before HELLO, or a second HELLO.
    OutOfOrder,
    /// The peer closed its side, and all it had asked is answered.
    PeerClosed,
    /// The peer said nothing for too long.
    Silent,
    /// The peer began a frame and did not complete it in time.
    SlowFrame,
    /// The server stops.
    Stopping,
    /// No version is spoken by both sides.
    VersionMismatch,
}

/// The server's side of one connection.
#[derive(Debug)]
pub struct ServerSession {
    config: Arc<SessionConfig>,
    /// The configuration as HELLO was answered: for how long it may be silent was told to the peer.
    promised: Arc<SessionConfig>,
    peer: Peer,
    phase: Phase,
    greeted: bool,
    role: Option<Role>,
    /// The server's name for itself, as HELLO was answered.
    server: Option<ServerId>,
    inbox: Inbox,
    slots: VecDeque<Slot>,
    /// Requests that may be under way for now; see [`ServerSession::allow`].
    allowed: usize,
    /// What the requests in `slots` weigh together.
    unanswered_len: usize,
    actions: VecDeque<Action>,
    /// Since when the peer has had nothing to wait for and has said nothing.
    quiet_since: Monotonic,
    next_tag: u64,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// Nothing more is read; what was asked is answered, then the parting is sent, if there is one.
    Draining(Reason, Option<Bytes>),
    Closed,
}

/// A request that is not answered yet, or whose answer waits for those before it.
#[derive(Debug)]
struct Slot {
    tag: RequestTag,
    opcode: Opcode,
    request: u32,
    /// See [`weight_of`]; of one that was answered at once, its answer's length.
    weight: usize,
    /// The lease that is asked for with it.
    lease: Option<Box<Lease>>,
    answer: Option<Bytes>,
}

impl ServerSession {
    /// A session whose handshake ended at `at`.
    #[must_use]
    pub fn new(config: Arc<SessionConfig>, peer: Peer, at: Monotonic) -> Self {
        Self {
            allowed: usize::from(config.in_flight_max),
            promised: Arc::clone(&config),
            config,
            peer,
            phase: Phase::Open,
            greeted: false,
            role: None,
            server: None,
            inbox: Inbox::default(),
            slots: VecDeque::new(),
            unanswered_len: 0,
            actions: VecDeque::new(),
            quiet_since: at,
            next_tag: 0,
        }
    }

    /// The next thing to do; nothing when there is nothing until the next `handle_` call.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether to read from the peer. While this is false, its bytes are not to be read: that is the backpressure.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        matches!(self.phase, Phase::Open) && self.slots.len() < self.allowed && self.has_room()
    }

    /// Lets so many requests be under way from now on, at least one and never more than [`SessionConfig::in_flight_max`]:
    /// what this connection may have of what the connections of its source share. Those under way already go on.
    pub fn allow(&mut self, requests: usize) {
        self.allowed = requests.clamp(1, usize::from(self.config.in_flight_max).max(1));
    }

    /// Goes by another configuration from now on. For how long the peer may be silent stays as it was told.
    pub fn reconfigure(&mut self, config: &Arc<SessionConfig>) {
        self.config = Arc::clone(config);
        if self.role.is_none() {
            self.promised = Arc::clone(config);
        }
    }

    /// Whether the next request, as far as it is known, finds room among those that are not answered.
    fn has_room(&self) -> bool {
        let next = match self.inbox.header() {
            Ok(Some(header)) => weight_of(&header),
            Ok(None) | Err(_) => 0,
        };
        self.unanswered_len + next <= limits::UNANSWERED_LEN_MAX
    }

    /// About how many bytes this session holds for its peer: what was read and not accepted, and what its unanswered
    /// requests weigh with their answers.
    #[must_use]
    pub fn held_len(&self) -> usize {
        self.inbox.held() + self.unanswered_len
    }

    /// Requests that were submitted and are not answered yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.slots.iter().filter(|slot| slot.answer.is_none()).count()
    }

    /// The peer's role as HELLO was answered. A hint: the ledger decides every command by the role of that moment.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.role
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> Peer {
        self.peer
    }

    /// Takes bytes that came from the peer at `at`.
    pub fn handle_bytes(&mut self, bytes: &[u8], at: Monotonic) {
        if matches!(self.phase, Phase::Open) {
            self.inbox.extend(bytes);
            self.read(at);
        }
    }

    /// The peer closed its side: what it asked is still answered.
    pub fn handle_end(&mut self, at: Monotonic) {
        self.drain(Reason::PeerClosed, None);
        self.flush(at);
    }

    /// Takes the answer to a submitted request. `server_time` is the server's calendar, told to the peer and no more.
    pub fn handle_reply(&mut self, tag: RequestTag, answer: Answer, server_time: Timestamp, at: Monotonic) {
        if let Answer::Hello(greeting) = &answer {
            self.role = Some(greeting.role);
            self.server = Some(greeting.server.id);
        }
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.tag == tag) else {
            return;
        };
        let asked = slot.lease.take().zip(self.server).map(|(lease, server)| Lease {
            server: server.0,
            ..*lease
        });
        let context = Context {
            config: &self.config,
            opcode: slot.opcode,
            server_time,
            at,
            lease: asked.as_ref(),
        };
        let response = respond(answer, &context);
        slot.answer = Some(encode(slot.opcode, slot.request, &response));
        self.flush(at);
        self.read(at);
    }

    /// What was to be sent was written from `begun` until `at`. Nothing was read meanwhile, and the answers were not there
    /// before: neither a frame that the peer has begun nor its silence runs out by that time.
    pub fn handle_written(&mut self, begun: Monotonic, at: Monotonic) {
        let millis = at.millis_since(begun);
        self.inbox.forgive(millis);
        self.quiet_since = self.quiet_since.after_millis(millis);
    }

    /// When to call [`ServerSession::handle_timeout`]; nothing while the peer waits for the server.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Monotonic> {
        if !matches!(self.phase, Phase::Open) {
            return None;
        }
        self.quiet_due().into_iter().chain(self.frame_due()).min()
    }

    fn frame_due(&self) -> Option<Monotonic> {
        self.inbox.due(self.config.frame_ms)
    }

    fn quiet_due(&self) -> Option<Monotonic> {
        if !self.slots.is_empty() {
            return None;
        }
        let wait_ms = match (self.greeted, self.role) {
            (false, _) => self.config.hello_ms,
            (true, role) => u64::from(self.promised.silence_ms(role.unwrap_or(Role::Agent))),
        };
        Some(self.quiet_since.after_millis(wait_ms))
    }

    /// Ends the connection if its time has come; else nothing happens.
    pub fn handle_timeout(&mut self, at: Monotonic) {
        if self.poll_timeout().is_none_or(|due| at < due) {
            return;
        }
        let (reason, text) = if !self.greeted {
            (
                Reason::HelloDeadline,
                "no HELLO came in time; send it at once after the handshake",
            )
        } else if self.frame_due().is_some_and(|due| due <= at) {
            (
                Reason::SlowFrame,
                "a request was begun and did not come whole in time; send each one at once",
            )
        } else {
            (
                Reason::Silent,
                "nothing was asked for too long; connect again when there is something to ask",
            )
        };
        self.drain(reason, Some(parting(Status::SILENCE_LIMIT, text)));
        self.flush(at);
    }

    /// The server stops: requests not yet accepted are answered `GOING_AWAY`, accepted ones are answered, then the
    /// connection ends.
    pub fn begin_stop(&mut self, at: Monotonic) {
        // Also where no more would be accepted for now: what was read has a bound.
        while matches!(self.phase, Phase::Open) {
            let Ok(Some((header, _))) = self.next_frame() else {
                break;
            };
            self.answer(&header, Status::GOING_AWAY, STOPPING);
        }
        self.drain(Reason::Stopping, Some(parting(Status::GOING_AWAY, STOPPING)));
        self.flush(at);
    }

    /// Reads frames as long as there is room for another answer. Those that are answered at once make room as they go:
    /// whoever waits for the answers to frames that came together sends no more bytes that would have them read.
    fn read(&mut self, at: Monotonic) {
        while self.wants_input() {
            match self.next_frame() {
                Ok(None) => break,
                Ok(Some((header, body))) => {
                    // Whole frames count, so that a peer cannot hold a connection by dripping bytes.
                    self.quiet_since = at;
                    self.accept(&header, &body);
                }
                Err(error) => self.drain(
                    Reason::Malformed,
                    Some(parting(Status::MALFORMED, &format!("{error}; send smaller requests"))),
                ),
            }
            self.flush(at);
        }
        let reads = self.wants_input();
        self.inbox.note(reads, at);
        self.flush(at);
    }

    /// The next request, once it is whole. What its header shows to be wrong is not waited for.
    fn next_frame(&mut self) -> Result<Option<(Header, Bytes)>, FrameError> {
        let Some(header) = self.inbox.header()? else {
            return Ok(None);
        };
        if !self.admits(&header) {
            return Ok(None);
        }
        Ok(self.inbox.take()?.map(|frame| (header, frame.body)))
    }

    /// Judges a header; where it is wrong, that is told and nothing more is read.
    fn admits(&mut self, header: &Header) -> bool {
        // Opcode 0 would be answered with the opcode of a parting.
        let is_none = header.opcode == Opcode(0);
        if is_none || header.opcode.is_reply() || header.status != Status::OK || header.request == 0 {
            let text = "not a request: the opcode must be one of a request, the status 0 and the request id at least 1";
            self.drain(Reason::Malformed, Some(parting(Status::MALFORMED, text)));
            return false;
        }
        if (header.opcode == Opcode::HELLO) == self.greeted {
            let text = "HELLO must be the first request of a connection, and come once";
            self.refuse(header, Status::OUT_OF_ORDER, text, Reason::OutOfOrder);
            return false;
        }
        if !self.greeted && header.body_len > limits::HELLO_LEN_MAX {
            let text = "HELLO is longer than its bound; send what the protocol names";
            self.refuse(header, Status::MALFORMED, text, Reason::Malformed);
            return false;
        }
        true
    }

    fn accept(&mut self, header: &Header, body: &Bytes) {
        let request = match Request::decode(header.opcode, body) {
            Ok(Some(Request::Hello(hello))) => return self.greet(header, &hello),
            Ok(Some(request)) => request,
            Ok(None) => {
                let text = "this server does not know the request; upgrade the server";
                return self.answer(header, Status::UNSUPPORTED, text);
            }
            Err(error) => return self.refuse(header, Status::MALFORMED, &malformed(&error), Reason::Malformed),
        };
        let lease = match &request {
            Request::Checkout(ask) | Request::Renew(ask) => lease::asked_by(ask, self.peer),
            _ => None,
        };
        match work_of(request, self.peer, self.config.rebind) {
            Ok(work) => self.submit(header, work, lease),
            Err(error) => self.refuse(header, Status::MALFORMED, &malformed(&error), Reason::Malformed),
        }
    }

    fn greet(&mut self, header: &Header, hello: &Hello) {
        if hello.version_min > limits::VERSION_MAX || hello.version_max < limits::VERSION_MIN {
            let refusal = Refusal {
                text: "client and server speak no common protocol version; upgrade the older one".to_owned(),
                version_min: Some(limits::VERSION_MIN),
                version_max: Some(limits::VERSION_MAX),
                ..Refusal::default()
            };
            self.answer_with(header, Status::VERSION_MISMATCH, refusal);
            return self.drain(Reason::VersionMismatch, None);
        }
        self.greeted = true;
        self.submit(header, Work::Hello, None);
    }

    fn submit(&mut self, header: &Header, work: Work, lease: Option<Lease>) {
        let tag = self.push(header, None, lease);
        self.actions.push_back(Action::Submit { tag, work });
    }

    /// Answers at once and ends the connection behind that answer.
    fn refuse(&mut self, header: &Header, status: Status, text: &str, reason: Reason) {
        self.answer(header, status, text);
        self.drain(reason, None);
    }

    fn answer(&mut self, header: &Header, status: Status, text: &str) {
        let text = text.to_owned();
        self.answer_with(
            header,
            status,
            Refusal {
                text,
                ..Refusal::default()
            },
        );
    }

    fn answer_with(&mut self, header: &Header, status: Status, refusal: Refusal) {
        let bytes = encode(header.opcode, header.request, &Response::Refused(status, refusal));
        self.push(header, Some(bytes), None);
    }

    fn push(&mut self, header: &Header, answer: Option<Bytes>, lease: Option<Lease>) -> RequestTag {
        let tag = RequestTag(self.next_tag);
        self.next_tag += 1;
        let weight = answer.as_ref().map_or_else(|| weight_of(header), Bytes::len);
        self.unanswered_len += weight;
        self.slots.push_back(Slot {
            tag,
            opcode: header.opcode,
            request: header.request,
            weight,
            lease: lease.map(Box::new),
            answer,
        });
        tag
    }

    fn drain(&mut self, reason: Reason, parting: Option<Bytes>) {
        if matches!(self.phase, Phase::Open) {
            self.phase = Phase::Draining(reason, parting);
            self.inbox = Inbox::default();
        }
    }

    /// Sends the answers whose turn it is, and closes behind the last one where that is due.
    fn flush(&mut self, at: Monotonic) {
        while let Some(slot) = self.slots.pop_front_if(|slot| slot.answer.is_some()) {
            self.unanswered_len -= slot.weight;
            self.quiet_since = at;
            self.actions.extend(slot.answer.map(Action::Send));
        }
        if !self.slots.is_empty() {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Open => self.phase = Phase::Open,
            Phase::Draining(reason, parting) => {
                self.actions.extend(parting.map(Action::Send));
                self.actions.push_back(Action::Close(reason));
            }
            Phase::Closed => {}
        }
    }
}

/// What a request is taken to hold, in bytes, until its answer is given: itself, and an answer of the length that those
/// to its opcode are taken to have. One that is longer counts as what it is once it is to be sent.
fn weight_of(header: &Header) -> usize {
    limits::HEADER_LEN + header.body_len + header.opcode.answer_len()
}

const STOPPING: &str = "the server is stopping and did not accept this; ask again when it is back";
