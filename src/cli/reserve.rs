//! `reserve`: seats or units are set aside for a rollout, all or none (rules X2, X4).

use super::args::{Global, ReserveOptions};
use super::error::CliError;
use super::output::{self, date};
use super::reservations::{Row, machines_table};
use super::server::random;
use super::session::{Session, refused, unexpected};
use super::{macs, output::count};
use crate::domain::ids::{Mac, ReservationId};
use crate::domain::time::Timestamp;
use crate::wire::Status;
use crate::wire::messages::deploy::{self, ReservationRow};
use crate::wire::messages::{Request, Response, seat};

/// Licenses with held seats that are told one by one.
const HELD_TOLD_MAX: usize = 10;

pub(super) async fn run(global: &Global, options: ReserveOptions) -> Result<(), CliError> {
    let macs = options.macs.as_deref().map(macs::read).transpose()?.unwrap_or_default();
    macs::bounded(&macs)?;
    let reservation = match options.reservation {
        Some(named) => named,
        None => ReservationId(random()?),
    };
    let machines = macs.len();
    let request = Request::Reserve(deploy::Reserve {
        reservation: reservation.0,
        vendor: options.vendor.map(|vendor| vendor.0),
        product: options.product.to_string(),
        secs: Some(options.secs),
        macs: macs.into_iter().map(Mac::bytes).collect(),
        count: options.count,
        preferred_only: Some(options.preferred_only),
    });
    let mut session = Session::open(global).await?;
    let row = match session.answer(&request).await {
        Ok(Response::Reserve(reply)) => reply.reservation,
        Ok(Response::Refused(status, refusal)) => {
            let error = refused(status, &refusal.text);
            if status != Status::SEATS_EXHAUSTED {
                return Err(error);
            }
            return Err(error.with_remark(&wanting(&mut session, &options, machines).await));
        }
        Ok(other) => return Err(unexpected(&other)),
        Err(error @ (CliError::Refused(_) | CliError::NotAuthorized(_))) => return Err(error),
        Err(error) => {
            return Err(error.with_remark(&format!(
                "whether anything is reserved is not known; ask again with --reservation {reservation}"
            )));
        }
    };
    if global.json {
        return output::json(&Row::from(&row));
    }
    tell(&row, &options)
}

/// What was asked for, and what there is of it.
async fn wanting(session: &mut Session, options: &ReserveOptions, machines: usize) -> String {
    let request = Request::Availability(seat::Availability {
        vendor: options.vendor.map(|vendor| vendor.0),
        product: options.product.to_string(),
    });
    let wanted = match options.count {
        Some(number) => count(number.into(), "seat"),
        None => format!(
            "{}, of which those need nothing that hold a seat already",
            count(machines as u64, "machine")
        ),
    };
    let available = match session.ask(&request).await {
        Ok(Response::Availability(reply)) => format!("available: {}; ", available(options, &reply)),
        // The refusal is what counts.
        Ok(_) | Err(_) => String::new(),
    };
    format!("asked for: {wanted}; {available}all is reserved or nothing")
}

/// Seats alone are held for a number.
fn available(options: &ReserveOptions, reply: &seat::AvailabilityOk) -> String {
    let seats = count(reply.counts.available, "seat");
    if options.count.is_some() {
        return seats;
    }
    let units = count(reply.units.available, "unit");
    let preferred = if options.preferred_only {
        ", of which --preferred-only takes one kind"
    } else {
        ""
    };
    format!("{seats} and {units}{preferred}")
}

fn tell(row: &ReservationRow, options: &ReserveOptions) -> Result<(), CliError> {
    let id = ReservationId(row.reservation);
    let (product, name) = (&row.product, &row.product_name);
    let held: u64 = row.held.iter().map(|held| u64::from(held.count)).sum();
    let what = match (row.machines.len(), row.held.is_empty()) {
        (0, true) => "nothing is left of it".to_owned(),
        (0, false) => format!("{} held", count(held, "seat")),
        (machines, _) => count(machines as u64, "machine"),
    };
    output::line(&format!("reservation {id} of {product} ({name}): {what}"))?;
    if !row.machines.is_empty() {
        output::line(&machines_table(&row.machines))?;
    }
    for one in row.held.iter().take(HELD_TOLD_MAX) {
        let seats = count(one.count.into(), "seat");
        output::line(&format!("  {seats} of license {}", one.serial))?;
    }
    if let Some(rest @ 1..) = row.held.len().checked_sub(HELD_TOLD_MAX) {
        let more = count(rest as u64, "more license");
        output::line(&format!("  and on {more}: seatkeeper reservations {id}"))?;
    }
    let lapses = date(Some(Timestamp(row.lapses_at)));
    output::line(&format!("it lapses at {lapses} UTC"))?;
    let vendor = options
        .vendor
        .map(|vendor| format!(" --vendor {vendor}"))
        .unwrap_or_default();
    if row.held.is_empty() {
        let preferred = if options.preferred_only {
            " --preferred-only"
        } else {
            ""
        };
        output::line(&format!(
            "next, once machines are deployed: seatkeeper commit {id} {product} [MAC...]{preferred}{vendor}"
        ))?;
        output::line(&format!(
            "and for those that failed:        seatkeeper abort {id} {product} MAC...{vendor}"
        ))
    } else {
        output::line("next: start the machines; each takes one of these seats with its first checkout")?;
        output::line(&format!(
            "to give back what is left: seatkeeper abort {id} {product}{vendor}"
        ))
    }
}
