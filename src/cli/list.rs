//! `list`: the servers that answer on the network.

use std::time::Duration;

use serde::Serialize;

use super::args::{Global, ListOptions};
use super::error::CliError;
use super::{files, output};
use crate::client::discover::{Found, NO_INTERFACE, Scope, Search, discover};
use crate::config::site_port;
use crate::domain::ids::{Fingerprint, ProductKey};

/// A server of `list --json`.
#[derive(Serialize)]
struct Row {
    server: String,
    name: String,
    version: String,
    address: String,
    interface: String,
    fingerprint: String,
    epoch: u32,
    priority: u16,
    has_product: Option<bool>,
}

pub(super) async fn run(global: &Global, options: ListOptions) -> Result<(), CliError> {
    let port = site_port().map_err(|error| CliError::Usage(error.to_string()))?;
    let vendor = options.vendor_key.as_deref().map(files::vendor_key).transpose()?;
    let wanted = vendor.zip(options.product).map(|(vendor, product)| ProductKey {
        vendor: vendor.id(),
        product,
    });
    let search = Search {
        wanted,
        scope: Scope::Everywhere { port },
        deadline: Duration::from_secs(global.timeout.into()),
        every_path: false,
    };
    let mut search = discover(&search).map_err(|error| CliError::because("cannot search the network", error))?;
    let mut found = search.all().await;
    found.sort_by_key(|one| (one.offer.name.clone(), one.tcp_address().to_string()));
    let rows: Vec<_> = found.iter().map(Row::from).collect();
    if global.json {
        output::json(&rows)?;
    } else if !rows.is_empty() {
        let head = ["name", "address", "interface", "version", "product held", "fingerprint"];
        output::table(&head, rows.iter().map(cells))?;
    }
    if rows.is_empty() && search.paths().is_empty() {
        return Err(CliError::NoServer(NO_INTERFACE.to_owned()));
    }
    if rows.is_empty() {
        let secs = global.timeout;
        return Err(CliError::NoServer(format!(
            "no server answered on port {port} within {secs} s; is one running, and does the network pass broadcasts?"
        )));
    }
    Ok(())
}

fn cells(row: &Row) -> Vec<String> {
    let held = match row.has_product {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    vec![
        row.name.clone(),
        row.address.clone(),
        row.interface.clone(),
        row.version.clone(),
        held.to_owned(),
        row.fingerprint.clone(),
    ]
}

impl From<&Found> for Row {
    fn from(found: &Found) -> Self {
        Self {
            server: found.server().to_string(),
            name: found.offer.name.clone(),
            version: found.offer.server_version.clone(),
            address: found.tcp_address().to_string(),
            interface: found.interface.clone(),
            fingerprint: Fingerprint(found.offer.fingerprint).to_string(),
            epoch: found.offer.epoch,
            priority: found.offer.priority,
            has_product: found.offer.holds,
        }
    }
}
