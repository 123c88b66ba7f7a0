//! `blacklist import`: a vendor's list of licenses that do not serve any more (rule C3).

use serde::Serialize;

use super::args::{BlacklistCommand, Global};
use super::error::CliError;
use super::files;
use super::output::{self, count};
use super::session::{Session, unexpected};
use crate::vendor::SignedBlacklist;
use crate::wire::messages::admin::{self, BlacklistImportOk};
use crate::wire::messages::{Request, Response};

/// What `blacklist import --json` prints.
#[derive(Serialize)]
struct Imported {
    vendor: String,
    serials: u32,
    licenses: u32,
    used: u64,
    dry_run: bool,
}

pub(super) async fn run(global: &Global, command: BlacklistCommand) -> Result<(), CliError> {
    let BlacklistCommand::Import { file, dry_run } = command;
    let list = SignedBlacklist::parse(&files::text(&file)?)
        .map_err(|error| CliError::because(format!("{} is not a vendor's blacklist", file.display()), error))?;
    let mut session = Session::open(global).await?;
    let request = Request::BlacklistImport(admin::BlacklistImport {
        list: list.bytes().clone(),
        dry_run: Some(dry_run),
    });
    let reply = match session.ask(&request).await? {
        Response::BlacklistImport(reply) => reply,
        other => return Err(unexpected(&other)),
    };
    let vendor = list.vendor().to_string();
    if global.json {
        return output::json(&Imported {
            vendor,
            serials: reply.serials,
            licenses: reply.licenses,
            used: reply.used,
            dry_run,
        });
    }
    tell(&vendor, dry_run, &reply)
}

fn tell(vendor: &str, dry_run: bool, reply: &BlacklistImportOk) -> Result<(), CliError> {
    let named = count(reply.serials.into(), "serial");
    let (done, takes) = if dry_run {
        ("would be imported", "would take")
    } else {
        ("imported", "takes")
    };
    output::line(&format!(
        "blacklist of vendor {vendor} {done}; it names {named}, and {takes} the place of the one before"
    ))?;
    if reply.licenses == 0 {
        return output::line("none of them is a license here: nothing changes for any machine");
    }
    let licenses = match (reply.licenses, dry_run) {
        (1, false) => "1 of them is a license here and serves no more".to_owned(),
        (1, true) => "1 of them is a license here and would serve no more".to_owned(),
        (more, false) => format!("{more} of them are licenses here and serve no more"),
        (more, true) => format!("{more} of them are licenses here and would serve no more"),
    };
    output::line(&format!("{licenses}; seats and units in use there: {}", reply.used))?;
    if dry_run {
        return output::line("nothing was imported; the same command without --dry-run does it");
    }
    output::line(
        "see which with seatkeeper licenses, by their status. With its next renewal each seat moves to another license \
         of its product that has room, or is refused: import another key with seatkeeper import KEY, or ask the vendor",
    )
}
