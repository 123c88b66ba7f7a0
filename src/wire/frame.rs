//! Frames: a header of 12 bytes, then a body of fields.
//!
//! `body length u32 | opcode u16 | status u16 | request id u32`, big-endian. The header is judged before the body is
//! waited for: a body that is too long is refused without room being made for it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::limits::{BODY_LEN_MAX, HEADER_LEN};
use super::{Opcode, Status};
use crate::codec::{DecodeError, Reader};

/// A frame whose body is not read yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// What it asks or answers.
    pub opcode: Opcode,
    /// How the request was answered; [`Status::OK`] in requests.
    pub status: Status,
    /// The client's number for the request, 1 or more; the reply carries it back. 0 in a parting.
    pub request: u32,
    /// The fields, at most [`BODY_LEN_MAX`] bytes.
    pub body: Bytes,
}

/// Bytes that are not a frame, or a frame that may not be sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FrameError {
    /// The body is longer than a frame may be.
    #[error("a frame's body of {len} bytes is longer than its bound of {BODY_LEN_MAX}")]
    BodyTooLong {
        /// Its length in bytes, as the header says.
        len: usize,
    },
    /// The header cannot be read.
    #[error("unreadable frame header")]
    Header(#[from] DecodeError),
}

/// The header of a frame, whose body may not have come yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// What the frame asks or answers.
    pub opcode: Opcode,
    /// How the request was answered; [`Status::OK`] in requests.
    pub status: Status,
    /// The client's number for the request.
    pub request: u32,
    /// Bytes of the body, at most [`BODY_LEN_MAX`].
    pub body_len: usize,
}

/// Reads the header of the next frame and leaves it where it is; nothing while it is not complete.
///
/// # Errors
/// The header announces a body that is too long. The connection cannot be read any further.
pub fn peek_header(input: &[u8]) -> Result<Option<Header>, FrameError> {
    let Some(header) = input.first_chunk::<HEADER_LEN>() else {
        return Ok(None);
    };
    let (len, opcode, status, request) = Reader::all(header, |r| {
        Ok((
            r.u32("body length")?,
            Opcode(r.u16("opcode")?),
            Status(r.u16("status")?),
            r.u32("request id")?,
        ))
    })?;
    let body_len = usize::try_from(len).unwrap_or(usize::MAX);
    if body_len > BODY_LEN_MAX {
        return Err(FrameError::BodyTooLong { len: body_len });
    }
    Ok(Some(Header {
        opcode,
        status,
        request,
        body_len,
    }))
}

/// Takes the next frame off `input`; nothing while it is not complete.
///
/// # Errors
/// The header announces a body that is too long. The connection cannot be read any further.
pub fn decode_frame(input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let Some(header) = peek_header(input)? else {
        return Ok(None);
    };
    let Header {
        opcode,
        status,
        request,
        body_len,
    } = header;
    if input.len() < HEADER_LEN + body_len {
        input.reserve(HEADER_LEN + body_len - input.len());
        return Ok(None);
    }
    input.advance(HEADER_LEN);
    Ok(Some(Frame {
        opcode,
        status,
        request,
        body: input.split_to(body_len).freeze(),
    }))
}

impl Frame {
    /// The frame's bytes.
    ///
    /// # Errors
    /// The body is longer than [`BODY_LEN_MAX`]: ask for less, or in several frames.
    pub fn encode(&self) -> Result<Bytes, FrameError> {
        let len = self.body.len();
        let too_long = FrameError::BodyTooLong { len };
        if len > BODY_LEN_MAX {
            return Err(too_long);
        }
        let mut out = BytesMut::with_capacity(HEADER_LEN + len);
        out.put_u32(u32::try_from(len).map_err(|_| too_long)?);
        out.put_u16(self.opcode.0);
        out.put_u16(self.status.0);
        out.put_u32(self.request);
        out.put_slice(&self.body);
        Ok(out.freeze())
    }
}
