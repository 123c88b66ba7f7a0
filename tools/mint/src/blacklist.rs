//! `seatmint blacklist`

mod draft;

use std::path::PathBuf;

use clap::Subcommand;
use seatkeeper::domain::blacklist::Listed;
use seatkeeper::vendor::{BlacklistDraft, sign_blacklist};
use serde::Serialize;

use crate::dates;
use crate::file::{self, Secrecy};
use crate::output::{Failure, Output};

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
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Sign {
    /// What the blacklist is to say, in TOML; `-` is standard input
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// The vendor's private key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A new file for the signed blacklist; without it it is printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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
    let key = file::signing_key(&args.key)?;
    let text = file::read(&args.file)?;
    let draft = draft::parse(&text, dates::now()).map_err(|fault| Failure::at(args.file.display(), fault))?;
    let blacklist = sign_blacklist(&key, &draft).map_err(|fault| Failure::at(args.file.display(), fault))?;
    let text = match &args.out {
        Some(path) => {
            file::create(path, &blacklist, Secrecy::Open)?;
            let (serials, version) = (draft.serials.len(), draft.version);
            format!(
                "Blacklist version {version}, serials: {serials}, written to {}\n",
                path.display()
            )
        }
        None => blacklist.clone(),
    };
    let signed = Signed {
        vendor: key.vendor_key().id().to_string(),
        version: draft.version,
        blacklisted: listed_as(&draft, Listed::Blacklisted),
        superseded: listed_as(&draft, Listed::Superseded),
        contact: draft.contact,
        blacklist,
        file: args.out.clone(),
    };
    output.print(&signed, &text)
}

fn listed_as(draft: &BlacklistDraft, wanted: Listed) -> Vec<String> {
    let serials = draft.serials.iter().filter(|&(_, &listed)| listed == wanted);
    serials.map(|(serial, _)| serial.to_string()).collect()
}
