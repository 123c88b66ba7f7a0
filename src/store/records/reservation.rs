//! Reservations at rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Fingerprint, Mac, ProductId, ProductKey, Serial, VendorId};
use crate::domain::reservation::{HELD_LICENSES_MAX, Hold, MACHINES_MAX, Reservation, Reserved};
use crate::domain::time::Timestamp;
use crate::store::envelope::RecordError;

use super::check;

/// Its id stands in the key. Either `machines` or `held` is empty.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct ReservationV1 {
    vendor: [u8; 16],
    product: String,
    reserved_at: u64,
    lapses_at: u64,
    by: Option<[u8; 32]>,
    machines: Vec<ReservedV1>,
    held: Vec<HeldV1>,
}

/// `serial` is there for a unit.
#[derive(Debug, Deserialize, Serialize)]
struct ReservedV1 {
    mac: [u8; 6],
    kind: u8,
    serial: Option<[u8; 16]>,
}

#[derive(Debug, Deserialize, Serialize)]
struct HeldV1 {
    serial: [u8; 16],
    count: u32,
}

impl From<&Reservation> for ReservationV1 {
    fn from(reservation: &Reservation) -> Self {
        let (machines, held) = match &reservation.hold {
            Hold::Machines(machines) => (machines.iter().map(ReservedV1::from).collect(), Vec::new()),
            Hold::Seats(held) => (Vec::new(), held.iter().map(HeldV1::from).collect()),
        };
        Self {
            vendor: reservation.product.vendor.0,
            product: reservation.product.product.as_str().to_owned(),
            reserved_at: reservation.reserved_at.0,
            lapses_at: reservation.lapses_at.0,
            by: reservation.by.map(|identity| identity.0),
            machines,
            held,
        }
    }
}

impl TryFrom<ReservationV1> for Reservation {
    type Error = RecordError;

    fn try_from(record: ReservationV1) -> Result<Self, RecordError> {
        let hold = match (record.machines.is_empty(), record.held.is_empty()) {
            (false, true) => Hold::Machines(machines(record.machines)?),
            (true, false) => Hold::Seats(held(&record.held)?),
            _ => return Err(RecordError::Field("machines")),
        };
        Ok(Self {
            product: ProductKey {
                vendor: VendorId(record.vendor),
                product: ProductId::from_canonical(record.product.as_bytes())?,
            },
            reserved_at: Timestamp(record.reserved_at),
            lapses_at: Timestamp(record.lapses_at),
            by: record.by.map(Fingerprint),
            hold,
        })
    }
}

fn machines(records: Vec<ReservedV1>) -> Result<BTreeMap<Mac, Reserved>, RecordError> {
    check("machines", records.len() <= MACHINES_MAX)?;
    check("machines", records.is_sorted_by(|a, b| a.mac < b.mac))?;
    let machine = |record: ReservedV1| Ok((Mac::new(record.mac)?, record.try_into()?));
    records.into_iter().map(machine).collect()
}

fn held(records: &[HeldV1]) -> Result<BTreeMap<Serial, u32>, RecordError> {
    check("held", records.len() <= HELD_LICENSES_MAX)?;
    check("held", records.is_sorted_by(|a, b| a.serial < b.serial))?;
    check("held", records.iter().all(|record| record.count > 0))?;
    let seats = |record: &HeldV1| Ok((Serial::from_canonical(&record.serial)?, record.count));
    records.iter().map(seats).collect()
}

impl From<(&Mac, &Reserved)> for ReservedV1 {
    fn from((mac, reserved): (&Mac, &Reserved)) -> Self {
        let (kind, serial) = match reserved {
            Reserved::Covered => (1, None),
            Reserved::Seat => (2, None),
            Reserved::Unit(serial) => (3, Some(serial.bytes())),
        };
        Self {
            mac: mac.bytes(),
            kind,
            serial,
        }
    }
}

impl TryFrom<ReservedV1> for Reserved {
    type Error = RecordError;

    fn try_from(record: ReservedV1) -> Result<Self, RecordError> {
        match (record.kind, record.serial) {
            (1, None) => Ok(Self::Covered),
            (2, None) => Ok(Self::Seat),
            (3, Some(serial)) => Ok(Self::Unit(Serial::from_canonical(&serial)?)),
            _ => Err(RecordError::Field("kind")),
        }
    }
}

impl From<(&Serial, &u32)> for HeldV1 {
    fn from((serial, count): (&Serial, &u32)) -> Self {
        Self {
            serial: serial.bytes(),
            count: *count,
        }
    }
}
