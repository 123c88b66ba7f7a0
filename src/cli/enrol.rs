//! `enrol`: the tokens that enrol components, where a server has `enrol = "token"`, and whom they enrolled.

mod identities;

use serde::Serialize;

use super::args::{Consent, EnrolCommand, Global};
use super::consent;
use super::error::CliError;
use super::output::{self, count, date, rfc3339};
use super::server::random;
use super::session::{Session, unexpected};
use crate::client::token::{EnrolmentToken, TOKEN_VARIABLE};
use crate::domain::ids::{TokenHash, TokenId};
use crate::domain::time::Timestamp;
use crate::wire::messages::enrol::{EnrolTokenAdd, EnrolTokenRevoke, EnrolTokens, TokenRow};
use crate::wire::messages::{Request, Response};

/// What `enrol token --json` prints: the only place where a token stands.
#[derive(Serialize)]
struct Made {
    token: String,
    id: String,
    label: String,
    expires_at: Option<String>,
    uses: u32,
}

/// A row of `enrol list --json`.
#[derive(Serialize)]
struct Row {
    id: String,
    label: String,
    state: &'static str,
    created_at: Option<String>,
    expires_at: Option<String>,
    uses_left: u32,
    enrolled: u32,
    identities: u32,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

/// What `enrol revoke --json` prints.
#[derive(Serialize)]
struct Revoked {
    id: String,
    done: bool,
    identities: u32,
}

/// A token and the server's time when it told of it.
struct Seen {
    row: TokenRow,
    now: u64,
}

impl Seen {
    fn id(&self) -> TokenId {
        TokenHash(self.row.hash).id()
    }

    fn state(&self) -> &'static str {
        match &self.row {
            row if row.revoked_at.is_some() => "revoked",
            row if row.expires_at <= self.now => "expired",
            row if row.uses_left == 0 => "used up",
            _ => "valid",
        }
    }
}

pub(super) async fn run(global: &Global, command: EnrolCommand) -> Result<(), CliError> {
    match command {
        EnrolCommand::Token { label, uses, secs } => make(global, label, uses, secs).await,
        EnrolCommand::List { identities: false, csv } => list(global, csv).await,
        EnrolCommand::List { identities: true, csv } => identities::list(global, csv).await,
        EnrolCommand::Remove { fingerprint, consent } => identities::remove(global, fingerprint, consent).await,
        EnrolCommand::Revoke {
            id,
            identities,
            consent,
        } => revoke(global, id, identities, consent).await,
    }
}

async fn make(global: &Global, label: String, uses: u32, secs: u32) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let token = EnrolmentToken::new(random()?, session.fingerprint());
    let request = Request::EnrolTokenAdd(EnrolTokenAdd {
        hash: token.hash().0,
        label,
        secs: Some(secs),
        uses: Some(uses),
    });
    let row = match session.ask(&request).await? {
        Response::EnrolTokenAdd(reply) => reply.token,
        other => return Err(unexpected(&other)),
    };
    let id = token.hash().id();
    let text = token.text();
    if global.json {
        return output::json(&Made {
            token: (*text).clone(),
            id: id.to_string(),
            label: row.label,
            expires_at: rfc3339(Some(Timestamp(row.expires_at))),
            uses: row.uses_left,
        });
    }
    output::line(&text)?;
    output::note(&format!(
        "token {id} enrols {} until {} UTC; it is shown this once only, so pass it on as you would a password",
        count(row.uses_left.into(), "component"),
        date(Some(Timestamp(row.expires_at)))
    ));
    output::note(&format!(
        "on each machine: seatkeeper agent enrol PRODUCT COMPONENT TOKEN, or check out with {TOKEN_VARIABLE} set to it"
    ));
    Ok(())
}

async fn list(global: &Global, csv: bool) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let tokens = all(&mut session).await?;
    if global.json {
        return output::json(&tokens.iter().map(row).collect::<Vec<_>>());
    }
    let cells = |seen: &Seen| {
        vec![
            seen.id().to_string(),
            seen.row.label.clone(),
            seen.state().to_owned(),
            seen.row.enrolled.to_string(),
            seen.row.identities.to_string(),
            seen.row.uses_left.to_string(),
            date(Some(Timestamp(seen.row.expires_at))),
        ]
    };
    let head = ["token", "label", "state", "enrolled", "still", "uses left", "expires"];
    let rows = tokens.iter().map(cells);
    if csv {
        output::csv(&head, rows)
    } else {
        output::table(&head, rows)
    }
}

fn row(seen: &Seen) -> Row {
    let TokenRow {
        label,
        created_at,
        expires_at,
        uses_left,
        enrolled,
        identities,
        last_used_at,
        revoked_at,
        ..
    } = &seen.row;
    let at = |secs: &u64| rfc3339(Some(Timestamp(*secs)));
    Row {
        id: seen.id().to_string(),
        label: label.clone(),
        state: seen.state(),
        created_at: at(created_at),
        expires_at: at(expires_at),
        uses_left: *uses_left,
        enrolled: *enrolled,
        identities: *identities,
        last_used_at: last_used_at.as_ref().and_then(at),
        revoked_at: revoked_at.as_ref().and_then(at),
    }
}

async fn all(session: &mut Session) -> Result<Vec<Seen>, CliError> {
    let request = |last: Option<&Seen>| {
        Request::EnrolTokens(EnrolTokens {
            after: last.map(|seen| seen.row.hash),
            limit: None,
        })
    };
    let take = |response| match response {
        Response::EnrolTokens(page) => {
            let now = page.server_time;
            let rows = page.rows.into_iter().map(|row| Seen { row, now });
            Ok((rows.collect(), page.more))
        }
        other => Err(unexpected(&other)),
    };
    session.rows(request, take).await
}

async fn revoke(global: &Global, id: TokenId, also_identities: bool, consent: Consent) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    if !global.json {
        let tokens = all(&mut session).await?;
        announce(id, tokens.iter().find(|seen| seen.id() == id), also_identities)?;
    }
    let mut identities = 0;
    if !consent.dry_run {
        consent::ask(global.json, consent, "revoke?")?;
        let request = Request::EnrolTokenRevoke(EnrolTokenRevoke {
            token: id.0,
            also_identities,
        });
        // A portion at a time; what was taken back stays so if this ends in between, and the same command goes on.
        loop {
            let reply = match session.ask(&request).await? {
                Response::EnrolTokenRevoke(reply) => reply,
                other => return Err(unexpected(&other)),
            };
            identities += reply.identities;
            if !reply.more || reply.identities == 0 {
                break;
            }
        }
    }
    if global.json {
        return output::json(&Revoked {
            id: id.to_string(),
            done: !consent.dry_run,
            identities,
        });
    }
    if consent.dry_run {
        return consent::nothing_done();
    }
    match (also_identities, identities) {
        (false, _) => output::line(&format!("token {id} enrols nobody any more")),
        (true, 1) => output::line(&format!(
            "token {id} enrols nobody any more, and 1 component is enrolled no more"
        )),
        (true, more) => output::line(&format!(
            "token {id} enrols nobody any more, and {more} components are enrolled no more"
        )),
    }
}

fn announce(id: TokenId, seen: Option<&Seen>, also_identities: bool) -> Result<(), CliError> {
    let Some(seen) = seen else {
        return output::line(&format!("token {id} is not listed (any more)"));
    };
    let (row, state) = (&seen.row, seen.state());
    output::line(&format!(
        "token {id} ({}), {state}, has enrolled {}; {} of them still",
        row.label,
        count(row.enrolled.into(), "component"),
        row.identities
    ))?;
    output::line(if also_identities {
        "it will enrol nobody any more, and those components are refused: their seats idle out, or release them"
    } else {
        "it will enrol nobody any more; what it has enrolled stays (--identities takes that back too)"
    })
}
