//! The frozen at-rest form of each kind of fact. `SeatV1` never changes: a field more is a `SeatV2` and one more arm
//! where records are read. Enumerations are stored as numbers given here, never by the order of their variants.
//!
//! Reading checks whatever the domain relies on: canonical ids, bounds, order. The conversions to a record are total.

mod blacklist;
mod catalogue;
mod enrolment;
mod event;
mod license;
mod reservation;
mod seat;

pub(super) use blacklist::BlacklistV1;
pub(super) use catalogue::CatalogueV1;
pub(super) use enrolment::{EnrolledV1, TokenV1};
pub(super) use event::{event, event_bytes};
pub(super) use license::{LicenseV1, SpentV1, TombstoneV1};
pub(super) use reservation::ReservationV1;
pub(super) use seat::{FormerV1, LeftV1, SeatV1};

use serde::{Deserialize, Serialize};

use crate::domain::backup::Backup;
use crate::domain::catalogue::Vendor;
use crate::domain::change::{Admin, Server};
use crate::domain::command::Role;
use crate::domain::ids::ServerId;
use crate::domain::time::{Now, Timestamp};
use crate::domain::timekeeper::{ClockState, Jump};

use super::envelope::RecordError;

/// The longest label of an administrator, in bytes.
const LABEL_LEN_MAX: usize = 64;

/// What every round leaves behind: where the ledger stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct MetaV1 {
    pub(super) round: u64,
    pub(super) steady: u64,
    pub(super) calendar: u64,
    pub(super) records: u64,
    pub(super) digest: [u8; 16],
}

impl MetaV1 {
    /// The time of the last round; nothing before the first.
    pub(super) const fn now(&self) -> Option<Now> {
        match self.round {
            0 => None,
            _ => Some(Now {
                steady: Timestamp(self.steady),
                calendar: Timestamp(self.calendar),
            }),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ServerV1 {
    id: [u8; 16],
    epoch: u32,
    founded_at: u64,
}

impl From<&Server> for ServerV1 {
    fn from(server: &Server) -> Self {
        Self {
            id: server.id.0,
            epoch: server.epoch,
            founded_at: server.founded_at.0,
        }
    }
}

impl From<ServerV1> for Server {
    fn from(record: ServerV1) -> Self {
        Self {
            id: ServerId(record.id),
            epoch: record.epoch,
            founded_at: Timestamp(record.founded_at),
            last_backup: None,
        }
    }
}

/// The server once a backup of it was made; before that it is written as [`ServerV1`].
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ServerV2 {
    server: ServerV1,
    backup: BackupV1,
}

#[derive(Debug, Deserialize, Serialize)]
struct BackupV1 {
    made_at: u64,
    round: u64,
    bytes: u64,
    has_identities: bool,
}

impl ServerV2 {
    /// The server at rest, with the last backup of it.
    pub(super) fn of(server: &Server, backup: &Backup) -> Self {
        Self {
            server: server.into(),
            backup: BackupV1 {
                made_at: backup.made_at.0,
                round: backup.round,
                bytes: backup.bytes,
                has_identities: backup.has_identities,
            },
        }
    }
}

impl From<ServerV2> for Server {
    fn from(record: ServerV2) -> Self {
        let ServerV2 { server, backup } = record;
        Self {
            last_backup: Some(Backup {
                made_at: Timestamp(backup.made_at),
                round: backup.round,
                bytes: backup.bytes,
                has_identities: backup.has_identities,
            }),
            ..server.into()
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ClockV1 {
    mark: u64,
    jump: Option<JumpV1>,
}

#[derive(Debug, Deserialize, Serialize)]
struct JumpV1 {
    size_secs: u64,
    began_at: u64,
}

impl From<&ClockState> for ClockV1 {
    fn from(clock: &ClockState) -> Self {
        Self {
            mark: clock.mark.0,
            jump: clock.jump.map(JumpV1::from),
        }
    }
}

impl From<ClockV1> for ClockState {
    fn from(record: ClockV1) -> Self {
        Self {
            mark: Timestamp(record.mark),
            jump: record.jump.map(Jump::from),
        }
    }
}

impl From<Jump> for JumpV1 {
    fn from(jump: Jump) -> Self {
        Self {
            size_secs: jump.size_secs,
            began_at: jump.began_at.0,
        }
    }
}

impl From<JumpV1> for Jump {
    fn from(record: JumpV1) -> Self {
        Self {
            size_secs: record.size_secs,
            began_at: Timestamp(record.began_at),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct VendorV1 {
    public_key: [u8; 32],
    trusted_at: u64,
}

impl From<&Vendor> for VendorV1 {
    fn from(vendor: &Vendor) -> Self {
        Self {
            public_key: vendor.public_key,
            trusted_at: vendor.trusted_at.0,
        }
    }
}

impl From<VendorV1> for Vendor {
    fn from(record: VendorV1) -> Self {
        Self {
            public_key: record.public_key,
            trusted_at: Timestamp(record.trusted_at),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct AdminV1 {
    role: u8,
    label: String,
    added_at: u64,
}

impl From<&Admin> for AdminV1 {
    fn from(admin: &Admin) -> Self {
        Self {
            role: role_number(admin.role),
            label: admin.label.clone(),
            added_at: admin.added_at.0,
        }
    }
}

impl TryFrom<AdminV1> for Admin {
    type Error = RecordError;

    fn try_from(record: AdminV1) -> Result<Self, RecordError> {
        check("label", record.label.len() <= LABEL_LEN_MAX)?;
        Ok(Self {
            role: role_of(record.role)?,
            label: record.label,
            added_at: Timestamp(record.added_at),
        })
    }
}

const fn role_number(role: Role) -> u8 {
    match role {
        Role::Agent => 1,
        Role::Deployer => 2,
        Role::Viewer => 3,
        Role::Administrator => 4,
    }
}

fn role_of(number: u8) -> Result<Role, RecordError> {
    match number {
        1 => Ok(Role::Agent),
        2 => Ok(Role::Deployer),
        3 => Ok(Role::Viewer),
        4 => Ok(Role::Administrator),
        _ => Err(RecordError::Field("role")),
    }
}

/// Refuses a field whose value is not allowed.
fn check(field: &'static str, allowed: bool) -> Result<(), RecordError> {
    if allowed {
        Ok(())
    } else {
        Err(RecordError::Field(field))
    }
}

#[cfg(test)]
mod tests;
