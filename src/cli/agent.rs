//! `agent`: what an installer's script calls for this machine.

mod enrol;
mod rows;
mod trust;

use std::time::Duration;

use super::args::{AgentCommand, Global, Licensed};
use super::error::CliError;
use super::output::{self, date};
use super::{aim, vendor_keys};
use crate::client::adapter::AdapterError;
use crate::client::agent::{Check, Denied, Offline, ReleaseError, Released, Standing};
use crate::client::state::{STATE_DIR_VARIABLE, Whom};
use crate::client::token::TOKEN_VARIABLE;
use crate::client::{Agent, AgentError, EnrolmentToken};
use crate::config::site_port;
use crate::domain::time::Timestamp;
use crate::wire::{EndCause, Status};

pub(super) async fn run(global: &Global, command: AgentCommand) -> Result<(), CliError> {
    match command {
        AgentCommand::Checkout(licensed) => {
            let agent = agent(global, &licensed)?;
            tell(global, &agent.acquire().await)
        }
        AgentCommand::Renew(licensed) => {
            let agent = agent(global, &licensed)?;
            tell(global, &agent.renew().await)
        }
        AgentCommand::Enrol { licensed, token } => enrol::run(global, &agent(global, &licensed)?, token).await,
        AgentCommand::Check(licensed) => check(global, &agent(global, &licensed)?).await,
        AgentCommand::Release(licensed) => release(global, &agent(global, &licensed)?).await,
        AgentCommand::Trust { fingerprint } => trust::trust(global, fingerprint).await,
        AgentCommand::Distrust {
            fingerprint,
            all_but,
            even_last,
            dry_run,
        } => {
            let whom = if all_but {
                Whom::AllBut(fingerprint)
            } else {
                Whom::One(fingerprint)
            };
            trust::distrust(global, whom, even_last, dry_run).await
        }
    }
}

/// The options, without `--data`: a machine's component has no data directory, and what was meant is another one.
pub(super) fn of_a_machine(global: Global) -> Result<Global, CliError> {
    match &global.data {
        None => Ok(global),
        Some(data) => Err(CliError::Usage(format!(
            "--data {} names a server's directory, and a machine's components have none; what they remember is in the \
             directory that the variable {STATE_DIR_VARIABLE} names: {STATE_DIR_VARIABLE}={0} seatkeeper agent ...",
            data.display()
        ))),
    }
}

/// The agent of a component, as the options want it.
pub(super) fn agent(global: &Global, licensed: &Licensed) -> Result<Agent, CliError> {
    let port = site_port().map_err(|error| CliError::Usage(error.to_string()))?;
    let key = vendor_keys::of(licensed)?;
    let mut agent = Agent::new(key, licensed.product, licensed.component)
        .port(port)
        .deadline(Duration::from_secs(global.timeout.into()));
    match EnrolmentToken::from_environment() {
        Ok(Some(token)) => agent = agent.enrolment_token(token),
        Ok(None) => {}
        // What is enrolled needs none: it must not be stopped by a slip.
        Err(error) => output::note(&format!("seatkeeper: warning: {TOKEN_VARIABLE}: {error}")),
    }
    if let Some(servers) = &global.server {
        aim::named(servers)?;
        agent = agent.servers(servers);
    }
    if let Some(paths) = &global.paths {
        agent = agent.paths(paths.clone());
    }
    Ok(match (licensed.mac, &licensed.interface, licensed.mac_if_absent) {
        (Some(mac), _, _) | (None, None, Some(mac)) => agent.mac(mac),
        (None, Some(interface), _) => agent.interface(interface.clone()),
        (None, None, None) => agent,
    })
}

/// Shows how the component stands; an error, with its exit code, where it may not run.
pub(super) fn tell(global: &Global, standing: &Standing) -> Result<(), CliError> {
    if global.json {
        output::json(&rows::told(standing))?;
    } else if standing.may_run() {
        output::line(&describe(standing))?;
    }
    // What was tried without success stands in the text of a standing without a server.
    if !global.json && !matches!(standing, Standing::NoServer(_)) {
        standing
            .warnings()
            .iter()
            .for_each(|warning| output::note(&format!("warning: {warning}")));
    }
    match standing {
        standing if standing.may_run() => Ok(()),
        Standing::Denied(denied) => Err(refused(denied)),
        Standing::Unable(unable) => Err(unable_error(&unable.fault, standing)),
        _ => Err(CliError::NoServer(describe(standing))),
    }
}

/// One line for people, with the dates of the seat.
pub(super) fn describe(standing: &Standing) -> String {
    match standing {
        Standing::Licensed(licensed) => format!(
            "{} {}: license {}, acquired {}, {} ({})",
            licensed.mac,
            output::code(licensed.outcome.name()),
            licensed.serial,
            date(Some(licensed.acquired_at)),
            match licensed.renew_by {
                Some(at) => format!("free from {} unless renewed", date(Some(at))),
                None => "it never idles out".to_owned(),
            },
            licensed.server
        ),
        Standing::NoServer(without) => without.text(|at| format!("{} UTC", date(Some(at)))),
        other => other.to_string(),
    }
}

/// A refusal for people: the server's words, then the dates that belong to them.
pub(super) fn refusal_text(denied: &Denied) -> String {
    let mut text = denied.text.clone();
    if let Some(former) = &denied.refusal.former {
        let cause = match former.cause {
            EndCause::IDLE => "it was not renewed in time",
            EndCause::ADMINISTRATOR => "an administrator took it back",
            EndCause::LICENSE_REMOVED => "its license was removed",
            _ => "it was released",
        };
        let ended = date(Some(Timestamp(former.ended_at)));
        text = format!("{text}; this machine's seat ended {ended}: {cause}");
    }
    if let Some(earliest) = denied.refusal.earliest_renew_by {
        let earliest = date(Some(Timestamp(earliest)));
        text = format!("{text}; no seat comes free by itself before {earliest}");
    }
    text
}

fn refused(denied: &Denied) -> CliError {
    match denied.status {
        Status::NOT_AUTHORIZED => CliError::NotAuthorized(denied.text.clone()),
        _ => CliError::Refused(refusal_text(denied)),
    }
}

fn unable_error(fault: &AgentError, standing: &Standing) -> CliError {
    match fault {
        AgentError::Adapter(error) => no_adapter(error, standing.to_string()),
        _ => CliError::failed(standing.to_string()),
    }
}

/// A machine without an address is refused (rule I5); an interface that cannot be used was named wrongly.
fn no_adapter(error: &AdapterError, text: String) -> CliError {
    match error {
        AdapterError::NoMac => CliError::Refused(text),
        AdapterError::NoInterface { .. } | AdapterError::NoAddress { .. } => CliError::Usage(text),
        _ => CliError::failed(text),
    }
}

async fn release(global: &Global, agent: &Agent) -> Result<(), CliError> {
    let released = agent.release().await.map_err(|error| match &error {
        ReleaseError::Agent(AgentError::Adapter(adapter)) => no_adapter(adapter, error.to_string()),
        ReleaseError::Denied(denied) => CliError::Refused(refusal_text(denied)),
        ReleaseError::NoServer(_) => CliError::NoServer(error.to_string()),
        _ => CliError::because("cannot release the seat", error),
    })?;
    let (outcome, components_left, text) = match released {
        Released::Component { components_left } => {
            let text = format!("released; {components_left} more components hold this machine's seat");
            ("component released", components_left, text)
        }
        Released::NothingHeld => ("nothing held", 0, "nothing was held; nothing changed".to_owned()),
        // Whether its unit is free depends on the product: that of a single-use seat stays spent (rule S9).
        Released::Seat => ("seat freed", 0, "released; this machine's seat is given up".to_owned()),
    };
    if global.json {
        output::json(&rows::Given {
            outcome,
            components_left,
        })
    } else {
        output::line(&text)
    }
}

async fn check(global: &Global, agent: &Agent) -> Result<(), CliError> {
    let checked = agent.check().await.map_err(|error| match &error {
        AgentError::Adapter(adapter) => no_adapter(adapter, error.to_string()),
        _ => CliError::because("cannot check", error),
    })?;
    if global.json {
        output::json(&rows::checked(&checked))?;
    } else {
        tell_check(&checked)?;
    }
    match &checked.available {
        Some(_) => Ok(()),
        None => Err(CliError::NoServer(format!(
            "no license server answered: {}",
            checked.tried()
        ))),
    }
}

fn tell_check(check: &Check) -> Result<(), CliError> {
    output::line(&format!("machine      {}", check.mac))?;
    match &check.memory.grant {
        Some(grant) => {
            output::line(&format!(
                "license      {}, acquired {}",
                grant.serial,
                date(Some(grant.acquired_at))
            ))?;
            output::line(&format!("renew by     {}", date(grant.renew_by)))?;
        }
        None => output::line("license      none so far")?,
    }
    output::line(&format!("without a server the component {}", without_server(check)))?;
    for pin in &check.memory.pins {
        output::line(&format!("trusts       {}", pin.fingerprint))?;
    }
    if let Some((counts, server)) = &check.available {
        output::line(&format!(
            "available    {} of {} seats ({server})",
            counts.available, counts.total
        ))?;
    }
    check
        .faults
        .iter()
        .try_for_each(|fault| output::line(&format!("fault        {fault}")))
}

fn without_server(check: &Check) -> String {
    match &check.offline {
        _ if check.lenient => "runs".to_owned(),
        Offline::Leased(term) if term.left_secs > 0 => {
            let until = date(Some(term.until));
            format!("runs for {} more (until {until} UTC)", term.left())
        }
        Offline::Leased(term) => format!(
            "does not run: its {} days ended {} UTC",
            term.days,
            date(Some(term.until))
        ),
        Offline::ClockBehind(_) => format!("does not run: {}", check.offline.clock_fault().unwrap_or_default()),
        Offline::Unfit(told) => format!("does not run: {told}"),
        Offline::NoLease => "does not run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Target;
    use crate::client::agent::{Licensed, ServerSeen};
    use crate::domain::ids::{Fingerprint, Mac, ServerId};
    use crate::wire::Outcome;
    use crate::wire::messages::hello;

    fn server() -> ServerSeen {
        ServerSeen {
            id: ServerId([1; 16]),
            name: "office".to_owned(),
            fingerprint: Fingerprint([2; 32]),
            target: Target::from(std::net::SocketAddr::from(([192, 0, 2, 1], 17_328))),
            version: "0.1.0".to_owned(),
            epoch: 0,
            time: Timestamp(0),
            lease_key: None,
        }
    }

    #[test]
    fn a_seat_that_never_idles_out_is_told_as_such() {
        let line = |renew_by| {
            describe(&Standing::Licensed(Box::new(Licensed {
                serial: "0123456789ABCDEF".parse().unwrap(),
                mac: Mac::new([0, 0x1a, 0x2b, 0, 0, 1]).unwrap(),
                outcome: Outcome::GRANTED,
                acquired_at: Timestamp(1_767_225_600),
                renew_by,
                conflict: None,
                former: None,
                server: server(),
                warnings: Vec::new(),
            })))
        };
        let never = line(None);
        assert!(
            never.contains("acquired 2026-01-01 00:00:00, it never idles out (server office"),
            "{never}"
        );
        let later = line(Some(Timestamp(1_767_225_600)));
        assert!(
            later.contains(", free from 2026-01-01 00:00:00 unless renewed ("),
            "{later}"
        );
    }

    // proves V2
    #[test]
    fn a_refusal_names_the_required_product_and_the_contact_in_json() {
        let row = |status, refusal| {
            let denied = Denied {
                text: "invalid license".to_owned(),
                status,
                refusal,
                server: server(),
                warnings: Vec::new(),
            };
            let told = rows::told(&Standing::Denied(Box::new(denied)));
            serde_json::to_value(told).unwrap()["refusal"].clone()
        };
        let required = hello::Refusal {
            required_product: Some("BKSRV".to_owned()),
            ..hello::Refusal::default()
        };
        let required = row(Status::REQUIRED_PRODUCT, required);
        assert_eq!(required["required_product"], "BKSRV");
        assert!(required["contact"].is_null(), "{required}");
        let listed = hello::Refusal {
            contact: Some("licensing@example.com".to_owned()),
            ..hello::Refusal::default()
        };
        let listed = row(Status::LICENSE_BLACKLISTED, listed);
        assert_eq!(listed["contact"], "licensing@example.com");
        assert!(
            listed.as_object().unwrap().contains_key("required_product") && listed["required_product"].is_null(),
            "{listed}"
        );
    }
}
