//! `vendor trust`: whose catalogues and license keys count here.

use serde::Serialize;

use super::args::{Global, VendorCommand};
use super::error::CliError;
use super::files;
use super::output;
use super::session::{Session, unexpected};
use crate::vendor::VendorKey;
use crate::wire::messages::{Request, Response, admin};

/// What `vendor trust --json` prints.
#[derive(Serialize)]
struct Trusted {
    vendor: String,
}

pub(super) async fn run(global: &Global, command: VendorCommand) -> Result<(), CliError> {
    let VendorCommand::Trust { file } = command;
    let key = files::vendor_key(&file)?;
    let mut session = Session::open(global).await?;
    trust(&mut session, &key).await?;
    let vendor = key.id().to_string();
    if global.json {
        output::json(&Trusted { vendor })
    } else {
        output::line(&format!(
            "vendor {vendor} is trusted; import its catalogue next: seatkeeper catalogue import FILE"
        ))
    }
}

pub(super) async fn trust(session: &mut Session, key: &VendorKey) -> Result<(), CliError> {
    let request = Request::VendorTrust(admin::VendorTrust {
        public_key: key.bytes(),
    });
    match session.ask(&request).await? {
        Response::Done(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}
