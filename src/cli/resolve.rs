//! `resolve`: identities that wait are approved, and bindings forgotten after a copy was found out (rule I7). What it
//! will do is said first.

use serde::Serialize;

use super::args::{Global, ResolveTarget};
use super::consent;
use super::error::CliError;
use super::output::{self, count, date};
use super::seats::{self, Conflict, Waiting};
use super::session::{Session, unexpected};
use crate::domain::time::Timestamp;
use crate::wire::messages::views::{Holder, SeatRow};
use crate::wire::messages::{Request, Response, admin};

/// What `resolve --json` prints.
#[derive(Serialize)]
struct Told {
    mac: String,
    unresolved: Vec<Unresolved>,
    resolved: u32,
}

/// A component with a conflict or an identity that waits.
#[derive(Serialize)]
struct Unresolved {
    vendor: String,
    product: String,
    component: String,
    identity: Option<String>,
    conflict: Option<Conflict>,
    /// The one that is approved.
    waiting: Option<Waiting>,
}

pub(super) async fn run(global: &Global, target: ResolveTarget) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let mut rows = seats::of_machine(&mut session, target.mac).await?;
    rows.retain(|row| {
        target.product.is_none_or(|product| row.product == product.as_str())
            && target.vendor.is_none_or(|vendor| row.vendor == vendor.0)
    });
    let pending: Vec<(&SeatRow, &Holder)> = rows
        .iter()
        .flat_map(|row| row.components.iter().map(move |holder| (row, holder)))
        .filter(|(_, holder)| holder.conflict.is_some() || holder.waiting.is_some())
        .collect();
    if !global.json {
        announce(&target, &pending)?;
    }
    let resolved = if target.consent.dry_run {
        0
    } else {
        consent::ask(global.json, target.consent, "resolve?")?;
        resolve(&mut session, &target).await?
    };
    if global.json {
        return output::json(&Told {
            mac: target.mac.to_string(),
            unresolved: pending.into_iter().map(unresolved).collect(),
            resolved,
        });
    }
    if target.consent.dry_run {
        return consent::nothing_done();
    }
    match resolved {
        0 => output::line("nothing to resolve"),
        _ => output::line(&format!("{} resolved", count(resolved.into(), "component"))),
    }
}

/// Says what is known of each component, and what resolving does to it.
fn announce(target: &ResolveTarget, pending: &[(&SeatRow, &Holder)]) -> Result<(), CliError> {
    let mac = target.mac;
    if pending.is_empty() {
        return output::line(&format!(
            "no component of {mac} has a conflict or an identity that waits. Resolving: the numbers of components that \
             let go of their seats are forgotten, so that one that is refused as a copy binds anew"
        ));
    }
    for (row, holder) in pending {
        output::line(&format!("{mac}, {} {}:", row.product, holder.component))?;
        for line in known(holder) {
            output::line(&format!("  {line}"))?;
        }
        output::line(&format!("  resolving: the seat stays, {}", outcome(holder)))?;
    }
    Ok(())
}

/// What becomes of the binding.
fn outcome(holder: &Holder) -> String {
    match &holder.waiting {
        Some(waiting) => format!(
            "{} is approved and bound; the identity bound until now has to be approved anew",
            output::hex(&waiting.identity)
        ),
        None => format!(
            "the binding is forgotten, the next checkout of {} binds anew, whoever it comes from",
            holder.component
        ),
    }
}

fn known(holder: &Holder) -> Vec<String> {
    let at = |secs| date(Some(Timestamp(secs)));
    let mut lines = Vec::new();
    if let Some(identity) = holder.identity {
        lines.push(format!("bound to identity {}", output::hex(&identity)));
    }
    if let Some(conflict) = &holder.conflict {
        lines.push(format!(
            "conflict: {}, seen {} since {} UTC, last at {} UTC: a copy of the machine is, or was, in use",
            output::code(conflict.kind.name()),
            count(conflict.count.into(), "time"),
            at(conflict.since),
            at(conflict.last_seen)
        ));
    }
    if let Some(waiting) = &holder.waiting {
        lines.push(format!(
            "identity {} waits for approval since {} UTC",
            output::hex(&waiting.identity),
            at(waiting.since)
        ));
    }
    lines
}

async fn resolve(session: &mut Session, target: &ResolveTarget) -> Result<u32, CliError> {
    let request = Request::BindingResolve(admin::BindingResolve {
        mac: target.mac.bytes(),
        vendor: target.vendor.map(|vendor| vendor.0),
        product: target.product.map(|product| product.to_string()),
    });
    match session.ask(&request).await? {
        Response::BindingResolve(reply) => Ok(reply.components),
        other => Err(unexpected(&other)),
    }
}

fn unresolved((row, holder): (&SeatRow, &Holder)) -> Unresolved {
    Unresolved {
        vendor: output::hex(&row.vendor),
        product: row.product.clone(),
        component: holder.component.clone(),
        identity: holder.identity.map(|identity| output::hex(&identity)),
        conflict: holder.conflict.as_ref().map(Conflict::from),
        waiting: holder.waiting.as_ref().map(Waiting::from),
    }
}
