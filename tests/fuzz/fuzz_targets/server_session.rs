//! A server's session and its ledger under any list of what can happen to a connection: requests good and bad, bytes,
//! time, answers that come late, the end.
#![no_main]

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::change::Server;
use seatkeeper::domain::command::{Actor, Command, Rebind, Role};
use seatkeeper::domain::ids::{Fingerprint, ServerId, VendorId};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::{Monotonic, Now, Timestamp};
use seatkeeper::session::{
    Action, Answer, Greeting, KeyOutcome, LeaseKey, Peer, RequestTag, ServerSession, SessionConfig, Work,
};
use seatkeeper::vendor::{KeyError, LicenseKey, ListError, SignedBlacklist, SignedCatalogue, SigningKey, VendorKey};
use seatkeeper::wire::limits::IN_FLIGHT_MAX;
use seatkeeper::wire::messages::{Request, Response, admin, deploy, enrol, seat};
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};
use seatkeeper_fuzz::goods;

const IDENTITY: Fingerprint = Fingerprint([5; 32]);

#[derive(Arbitrary, Debug)]
enum Operation<'a> {
    /// The oldest request under way is done.
    Answer,
    /// It failed, or there was no room for it, or the server stops.
    AnswerWith(u8),
    /// Bytes from the peer.
    Bytes(&'a [u8]),
    /// A whole frame from the peer.
    Frame { opcode: u8, request: u32, body: &'a [u8] },
    /// A frame with an opcode that may be of a later version.
    Foreign { opcode: u16, body: &'a [u8] },
    /// HELLO as it should be.
    Hello,
    /// A request that is in order, about a machine and a reservation of few.
    Ask { what: u8, machine: u8, reservation: u8 },
    /// The peer closes its side.
    End,
    /// The server stops.
    Stop,
    /// Time passes, in milliseconds.
    Wait(u16),
    /// A request under way is done before those that came before it.
    AnswerEarly(u8),
}

struct Bench {
    session: ServerSession,
    ledger: Ledger,
    vendor_key: VendorKey,
    work: VecDeque<(RequestTag, Work)>,
    /// What was sent to the peer.
    sent: BytesMut,
    closed: bool,
    at: Monotonic,
}

impl Bench {
    fn new(role: u8) -> Self {
        let (at, now) = (Monotonic(1_000), Now::at(1_767_225_600));
        let mut config = SessionConfig::new("a server".to_owned(), "1".to_owned(), at);
        config.rebind = if role & 4 == 0 { Rebind::Honour } else { Rebind::Approve };
        config.lease_key = Some(Arc::new(LeaseKey::from_seed([4; 32])));
        let peer = Peer {
            identity: IDENTITY,
            address: [192, 0, 2, 7].into(),
        };
        let mut ledger = Ledger::default();
        drop(ledger.apply(Actor::Server, &Command::Found { id: ServerId([1; 16]) }, now));
        // Another administrator, so that this one may go.
        for (fingerprint, role) in [(Fingerprint([9; 32]), Role::Administrator), (IDENTITY, role_of(role))] {
            let label = String::new();
            drop(ledger.apply(
                Actor::Server,
                &Command::AddAdmin {
                    fingerprint,
                    role,
                    label,
                },
                now,
            ));
        }
        let vendor_key = SigningKey::from_seed([1; 32]).vendor_key();
        let trust = Command::TrustVendor {
            public_key: vendor_key.bytes(),
            vendor: vendor_key.id(),
        };
        drop(ledger.apply(Actor::Server, &trust, now));
        for command in goods(vendor_key.id()) {
            drop(ledger.apply(Actor::Server, &command, now));
        }
        let session = ServerSession::new(Arc::new(config), peer, at);
        Self {
            session,
            ledger,
            vendor_key,
            work: VecDeque::new(),
            sent: BytesMut::new(),
            closed: false,
            at,
        }
    }

    fn now(&self) -> Now {
        Now::at(1_767_225_600 + self.at.0 / 1_000)
    }

    fn apply(&mut self, command: &Command) -> Answer {
        let (now, actor) = (self.now(), self.session.peer().actor());
        drop(self.ledger.apply(Actor::Server, &Command::Reclaim, now));
        let (reply, _) = self.ledger.apply(actor, command, now);
        Answer::Reply(Box::new(reply))
    }

    /// Does a piece of work as the server does.
    fn perform(&mut self, work: Work) -> Answer {
        match work {
            Work::Command(command) => self.apply(&command),
            Work::Events(page) => self.apply(&Command::Events(page)),
            Work::EventsVerify(page) => self.apply(&Command::EventsVerify(page)),
            Work::Hello => {
                let server = Server {
                    id: ServerId([1; 16]),
                    epoch: 1,
                    founded_at: Timestamp(1),
                    last_backup: None,
                };
                let role = self.ledger.role_of(&IDENTITY);
                Answer::Hello(Box::new(Greeting { role, server }))
            }
            Work::Reload { .. } => Answer::NoConfiguration,
            Work::TrustVendor(public_key) => match VendorKey::from_bytes(public_key) {
                Ok(key) => self.apply(&Command::TrustVendor {
                    public_key,
                    vendor: key.id(),
                }),
                Err(error) => Answer::VendorKeyRefused(error),
            },
            Work::VerifyBlacklist { signed, dry_run } => self.import(self.blacklist(&signed, dry_run)),
            Work::VerifyCatalogue { signed, dry_run } => self.import(self.catalogue(&signed, dry_run)),
            Work::VerifyKeys { texts, .. } => {
                let refused = |text: &String| match LicenseKey::parse(text) {
                    Ok(key) => key.verify(&self.vendor_key).err().unwrap_or(KeyError::BadSignature),
                    Err(error) => error,
                };
                Answer::Imported(texts.iter().map(refused).map(KeyOutcome::Unverified).collect())
            }
        }
    }

    fn import(&mut self, list: Result<Command, ListError>) -> Answer {
        match list {
            Ok(command) => self.apply(&command),
            Err(error) => Answer::ListRefused(error),
        }
    }

    fn blacklist(&self, signed: &Bytes, dry_run: bool) -> Result<Command, ListError> {
        let list = Box::new(SignedBlacklist::from_bytes(signed)?.verify(&self.vendor_key)?);
        Ok(Command::ImportBlacklist { list, dry_run })
    }

    fn catalogue(&self, signed: &Bytes, dry_run: bool) -> Result<Command, ListError> {
        let catalogue = Box::new(SignedCatalogue::from_bytes(signed)?.verify(&self.vendor_key)?);
        Ok(Command::ImportCatalogue { catalogue, dry_run })
    }

    fn operate(&mut self, operation: &Operation<'_>) {
        let at = self.at;
        match operation {
            Operation::Answer => {
                if let Some((tag, work)) = self.work.pop_front() {
                    let answer = self.perform(work);
                    self.session.handle_reply(tag, answer, self.now().calendar, at);
                }
            }
            Operation::AnswerEarly(place) => {
                let place = usize::from(*place) % self.work.len().max(1);
                if let Some((tag, work)) = self.work.remove(place) {
                    let answer = self.perform(work);
                    self.session.handle_reply(tag, answer, self.now().calendar, at);
                }
            }
            Operation::AnswerWith(kind) => {
                let answer = match kind % 3 {
                    0 => Answer::Busy,
                    1 => Answer::Failed,
                    _ => Answer::Stopping,
                };
                if let Some((tag, _)) = self.work.pop_front() {
                    self.session.handle_reply(tag, answer, self.now().calendar, at);
                }
            }
            Operation::Bytes(bytes) => self.session.handle_bytes(bytes, at),
            Operation::Frame { opcode, request, body } => {
                let row = &Opcode::TABLE[usize::from(*opcode) % Opcode::TABLE.len()];
                self.frame(row.opcode, *request, body);
            }
            Operation::Foreign { opcode, body } => self.frame(Opcode(*opcode), 77, body),
            Operation::Hello => {
                // Versions 1 to 1, a name, one request in flight.
                self.frame(
                    Opcode::HELLO,
                    1,
                    b"\0\x01\0\x02\0\x01\0\x02\0\x02\0\x01\0\x03\0\x01c\0\x04\0\x02\0\x01",
                );
            }
            Operation::Ask {
                what,
                machine,
                reservation,
            } => {
                let request = request(self.vendor_key.id(), *what, *machine, *reservation);
                let body = request.to_body().expect("in bounds");
                self.frame(request.opcode(), 5, &body);
            }
            Operation::End => self.session.handle_end(at),
            Operation::Stop => self.session.begin_stop(at),
            Operation::Wait(millis) => {
                self.at = at.after_millis(u64::from(*millis));
                self.session.handle_timeout(self.at);
                let due = self.session.poll_timeout();
                assert!(due.is_none_or(|due| self.at < due), "what is due was done");
            }
        }
        self.take_actions();
    }

    fn frame(&mut self, opcode: Opcode, request: u32, body: &[u8]) {
        let frame = Frame {
            opcode,
            status: Status::OK,
            request,
            body: Bytes::copy_from_slice(body),
        };
        if let Ok(bytes) = frame.encode() {
            self.session.handle_bytes(&bytes, self.at);
        }
    }

    fn take_actions(&mut self) {
        while let Some(action) = self.session.poll_action() {
            assert!(!self.closed, "the close was the last action: {action:?}");
            match action {
                Action::Send(bytes) => self.sent.extend_from_slice(&bytes),
                Action::Submit { tag, work } => self.work.push_back((tag, work)),
                Action::Close(_) => self.closed = true,
            }
        }
        assert!(self.session.in_flight() <= IN_FLIGHT_MAX);
        assert!(self.work.len() <= IN_FLIGHT_MAX);
    }

    /// What the peer got can be read to its end.
    fn read_sent(&mut self) {
        while let Some(frame) = decode_frame(&mut self.sent).expect("readable frames") {
            assert!(frame.opcode.is_reply());
            let response =
                Response::decode(frame.opcode.request(), frame.status, &frame.body).expect("readable bodies");
            assert!(
                response.is_some_and(|response| response.answers(frame.opcode.request())),
                "{frame:?}"
            );
        }
        assert!(self.sent.is_empty(), "no half of a frame");
    }
}

/// A request that is in order; which one `what` says.
fn request(vendor: VendorId, what: u8, machine: u8, reservation: u8) -> Request {
    let (product, mac, reservation) = (
        "BKSRV".to_owned(),
        [0, 0x1a, 0, 0, 0, machine % 8],
        [reservation % 4; 16],
    );
    let macs = vec![mac, [0, 0x1a, 0, 0, 1, machine % 8]];
    match what % 8 {
        0 => Request::Reserve(deploy::Reserve {
            reservation,
            product,
            macs,
            ..Default::default()
        }),
        1 => Request::Reserve(deploy::Reserve {
            reservation,
            product,
            count: Some(u32::from(machine) + 1),
            ..Default::default()
        }),
        2 => Request::Commit(deploy::Commit {
            reservation,
            product,
            macs: if machine & 1 == 0 { Vec::new() } else { macs },
            ..Default::default()
        }),
        3 => Request::Abort(deploy::Abort {
            reservation,
            product,
            macs: if machine & 1 == 0 { Vec::new() } else { macs },
            ..Default::default()
        }),
        4 if machine & 1 == 1 => Request::Enrol(enrol::Enrol {
            secret: enrol::Secret([machine; 20]),
        }),
        4 => Request::Reservations(deploy::Reservations::default()),
        5 => Request::BindingResolve(admin::BindingResolve {
            mac,
            ..Default::default()
        }),
        6 if machine & 1 == 0 => Request::ClockAccept(admin::ClockAccept {}),
        6 => Request::ClockReset(admin::ClockReset {}),
        _ => Request::Checkout(seat::Checkout {
            vendor: vendor.0,
            product,
            component: "agent".to_owned(),
            mac,
            ..Default::default()
        }),
    }
}

fn role_of(number: u8) -> Role {
    [Role::Agent, Role::Deployer, Role::Viewer, Role::Administrator][usize::from(number % 4)]
}

fuzz_target!(|input: (u8, Vec<Operation<'_>>)| {
    let (role, operations) = input;
    let mut bench = Bench::new(role);
    for operation in &operations {
        bench.operate(operation);
    }
    bench.read_sent();
    // Whatever happened, the end comes, and every request that was submitted is answered before it.
    while !bench.work.is_empty() {
        bench.operate(&Operation::Answer);
    }
    bench.operate(&Operation::Stop);
    bench.operate(&Operation::Answer);
    assert!(bench.closed, "a stopped session closes");
    assert_eq!(bench.session.in_flight(), 0);
    bench.read_sent();
});
