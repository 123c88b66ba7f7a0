//! `release`: an administrator takes seats back (rule S11).

use serde::Serialize;

use super::args::{Global, NewSeats, OneSeat, ReleaseTarget};
use super::error::CliError;
use super::output::{self, count, date, rfc3339};
use super::session::{Session, unexpected};
use super::view::{Form, Lister, View};
use super::{consent, new, seats};
use crate::domain::time::Timestamp;
use crate::wire::ReleaseOutcome;
use crate::wire::limits::REASON_LEN_MAX;
use crate::wire::messages::seat::ReleaseOk;
use crate::wire::messages::views::SeatRow;
use crate::wire::messages::{Request, Response, admin};

/// Seats that one command ends, at most; the same command again ends more.
const ENDED_MAX: usize = 4_096;

/// The columns of what is to end.
const COLUMNS: [&str; 6] = ["address", "acquired", "product", "host", "mac", "serial"];

/// What `release --json` prints.
#[derive(Serialize)]
struct Released {
    outcome: String,
    components_left: u32,
}

/// What `release --new --json` prints.
#[derive(Serialize)]
struct Burst {
    from: String,
    since: Option<String>,
    seats: Vec<seats::Row>,
    ended: usize,
    more: bool,
}

pub(super) async fn run(global: &Global, target: ReleaseTarget) -> Result<(), CliError> {
    let reason = target.reason.trim();
    if reason.is_empty() || reason.len() > REASON_LEN_MAX {
        return Err(CliError::Usage(format!(
            "--reason must say why, in 1 to {REASON_LEN_MAX} bytes"
        )));
    }
    match (target.one(), target.new_ones()) {
        (Some(seat), _) => one(global, seat, reason).await,
        (None, Some(asked)) => new_ones(global, asked, reason).await,
        // The parser demands either.
        (None, None) => Err(CliError::Usage(
            "name a machine and a product, or --new --from".to_owned(),
        )),
    }
}

async fn one(global: &Global, target: OneSeat, reason: &str) -> Result<(), CliError> {
    let request = admin::SeatEnd {
        mac: target.mac.bytes(),
        vendor: target.vendor.map(|vendor| vendor.0),
        product: target.product.to_string(),
        component: target.component.map(|component| component.to_string()),
        reason: reason.to_owned(),
    };
    let mut session = Session::open(global).await?;
    let reply = end(&mut session, request).await?;
    let holding = match reply.outcome {
        ReleaseOutcome::NOTHING_HELD if !global.json => holding(&mut session, &target).await?,
        _ => Vec::new(),
    };
    if global.json {
        let outcome = output::code(reply.outcome.name());
        return output::json(&Released {
            outcome,
            components_left: reply.components_left,
        });
    }
    output::line(&match reply.outcome {
        ReleaseOutcome::NOTHING_HELD => nothing_held(&target, &holding),
        ReleaseOutcome::SEAT_FREED => format!("the seat of {} for {} has ended", target.mac, target.product),
        _ => format!(
            "released; {} components still hold the seat of {}",
            reply.components_left, target.mac
        ),
    })
}

/// The components that hold the seat which is meant, if any do.
async fn holding(session: &mut Session, target: &OneSeat) -> Result<Vec<String>, CliError> {
    let mut names = Vec::new();
    seats::pages(session, (Some(target.mac), None), |page| {
        let meant = page.into_iter().filter(|row| {
            row.product == target.product.as_str() && target.vendor.is_none_or(|vendor| row.vendor == vendor.0)
        });
        names.extend(meant.flat_map(|row| row.components).map(|holder| holder.component));
        Ok(true)
    })
    .await?;
    Ok(names)
}

/// Where others hold the seat, the name of the component may be a slip.
fn nothing_held(target: &OneSeat, holding: &[String]) -> String {
    let OneSeat { mac, product, .. } = target;
    match (target.component, holding) {
        (Some(component), [_, ..]) => {
            let does = if holding.len() == 1 { "does" } else { "do" };
            format!(
                "{component} holds nothing of {product} on {mac}, {} {does}; nothing changed",
                holding.join(", ")
            )
        }
        _ => format!("{mac} holds nothing of {product}; nothing changed"),
    }
}

/// Ends the seats that were engaged lately from one address. Which, is said first; so many at a time.
async fn new_ones(global: &Global, asked: NewSeats, reason: &str) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let since = new::since(&mut session, asked.since_secs).await?;
    let mut rows = find(&mut session, &asked, since).await?;
    let more = rows.len() > ENDED_MAX;
    rows.truncate(ENDED_MAX);
    if !global.json {
        announce(&rows, &asked, since)?;
    }
    let ended = if asked.consent.dry_run || rows.is_empty() {
        0
    } else {
        consent::ask(
            global.json,
            asked.consent,
            &format!("end {}?", count(rows.len() as u64, "seat")),
        )?;
        end_all(&mut session, &rows, reason).await?
    };
    if global.json {
        return output::json(&Burst {
            from: asked.from.to_string(),
            since: rfc3339(Some(since)),
            seats: rows.iter().map(seats::Row::from).collect(),
            ended,
            more,
        });
    }
    if rows.is_empty() {
        return Ok(());
    }
    if asked.consent.dry_run {
        return consent::nothing_done();
    }
    output::line(&format!("{} ended", count(ended as u64, "seat")))?;
    if more {
        output::line("there are more; the same command again ends them")?;
    }
    Ok(())
}

/// The seats that are meant; one more than are ended where there are more.
async fn find(session: &mut Session, asked: &NewSeats, since: Timestamp) -> Result<Vec<SeatRow>, CliError> {
    let mut rows: Vec<SeatRow> = Vec::new();
    seats::pages(session, (None, asked.product), |page| {
        let meant = page.into_iter().filter(|row| {
            new::is_since(row, Some(since))
                && new::is_from(row, asked.from)
                && asked.product.is_none_or(|product| row.product == product.as_str())
        });
        rows.extend(meant);
        Ok(rows.len() <= ENDED_MAX)
    })
    .await?;
    Ok(rows)
}

fn announce(rows: &[SeatRow], asked: &NewSeats, since: Timestamp) -> Result<(), CliError> {
    let (from, since) = (asked.from, date(Some(since)));
    if rows.is_empty() {
        return output::line(&format!(
            "no seat was engaged from {from} since {since} UTC; see seatkeeper seats --new"
        ));
    }
    let columns = COLUMNS.map(str::to_owned);
    let mut lister = Lister::new(View::new(Form::Table, &columns, &[], None));
    lister.take(rows.iter().cloned())?;
    lister.finish()?;
    output::line(&format!(
        "{} from {from}, engaged since {since} UTC. Ending: each is free at once; a machine that is real gets one again \
         when it starts next, if one is available",
        count(rows.len() as u64, "seat")
    ))
}

/// Ends them one after the other; how many were held still.
async fn end_all(session: &mut Session, rows: &[SeatRow], reason: &str) -> Result<usize, CliError> {
    let mut ended = 0;
    for row in rows {
        let request = admin::SeatEnd {
            mac: row.mac,
            vendor: Some(row.vendor),
            product: row.product.clone(),
            component: None,
            reason: reason.to_owned(),
        };
        let reply = end(session, request).await.map_err(|error| {
            let done = count(ended as u64, "seat");
            error.with_remark(&format!(
                "{done} had ended before; the same command again ends the rest"
            ))
        })?;
        ended += usize::from(reply.outcome == ReleaseOutcome::SEAT_FREED);
    }
    Ok(ended)
}

async fn end(session: &mut Session, request: admin::SeatEnd) -> Result<ReleaseOk, CliError> {
    match session.ask(&Request::SeatEnd(request)).await? {
        Response::Release(reply) => Ok(reply),
        other => Err(unexpected(&other)),
    }
}
