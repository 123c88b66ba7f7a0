//! The kinds of events: number, fields at rest, and what they are in the domain.

use serde::{Serialize, Serializer};

use crate::domain::backup::Backup;
use crate::domain::change::{ClockEvent, EventKind, SetAside};
use crate::store::envelope::{RecordError, fields};

use super::super::JumpV1;
use super::forms::{AtRest, HostNameV1, ProductKeyV1, ReasonV1, RefusedV1, SeatKeyV1, SeatsV1};
use super::{ActorV1, EventV1};

/// Makes the type of a kind at rest and its conversions from a table. What stands behind `<=>` is a variant of
/// [`EventKind`] around the fields by name; it serves as a pattern in the one direction and as a value in the other.
macro_rules! kinds {
    ($($number:literal $name:ident { $($field:ident: $form:ty),+ } <=> $variant:ident $shape:tt;)+) => {
        /// What happened: its fields in the order in which they are written. Its number is not among them.
        #[derive(Debug)]
        pub(super) enum KindV1 {
            $($name { $($field: $form),+ }),+
        }

        impl KindV1 {
            pub(super) const fn number(&self) -> u8 {
                match self {
                    $(Self::$name { .. } => $number),+
                }
            }
        }

        impl Serialize for KindV1 {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name { $($field),+ } => ($($field,)+).serialize(serializer)),+
                }
            }
        }

        impl EventV1 {
            /// The event of the kind with this number whose other bytes are `rest`, all of them.
            pub(super) fn read(number: u8, rest: &[u8]) -> Result<Self, RecordError> {
                match number {
                    // Never given: what has it was not written by any release.
                    0 => Err(RecordError::Field("kind")),
                    $($number => {
                        let (at, actor, ($($field,)+)) = fields::<(u64, ActorV1, ($($form,)+))>(rest)?;
                        let kind = KindV1::$name { $($field),+ };
                        Ok(Self { at, actor, kind })
                    })+
                    newer => Err(RecordError::EventKind(newer)),
                }
            }
        }

        impl From<&EventKind> for KindV1 {
            fn from(kind: &EventKind) -> Self {
                match kind {
                    $(EventKind::$variant $shape => Self::$name { $($field: $field.at_rest()),+ }),+
                }
            }
        }

        impl TryFrom<KindV1> for EventKind {
            type Error = RecordError;

            fn try_from(record: KindV1) -> Result<Self, RecordError> {
                match record {
                    $(KindV1::$name { $($field),+ } => {
                        $(let $field = AtRest::restored($field)?;)+
                        Ok(Self::$variant $shape)
                    })+
                }
            }
        }
    };
}

// A number and its fields are never changed and never used again: a kind with other fields gets the next number.
kinds! {
    1 AdminAdded { fingerprint: [u8; 32], role: u8 } <=> AdminAdded { fingerprint, role };
    2 AdminRemoved { fingerprint: [u8; 32] } <=> AdminRemoved { fingerprint };
    3 BindingForgotten { key: SeatKeyV1, component: String } <=> BindingForgotten { key, component };
    4 BlacklistImported { vendor: [u8; 16], version: u64 } <=> BlacklistImported { vendor, version };
    5 CatalogueImported { vendor: [u8; 16], version: u64 } <=> CatalogueImported { vendor, version };
    6 ClockReset { from: u64, to: u64 } <=> ClockChanged(ClockEvent::Reset { from, to });
    7 ComponentAdded { key: SeatKeyV1, component: String } <=> ComponentAdded { key, component };
    8 ComponentReleased { key: SeatKeyV1, component: String, reason: Option<ReasonV1> }
        <=> ComponentReleased { key, component, reason };
    9 ConflictSeen { key: SeatKeyV1, component: String, kind: u8 } <=> ConflictSeen { key, component, kind };
    10 DeploymentAborted { reservation: [u8; 16], mac: [u8; 6], serial: [u8; 16] }
        <=> DeploymentAborted { reservation, mac, serial };
    11 DeploymentCommitted { reservation: [u8; 16], mac: [u8; 6], serial: [u8; 16] }
        <=> DeploymentCommitted { reservation, mac, serial };
    12 IdentityApproved { key: SeatKeyV1, component: String, from: [u8; 32], to: [u8; 32] }
        <=> IdentityApproved { key, component, from, to };
    13 IdentityWaits { key: SeatKeyV1, component: String, identity: [u8; 32] }
        <=> IdentityWaits { key, component, identity };
    14 JumpAccepted { jump: JumpV1 } <=> ClockChanged(ClockEvent::JumpAccepted(jump));
    15 JumpPending { jump: JumpV1 } <=> ClockChanged(ClockEvent::JumpPending(jump));
    16 JumpRejected { jump: JumpV1 } <=> ClockChanged(ClockEvent::JumpRejected(jump));
    17 LicenseImported { serial: [u8; 16], product: ProductKeyV1, seats: SeatsV1 }
        <=> LicenseImported { serial, product, seats };
    18 LicenseListed { serial: [u8; 16], listed: Option<u8> } <=> LicenseListed { serial, listed };
    19 LicenseRemoved { serial: [u8; 16], seats_ended: u32 } <=> LicenseRemoved { serial, seats_ended };
    20 Rebound { key: SeatKeyV1, component: String, from: [u8; 32], to: [u8; 32] }
        <=> Rebound { key, component, from, to };
    21 ReservationEnded { reservation: [u8; 16], lapsed: bool } <=> ReservationEnded { reservation, lapsed };
    22 Reserved { reservation: [u8; 16], product: ProductKeyV1, count: u32 }
        <=> Reserved { reservation, product, what: SetAside::UnitsOrHeldSeats, count };
    23 SeatEnded { key: SeatKeyV1, serial: [u8; 16], cause: u8, reason: Option<ReasonV1>, spent: bool }
        <=> SeatEnded { key, serial, cause, reason, spent };
    24 SeatEngaged { key: SeatKeyV1, serial: [u8; 16], again: bool }
        <=> SeatEngaged { key, serial, again, host_name: None };
    25 SeatMoved { key: SeatKeyV1, from: [u8; 16], to: [u8; 16] } <=> SeatMoved { key, from, to };
    26 SeatRenewed { key: SeatKeyV1 } <=> SeatRenewed { key };
    27 ServerFounded { id: [u8; 16] } <=> ServerFounded { id };
    28 VendorTrusted { vendor: [u8; 16] } <=> VendorTrusted { vendor };
    29 TokenAdded { token: [u8; 8], uses: u32, expires_at: u64 } <=> TokenAdded { token, uses, expires_at };
    30 TokenRevoked { token: [u8; 8], identities: u32 } <=> TokenRevoked { token, identities };
    31 IdentityEnrolled { token: [u8; 8], identity: [u8; 32] } <=> IdentityEnrolled { token, identity };
    32 IdentityRemoved { token: [u8; 8], identity: [u8; 32] } <=> IdentityRemoved { token, identity };
    33 Refused { refused: RefusedV1 } <=> Refused { refused, lacked: None };
    34 ServerRestored { epoch: u32, made_at: u64 } <=> ServerRestored { epoch, made_at };
    35 ServerIdentityReplaced { from: [u8; 32], to: [u8; 32] } <=> ServerIdentityReplaced { from, to };
    36 ConfigReloaded { applied: u32 } <=> ConfigReloaded { applied };
    37 BackedUp { made_at: u64, round: u64, bytes: u64 }
        <=> BackedUp(Backup { made_at, round, bytes, has_identities: true });
    38 BackedUpBare { made_at: u64, round: u64, bytes: u64 }
        <=> BackedUp(Backup { made_at, round, bytes, has_identities: false });
    39 SeatsHeld { reservation: [u8; 16], product: ProductKeyV1, count: u32 }
        <=> Reserved { reservation, product, what: SetAside::HeldSeats, count };
    40 MachinesReserved { reservation: [u8; 16], product: ProductKeyV1, count: u32 }
        <=> Reserved { reservation, product, what: SetAside::Machines, count };
    41 UnitsReserved { reservation: [u8; 16], product: ProductKeyV1, count: u32 }
        <=> Reserved { reservation, product, what: SetAside::Units, count };
    42 SeatEngagedByHost { key: SeatKeyV1, serial: [u8; 16], again: bool, host_name: HostNameV1 }
        <=> SeatEngaged { key, serial, again, host_name: Some(host_name) };
    43 RefusedForWant { refused: RefusedV1, lacked: u32 } <=> Refused { refused, lacked: Some(lacked) };
}
