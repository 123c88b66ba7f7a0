//! A client's session under any list of what can happen to a connection: requests, answers that are in order or are not,
//! bytes in any pieces, the end. What it tells is what was asked and answered, in that order, and an error is the last.
#![no_main]

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use seatkeeper::session::client::RequestId;
use seatkeeper::session::{ClientError, ClientEvent, ClientSession};
use seatkeeper::wire::limits::IN_FLIGHT_MAX;
use seatkeeper::wire::messages::Request;
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};
use seatkeeper_fuzz::{Steps, number};

struct Bench {
    session: ClientSession,
    /// What was asked and is not answered, the oldest first.
    asked: VecDeque<(RequestId, Opcode)>,
    /// What the server got.
    sent: BytesMut,
    /// What came from the server and is not told yet.
    received: BytesMut,
    /// What was asked and has not reached the server.
    unread: VecDeque<(RequestId, Request)>,
    told: Vec<ClientEvent>,
    ended: Option<ClientError>,
    /// Bytes from the server come in pieces of so many.
    piece_len: usize,
}

impl Bench {
    fn new(piece_len: usize) -> Self {
        Self {
            session: ClientSession::new("a client 1").expect("a short name"),
            asked: VecDeque::from([(RequestId(1), Opcode::HELLO)]),
            sent: BytesMut::new(),
            received: BytesMut::new(),
            unread: VecDeque::new(),
            told: Vec::new(),
            ended: None,
            piece_len,
        }
    }

    fn ask(&mut self, request: Request) {
        let opcode = request.opcode();
        match (self.session.request(&request), &self.ended) {
            (Ok(id), None) => {
                self.asked.push_back((id, opcode));
                self.unread.push_back((id, request));
                assert!(self.asked.len() <= IN_FLIGHT_MAX);
            }
            (Err(ClientError::Full), None) => assert!(!self.asked.is_empty(), "an answer makes room"),
            (Err(error), Some(ended)) => assert_eq!(&error, ended, "it says why it ended"),
            (outcome, ended) => panic!("{outcome:?} after {ended:?}"),
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.piece_len) {
            self.received.extend_from_slice(piece);
            match (self.session.handle_bytes(piece), &self.ended) {
                (Ok(()), None) => {}
                (Err(error), Some(ended)) => assert_eq!(&error, ended, "it says why it ended"),
                (Err(error), None) => self.ended = Some(error),
                (Ok(()), Some(ended)) => panic!("it ended: {ended}"),
            }
            self.take_events();
        }
    }

    fn frame(&mut self, opcode: Opcode, status: Status, request: u32, body: &[u8]) {
        let frame = Frame {
            opcode,
            status,
            request,
            body: Bytes::copy_from_slice(body),
        };
        self.receive(&frame.encode().expect("a short body"));
    }

    fn take_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            let (asked, opcode) = self.asked.pop_front().expect("an event answers what was asked");
            let frame = decode_frame(&mut self.received).expect("a frame was read");
            let frame = frame.expect("a whole frame was read");
            assert_eq!((frame.opcode, frame.request), (opcode.reply(), asked.0));
            match &event {
                ClientEvent::Answered { request, response } => {
                    assert_eq!(*request, asked);
                    assert!(response.answers(opcode), "{opcode:?}: {response:?}");
                    assert_ne!(opcode, Opcode::HELLO);
                }
                ClientEvent::Greeted(_) => assert_eq!(opcode, Opcode::HELLO),
            }
            self.told.push(event);
        }
        if self.ended.is_none() {
            assert_eq!(self.session.in_flight(), self.asked.len());
        }
    }

    /// The server reads what was sent.
    fn read_sent(&mut self) {
        while let Some(bytes) = self.session.poll_transmit() {
            self.sent.extend_from_slice(&bytes);
        }
        while let Some(frame) = decode_frame(&mut self.sent).expect("readable frames") {
            let read = Request::decode(frame.opcode, &frame.body).expect("readable bodies");
            let read = read.expect("a request that there is");
            assert_eq!(frame.status, Status::OK);
            if frame.request == 1 {
                assert_eq!(frame.opcode, Opcode::HELLO);
            } else {
                let (id, request) = self.unread.pop_front().expect("only what was asked");
                assert_eq!((RequestId(frame.request), read), (id, request));
            }
        }
        assert!(self.sent.is_empty(), "no half of a frame");
    }

    fn step(&mut self, kind: u8, taken: &[u8]) {
        let short = |number: u64| u16::try_from(number).expect("two bytes");
        match kind % 7 {
            0 => {
                let (place, body) = number::<1>(taken);
                let row = &Opcode::TABLE[usize::try_from(place).expect("a byte") % Opcode::TABLE.len()];
                if let Ok(Some(request)) = Request::decode(row.opcode, body) {
                    self.ask(request);
                }
            }
            1 => self.receive(taken),
            // The oldest request is answered.
            2 => {
                let (status, body) = number::<2>(taken);
                if let Some(&(RequestId(id), opcode)) = self.asked.front() {
                    self.frame(opcode.reply(), Status(short(status)), id, body);
                }
            }
            3 => {
                let (opcode, rest) = number::<2>(taken);
                let (status, rest) = number::<2>(rest);
                let (id, body) = number::<4>(rest);
                let id = u32::try_from(id).expect("four bytes");
                self.frame(Opcode(short(opcode)), Status(short(status)), id, body);
            }
            4 => {
                let (status, body) = number::<2>(taken);
                self.frame(Opcode::PARTING, Status(short(status)), 0, body);
            }
            5 => self.read_sent(),
            // An answer to the oldest request, but for its id or its opcode.
            _ => {
                let (other_id, rest) = number::<1>(taken);
                let (other_opcode, body) = number::<1>(rest);
                if let Some(&(RequestId(id), opcode)) = self.asked.front() {
                    let opcode = Opcode(opcode.reply().0 ^ short(other_opcode));
                    let id = id.wrapping_add(u32::try_from(other_id).expect("a byte"));
                    self.frame(opcode, Status::OK, id, body);
                }
            }
        }
    }
}

fn run(input: &[u8], piece_len: usize) -> (Vec<ClientEvent>, Option<ClientError>) {
    let mut bench = Bench::new(piece_len);
    for (kind, taken) in Steps::of(input) {
        bench.step(kind, taken);
    }
    bench.read_sent();
    (bench.told, bench.ended)
}

fuzz_target!(|input: &[u8]| {
    let (piece_len, steps) = number::<1>(input);
    let piece_len = usize::try_from(piece_len).expect("a byte") + 1;
    assert_eq!(run(steps, piece_len), run(steps, usize::MAX), "pieces change nothing");
});
