//! `import` and `import-file`: license keys, one or many, each with its own outcome (rule K3).

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::{Global, ImportFile, ImportKeys};
use super::error::CliError;
use super::files;
use super::output;
use super::session::{Session, unexpected};
use crate::vendor::{FoundKey, find_keys};
use crate::wire::limits::KEYS_MAX;
use crate::wire::messages::admin::ImportRow;
use crate::wire::messages::{Request, Response, admin};
use crate::wire::{ImportOutcome, Status};

/// What `import --json` prints.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    pub(super) added: u32,
    pub(super) already_present: u32,
    pub(super) refused: Vec<Refused>,
    /// Seats added, by product.
    pub(super) seats_added: BTreeMap<String, u64>,
}

/// A key that was not imported.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    pub(super) line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) serial: Option<String>,
    pub(super) status: String,
    pub(super) reason: String,
}

pub(super) async fn keys(global: &Global, keys: ImportKeys) -> Result<(), CliError> {
    let place = |(place, text): (usize, String)| FoundKey {
        line: u32::try_from(place + 1).unwrap_or(u32::MAX),
        text,
    };
    let found: Vec<_> = keys.keys.into_iter().enumerate().map(place).collect();
    let mut session = Session::open(global).await?;
    tell(global, &import(&mut session, &found).await?, "key")
}

pub(super) async fn file(global: &Global, file: ImportFile) -> Result<(), CliError> {
    let found = find_keys(&files::text(&file.file)?)
        .map_err(|error| CliError::because(format!("cannot import {}", file.file.display()), error))?;
    if found.is_empty() {
        return Err(CliError::failed(format!(
            "{} has no license keys in it; they begin with SK1-",
            file.file.display()
        )));
    }
    let mut session = Session::open(global).await?;
    tell(global, &import(&mut session, &found).await?, "line")
}

/// Imports keys a frame at a time; what the server has answered is durable, so that repeating goes on where it stopped.
pub(super) async fn import(session: &mut Session, found: &[FoundKey]) -> Result<Summary, CliError> {
    let mut summary = Summary::default();
    for portion in found.chunks(KEYS_MAX) {
        let keys = portion.iter().map(|key| key.text.clone()).collect();
        let reply = match session.ask(&Request::Import(admin::Import { keys })).await? {
            Response::Import(reply) => reply,
            other => return Err(unexpected(&other)),
        };
        for row in reply.rows {
            let line = portion.get(usize::from(row.index)).map_or(0, |key| key.line);
            summary.add(line, row);
        }
    }
    Ok(summary)
}

impl Summary {
    fn add(&mut self, line: u32, row: ImportRow) {
        match row.outcome {
            ImportOutcome::ADDED => {
                self.added += 1;
                let product = row.product.unwrap_or_default();
                *self.seats_added.entry(product).or_default() += u64::from(row.seats.unwrap_or(0));
            }
            ImportOutcome::PRESENT => self.already_present += 1,
            _ => self.refused.push(Refused {
                line,
                serial: row.serial,
                status: row
                    .status
                    .unwrap_or(Status::INTERNAL)
                    .name()
                    .unwrap_or("UNKNOWN")
                    .to_owned(),
                reason: row.text.unwrap_or_default(),
            }),
        }
    }
}

fn tell(global: &Global, summary: &Summary, place: &str) -> Result<(), CliError> {
    if global.json {
        output::json(summary)?;
    } else {
        let refused = summary.refused.len();
        output::line(&format!(
            "added {}, already present {}, refused {refused}",
            summary.added, summary.already_present
        ))?;
        for (product, seats) in &summary.seats_added {
            output::line(&format!("  {product}: {seats} seats more"))?;
        }
        for key in &summary.refused {
            let serial = key
                .serial
                .as_ref()
                .map(|serial| format!(" ({serial})"))
                .unwrap_or_default();
            output::line(&format!(
                "  {place} {}{serial}: {}: {}",
                key.line, key.status, key.reason
            ))?;
        }
    }
    match summary.refused.len() {
        0 => Ok(()),
        count => Err(CliError::Refused(format!(
            "{count} of {} keys refused; whatever is not refused is imported",
            u64::from(summary.added) + u64::from(summary.already_present) + count as u64
        ))),
    }
}
