//! What is told of changes: the events of the log (rule V3).

use std::num::NonZeroU32;

use super::backup::Backup;
use super::blacklist::Listed;
use super::command::{Actor, Role};
use super::event_log::Refused;
use super::ids::{ComponentId, Fingerprint, Mac, ProductKey, ReservationId, Serial, ServerId, TokenId, VendorId};
use super::seat::{ConflictKind, EndCause, SeatKey};
use super::time::Timestamp;
use super::timekeeper::Jump;

/// Something that happened, for the event log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// What.
    pub kind: EventKind,
}

/// What happened to the server's time (rule T2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockEvent {
    /// A jump was accepted: by an administrator, or by itself when it had lasted.
    JumpAccepted(Jump),
    /// The calendar jumped; nothing idles out by it until it is accepted.
    JumpPending(Jump),
    /// A jump is over: what was dated by it was moved back.
    JumpRejected(Jump),
    /// An administrator made the calendar the highest accepted time.
    Reset {
        /// The highest accepted time before.
        from: Timestamp,
        /// The one from now on.
        to: Timestamp,
    },
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventKind {
    /// An identity was given a role.
    AdminAdded {
        /// Which identity.
        fingerprint: Fingerprint,
        /// What it may do.
        role: Role,
    },
    /// An identity lost its role.
    AdminRemoved {
        /// Which identity.
        fingerprint: Fingerprint,
    },
    /// A backup of the server was made.
    BackedUp(Backup),
    /// A vendor's list came or replaced an older one.
    BlacklistImported {
        /// Whose.
        vendor: VendorId,
        /// Its number.
        version: u64,
    },
    /// A catalogue came or replaced an older one.
    CatalogueImported {
        /// Whose.
        vendor: VendorId,
        /// Its number.
        version: u64,
    },
    /// The clock jumped, or what became of a jump, or an administrator set the time (rule T2).
    ClockChanged(ClockEvent),
    /// The configuration was read again while the server ran.
    ConfigReloaded {
        /// How many keys were taken over.
        applied: u32,
    },
    /// Another component holds the seat too.
    ComponentAdded {
        /// Which seat.
        key: SeatKey,
        /// Which component.
        component: ComponentId,
    },
    /// An administrator had the binding of a component with a conflict forgotten: its next checkout binds anew (rule I7).
    BindingForgotten {
        /// Of which seat.
        key: SeatKey,
        /// Of which component.
        component: ComponentId,
    },
    /// A component was released.
    ComponentReleased {
        /// Which seat.
        key: SeatKey,
        /// Which component.
        component: ComponentId,
        /// An administrator's reason; nothing where the component released itself.
        reason: Option<String>,
    },
    /// A copy showed itself.
    ConflictSeen {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// How.
        kind: ConflictKind,
    },
    /// The unit that was set aside for a machine is free again (rule X2).
    DeploymentAborted {
        /// Of which reservation.
        reservation: ReservationId,
        /// For which machine.
        mac: Mac,
        /// Of which license.
        serial: Serial,
    },
    /// A unit of a deployment license was spent (rule X1).
    DeploymentCommitted {
        /// Of which reservation.
        reservation: ReservationId,
        /// On which machine.
        mac: Mac,
        /// Of which license.
        serial: Serial,
    },
    /// An administrator approved the identity that waited: it is bound in place of the one before (rule I7).
    IdentityApproved {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// A token enrolled an identity.
    IdentityEnrolled {
        /// Which token.
        token: TokenId,
        /// Which identity.
        identity: Fingerprint,
    },
    /// An administrator took an identity's enrolment back.
    IdentityRemoved {
        /// Which token had enrolled it.
        token: TokenId,
        /// Which identity.
        identity: Fingerprint,
    },
    /// An identity may not take another one's place before an administrator approves (rule I7).
    IdentityWaits {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// Which identity.
        identity: Fingerprint,
    },
    /// A license was imported, or renewed by a key with a later end or more seats (rule K6).
    LicenseImported {
        /// Which.
        serial: Serial,
        /// For what.
        product: ProductKey,
        /// Its seats.
        seats: u32,
    },
    /// The vendor's list names a license, or does so no longer (rule C3).
    LicenseListed {
        /// Which.
        serial: Serial,
        /// As what; nothing where it is good again.
        listed: Option<Listed>,
    },
    /// A license was removed.
    LicenseRemoved {
        /// Which.
        serial: Serial,
        /// How many seats ended with it.
        seats_ended: u32,
    },
    /// A component's identity was replaced by another one.
    Rebound {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// Requests were refused, counted together (rule V3).
    Refused {
        /// Which, and how many.
        refused: Box<Refused>,
        /// With so many seats more each of them would have been granted; where they were reservations that found too few.
        lacked: Option<NonZeroU32>,
    },
    /// Something was set aside (rules X2, X4).
    Reserved {
        /// Its name.
        reservation: ReservationId,
        /// Of which product.
        product: ProductKey,
        /// What is counted.
        what: SetAside,
        /// How many.
        count: u32,
    },
    /// Nothing is set aside by a reservation any more.
    ReservationEnded {
        /// Which.
        reservation: ReservationId,
        /// Whether its time was over; otherwise all of it was settled.
        lapsed: bool,
    },
    /// A seat ended.
    SeatEnded {
        /// Which.
        key: SeatKey,
        /// The license it was of.
        serial: Serial,
        /// Why.
        cause: EndCause,
        /// An administrator's reason.
        reason: Option<String>,
        /// Whether its unit stays spent.
        spent: bool,
    },
    /// A seat was engaged.
    SeatEngaged {
        /// Which.
        key: SeatKey,
        /// Of which license.
        serial: Serial,
        /// Whether the machine held one before.
        again: bool,
        /// What the machine calls itself, 1 to 253 bytes without control characters; nothing where that is not known.
        host_name: Option<Box<str>>,
    },
    /// A seat went from a license that no longer serves to another one.
    SeatMoved {
        /// Which.
        key: SeatKey,
        /// The license before.
        from: Serial,
        /// The license now.
        to: Serial,
    },
    /// A seat was renewed and nothing else happened.
    SeatRenewed {
        /// Which.
        key: SeatKey,
    },
    /// The server was started for the first time.
    ServerFounded {
        /// Its name for itself.
        id: ServerId,
    },
    /// The server's identity was replaced by another one.
    ServerIdentityReplaced {
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// The server goes on from a backup; what it did after that was made is not known here.
    ServerRestored {
        /// Its epoch from now on.
        epoch: u32,
        /// When the backup was made.
        made_at: Timestamp,
    },
    /// A token enrols identities from now on.
    TokenAdded {
        /// Which.
        token: TokenId,
        /// How many, at most.
        uses: u32,
        /// Until when.
        expires_at: Timestamp,
    },
    /// A token enrols nobody any more, or a portion of those that it enrolled are not enrolled any more.
    TokenRevoked {
        /// Which.
        token: TokenId,
        /// How many identities are not enrolled any more.
        identities: u32,
    },
    /// A vendor is trusted from now on.
    VendorTrusted {
        /// Which.
        vendor: VendorId,
    },
}

/// What the event of a reservation counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetAside {
    /// Seats that are held for machines that check out (rule X4).
    HeldSeats,
    /// Machines that it was made for, whether they got a seat, a unit, or held a seat already (rule X2).
    Machines,
    /// Units of deployment licenses, for those of its machines that need one.
    Units,
    /// Units or held seats, as an earlier release told it, which did not say which.
    UnitsOrHeldSeats,
}
