//! `reload`: the server reads its configuration again, and says what that changed.

use serde::Serialize;

use super::args::{Global, ReloadOptions};
use super::error::CliError;
use super::output::{self, count};
use super::session::{self, Session, unexpected};
use crate::wire::messages::reload::{ConfigRow, Reload, ReloadOk};
use crate::wire::messages::{Request, Response};
use crate::wire::{ConfigEffect, Status};

/// What `reload --json` prints.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a str,
    dry_run: bool,
    changes: Vec<Change<'a>>,
}

/// A key whose value in the file was not the one in force.
#[derive(Serialize)]
struct Change<'a> {
    key: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    effect: String,
    by: Option<&'a str>,
}

pub(super) async fn run(global: &Global, options: ReloadOptions) -> Result<(), CliError> {
    let ReloadOptions { dry_run } = options;
    let mut session = Session::open(global).await?;
    let request = Request::Reload(Reload { dry_run: Some(dry_run) });
    let reply = match session.answer(&request).await? {
        Response::Reload(reply) => reply,
        // No rule of licensing refuses it: there is nothing to do it with.
        Response::Refused(Status::NO_CONFIGURATION, refusal) => return Err(CliError::failed(refusal.text)),
        Response::Refused(status, refusal) => return Err(session::refused(status, &refusal.text)),
        other => return Err(unexpected(&other)),
    };
    if !reply.wrong.is_empty() {
        // What `check-config` says, which ends with 2 too. The server has logged it and goes on as before.
        return Err(CliError::Usage(reply.wrong.join("\n")));
    }
    if global.json {
        return output::json(&Told {
            file: &reply.file,
            dry_run,
            changes: reply.rows.iter().map(change).collect(),
        });
    }
    tell(&reply, dry_run)
}

fn change(row: &ConfigRow) -> Change<'_> {
    Change {
        key: &row.key,
        before: row.before.as_deref(),
        after: row.after.as_deref(),
        effect: output::code(row.effect.name()),
        by: row.by.as_deref(),
    }
}

fn tell(reply: &ReloadOk, dry_run: bool) -> Result<(), CliError> {
    let file = &reply.file;
    if reply.rows.is_empty() {
        return output::line(&format!("{file} changes nothing of what is in force"));
    }
    for row in &reply.rows {
        output::line(&sentence(row, dry_run))?;
    }
    let of = |effect| reply.rows.iter().filter(|row| row.effect == effect).count() as u64;
    let (applied, restart) = (of(ConfigEffect::APPLIED), of(ConfigEffect::NEEDS_RESTART));
    let done = if dry_run { "would be taken over" } else { "taken over" };
    output::line(&format!("{} {done} from {file}", count(applied, "key")))?;
    if restart > 0 {
        output::line(&format!("restart the server for the rest: {}", count(restart, "key")))?;
    }
    Ok(())
}

fn sentence(row: &ConfigRow, dry_run: bool) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(default)".to_owned());
    let (key, before, after) = (&row.key, value(&row.before), value(&row.after));
    match row.effect {
        ConfigEffect::APPLIED if dry_run => format!("{key}: {before} -> {after}, at once"),
        ConfigEffect::APPLIED => format!("{key}: {before} -> {after}, in force"),
        ConfigEffect::OVERRULED => format!(
            "{key}: {before} stays in force by {}, the file says {after}",
            row.by.as_deref().unwrap_or("something else")
        ),
        _ => format!("{key}: {before} -> {after}, NEEDS A RESTART"),
    }
}
