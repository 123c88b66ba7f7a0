//! The client's side of a connection. It knows no time: whoever drives it has a deadline.
//!
//! HELLO is on its way from the start; requests may follow at once, since the server answers in order. Take what is
//! to be written with [`ClientSession::poll_transmit`] and what happened with [`ClientSession::poll_event`].

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use crate::codec::DecodeError;
use crate::wire::messages::hello::{Hello, HelloOk, Refusal};
use crate::wire::messages::{Message, Request, Response};
use crate::wire::{Frame, FrameError, Opcode, Status, decode_frame, limits};

/// Why a connection cannot be used any further, or a request was not sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ClientError {
    /// The server refused the connection, or ended it.
    #[error("the server ended the connection: {text}")]
    Ended {
        /// Why.
        status: Status,
        /// The server's cause and remedy.
        text: String,
    },
    /// The frame cannot be read or written.
    #[error("frame out of bounds; is this a seatkeeper server?")]
    Frame(#[from] FrameError),
    /// So many requests are in flight that this one must wait.
    #[error("{IN_FLIGHT} requests are in flight; wait for an answer", IN_FLIGHT = limits::IN_FLIGHT_MAX)]
    Full,
    /// The reply's body cannot be read.
    #[error("unreadable reply to {opcode:?}; client and server may be of unlike versions")]
    Reply {
        /// Of which request.
        opcode: Opcode,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The request is over a bound.
    #[error("{opcode:?} cannot be asked so")]
    Request {
        /// Which request.
        opcode: Opcode,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A reply that answers nothing that was asked.
    #[error("a reply that was not asked for: {opcode:?}, request id {request}")]
    Unasked {
        /// What it claims to answer.
        opcode: Opcode,
        /// Its request id.
        request: u32,
    },
    /// The server chose a version that was not offered.
    #[error("the server chose protocol version {version}, which was not offered")]
    Version {
        /// The version.
        version: u16,
    },
}

/// Names a request until it is answered.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u32);

/// What happened on a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientEvent {
    /// A request was answered.
    Answered {
        /// Which.
        request: RequestId,
        /// How.
        response: Box<Response>,
    },
    /// The server answered HELLO.
    Greeted(Box<HelloOk>),
}

/// The client's side of one connection.
#[derive(Debug)]
pub struct ClientSession {
    offered: (u16, u16),
    input: BytesMut,
    waiting: VecDeque<(RequestId, Opcode)>,
    outgoing: VecDeque<Bytes>,
    events: VecDeque<ClientEvent>,
    ended: Option<ClientError>,
    in_flight_max: usize,
    next_id: u32,
}

impl ClientSession {
    /// A session that begins with HELLO. `client` is the program and its version, at most 64 bytes.
    ///
    /// # Errors
    /// `client` is too long.
    pub fn new(client: &str) -> Result<Self, ClientError> {
        let mut session = Self {
            offered: (limits::VERSION_MIN, limits::VERSION_MAX),
            input: BytesMut::new(),
            waiting: VecDeque::new(),
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            ended: None,
            in_flight_max: limits::IN_FLIGHT_MAX,
            next_id: 1,
        };
        session.request(&Request::Hello(Hello {
            version_min: limits::VERSION_MIN,
            version_max: limits::VERSION_MAX,
            client: client.to_owned(),
            in_flight_max: u16::try_from(limits::IN_FLIGHT_MAX).unwrap_or(u16::MAX),
        }))?;
        Ok(session)
    }

    /// Queues a request.
    ///
    /// # Errors
    /// [`ClientError::Full`]: wait for an answer. [`ClientError::Request`]: correct the request. Any other: the
    /// connection has ended.
    pub fn request(&mut self, request: &Request) -> Result<RequestId, ClientError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        if self.waiting.len() >= self.in_flight_max {
            return Err(ClientError::Full);
        }
        let opcode = request.opcode();
        let body = request
            .to_body()
            .map_err(|source| ClientError::Request { opcode, source })?;
        let id = RequestId(self.next_id);
        let frame = Frame {
            opcode,
            status: Status::OK,
            request: id.0,
            body,
        };
        self.outgoing.push_back(frame.encode()?);
        self.waiting.push_back((id, opcode));
        // Ids are 1 and up: 0 belongs to partings.
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        Ok(id)
    }

    /// The next bytes to write.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.outgoing.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// Requests that are not answered yet, HELLO included.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    /// Takes bytes that came from the server. Events from before an error stay to be polled.
    ///
    /// # Errors
    /// The connection has ended or cannot be read any further: close it.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        self.input.extend_from_slice(bytes);
        self.read().inspect_err(|error| self.ended = Some(error.clone()))
    }

    fn read(&mut self) -> Result<(), ClientError> {
        while let Some(frame) = decode_frame(&mut self.input)? {
            self.accept(&frame)?;
        }
        Ok(())
    }

    fn accept(&mut self, frame: &Frame) -> Result<(), ClientError> {
        if frame.opcode == Opcode::PARTING {
            let refusal = Refusal::decode(&frame.body).map_err(|source| ClientError::Reply {
                opcode: Opcode::PARTING,
                source,
            })?;
            return Err(ClientError::Ended {
                status: frame.status,
                text: refusal.text,
            });
        }
        let unasked = ClientError::Unasked {
            opcode: frame.opcode,
            request: frame.request,
        };
        let Some((id, opcode)) = self.waiting.pop_front() else {
            return Err(unasked);
        };
        if frame.opcode != opcode.reply() || frame.request != id.0 {
            return Err(unasked);
        }
        let response = Response::decode(opcode, frame.status, &frame.body)
            .map_err(|source| ClientError::Reply { opcode, source })?
            .ok_or(unasked)?;
        match response {
            Response::Hello(hello) => self.greeted(hello),
            Response::Refused(status, refusal) if opcode == Opcode::HELLO => Err(ClientError::Ended {
                status,
                text: refusal.text,
            }),
            response => {
                self.events.push_back(ClientEvent::Answered {
                    request: id,
                    response: Box::new(response),
                });
                Ok(())
            }
        }
    }

    fn greeted(&mut self, hello: HelloOk) -> Result<(), ClientError> {
        let (min, max) = self.offered;
        let version = hello.version;
        if version < min || version > max {
            return Err(ClientError::Version { version });
        }
        self.in_flight_max = usize::from(hello.in_flight_max).clamp(1, limits::IN_FLIGHT_MAX);
        self.events.push_back(ClientEvent::Greeted(Box::new(hello)));
        Ok(())
    }
}
