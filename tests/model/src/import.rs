//! "License keys": keys, catalogues and blacklists.

use std::cmp::Ordering;

use crate::ask::{Answer, Denial, ImportOutcome, KeyRefusal};
use crate::model::{Model, number, plain};
use crate::state::{License, end_of};
use crate::words::{Blacklisting, Key, Now, Product, Serial, Vendor};

impl Model {
    pub(crate) fn import(&mut self, key: Key, now: Now) -> ImportOutcome {
        let known = self.licenses.iter().position(|one| one.key.serial == key.serial);
        let known = known.map(|place| &self.licenses[place]);
        if known.is_some_and(|one| one.present() && one.key.certificate == key.certificate) {
            return ImportOutcome::AlreadyPresent;
        }
        if let Some(refusal) = self.why_not(key, known, now) {
            return ImportOutcome::Refused(refusal);
        }
        let license = License {
            key,
            first_import: known.map_or(now.later(), |one| one.first_import),
            removed_at: None,
            spent: known.map_or(Vec::new(), |one| one.spent.clone()),
        };
        self.licenses.retain(|one| one.key.serial != key.serial);
        self.licenses.push(license);
        ImportOutcome::Added
    }

    /// The order in which a key is decided, from its second point on.
    fn why_not(&self, key: Key, known: Option<&License>, now: Now) -> Option<KeyRefusal> {
        let Some(vendor) = self.vendor(key.product.vendor) else {
            return Some(KeyRefusal::UnknownVendor);
        };
        if known.is_some_and(|one| one.key.product != key.product || one.key.usage != key.usage) {
            return Some(KeyRefusal::SerialTaken);
        }
        let Some(product) = vendor.products.iter().find(|one| one.key == key.product) else {
            return Some(KeyRefusal::UnknownProduct);
        };
        if !product.offers.contains(&key.usage) {
            return Some(KeyRefusal::UsageNotOffered);
        }
        match vendor.blacklist.iter().find(|(serial, _)| *serial == key.serial) {
            Some((_, Blacklisting::Blacklisted)) => return Some(KeyRefusal::Blacklisted),
            Some((_, Blacklisting::Superseded)) => return Some(KeyRefusal::Superseded),
            None => {}
        }
        let first_import = known.map_or(now.later(), |one| one.first_import);
        let end = end_of(key.validity, first_import);
        if let Some(one) = known {
            match (key.seats.cmp(&one.key.seats), end.cmp(&one.ends_at())) {
                (Ordering::Less, Ordering::Greater) if key.seats < self.used(key.serial) => {
                    return Some(KeyRefusal::FewerSeatsThanUsed);
                }
                (Ordering::Greater, Ordering::Less) | (Ordering::Less, Ordering::Greater) => {
                    return Some(KeyRefusal::NotARenewal);
                }
                (Ordering::Less, _) | (_, Ordering::Less) => return Some(KeyRefusal::Superseded),
                (Ordering::Equal, Ordering::Equal) if one.present() => return Some(KeyRefusal::Superseded),
                _ => {}
            }
        }
        (end <= now.later()).then_some(KeyRefusal::Expired)
    }

    /// The very same again is no fault: it is here.
    pub(crate) fn import_catalogue(&mut self, vendor: Vendor, version: u64, products: &[Product]) -> Answer {
        let Some(vendor) = self.vendor_mut(vendor) else {
            return plain(Denial::UnknownVendor);
        };
        let same = vendor.catalogue_version == Some(version) && vendor.products == products;
        if let Some(held) = vendor.catalogue_version.filter(|held| *held >= version && !same) {
            return plain(Denial::CatalogueNotNewer { held });
        }
        vendor.catalogue_version = Some(version);
        vendor.products = products.to_vec();
        Answer::CatalogueImported(number(products.len()))
    }

    /// The very same again is no fault: it is here.
    pub(crate) fn import_blacklist(
        &mut self,
        vendor: Vendor,
        version: u64,
        entries: &[(Serial, Blacklisting)],
    ) -> Answer {
        let Some(vendor) = self.vendor_mut(vendor) else {
            return plain(Denial::UnknownVendor);
        };
        let same = vendor.blacklist_version == Some(version) && vendor.blacklist == entries;
        if let Some(held) = vendor.blacklist_version.filter(|held| *held >= version && !same) {
            return plain(Denial::BlacklistNotNewer { held });
        }
        vendor.blacklist_version = Some(version);
        vendor.blacklist = entries.to_vec();
        Answer::BlacklistImported(number(entries.len()))
    }
}
