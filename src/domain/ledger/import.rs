//! Vendors, catalogues and license keys coming in, licenses going out.

use std::collections::BTreeMap;

use super::ending::Endings;
use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::{Catalogue, VENDORS_MAX, Vendor};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::denial::{Denial, KeyRefusal, Subject};
use crate::domain::ids::{Serial, VendorId};
use crate::domain::license::{License, Tombstone, VerifiedKey};
use crate::domain::reply::{ImportOutcome, Reply};
use crate::domain::seat::{EndCause, SeatKey};

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

    pub(super) fn import_catalogue(&self, occasion: Occasion, catalogue: &Catalogue) -> Decided {
        let Catalogue { vendor, version, .. } = *catalogue;
        if !self.vendors.contains_key(&vendor) {
            return Decided::refused(Denial::UnknownVendor);
        }
        let reply = Reply::CatalogueImported {
            products: u32::try_from(catalogue.products.len()).unwrap_or(u32::MAX),
        };
        match self.catalogues.get(&vendor) {
            Some(held) if held.signed == catalogue.signed => return Decided::unchanged(reply),
            Some(held) if held.version >= version => {
                return Decided::refused(Denial::CatalogueNotNewer { held: held.version });
            }
            _ => {}
        }
        let fact = Fact::CataloguePut(Box::new(catalogue.clone()));
        Decided {
            reply,
            changes: vec![occasion.change(fact, EventKind::CatalogueImported { vendor, version })],
        }
    }

    /// Each key is decided on its own: the good ones are added whatever the bad ones are (rule K3).
    pub(super) fn import(&self, occasion: Occasion, keys: &[VerifiedKey]) -> Decided {
        let mut added: BTreeMap<Serial, &VerifiedKey> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut outcomes = Vec::with_capacity(keys.len());
        for key in keys {
            let twin = added.get(&key.claims.serial).map(|twin| &twin.certificate);
            let (outcome, license) = self.import_one(occasion, key, twin);
            outcomes.push(outcome);
            if let Some(license) = license {
                let (serial, seats) = (license.claims.serial, license.claims.seats);
                let imported = EventKind::LicenseImported {
                    serial,
                    product: license.claims.product_key(),
                    seats,
                };
                changes.push(occasion.change(Fact::LicensePut(Box::new(license)), imported));
                added.insert(serial, key);
            }
        }
        Decided {
            reply: Reply::Imported(outcomes),
            changes,
        }
    }

    /// `twin` is the certificate of a key with the same serial that was added earlier in the same import.
    fn import_one(
        &self,
        occasion: Occasion,
        key: &VerifiedKey,
        twin: Option<&bytes::Bytes>,
    ) -> (ImportOutcome, Option<License>) {
        let serial = key.claims.serial;
        let product = key.claims.product_key();
        let refused = |refusal| {
            (
                ImportOutcome::Refused {
                    serial,
                    product,
                    refusal,
                },
                None,
            )
        };
        let tombstone = self.tombstones.get(&serial);
        match twin.or_else(|| self.licenses.get(&serial).map(|license| &license.certificate)) {
            Some(held) if *held == key.certificate => return (ImportOutcome::AlreadyPresent { serial, product }, None),
            Some(_) => return refused(KeyRefusal::SerialTaken),
            // Import date and spent units are those of another vendor's license.
            None if tombstone.is_some_and(|tombstone| tombstone.vendor != product.vendor) => {
                return refused(KeyRefusal::SerialTaken);
            }
            // More units than it has were spent under the serial before it was removed (rules S2, S9).
            None if self.index.used(serial) > key.claims.seats => return refused(KeyRefusal::SerialTaken),
            None => {}
        }
        if !self.vendors.contains_key(&product.vendor) {
            return refused(KeyRefusal::UnknownVendor);
        }
        if self.product(&product).is_none() {
            return refused(KeyRefusal::UnknownProduct);
        }
        // A key that was here before does not start anew (rule K5).
        let imported_at = tombstone.map_or(occasion.now.latest(), |tombstone| tombstone.imported_at);
        let license = License {
            claims: key.claims.clone(),
            imported_at,
            certificate: key.certificate.clone(),
        };
        if !license.status(occasion.now.latest()).serves() {
            return refused(KeyRefusal::Expired);
        }
        (
            ImportOutcome::Added {
                serial,
                product,
                seats: key.claims.seats,
            },
            Some(license),
        )
    }

    pub(super) fn remove_license(&self, occasion: Occasion, serial: Serial, end_seats: bool) -> Decided {
        let subject = Subject {
            serial: Some(serial),
            ..Subject::default()
        };
        let refuse = |denial| Decided::refused_about(denial, subject);
        let Some(license) = self.licenses.get(&serial) else {
            return refuse(Denial::UnknownSerial);
        };
        let holders: Vec<_> = self.index.holders(serial).collect();
        let seats_ended = u32::try_from(holders.len()).unwrap_or(u32::MAX);
        if seats_ended > 0 && !end_seats {
            return refuse(Denial::LicenseInUse { seats: seats_ended });
        }
        let product = license.claims.product_key();
        let mut endings = Endings::new(self, occasion);
        for mac in holders {
            let key = SeatKey {
                vendor: product.vendor,
                product: product.product,
                mac,
            };
            if let Some(seat) = self.seats.get(&key) {
                endings.end(key, seat, EndCause::LicenseRemoved, occasion.now.latest(), None);
            }
        }
        let mut changes = endings.changes;
        let tombstone = Tombstone {
            vendor: product.vendor,
            imported_at: license.imported_at,
            removed_at: occasion.now.latest(),
        };
        changes.push(Change {
            fact: Fact::TombstonePut(serial, tombstone),
            events: Vec::new(),
        });
        let removed = EventKind::LicenseRemoved { serial, seats_ended };
        changes.push(occasion.change(Fact::LicenseRemoved(serial), removed));
        Decided {
            reply: Reply::LicenseRemoved { seats_ended },
            changes,
        }
    }
}
