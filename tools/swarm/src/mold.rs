//! Requests of many machines from one encoded request of each kind: what differs is written over, so that the load costs little
//! itself.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use seatkeeper::domain::ids::VendorId;
use seatkeeper::wire::Opcode;
use seatkeeper::wire::limits::HEADER_LEN;

use crate::line::frame;
use crate::machine::Machine;
use crate::mix::Kind;

/// The number of the machine that is written over: its bytes and its digits occur nowhere else in the request.
const MARK: u32 = 0x5A5A_5A5A;

/// The continuation number that is written over, likewise.
const NUMBER: u64 = 0x6B6B_6B6B_6B6B_6B6B;

/// The tag of a grant's continuation number, in big-endian bytes.
const CONTINUATION: [u8; 2] = 0x0007_u16.to_be_bytes();

/// A request of each kind.
#[derive(Debug)]
pub(crate) struct Molds {
    /// Of the kind at the same place of [`Kind::ALL`].
    molds: [Mold; Kind::ALL.len()],
}

impl Molds {
    /// For requests about our product of this vendor.
    pub(crate) fn new(vendor: VendorId) -> io::Result<Self> {
        let [renew, checkout, release, query, explain] = Kind::ALL.map(|kind| Mold::new(kind, vendor));
        Ok(Self {
            molds: [renew?, checkout?, release?, query?, explain?],
        })
    }

    /// What requests of a kind are made from.
    pub(crate) const fn of(&self, kind: Kind) -> &Mold {
        let [renew, checkout, release, query, explain] = &self.molds;
        match kind {
            Kind::Renew => renew,
            Kind::Checkout => checkout,
            Kind::Release => release,
            Kind::Query => query,
            Kind::Explain => explain,
        }
    }
}

/// A request and where in it the machine stands.
#[derive(Debug)]
pub(crate) struct Mold {
    frame: Bytes,
    /// Where the last four bytes of the machine's addresses are.
    machines: Vec<usize>,
    /// Where the continuation number is, in a request that has one.
    number: Option<usize>,
}

impl Mold {
    /// For requests of one kind.
    pub(crate) fn new(kind: Kind, vendor: VendorId) -> io::Result<Self> {
        let request = Machine::with(MARK, NUMBER).asks(kind, vendor);
        let body = request.to_body().map_err(io::Error::other)?;
        let frame = frame(request.opcode(), 1, body)?;
        let machines = places(&frame, &MARK.to_be_bytes());
        let numbers = places(&frame, &NUMBER.to_be_bytes());
        if matches!(kind, Kind::Renew | Kind::Checkout) != (numbers.len() == 1) {
            return Err(io::Error::other("not the one place for a continuation number"));
        }
        if (kind == Kind::Query) != machines.is_empty() {
            return Err(io::Error::other("not the places for a machine"));
        }
        Ok(Self {
            frame,
            machines,
            number: numbers.first().copied(),
        })
    }

    /// Writes the request of a machine behind `out`.
    pub(crate) fn cast(&self, request: u32, machine: u32, continuation: u64, out: &mut BytesMut) {
        let start = out.len();
        out.put_slice(&self.frame);
        let mut write = |at: usize, bytes: &[u8]| {
            if let Some(place) = out.get_mut(start + at..start + at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        };
        write(HEADER_LEN - 4, &request.to_be_bytes());
        for &at in &self.machines {
            write(at, &machine.to_be_bytes());
        }
        if let Some(at) = self.number {
            write(at, &continuation.to_be_bytes());
        }
    }

    /// What every request of this is, byte for byte, in length.
    pub(crate) const fn len(&self) -> usize {
        self.frame.len()
    }
}

/// Where `wanted` stands in `bytes`.
fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(wanted.len()).enumerate();
    windows
        .filter(|(_, window)| *window == wanted)
        .map(|(at, _)| at)
        .collect()
}

/// The number that a grant's component has to send next time; nothing in an answer of another kind.
pub(crate) fn continuation_in(opcode: Opcode, mut body: &[u8]) -> Option<u64> {
    if !opcode.is_reply() {
        return None;
    }
    while let Some((&[tag_high, tag_low, len_high, len_low], rest)) = body.split_first_chunk::<4>() {
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([len_high, len_low])))?;
        if [tag_high, tag_low] == CONTINUATION {
            return Some(u64::from_be_bytes(value.try_into().ok()?));
        }
        body = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use seatkeeper::wire::decode_frame;
    use seatkeeper::wire::messages::seat::CheckoutOk;
    use seatkeeper::wire::messages::{Request, Response};

    use super::*;

    #[test]
    fn a_cast_request_is_that_of_its_machine() {
        let vendor = VendorId([7; 16]);
        let molds = Molds::new(vendor).unwrap();
        let mut out = BytesMut::new();
        for kind in Kind::ALL {
            for (request, machine, number) in [(1, 0, 0), (9, 70_000, u64::MAX - 3), (u32::MAX, u32::MAX, 1)] {
                molds.of(kind).cast(request, machine, number, &mut out);
                let frame = decode_frame(&mut out).unwrap().unwrap();
                assert_eq!(frame.request, request);
                let cast = Request::decode(frame.opcode, &frame.body).unwrap().unwrap();
                let plain = Machine::with(machine, number).asks(kind, vendor);
                assert_eq!(without_host_name(cast), without_host_name(plain));
            }
        }
        assert!(out.is_empty());
    }

    /// The one thing that is the same for all.
    fn without_host_name(mut request: Request) -> Request {
        if let Request::Checkout(checkout) | Request::Renew(checkout) = &mut request {
            assert!(checkout.host_name.take().is_some());
        }
        request
    }

    #[test]
    fn the_continuation_number_of_an_answer_is_found() {
        let granted = CheckoutOk {
            continuation: Some(0x0102_0304),
            acquired_at: Some(7),
            ..CheckoutOk::default()
        };
        let body = Response::Checkout(granted).to_body().unwrap();
        assert_eq!(continuation_in(Opcode::RENEW.reply(), &body), Some(0x0102_0304));
        assert_eq!(continuation_in(Opcode::RENEW.reply(), body.get(..9).unwrap()), None);
        assert_eq!(continuation_in(Opcode::RENEW, &body), None);
    }
}
