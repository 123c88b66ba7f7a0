//! `seats`: which machine holds which license, since when, until when (rule V1).

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::{Global, SeatFilter};
use super::error::CliError;
use super::new::{self, Sources};
use super::output::{self, count, date, rfc3339};
use super::session::{Session, unexpected};
use super::view::{Cell, Column, Form, Listed, Lister, Shown};
use super::{licenses, products, status};
use crate::domain::ids::{Mac, ProductId};
use crate::domain::time::Timestamp;
use crate::wire::messages::views::{Holder, SeatName, SeatRow};
use crate::wire::messages::{Request, Response, seat, views};

/// A row of `seats --json`.
#[derive(Serialize)]
pub(super) struct Row {
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

impl Listed for SeatRow {
    type Json = Row;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("product", 0, |row| Cell::text(&row.product)),
        Column::<Self>::new("name", 8, |row| Cell::text(&row.product_name)).wrapping(),
        Column::<Self>::new("vendor", 13, |row| Cell::text(output::hex(&row.vendor))).shown(Shown::Asked),
        Column::<Self>::new("host", 1, |row| {
            row.host_name.as_ref().map_or(Cell::Nothing, Cell::text)
        }),
        Column::<Self>::new("address", 4, |row| row.address.map_or(Cell::Nothing, Cell::Address)),
        Column::<Self>::new("mac", 0, |row| Cell::text(output::mac(row.mac))),
        Column::<Self>::new("other-macs", 12, |row| Cell::text(other_macs(row)))
            .wrapping()
            .shown(Shown::Asked),
        Column::<Self>::new("serial", 5, |row| Cell::text(&row.serial)),
        Column::<Self>::new("acquired", 7, |row| Cell::Date(Timestamp(row.acquired_at))),
        Column::<Self>::new("renewed", 10, |row| Cell::Date(Timestamp(row.renewed_at))).shown(Shown::Asked),
        Column::<Self>::new("renew-by", 3, |row| {
            Cell::Date(row.renew_by.map_or(Timestamp::MAX, Timestamp))
        }),
        Column::<Self>::new("single-use", 11, |row| {
            Cell::text(if row.single_use { "yes" } else { "no" })
        })
        .shown(Shown::Asked),
        Column::<Self>::new("components", 6, |row| Cell::text(components(row))).wrapping(),
        Column::<Self>::new("conflict", 2, |row| Cell::text(conflicts(&row.components))).wrapping(),
    ];

    fn json(&self) -> Row {
        Row::from(self)
    }
}

fn components(row: &SeatRow) -> String {
    let names: Vec<&str> = row.components.iter().map(|holder| holder.component.as_str()).collect();
    names.join(", ")
}

fn other_macs(row: &SeatRow) -> String {
    let macs: Vec<String> = row.other_macs.iter().map(|mac| output::mac(*mac)).collect();
    macs.join(", ")
}

pub(super) async fn run(global: &Global, filter: SeatFilter) -> Result<(), CliError> {
    let mut view = filter.view(global.json);
    if filter.new {
        // A burst from one address stands together.
        view = view.sorted_by(&["address", "acquired", "mac"]);
    }
    let form = view.form();
    let mut session = Session::open(global).await?;
    let since = if filter.new {
        Some(new::since(&mut session, filter.since_secs).await?)
    } else {
        None
    };
    let bought = bought(&mut session, &filter).await?;
    let mut sources = Sources::default();
    let mut lister = Lister::new(view);
    pages(&mut session, (filter.mac, filter.product), |page| {
        let wanted = page
            .into_iter()
            .filter(|row| wants(&filter, row) && new::is_since(row, since))
            .filter(|row| bought.as_ref().is_none_or(|serials| serials.contains(&row.serial)));
        let wanted: Vec<SeatRow> = wanted.collect();
        if filter.new {
            sources.note(&wanted);
        }
        lister.take(wanted)
    })
    .await?;
    let shown = lister.finish()?;
    if form != Form::Table {
        return Ok(());
    }
    if let Some(since) = since {
        sources
            .told(since, filter.since_secs)
            .iter()
            .try_for_each(|line| output::line(line))?;
    }
    if let Some(product) = filter.product {
        why_none(&mut session, product, shown).await?;
    }
    // The server tells the sum in one answer: it is of one moment, also where seats come and go while they are listed.
    let status = status::ask(&mut session).await?;
    let at = date(Some(Timestamp(status.server_time)));
    let shown = count(shown as u64, "seat");
    output::line(&format!("{shown} listed; {} engaged in all at {at} UTC", status.seats))
}

/// Says of a product that there can be no seats of it: it was never bought, or is not known.
async fn why_none(session: &mut Session, product: ProductId, shown: usize) -> Result<(), CliError> {
    if shown > 0 {
        return Ok(());
    }
    let mut offered = products::all(session).await?;
    offered.retain(|row| row.product == product.as_str());
    if offered.is_empty() {
        return output::line(&products::unknown_text(product));
    }
    let never_bought = offered.iter().filter(|row| products::never_bought(row));
    never_bought
        .map(products::never_bought_text)
        .try_for_each(|text| output::line(&text))
}

/// The licenses whose seats are asked for; nothing where it does not matter which they are of. Seats of those that are
/// imported meanwhile are not listed.
async fn bought(session: &mut Session, filter: &SeatFilter) -> Result<Option<BTreeSet<String>>, CliError> {
    if !filter.bought.narrows() {
        return Ok(None);
    }
    let mut serials = BTreeSet::new();
    licenses::pages(session, |page| {
        let wanted = page.into_iter().filter(|row| filter.bought.wants(row));
        serials.extend(wanted.map(|row| row.serial));
        Ok(true)
    })
    .await?;
    Ok(Some(serials))
}

fn wants(filter: &SeatFilter, row: &SeatRow) -> bool {
    filter.product.is_none_or(|product| row.product == product.as_str())
        && (!filter.conflicts || has_conflict(row))
        && (!filter.waiting || has_waiting(row))
}

/// Every seat, or those of one machine, or of one product, a page at a time.
pub(super) async fn pages(
    session: &mut Session,
    (mac, product): (Option<Mac>, Option<ProductId>),
    each: impl FnMut(Vec<SeatRow>) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let name = |row: &SeatRow| SeatName {
        vendor: row.vendor,
        product: row.product.clone(),
        mac: row.mac,
    };
    let request = |last: Option<&SeatRow>| {
        Request::Seats(views::Seats {
            after: last.map(name),
            limit: None,
            mac: mac.map(Mac::bytes),
            product: product.map(|product| product.as_str().to_owned()),
        })
    };
    let take = |response| match response {
        Response::Seats(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.pages(request, take, each).await
}

/// Every seat of the demonstration, which has few.
#[cfg(feature = "demo")]
pub(super) async fn all(session: &mut Session) -> Result<Vec<SeatRow>, CliError> {
    let mut rows = Vec::new();
    pages(session, (None, None), |page| {
        rows.extend(page);
        Ok(true)
    })
    .await?;
    Ok(rows)
}

/// The seats of one machine: of each product one at most.
pub(super) async fn of_machine(session: &mut Session, mac: Mac) -> Result<Vec<SeatRow>, CliError> {
    let mut rows = Vec::new();
    pages(session, (Some(mac), None), |page| {
        rows.extend(page);
        Ok(true)
    })
    .await?;
    Ok(rows)
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
