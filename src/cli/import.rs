//! `import` and `import-file`: license keys, one or many, each with its own outcome (rules K3, K8).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Global, ImportFile, ImportKeys};
use super::error::CliError;
use super::files;
use super::keys::{self, Candidate, Place, Unsearched};
use super::output::{self, count};
use super::progress::Progress;
use super::session::{Session, unexpected};
use crate::vendor::LicenseKey;
use crate::wire::limits::KEYS_MAX;
use crate::wire::messages::admin::ImportRow;
use crate::wire::messages::{Request, Response, admin};
use crate::wire::{ImportOutcome, Status};

/// What `import --json` prints.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Whether all of this would be, and nothing was done.
    dry_run: bool,
    pub(super) added: u32,
    /// Those of them that took the place of their serial's license (rule K6).
    pub(super) renewed: u32,
    pub(super) already_present: u32,
    pub(super) refused: Vec<Refused>,
    /// Seats of new licenses, by product.
    pub(super) seats_added: BTreeMap<String, u64>,
    /// Licenses that are new, by product.
    licenses_added: BTreeMap<String, u32>,
    /// Licenses that were renewed, by product.
    licenses_renewed: BTreeMap<String, u32>,
    /// Parts of a mail that were not searched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsearched: Vec<Unsearched>,
    /// Pictures among its attachments, by kind: they were not searched either.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pictures: BTreeMap<&'static str, u32>,
}

/// A key that was not imported.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    /// Its place among all keys that were found, from 0.
    #[serde(skip)]
    at: usize,
    /// Which part of a mail it stands in; absent in a file of text.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    pub(super) line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) serial: Option<String>,
    pub(super) status: String,
    pub(super) reason: String,
}

pub(super) async fn keys(global: &Global, asked: ImportKeys) -> Result<(), CliError> {
    let candidate = |(place, text): (usize, String)| Candidate {
        place: Place {
            part: None,
            line: u32::try_from(place + 1).unwrap_or(u32::MAX),
        },
        text,
    };
    let found: Vec<_> = asked.keys.into_iter().enumerate().map(candidate).collect();
    let mut session = Session::open(global).await?;
    let summary = watched(global, &mut session, &found, asked.dry_run).await?;
    tell(global, &summary, |place| format!("key {}", place.line))
}

pub(super) async fn file(global: &Global, asked: ImportFile) -> Result<(), CliError> {
    let name = asked.file.display();
    let found = keys::find(&asked.file, &files::bytes(&asked.file)?)
        .map_err(|error| CliError::because(format!("cannot import {name}"), error))?;
    if found.keys.is_empty() {
        let unsearched: Vec<_> = found.told_unsearched().iter().map(|one| format!("; {one}")).collect();
        return Err(CliError::failed(format!(
            "{name} has no license keys in it; they begin with SK1-{}",
            unsearched.concat()
        )));
    }
    let mut session = Session::open(global).await?;
    let mut summary = watched(global, &mut session, &found.keys, asked.dry_run).await?;
    (summary.unsearched, summary.pictures) = (found.unsearched, found.pictures);
    tell(global, &summary, Place::to_string)
}

/// Imports keys and shows how far it is. Where it ends early, the error says what was done and how to go on.
async fn watched(
    global: &Global,
    session: &mut Session,
    found: &[Candidate],
    dry_run: bool,
) -> Result<Summary, CliError> {
    let mut interrupted =
        signal(SignalKind::interrupt()).map_err(|error| CliError::because("cannot listen for signals", error))?;
    let progress = Progress::over(global, found.len());
    let mut summary = Summary {
        dry_run,
        ..Summary::default()
    };
    let outcome = tokio::select! {
        outcome = portions(session, found, &progress, &mut summary) => outcome,
        _ = interrupted.recv() => Err(CliError::failed("interrupted")),
    };
    drop(progress);
    match outcome {
        Ok(()) => Ok(summary),
        // Nothing was answered: the error is all there is to say.
        Err(error) if summary.answered() == 0 || dry_run => Err(error),
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
pub(super) async fn import(session: &mut Session, found: &[crate::vendor::FoundKey]) -> Result<Summary, CliError> {
    let place = |line| Place { part: None, line };
    let candidate = |key: &crate::vendor::FoundKey| Candidate {
        place: place(key.line),
        text: key.text.clone(),
    };
    let found: Vec<_> = found.iter().map(candidate).collect();
    let mut summary = Summary::default();
    portions(session, &found, &Progress::hidden(), &mut summary).await?;
    Ok(summary)
}

/// Imports keys a frame at a time; what the server has answered is durable, so that repeating goes on where it stopped.
async fn portions(
    session: &mut Session,
    found: &[Candidate],
    progress: &Progress,
    summary: &mut Summary,
) -> Result<(), CliError> {
    // Of a dry run nothing is there when the next portion is judged: a key that was there before is present by then.
    let mut judged = BTreeSet::new();
    let all: Portion<'_> = found.iter().enumerate().collect();
    let order = if summary.dry_run {
        by_license(all)
    } else {
        all.chunks(KEYS_MAX).map(<[_]>::to_vec).collect()
    };
    for portion in order {
        let portion_len = portion.len();
        let (again, new): (Portion<'_>, Portion<'_>) = portion
            .into_iter()
            .partition(|(_, key)| judged.contains(key.text.as_str()));
        summary.already_present = summary
            .already_present
            .saturating_add(u32::try_from(again.len()).unwrap_or(u32::MAX));
        if new.is_empty() {
            progress.step(portion_len);
            continue;
        }
        let keys = new.iter().map(|(_, key)| key.text.clone()).collect();
        let dry_run = summary.dry_run.then_some(true);
        let reply = match session.ask(&Request::Import(admin::Import { keys, dry_run })).await? {
            Response::Import(reply) => reply,
            other => return Err(unexpected(&other)),
        };
        for row in reply.rows {
            if let Some((at, key)) = new.get(usize::from(row.index)) {
                if summary.dry_run && [ImportOutcome::ADDED, ImportOutcome::PRESENT].contains(&row.outcome) {
                    judged.insert(key.text.as_str());
                }
                summary.add(*at, &key.place, row);
            }
        }
        progress.step(portion_len);
    }
    // As they stand in the file, whatever order they were judged in.
    summary.refused.sort_by_key(|refused| refused.at);
    Ok(())
}

/// Keys, each with its place among all that were found.
type Portion<'a> = Vec<(usize, &'a Candidate)>;

/// Keys in portions of a frame, those of one license in one: the server judges a renewal by what is before it in the same
/// portion, and of a dry run nothing else is there.
fn by_license(found: Portion<'_>) -> Vec<Portion<'_>> {
    let mut groups: Vec<Portion<'_>> = Vec::new();
    let mut group_of = BTreeMap::new();
    for one in found {
        let claims = LicenseKey::parse(&one.1.text).and_then(|key| key.unverified());
        // Of one that cannot be read it makes no difference where it is judged.
        let group = claims.map_or(groups.len(), |claims| {
            *group_of.entry((claims.vendor, claims.serial)).or_insert(groups.len())
        });
        match groups.get_mut(group) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let mut portions: Vec<Portion<'_>> = Vec::new();
    for group in groups {
        match portions.last_mut() {
            Some(portion) if portion.len() + group.len() <= KEYS_MAX => portion.extend(group),
            // More of one license than a frame has: nobody sells that.
            _ => portions.extend(group.chunks(KEYS_MAX).map(<[_]>::to_vec)),
        }
    }
    portions
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

    fn add(&mut self, at: usize, place: &Place, row: ImportRow) {
        match row.outcome {
            ImportOutcome::ADDED => {
                self.added += 1;
                let product = row.product.unwrap_or_default();
                // Seats of a renewal are those of its license, which was counted when it came.
                if row.renewal == Some(true) {
                    self.renewed += 1;
                    *self.licenses_renewed.entry(product).or_default() += 1;
                    return;
                }
                *self.licenses_added.entry(product.clone()).or_default() += 1;
                *self.seats_added.entry(product).or_default() += u64::from(row.seats.unwrap_or(0));
            }
            ImportOutcome::PRESENT => self.already_present += 1,
            _ => self.refused.push(Refused {
                at,
                part: place.part.clone(),
                line: place.line,
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

fn tell(global: &Global, summary: &Summary, place: impl Fn(&Place) -> String) -> Result<(), CliError> {
    if global.json {
        output::json(summary)?;
    } else {
        for line in told(summary, place) {
            output::line(&line)?;
        }
    }
    let (refused, all) = (summary.refused.len(), count(summary.answered() as u64, "key"));
    match (refused, summary.dry_run) {
        (0, _) => Ok(()),
        (_, false) => Err(CliError::Refused(format!(
            "{refused} of {all} refused; whatever is not refused is imported"
        ))),
        (_, true) => Err(CliError::Refused(format!(
            "{refused} of {all} would be refused; nothing was imported"
        ))),
    }
}

/// The summary for people.
fn told(summary: &Summary, place: impl Fn(&Place) -> String) -> Vec<String> {
    let renewed = match summary.renewed {
        0 => String::new(),
        renewed => format!(" (of which {renewed} renewed a license)"),
    };
    let mut lines = vec![format!(
        "{}added {}{renewed}, already present {}, refused {}",
        if summary.dry_run { "would be: " } else { "" },
        summary.added,
        summary.already_present,
        summary.refused.len()
    )];
    let products: BTreeSet<&String> = summary
        .seats_added
        .keys()
        .chain(summary.licenses_renewed.keys())
        .collect();
    for product in products {
        let added = summary.seats_added.get(product).map(|seats| {
            let licenses = summary.licenses_added.get(product).copied().unwrap_or_default();
            format!(
                "{} more in {}",
                count(*seats, "seat"),
                count(licenses.into(), "license")
            )
        });
        let renewed = summary.licenses_renewed.get(product);
        let renewed = renewed.map(|renewed| format!("{} renewed", count((*renewed).into(), "license")));
        let parts: Vec<String> = added.into_iter().chain(renewed).collect();
        lines.push(format!("  {product}: {}", parts.join("; ")));
    }
    for key in &summary.refused {
        let serial = key
            .serial
            .as_ref()
            .map(|serial| format!(" ({serial})"))
            .unwrap_or_default();
        let place = place(&Place {
            part: key.part.clone(),
            line: key.line,
        });
        lines.push(format!("  {place}{serial}: {}: {}", key.status, key.reason));
    }
    for one in &summary.unsearched {
        lines.push(format!("  {one}"));
    }
    lines.extend(keys::told_pictures(&summary.pictures).map(|told| format!("  {told}")));
    lines
}
