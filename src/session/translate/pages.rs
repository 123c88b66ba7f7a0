//! Listings as replies of the wire, as many rows of each as fit a frame.

use super::rows;
use crate::codec::tlv;
use crate::domain::change::Admin;
use crate::domain::enrolment::Enrolled;
use crate::domain::ids::Fingerprint;
use crate::domain::reply::{Effect, LicenseRow, Listing, ProductRow, ReservationRow, SeatRow, TokenRow};
use crate::wire::limits::{BODY_LEN_MAX, EFFECTS_MAX, PAGE_ROWS_MAX};
use crate::wire::messages::{Message, Response, admin, deploy, enrol, events, views};

/// Bytes of a page that are not rows: the server's time, `more` and a count, each with its header.
const PAGE_HEAD_LEN: usize = 32;

/// The same of a page of events, which says besides how far it goes.
const EVENTS_HEAD_LEN: usize = 96;

/// The rows that fit one frame, at most so many, and whether more follow. A page may end early: the client asks again
/// behind its last row, so that it never matters where a page ends.
fn fitting<T, M: Message>(listing: Listing<T>, count_max: usize, row: impl Fn(T) -> M) -> (Vec<M>, bool) {
    let Listing { rows, more } = listing;
    let asked = rows.len();
    let fitting = fitting_in(BODY_LEN_MAX - PAGE_HEAD_LEN, rows, count_max, row);
    let more = more || fitting.len() < asked;
    (fitting, more)
}

/// The events that fit one frame beside what cannot be read of them.
pub(super) fn fitting_beside<T, M: Message>(rows: Vec<T>, gaps: &[events::Gap], row: impl Fn(T) -> M) -> Vec<M> {
    let taken: usize = gaps.iter().map(len_of).sum();
    let room = BODY_LEN_MAX.saturating_sub(EVENTS_HEAD_LEN + taken);
    fitting_in(room, rows, PAGE_ROWS_MAX, row)
}

/// Bytes of a message as a field. One over a bound takes none here; encoding the page then says so.
fn len_of<M: Message>(message: &M) -> usize {
    tlv::HEADER_LEN + message.to_body().map_or(0, |body| body.len())
}

fn fitting_in<T, M: Message>(mut room: usize, rows: Vec<T>, count_max: usize, row: impl Fn(T) -> M) -> Vec<M> {
    let mut fitting = Vec::with_capacity(rows.len().min(count_max));
    for row in rows.into_iter().take(count_max).map(row) {
        let Some(left) = room.checked_sub(len_of(&row)) else {
            break;
        };
        room = left;
        fitting.push(row);
    }
    fitting
}

pub(super) fn admins(listing: Listing<(Fingerprint, Admin)>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::admin);
    Response::AdminList(views::AdminListOk {
        server_time,
        more,
        rows,
    })
}

pub(super) fn enrolled(listing: Listing<(Fingerprint, Enrolled)>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::enrolled);
    Response::EnrolIdentities(enrol::EnrolIdentitiesOk {
        server_time,
        more,
        rows,
    })
}

pub(super) fn licenses(listing: Listing<LicenseRow>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::license);
    Response::Licenses(views::LicensesOk {
        server_time,
        more,
        rows,
    })
}

pub(super) fn products(listing: Listing<ProductRow>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::product);
    Response::Products(views::ProductsOk {
        server_time,
        more,
        rows,
    })
}

pub(super) fn reservations(listing: Listing<ReservationRow>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::reservation);
    Response::Reservations(deploy::ReservationsOk {
        server_time,
        more,
        rows,
    })
}

pub(super) fn seats(listing: Listing<SeatRow>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::seat);
    Response::Seats(views::SeatsOk {
        server_time,
        more,
        rows,
    })
}

pub(super) fn tokens(listing: Listing<TokenRow>, server_time: u64) -> Response {
    let (rows, more) = fitting(listing, PAGE_ROWS_MAX, rows::token);
    Response::EnrolTokens(enrol::EnrolTokensOk {
        server_time,
        more,
        rows,
    })
}

/// What a catalogue changes. Nobody can ask for the rest: it is told that there is one.
pub(super) fn catalogue(products: u32, effects: Vec<Effect>, server_time: u64) -> Response {
    // The ledger hands over one more than are told where there are more.
    let listing = Listing {
        rows: effects,
        more: false,
    };
    let (effects, more) = fitting(listing, EFFECTS_MAX, rows::effect);
    Response::CatalogueImport(admin::CatalogueImportOk {
        server_time,
        products,
        effects,
        more,
    })
}
