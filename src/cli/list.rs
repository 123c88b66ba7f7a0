//! `list`: the servers that answer on the network.

use serde::Serialize;

use super::args::{Global, ListOptions};
use super::error::CliError;
use super::{aim, files, output};
use crate::client::discover::Found;
use crate::domain::ids::{Fingerprint, ProductKey};
use crate::sockets::interfaces::Choice;

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
    let vendor = options.vendor_key.as_deref().map(files::vendor_key).transpose()?;
    let wanted = vendor.zip(options.product).map(|(vendor, product)| ProductKey {
        vendor: vendor.id(),
        product,
    });
    let on = Choice {
        only: options.interface,
        not: options.not_interface,
    };
    let mut finder = aim::begin(global, wanted, on)?;
    let mut found = finder.all().await;
    found.sort_by_key(|one| (one.offer.name.clone(), one.tcp_address().to_string()));
    let rows: Vec<_> = found.iter().map(Row::from).collect();
    if global.json {
        output::json(&rows)?;
    } else if !rows.is_empty() {
        let head = ["name", "address", "interface", "version", "product held", "fingerprint"];
        output::table(&head, rows.iter().map(cells))?;
    }
    if rows.is_empty() {
        return Err(aim::nobody(&finder, global)?);
    }
    finder
        .oddities()
        .iter()
        .for_each(|odd| output::note(&format!("warning: {odd}")));
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
