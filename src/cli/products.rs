//! `products`: what the catalogues offer and how many seats of each there are.

use serde::Serialize;

use super::args::{Global, ProductFilter};
use super::error::CliError;
use super::output;
use super::session::{Session, unexpected};
use super::view::{Cell, Column, Listed, Lister, Shown};
use crate::domain::ids::ProductId;
use crate::wire::Offers;
use crate::wire::messages::seat::Counts;
use crate::wire::messages::views::{ProductName, ProductRow};
use crate::wire::messages::{Request, Response, views};

/// A row of `products --json`.
#[derive(Serialize)]
pub(super) struct Row {
    vendor: String,
    vendor_name: String,
    product: String,
    product_name: String,
    idle_days: u16,
    offline_days: u16,
    single_use: bool,
    offers: Vec<&'static str>,
    required: Option<String>,
    on_conflict: String,
    licenses: u32,
    total: u64,
    used: u64,
    free: u64,
    available: u64,
    units: Units,
    components: Vec<Component>,
}

/// The units of its deployment licenses.
#[derive(Serialize)]
struct Units {
    licenses: u32,
    total: u64,
    used: u64,
    free: u64,
    available: u64,
}

/// A component of a product.
#[derive(Serialize)]
struct Component {
    id: String,
    counted: bool,
    lenient: bool,
    ephemeral: bool,
}

impl Listed for ProductRow {
    type Json = Row;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("product", 0, |row| Cell::text(&row.product)),
        Column::<Self>::new("name", 6, |row| Cell::text(&row.product_name)).wrapping(),
        Column::<Self>::new("vendor", 8, |row| Cell::text(&row.vendor_name)).wrapping(),
        Column::<Self>::new("components", 7, |row| Cell::text(components(row))).wrapping(),
        Column::<Self>::new("idle-days", 9, |row| Cell::number(row.idle_days)),
        Column::<Self>::new("offline-days", 11, |row| Cell::number(row.offline_days)),
        Column::<Self>::new("sold-by", 10, |row| Cell::text(offers(row.offers).join(", "))).wrapping(),
        Column::<Self>::new("requires", 12, |row| {
            row.required.as_ref().map_or(Cell::Nothing, Cell::text)
        })
        .shown(Shown::Filled),
        Column::<Self>::new("on-conflict", 13, |row| {
            Cell::text(output::code(row.on_conflict.name()))
        }),
        Column::<Self>::new("total", 2, |row| Cell::number(row.counts.total)),
        Column::<Self>::new("used", 1, |row| Cell::number(row.counts.used)),
        Column::<Self>::new("free", 5, |row| Cell::number(row.counts.free)),
        Column::<Self>::new("available", 1, |row| Cell::number(row.counts.available)),
        Column::<Self>::new("units", 4, |row| Cell::text(units(&row.units)))
            .wrapping()
            .shown(Shown::Filled),
        Column::<Self>::new("never-bought", 3, |row| {
            Cell::text(if never_bought(row) { "never bought" } else { "" })
        })
        .shown(Shown::Filled),
    ];

    fn json(&self) -> Row {
        Row::from(self)
    }
}

pub(super) async fn run(global: &Global, filter: ProductFilter) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let mut lister = Lister::new(filter.view(global.json));
    pages(&mut session, |page| lister.take(page)).await?;
    lister.finish().map(drop)
}

/// Every product.
pub(super) async fn all(session: &mut Session) -> Result<Vec<ProductRow>, CliError> {
    let mut rows = Vec::new();
    pages(session, |page| {
        rows.extend(page);
        Ok(true)
    })
    .await?;
    Ok(rows)
}

/// Every product, a page at a time.
pub(super) async fn pages(
    session: &mut Session,
    each: impl FnMut(Vec<ProductRow>) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let name = |row: &ProductRow| ProductName {
        vendor: row.vendor,
        product: row.product.clone(),
    };
    let request = |last: Option<&ProductRow>| {
        Request::Products(views::Products {
            after: last.map(name),
            limit: None,
        })
    };
    let take = |response| match response {
        Response::Products(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.pages(request, take, each).await
}

/// Whether no license was ever imported for it, of either usage.
pub(super) const fn never_bought(row: &ProductRow) -> bool {
    row.counts.licenses == 0 && row.units.licenses == 0
}

/// What a list says below its table of a product that was never bought.
pub(super) fn never_bought_text(row: &ProductRow) -> String {
    format!("{} ({}) was never bought", row.product, row.product_name)
}

/// What a list without a row says of a product that no catalogue has.
pub(super) fn unknown_text(product: ProductId) -> String {
    format!("no catalogue here has {product}; see seatkeeper products")
}

/// The usages of its licenses, the preferred one first.
fn offers(offers: Offers) -> Vec<&'static str> {
    match offers {
        Offers::MACHINE_FIRST => vec!["machine", "deployment"],
        Offers::DEPLOYMENT_FIRST => vec!["deployment", "machine"],
        Offers::MACHINE_ONLY => vec!["machine"],
        Offers::DEPLOYMENT_ONLY => vec!["deployment"],
        _ => Vec::new(),
    }
}

fn units(units: &Counts) -> String {
    if units.licenses == 0 {
        return String::new();
    }
    format!("{} of {} used, {} available", units.used, units.total, units.available)
}

fn components(row: &ProductRow) -> String {
    let told = |component: &views::ComponentRow| {
        let not = if component.counted { "" } else { " (not counted)" };
        format!("{}{not}", component.component)
    };
    row.components.iter().map(told).collect::<Vec<_>>().join(", ")
}

impl From<&ProductRow> for Row {
    fn from(row: &ProductRow) -> Self {
        let component = |one: &views::ComponentRow| Component {
            id: one.component.clone(),
            counted: one.counted,
            lenient: one.lenient,
            ephemeral: one.ephemeral,
        };
        Self {
            vendor: output::hex(&row.vendor),
            vendor_name: row.vendor_name.clone(),
            product: row.product.clone(),
            product_name: row.product_name.clone(),
            idle_days: row.idle_days,
            offline_days: row.offline_days,
            offers: offers(row.offers),
            required: row.required.clone(),
            on_conflict: output::code(row.on_conflict.name()),
            single_use: row.single_use,
            licenses: row.counts.licenses,
            total: row.counts.total,
            used: row.counts.used,
            free: row.counts.free,
            available: row.counts.available,
            units: Units {
                licenses: row.units.licenses,
                total: row.units.total,
                used: row.units.used,
                free: row.units.free,
                available: row.units.available,
            },
            components: row.components.iter().map(component).collect(),
        }
    }
}
