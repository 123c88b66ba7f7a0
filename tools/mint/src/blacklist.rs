//! `seatmint blacklist`

mod draft;

use std::path::PathBuf;

use clap::Subcommand;
use seatkeeper::domain::blacklist::Listed;
use seatkeeper::vendor::{BlacklistDraft, sign_blacklist};
use serde::Serialize;

use crate::output::{Failure, Output};
use crate::signing::Files;

/// Work on blacklists: the signed list of serials that the vendor does not stand by any more
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sign(Sign),
}

/// Sign a blacklist
///
/// A server refuses the keys of listed serials and serves no seats from their licenses. It takes a blacklist in place of an
/// older one only if its version is larger, and as a whole: a serial that is not listed any more is good again. Without
/// `version` in the file it is the present time in seconds.
///
/// A list holds at most 2,048 serials, of both kinds together, and there is no second list beside it. Where more would have
/// to be on it, leave out those of licenses whose end date has passed: they serve no more, and their keys are refused,
/// anyway. A license without an end date stays listed for good; one that is sold with an end date makes room in time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Sign {
    #[command(flatten)]
    files: Files,
}

const EXAMPLES: &str = r#"Examples:
  seatmint blacklist sign withdrawn.toml --key acme.key --out acme.blacklist

The file:
  version = 7                                   # larger than before; the present time if absent
  contact = "Acme, licenses@acme.example"       # whom the customer should contact, 1 to 128 bytes
  blacklisted = ["0123-4567-89AB-CDEF"]         # serials that were taken back
  superseded = ["0W3GE1R70W3GE1R7"]             # serials whose place another license has taken"#;

#[derive(Serialize)]
struct Signed {
    vendor: String,
    version: u64,
    contact: String,
    blacklisted: Vec<String>,
    superseded: Vec<String>,
    blacklist: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    match &args.command {
        Command::Sign(args) => sign(args, output),
    }
}

fn sign(args: &Sign, output: &Output) -> Result<(), Failure> {
    let signed = args.files.sign(draft::parse, sign_blacklist)?;
    let draft = signed.draft;
    let (serials, version) = (draft.serials.len(), draft.version);
    let what = format!("Blacklist version {version}, serials: {serials}");
    let text = args.files.write(&signed.text, &what)?;
    let told = Signed {
        vendor: signed.key.vendor_key().id().to_string(),
        version: draft.version,
        blacklisted: listed_as(&draft, Listed::Blacklisted),
        superseded: listed_as(&draft, Listed::Superseded),
        contact: draft.contact,
        blacklist: signed.text,
        file: args.files.out.clone(),
    };
    output.print(&told, &text)
}

fn listed_as(draft: &BlacklistDraft, wanted: Listed) -> Vec<String> {
    let serials = draft.serials.iter().filter(|&(_, &listed)| listed == wanted);
    serials.map(|(serial, _)| serial.to_string()).collect()
}
