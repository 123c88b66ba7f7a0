//! Licenses, what stays of removed ones, and spent units at rest.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Mac, ProductId, ReservationId, Serial, VendorId};
use crate::domain::license::{Claims, Kind, License, SEATS_MAX, Tombstone, Usage, Validity};
use crate::domain::seat::SpentUnit;
use crate::domain::time::Timestamp;
use crate::store::envelope::RecordError;

use super::blacklist::{listed_number, listed_of};
use super::check;

/// The serial stands in the key.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct LicenseV1 {
    vendor: [u8; 16],
    product: String,
    seats: u32,
    kind: u8,
    usage: u8,
    issued_at: u64,
    validity: ValidityV1,
    support_until_day: Option<u32>,
    auto_renew: bool,
    imported_at: u64,
    certificate: Vec<u8>,
    listed: Option<u8>,
}

/// `days` is 0 where the kind needs none.
#[derive(Debug, Deserialize, Serialize)]
struct ValidityV1 {
    kind: u8,
    days: u32,
}

#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct TombstoneV1 {
    vendor: [u8; 16],
    product: String,
    usage: u8,
    seats: u32,
    validity: ValidityV1,
    imported_at: u64,
    removed_at: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct SpentV1 {
    mac: [u8; 6],
    spent_at: u64,
    reservation: Option<[u8; 16]>,
}

impl From<&License> for LicenseV1 {
    fn from(license: &License) -> Self {
        let claims = &license.claims;
        Self {
            vendor: claims.vendor.0,
            product: claims.product.as_str().to_owned(),
            seats: claims.seats,
            kind: match claims.kind {
                Kind::Commercial => 1,
                Kind::Subscription => 2,
                Kind::Trial => 3,
            },
            usage: usage_number(claims.usage),
            issued_at: claims.issued_at.0,
            validity: claims.validity.into(),
            support_until_day: claims.support_until_day,
            auto_renew: claims.auto_renew,
            imported_at: license.imported_at.0,
            certificate: license.certificate.to_vec(),
            listed: license.listed.map(listed_number),
        }
    }
}

const fn usage_number(usage: Usage) -> u8 {
    match usage {
        Usage::Machine => 1,
        Usage::Deployment => 2,
    }
}

fn usage_of(number: u8) -> Result<Usage, RecordError> {
    match number {
        1 => Ok(Usage::Machine),
        2 => Ok(Usage::Deployment),
        _ => Err(RecordError::Field("usage")),
    }
}

impl LicenseV1 {
    /// The license with this serial.
    pub(in crate::store) fn into_license(self, serial: Serial) -> Result<License, RecordError> {
        check("seats", (1..=SEATS_MAX).contains(&self.seats))?;
        Ok(License {
            claims: Claims {
                vendor: VendorId(self.vendor),
                serial,
                product: ProductId::from_canonical(self.product.as_bytes())?,
                seats: self.seats,
                kind: match self.kind {
                    1 => Kind::Commercial,
                    2 => Kind::Subscription,
                    3 => Kind::Trial,
                    _ => return Err(RecordError::Field("kind")),
                },
                usage: usage_of(self.usage)?,
                issued_at: Timestamp(self.issued_at),
                validity: self.validity.try_into()?,
                support_until_day: self.support_until_day,
                auto_renew: self.auto_renew,
            },
            imported_at: Timestamp(self.imported_at),
            certificate: Bytes::from(self.certificate),
            listed: self.listed.map(listed_of).transpose()?,
        })
    }
}

impl From<Validity> for ValidityV1 {
    fn from(validity: Validity) -> Self {
        let (kind, days) = match validity {
            Validity::Forever => (1, 0),
            Validity::Days(days) => (2, days),
            Validity::ThroughDay(day) => (3, day),
        };
        Self { kind, days }
    }
}

impl TryFrom<ValidityV1> for Validity {
    type Error = RecordError;

    fn try_from(record: ValidityV1) -> Result<Self, RecordError> {
        match (record.kind, record.days) {
            (1, 0) => Ok(Self::Forever),
            (2, days) => Ok(Self::Days(days)),
            (3, day) => Ok(Self::ThroughDay(day)),
            _ => Err(RecordError::Field("validity")),
        }
    }
}

impl From<&Tombstone> for TombstoneV1 {
    fn from(tombstone: &Tombstone) -> Self {
        Self {
            vendor: tombstone.vendor.0,
            product: tombstone.product.as_str().to_owned(),
            usage: usage_number(tombstone.usage),
            seats: tombstone.seats,
            validity: tombstone.validity.into(),
            imported_at: tombstone.imported_at.0,
            removed_at: tombstone.removed_at.0,
        }
    }
}

impl TryFrom<TombstoneV1> for Tombstone {
    type Error = RecordError;

    fn try_from(record: TombstoneV1) -> Result<Self, RecordError> {
        check("seats", (1..=SEATS_MAX).contains(&record.seats))?;
        Ok(Self {
            vendor: VendorId(record.vendor),
            product: ProductId::from_canonical(record.product.as_bytes())?,
            usage: usage_of(record.usage)?,
            seats: record.seats,
            validity: record.validity.try_into()?,
            imported_at: Timestamp(record.imported_at),
            removed_at: Timestamp(record.removed_at),
        })
    }
}

impl From<&SpentUnit> for SpentV1 {
    fn from(unit: &SpentUnit) -> Self {
        Self {
            mac: unit.mac.bytes(),
            spent_at: unit.spent_at.0,
            reservation: unit.reservation.map(|id| id.0),
        }
    }
}

impl TryFrom<SpentV1> for SpentUnit {
    type Error = RecordError;

    fn try_from(record: SpentV1) -> Result<Self, RecordError> {
        Ok(Self {
            mac: Mac::new(record.mac)?,
            spent_at: Timestamp(record.spent_at),
            reservation: record.reservation.map(ReservationId),
        })
    }
}
