//! `catalogue import`: the vendor's list of products, components and policies.

use serde::Serialize;

use super::args::{CatalogueCommand, Global};
use super::error::CliError;
use super::files;
use super::output::{self, count};
use super::session::{Session, unexpected};
use crate::vendor::SignedCatalogue;
use crate::wire::Altered;
use crate::wire::messages::admin::{self, CatalogueImportOk};
use crate::wire::messages::{Request, Response};

/// The columns of what it changes.
const HEAD: [&str; 6] = ["product", "component", "what", "before", "after", "seats"];

/// What `catalogue import --json` prints.
#[derive(Serialize)]
struct Imported {
    vendor: String,
    products: u32,
    dry_run: bool,
    effects: Vec<Effect>,
    more_effects: bool,
}

/// Something that it changes.
#[derive(Serialize)]
struct Effect {
    product: String,
    component: Option<String>,
    what: String,
    before: String,
    after: String,
    seats: u64,
    licenses: Option<u64>,
}

pub(super) async fn run(global: &Global, command: CatalogueCommand) -> Result<(), CliError> {
    let CatalogueCommand::Import { file, dry_run } = command;
    let catalogue = SignedCatalogue::parse(&files::text(&file)?)
        .map_err(|error| CliError::because(format!("{} is not a catalogue", file.display()), error))?;
    let mut session = Session::open(global).await?;
    let reply = ask(&mut session, &catalogue, dry_run).await?;
    let vendor = catalogue.vendor().to_string();
    if global.json {
        return output::json(&Imported {
            vendor,
            products: reply.products,
            dry_run,
            effects: reply.effects.iter().map(Effect::from).collect(),
            more_effects: reply.more,
        });
    }
    tell(&vendor, dry_run, &reply)
}

/// Imports a catalogue; how many products it has.
#[cfg(feature = "demo")]
pub(super) async fn import(session: &mut Session, catalogue: &SignedCatalogue) -> Result<u32, CliError> {
    Ok(ask(session, catalogue, false).await?.products)
}

async fn ask(session: &mut Session, catalogue: &SignedCatalogue, dry_run: bool) -> Result<CatalogueImportOk, CliError> {
    let request = Request::CatalogueImport(admin::CatalogueImport {
        catalogue: catalogue.bytes().clone(),
        dry_run: Some(dry_run),
    });
    match session.ask(&request).await? {
        Response::CatalogueImport(reply) => Ok(reply),
        other => Err(unexpected(&other)),
    }
}

fn tell(vendor: &str, dry_run: bool, reply: &CatalogueImportOk) -> Result<(), CliError> {
    let products = count(reply.products.into(), "product");
    let (done, changes) = if dry_run {
        ("would be imported", "it would change:")
    } else {
        ("imported", "it changed:")
    };
    output::line(&format!("catalogue of vendor {vendor} {done}: {products}"))?;
    if reply.effects.is_empty() {
        return output::line("it changes nothing of what is here");
    }
    output::line(changes)?;
    output::table(&HEAD, reply.effects.iter().map(cells))?;
    if reply.more {
        output::line("and more than is listed here")?;
    }
    for gone in reply.effects.iter().filter_map(|effect| gone(effect, dry_run)) {
        output::line(&gone)?;
    }
    if dry_run {
        output::line("nothing was imported; the same command without --dry-run does it")?;
    }
    Ok(())
}

/// What becomes of licenses and seats of a product that the catalogue names no more; nothing where there are none.
fn gone(effect: &admin::Effect, dry_run: bool) -> Option<String> {
    let licenses = effect.licenses.unwrap_or_default();
    if effect.what != Altered::PRODUCT || !effect.after.is_empty() || licenses + effect.seats == 0 {
        return None;
    }
    let product = &effect.product;
    let held = format!("{} and {}", count(licenses, "license"), count(effect.seats, "seat"));
    let here = if dry_run {
        "would be known no more"
    } else {
        "is known no more"
    };
    Some(format!(
        "{product} {here}: every checkout and renewal of it is refused, and so are its keys. Its {held} stay here: a seat until it \
         is released or idle, a license until it is removed; a catalogue that names {product} again has them serve again"
    ))
}

fn cells(effect: &admin::Effect) -> Vec<String> {
    let gone = |text: &String| if text.is_empty() { "-".to_owned() } else { text.clone() };
    vec![
        effect.product.clone(),
        effect.component.clone().unwrap_or_default(),
        what(effect.what),
        gone(&effect.before),
        gone(&effect.after),
        effect.seats.to_string(),
    ]
}

/// What is changed, as the other views call it.
fn what(altered: Altered) -> String {
    match altered {
        Altered::SINGLE_USE => "single use".to_owned(),
        Altered::REQUIRED => "requires".to_owned(),
        other => output::code(other.name()),
    }
}

impl From<&admin::Effect> for Effect {
    fn from(effect: &admin::Effect) -> Self {
        Self {
            product: effect.product.clone(),
            component: effect.component.clone(),
            what: output::code(effect.what.name()),
            before: effect.before.clone(),
            after: effect.after.clone(),
            seats: effect.seats,
            licenses: effect.licenses,
        }
    }
}
