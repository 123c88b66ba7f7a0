//! `licenses`: what was bought, what is used, what is available (rule V1).

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::{Global, LicenseFilter};
use super::error::CliError;
use super::output::{self, count, rfc3339};
use super::products;
use super::session::{Session, unexpected};
use super::view::{Cell, Column, Form, Listed, Lister, Shown};
use crate::domain::time::{DAY_SECS, Timestamp};
use crate::wire::messages::seat::Counts;
use crate::wire::messages::views::{LicenseRow, ProductRow};
use crate::wire::messages::{Request, Response, views};

/// A row of `licenses --json`.
#[derive(Serialize)]
pub(super) struct Row {
    vendor: String,
    vendor_name: String,
    product: String,
    product_name: String,
    serial: String,
    imported_at: Option<String>,
    issued_at: Option<String>,
    expires_at: Option<String>,
    days_left: Option<u32>,
    total: u32,
    used: u32,
    free: u32,
    available: u32,
    kind: String,
    usage: String,
    status: String,
    auto_renew: bool,
    support_until_day: Option<u32>,
}

impl Listed for LicenseRow {
    type Json = Row;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("product", 0, |row| Cell::text(&row.product)),
        Column::<Self>::new("name", 9, |row| Cell::text(&row.product_name)).wrapping(),
        Column::<Self>::new("vendor", 16, |row| Cell::text(&row.vendor_name))
            .wrapping()
            .shown(Shown::Asked),
        Column::<Self>::new("serial", 0, |row| Cell::text(&row.serial)),
        Column::<Self>::new("issued", 15, |row| Cell::Date(Timestamp(row.issued_at))).shown(Shown::Asked),
        Column::<Self>::new("imported", 11, |row| Cell::Date(Timestamp(row.imported_at))),
        Column::<Self>::new("expires", 6, |row| {
            Cell::Date(row.ends_at.map_or(Timestamp::MAX, Timestamp))
        }),
        Column::<Self>::new("days-left", 5, |row| row.days_left.map_or(Cell::Nothing, Cell::number)),
        Column::<Self>::new("total", 2, |row| Cell::number(row.total)),
        Column::<Self>::new("used", 1, |row| Cell::number(row.used)),
        Column::<Self>::new("free", 7, |row| Cell::number(row.free)),
        Column::<Self>::new("available", 3, |row| Cell::number(row.available)),
        Column::<Self>::new("kind", 8, |row| Cell::text(output::code(row.kind.name()))),
        Column::<Self>::new("usage", 10, |row| Cell::text(output::code(row.usage.name()))),
        Column::<Self>::new("status", 4, |row| Cell::text(output::code(row.status.name()))),
        Column::<Self>::new("auto-renew", 12, |row| {
            Cell::text(if row.auto_renew { "yes" } else { "" })
        })
        .shown(Shown::Filled),
        Column::<Self>::new("support-until", 13, |row| {
            support_until(row).map_or(Cell::Nothing, Cell::text)
        })
        .shown(Shown::Filled),
    ];

    fn json(&self) -> Row {
        Row::from(self)
    }
}

/// The last day of the vendor's support; as text, since days of one form sort as they follow one another.
fn support_until(row: &LicenseRow) -> Option<String> {
    let secs = i64::try_from(u64::from(row.support_until_day?) * DAY_SECS).ok()?;
    let day = jiff::Timestamp::from_second(secs).ok()?;
    Some(day.strftime("%Y-%m-%d").to_string())
}

pub(super) async fn run(global: &Global, filter: LicenseFilter) -> Result<(), CliError> {
    // Those of a product stand together.
    let view = filter.view(global.json).sorted_by(&["product", "serial"]);
    let form = view.form();
    let mut session = Session::open(global).await?;
    let mut lister = Lister::new(view);
    let mut products_shown = BTreeSet::new();
    pages(&mut session, |page| {
        let wanted: Vec<LicenseRow> = page.into_iter().filter(|row| filter.wants(row)).collect();
        products_shown.extend(wanted.iter().map(|row| (row.vendor, row.product.clone())));
        lister.take(wanted)
    })
    .await?;
    let shown = lister.finish()?;
    if form != Form::Table {
        return Ok(());
    }
    let mut offered = products::all(&mut session).await?;
    offered.retain(|product| filter.product.is_none_or(|wanted| product.product == wanted.as_str()));
    // Where only some licenses are asked for, the sums are of the products that have such.
    let is_asked = |row: &&ProductRow| !filter.narrows() || products_shown.contains(&(row.vendor, row.product.clone()));
    for product in offered.iter().filter(is_asked) {
        totals(product).into_iter().try_for_each(|line| output::line(&line))?;
    }
    match filter.product {
        Some(product) if offered.is_empty() && shown == 0 => output::line(&products::unknown_text(product)),
        _ => Ok(()),
    }
}

/// The sums over a product's licenses. The server tells each product's in one answer: they are of one moment, also where
/// seats come and go while the licenses are listed.
fn totals(product: &ProductRow) -> Vec<String> {
    let id = &product.product;
    if products::never_bought(product) {
        return vec![products::never_bought_text(product)];
    }
    let of = |counts: &Counts, what: &str| {
        let Counts {
            licenses,
            total,
            used,
            free,
            available,
        } = *counts;
        let kinds = count(licenses.into(), "license");
        format!(
            "{id} in all: {}, {used} used, {free} free, {available} available, of {kinds}",
            count(total, what)
        )
    };
    [(&product.counts, "seat"), (&product.units, "unit")]
        .into_iter()
        .filter(|(counts, _)| counts.licenses > 0)
        .map(|(counts, what)| of(counts, what))
        .collect()
}

/// Every license, a page at a time.
pub(super) async fn pages(
    session: &mut Session,
    each: impl FnMut(Vec<LicenseRow>) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let request = |last: Option<&LicenseRow>| {
        Request::Licenses(views::Licenses {
            after: last.map(|row| row.serial.clone()),
            limit: None,
        })
    };
    let take = |response| match response {
        Response::Licenses(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.pages(request, take, each).await
}

/// Every license; those of a product stand together.
#[cfg(feature = "demo")]
pub(super) async fn all(session: &mut Session) -> Result<Vec<LicenseRow>, CliError> {
    let mut rows = Vec::new();
    pages(session, |page| {
        rows.extend(page);
        Ok(true)
    })
    .await?;
    rows.sort_by(|one, other| (&one.product, &one.serial).cmp(&(&other.product, &other.serial)));
    Ok(rows)
}

impl From<&LicenseRow> for Row {
    fn from(row: &LicenseRow) -> Self {
        Self {
            vendor: output::hex(&row.vendor),
            vendor_name: row.vendor_name.clone(),
            product: row.product.clone(),
            product_name: row.product_name.clone(),
            serial: row.serial.clone(),
            imported_at: rfc3339(Some(Timestamp(row.imported_at))),
            issued_at: rfc3339(Some(Timestamp(row.issued_at))),
            expires_at: rfc3339(row.ends_at.map(Timestamp)),
            days_left: row.days_left,
            total: row.total,
            used: row.used,
            free: row.free,
            available: row.available,
            kind: output::code(row.kind.name()),
            usage: output::code(row.usage.name()),
            status: output::code(row.status.name()),
            auto_renew: row.auto_renew,
            support_until_day: row.support_until_day,
        }
    }
}
