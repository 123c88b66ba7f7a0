//! `remove`: take a license off the server (rule S12).

use serde::Serialize;

use super::args::{Global, RemoveTarget};
use super::error::CliError;
use super::output;
use super::session::{Session, unexpected};
use crate::wire::messages::{Request, Response, admin};

/// What `remove --json` prints.
#[derive(Serialize)]
struct Removed {
    serial: String,
    seats_ended: u32,
}

pub(super) async fn run(global: &Global, target: RemoveTarget) -> Result<(), CliError> {
    let RemoveTarget { serial, end_seats } = target;
    let mut session = Session::open(global).await?;
    let request = Request::LicenseRemove(admin::LicenseRemove {
        serial: serial.to_string(),
        end_seats,
    });
    match session.ask(&request).await? {
        Response::LicenseRemove(reply) if global.json => output::json(&Removed {
            serial: serial.to_string(),
            seats_ended: reply.seats_ended,
        }),
        Response::LicenseRemove(reply) => output::line(&format!(
            "license {serial} is removed; {} seats ended with it",
            reply.seats_ended
        )),
        other => Err(unexpected(&other)),
    }
}
