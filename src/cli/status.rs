//! `status`: how a server is, in one look: first what needs somebody, then how it is, then how much there is.

mod wanting;
mod warnings;

use serde::Serialize;

use super::args::{Global, StatusTarget};
use super::clock::{self, Clock};
use super::error::CliError;
use super::local;
use super::output::{self, count, date, lasting, rfc3339};
use super::rotate::Note;
use super::session::{Session, unexpected};
use crate::domain::time::Timestamp;
use crate::wire::messages::views::StatusOk;
use crate::wire::messages::{Request, Response, events, views};
pub(super) use wanting::Wanting;
use warnings::bytes;

/// This command's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `--check` ends with where there is a warning.
const WARNED: u8 = 1;

/// What `status --json` prints.
#[derive(Serialize)]
pub(super) struct Told {
    warnings: Vec<warnings::Told>,
    address: String,
    name: String,
    version: String,
    command_version: &'static str,
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
    disk: Option<Disk>,
    checkpoint: Option<Checkpoint>,
    backup: Option<Backup>,
    connections: Option<u32>,
    connections_max: Option<u32>,
    ending: Vec<Ending>,
    scarce: Vec<Scarce>,
    events_since: Option<String>,
    enrol: &'static str,
    rebind: &'static str,
    admins: u32,
    vendors: Vec<Vendor>,
}

/// The disk of the data directory, in bytes.
#[derive(Serialize)]
struct Disk {
    free: u64,
    total: u64,
    data: u64,
    journal: u64,
}

/// How checkpoints go.
#[derive(Serialize)]
struct Checkpoint {
    generation: u64,
    made_at: Option<String>,
    failed_at: Option<String>,
    failure: Option<String>,
}

/// The last backup.
#[derive(Serialize)]
struct Backup {
    made_at: Option<String>,
    last_round: u64,
    bytes: u64,
    has_identities: bool,
}

/// A license that ends.
#[derive(Serialize)]
struct Ending {
    serial: String,
    vendor: String,
    product: String,
    product_name: String,
    kind: String,
    usage: String,
    seats: u32,
    expires_at: Option<String>,
    days_left: u32,
    licenses: u32,
}

/// A product with little left.
#[derive(Serialize)]
struct Scarce {
    vendor: String,
    product: String,
    product_name: String,
    usage: String,
    used: u64,
    available: u64,
    refused_at: Option<String>,
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
    global.server = target.target.map(|one| vec![one]).or(global.server);
    let mut session = Session::open(&global).await?;
    let status = ask(&mut session).await?;
    let events_since = oldest_event(&mut session).await?;
    let wanting = Wanting::ask(&mut session, &status).await?;
    let told = told(&global, &session, (&status, &wanting), events_since);
    if global.json {
        output::json(&told)?;
    } else {
        tell(&session, &status, &told, events_since)?;
    }
    if target.check && !told.warnings.is_empty() {
        // Everything is said.
        return Err(CliError::Program(WARNED));
    }
    Ok(())
}

/// When the oldest event that is kept happened. The server reads the beginning of one file for it.
async fn oldest_event(session: &mut Session) -> Result<Option<u64>, CliError> {
    let request = Request::Events(events::Events {
        limit: Some(1),
        ..events::Events::default()
    });
    match session.ask(&request).await? {
        Response::Events(page) => Ok(page.rows.first().map(|row| row.at)),
        other => Err(unexpected(&other)),
    }
}

/// What this host warns of: all that the server does, and what the server cannot know.
fn warned(global: &Global, session: &Session, status: &StatusOk, wanting: &Wanting) -> Vec<warnings::Told> {
    let mut warned = warnings::told(status, wanting);
    // Of another server than this host's the note says nothing.
    let data = local::data_of(global).ok();
    let note = data
        .and_then(|data| Note::read(&data))
        .filter(|note| note.from == session.fingerprint());
    warned.extend(note.map(warnings::rotation_pending));
    warned
}

/// Asks how the server is.
pub(super) async fn ask(session: &mut Session) -> Result<StatusOk, CliError> {
    match session.ask(&Request::Status(views::Status {})).await? {
        Response::Status(status) => Ok(status),
        other => Err(unexpected(&other)),
    }
}

fn tell(session: &Session, status: &StatusOk, told: &Told, events_since: Option<u64>) -> Result<(), CliError> {
    for warning in &told.warnings {
        output::line(&format!("{:<12} {}", "WARNING", warning.text()))?;
    }
    let mut lines = health(session, status);
    lines.extend(counts(status));
    lines.extend(told.scarce.iter().map(|row| ("scarce", left(row))));
    let since = events_since.map_or_else(
        || "none".to_owned(),
        |at| format!("kept since {} UTC", date(Some(Timestamp(at)))),
    );
    lines.push(("events", since));
    lines.extend(policies(status).map(|(what, value)| (what, value.to_owned())));
    for row in &status.vendors {
        let name = if row.name.is_empty() {
            "no catalogue yet"
        } else {
            &row.name
        };
        lines.push(("vendor", format!("{name} ({})", output::hex(&row.vendor))));
    }
    for (what, value) in lines {
        output::line(&format!("{what:<12} {value}"))?;
    }
    Ok(())
}

/// How the server is.
fn health(session: &Session, status: &StatusOk) -> Vec<(&'static str, String)> {
    let mut lines = vec![(
        "server",
        format!(
            "{} (seatkeeper {}) at {}",
            status.name,
            status.server_version,
            session.address()
        ),
    )];
    if status.server_version != VERSION {
        lines.push((
            "command",
            format!("seatkeeper {VERSION}, another version than the server's"),
        ));
    }
    let minutes = status.uptime_secs / 60;
    let uptime = format!("{} d {} h {} min", minutes / 1_440, minutes / 60 % 24, minutes % 60);
    lines.extend([
        ("fingerprint", session.fingerprint().to_string()),
        ("time", date(Some(Timestamp(status.server_time)))),
        ("running for", uptime),
    ]);
    if let Some(disk) = &status.disk {
        lines.push((
            "disk",
            format!(
                "{} free of {}; the data directory takes {}, {} of it the journal",
                bytes(disk.free),
                bytes(disk.total),
                bytes(disk.data),
                bytes(disk.journal)
            ),
        ));
    }
    if let Some(checkpoint) = &status.checkpoint {
        lines.push(("checkpoint", checkpointed(status, checkpoint)));
    }
    lines.push(("backup", backed_up(status)));
    if let Some((now, most)) = status.connections.zip(status.connections_max) {
        lines.push(("connections", format!("{now} of {most}")));
    }
    if let Some(next) = status.ending.first() {
        lines.push((
            "next end",
            format!(
                "license {} of {}, {}, in {}",
                next.serial,
                next.product,
                count(next.seats.into(), "seat"),
                count(next.days_left.into(), "day")
            ),
        ));
    }
    lines
}

fn checkpointed(status: &StatusOk, checkpoint: &views::CheckpointRow) -> String {
    match checkpoint.made_at {
        Some(at) if checkpoint.generation > 0 => format!(
            "{} made {} ago",
            checkpoint.generation,
            lasting(status.server_time.saturating_sub(at))
        ),
        _ => "none yet: the journal has everything".to_owned(),
    }
}

fn backed_up(status: &StatusOk) -> String {
    status.backup.as_ref().map_or_else(
        || "none yet".to_owned(),
        |last| {
            format!(
                "made {} ago, through round {}, {}, {} identities",
                lasting(status.server_time.saturating_sub(last.made_at)),
                last.round,
                bytes(last.bytes),
                if last.identities { "with" } else { "without" }
            )
        },
    )
}

/// How much there is.
fn counts(status: &StatusOk) -> [(&'static str, String); 6] {
    let epoch = status
        .epoch
        .map_or_else(|| "none yet".to_owned(), |epoch| epoch.to_string());
    [
        ("epoch", epoch),
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
    ]
}

/// How little is left of a product, and whether that kept anybody out.
fn left(row: &Scarce) -> String {
    let left = match row.available {
        0 => format!("all {} in use", row.used),
        available => format!("{} in use, {available} available", row.used),
    };
    let kept_out = if row.refused_at.is_some() {
        "somebody was refused for want of it"
    } else {
        "nobody was refused for want of it within a day"
    };
    format!("{} ({} licenses): {left}; {kept_out}", row.product, row.usage)
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

/// What `status --json` prints, with what is warned of.
pub(super) fn told(
    global: &Global,
    session: &Session,
    (status, wanting): (&StatusOk, &Wanting),
    events_since: Option<u64>,
) -> Told {
    Told {
        warnings: warned(global, session, status, wanting),
        address: session.address().to_string(),
        name: status.name.clone(),
        version: status.server_version.clone(),
        command_version: VERSION,
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
        disk: status.disk.as_ref().map(disk),
        checkpoint: status.checkpoint.as_ref().map(checkpoint),
        backup: status.backup.as_ref().map(backup),
        connections: status.connections,
        connections_max: status.connections_max,
        ending: status.ending.iter().map(ending).collect(),
        scarce: status.scarce.iter().map(|row| scarce(row, wanting)).collect(),
        events_since: time(events_since),
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

fn time(at: Option<u64>) -> Option<String> {
    at.and_then(|at| rfc3339(Some(Timestamp(at))))
}

const fn disk(row: &views::DiskRow) -> Disk {
    Disk {
        free: row.free,
        total: row.total,
        data: row.data,
        journal: row.journal,
    }
}

fn checkpoint(row: &views::CheckpointRow) -> Checkpoint {
    Checkpoint {
        generation: row.generation,
        made_at: time(row.made_at),
        failed_at: time(row.failed_at),
        failure: row.failure.clone(),
    }
}

fn backup(row: &views::BackupRow) -> Backup {
    Backup {
        made_at: time(Some(row.made_at)),
        last_round: row.round,
        bytes: row.bytes,
        has_identities: row.identities,
    }
}

fn ending(row: &views::EndingRow) -> Ending {
    Ending {
        serial: row.serial.clone(),
        vendor: output::hex(&row.vendor),
        product: row.product.clone(),
        product_name: row.product_name.clone(),
        kind: output::code(row.kind.name()),
        usage: output::code(row.usage.name()),
        seats: row.seats,
        expires_at: time(Some(row.ends_at)),
        days_left: row.days_left,
        licenses: row.licenses,
    }
}

fn scarce(row: &views::ScarceRow, wanting: &Wanting) -> Scarce {
    Scarce {
        vendor: output::hex(&row.vendor),
        product: row.product.clone(),
        product_name: row.product_name.clone(),
        usage: output::code(row.usage.name()),
        used: row.used,
        available: row.available,
        refused_at: time(wanting.since(row.vendor, &row.product)),
    }
}
