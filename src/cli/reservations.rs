//! `reservations`: what is set aside, for whom, until when.

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::{Global, ReservationFilter};
use super::error::CliError;
use super::output::{self, rfc3339};
use super::session::{Session, unexpected};
use super::view::{Cell, Column, Form, Listed, Lister};
use crate::domain::ids::ReservationId;
use crate::domain::time::Timestamp;
use crate::wire::Reserved;
use crate::wire::messages::deploy::{self, ReservationRow, ReservedRow};
use crate::wire::messages::{Request, Response};

/// The columns of the machines of one.
const MACHINES_HEAD: [&str; 3] = ["mac", "has", "license"];

/// The columns of the seats that one holds.
const HELD_HEAD: [&str; 2] = ["license", "seats held"];

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

impl Listed for ReservationRow {
    type Json = Row;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("reservation", 0, |row| Cell::text(output::hex(&row.reservation))),
        Column::<Self>::new("product", 0, |row| Cell::text(&row.product)),
        Column::<Self>::new("name", 7, |row| Cell::text(&row.product_name)).wrapping(),
        Column::<Self>::new("reserved", 5, |row| Cell::Date(Timestamp(row.reserved_at))),
        Column::<Self>::new("lapses", 1, |row| Cell::Date(Timestamp(row.lapses_at))),
        Column::<Self>::new("by", 6, |row| {
            row.by
                .map_or(Cell::Nothing, |identity| Cell::Identity(output::hex(&identity)))
        }),
        Column::<Self>::new("machines", 2, |row| Cell::number(row.machines.len() as u64)),
        Column::<Self>::new("units", 3, units),
        Column::<Self>::new("seats-held", 2, held),
        Column::<Self>::new("licenses", 4, licenses),
    ];

    fn json(&self) -> Row {
        Row::from(self)
    }
}

pub(super) async fn run(global: &Global, filter: ReservationFilter) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    if let Some(wanted) = filter.reservation {
        let mut rows = all(&mut session).await?;
        rows.retain(|row| row.reservation == wanted.0);
        let row = rows.first().ok_or_else(|| gone(wanted))?;
        return match filter.form(global.json) {
            Form::Json => output::json(&rows.iter().map(Row::from).collect::<Vec<_>>()),
            form => one(row, form == Form::Csv),
        };
    }
    let mut lister = Lister::new(filter.view(global.json));
    let is_wanted = |row: &ReservationRow| filter.product.is_none_or(|product| row.product == product.as_str());
    pages(&mut session, |page| lister.take(page.into_iter().filter(is_wanted))).await?;
    lister.finish().map(drop)
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
        "no reservation {reservation} is here: it lapsed, or all of it is settled, so there is nothing to give back; to commit \
         machines all the same, name its product and them: seatkeeper commit {reservation} PRODUCT MAC..."
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

fn units(row: &ReservationRow) -> Cell {
    let units = row.machines.iter().filter(|one| one.reserved == Reserved::UNIT);
    Cell::number(units.count() as u64)
}

fn held(row: &ReservationRow) -> Cell {
    Cell::number(row.held.iter().map(|held| u64::from(held.count)).sum::<u64>())
}

/// How many licenses it has something of.
fn licenses(row: &ReservationRow) -> Cell {
    let of_machines = row.machines.iter().filter_map(|one| one.serial.as_deref());
    let serials: BTreeSet<&str> = of_machines
        .chain(row.held.iter().map(|held| held.serial.as_str()))
        .collect();
    Cell::number(serials.len() as u64)
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
