//! What a server says, as bytes.

use bytes::Bytes;

use crate::wire::messages::Response;
use crate::wire::messages::hello::Refusal;
use crate::wire::{Frame, Opcode, Status};

/// What a server says before it closes for a reason that belongs to no request.
pub(super) fn parting(status: Status, text: &str) -> Bytes {
    let text = text.to_owned();
    let refusal = Refusal {
        text,
        ..Refusal::default()
    };
    encode(Opcode::PARTING, 0, &Response::Refused(status, refusal))
}

/// The reply's frame. One that is over a bound becomes a refusal: the peer must get an answer.
pub(super) fn encode(opcode: Opcode, request: u32, response: &Response) -> Bytes {
    let frame = |status, body| Frame {
        opcode: opcode.reply(),
        status,
        request,
        body,
    };
    let encoded = response
        .to_body()
        .ok()
        .and_then(|body| frame(response.status(), body).encode().ok());
    // A refusal without its optional fields has one text, which is short here.
    encoded.unwrap_or_else(|| {
        let text = "the server could not write its answer; see its log".to_owned();
        let refusal = Response::Refused(
            Status::INTERNAL,
            Refusal {
                text,
                ..Refusal::default()
            },
        );
        let body = refusal.to_body().unwrap_or_default();
        frame(Status::INTERNAL, body).encode().unwrap_or_default()
    })
}
