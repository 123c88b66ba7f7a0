//! `status`: how a server is, in one look.

use serde::Serialize;

use super::args::{Global, StatusTarget};
use super::clock::{self, Clock};
use super::error::CliError;
use super::output::{self, count, date, rfc3339};
use super::session::{Session, unexpected};
use crate::domain::time::Timestamp;
use crate::wire::messages::views::StatusOk;
use crate::wire::messages::{Request, Response, views};

/// What `status --json` prints.
#[derive(Serialize)]
pub(super) struct Told {
    address: String,
    name: String,
    version: String,
    fingerprint: String,
    server: Option<String>,
    epoch: Option<u32>,
    server_time: Option<String>,
    founded_at: Option<String>,
    uptime_secs: u64,
    products: u32,
    licenses: u32,
    licenses_expired: u32,
    licenses_blacklisted: u32,
    licenses_superseded: u32,
    seats: u64,
    conflicts: u64,
    waiting: u64,
    reservations: u32,
    clock: Clock,
    disk_left: Option<u64>,
    enrol: &'static str,
    rebind: &'static str,
    admins: u32,
    vendors: Vec<Vendor>,
}

/// A trusted vendor.
#[derive(Serialize)]
pub(super) struct Vendor {
    id: String,
    name: String,
    catalogue_version: u64,
    trusted_at: Option<String>,
}

pub(super) async fn run(global: &Global, target: StatusTarget) -> Result<(), CliError> {
    let mut global = global.clone();
    global.server = target.target.or(global.server);
    let mut session = Session::open(&global).await?;
    let status = ask(&mut session).await?;
    if global.json {
        output::json(&told(&session, &status))
    } else {
        tell(&session, &status)
    }
}

/// Asks how the server is.
pub(super) async fn ask(session: &mut Session) -> Result<StatusOk, CliError> {
    match session.ask(&Request::Status(views::Status {})).await? {
        Response::Status(status) => Ok(status),
        other => Err(unexpected(&other)),
    }
}

/// What an administrator should look at, the most pressing first.
fn warnings(status: &StatusOk) -> Vec<String> {
    let counted = [
        (
            status.conflicts,
            "with a conflict, a copied machine: see seatkeeper seats --conflicts, then seatkeeper resolve MAC",
            "seat",
        ),
        (
            status.waiting,
            "on which a new identity waits for approval: see seatkeeper seats --waiting, then seatkeeper resolve MAC",
            "seat",
        ),
        (
            status.licenses_blacklisted.into(),
            "taken back by the vendor: see seatkeeper licenses, and contact the vendor",
            "license",
        ),
        (
            status.licenses_superseded.into(),
            "replaced by others, says the vendor: see seatkeeper licenses, and import the new keys",
            "license",
        ),
        (
            status.licenses_expired.into(),
            "expired: see seatkeeper licenses",
            "license",
        ),
    ];
    let counted = counted
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, text, what)| format!("{} {text}", count(number, what)));
    let no_vendor = status
        .vendors
        .is_empty()
        .then(|| "no vendor is trusted yet: seatkeeper vendor trust FILE".to_owned());
    let disk_full = status.disk_left.map(|left| {
        format!(
            "the disk is full: nothing new is taken, and what is left for everything else is {} KiB; make room on the \
             disk of the data directory before the server stops",
            left / 1_024
        )
    });
    disk_full
        .into_iter()
        .chain(clock::warning(status))
        .chain(counted)
        .chain(no_vendor)
        .collect()
}

fn tell(session: &Session, status: &StatusOk) -> Result<(), CliError> {
    for warning in warnings(status) {
        output::line(&format!("{:<12} {warning}", "WARNING"))?;
    }
    let minutes = status.uptime_secs / 60;
    for (what, value) in [
        (
            "server",
            format!(
                "{} (seatkeeper {}) at {}",
                status.name,
                status.server_version,
                session.address()
            ),
        ),
        ("fingerprint", session.fingerprint().to_string()),
        ("time", date(Some(Timestamp(status.server_time)))),
        (
            "running for",
            format!("{} d {} h {} min", minutes / 1_440, minutes / 60 % 24, minutes % 60),
        ),
        (
            "epoch",
            status
                .epoch
                .map_or_else(|| "none yet".to_owned(), |epoch| epoch.to_string()),
        ),
        ("products", status.products.to_string()),
        (
            "licenses",
            format!(
                "{}: {} expired, {} blacklisted, {} superseded",
                status.licenses, status.licenses_expired, status.licenses_blacklisted, status.licenses_superseded
            ),
        ),
        (
            "seats",
            format!(
                "{} engaged, {} with a conflict, {} with an identity that waits",
                status.seats, status.conflicts, status.waiting
            ),
        ),
        ("reservations", status.reservations.to_string()),
        ("identities", format!("{} with a role", status.admins)),
    ] {
        output::line(&format!("{what:<12} {value}"))?;
    }
    for (what, value) in policies(status) {
        output::line(&format!("{what:<12} {value}"))?;
    }
    for row in &status.vendors {
        let name = if row.name.is_empty() {
            "no catalogue yet"
        } else {
            &row.name
        };
        output::line(&format!("{:<12} {name} ({})", "vendor", output::hex(&row.vendor)))?;
    }
    Ok(())
}

/// What the site's configuration says, by its own words.
const fn policies(status: &StatusOk) -> [(&'static str, &'static str); 2] {
    let enrol = if status.enrolment {
        "token: only what is enrolled is served"
    } else {
        "open: whoever connects is served"
    };
    let rebind = if status.approval {
        "approve: a system installed anew waits for an administrator"
    } else {
        "honour: a system installed anew takes the place of the one before"
    };
    [("enrol", enrol), ("rebind", rebind)]
}

/// The trusted vendors.
pub(super) fn vendors(status: &StatusOk) -> Vec<Vendor> {
    status.vendors.iter().map(vendor).collect()
}

pub(super) fn told(session: &Session, status: &StatusOk) -> Told {
    Told {
        address: session.address().to_string(),
        name: status.name.clone(),
        version: status.server_version.clone(),
        fingerprint: session.fingerprint().to_string(),
        server: status.server.map(|server| output::hex(&server)),
        epoch: status.epoch,
        server_time: rfc3339(Some(Timestamp(status.server_time))),
        founded_at: status.founded_at.and_then(|at| rfc3339(Some(Timestamp(at)))),
        uptime_secs: status.uptime_secs,
        products: status.products,
        licenses: status.licenses,
        licenses_expired: status.licenses_expired,
        licenses_blacklisted: status.licenses_blacklisted,
        licenses_superseded: status.licenses_superseded,
        seats: status.seats,
        conflicts: status.conflicts,
        waiting: status.waiting,
        reservations: status.reservations,
        clock: clock::clock(status),
        disk_left: status.disk_left,
        enrol: if status.enrolment { "token" } else { "open" },
        rebind: if status.approval { "approve" } else { "honour" },
        admins: status.admins,
        vendors: vendors(status),
    }
}

fn vendor(row: &views::VendorRow) -> Vendor {
    Vendor {
        id: output::hex(&row.vendor),
        name: row.name.clone(),
        catalogue_version: row.catalogue_version,
        trusted_at: rfc3339(Some(Timestamp(row.trusted_at))),
    }
}
