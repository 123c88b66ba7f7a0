//! Waiting for new events. The server is asked once a second, and looks at no file as long as nothing new is durable.

use std::collections::HashMap;
use std::time::Duration;

use super::sink::Sink;
use super::{behind, going_on, is_counted, page};
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::session::Session;
use crate::wire::Status;
use crate::wire::messages::events::{EventRow, Events};

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_secs(1);

/// Refusals that were shown while they were still counted: what is counted together, and how many there were.
#[derive(Default)]
pub(super) struct Seen(HashMap<Refusal, u32>);

/// What is counted together, and since when.
#[derive(Eq, Hash, PartialEq)]
struct Refusal {
    product: Option<String>,
    mac: Option<[u8; 6]>,
    status: Option<Status>,
    from: Option<u64>,
}

pub(super) async fn run(
    global: &Global,
    session: Session,
    mut ask: Events,
    (mut seen, mut sink): (Seen, Sink),
) -> Result<(), CliError> {
    let sessions = session.sessions();
    let mut session = Some(session);
    loop {
        let outcome = match &mut session {
            Some(session) => news(session, &mut ask, &mut seen, &mut sink).await,
            None => match Session::open_again(global, sessions.clone()).await {
                Ok(opened) => {
                    output::note("seatkeeper: connected again");
                    session = Some(opened);
                    continue;
                }
                Err(error) => Err(error),
            },
        };
        match outcome {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // It stops, or is started again: what happens meanwhile is told when it is back.
            Err(CliError::NoServer(_)) => {
                if session.take().is_some() {
                    output::note("seatkeeper: the connection to the server ended; trying until it is back");
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Shows what is new; false once nobody reads it.
async fn news(session: &mut Session, ask: &mut Events, seen: &mut Seen, sink: &mut Sink) -> Result<bool, CliError> {
    loop {
        let mut page = page(session, ask).await?;
        if let Some(after) = &ask.after
            && !is_counted(after)
            && page.through < after.round
        {
            output::note(
                "seatkeeper: the server's log ends before what was shown already, as after a restore from backup; going on \
                 from its end",
            );
            ask.after = Some(behind(page.through));
            return Ok(true);
        }
        sink.keep_found(&mut page.rows);
        seen.keep_news(&mut page.rows);
        if !sink.rows(std::mem::take(&mut page.rows))? {
            return Ok(false);
        }
        if !page.more || ask.after.as_ref() == Some(&page.next) {
            ask.after = Some(going_on(&page));
            return Ok(true);
        }
        ask.after = Some(page.next);
    }
}

impl Seen {
    /// Leaves the rows that were not shown yet, and counts them as shown.
    pub(super) fn keep_news(&mut self, rows: &mut Vec<EventRow>) {
        rows.retain(|row| self.is_news(row));
    }

    /// Whether a row was not shown yet. A refusal is shown when it is first seen, and once more when its hour is over if
    /// there were more of it.
    fn is_news(&mut self, row: &EventRow) -> bool {
        if row.status.is_none() {
            return true;
        }
        let refusal = Refusal {
            product: row.product.clone(),
            mac: row.mac,
            status: row.status,
            from: row.from,
        };
        let count = row.count.unwrap_or_default();
        if is_counted(&row.place) {
            let is_new = !self.0.contains_key(&refusal);
            if is_new {
                self.0.insert(refusal, count);
            }
            return is_new;
        }
        self.0.remove(&refusal) != Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::events::EventPlace;

    fn refused(round: u64, count: u32) -> EventRow {
        EventRow {
            place: EventPlace { round, index: 0 },
            status: Some(Status::SEATS_EXHAUSTED),
            count: Some(count),
            from: Some(7),
            ..EventRow::default()
        }
    }

    #[test]
    fn a_refusal_is_shown_at_once_and_again_only_if_more_followed() {
        let mut seen = Seen::default();
        assert!(seen.is_news(&refused(u64::MAX, 1)));
        assert!(!seen.is_news(&refused(u64::MAX, 1)));
        assert!(!seen.is_news(&refused(u64::MAX, 5)));
        assert!(seen.is_news(&refused(9, 5)), "five, of which one was shown");
        assert!(seen.0.is_empty());
        assert!(seen.is_news(&refused(u64::MAX, 1)));
        assert!(!seen.is_news(&refused(10, 1)), "all of it was shown");
        assert!(seen.is_news(&refused(11, 1)), "never seen before");
        assert!(seen.is_news(&EventRow::default()));
    }
}
