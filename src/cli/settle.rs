//! `commit` and `abort`: machines of a reservation were deployed, or were not (rule X2).

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::{CommitOptions, Global, Named, SettleOptions};
use super::error::CliError;
use super::output::{self, count};
use super::session::{Session, unexpected};
use super::{macs, reservations};
use crate::domain::ids::{Mac, ReservationId};
use crate::wire::messages::deploy::{self, SettleOk, SettledRow};
use crate::wire::messages::{Request, Response};
use crate::wire::{Settled, Status};

/// What `commit --json` and `abort --json` print.
#[derive(Serialize)]
struct Told {
    reservation: String,
    product: String,
    settled: Vec<Row>,
    refused_count: usize,
    text: Option<String>,
}

/// What became of a machine.
#[derive(Serialize)]
struct Row {
    mac: String,
    outcome: String,
    serial: Option<String>,
    status: Option<String>,
}

/// What is to be settled: a reservation, its product, the machines.
struct Meant {
    reservation: ReservationId,
    vendor: Option<[u8; 16]>,
    product: String,
    macs: Vec<[u8; 6]>,
}

pub(super) async fn commit(global: &Global, options: CommitOptions) -> Result<(), CliError> {
    let CommitOptions { settle, preferred_only } = options;
    let reservation = settle.reservation;
    let macs = machines(&settle)?;
    let mut session = Session::open(global).await?;
    let meant = meant(&mut session, &settle, macs).await?;
    let request = Request::Commit(deploy::Commit {
        reservation: meant.reservation.0,
        vendor: meant.vendor,
        product: meant.product.clone(),
        macs: meant.macs.clone(),
        preferred_only: Some(preferred_only),
    });
    let none = format!(
        "nothing is to be committed: reservation {reservation} holds seats for a number of machines, and each of them \
         takes one with its first checkout; to give back what is left: seatkeeper abort {reservation} {}",
        meant.product
    );
    tell(global, &meant, &settled(&mut session, &request).await?, &none)
}

pub(super) async fn abort(global: &Global, options: SettleOptions) -> Result<(), CliError> {
    let macs = machines(&options)?;
    let mut session = Session::open(global).await?;
    let meant = meant(&mut session, &options, macs).await?;
    let request = Request::Abort(deploy::Abort {
        reservation: meant.reservation.0,
        vendor: meant.vendor,
        product: meant.product.clone(),
        macs: meant.macs.clone(),
    });
    let none = format!("what reservation {} still held is free again", meant.reservation);
    tell(global, &meant, &settled(&mut session, &request).await?, &none)
}

/// The machines that were named, on the command line and in the file.
fn machines(options: &SettleOptions) -> Result<BTreeSet<Mac>, CliError> {
    let mut macs = options.file.as_deref().map(macs::read).transpose()?.unwrap_or_default();
    macs.extend(&options.macs);
    if let Some(Named::Machine(mac)) = options.named {
        macs.insert(mac);
    }
    macs::bounded(&macs)?;
    Ok(macs)
}

/// What the options mean. The product can be looked up as long as the reservation is listed.
async fn meant(session: &mut Session, options: &SettleOptions, macs: BTreeSet<Mac>) -> Result<Meant, CliError> {
    let reservation = options.reservation;
    let (vendor, product) = if let Some(Named::Product(product)) = options.named {
        (options.vendor.map(|vendor| vendor.0), product.to_string())
    } else {
        let rows = reservations::all(session).await?;
        let row = rows.into_iter().find(|row| row.reservation == reservation.0);
        let row = row.ok_or_else(|| reservations::gone(reservation))?;
        (Some(row.vendor), row.product)
    };
    Ok(Meant {
        reservation,
        vendor,
        product,
        macs: macs.into_iter().map(Mac::bytes).collect(),
    })
}

async fn settled(session: &mut Session, request: &Request) -> Result<SettleOk, CliError> {
    let again = "how much of it is done is not known; the same command again does no harm";
    match session.ask(request).await {
        Ok(Response::Settle(reply)) => Ok(reply),
        Ok(other) => Err(unexpected(&other)),
        Err(error @ (CliError::Refused(_) | CliError::NotAuthorized(_))) => Err(error),
        Err(error) => Err(error.with_remark(again)),
    }
}

/// Tells what became of the machines; or, where the reservation was for a number, `none`.
fn tell(global: &Global, meant: &Meant, reply: &SettleOk, none: &str) -> Result<(), CliError> {
    let refused = reply.rows.iter().filter(|row| row.outcome == Settled::REFUSED).count();
    if global.json {
        output::json(&Told {
            reservation: meant.reservation.to_string(),
            product: meant.product.clone(),
            settled: reply.rows.iter().map(Row::from).collect(),
            refused_count: refused,
            text: reply.text.clone(),
        })?;
    } else if reply.rows.is_empty() {
        output::line(none)?;
    } else {
        output::table(&["mac", "outcome", "license", "why"], reply.rows.iter().map(cells))?;
    }
    if refused == 0 {
        return Ok(());
    }
    let because = reply.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    Err(CliError::Refused(format!(
        "{refused} of {} refused{because}",
        count(reply.rows.len() as u64, "machine")
    )))
}

fn cells(row: &SettledRow) -> Vec<String> {
    let outcome = match row.outcome {
        Settled::ALREADY_COMMITTED => "committed before; no second unit is spent".to_owned(),
        Settled::COMMITTED => "committed: a unit is spent".to_owned(),
        Settled::COVERED => "covered by the seat that it holds".to_owned(),
        Settled::ENGAGED => "given a seat".to_owned(),
        Settled::GIVEN_BACK => "its unit is free again".to_owned(),
        Settled::NOTHING_RESERVED => "nothing was set aside for it".to_owned(),
        other => output::code(other.name()),
    };
    let status = row.status.and_then(Status::name).unwrap_or_default();
    vec![
        output::mac(row.mac),
        outcome,
        row.serial.clone().unwrap_or_default(),
        status.to_owned(),
    ]
}

impl From<&SettledRow> for Row {
    fn from(row: &SettledRow) -> Self {
        let status = row.status.map(|status| status.name().unwrap_or("UNKNOWN").to_owned());
        Self {
            mac: output::mac(row.mac),
            outcome: output::code(row.outcome.name()),
            serial: row.serial.clone(),
            status,
        }
    }
}
