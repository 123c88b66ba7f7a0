//! `clock`: how the server takes its clock, and what an administrator can do about it (rule T2).

use serde::Serialize;

use super::args::{ClockCommand, Global};
use super::error::CliError;
use super::output::{self, date, lasting, rfc3339};
use super::session::{Session, unexpected};
use super::status;
use crate::domain::time::Timestamp;
use crate::wire::messages::views::{ClockRow, StatusOk};
use crate::wire::messages::{Request, Response, admin};

/// How the time stands, in `status --json`, and what the commands of `clock` print.
#[derive(Serialize)]
pub(super) struct Clock {
    standing: &'static str,
    mark: Option<String>,
    calendar: Option<String>,
    set_back_secs: Option<u64>,
    jump_secs: Option<u64>,
    accepted_in_secs: Option<u64>,
}

pub(super) async fn run(global: &Global, command: ClockCommand) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let (request, done) = match command {
        ClockCommand::Show => (None, ""),
        ClockCommand::Accept => (
            Some(Request::ClockAccept(admin::ClockAccept {})),
            "the jump is accepted",
        ),
        ClockCommand::Reset => (
            Some(Request::ClockReset(admin::ClockReset {})),
            "the time that counts is what the server's clock says",
        ),
    };
    if let Some(request) = request {
        let before = status::ask(&mut session).await?;
        match session.ask(&request).await? {
            Response::Done(_) if global.json => {}
            Response::Done(_) => output::line(&format!(
                "{done}; it was {} UTC",
                date(Some(Timestamp(before.clock.mark)))
            ))?,
            other => return Err(unexpected(&other)),
        }
    }
    let status = status::ask(&mut session).await?;
    if global.json {
        return output::json(&clock(&status));
    }
    for line in told(&status) {
        output::line(&line)?;
    }
    Ok(())
}

/// How the time stands, for programs.
pub(super) fn clock(status: &StatusOk) -> Clock {
    let ClockRow {
        mark,
        set_back_secs,
        jump_secs,
        accepted_in_secs,
    } = status.clock;
    Clock {
        standing: match (set_back_secs, jump_secs) {
            (Some(_), _) => "set back",
            (None, Some(_)) => "jump pending",
            (None, None) => "fine",
        },
        mark: rfc3339(Some(Timestamp(mark))),
        calendar: rfc3339(Some(Timestamp(status.server_time))),
        set_back_secs,
        jump_secs,
        accepted_in_secs,
    }
}

/// How the time stands, for people.
fn told(status: &StatusOk) -> Vec<String> {
    let mut lines = vec![
        format!(
            "the server's clock says  {} UTC",
            date(Some(Timestamp(status.server_time)))
        ),
        format!(
            "the time that counts is  {} UTC",
            date(Some(Timestamp(status.clock.mark)))
        ),
    ];
    match warning(status) {
        None => lines.push("the clock is taken as it is".to_owned()),
        Some(warning) => lines.push(warning),
    }
    lines
}

/// What is wrong with the clock, what it means and what to do; nothing where nothing is.
pub(super) fn warning(status: &StatusOk) -> Option<String> {
    let mark = date(Some(Timestamp(status.clock.mark)));
    if let Some(secs) = status.clock.set_back_secs {
        return Some(format!(
            "the server's clock was set back, by {}: time stands still at {mark} UTC until the clock has caught up, and \
             no seat idles out meanwhile; mend the clock, or, if it is right now: seatkeeper clock reset",
            lasting(secs)
        ));
    }
    let secs = status.clock.jump_secs?;
    let accepted = status.clock.accepted_in_secs.map_or(String::new(), |secs| {
        format!("; accepted by itself in {}", lasting(secs))
    });
    Some(format!(
        "the server's clock jumped ahead, by {}: the time goes on from {mark} UTC as if it had not, and no seat idles \
         out by the jump{accepted}; mend the clock, or, if it is right: seatkeeper clock accept",
        lasting(secs)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(set_back_secs: Option<u64>, jump: Option<(u64, u64)>) -> StatusOk {
        StatusOk {
            server_time: 1_767_225_600,
            clock: ClockRow {
                mark: 1_767_225_600,
                set_back_secs,
                jump_secs: jump.map(|(secs, _)| secs),
                accepted_in_secs: jump.map(|(_, secs)| secs),
            },
            ..StatusOk::default()
        }
    }

    #[test]
    fn a_clock_that_is_fine_is_no_warning() {
        let status = standing(None, None);
        assert_eq!(warning(&status), None);
        assert_eq!(clock(&status).standing, "fine");
        assert!(told(&status).concat().contains("2026-01-01 00:00:00"));
    }

    // proves T2
    #[test]
    fn a_clock_that_was_set_back_or_has_jumped_is_told_with_how_far_and_what_to_do() {
        let back = standing(Some(40 * 86_400), None);
        let text = warning(&back).expect("a warning");
        assert!(
            text.contains("40 d") && text.contains("seatkeeper clock reset"),
            "{text}"
        );
        assert_eq!(clock(&back).standing, "set back");
        let jumped = standing(None, Some((73 * 86_400, 7_200)));
        let text = warning(&jumped).expect("a warning");
        assert!(text.contains("73 d") && text.contains("in 2 h"), "{text}");
        assert!(text.contains("seatkeeper clock accept"), "{text}");
        assert_eq!(clock(&jumped).standing, "jump pending");
    }
}
