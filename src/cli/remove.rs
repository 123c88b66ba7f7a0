//! `remove`: take a license off the server (rule S12).

use serde::Serialize;

use super::args::{Global, RemoveTarget};
use super::error::CliError;
use super::output::{self, count};
use super::session::{Session, unexpected};
use crate::domain::ids::Serial;
use crate::wire::messages::admin::LicenseRemoveOk;
use crate::wire::messages::{Request, Response, admin};

/// What `remove --json` prints.
#[derive(Serialize)]
struct Removed {
    serial: String,
    seats_moved: u32,
    seats_ended: u32,
    spent: u32,
    dropped: u32,
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
            seats_moved: reply.seats_moved,
            seats_ended: reply.seats_ended,
            spent: reply.spent,
            dropped: reply.dropped,
        }),
        Response::LicenseRemove(reply) => tell(serial, &reply),
        other => Err(unexpected(&other)),
    }
}

fn tell(serial: Serial, reply: &LicenseRemoveOk) -> Result<(), CliError> {
    output::line(&format!("license {serial} is removed"))?;
    let spent = match reply.spent {
        0 => String::new(),
        spent => format!(", {spent} of them spent for good"),
    };
    for (number, what) in [
        (reply.seats_moved, "moved to other licenses".to_owned()),
        (reply.seats_ended, format!("ended with it{spent}")),
    ] {
        output::line(&format!("  {} {what}", count(number.into(), "seat")))?;
    }
    if reply.dropped > 0 {
        output::line(&format!(
            "  {} or held seats dropped from reservations; see seatkeeper reservations",
            count(reply.dropped.into(), "reserved unit")
        ))?;
    }
    output::line("its key can be imported again; it goes on from where it is now")
}
