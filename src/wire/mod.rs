//! The protocol's bytes: frames, messages, datagrams, codes and bounds. `proto-spec/protocol.md` is the text that
//! this follows; the vectors beside it are the judge.
//!
//! Codes are open here: an opcode, a status or an outcome of a newer peer decodes and prints. What they mean is
//! decided in `session`, where every match is exhaustive.

#[macro_use]
mod codes;
pub mod discovery;
pub mod dissect;
pub mod frame;
pub mod limits;
pub mod messages;
pub mod opcode;
pub mod status;

pub use crate::codec::DecodeError;
pub use codes::{
    Altered, Check, ConfigEffect, ConflictKind, EndCause, EventKind, Finding, ImportOutcome, Kind, LicenseStatus,
    Offers, OnConflict, Outcome, ReleaseOutcome, Reserved, Role, Settled, Usage, Warning,
};
pub use frame::{Frame, FrameError, Header, decode_frame, peek_header};
pub use opcode::Opcode;
pub use status::Status;

#[cfg(test)]
mod tests;
