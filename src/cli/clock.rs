//! `clock`: how the server takes its clock, and what an administrator can do about it (rule T2).

use serde::Serialize;

use super::args::{ClockCommand, Consent, Global};
use super::error::CliError;
use super::output::{self, date, lasting, rfc3339};
use super::session::{Session, unexpected};
use super::{consent, seats, status};
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
    match command {
        ClockCommand::Show => {}
        ClockCommand::Accept(consent) => accept(global, &mut session, consent).await?,
        ClockCommand::Reset(consent) => reset(global, &mut session, consent).await?,
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

async fn accept(global: &Global, session: &mut Session, consent: Consent) -> Result<(), CliError> {
    let before = status::ask(session).await?;
    if before.clock.jump_secs.is_none() {
        // Not asked of the server: a jump that begins meanwhile would be accepted without a word.
        return Err(CliError::Refused(
            "no jump of the clock is pending; see seatkeeper clock show, and seatkeeper clock reset to set the time back"
                .to_owned(),
        ));
    }
    let ended = overdue(session, &before).await?;
    if agreed(global, consent, &accepting(&before, ended), "accept the jump?")? {
        let request = Request::ClockAccept(admin::ClockAccept {});
        take(global, session, &request, "the jump is accepted").await?;
    }
    Ok(())
}

async fn reset(global: &Global, session: &mut Session, consent: Consent) -> Result<(), CliError> {
    let before = status::ask(session).await?;
    let ended = overdue(session, &before).await?;
    if agreed(global, consent, &resetting(&before, ended), "reset the time?")? {
        let request = Request::ClockReset(admin::ClockReset {});
        take(
            global,
            session,
            &request,
            "the time that counts is what the server's clock says",
        )
        .await?;
    }
    Ok(())
}

/// Says what will be done; whether to do it.
fn agreed(global: &Global, consent: Consent, plan: &[String], question: &str) -> Result<bool, CliError> {
    if !global.json {
        plan.iter().try_for_each(|line| output::line(line))?;
    }
    if consent.dry_run {
        if !global.json {
            consent::nothing_done()?;
        }
        return Ok(false);
    }
    consent::ask(global.json, consent, question)?;
    Ok(true)
}

async fn take(global: &Global, session: &mut Session, request: &Request, done: &str) -> Result<(), CliError> {
    match session.ask(request).await? {
        Response::Done(_) if global.json => Ok(()),
        Response::Done(_) => output::line(done),
        other => Err(unexpected(&other)),
    }
}

/// How many seats the time that the server's clock says would end for want of renewal.
async fn overdue(session: &mut Session, status: &StatusOk) -> Result<u64, CliError> {
    if status.server_time <= status.clock.mark {
        return Ok(0);
    }
    let mut ended = 0;
    seats::pages(session, (None, None), |page| {
        let due = page.iter().filter_map(|row| row.renew_by);
        ended += due.filter(|at| *at <= status.server_time).count() as u64;
        Ok(true)
    })
    .await?;
    Ok(ended)
}

/// What accepting the jump does.
fn accepting(status: &StatusOk, ended: u64) -> Vec<String> {
    let [mark, calendar] = times(status);
    vec![
        format!("the time that counts is {mark} UTC now; it becomes {calendar} UTC, what the server's clock says"),
        ending(ended),
    ]
}

/// What a reset does.
fn resetting(status: &StatusOk, ended: u64) -> Vec<String> {
    let [mark, calendar] = times(status);
    let becomes =
        format!("the time that counts is {mark} UTC now; it becomes {calendar} UTC, what the server's clock says");
    let dates = format!(
        "dates after {calendar} UTC become it (of seats, licenses, reservations, conflicts); renew dates and ends of \
         reservations move with them"
    );
    vec![becomes, dates, ending(ended)]
}

/// What the new time ends.
fn ending(ended: u64) -> String {
    let seats = match ended {
        0 => "no seat ends by it as of now".to_owned(),
        1 => "1 seat is overdue by it and ends".to_owned(),
        more => format!("{more} seats are overdue by it and end"),
    };
    format!("{seats}; reservations whose time is over by it lapse")
}

fn times(status: &StatusOk) -> [String; 2] {
    [status.clock.mark, status.server_time].map(|at| date(Some(Timestamp(at))))
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
    fn what_a_reset_and_an_accepted_jump_do_is_said_first() {
        let status = StatusOk {
            server_time: 1_767_225_600 + 73 * 86_400,
            ..standing(None, Some((73 * 86_400, 7_200)))
        };
        for plan in [accepting(&status, 2), resetting(&status, 2)] {
            let text = plan.join("\n");
            assert!(text.contains("is 2026-01-01 00:00:00 UTC now"), "{text}");
            assert!(text.contains("becomes 2026-03-15 00:00:00 UTC"), "{text}");
            assert!(text.contains("2 seats are overdue by it and end"), "{text}");
        }
        let text = resetting(&standing(None, None), 0).join("\n");
        assert!(text.contains("dates after 2026-01-01 00:00:00 UTC become it"), "{text}");
        assert!(text.contains("no seat ends by it"), "{text}");
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
