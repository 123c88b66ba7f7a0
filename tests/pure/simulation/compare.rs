//! Everything that the views show, against the model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use seatkeeper::domain::command::{Actor, Command, Page, SeatsPage};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::license::{LicenseStatus, Usage};
use seatkeeper::domain::reply::{Counts, Listing, Reply};
use seatkeeper::domain::reservation::Hold;
use seatkeeper::domain::seat::{Binding, Waiting};
use seatkeeper::domain::time::Now;
use seatkeeper_model as model;
use seatkeeper_model::Model;
use seatkeeper_world::reply::{conflict, held, machines, tally};
use seatkeeper_world::words::serial;

use super::translate::{fingerprint, key, product_key, reservation, seat_key};

const fn all<K>() -> Page<K> {
    Page {
        after: None,
        limit: 256,
    }
}

fn ask(ledger: &mut Ledger, command: &Command, now: Now) -> Reply {
    let (reply, changes) = ledger.apply(Actor::Server, command, now);
    assert!(changes.is_empty(), "a view changes something: {changes:?}");
    reply
}

pub(super) fn compare(ledger: &mut Ledger, model: &Model, now: Now, time: model::Now) {
    licenses(ledger, model, now, time);
    seats(ledger, model, now);
    reservations(ledger, model, now);
    assert_eq!(ledger.audit(), Ok(()));
    model.assert_s2();
}

fn licenses(ledger: &mut Ledger, model: &Model, now: Now, time: model::Now) {
    let Reply::Licenses(Listing { rows, more: false }) = ask(ledger, &Command::Licenses(all()), now) else {
        panic!("no listing of licenses");
    };
    let expected = model.licenses(time);
    assert_eq!(rows.len(), expected.len(), "licenses");
    for (row, license) in rows.iter().zip(&expected) {
        assert_eq!(row.license.claims, key(license.key).claims);
        assert_eq!(row.license.certificate, key(license.key).certificate);
        let what = row.license.claims.serial;
        assert_eq!(row.license.imported_at.0, license.first_import, "{what}");
        assert_eq!(
            (row.used, row.free(), row.available()),
            (license.used, license.free, license.available),
            "{what}"
        );
        assert_eq!(row.used + row.free(), license.key.seats, "{what}");
        let status = match row.status {
            LicenseStatus::Blacklisted => model::Status::Blacklisted,
            LicenseStatus::Expired => model::Status::Expired,
            LicenseStatus::Superseded => model::Status::Superseded,
            LicenseStatus::Valid => model::Status::Valid,
        };
        assert_eq!(status, license.status, "{what}");
        assert_eq!(row.days_left.map(u64::from), license.days_left, "{what}");
    }
    let mut products: Vec<_> = expected.iter().map(|license| license.key.product).collect();
    products.sort_unstable();
    products.dedup();
    for product in products {
        let counted = |usage| -> Counts { ledger.counts(product_key(product), usage, now) };
        let counts = model::Counts {
            seats: tally(counted(Usage::Machine)),
            units: tally(counted(Usage::Deployment)),
        };
        assert_eq!(counts, model.counts(product, time), "{product:?}");
    }
}

fn seats(ledger: &mut Ledger, model: &Model, now: Now) {
    let page = SeatsPage {
        mac: None,
        product: None,
        page: all(),
    };
    let Reply::Seats(Listing { rows, more: false }) = ask(ledger, &Command::Seats(page), now) else {
        panic!("no listing of seats");
    };
    let expected = model.seats();
    assert_eq!(rows.len(), expected.len(), "seats");
    for (row, seat) in rows.iter().zip(expected) {
        let key = row.key;
        assert_eq!(key, seat_key(seat.key));
        assert_eq!(row.seat.serial, serial(seat.serial), "{key:?}");
        assert_eq!(row.seat.single_use, seat.single_use, "{key:?}");
        assert_eq!(row.seat.acquired_at.0, seat.acquired_at, "{key:?}");
        assert_eq!(row.seat.renewed_at.0, seat.renewed_at, "{key:?}");
        assert_eq!(row.seat.renew_by.map(|at| at.0), seat.renew_by, "{key:?}");
        assert_eq!(row.seat.components.len(), seat.holds.len(), "{key:?}");
        for hold in &seat.holds {
            let binding = &row.seat.components[&hold.component.parse().unwrap()];
            let (identity, conflicts, waiting) = match binding {
                Binding::Identity(bound) => (
                    Some(bound.identity),
                    bound.others.conflict.map(conflict),
                    bound.others.waiting,
                ),
                Binding::Unbound => (None, None, None),
            };
            assert_eq!(identity, hold.identity().map(fingerprint), "{key:?} {hold:?}");
            assert_eq!(conflicts, hold.conflict, "{key:?} {hold:?}");
            let waits = |waiting: Waiting| (waiting.identity, waiting.since.0);
            assert_eq!(
                waiting.map(waits),
                hold.waiting
                    .map(|waiting| (fingerprint(waiting.identity), waiting.since)),
                "{key:?} {hold:?}"
            );
        }
    }
}

fn reservations(ledger: &mut Ledger, model: &Model, now: Now) {
    let Reply::Reservations(Listing { rows, more: false }) = ask(ledger, &Command::Reservations(all()), now) else {
        panic!("no listing of reservations");
    };
    let expected = model.reservations();
    assert_eq!(rows.len(), expected.len(), "{rows:?} and {expected:?}");
    for (row, one) in rows.iter().zip(expected) {
        assert_eq!(row.id, reservation(one.id));
        let here = &row.reservation;
        assert_eq!(here.product, product_key(one.product), "{row:?}");
        assert_eq!(
            (here.reserved_at.0, here.lapses_at.0),
            (one.made_at, one.ends_at),
            "{row:?}"
        );
        assert_eq!(matches!(here.hold, Hold::Seats(_)), one.for_number, "{row:?}");
        assert_eq!(machines(here), one.machines, "{row:?}");
        assert_eq!(held(here), one.held, "{row:?}");
    }
}
