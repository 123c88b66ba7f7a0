//! The check after loading (invariant 2): replay asserts nothing, this does.

use thiserror::Error;

use super::Ledger;
use crate::domain::ids::{ProductKey, ReservationId, Serial, TokenHash, TokenId, VendorId};
use crate::domain::seat::SeatKey;

/// What is on disk cannot be: the server must not start with it.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum AuditError {
    /// More identities are enrolled by a token than it enrolled.
    #[error("token {token} has enrolled {enrolled} identities, and {identities} are enrolled by it")]
    Overenrolled {
        /// Which token.
        token: TokenId,
        /// How many it enrolled.
        enrolled: u64,
        /// How many are enrolled by it.
        identities: u64,
    },
    /// More units of a license are used than it has (rule S2).
    #[error("license {serial} has {used} of {total} seats in use")]
    Oversold {
        /// Which license.
        serial: Serial,
        /// Seats, spent and reserved units.
        used: u32,
        /// Seats that it has.
        total: u32,
    },
    /// A seat is of a license that is not here, or of one of another product.
    #[error("the seat of {} for {} is of license {serial}, which is not here or of another product", key.mac, key.product)]
    Orphan {
        /// Which seat.
        key: SeatKey,
        /// The license it names.
        serial: Serial,
    },
    /// A reservation has units of a license that is not here, or of one of another product.
    #[error("reservation {id} has units of license {serial}, which is not here or of another product")]
    OrphanReservation {
        /// Which reservation.
        id: ReservationId,
        /// The license it names.
        serial: Serial,
    },
    /// A license's vendor is not trusted.
    #[error("license {serial} is of a vendor that is not trusted here")]
    Untrusted {
        /// Which license.
        serial: Serial,
    },
    /// A catalogue's vendor is not trusted.
    #[error("the catalogue of vendor {vendor} is here, but the vendor is not trusted here")]
    UntrustedCatalogue {
        /// Whose catalogue.
        vendor: VendorId,
    },
}

impl Ledger {
    /// Checks rule S2 for every license, and that nothing refers to what is not there.
    ///
    /// # Errors
    /// The first thing that cannot be. The start must stop and tell the administrator to restore a backup.
    pub fn audit(&self) -> Result<(), AuditError> {
        let mut signers = self.catalogues.keys();
        if let Some(vendor) = signers.find(|vendor| !self.vendors.contains_key(vendor)) {
            return Err(AuditError::UntrustedCatalogue { vendor: *vendor });
        }
        for (serial, license) in &self.licenses {
            let (used, total) = (self.index.used(*serial), license.claims.seats);
            if used > total {
                return Err(AuditError::Oversold {
                    serial: *serial,
                    used,
                    total,
                });
            }
            if !self.vendors.contains_key(&license.claims.vendor) {
                return Err(AuditError::Untrusted { serial: *serial });
            }
        }
        let is_of = |serial: &Serial, product: ProductKey| {
            let license = self.licenses.get(serial);
            license.is_some_and(|license| license.claims.product_key() == product)
        };
        for (id, reservation) in &self.reservations {
            let mut units = reservation.units();
            if let Some((serial, _)) = units.find(|(serial, _)| !is_of(serial, reservation.product)) {
                return Err(AuditError::OrphanReservation { id: *id, serial });
            }
        }
        for token in self.tokens.keys().map(TokenHash::id) {
            let identities = self.index.enrolled_by(token);
            let enrolled = self.tokens_named(token).map(|(_, one)| u64::from(one.enrolled)).sum();
            if identities > enrolled {
                return Err(AuditError::Overenrolled {
                    token,
                    enrolled,
                    identities,
                });
            }
        }
        for (key, seat) in self.seats.iter() {
            if !is_of(&seat.serial, key.product_key()) {
                return Err(AuditError::Orphan {
                    key,
                    serial: seat.serial,
                });
            }
        }
        Ok(())
    }
}
