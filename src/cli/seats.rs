//! `seats`: which machine holds which license, since when, until when (rule V1).

use serde::Serialize;

use super::args::{Global, SeatFilter};
use super::error::CliError;
use super::output::{self, date, rfc3339};
use super::session::{Session, unexpected};
use crate::domain::time::Timestamp;
use crate::wire::messages::views::{Holder, SeatName, SeatRow};
use crate::wire::messages::{Request, Response, seat, views};

/// The columns of the table and of CSV.
const HEAD: [&str; 10] = [
    "product",
    "name",
    "host",
    "address",
    "mac",
    "serial",
    "acquired",
    "renew by",
    "components",
    "conflict",
];

/// A row of `seats --json`.
#[derive(Serialize)]
struct Row {
    vendor: String,
    product: String,
    product_name: String,
    mac: String,
    host_name: Option<String>,
    address: Option<String>,
    other_macs: Vec<String>,
    serial: String,
    acquired_at: Option<String>,
    renewed_at: Option<String>,
    renew_by: Option<String>,
    single_use: bool,
    components: Vec<Component>,
    conflict: bool,
    waiting: bool,
}

/// A component that holds the seat.
#[derive(Serialize)]
struct Component {
    id: String,
    identity: Option<String>,
    rebound_at: Option<String>,
    conflict: Option<Conflict>,
    waiting: Option<Waiting>,
}

/// An identity that waits for approval.
#[derive(Serialize)]
pub(super) struct Waiting {
    identity: String,
    since: Option<String>,
}

/// A conflict on it.
#[derive(Serialize)]
pub(super) struct Conflict {
    kind: String,
    since: Option<String>,
    last_seen: Option<String>,
    count: u32,
}

pub(super) async fn run(global: &Global, filter: SeatFilter) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let mut rows = all(&mut session, filter.mac.map(crate::domain::ids::Mac::bytes)).await?;
    rows.retain(|row| {
        filter.product.is_none_or(|product| row.product == product.as_str())
            && (!filter.conflicts || has_conflict(row))
            && (!filter.waiting || has_waiting(row))
    });
    if global.json {
        return output::json(&rows.iter().map(Row::from).collect::<Vec<_>>());
    }
    if filter.csv {
        return output::csv(&HEAD, rows.iter().map(cells));
    }
    output::line(&table(&rows))
}

/// Every seat, or those of one machine, page by page.
pub(super) async fn all(session: &mut Session, mac: Option<[u8; 6]>) -> Result<Vec<SeatRow>, CliError> {
    let name = |row: &SeatRow| SeatName {
        vendor: row.vendor,
        product: row.product.clone(),
        mac: row.mac,
    };
    let request = |last: Option<&SeatRow>| {
        Request::Seats(views::Seats {
            after: last.map(name),
            limit: None,
            mac,
        })
    };
    let take = |response| match response {
        Response::Seats(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.rows(request, take).await
}

/// The seats as a table.
pub(super) fn table(rows: &[SeatRow]) -> String {
    output::table_text(&HEAD, rows.iter().map(cells))
}

fn cells(row: &SeatRow) -> Vec<String> {
    let components: Vec<&str> = row.components.iter().map(|holder| holder.component.as_str()).collect();
    vec![
        row.product.clone(),
        row.product_name.clone(),
        row.host_name.clone().unwrap_or_default(),
        row.address.map(|address| address.to_string()).unwrap_or_default(),
        output::mac(row.mac),
        row.serial.clone(),
        date(Some(Timestamp(row.acquired_at))),
        date(row.renew_by.map(Timestamp)),
        components.join(", "),
        conflicts(&row.components),
    ]
}

/// What an administrator may have to resolve.
fn conflicts(holders: &[Holder]) -> String {
    let told = holders.iter().flat_map(|holder| {
        let component = &holder.component;
        let conflict = holder.conflict.as_ref().map(|conflict| {
            let kind = output::code(conflict.kind.name());
            format!("{component}: {kind} x{}", conflict.count)
        });
        let waiting = holder.waiting.as_ref().map(|waiting| {
            let since = date(Some(Timestamp(waiting.since)));
            format!("{component}: a new identity waits since {since}")
        });
        conflict.into_iter().chain(waiting)
    });
    told.collect::<Vec<_>>().join(", ")
}

fn has_conflict(row: &SeatRow) -> bool {
    row.components.iter().any(|holder| holder.conflict.is_some())
}

fn has_waiting(row: &SeatRow) -> bool {
    row.components.iter().any(|holder| holder.waiting.is_some())
}

impl From<&SeatRow> for Row {
    fn from(row: &SeatRow) -> Self {
        Self {
            vendor: output::hex(&row.vendor),
            product: row.product.clone(),
            product_name: row.product_name.clone(),
            mac: output::mac(row.mac),
            host_name: row.host_name.clone(),
            address: row.address.map(|address| address.to_string()),
            other_macs: row.other_macs.iter().map(|mac| output::mac(*mac)).collect(),
            serial: row.serial.clone(),
            acquired_at: rfc3339(Some(Timestamp(row.acquired_at))),
            renewed_at: rfc3339(Some(Timestamp(row.renewed_at))),
            renew_by: rfc3339(row.renew_by.map(Timestamp)),
            single_use: row.single_use,
            components: row.components.iter().map(Component::from).collect(),
            conflict: has_conflict(row),
            waiting: has_waiting(row),
        }
    }
}

impl From<&Holder> for Component {
    fn from(holder: &Holder) -> Self {
        Self {
            id: holder.component.clone(),
            identity: holder.identity.map(|identity| output::hex(&identity)),
            rebound_at: holder.rebound_at.and_then(|at| rfc3339(Some(Timestamp(at)))),
            conflict: holder.conflict.as_ref().map(Conflict::from),
            waiting: holder.waiting.as_ref().map(Waiting::from),
        }
    }
}

impl From<&seat::Conflict> for Conflict {
    fn from(conflict: &seat::Conflict) -> Self {
        Self {
            kind: output::code(conflict.kind.name()),
            since: rfc3339(Some(Timestamp(conflict.since))),
            last_seen: rfc3339(Some(Timestamp(conflict.last_seen))),
            count: conflict.count,
        }
    }
}

impl From<&views::Waiting> for Waiting {
    fn from(waiting: &views::Waiting) -> Self {
        Self {
            identity: output::hex(&waiting.identity),
            since: rfc3339(Some(Timestamp(waiting.since))),
        }
    }
}
