//! Views: pages in key order, each of a bounded number of rows, so that nobody is kept waiting.

use std::ops::Bound;

use super::visits::counted;
use super::{Decided, Ledger};
use crate::domain::command::{PAGE_ROWS_MAX, Page, ProductName, SeatsPage};
use crate::domain::denial::{Denial, Subject};
use crate::domain::ids::{Fingerprint, Mac, ProductId, ProductKey, ReservationId, Serial, TokenHash, VendorId};
use crate::domain::license::Usage;
use crate::domain::reply::{LicenseRow, Listing, ProductRow, Reply, SeatRow, Status, VendorRow};
use crate::domain::seat::SeatKey;
use crate::domain::time::Now;

/// Machines and licenses of the reservations on one page, beyond which no further one comes.
const RESERVED_PER_PAGE: usize = 2_048;

impl Ledger {
    pub(super) fn availability(&self, name: ProductName, now: Now) -> Decided {
        let subject = Subject {
            product: Some(name.product),
            ..Subject::default()
        };
        match self.resolve(name) {
            Ok(product) if self.product(&product).is_some() => Decided::unchanged(Reply::Availability {
                seats: self.counts(product, Usage::Machine, now),
                units: self.counts(product, Usage::Deployment, now),
            }),
            Ok(product) if !self.vendors.contains_key(&product.vendor) => {
                Decided::refused_about(Denial::UnknownVendor, subject)
            }
            Ok(_) => Decided::refused_about(Denial::UnknownProduct, subject),
            Err(denial) => Decided::refused_about(denial, subject),
        }
    }

    pub(super) fn admins_page(&self, page: &Page<Fingerprint>) -> Reply {
        let rows = counted(self.admins.range((behind(page.after), Bound::Unbounded)));
        Reply::Admins(listing(
            rows.map(|(fingerprint, admin)| (*fingerprint, admin.clone())),
            page.limit,
        ))
    }

    pub(super) fn enrolled_page(&self, page: &Page<Fingerprint>) -> Reply {
        let rows = counted(self.enrolled.range((behind(page.after), Bound::Unbounded)));
        Reply::EnrolledIdentities(listing(
            rows.map(|(identity, enrolled)| (*identity, *enrolled)),
            page.limit,
        ))
    }

    pub(super) fn tokens_page(&self, page: &Page<TokenHash>) -> Reply {
        let rows = counted(self.tokens.range((behind(page.after), Bound::Unbounded)));
        Reply::Tokens(listing(
            rows.map(|(hash, token)| self.token_row(*hash, token)),
            page.limit,
        ))
    }

    pub(super) fn licenses_page(&self, page: &Page<Serial>, now: Now) -> Reply {
        let licenses = counted(self.licenses.range((behind(page.after), Bound::Unbounded)));
        let rows = licenses.map(|(serial, license)| {
            let product = license.claims.product_key();
            LicenseRow {
                vendor_name: self.vendor_name(product.vendor),
                product_name: self.product_name(&product),
                used: self.index.used(*serial),
                status: license.status(now.latest()),
                days_left: license.days_left(now.latest()),
                license: license.clone(),
            }
        });
        Reply::Licenses(listing(rows, page.limit))
    }

    pub(super) fn seats_page(&self, asked: &SeatsPage) -> Reply {
        let Page { after, limit } = asked.page;
        if let Some(mac) = asked.mac {
            let seats = self
                .seats_of(mac)
                .filter(|row| asked.product.is_none_or(|product| row.key.product == product))
                .filter(|row| after.is_none_or(|after| row.key > after));
            return Reply::Seats(listing(seats, limit));
        }
        if let Some(product) = asked.product {
            // Seats stand by vendor and product: each vendor's are one stretch, and no other seat is looked at.
            let products = counted(self.vendors.keys()).map(|vendor| ProductKey {
                vendor: *vendor,
                product,
            });
            let seats = products.flat_map(|product| counted(self.seats.of(product, after)));
            return Reply::Seats(listing(seats.filter_map(|(key, _)| self.seat_row(key)), limit));
        }
        let seats = counted(self.seats.behind(after)).map(|(key, _)| key);
        Reply::Seats(listing(seats.filter_map(|key| self.seat_row(key)), limit))
    }

    /// The seats of one machine, found through the products that have licenses and not by looking at every seat.
    fn seats_of(&self, mac: Mac) -> impl Iterator<Item = SeatRow> {
        counted(self.index.products()).filter_map(move |product| {
            self.seat_row(SeatKey {
                vendor: product.vendor,
                product: product.product,
                mac,
            })
        })
    }

    fn seat_row(&self, key: SeatKey) -> Option<SeatRow> {
        let seat = self.seats.get(&key)?.clone();
        Some(SeatRow {
            key,
            seat,
            product_name: self.product_name(&key.product_key()),
        })
    }

    pub(super) fn reservations_page(&self, page: &Page<ReservationId>) -> Reply {
        let rows = self.reservations.range((behind(page.after), Bound::Unbounded));
        // Large ones fill a page soon: the writer is not held by more than can be told at once.
        let mut told = 0;
        let fitting = counted(rows.clone()).take_while(|(_, reservation)| {
            let fits = told < RESERVED_PER_PAGE;
            told += reservation.len();
            fits
        });
        let limit = fitting.take(page.limit.clamp(1, PAGE_ROWS_MAX)).count();
        Reply::Reservations(listing(
            counted(rows).map(|(id, reservation)| self.reservation_row(*id, reservation)),
            limit,
        ))
    }

    pub(super) fn products_page(&self, page: &Page<(VendorId, ProductId)>, now: Now) -> Reply {
        let from = page.after.map(|(vendor, _)| vendor);
        let catalogues = self
            .catalogues
            .range((from.map_or(Bound::Unbounded, Bound::Included), Bound::Unbounded));
        let products = catalogues.flat_map(|(vendor, catalogue)| {
            let after = page.after.filter(|(of, _)| of == vendor).map(|(_, id)| id);
            let products = catalogue.products.range((behind(after), Bound::Unbounded));
            products.map(move |(id, product)| (*vendor, *id, product))
        });
        let rows = counted(products).map(|(vendor, id, product)| {
            let key = ProductKey { vendor, product: id };
            ProductRow {
                key,
                vendor_name: self.vendor_name(vendor),
                product_name: product.name.clone(),
                idle_days: product.idle_days,
                single_use: product.single_use,
                offline_days: product.offline_days,
                offers: product.offers,
                required: product.required,
                on_conflict: product.on_conflict,
                components: product
                    .components
                    .iter()
                    .map(|(id, component)| (*id, *component))
                    .collect(),
                counts: self.counts(key, Usage::Machine, now),
                units: self.counts(key, Usage::Deployment, now),
            }
        });
        Reply::Products(listing(rows, page.limit))
    }

    pub(super) fn status(&self, now: Now) -> Reply {
        let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let vendors = self.vendors.iter().map(|(id, vendor)| VendorRow {
            id: *id,
            vendor: vendor.clone(),
            name: self.vendor_name(*id),
            catalogue_version: self.catalogues.get(id).map_or(0, |catalogue| catalogue.version),
        });
        let standing = self.index.standing_of_all(now);
        Reply::Status(Box::new(Status {
            server: self.server,
            vendors: vendors.collect(),
            products: size(self.catalogues.values().map(|catalogue| catalogue.products.len()).sum()),
            licenses: size(self.licenses.len()),
            licenses_expired: standing.expired,
            licenses_blacklisted: standing.blacklisted,
            licenses_superseded: standing.superseded,
            seats: self.seats.len() as u64,
            conflicts: self.index.conflicts(),
            waiting: self.index.waiting(),
            reservations: size(self.reservations.len()),
            clock: None,
            disk_left: None,
            needs_enrolment: false,
            admins: size(self.admins.len()),
            ending: self.ending(now),
            scarce: self.scarce(now),
            checkpoint: None,
        }))
    }

    fn vendor_name(&self, vendor: VendorId) -> String {
        self.catalogues
            .get(&vendor)
            .map(|catalogue| catalogue.vendor_name.clone())
            .unwrap_or_default()
    }

    /// The product's name; its id where no catalogue names it any more: its licenses and seats are shown all the same.
    pub(super) fn product_name(&self, key: &ProductKey) -> String {
        self.product(key)
            .map_or_else(|| key.product.as_str().to_owned(), |product| product.name.clone())
    }
}

fn behind<K>(after: Option<K>) -> Bound<K> {
    after.map_or(Bound::Unbounded, Bound::Excluded)
}

fn listing<T>(rows: impl Iterator<Item = T>, limit: usize) -> Listing<T> {
    let mut rows = rows.peekable();
    let page: Vec<T> = rows.by_ref().take(limit.clamp(1, PAGE_ROWS_MAX)).collect();
    Listing {
        rows: page,
        more: rows.peek().is_some(),
    }
}
