//! Bytes that came from a peer and are no whole request yet.

use bytes::{Buf, Bytes, BytesMut};

use crate::domain::time::Monotonic;
use crate::wire::limits::HEADER_LEN;
use crate::wire::{Frame, FrameError, Header, decode_frame, peek_header};

/// A body is short that has no more bytes than this. Requests of agents are much shorter.
const SHORT_LEN: usize = 1_024;

/// What was read and not yet accepted: at most one frame, and what was read along with its end.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: BytesMut,
    /// Since when the peer owes the rest of the frame that it began.
    owed_since: Option<Monotonic>,
}

impl Inbox {
    /// Takes bytes as they come.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame's header, once it is there.
    ///
    /// # Errors
    /// It announces a body that is too long.
    pub(super) fn header(&self) -> Result<Option<Header>, FrameError> {
        peek_header(&self.bytes)
    }

    /// The next frame, once it is whole.
    ///
    /// # Errors
    /// As [`Inbox::header`].
    pub(super) fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(header) = peek_header(&self.bytes)? else {
            return Ok(None);
        };
        let taken = if header.body_len > SHORT_LEN {
            decode_frame(&mut self.bytes)?
        } else {
            self.take_short(header)
        };
        if let Some(frame) = &taken {
            if self.bytes.is_empty() || frame.body.len() > SHORT_LEN {
                // What is left would keep the room of the frame that was taken, however long that was.
                self.bytes = BytesMut::from(self.bytes.as_ref());
            }
            self.owed_since = None;
        }
        Ok(taken)
    }

    /// Short ones come many at a time. Each is copied out: what stands behind them all is not copied for each of them, and
    /// a body that somebody keeps does not keep the room of the others.
    fn take_short(&mut self, header: Header) -> Option<Frame> {
        let Header {
            opcode,
            status,
            request,
            body_len,
        } = header;
        let len = HEADER_LEN + body_len;
        let body = Bytes::copy_from_slice(self.bytes.get(HEADER_LEN..len)?);
        self.bytes.advance(len);
        Some(Frame {
            opcode,
            status,
            request,
            body,
        })
    }

    /// Notes at `at` whether the peer owes the rest of a frame, which it cannot send while nobody `reads`.
    pub(super) fn note(&mut self, reads: bool, at: Monotonic) {
        let owes = reads && !self.bytes.is_empty();
        self.owed_since = owes.then(|| self.owed_since.unwrap_or(at));
    }

    /// For so many milliseconds nobody read: they are not the peer's.
    pub(super) fn forgive(&mut self, millis: u64) {
        self.owed_since = self.owed_since.map(|since| since.after_millis(millis));
    }

    /// When the frame that the peer began must be whole, where it has `frame_ms` for that.
    pub(super) fn due(&self, frame_ms: u64) -> Option<Monotonic> {
        self.owed_since.map(|since| since.after_millis(frame_ms))
    }

    /// How many bytes this holds, or has made room for.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Opcode, Status};

    #[test]
    fn short_frames_that_come_together_are_taken_one_by_one_however_they_are_cut() {
        let frame = |request: u32| Frame {
            opcode: Opcode::CHECKOUT,
            status: Status::OK,
            request,
            body: Bytes::from(vec![7; request as usize * 300]),
        };
        let frames: Vec<Frame> = (1..=8).map(frame).collect();
        let stream: Vec<u8> = frames
            .iter()
            .flat_map(|frame| frame.encode().expect("in bounds"))
            .collect();
        for step in [1, 11, 12, 13, 700, 4_096, stream.len()] {
            let mut inbox = Inbox::default();
            let mut taken = Vec::new();
            for part in stream.chunks(step) {
                inbox.extend(part);
                while let Some(frame) = inbox.take().expect("readable") {
                    taken.push(frame);
                }
            }
            assert_eq!(taken, frames, "in steps of {step}");
            assert_eq!(inbox.held(), 0, "nothing is kept behind the last");
        }
    }

    #[test]
    fn a_long_frame_that_was_taken_leaves_none_of_its_room_behind() {
        let frame = Frame {
            opcode: Opcode::CHECKOUT,
            status: Status::OK,
            request: 1,
            body: Bytes::from(vec![0; 60_000]),
        };
        for rest in [&b""[..], b"rest"] {
            let mut inbox = Inbox::default();
            inbox.extend(&frame.encode().expect("in bounds"));
            inbox.extend(rest);
            drop(inbox.take().expect("readable").expect("whole"));
            assert_eq!(inbox.bytes, rest);
            assert!(!inbox.bytes.try_reclaim(1_000), "its room is still there");
        }
    }
}
