//! Codes of the wire and the domain's enumerations, both ways.

use crate::domain::catalogue::{Offers, OnConflict};
use crate::domain::command::Role;
use crate::domain::license::{Kind, LicenseStatus, Usage};
use crate::domain::reply::Altered;
use crate::domain::seat::{ConflictKind, EndCause};
use crate::wire;

/// The wire's code of a role.
#[must_use]
pub const fn role_code(role: Role) -> wire::Role {
    match role {
        Role::Administrator => wire::Role::ADMINISTRATOR,
        Role::Agent => wire::Role::AGENT,
        Role::Deployer => wire::Role::DEPLOYER,
        Role::Viewer => wire::Role::VIEWER,
    }
}

/// The role of a wire's code; nothing where this version knows none.
#[must_use]
pub const fn role_of(code: wire::Role) -> Option<Role> {
    match code {
        wire::Role::ADMINISTRATOR => Some(Role::Administrator),
        wire::Role::AGENT => Some(Role::Agent),
        wire::Role::DEPLOYER => Some(Role::Deployer),
        wire::Role::VIEWER => Some(Role::Viewer),
        _ => None,
    }
}

/// The wire's code of how a license was bought.
#[must_use]
pub const fn kind_code(kind: Kind) -> wire::Kind {
    match kind {
        Kind::Commercial => wire::Kind::COMMERCIAL,
        Kind::Subscription => wire::Kind::SUBSCRIPTION,
        Kind::Trial => wire::Kind::TRIAL,
    }
}

/// The wire's code of what a license is for.
#[must_use]
pub const fn usage_code(usage: Usage) -> wire::Usage {
    match usage {
        Usage::Deployment => wire::Usage::DEPLOYMENT,
        Usage::Machine => wire::Usage::MACHINE,
    }
}

/// The wire's code of whether a license serves.
#[must_use]
pub const fn license_status_code(status: LicenseStatus) -> wire::LicenseStatus {
    match status {
        LicenseStatus::Blacklisted => wire::LicenseStatus::BLACKLISTED,
        LicenseStatus::Expired => wire::LicenseStatus::EXPIRED,
        LicenseStatus::Superseded => wire::LicenseStatus::SUPERSEDED,
        LicenseStatus::Valid => wire::LicenseStatus::VALID,
    }
}

pub(super) const fn offers_code(offers: Offers) -> wire::Offers {
    match offers {
        Offers::DeploymentFirst => wire::Offers::DEPLOYMENT_FIRST,
        Offers::DeploymentOnly => wire::Offers::DEPLOYMENT_ONLY,
        Offers::MachineFirst => wire::Offers::MACHINE_FIRST,
        Offers::MachineOnly => wire::Offers::MACHINE_ONLY,
    }
}

pub(super) const fn on_conflict_code(policy: OnConflict) -> wire::OnConflict {
    match policy {
        OnConflict::Flag => wire::OnConflict::FLAG,
        OnConflict::Refuse => wire::OnConflict::REFUSE,
    }
}

pub(super) const fn altered_code(what: Altered) -> wire::Altered {
    match what {
        Altered::Component => wire::Altered::COMPONENT,
        Altered::Counted => wire::Altered::COUNTED,
        Altered::Ephemeral => wire::Altered::EPHEMERAL,
        Altered::IdleDays => wire::Altered::IDLE_DAYS,
        Altered::Lenient => wire::Altered::LENIENT,
        Altered::Name => wire::Altered::NAME,
        Altered::Offers => wire::Altered::OFFERS,
        Altered::OfflineDays => wire::Altered::OFFLINE_DAYS,
        Altered::OnConflict => wire::Altered::ON_CONFLICT,
        Altered::Product => wire::Altered::PRODUCT,
        Altered::Required => wire::Altered::REQUIRED,
        Altered::SingleUse => wire::Altered::SINGLE_USE,
    }
}

pub(super) const fn cause_code(cause: EndCause) -> wire::EndCause {
    match cause {
        EndCause::Administrator => wire::EndCause::ADMINISTRATOR,
        EndCause::Idle => wire::EndCause::IDLE,
        EndCause::LicenseRemoved => wire::EndCause::LICENSE_REMOVED,
        EndCause::Released => wire::EndCause::RELEASED,
    }
}

/// Why a seat ended, by the wire's code; nothing where this version knows none.
#[cfg(test)]
pub(super) const fn cause_of(code: wire::EndCause) -> Option<EndCause> {
    match code {
        wire::EndCause::ADMINISTRATOR => Some(EndCause::Administrator),
        wire::EndCause::IDLE => Some(EndCause::Idle),
        wire::EndCause::LICENSE_REMOVED => Some(EndCause::LicenseRemoved),
        wire::EndCause::RELEASED => Some(EndCause::Released),
        _ => None,
    }
}

pub(super) const fn conflict_kind_code(kind: ConflictKind) -> wire::ConflictKind {
    match kind {
        ConflictKind::AlternatingIdentity => wire::ConflictKind::ALTERNATING_IDENTITY,
        ConflictKind::StaleContinuation => wire::ConflictKind::STALE_CONTINUATION,
    }
}

/// How a copy showed itself, by the wire's code; nothing where this version knows none.
#[cfg(test)]
pub(super) const fn conflict_kind_of(code: wire::ConflictKind) -> Option<ConflictKind> {
    match code {
        wire::ConflictKind::ALTERNATING_IDENTITY => Some(ConflictKind::AlternatingIdentity),
        wire::ConflictKind::STALE_CONTINUATION => Some(ConflictKind::StaleContinuation),
        _ => None,
    }
}
