//! `catalogue import`: the vendor's list of products, components and policies.

use serde::Serialize;

use super::args::{CatalogueCommand, Global};
use super::error::CliError;
use super::files;
use super::output;
use super::session::{Session, unexpected};
use crate::vendor::SignedCatalogue;
use crate::wire::messages::{Request, Response, admin};

/// What `catalogue import --json` prints.
#[derive(Serialize)]
struct Imported {
    vendor: String,
    products: u32,
}

pub(super) async fn run(global: &Global, command: CatalogueCommand) -> Result<(), CliError> {
    let CatalogueCommand::Import { file } = command;
    let catalogue = SignedCatalogue::parse(&files::text(&file)?)
        .map_err(|error| CliError::because(format!("{} is not a catalogue", file.display()), error))?;
    let mut session = Session::open(global).await?;
    let products = import(&mut session, &catalogue).await?;
    let vendor = catalogue.vendor().to_string();
    if global.json {
        output::json(&Imported { vendor, products })
    } else {
        output::line(&format!("catalogue of vendor {vendor} imported: {products} products"))
    }
}

pub(super) async fn import(session: &mut Session, catalogue: &SignedCatalogue) -> Result<u32, CliError> {
    let catalogue = bytes::Bytes::copy_from_slice(catalogue.bytes());
    match session
        .ask(&Request::CatalogueImport(admin::CatalogueImport {
            catalogue,
            dry_run: None,
        }))
        .await?
    {
        Response::CatalogueImport(reply) => Ok(reply.products),
        other => Err(unexpected(&other)),
    }
}
