//! `events`: what happened, since when, by whom; and whether the log of it is whole (rule V3).

mod anchor;
mod counting;
mod follow;
pub(super) mod named;
mod row;
mod sentence;
mod sink;
mod verify;

use super::args::{EventsCommand, EventsOptions, Global, Shown, Who};
use super::error::CliError;
use super::output;
use super::session::{Session, unexpected};
use crate::client::harmless;
use crate::wire::EventKind;
use crate::wire::limits::PAGE_ROWS_MAX;
use crate::wire::messages::events::{EventPlace, EventRow, Events, EventsOk, Gap};
use crate::wire::messages::{Request, Response};
use sink::Sink;

pub(super) use row::Row;

/// Events that `--follow` begins with.
const FOLLOW_LAST: u32 = 10;

pub(super) async fn run(global: &Global, options: EventsOptions) -> Result<(), CliError> {
    if options.command.is_some() && options.shown != Shown::default() {
        return Err(CliError::Usage(
            "what chooses or shapes events is for `seatkeeper events` alone; `verify` and `anchor` are of the whole log".to_owned(),
        ));
    }
    match options.command {
        None => show(global, &options.shown).await,
        Some(EventsCommand::Anchor) => anchor::run(global).await,
        Some(EventsCommand::Verify { anchor }) => verify::run(global, anchor.as_deref()).await,
    }
}

async fn show(global: &Global, shown: &Shown) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let wanted = wanted(&mut session, shown).await?;
    let mut sink = Sink::new(global.json, shown);
    let last = match shown.last {
        None if shown.follow && shown.since.is_none() => Some(FOLLOW_LAST),
        last => last,
    };
    let mut seen = follow::Seen::default();
    let from = if let Some(last) = last {
        let most = usize::try_from(last).unwrap_or(usize::MAX);
        let mut newest = self::last(&mut session, wanted.clone(), most, &sink).await?;
        // Also what others leave no room for was seen: nothing of it is news later.
        seen.keep_news(&mut newest.counted);
        seen.keep_news(&mut newest.durable);
        let through = newest.through;
        let mut rows = newest.merged(most);
        if !shown.reverse {
            rows.reverse();
        }
        sink.rows(rows)?;
        behind(through)
    } else {
        all(&mut session, wanted.clone(), shown.reverse, (&mut seen, &mut sink)).await?
    };
    if shown.follow && !sink.is_closed() {
        let news = Events {
            after: Some(from),
            ..wanted
        };
        return follow::run(global, session, news, (seen, sink)).await;
    }
    sink.end()
}

/// Shows every event that is looked for, a page at a time, and where to go on later.
async fn all(
    session: &mut Session,
    wanted: Events,
    newest_first: bool,
    (seen, sink): (&mut follow::Seen, &mut Sink),
) -> Result<EventPlace, CliError> {
    let (mut counted, through) = counting::all(session, wanted.clone(), newest_first).await?;
    let mut pages = Pages::new(wanted, newest_first);
    loop {
        let page = pages.next(session).await?;
        let is_last = page.is_none();
        let mut rows = match page {
            Some(page) => counted.merged(page.rows.into_iter().filter(|row| row.place.round <= through)),
            None => counted.rest(),
        };
        sink.keep_found(&mut rows);
        seen.keep_news(&mut rows);
        if !sink.rows(rows)? || is_last {
            return Ok(behind(through));
        }
    }
}

/// The filter as the server is asked.
async fn wanted(session: &mut Session, shown: &Shown) -> Result<Events, CliError> {
    let now = session.server_time();
    let mut wanted = Events {
        since: shown.since.map(|since| since.at(now).0),
        until: shown.until.map(|until| until.at(now).0),
        mac: shown.mac.map(crate::domain::ids::Mac::bytes),
        product: shown.product.map(|product| product.as_str().to_owned()),
        kinds: kinds(&shown.kind),
        ..Events::default()
    };
    match &shown.actor {
        Some(Who::Begins(digits)) => wanted.identity = Some(named::identity(session, &wanted, digits).await?),
        Some(Who::Identity(identity)) => wanted.identity = Some(identity.0),
        Some(Who::Server) => wanted.by_server = Some(true),
        None => {}
    }
    Ok(wanted)
}

/// What an earlier release told of a reservation is told as several kinds now.
fn kinds(asked: &[EventKind]) -> Vec<EventKind> {
    let also = [
        EventKind::MACHINES_RESERVED,
        EventKind::SEATS_HELD,
        EventKind::UNITS_RESERVED,
    ];
    let missing = |kind: &EventKind| asked.contains(&EventKind::RESERVED) && !asked.contains(kind);
    asked.iter().copied().chain(also.into_iter().filter(missing)).collect()
}

/// The newest events, each list with its newest first.
#[derive(Default)]
struct Newest {
    /// Refusals that are still counted.
    counted: Vec<EventRow>,
    durable: Vec<EventRow>,
    /// The last round that was durable then.
    through: u64,
}

impl Newest {
    /// The last so many of all, by time: what is still counted need not be newer than what is durable.
    fn merged(self, most: usize) -> Vec<EventRow> {
        let mut counted = self.counted.into_iter().peekable();
        let mut durable = self.durable.into_iter().peekable();
        let next = || match (counted.peek(), durable.peek()) {
            (Some(one), Some(other)) if one.at < other.at => durable.next(),
            (Some(_), _) => counted.next(),
            (None, _) => durable.next(),
        };
        std::iter::from_fn(next).take(most).collect()
    }
}

/// The last events that are looked for: as many of either sort as may be among the last of all.
async fn last(session: &mut Session, wanted: Events, most: usize, sink: &Sink) -> Result<Newest, CliError> {
    let mut pages = Pages::new(wanted, true);
    let (mut newest, mut through) = (Newest::default(), None);
    while newest.durable.len() < most {
        // Of those that are searched, nobody knows how many have the text.
        let left = if sink.searches() {
            PAGE_ROWS_MAX
        } else {
            most - newest.durable.len()
        };
        pages.ask.limit = u16::try_from(left.min(PAGE_ROWS_MAX)).ok();
        let Some(mut page) = pages.next(session).await? else {
            break;
        };
        through.get_or_insert(page.through);
        sink.keep_found(&mut page.rows);
        let (counted, durable): (Vec<_>, Vec<_>) = page.rows.into_iter().partition(|row| is_counted(&row.place));
        newest.counted.extend(counted);
        newest.durable.extend(durable);
        if newest.counted.len() >= most && is_counted(&page.next) {
            // More of what is counted is older than this.
            pages.ask.after = Some(behind(page.next.round));
        }
    }
    newest.through = through.unwrap_or_default();
    Ok(newest)
}

/// Every event that is kept, the oldest first, a page at a time; `each` says whether to go on.
pub(super) async fn pages(
    session: &mut Session,
    mut each: impl FnMut(Vec<EventRow>) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let mut pages = Pages::new(Events::default(), false);
    while let Some(page) = pages.next(session).await? {
        if !each(page.rows)? {
            break;
        }
    }
    Ok(())
}

/// Events page by page; what cannot be read on the way is told.
pub(super) struct Pages {
    ask: Events,
    is_over: bool,
}

impl Pages {
    pub(super) fn new(wanted: Events, newest_first: bool) -> Self {
        Self {
            ask: Events {
                newest_first: newest_first.then_some(true),
                ..wanted
            },
            is_over: false,
        }
    }

    /// The next page; it may have no rows and yet have more behind it.
    pub(super) async fn next(&mut self, session: &mut Session) -> Result<Option<EventsOk>, CliError> {
        if self.is_over {
            return Ok(None);
        }
        let page = page(session, &self.ask).await?;
        // A server that makes no step ahead must not be asked for ever.
        self.is_over = !page.more || self.ask.after.as_ref() == Some(&page.next);
        self.ask.after = Some(page.next.clone());
        Ok(Some(page))
    }
}

async fn page(session: &mut Session, ask: &Events) -> Result<EventsOk, CliError> {
    match session.ask(&Request::Events(ask.clone())).await? {
        Response::Events(page) => {
            for gap in &page.gaps {
                output::note(&format!("seatkeeper: some events cannot be read: {}", told(gap)));
            }
            Ok(page)
        }
        other => Err(unexpected(&other)),
    }
}

/// A gap for people.
fn told(gap: &Gap) -> String {
    let Gap {
        file,
        byte,
        what,
        after,
    } = gap;
    let place = match (byte, after) {
        (0, 0) => String::new(),
        (0, after) => format!(" behind round {after}"),
        (byte, 0) => format!(" at byte {byte}"),
        (byte, after) => format!(" at byte {byte}, behind round {after}"),
    };
    harmless::text(&format!("{file}{place}: {what}"))
}

/// Where to go on later: refusals that are still counted get their places then.
fn going_on(page: &EventsOk) -> EventPlace {
    if is_counted(&page.next) {
        behind(page.through)
    } else {
        page.next.clone()
    }
}

const fn behind(round: u64) -> EventPlace {
    EventPlace { round, index: u32::MAX }
}

const fn is_counted(place: &EventPlace) -> bool {
    place.round == crate::domain::event_log::EventPlace::COUNTED
}

/// The name of a reason as it is typed behind `--reason`.
pub(super) fn reason_name(status: crate::wire::Status) -> String {
    row::status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(round: u64, at: u64) -> EventRow {
        EventRow {
            place: EventPlace { round, index: 0 },
            at,
            ..EventRow::default()
        }
    }

    // proves V3
    #[test]
    fn what_is_still_counted_stands_among_the_last_by_time() {
        let counted = crate::domain::event_log::EventPlace::COUNTED;
        let last = |most| -> Vec<u64> {
            let newest = Newest {
                counted: vec![row(counted, 9), row(counted, 3), row(counted, 1)],
                durable: vec![row(7, 8), row(6, 7), row(5, 2)],
                through: 7,
            };
            newest.merged(most).iter().map(|row| row.at).collect()
        };
        assert_eq!(last(2), [9, 8], "not the counted one of long before");
        assert_eq!(last(9), [9, 8, 7, 3, 2, 1]);
    }
}
