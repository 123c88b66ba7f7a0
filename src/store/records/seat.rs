//! Seats and former seats at rest.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::catalogue::COMPONENTS_MAX;
use crate::domain::ids::{ComponentId, Fingerprint, Mac, Serial};
use crate::domain::seat::{
    Binding, Bound, Conflict, ConflictKind, DISPLACED_MAX, Displaced, EndCause, FormerSeat, HOST_NAME_LEN_MAX,
    LastNumbers, LeftBehind, MachineNote, OTHER_MACS_MAX, Seat, Seen, Waiting,
};
use crate::domain::sorted_map::SortedMap;
use crate::domain::time::Timestamp;
use crate::store::envelope::RecordError;

use super::check;

/// A million of them are written and read: what they borrow is not copied on the way.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct SeatV1<'a> {
    serial: [u8; 16],
    acquired_at: u64,
    renewed_at: u64,
    renew_by: Option<u64>,
    single_use: bool,
    host_name: &'a str,
    address: Vec<u8>,
    other_macs: Vec<[u8; 6]>,
    #[serde(borrow)]
    components: Vec<HoldV1<'a>>,
}

/// A component that holds the seat; nothing is bound where it is ephemeral, or where a conflict was
/// resolved.
#[derive(Debug, Deserialize, Serialize)]
struct HoldV1<'a> {
    component: &'a str,
    bound: Option<BoundV1>,
}

#[derive(Debug, Deserialize, Serialize)]
struct BoundV1 {
    identity: [u8; 32],
    rebound_at: Option<u64>,
    displaced: Vec<DisplacedV1>,
    continuation: u64,
    continuation_before: Option<u64>,
    conflict: Option<ConflictV1>,
    waiting: Option<WaitingV1>,
}

#[derive(Debug, Deserialize, Serialize)]
struct WaitingV1 {
    identity: [u8; 32],
    since: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct DisplacedV1 {
    identity: [u8; 32],
    at: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct ConflictV1 {
    kind: u8,
    since: u64,
    last_seen: u64,
    count: u32,
}

#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct FormerV1 {
    ended_at: u64,
    cause: u8,
}

impl<'a> From<&'a Seat> for SeatV1<'a> {
    fn from(seat: &'a Seat) -> Self {
        Self {
            serial: seat.serial.bytes(),
            acquired_at: seat.acquired_at.0,
            renewed_at: seat.renewed_at.0,
            renew_by: seat.renew_by.map(|at| at.0),
            single_use: seat.single_use,
            host_name: &seat.machine.host_name,
            address: seat.machine.address.map_or_else(Vec::new, address_bytes),
            other_macs: seat.machine.other_macs.iter().map(|mac| mac.bytes()).collect(),
            components: seat.components.iter().map(HoldV1::from).collect(),
        }
    }
}

impl TryFrom<SeatV1<'_>> for Seat {
    type Error = RecordError;

    fn try_from(record: SeatV1<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            serial: Serial::from_canonical(&record.serial)?,
            acquired_at: Timestamp(record.acquired_at),
            renewed_at: Timestamp(record.renewed_at),
            renew_by: record.renew_by.map(Timestamp),
            single_use: record.single_use,
            machine: machine(record.host_name, &record.address, &record.other_macs)?,
            components: holds(record.components)?,
        })
    }
}

fn machine(host_name: &str, address: &[u8], other_macs: &[[u8; 6]]) -> Result<MachineNote, RecordError> {
    let name_is_plain = host_name.len() <= HOST_NAME_LEN_MAX && !host_name.chars().any(char::is_control);
    check("host_name", name_is_plain)?;
    check("other_macs", other_macs.len() <= OTHER_MACS_MAX)?;
    Ok(MachineNote {
        host_name: host_name.into(),
        address: match address {
            [] => None,
            octets => Some(address_of(octets)?),
        },
        other_macs: other_macs.iter().map(|&mac| Mac::new(mac)).collect::<Result<_, _>>()?,
    })
}

pub(super) fn address_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

pub(super) fn address_of(octets: &[u8]) -> Result<IpAddr, RecordError> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(octets).map(IpAddr::from);
    v4.or(v6).map_err(|_| RecordError::Field("address"))
}

fn holds(records: Vec<HoldV1<'_>>) -> Result<SortedMap<ComponentId, Binding>, RecordError> {
    check("components", records.len() <= COMPONENTS_MAX)?;
    check("components", records.is_sorted_by(|a, b| a.component < b.component))?;
    let hold = |record: HoldV1<'_>| {
        let binding = record
            .bound
            .map_or(Ok(Binding::Unbound), |bound| bound.try_into().map(Binding::Identity))?;
        Ok((ComponentId::from_canonical(record.component.as_bytes())?, binding))
    };
    records.into_iter().map(hold).collect()
}

impl<'a> From<(&'a ComponentId, &Binding)> for HoldV1<'a> {
    fn from((component, binding): (&'a ComponentId, &Binding)) -> Self {
        Self {
            component: component.as_str(),
            bound: match binding {
                Binding::Unbound => None,
                Binding::Identity(bound) => Some(bound.into()),
            },
        }
    }
}

impl From<&Bound> for BoundV1 {
    fn from(bound: &Bound) -> Self {
        Self {
            identity: bound.identity.0,
            rebound_at: bound.others.rebound_at.map(|at| at.0),
            displaced: bound.others.displaced.iter().map(DisplacedV1::from).collect(),
            continuation: bound.continuation,
            continuation_before: bound.continuation_before,
            conflict: bound.others.conflict.as_ref().map(ConflictV1::from),
            waiting: bound.others.waiting.as_ref().map(|waiting| WaitingV1 {
                identity: waiting.identity.0,
                since: waiting.since.0,
            }),
        }
    }
}

impl TryFrom<BoundV1> for Bound {
    type Error = RecordError;

    fn try_from(record: BoundV1) -> Result<Self, RecordError> {
        check("displaced", record.displaced.len() <= DISPLACED_MAX)?;
        check("displaced", record.displaced.is_sorted_by_key(|one| one.at))?;
        let was_answered = record.continuation != 0;
        check("continuation", was_answered == record.continuation_before.is_some())?;
        let others = Seen {
            rebound_at: record.rebound_at.map(Timestamp),
            displaced: record.displaced.into_iter().map(Displaced::from).collect(),
            conflict: record.conflict.map(Conflict::try_from).transpose()?,
            waiting: record.waiting.map(|waiting| Waiting {
                identity: Fingerprint(waiting.identity),
                since: Timestamp(waiting.since),
            }),
        };
        Ok(Self {
            identity: Fingerprint(record.identity),
            continuation: record.continuation,
            continuation_before: record.continuation_before,
            others: others.into(),
        })
    }
}

impl From<&Displaced> for DisplacedV1 {
    fn from(displaced: &Displaced) -> Self {
        Self {
            identity: displaced.identity.0,
            at: displaced.at.0,
        }
    }
}

impl From<DisplacedV1> for Displaced {
    fn from(record: DisplacedV1) -> Self {
        Self {
            identity: Fingerprint(record.identity),
            at: Timestamp(record.at),
        }
    }
}

impl From<&Conflict> for ConflictV1 {
    fn from(conflict: &Conflict) -> Self {
        Self {
            kind: conflict_number(conflict.kind),
            since: conflict.since.0,
            last_seen: conflict.last_seen.0,
            count: conflict.count,
        }
    }
}

impl TryFrom<ConflictV1> for Conflict {
    type Error = RecordError;

    fn try_from(record: ConflictV1) -> Result<Self, RecordError> {
        Ok(Self {
            kind: conflict_of(record.kind)?,
            since: Timestamp(record.since),
            last_seen: Timestamp(record.last_seen),
            count: record.count,
        })
    }
}

pub(super) const fn conflict_number(kind: ConflictKind) -> u8 {
    match kind {
        ConflictKind::AlternatingIdentity => 1,
        ConflictKind::StaleContinuation => 2,
    }
}

pub(super) fn conflict_of(number: u8) -> Result<ConflictKind, RecordError> {
    match number {
        1 => Ok(ConflictKind::AlternatingIdentity),
        2 => Ok(ConflictKind::StaleContinuation),
        _ => Err(RecordError::Field("conflict.kind")),
    }
}

impl From<&FormerSeat> for FormerV1 {
    fn from(former: &FormerSeat) -> Self {
        Self {
            ended_at: former.ended_at.0,
            cause: cause_number(former.cause),
        }
    }
}

impl TryFrom<FormerV1> for FormerSeat {
    type Error = RecordError;

    fn try_from(record: FormerV1) -> Result<Self, RecordError> {
        Ok(Self {
            ended_at: Timestamp(record.ended_at),
            cause: cause_of(record.cause)?,
        })
    }
}

pub(super) const fn cause_number(cause: EndCause) -> u8 {
    match cause {
        EndCause::Administrator => 1,
        EndCause::Idle => 2,
        EndCause::LicenseRemoved => 3,
        EndCause::Released => 4,
    }
}

pub(super) fn cause_of(number: u8) -> Result<EndCause, RecordError> {
    match number {
        1 => Ok(EndCause::Administrator),
        2 => Ok(EndCause::Idle),
        3 => Ok(EndCause::LicenseRemoved),
        4 => Ok(EndCause::Released),
        _ => Err(RecordError::Field("cause")),
    }
}

/// What components left behind.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct LeftV1 {
    left_at: u64,
    components: Vec<LastNumbersV1>,
}

#[derive(Debug, Deserialize, Serialize)]
struct LastNumbersV1 {
    component: String,
    identity: [u8; 32],
    continuation: u64,
    continuation_before: u64,
}

impl From<&LeftBehind> for LeftV1 {
    fn from(left: &LeftBehind) -> Self {
        let numbers = |(component, numbers): (&ComponentId, &LastNumbers)| LastNumbersV1 {
            component: component.as_str().to_owned(),
            identity: numbers.identity.0,
            continuation: numbers.continuation,
            continuation_before: numbers.continuation_before,
        };
        Self {
            left_at: left.left_at.0,
            components: left.components.iter().map(numbers).collect(),
        }
    }
}

impl TryFrom<LeftV1> for LeftBehind {
    type Error = RecordError;

    fn try_from(record: LeftV1) -> Result<Self, RecordError> {
        let components = &record.components;
        check("components", (1..=COMPONENTS_MAX).contains(&components.len()))?;
        check("components", components.is_sorted_by(|a, b| a.component < b.component))?;
        let numbers = |one: LastNumbersV1| {
            let component = ComponentId::from_canonical(one.component.as_bytes())?;
            let numbers = LastNumbers {
                identity: Fingerprint(one.identity),
                continuation: one.continuation,
                continuation_before: one.continuation_before,
            };
            Ok((component, numbers))
        };
        Ok(Self {
            left_at: Timestamp(record.left_at),
            components: record
                .components
                .into_iter()
                .map(numbers)
                .collect::<Result<_, RecordError>>()?,
        })
    }
}
