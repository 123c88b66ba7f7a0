//! `explain`: how a checkout would be decided, rule by rule (rule V2).

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::{ExplainTarget, Global, Whose};
use super::error::CliError;
use super::events::{Pages, named};
use super::output::{self, date, rfc3339};
use super::seats;
use super::session::{Session, unexpected};
use crate::domain::ids::{Fingerprint, Mac};
use crate::domain::time::Timestamp;
use crate::wire::messages::events::Events;
use crate::wire::messages::explain::{Explain, ExplainOk, ExplainStep};
use crate::wire::messages::{Request, Response};
use crate::wire::{Check, Finding, Status};

/// What `explain --json` prints.
#[derive(Serialize)]
struct Told {
    mac: String,
    product: String,
    component: Option<String>,
    identity: Option<String>,
    granted: bool,
    status: String,
    outcome: Option<String>,
    serial: Option<String>,
    text: String,
    remedy: String,
    refused_at: Option<String>,
    steps: Vec<Step>,
}

/// A step of the decision, or a fact beside it.
#[derive(Serialize)]
struct Step {
    rule: Option<String>,
    check: String,
    finding: String,
    text: String,
    serial: Option<String>,
    mac: Option<String>,
    at: Option<String>,
}

pub(super) async fn run(global: &Global, target: ExplainTarget) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let identity = match &target.by {
        Some(whose) => Some(meant(&mut session, target.mac, whose).await?.0),
        None => None,
    };
    let request = Request::Explain(Explain {
        vendor: target.vendor.map(|vendor| vendor.0),
        product: target.product.to_string(),
        component: target.component.map(|component| component.to_string()),
        mac: target.mac.bytes(),
        identity,
        continuation: target.continuation,
    });
    let reply = match session.ask(&request).await? {
        Response::Explain(reply) => reply,
        other => return Err(unexpected(&other)),
    };
    if global.json {
        return output::json(&told(&target, reply));
    }
    say(&target, &reply)
}

/// The identity that is meant: the only one whose fingerprint begins so of those that hold a seat of this machine, wait for
/// one, or asked for one as far as events are kept.
async fn meant(session: &mut Session, mac: Mac, whose: &Whose) -> Result<Fingerprint, CliError> {
    let digits = match whose {
        Whose::Whole(identity) => return Ok(*identity),
        Whose::Begins(digits) => digits,
    };
    let seats = seats::of_machine(session, mac).await?;
    let holders = seats.iter().flat_map(|seat| &seat.components);
    let known = holders.flat_map(|holder| {
        holder
            .identity
            .into_iter()
            .chain(holder.waiting.as_ref().map(|one| one.identity))
    });
    let mut found: BTreeSet<_> = known
        .filter(|one| output::hex(one).starts_with(digits.as_str()))
        .collect();
    let of_machine = Events {
        mac: Some(mac.bytes()),
        ..Events::default()
    };
    let mut pages = Pages::new(of_machine, true);
    while let Some(page) = pages.next(session).await? {
        found.extend(named::begun(&page.rows, digits));
    }
    let none = format!(
        "no identity that begins with {digits} holds a seat of {mac} or has asked for one; write the whole fingerprint of another one"
    );
    named::one(&found, digits, &none).map(Fingerprint)
}

fn say(target: &ExplainTarget, reply: &ExplainOk) -> Result<(), CliError> {
    let identity = match (reply.identity, reply.refused_at) {
        (Some(identity), Some(at)) => format!(
            "as identity {}, refused here at {} UTC",
            output::hex(&identity),
            date(Some(Timestamp(at)))
        ),
        (Some(identity), None) => format!("by identity {}", output::hex(&identity)),
        (None, _) => "by an identity that is new here".to_owned(),
    };
    let component = reply.component.as_ref().map_or_else(String::new, |id| format!(" {id}"));
    output::line(&format!(
        "a checkout on {}, {identity}: {}{component}",
        target.mac, target.product
    ))?;
    // Lines and no table: a terminal of any width shows all of it.
    reply.steps.iter().try_for_each(|step| output::line(&shown(step)))?;
    let granted = if reply.status == Status::OK { "" } else { "refused: " };
    output::line(&format!("{granted}{}", reply.text))?;
    output::line(&format!("what to do: {}", reply.remedy))
}

fn shown(step: &ExplainStep) -> String {
    let finding = match step.finding {
        Finding::PASSED => "passed",
        Finding::DECIDED => "DECIDES",
        _ => "",
    };
    let rule = if step.rule.is_empty() { "site" } else { &step.rule };
    format!("  {finding:7}  {rule:4}  {}", with_moment(step))
}

/// The text, and the moment that it ends with.
fn with_moment(step: &ExplainStep) -> String {
    match step.at {
        Some(at) => format!("{} {} UTC", step.text, date(Some(Timestamp(at)))),
        None => step.text.clone(),
    }
}

fn told(target: &ExplainTarget, reply: ExplainOk) -> Told {
    let name = |code: Option<&'static str>| output::code(code);
    Told {
        mac: target.mac.to_string(),
        product: target.product.to_string(),
        component: reply.component,
        identity: reply.identity.map(|identity| output::hex(&identity)),
        granted: reply.status == Status::OK,
        status: reply
            .status
            .name()
            .map_or_else(|| format!("{:?}", reply.status), str::to_owned),
        outcome: reply.outcome.map(|outcome| name(outcome.name())),
        serial: reply.serial,
        text: reply.text,
        remedy: reply.remedy,
        refused_at: rfc3339(reply.refused_at.map(Timestamp)),
        steps: reply.steps.into_iter().map(Step::from).collect(),
    }
}

impl From<ExplainStep> for Step {
    fn from(step: ExplainStep) -> Self {
        let code = |check: Check| output::code(check.name());
        Self {
            rule: Some(step.rule).filter(|rule| !rule.is_empty()),
            check: code(step.check),
            finding: output::code(step.finding.name()),
            text: step.text,
            serial: step.serial,
            mac: step.mac.map(output::mac),
            at: step.at.and_then(|at| rfc3339(Some(Timestamp(at)))),
        }
    }
}
