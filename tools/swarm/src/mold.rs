//! Renewals of many machines from one encoded request: what differs is written over, so that the load costs little itself.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use seatkeeper::domain::ids::VendorId;
use seatkeeper::wire::Opcode;
use seatkeeper::wire::limits::HEADER_LEN;

use crate::line::frame;
use crate::machine::Machine;

/// The number of the machine that is written over: its bytes and its digits occur nowhere else in the request.
const MARK: u32 = 0x5A5A_5A5A;

/// The continuation number that is written over, likewise.
const NUMBER: u64 = 0x6B6B_6B6B_6B6B_6B6B;

/// The tag of a grant's continuation number, in big-endian bytes.
const CONTINUATION: [u8; 2] = 0x0007_u16.to_be_bytes();

/// A request and where in it the machine stands.
#[derive(Clone, Debug)]
pub(crate) struct Mold {
    frame: Bytes,
    /// Where the last four bytes of the machine's addresses are.
    machines: Vec<usize>,
    /// Where the continuation number is.
    number: usize,
}

impl Mold {
    /// For renewals, which engage a seat where there is none (rule S14).
    pub(crate) fn new(vendor: VendorId) -> io::Result<Self> {
        let request = Machine::with(MARK, NUMBER).request(vendor);
        let body = request.to_body().map_err(io::Error::other)?;
        let frame = frame(request.opcode(), 1, body)?;
        let machines = places(&frame, &MARK.to_be_bytes());
        let &[number] = places(&frame, &NUMBER.to_be_bytes()).as_slice() else {
            return Err(io::Error::other(
                "a request has no one place for its continuation number",
            ));
        };
        if machines.is_empty() {
            return Err(io::Error::other("a request has no place for its machine"));
        }
        Ok(Self {
            frame,
            machines,
            number,
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
        write(self.number, &continuation.to_be_bytes());
    }

    /// What every request of this is, byte for byte, in length.
    pub(crate) fn len(&self) -> usize {
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
        let mold = Mold::new(VendorId([7; 16])).unwrap();
        let mut out = BytesMut::new();
        for (request, machine, number) in [(1, 0, 0), (9, 70_000, u64::MAX - 3), (u32::MAX, u32::MAX, 1)] {
            mold.cast(request, machine, number, &mut out);
            let frame = decode_frame(&mut out).unwrap().unwrap();
            assert_eq!(frame.request, request);
            let read = Request::decode(frame.opcode, &frame.body).unwrap().unwrap();
            let Request::Renew(mut cast) = read else {
                panic!("{read:?}")
            };
            let Request::Renew(mut plain) = Machine::with(machine, number).request(VendorId([7; 16])) else {
                unreachable!()
            };
            // The one thing that is the same for all.
            (cast.host_name, plain.host_name) = (None, None);
            assert_eq!(cast, plain);
        }
        assert!(out.is_empty());
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
