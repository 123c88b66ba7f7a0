//! A vendor's list of serials that do not serve (rule C3).

use std::collections::BTreeSet;

use super::{Decided, Ledger, Occasion};
use crate::domain::blacklist::Blacklist;
use crate::domain::change::{EventKind, Fact};
use crate::domain::denial::Denial;
use crate::domain::ids::Serial;
use crate::domain::license::License;
use crate::domain::reply::Reply;

impl Ledger {
    pub(super) fn import_blacklist(&self, occasion: Occasion, list: &Blacklist, dry_run: bool) -> Decided {
        let Blacklist { vendor, version, .. } = *list;
        if !self.vendors.contains_key(&vendor) {
            return Decided::refused(Denial::UnknownVendor);
        }
        let here = list
            .serials
            .keys()
            .filter(|serial| self.licenses.get(serial).is_some_and(|one| one.claims.vendor == vendor));
        let (mut licenses, mut used) = (0, 0);
        for serial in here {
            licenses += 1;
            used += u64::from(self.index.used(*serial));
        }
        let reply = Reply::BlacklistImported {
            serials: u32::try_from(list.serials.len()).unwrap_or(u32::MAX),
            licenses,
            used,
        };
        let held = self.blacklists.get(&vendor);
        match held {
            Some(held) if held.signed == list.signed => return Decided::unchanged(reply),
            Some(held) if held.version >= version => {
                return Decided::refused(Denial::BlacklistNotNewer { held: held.version });
            }
            _ if dry_run => return Decided::unchanged(reply),
            _ => {}
        }
        let fact = Fact::BlacklistPut(Box::new(list.clone()));
        let mut changes = vec![occasion.change(fact, EventKind::BlacklistImported { vendor, version })];
        // What neither list names is as it was.
        let named_before = held.into_iter().flat_map(|held| held.serials.keys());
        let named: BTreeSet<Serial> = list.serials.keys().chain(named_before).copied().collect();
        for serial in named {
            let listed = list.serials.get(&serial).copied();
            let license = self.licenses.get(&serial);
            let Some(license) = license.filter(|one| one.claims.vendor == vendor && one.listed != listed) else {
                continue;
            };
            let license = License {
                listed,
                ..license.clone()
            };
            let event = EventKind::LicenseListed { serial, listed };
            changes.push(occasion.change(Fact::LicensePut(Box::new(license)), event));
        }
        Decided { reply, changes }
    }
}
