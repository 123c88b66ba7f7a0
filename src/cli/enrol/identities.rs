//! The identities that tokens enrolled: which machines they are on, and how the enrolment of one is taken back.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::args::{Consent, Global, Whose};
use super::super::error::CliError;
use super::super::events::named;
use super::super::output::{self, date, rfc3339};
use super::super::session::{Session, unexpected};
use super::super::{consent, seats};
use crate::domain::ids::Fingerprint;
use crate::domain::time::Timestamp;
use crate::wire::messages::enrol::{EnrolIdentities, EnrolRemove, EnrolledRow};
use crate::wire::messages::{Request, Response};

/// A row of `enrol list --identities --json`.
#[derive(Serialize)]
struct Row<'a> {
    identity: String,
    token: String,
    label: Option<&'a str>,
    state: &'static str,
    enrolled_at: Option<String>,
    revoked_at: Option<String>,
    holds: &'a [Held],
}

/// A component's hold on a seat.
#[derive(Serialize)]
struct Held {
    product: String,
    component: String,
    mac: String,
    host_name: Option<String>,
}

/// What `enrol remove --json` prints.
#[derive(Serialize)]
struct Removed {
    identity: String,
    done: bool,
}

/// What identities hold, by identity.
type Holds = BTreeMap<[u8; 32], Vec<Held>>;

pub(super) async fn list(global: &Global, csv: bool) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let rows = all(&mut session).await?;
    let tokens = super::all(&mut session).await?;
    // A token that is forgotten has no label any more.
    let labels: BTreeMap<_, _> = tokens.iter().map(|seen| (seen.id().0, &*seen.row.label)).collect();
    let holds = holds(&mut session, rows.iter().map(|row| row.identity)).await?;
    let held_by = |row: &EnrolledRow| holds.get(&row.identity).map_or(&[][..], Vec::as_slice);
    if global.json {
        let told = rows.iter().map(|row| Row {
            identity: output::hex(&row.identity),
            token: output::hex(&row.token),
            label: labels.get(&row.token).copied(),
            state: state(row),
            enrolled_at: rfc3339(Some(Timestamp(row.enrolled_at))),
            revoked_at: row.revoked_at.and_then(|at| rfc3339(Some(Timestamp(at)))),
            holds: held_by(row),
        });
        return output::json(&told.collect::<Vec<_>>());
    }
    let cells = |row: &EnrolledRow| {
        let held: Vec<String> = held_by(row).iter().map(told).collect();
        vec![
            output::hex(&row.identity),
            output::hex(&row.token),
            labels.get(&row.token).copied().unwrap_or_default().to_owned(),
            state(row).to_owned(),
            date(Some(Timestamp(row.enrolled_at))),
            held.join(", "),
        ]
    };
    let head = ["identity", "token", "label", "state", "since", "holds"];
    let cells = rows.iter().map(cells);
    if csv {
        output::csv(&head, cells)
    } else {
        output::table(&head, cells)
    }
}

pub(super) async fn remove(global: &Global, whose: Whose, consent: Consent) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let identity = meant(&mut session, whose).await?;
    if !global.json {
        let rows = all(&mut session).await?;
        let holds = holds(&mut session, [identity.0]).await?;
        announce(
            identity,
            rows.iter().find(|row| row.identity == identity.0),
            holds.get(&identity.0).map_or(&[], Vec::as_slice),
        )?;
    }
    if !consent.dry_run {
        consent::ask(global.json, consent, "take its enrolment back?")?;
        let request = Request::EnrolRemove(EnrolRemove { identity: identity.0 });
        match session.ask(&request).await? {
            Response::Done(_) => {}
            other => return Err(unexpected(&other)),
        }
    }
    if global.json {
        return output::json(&Removed {
            identity: identity.to_string(),
            done: !consent.dry_run,
        });
    }
    if consent.dry_run {
        return consent::nothing_done();
    }
    output::line(&format!("{identity} is enrolled no more"))
}

/// The identity that is meant: the only one that was enrolled whose fingerprint begins so.
async fn meant(session: &mut Session, whose: Whose) -> Result<Fingerprint, CliError> {
    let digits = match whose {
        Whose::Whole(identity) => return Ok(identity),
        Whose::Begins(digits) => digits,
    };
    let rows = all(session).await?;
    let identities = rows.iter().map(|row| row.identity);
    let found = identities.filter(|one| output::hex(one).starts_with(&digits)).collect();
    let none = format!("no identity that begins with {digits} was enrolled; see seatkeeper enrol list --identities");
    named::one(&found, &digits, &none).map(Fingerprint)
}

fn announce(identity: Fingerprint, row: Option<&EnrolledRow>, held: &[Held]) -> Result<(), CliError> {
    let Some(row) = row.filter(|row| row.revoked_at.is_none()) else {
        return output::line(&format!("{identity} is not enrolled (any more)"));
    };
    output::line(&format!(
        "{identity} was enrolled by token {} at {} UTC",
        output::hex(&row.token),
        date(Some(Timestamp(row.enrolled_at)))
    ))?;
    for one in held {
        output::line(&format!(
            "it holds {}; the seat stays until it idles out, or: seatkeeper release {} {} --reason TEXT",
            told(one),
            one.mac,
            one.product
        ))?;
    }
    output::line(
        "it will be refused, also what it holds, unless a token enrols it again; its token enrols others still",
    )
}

const fn state(row: &EnrolledRow) -> &'static str {
    match row.revoked_at {
        None => "enrolled",
        Some(_) => "removed",
    }
}

/// `BKSRV agent on 02:00:00:00:00:01 (srv-1)`
fn told(held: &Held) -> String {
    let host = held.host_name.as_ref().map(|name| format!(" ({name})"));
    format!(
        "{} {} on {}{}",
        held.product,
        held.component,
        held.mac,
        host.unwrap_or_default()
    )
}

async fn all(session: &mut Session) -> Result<Vec<EnrolledRow>, CliError> {
    let request = |last: Option<&EnrolledRow>| {
        Request::EnrolIdentities(EnrolIdentities {
            after: last.map(|row| row.identity),
            limit: None,
        })
    };
    let take = |response| match response {
        Response::EnrolIdentities(page) => Ok((page.rows, page.more)),
        other => Err(unexpected(&other)),
    };
    session.rows(request, take).await
}

/// Which components of which machines are bound to these identities: by that an administrator knows them.
async fn holds(session: &mut Session, wanted: impl IntoIterator<Item = [u8; 32]>) -> Result<Holds, CliError> {
    let mut holds: Holds = wanted.into_iter().map(|identity| (identity, Vec::new())).collect();
    seats::pages(session, (None, None), |page| {
        for seat in page {
            for holder in &seat.components {
                let held = holder.identity.and_then(|identity| holds.get_mut(&identity));
                if let Some(held) = held {
                    held.push(Held {
                        product: seat.product.clone(),
                        component: holder.component.clone(),
                        mac: output::mac(seat.mac),
                        host_name: seat.host_name.clone(),
                    });
                }
            }
        }
        Ok(true)
    })
    .await?;
    Ok(holds)
}
