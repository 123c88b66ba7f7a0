//! Everything that the views show, against the model: the rows as the wire must tell them.

use std::collections::BTreeMap;

use seatkeeper::wire;
use seatkeeper::wire::messages::{deploy, seat, views};
use seatkeeper_model as model;
use seatkeeper_model::{Conflict, ConflictKind, Kind, Model, Now, Product, Reserved, Status, Usage};

use crate::error::Untranslatable;
use crate::words::{self, SIGNED_AT, Vendors, product_name, reservation, serial_text, vendor_name};

/// The catalogues that are on the server, as they were imported.
pub type Catalogues = BTreeMap<model::Vendor, (u64, Vec<Product>)>;

/// What the views must show at one moment.
#[derive(Debug)]
pub struct Expected<'a> {
    /// What the rules say that is here.
    pub model: &'a Model,
    /// The time.
    pub now: Now,
    /// Who signed it.
    pub vendors: &'a Vendors,
    /// The catalogues that were imported.
    pub catalogues: &'a Catalogues,
    /// The agents' identities.
    pub fingerprints: BTreeMap<model::Identity, [u8; 32]>,
}

impl Expected<'_> {
    /// The name of a product; its id where no catalogue names it any more.
    fn name_of(&self, key: model::ProductKey) -> String {
        let catalogue = self.catalogues.get(&key.vendor);
        let listed = catalogue.is_some_and(|(_, products)| products.iter().any(|one| one.key == key));
        if listed {
            product_name(key.id)
        } else {
            key.id.to_owned()
        }
    }

    /// LICENSES.
    ///
    /// # Errors
    /// The model holds what no vendor could sign.
    pub fn licenses(&self) -> Result<Vec<views::LicenseRow>, Untranslatable> {
        let rows = self.model.licenses(self.now).into_iter().map(|one| {
            let mut all = self.model.all_licenses().iter();
            let ends_at = all
                .find(|license| license.key.serial == one.key.serial)
                .map(model::License::ends_at);
            Ok(views::LicenseRow {
                serial: serial_text(one.key.serial),
                vendor: self.vendors.id(one.key.product.vendor)?,
                vendor_name: vendor_name(one.key.product.vendor),
                product: one.key.product.id.to_owned(),
                product_name: self.name_of(one.key.product),
                imported_at: one.first_import,
                issued_at: SIGNED_AT,
                ends_at: ends_at.filter(|at| *at != u64::MAX),
                total: one.key.seats,
                used: one.used,
                free: one.free,
                available: one.available,
                kind: match one.key.kind {
                    Kind::Commercial => wire::Kind::COMMERCIAL,
                    Kind::Subscription => wire::Kind::SUBSCRIPTION,
                    Kind::Trial => wire::Kind::TRIAL,
                },
                usage: match one.key.usage {
                    Usage::Deployment => wire::Usage::DEPLOYMENT,
                    Usage::Machine => wire::Usage::MACHINE,
                },
                status: match one.status {
                    Status::Blacklisted => wire::LicenseStatus::BLACKLISTED,
                    Status::Expired => wire::LicenseStatus::EXPIRED,
                    Status::Superseded => wire::LicenseStatus::SUPERSEDED,
                    Status::Valid => wire::LicenseStatus::VALID,
                },
                auto_renew: false,
                support_until_day: None,
                days_left: one.days_left.map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
            })
        });
        rows.collect()
    }

    /// The seats in the order of the wire. Addresses and the moments of rebinding are not the model's: they are left out.
    ///
    /// # Errors
    /// The model holds what no vendor could sign.
    pub fn seats(&self) -> Result<Vec<views::SeatRow>, Untranslatable> {
        let rows = self.model.seats().into_iter().map(|one| {
            let mut components: Vec<_> = one.holds.iter().map(|hold| self.holder(hold)).collect();
            components.sort_by(|one, other| one.component.cmp(&other.component));
            Ok(views::SeatRow {
                vendor: self.vendors.id(one.key.product.vendor)?,
                product: one.key.product.id.to_owned(),
                product_name: self.name_of(one.key.product),
                mac: one.key.mac,
                serial: serial_text(one.serial),
                acquired_at: one.acquired_at,
                renewed_at: one.renewed_at,
                renew_by: one.renew_by,
                single_use: one.single_use,
                host_name: None,
                address: None,
                other_macs: Vec::new(),
                components,
            })
        });
        let mut rows = rows.collect::<Result<Vec<views::SeatRow>, Untranslatable>>()?;
        rows.sort_by(|one, other| (one.vendor, &one.product, one.mac).cmp(&(other.vendor, &other.product, other.mac)));
        Ok(rows)
    }

    fn holder(&self, hold: &model::Hold) -> views::Holder {
        let known = |identity: model::Identity| self.fingerprints.get(&identity).copied().unwrap_or_default();
        views::Holder {
            component: hold.component.to_owned(),
            identity: hold.identity().map(known),
            rebound_at: None,
            conflict: hold.conflict.map(conflict),
            waiting: hold.waiting.map(|waiting| views::Waiting {
                identity: known(waiting.identity),
                since: waiting.since,
            }),
        }
    }

    /// The reservations. Who made them is not the model's: it is left out.
    ///
    /// # Errors
    /// The model holds what no vendor could sign.
    pub fn reservations(&self) -> Result<Vec<deploy::ReservationRow>, Untranslatable> {
        let rows = self.model.reservations().into_iter().map(|one| {
            let seat_of = |mac: model::Mac| {
                let mut seats = self.model.seats().into_iter();
                let seat = seats.find(|seat| seat.key.product == one.product && seat.key.mac == mac);
                seat.map(|seat| serial_text(seat.serial))
            };
            let machine = |(mac, has): &(model::Mac, Reserved)| {
                let (reserved, serial) = match has {
                    Reserved::Covered => (wire::Reserved::COVERED, seat_of(*mac)),
                    Reserved::Seat => (wire::Reserved::SEAT, seat_of(*mac)),
                    Reserved::Unit(serial) => (wire::Reserved::UNIT, Some(serial_text(*serial))),
                };
                deploy::ReservedRow {
                    mac: *mac,
                    reserved,
                    serial,
                }
            };
            let mut held: Vec<deploy::HeldRow> = Vec::new();
            for serial in one.held.iter().copied().map(serial_text) {
                match held.last_mut().filter(|row| row.serial == serial) {
                    Some(row) => row.count += 1,
                    None => held.push(deploy::HeldRow { serial, count: 1 }),
                }
            }
            Ok(deploy::ReservationRow {
                reservation: reservation(one.id),
                vendor: self.vendors.id(one.product.vendor)?,
                product: one.product.id.to_owned(),
                product_name: self.name_of(one.product),
                reserved_at: one.made_at,
                lapses_at: one.ends_at,
                by: None,
                machines: one.machines.iter().map(machine).collect(),
                held,
            })
        });
        rows.collect()
    }

    /// PRODUCTS.
    ///
    /// # Errors
    /// A catalogue holds what no vendor could sign.
    pub fn products(&self) -> Result<Vec<views::ProductRow>, Untranslatable> {
        let mut rows = Vec::new();
        for one in self.catalogues.values().flat_map(|(_, products)| products) {
            rows.push(self.product(one)?);
        }
        rows.sort_by(|one, other| (one.vendor, &one.product).cmp(&(other.vendor, &other.product)));
        Ok(rows)
    }

    fn product(&self, one: &Product) -> Result<views::ProductRow, Untranslatable> {
        use seatkeeper::domain::catalogue::Offers;
        let counts = self.model.counts(one.key, self.now);
        let part = |part: &model::Component| views::ComponentRow {
            component: part.id.to_owned(),
            counted: part.counted,
            lenient: part.lenient,
            ephemeral: part.ephemeral,
        };
        let mut components: Vec<_> = one.components.iter().map(part).collect();
        components.sort_by(|one, other| one.component.cmp(&other.component));
        Ok(views::ProductRow {
            vendor: self.vendors.id(one.key.vendor)?,
            vendor_name: vendor_name(one.key.vendor),
            product: one.key.id.to_owned(),
            product_name: product_name(one.key.id),
            idle_days: words::idle_days(one),
            single_use: one.single_use,
            counts: wire_counts(counts.seats),
            components,
            units: wire_counts(counts.units),
            offline_days: u16::from(one.offline_days),
            offers: match words::offers(one) {
                Some(Offers::MachineFirst) => wire::Offers::MACHINE_FIRST,
                Some(Offers::DeploymentFirst) => wire::Offers::DEPLOYMENT_FIRST,
                Some(Offers::MachineOnly) => wire::Offers::MACHINE_ONLY,
                Some(Offers::DeploymentOnly) => wire::Offers::DEPLOYMENT_ONLY,
                None => return Err(Untranslatable::Impossible(format!("{one:?}"))),
            },
            on_conflict: if one.refuse_conflicts {
                wire::OnConflict::REFUSE
            } else {
                wire::OnConflict::FLAG
            },
            required: one.required.map(str::to_owned),
        })
    }

    /// STATUS, with what the model does not know taken from `shown`.
    ///
    /// # Errors
    /// The model holds what no vendor could sign.
    pub fn status(&self, shown: &views::StatusOk, admins: u32) -> Result<views::StatusOk, Untranslatable> {
        let licenses = self.model.licenses(self.now);
        let with = |status| number(licenses.iter().filter(|one| one.status == status).count());
        let seats = self.model.seats();
        let that = |test: fn(&model::Hold) -> bool| seats.iter().filter(|seat| seat.holds.iter().any(test)).count();
        let clock = self.model.clock();
        let pending = clock.pending();
        let set_back = self.now.steady.saturating_sub(self.now.calendar);
        let mut vendors = Vec::new();
        for vendor in model::History::TRUSTED {
            let key = self.vendors.key(vendor)?.vendor_key();
            let row = shown.vendors.iter().find(|row| row.vendor == key.id().0);
            let catalogue = self.catalogues.get(&vendor);
            vendors.push(views::VendorRow {
                vendor: key.id().0,
                public_key: key.bytes(),
                trusted_at: row.map_or(0, |row| row.trusted_at),
                name: catalogue.map_or_else(String::new, |_| vendor_name(vendor)),
                catalogue_version: catalogue.map_or(0, |(version, _)| *version),
            });
        }
        vendors.sort_by_key(|row| row.vendor);
        Ok(views::StatusOk {
            server_time: self.now.calendar,
            products: number(self.catalogues.values().map(|(_, products)| products.len()).sum()),
            licenses: number(licenses.len()),
            licenses_expired: with(Status::Expired),
            licenses_blacklisted: with(Status::Blacklisted),
            licenses_superseded: with(Status::Superseded),
            seats: u64::from(number(seats.len())),
            conflicts: u64::from(number(that(|hold| hold.conflict.is_some()))),
            waiting: u64::from(number(that(|hold| hold.waiting.is_some()))),
            reservations: number(self.model.reservations().len()),
            admins,
            vendors,
            clock: views::ClockRow {
                mark: self.now.steady,
                set_back_secs: (set_back > 0 && pending.is_none()).then_some(set_back),
                jump_secs: pending.map(|jump| jump.size),
                accepted_in_secs: shown.clock.accepted_in_secs.filter(|_| pending.is_some()),
            },
            ..shown.clone()
        })
    }
}

const fn conflict(seen: Conflict) -> seat::Conflict {
    seat::Conflict {
        kind: match seen.kind {
            ConflictKind::AlternatingIdentity => wire::ConflictKind::ALTERNATING_IDENTITY,
            ConflictKind::StaleContinuation => wire::ConflictKind::STALE_CONTINUATION,
        },
        since: seen.since,
        last_seen: seen.last_seen,
        count: seen.count,
    }
}

const fn wire_counts(tally: model::Tally) -> seat::Counts {
    seat::Counts {
        licenses: tally.licenses,
        total: tally.total,
        used: tally.used,
        free: tally.free,
        available: tally.available,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
