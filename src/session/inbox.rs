//! Bytes that came from a peer and are no whole request yet.

use bytes::BytesMut;

use crate::domain::time::Monotonic;
use crate::wire::limits::FRAME_MS;
use crate::wire::{Frame, FrameError, Header, decode_frame, peek_header};

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
        let taken = decode_frame(&mut self.bytes)?;
        if taken.is_some() {
            // What is left would keep the room of the frame that was taken, however long that was.
            self.bytes = BytesMut::from(self.bytes.as_ref());
            self.owed_since = None;
        }
        Ok(taken)
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

    /// When the frame that the peer began must be whole.
    pub(super) fn due(&self) -> Option<Monotonic> {
        self.owed_since.map(|since| since.after_millis(FRAME_MS))
    }

    /// How many bytes this holds, or has made room for.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::wire::{Opcode, Status};

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
