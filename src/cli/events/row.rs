//! An event as a row of a list and as JSON.

use serde::Serialize;

use super::is_counted;
use super::sentence::{by, sentence};
use crate::cli::args::typed;
use crate::cli::output::{self, rfc3339};
use crate::cli::view::{Cell, Column, Listed, Shown};
use crate::domain::time::Timestamp;
use crate::wire::messages::events::EventRow;
use crate::wire::{EventKind, Status};

/// A row of `events --json`. What an event of its kind does not have is left out.
#[derive(Serialize)]
pub(in crate::cli) struct Row {
    time: Option<String>,
    kind: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    counting: bool,
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lapsed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jump_secs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lacked: Option<u32>,
}

impl Listed for EventRow {
    type Json = Row;

    // The sentence has most of what the others have: a table shows these only where they were asked for.
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("time", 0, |row| Cell::Date(Timestamp(row.at))),
        Column::<Self>::new("kind", 0, |row| Cell::text(kind(row.kind))),
        Column::<Self>::new("by", 0, |row| Cell::Identity(by(row, 64))).shown(Shown::Csv),
        Column::<Self>::new("address", 0, |row| row.address.map_or(Cell::Nothing, Cell::Address)).shown(Shown::Csv),
        Column::<Self>::new("product", 0, |row| text(row.product.as_ref())).shown(Shown::Csv),
        Column::<Self>::new("mac", 0, |row| text(row.mac.map(output::mac).as_ref())).shown(Shown::Csv),
        Column::<Self>::new("host", 0, |row| text(row.host_name.as_ref())).shown(Shown::Csv),
        Column::<Self>::new("component", 0, |row| text(row.component.as_ref())).shown(Shown::Csv),
        Column::<Self>::new("serial", 0, |row| text(row.serial.as_ref())).shown(Shown::Csv),
        Column::<Self>::new("reason", 0, |row| {
            text(row.status.map(status).as_ref().or(row.reason.as_ref()))
        })
        .shown(Shown::Csv),
        Column::<Self>::new("count", 0, |row| row.count.map_or(Cell::Nothing, Cell::number)).shown(Shown::Csv),
        Column::<Self>::new("event", 0, |row| Cell::text(sentence(row))),
    ];

    fn json(&self) -> Row {
        Row::from(self)
    }
}

fn text(text: Option<&String>) -> Cell {
    text.map_or(Cell::Nothing, Cell::text)
}

impl From<&EventRow> for Row {
    fn from(row: &EventRow) -> Self {
        let place = Some(&row.place).filter(|place| !is_counted(place));
        let hex = |bytes: Option<&[u8]>| bytes.map(output::hex);
        let time = |secs: Option<u64>| secs.and_then(|secs| rfc3339(Some(Timestamp(secs))));
        Self {
            time: rfc3339(Some(Timestamp(row.at))),
            kind: kind(row.kind),
            text: sentence(row),
            round: place.map(|place| place.round),
            index: place.map(|place| place.index),
            counting: place.is_none(),
            actor: hex(row.identity.as_ref().map(<[u8; 32]>::as_slice)).unwrap_or_else(|| "server".to_owned()),
            address: row.address.map(|address| address.to_string()),
            vendor: hex(row.vendor.as_ref().map(<[u8; 16]>::as_slice)),
            product: row.product.clone(),
            mac: row.mac.map(output::mac),
            host_name: row.host_name.clone(),
            component: row.component.clone(),
            serial: row.serial.clone(),
            serial_before: row.serial_before.clone(),
            subject: hex(row.subject.as_ref().map(<[u8; 32]>::as_slice)),
            subject_before: hex(row.subject_before.as_ref().map(<[u8; 32]>::as_slice)),
            role: row.role.map(|role| output::code(role.name())),
            reason: row.reason.clone(),
            cause: row.cause.map(|cause| output::code(cause.name())),
            conflict: row.conflict.map(|conflict| output::code(conflict.name())),
            listed: row.listed.map(|listed| output::code(listed.name())),
            status: row.status.map(status),
            count: row.count,
            again: row.again,
            lapsed: row.lapsed,
            spent: row.spent,
            reservation: hex(row.reservation.as_ref().map(<[u8; 16]>::as_slice)),
            token: hex(row.token.as_ref().map(<[u8; 8]>::as_slice)),
            server: hex(row.server.as_ref().map(<[u8; 16]>::as_slice)),
            version: row.version,
            from: time(row.from),
            to: time(row.to),
            jump_secs: row.jump_secs,
            lacked: row.lacked,
        }
    }
}

/// The name of a kind as it is typed behind `--kind`.
pub(super) fn kind(kind: EventKind) -> String {
    kind.name().map_or_else(|| format!("kind-{}", kind.0), typed)
}

/// The name of a reason as it is typed behind `--reason`.
pub(super) fn status(status: Status) -> String {
    status.name().map_or_else(|| format!("status-{}", status.0), typed)
}
