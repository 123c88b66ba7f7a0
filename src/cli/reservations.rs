//! `reservations`: what is set aside, for whom, until when.

use serde::Serialize;

use super::args::{Global, ReservationFilter};
use super::error::CliError;
use super::output::{self, date, rfc3339};
use super::session::{Session, unexpected};
use crate::domain::ids::ReservationId;
use crate::domain::time::Timestamp;
use crate::wire::Reserved;
use crate::wire::messages::deploy::{self, ReservationRow, ReservedRow};
use crate::wire::messages::{Request, Response};

/// The columns of the table and of CSV.
const HEAD: [&str; 10] = [
    "reservation",
    "product",
    "name",
    "reserved",
    "lapses",
    "by",
    "machines",
    "units",
    "seats held",
    "licenses",
];

/// The columns of the machines of one.
const MACHINES_HEAD: [&str; 3] = ["mac", "has", "license"];

/// The columns of the seats that one holds.
const HELD_HEAD: [&str; 2] = ["license", "seats held"];

/// Digits of an identity that tell it from others, where all of them would break a table's lines.
const BY_DIGITS: usize = 16;

/// What `reserve --json` prints, and a row of `reservations --json`.
#[derive(Serialize)]
pub(super) struct Row {
    reservation: String,
    vendor: String,
    product: String,
    product_name: String,
    reserved_at: Option<String>,
    lapses_at: Option<String>,
    by: Option<String>,
    machines: Vec<Machine>,
    held: Vec<Held>,
}

/// What a machine has.
#[derive(Serialize)]
struct Machine {
    mac: String,
    reserved: String,
    serial: Option<String>,
}

/// Seats of a license that are held.
#[derive(Serialize)]
struct Held {
    serial: String,
    count: u32,
}

pub(super) async fn run(global: &Global, filter: ReservationFilter) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let mut rows = all(&mut session).await?;
    if let Some(wanted) = filter.reservation {
        rows.retain(|row| row.reservation == wanted.0);
        if rows.is_empty() {
            return Err(gone(wanted));
        }
    }
    if global.json {
        return output::json(&rows.iter().map(Row::from).collect::<Vec<_>>());
    }
    match filter.reservation.and(rows.first()) {
        Some(row) => one(row, filter.csv),
        None if filter.csv => output::csv(&HEAD, rows.iter().map(|row| cells(row, usize::MAX))),
        None => output::table(&HEAD, rows.iter().map(|row| cells(row, BY_DIGITS))),
    }
}

/// Shows what a reservation has: for machines or for a number, never for both.
fn one(row: &ReservationRow, csv: bool) -> Result<(), CliError> {
    let held = row
        .held
        .iter()
        .map(|held| vec![held.serial.clone(), held.count.to_string()]);
    match (csv, row.held.is_empty()) {
        (true, true) => output::csv(&MACHINES_HEAD, row.machines.iter().map(machine_cells)),
        (true, false) => output::csv(&HELD_HEAD, held),
        (false, true) => output::line(&machines_table(&row.machines)),
        (false, false) => output::table(&HELD_HEAD, held),
    }
}

/// Every reservation.
pub(super) async fn all(session: &mut Session) -> Result<Vec<ReservationRow>, CliError> {
    let mut rows = Vec::new();
    pages(session, |page| {
        rows.extend(page);
        Ok(true)
    })
    .await?;
    Ok(rows)
}

/// Every reservation, a page at a time.
pub(super) async fn pages(
    session: &mut Session,
    each: impl FnMut(Vec<ReservationRow>) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let request = |last: Option<&ReservationRow>| {
        Request::Reservations(deploy::Reservations {
            after: last.map(|row| row.reservation),
            limit: None,
        })
    };
    let take = |response| match response {
        Response::Reservations(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.pages(request, take, each).await
}

/// What to say of a reservation that is not listed.
pub(super) fn gone(reservation: ReservationId) -> CliError {
    CliError::Refused(format!(
        "no reservation {reservation} is here: it lapsed, or all of it is settled; name its product and the machines to \
         have them decided anew: seatkeeper commit {reservation} PRODUCT MAC..."
    ))
}

/// What each machine of a reservation has, as a table.
pub(super) fn machines_table(machines: &[ReservedRow]) -> String {
    output::table_text(&MACHINES_HEAD, machines.iter().map(machine_cells))
}

fn machine_cells(row: &ReservedRow) -> Vec<String> {
    let has = match row.reserved {
        Reserved::COVERED => "covered: it held a seat already".to_owned(),
        Reserved::SEAT => "a seat".to_owned(),
        Reserved::UNIT => "a unit".to_owned(),
        other => output::code(other.name()),
    };
    vec![output::mac(row.mac), has, row.serial.clone().unwrap_or_default()]
}

fn cells(row: &ReservationRow, by_digits: usize) -> Vec<String> {
    let units = row.machines.iter().filter(|one| one.reserved == Reserved::UNIT);
    let held: u64 = row.held.iter().map(|held| u64::from(held.count)).sum();
    let of_machines = row.machines.iter().filter_map(|one| one.serial.as_deref());
    let mut serials: Vec<&str> = of_machines
        .chain(row.held.iter().map(|held| held.serial.as_str()))
        .collect();
    serials.sort_unstable();
    serials.dedup();
    let by = row.by.map(|identity| output::hex(&identity)).unwrap_or_default();
    let by = by.chars().take(by_digits).collect();
    vec![
        output::hex(&row.reservation),
        row.product.clone(),
        row.product_name.clone(),
        date(Some(Timestamp(row.reserved_at))),
        date(Some(Timestamp(row.lapses_at))),
        by,
        row.machines.len().to_string(),
        units.count().to_string(),
        held.to_string(),
        serials.len().to_string(),
    ]
}

impl From<&ReservationRow> for Row {
    fn from(row: &ReservationRow) -> Self {
        let machine = |one: &ReservedRow| Machine {
            mac: output::mac(one.mac),
            reserved: output::code(one.reserved.name()),
            serial: one.serial.clone(),
        };
        let held = |one: &deploy::HeldRow| Held {
            serial: one.serial.clone(),
            count: one.count,
        };
        Self {
            reservation: output::hex(&row.reservation),
            vendor: output::hex(&row.vendor),
            product: row.product.clone(),
            product_name: row.product_name.clone(),
            reserved_at: rfc3339(Some(Timestamp(row.reserved_at))),
            lapses_at: rfc3339(Some(Timestamp(row.lapses_at))),
            by: row.by.map(|identity| output::hex(&identity)),
            machines: row.machines.iter().map(machine).collect(),
            held: row.held.iter().map(held).collect(),
        }
    }
}
