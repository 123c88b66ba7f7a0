use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::error::Fault;
use crate::wire::messages::{Request, Response};
use crate::wire::{Frame, Opcode, Status, decode_frame};

/// The client's side of the frames: numbers requests and finds the answers to them.
#[derive(Debug)]
pub(super) struct Dialogue {
    /// Bytes that arrived and are not read yet.
    pub(super) inbox: BytesMut,
    /// Whether an exchange began and did not end.
    pub(super) interrupted: bool,
    next: u32,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    request: u32,
    opcode: Opcode,
}

impl Dialogue {
    pub(super) fn new() -> Self {
        Self {
            inbox: BytesMut::with_capacity(4_096),
            interrupted: false,
            next: 1,
        }
    }

    /// The bytes of `requests` and the answers that they wait for, in order.
    pub(super) fn encode(&mut self, requests: &[Request]) -> Result<(Bytes, VecDeque<Expected>), Fault> {
        let mut out = BytesMut::new();
        let mut expected = VecDeque::with_capacity(requests.len());
        for request in requests {
            let (number, opcode) = (self.next, request.opcode());
            // 0 is no request's number.
            self.next = self.next.checked_add(1).unwrap_or(1);
            let frame = Frame {
                opcode,
                status: Status::OK,
                request: number,
                body: request.to_body()?,
            };
            out.put(frame.encode()?);
            expected.push_back(Expected {
                request: number,
                opcode,
            });
        }
        Ok((out.freeze(), expected))
    }

    /// The answer to `next`, if it has arrived whole. Answers come in the order of the requests.
    pub(super) fn decode(&mut self, next: Expected) -> Result<Option<Response>, Fault> {
        let Some(frame) = decode_frame(&mut self.inbox)? else {
            return Ok(None);
        };
        if frame.opcode == Opcode::PARTING {
            return match Response::decode(frame.opcode, frame.status, &frame.body)? {
                Some(Response::Refused(status, refusal)) => Err(Fault::Refused(status, Box::new(refusal))),
                Some(_) | None => Err(Fault::OutOfTurn),
            };
        }
        if frame.request != next.request || frame.opcode != next.opcode.reply() {
            return Err(Fault::OutOfTurn);
        }
        match Response::decode(next.opcode, frame.status, &frame.body)? {
            Some(answer) if answer.answers(next.opcode) => Ok(Some(answer)),
            Some(_) | None => Err(Fault::OutOfTurn),
        }
    }
}
