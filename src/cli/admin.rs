//! `admin`: who may administer the server.

use serde::Serialize;

use super::args::{AdminCommand, AdminFilter, GivenRole, Global};
use super::error::CliError;
use super::output::{self, rfc3339};
use super::session::{Session, unexpected};
use super::view::{Cell, Column, Listed, Lister};
use crate::domain::ids::Fingerprint;
use crate::domain::time::Timestamp;
use crate::wire::Role;
use crate::wire::messages::views::AdminRow;
use crate::wire::messages::{Request, Response, admin, views};

/// A row of `admin list --json`.
#[derive(Serialize)]
pub(super) struct Row {
    fingerprint: String,
    role: String,
    label: String,
    added_at: Option<String>,
}

/// What `admin add --json` and `admin remove --json` print.
#[derive(Serialize)]
struct Changed {
    fingerprint: String,
}

impl Listed for AdminRow {
    type Json = Row;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("fingerprint", 0, |row| Cell::text(output::hex(&row.fingerprint))),
        Column::<Self>::new("role", 0, |row| Cell::text(output::code(row.role.name()))),
        Column::<Self>::new("label", 1, |row| Cell::text(&row.label)).wrapping(),
        Column::<Self>::new("added", 2, |row| Cell::Date(Timestamp(row.added_at))),
    ];

    fn json(&self) -> Row {
        Row::from(self)
    }
}

pub(super) async fn run(global: &Global, command: AdminCommand) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let (request, fingerprint, told) = match command {
        AdminCommand::List(filter) => return list(global, &mut session, &filter).await,
        AdminCommand::Add {
            fingerprint,
            role,
            label,
        } => {
            let label = match label {
                Some(label) => label,
                None => label_of(&mut session, fingerprint).await?,
            };
            let request = admin::AdminAdd {
                fingerprint: fingerprint.0,
                role: role.into(),
                label,
            };
            (Request::AdminAdd(request), fingerprint, "has its role now")
        }
        AdminCommand::Remove { fingerprint } => {
            let request = admin::AdminRemove {
                fingerprint: fingerprint.0,
            };
            (Request::AdminRemove(request), fingerprint, "has no role any more")
        }
    };
    match session.ask(&request).await? {
        Response::Done(_) if global.json => output::json(&Changed {
            fingerprint: fingerprint.to_string(),
        }),
        Response::Done(_) => output::line(&format!("{fingerprint} {told}")),
        other => Err(unexpected(&other)),
    }
}

/// The label of an identity that has a role already; empty where it has none.
async fn label_of(session: &mut Session, fingerprint: Fingerprint) -> Result<String, CliError> {
    let mut label = String::new();
    pages(session, |page| {
        let found = page.into_iter().find(|row| row.fingerprint == fingerprint.0);
        let is_found = found.is_some();
        label = found.map(|row| row.label).unwrap_or_default();
        Ok(!is_found)
    })
    .await?;
    Ok(label)
}

async fn list(global: &Global, session: &mut Session, filter: &AdminFilter) -> Result<(), CliError> {
    let mut lister = Lister::new(filter.view(global.json));
    pages(session, |page| lister.take(page)).await?;
    lister.finish().map(drop)
}

/// Every identity with a role, a page at a time.
pub(super) async fn pages(
    session: &mut Session,
    each: impl FnMut(Vec<AdminRow>) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let request = |last: Option<&AdminRow>| {
        Request::AdminList(views::AdminList {
            after: last.map(|row| row.fingerprint),
            limit: None,
        })
    };
    let take = |response| match response {
        Response::AdminList(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.pages(request, take, each).await
}

impl From<&AdminRow> for Row {
    fn from(row: &AdminRow) -> Self {
        Self {
            fingerprint: output::hex(&row.fingerprint),
            role: output::code(row.role.name()),
            label: row.label.clone(),
            added_at: rfc3339(Some(Timestamp(row.added_at))),
        }
    }
}

impl From<GivenRole> for Role {
    fn from(role: GivenRole) -> Self {
        match role {
            GivenRole::Administrator => Self::ADMINISTRATOR,
            GivenRole::Deployer => Self::DEPLOYER,
            GivenRole::Viewer => Self::VIEWER,
        }
    }
}
