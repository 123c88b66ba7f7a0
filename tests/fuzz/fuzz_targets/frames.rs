//! A stream of frames reads the same however it is cut, and what was read is written as it came.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use seatkeeper::wire::limits::BODY_LEN_MAX;
use seatkeeper::wire::{Frame, FrameError, decode_frame};

/// Everything that is whole in `input`, and what ended the reading.
fn frames(input: &mut BytesMut) -> (Vec<Frame>, Option<FrameError>) {
    let mut read = Vec::new();
    loop {
        match decode_frame(input) {
            Ok(Some(frame)) => read.push(frame),
            Ok(None) => return (read, None),
            Err(error) => return (read, Some(error)),
        }
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, stream) = input;
    let mut at_once = BytesMut::from(stream);
    let (read, error) = frames(&mut at_once);

    let mut written = Vec::new();
    for frame in &read {
        assert!(frame.body.len() <= BODY_LEN_MAX);
        written.extend_from_slice(&frame.encode().expect("it was read, so it is within its bounds"));
    }
    assert_eq!(written, &stream[..stream.len() - at_once.len()]);

    let mut in_pieces = BytesMut::new();
    let mut again = Vec::new();
    let mut error_again = None;
    for piece in stream.chunks(usize::from(cut).max(1)) {
        in_pieces.extend_from_slice(piece);
        let (read, error) = frames(&mut in_pieces);
        again.extend(read);
        if error.is_some() {
            error_again = error;
            break;
        }
    }
    assert_eq!((again, error_again), (read, error));
});
