//! Vendors and license keys coming in (rules K3 to K6).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Decided, Ledger, Occasion};
use crate::domain::blacklist::Listed;
use crate::domain::catalogue::{VENDORS_MAX, Vendor};
use crate::domain::change::{EventKind, Fact};
use crate::domain::denial::{Denial, KeyRefusal};
use crate::domain::ids::{ProductKey, Serial, VendorId};
use crate::domain::license::{License, Tombstone, Usage, VerifiedKey};
use crate::domain::reply::{ImportOutcome, Reply};
use crate::domain::time::Timestamp;

impl Ledger {
    pub(super) fn trust_vendor(&self, occasion: Occasion, id: VendorId, public_key: [u8; 32]) -> Decided {
        if self.vendors.contains_key(&id) {
            return Decided::unchanged(Reply::Done);
        }
        if self.vendors.len() >= VENDORS_MAX {
            return Decided::refused(Denial::TooManyVendors);
        }
        let vendor = Vendor {
            public_key,
            trusted_at: occasion.now.latest(),
        };
        let change = occasion.change(Fact::VendorPut(id, vendor), EventKind::VendorTrusted { vendor: id });
        Decided {
            reply: Reply::Done,
            changes: vec![change],
        }
    }

    /// Each key is decided on its own: the good ones are added whatever the bad ones are (rule K3). Later ones see
    /// what earlier ones of the same import added.
    pub(super) fn import(&self, occasion: Occasion, keys: &[VerifiedKey]) -> Decided {
        let mut added: BTreeMap<Serial, License> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut outcomes = Vec::with_capacity(keys.len());
        for key in keys {
            let serial = key.claims.serial;
            let product = key.claims.product_key();
            let held = added.get(&serial).or_else(|| self.licenses.get(&serial));
            outcomes.push(match self.judge(occasion, key, held) {
                Ok(None) => ImportOutcome::AlreadyPresent { serial, product },
                Ok(Some(license)) => {
                    let renewal = held.is_some();
                    let seats = license.claims.seats;
                    let event = EventKind::LicenseImported { serial, product, seats };
                    changes.push(occasion.change(Fact::LicensePut(Box::new(license.clone())), event));
                    added.insert(serial, license);
                    ImportOutcome::Added {
                        serial,
                        product,
                        seats,
                        renewal,
                    }
                }
                Err(refusal) => ImportOutcome::Refused {
                    serial,
                    product,
                    refusal,
                },
            });
        }
        Decided {
            reply: Reply::Imported(outcomes),
            changes,
        }
    }

    /// The license that the key makes; nothing where it is here already. In the order of "Import" in the rules.
    fn judge(
        &self,
        occasion: Occasion,
        key: &VerifiedKey,
        held: Option<&License>,
    ) -> Result<Option<License>, KeyRefusal> {
        let claims = &key.claims;
        let serial = claims.serial;
        if held.is_some_and(|held| held.certificate == key.certificate) {
            return Ok(None);
        }
        if !self.vendors.contains_key(&claims.vendor) {
            return Err(KeyRefusal::UnknownVendor);
        }
        let before = held
            .map(Before::of)
            .or_else(|| self.tombstones.get(&serial).map(Before::of_removed));
        if before.is_some_and(|before| (before.product, before.usage) != (claims.product_key(), claims.usage)) {
            return Err(KeyRefusal::SerialTaken);
        }
        let product = self.product(&claims.product_key()).ok_or(KeyRefusal::UnknownProduct)?;
        if !product.offers.usages().contains(&claims.usage) {
            return Err(KeyRefusal::UsageNotOffered);
        }
        self.check_list(claims.vendor, serial)?;
        // A key that was here before does not start anew (rule K5).
        let license = License {
            claims: claims.clone(),
            imported_at: before.map_or(occasion.now.latest(), |before| before.imported_at),
            certificate: key.certificate.clone(),
            listed: None,
        };
        if let Some(before) = before {
            before.admits(&license, self.index.used(serial))?;
        }
        if license.status(occasion.now.latest()).serves() {
            Ok(Some(license))
        } else {
            Err(KeyRefusal::Expired)
        }
    }

    /// Refuses a serial that its vendor's list names (rules K4, C3).
    fn check_list(&self, vendor: VendorId, serial: Serial) -> Result<(), KeyRefusal> {
        let list = self.blacklists.get(&vendor);
        match list.and_then(|list| Some((list, list.serials.get(&serial)?))) {
            None => Ok(()),
            Some((list, Listed::Blacklisted)) => Err(KeyRefusal::Blacklisted {
                contact: list.contact.clone(),
            }),
            Some((_, Listed::Superseded)) => Err(KeyRefusal::Superseded),
        }
    }
}

/// The license of a serial that is here, or that was removed.
#[derive(Clone, Copy)]
struct Before {
    product: ProductKey,
    usage: Usage,
    imported_at: Timestamp,
    seats: u32,
    ends_at: Timestamp,
    is_here: bool,
}

impl Before {
    fn of(held: &License) -> Self {
        Self {
            product: held.claims.product_key(),
            usage: held.claims.usage,
            imported_at: held.imported_at,
            seats: held.claims.seats,
            ends_at: held.ends_at(),
            is_here: true,
        }
    }

    fn of_removed(tombstone: &Tombstone) -> Self {
        Self {
            product: tombstone.product_key(),
            usage: tombstone.usage,
            imported_at: tombstone.imported_at,
            seats: tombstone.seats,
            ends_at: tombstone.validity.ends_at(tombstone.imported_at),
            is_here: false,
        }
    }

    /// Whether a license may take this one's place, of which `used` units are in use (rule K6).
    fn admits(&self, next: &License, used: u32) -> Result<(), KeyRefusal> {
        let seats = next.claims.seats.cmp(&self.seats);
        let end = next.ends_at().cmp(&self.ends_at);
        match (seats, end) {
            (Ordering::Equal, Ordering::Equal) if !self.is_here => Ok(()),
            (Ordering::Less | Ordering::Equal, Ordering::Less | Ordering::Equal) => Err(KeyRefusal::Superseded),
            (Ordering::Less, Ordering::Greater) if next.claims.seats < used => {
                Err(KeyRefusal::FewerSeatsThanUsed { used })
            }
            (Ordering::Less, Ordering::Greater) | (Ordering::Greater, Ordering::Less) => Err(KeyRefusal::NotARenewal),
            (Ordering::Greater, _) | (_, Ordering::Greater) => Ok(()),
        }
    }
}
