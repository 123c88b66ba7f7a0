//! `import` and `import-file`: license keys, one or many, each with its own outcome (rules K3, K8).

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Global, ImportFile, ImportKeys};
use super::error::CliError;
use super::files;
use super::output::{self, count};
use super::progress::Progress;
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
    /// Those of them that took the place of their serial's license (rule K6).
    pub(super) renewed: u32,
    pub(super) already_present: u32,
    pub(super) refused: Vec<Refused>,
    /// Seats of new licenses, by product.
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
    tell(global, &watched(global, &mut session, &found).await?, "key")
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
    tell(global, &watched(global, &mut session, &found).await?, "line")
}

/// Imports keys and shows how far it is. Where it ends early, the error says what was done and how to go on.
async fn watched(global: &Global, session: &mut Session, found: &[FoundKey]) -> Result<Summary, CliError> {
    let mut interrupted =
        signal(SignalKind::interrupt()).map_err(|error| CliError::because("cannot listen for signals", error))?;
    let progress = Progress::over(global, found.len());
    let mut summary = Summary::default();
    let outcome = tokio::select! {
        outcome = portions(session, found, &progress, &mut summary) => outcome,
        _ = interrupted.recv() => Err(CliError::failed("interrupted")),
    };
    drop(progress);
    match outcome {
        Ok(()) => Ok(summary),
        // Nothing was answered: the error is all there is to say.
        Err(error) if summary.answered() == 0 => Err(error),
        Err(error) => Err(error.with_remark(&format!(
            "{} of {} keys were done, {} of them added; run the same command again: it goes on where it stopped",
            summary.answered(),
            found.len(),
            summary.added
        ))),
    }
}

/// Imports keys and shows nothing.
#[cfg(feature = "demo")]
pub(super) async fn import(session: &mut Session, found: &[FoundKey]) -> Result<Summary, CliError> {
    let mut summary = Summary::default();
    portions(session, found, &Progress::hidden(), &mut summary).await?;
    Ok(summary)
}

/// Imports keys a frame at a time; what the server has answered is durable, so that repeating goes on where it stopped.
async fn portions(
    session: &mut Session,
    found: &[FoundKey],
    progress: &Progress,
    summary: &mut Summary,
) -> Result<(), CliError> {
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
        progress.step(portion.len());
    }
    Ok(())
}

impl Summary {
    /// Keys that the server has decided.
    fn answered(&self) -> usize {
        [self.added, self.already_present]
            .map(|keys| keys as usize)
            .iter()
            .sum::<usize>()
            + self.refused.len()
    }

    fn add(&mut self, line: u32, row: ImportRow) {
        match row.outcome {
            ImportOutcome::ADDED => {
                self.added += 1;
                // Seats of a renewal are those of its license, which was counted when it came.
                if row.renewal == Some(true) {
                    self.renewed += 1;
                    return;
                }
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
        let renewed = match summary.renewed {
            0 => String::new(),
            renewed => format!(" (of which {renewed} renewed a license)"),
        };
        output::line(&format!(
            "added {}{renewed}, already present {}, refused {refused}",
            summary.added, summary.already_present
        ))?;
        for (product, seats) in &summary.seats_added {
            output::line(&format!("  {product}: {} more", count(*seats, "seat")))?;
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
        refused => Err(CliError::Refused(format!(
            "{refused} of {} refused; whatever is not refused is imported",
            count(summary.answered() as u64, "key")
        ))),
    }
}
