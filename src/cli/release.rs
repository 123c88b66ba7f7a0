//! `release`: an administrator takes a seat back (rule S11).

use serde::Serialize;

use super::args::{Global, ReleaseTarget};
use super::error::CliError;
use super::output;
use super::session::{Session, unexpected};
use crate::wire::ReleaseOutcome;
use crate::wire::limits::REASON_LEN_MAX;
use crate::wire::messages::{Request, Response, admin};

/// What `release --json` prints.
#[derive(Serialize)]
struct Released {
    outcome: String,
    components_left: u32,
}

pub(super) async fn run(global: &Global, target: ReleaseTarget) -> Result<(), CliError> {
    let reason = target.reason.trim().to_owned();
    if reason.is_empty() || reason.len() > REASON_LEN_MAX {
        return Err(CliError::Usage(format!(
            "--reason must say why, in 1 to {REASON_LEN_MAX} bytes"
        )));
    }
    let request = Request::SeatEnd(admin::SeatEnd {
        mac: target.mac.bytes(),
        vendor: target.vendor.map(|vendor| vendor.0),
        product: target.product.to_string(),
        component: target.component.map(|component| component.to_string()),
        reason,
    });
    let mut session = Session::open(global).await?;
    let reply = match session.ask(&request).await? {
        Response::Release(reply) => reply,
        other => return Err(unexpected(&other)),
    };
    if global.json {
        let outcome = output::code(reply.outcome.name());
        return output::json(&Released {
            outcome,
            components_left: reply.components_left,
        });
    }
    output::line(&match reply.outcome {
        ReleaseOutcome::NOTHING_HELD => format!("{} holds nothing of {}; nothing changed", target.mac, target.product),
        ReleaseOutcome::SEAT_FREED => format!("the seat of {} for {} has ended", target.mac, target.product),
        _ => format!(
            "released; {} components still hold the seat of {}",
            reply.components_left, target.mac
        ),
    })
}
