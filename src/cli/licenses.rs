//! `licenses`: what was bought, what is used, what is available (rule V1).

use serde::Serialize;

use super::args::{Global, LicenseFilter};
use super::error::CliError;
use super::output::{self, date, rfc3339};
use super::products;
use super::session::{Session, unexpected};
use crate::domain::time::Timestamp;
use crate::wire::messages::views::LicenseRow;
use crate::wire::messages::{Request, Response, views};

/// The columns of the table and of CSV.
const HEAD: [&str; 13] = [
    "product",
    "name",
    "serial",
    "imported",
    "expires",
    "days left",
    "total",
    "used",
    "free",
    "available",
    "kind",
    "usage",
    "status",
];

/// A row of `licenses --json`.
#[derive(Serialize)]
struct Row {
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

pub(super) async fn run(global: &Global, filter: LicenseFilter) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let mut rows = all(&mut session).await?;
    rows.retain(|row| {
        filter.product.is_none_or(|product| row.product == product.as_str())
            && (!filter.used || row.used > 0)
            && (!filter.unused || row.used == 0)
    });
    if global.json {
        return output::json(&rows.iter().map(Row::from).collect::<Vec<_>>());
    }
    if filter.csv {
        return output::csv(&HEAD, rows.iter().map(cells));
    }
    output::line(&table(&rows))?;
    let mut offered = products::all(&mut session).await?;
    offered.retain(|product| filter.product.is_none_or(|wanted| product.product == wanted.as_str()));
    for product in offered.iter().filter(|product| products::never_bought(product)) {
        let (id, name) = (&product.product, &product.product_name);
        output::line(&format!("{id} ({name}) was never bought"))?;
    }
    match filter.product {
        Some(product) if offered.is_empty() && rows.is_empty() => {
            output::line(&format!("no catalogue here has {product}; see seatkeeper products"))
        }
        _ => Ok(()),
    }
}

/// Every license, page by page; those of a product stand together.
pub(super) async fn all(session: &mut Session) -> Result<Vec<LicenseRow>, CliError> {
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
    let mut rows = session.rows(request, take).await?;
    rows.sort_by(|one, other| (&one.product, &one.serial).cmp(&(&other.product, &other.serial)));
    Ok(rows)
}

/// The licenses as a table.
pub(super) fn table(rows: &[LicenseRow]) -> String {
    output::table_text(&HEAD, rows.iter().map(cells))
}

fn cells(row: &LicenseRow) -> Vec<String> {
    vec![
        row.product.clone(),
        row.product_name.clone(),
        row.serial.clone(),
        date(Some(Timestamp(row.imported_at))),
        date(row.ends_at.map(Timestamp)),
        row.days_left.map(|days| days.to_string()).unwrap_or_default(),
        row.total.to_string(),
        row.used.to_string(),
        row.free.to_string(),
        row.available.to_string(),
        output::code(row.kind.name()),
        output::code(row.usage.name()),
        output::code(row.status.name()),
    ]
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
