//! Machines that ask for a seat.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use seatkeeper::domain::ids::VendorId;
use seatkeeper::wire::messages::explain::Explain;
use seatkeeper::wire::messages::seat::{Availability, Checkout, Release};
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper::wire::{Frame, Opcode, Status};

use crate::line::read;
use crate::mix::Kind;
use crate::site::{COMPONENT, PRODUCT};

/// A machine, and the number that its component sends with its next checkout (rule I7).
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    number: u32,
    continuation: u64,
}

impl Machine {
    /// The `number`th machine, which never had a seat.
    pub(crate) const fn new(number: u32) -> Self {
        Self {
            number,
            continuation: 0,
        }
    }

    /// The `number`th machine with the number that it was told last.
    pub(crate) const fn with(number: u32, continuation: u64) -> Self {
        Self { number, continuation }
    }

    /// Its MAC address.
    pub(crate) const fn mac(&self) -> [u8; 6] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [0x02, 0x5e, a, b, c, d]
    }

    /// What it asks to keep its seat, and to get one.
    pub(crate) fn request(&self, vendor: VendorId) -> Request {
        self.asks(Kind::Renew, vendor)
    }

    /// What it asks, or an administrator about it.
    pub(crate) fn asks(&self, kind: Kind, vendor: VendorId) -> Request {
        let (vendor, product, component) = (vendor.0, PRODUCT.to_owned(), COMPONENT.to_owned());
        match kind {
            Kind::Renew => Request::Renew(self.checkout(vendor)),
            Kind::Checkout => Request::Checkout(self.checkout(vendor)),
            Kind::Release => Request::Release(Release {
                vendor,
                product,
                component,
                mac: self.mac(),
            }),
            Kind::Query => Request::Availability(Availability {
                vendor: Some(vendor),
                product,
            }),
            Kind::Explain => Request::Explain(Explain {
                vendor: Some(vendor),
                product,
                component: Some(component),
                mac: self.mac(),
                ..Explain::default()
            }),
        }
    }

    fn checkout(&self, vendor: [u8; 16]) -> Checkout {
        let [a, b, c, d] = self.number.to_be_bytes();
        Checkout {
            vendor,
            product: PRODUCT.to_owned(),
            component: COMPONENT.to_owned(),
            mac: self.mac(),
            continuation: self.continuation,
            host_name: Some(format!("swarm{:07}", self.number % 10_000_000)),
            other_macs: vec![[0x06, 0x5e, a, b, c, d]],
            ..Checkout::default()
        }
    }

    /// Keeps the number that a grant told it.
    pub(crate) fn told(&mut self, continuation: Option<u64>) {
        self.continuation = continuation.unwrap_or_default();
    }

    /// Takes an answer; its words, where it is a refusal.
    pub(crate) fn take(&mut self, answer: &Frame) -> io::Result<Taken> {
        match read(answer)? {
            Response::Checkout(granted) => {
                self.told(granted.continuation);
                Ok(Taken::Granted)
            }
            Response::Refused(status, refusal) => Ok(Taken::Refused(status, refusal.text)),
            other => Err(io::Error::other(format!("a checkout was answered {other:?}"))),
        }
    }
}

/// How a checkout was answered.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The machine has its seat.
    Granted,
    /// It has none.
    Refused(Status, String),
}

/// The bytes of a refusal that a server without rules never gives, for what must be sent but is never looked at.
pub(crate) fn filler(opcode: Opcode, body_len: usize) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    body.put_bytes(0, body_len);
    crate::line::frame(opcode, 9, body.freeze())
}
