//! `seatmint catalogue`

mod draft;

use std::path::PathBuf;

use clap::Subcommand;
use seatkeeper::domain::ids::ProductId;
use seatkeeper::vendor::sign_catalogue;
use serde::Serialize;

use crate::output::{Failure, Output};
use crate::signing::Files;

/// Work on catalogues: the signed list of a vendor's products, components and policies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sign(Sign),
}

/// Sign a catalogue
///
/// A server takes a catalogue in place of an older one only if its version is larger; without `version` in the file it is
/// the present time in seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Sign {
    #[command(flatten)]
    files: Files,
}

const EXAMPLES: &str = r#"Examples:
  seatmint catalogue sign products.toml --key acme.key --out acme.catalogue

The file:
  vendor = "Acme Backup"

  [products.BKSRV]
  name = "Backup for Servers"
  idle_days = 30        # a seat is free when not renewed for so long; 0 = never; 30 if absent
  single_use = false    # true: seats never come back; false if absent
  offline_days = 0      # strict components run so long without a server, 0 to 60; 0 if absent
  licenses = ["machine", "deployment"]  # what it is sold by, the preferred one first; both, machine first, if absent
  requires = "BKWKS"    # a machine must hold a seat of this product of the file; none if absent
  on_conflict = "flag"  # copies of a machine are only shown; "refuse": their checkouts are refused; "flag" if absent

  [products.BKSRV.components]
  agent = { counted = true }                    # takes a seat; also: lenient = true, ephemeral = true
  console = { counted = false }"#;

#[derive(Serialize)]
struct Signed {
    vendor: String,
    vendor_name: String,
    version: u64,
    products: Vec<String>,
    catalogue: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    match &args.command {
        Command::Sign(args) => sign(args, output),
    }
}

fn sign(args: &Sign, output: &Output) -> Result<(), Failure> {
    let signed = args.files.sign(draft::parse, sign_catalogue)?;
    let draft = signed.draft;
    let (products, version) = (draft.products.len(), draft.version);
    let what = format!("Catalogue version {version}, products: {products}");
    let text = args.files.write(&signed.text, &what)?;
    let told = Signed {
        vendor: signed.key.vendor_key().id().to_string(),
        vendor_name: draft.vendor_name,
        version: draft.version,
        products: draft.products.keys().map(ProductId::to_string).collect(),
        catalogue: signed.text,
        file: args.files.out.clone(),
    };
    output.print(&told, &text)
}
