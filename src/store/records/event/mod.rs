//! Events at rest. They ride in the journal's record of a round, beside the rows that they tell of, and that record has
//! the checksum.
//!
//! Version and kind stand before anything that serde reads: a kind that only a newer release knows is told apart from
//! damage whatever its fields are.

mod forms;
mod kinds;

use serde::{Deserialize, Serialize};

use crate::domain::change::{Event, EventKind};
use crate::domain::command::Actor;
use crate::domain::ids::Fingerprint;
use crate::domain::time::Timestamp;
use crate::store::envelope::{RECORD_LEN_MAX, RecordError, payload_of};

use super::seat::{address_bytes, address_of};
use kinds::KindV1;

/// The version that events are written in.
const VERSION: u8 = 1;

/// The bytes of an event. They are read back before they are handed out: a journal that stops the next start must not
/// come about.
pub(in crate::store) fn event_bytes(event: &Event) -> Result<Vec<u8>, RecordError> {
    let EventV1 { at, actor, kind } = event.into();
    let bytes = payload_of(&(VERSION, kind.number(), at, actor, kind))?;
    if self::event(&bytes)? == *event {
        Ok(bytes)
    } else {
        Err(RecordError::Field("value"))
    }
}

/// The event that has these bytes, all of them.
pub(in crate::store) fn event(bytes: &[u8]) -> Result<Event, RecordError> {
    if bytes.len() > RECORD_LEN_MAX {
        return Err(RecordError::TooLong(bytes.len()));
    }
    match bytes.split_first().ok_or(RecordError::Truncated)? {
        (&VERSION, rest) => {
            let (&number, rest) = rest.split_first().ok_or(RecordError::Truncated)?;
            EventV1::read(number, rest)?.try_into()
        }
        (&version, _) => Err(RecordError::Version(version)),
    }
}

/// The number of its kind is written before it.
#[derive(Debug)]
struct EventV1 {
    at: u64,
    actor: ActorV1,
    kind: KindV1,
}

/// `peer` is there for a peer.
#[derive(Debug, Deserialize, Serialize)]
struct ActorV1 {
    kind: u8,
    peer: Option<PeerV1>,
}

#[derive(Debug, Deserialize, Serialize)]
struct PeerV1 {
    identity: [u8; 32],
    address: Vec<u8>,
}

impl From<&Event> for EventV1 {
    fn from(event: &Event) -> Self {
        Self {
            at: event.at.0,
            actor: event.actor.into(),
            kind: KindV1::from(&event.kind),
        }
    }
}

impl TryFrom<EventV1> for Event {
    type Error = RecordError;

    fn try_from(record: EventV1) -> Result<Self, RecordError> {
        Ok(Self {
            at: Timestamp(record.at),
            actor: record.actor.try_into()?,
            kind: EventKind::try_from(record.kind)?,
        })
    }
}

impl From<Actor> for ActorV1 {
    fn from(actor: Actor) -> Self {
        let (kind, peer) = match actor {
            Actor::Peer { identity, address } => (1, Some((identity, address))),
            Actor::Server => (2, None),
        };
        Self {
            kind,
            peer: peer.map(|(identity, address)| PeerV1 {
                identity: identity.0,
                address: address_bytes(address),
            }),
        }
    }
}

impl TryFrom<ActorV1> for Actor {
    type Error = RecordError;

    fn try_from(record: ActorV1) -> Result<Self, RecordError> {
        match (record.kind, record.peer) {
            (1, Some(peer)) => Ok(Self::Peer {
                identity: Fingerprint(peer.identity),
                address: address_of(&peer.address)?,
            }),
            (2, None) => Ok(Self::Server),
            _ => Err(RecordError::Field("actor")),
        }
    }
}
