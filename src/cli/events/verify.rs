//! `events verify`: whether the log is whole, and is the one of which an anchor was kept.

use serde::Serialize;

use super::anchor::Anchor;
use super::told;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::output::{self, count, date, rfc3339};
use crate::cli::session::{Session, unexpected};
use crate::domain::time::Timestamp;
use crate::wire::messages::events::{EventsVerify, EventsVerifyOk, Gap, SegmentRow, Span};
use crate::wire::messages::{Request, Response};

/// Faults that are shown, at most; all are counted.
const FAULTS_SHOWN: usize = 100;

/// What `events verify --json` prints.
#[derive(Serialize)]
struct Printed {
    holds: bool,
    first_round: Option<u64>,
    first_time: Option<String>,
    last_round: Option<u64>,
    last_time: Option<String>,
    hash: Option<String>,
    rounds: u64,
    events: u64,
    segments: u64,
    faults: Vec<Fault>,
    anchor: Option<Compared>,
}

/// Something that does not hold.
#[derive(Serialize)]
struct Fault {
    file: String,
    byte: u64,
    after_round: u64,
    text: String,
}

/// How an anchor compares.
#[derive(Serialize)]
struct Compared {
    round: u64,
    outcome: &'static str,
    text: String,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    first: Option<Span>,
    last: Option<(Span, String)>,
    rounds: u64,
    events: u64,
    segments: u64,
    faults: Vec<Gap>,
    through: u64,
    hash_of_round: Option<[u8; 32]>,
    time_of_round: Option<u64>,
}

pub(super) async fn run(global: &Global, anchor: Option<&str>) -> Result<(), CliError> {
    let anchor = anchor.map(Anchor::of).transpose()?;
    let mut session = Session::open(global).await?;
    if let Some(anchor) = anchor.filter(|anchor| anchor.server != session.server()) {
        return Err(CliError::failed(format!(
            "the anchor is of server {}, and this is server {}; say which with --server",
            anchor.server,
            session.server()
        )));
    }
    let mut found = Found::default();
    let mut ask = EventsVerify {
        round: anchor.map(|anchor| anchor.round),
        ..EventsVerify::default()
    };
    loop {
        let page = page(&mut session, ask.clone()).await?;
        if found.segments == 0 {
            found.through = page.through;
        }
        let last = page.rows.last().map(|row| row.number);
        for row in page.rows {
            found.add(row);
        }
        if !page.more || last.is_none() || last == ask.after {
            break;
        }
        ask.after = last;
    }
    found.end();
    let compared = anchor.map(|anchor| found.compare(&anchor));
    tell(global, &found, compared)
}

/// Asks for a portion of the check.
pub(super) async fn page(session: &mut Session, ask: EventsVerify) -> Result<EventsVerifyOk, CliError> {
    match session.ask(&Request::EventsVerify(ask)).await? {
        Response::EventsVerify(page) => Ok(page),
        other => Err(unexpected(&other)),
    }
}

impl Found {
    fn add(&mut self, row: SegmentRow) {
        self.segments += 1;
        self.rounds += row.rounds;
        self.events += row.events;
        self.hash_of_round = self.hash_of_round.or(row.hash_of_round);
        self.time_of_round = self.time_of_round.or(row.time_of_round);
        let is_sound = row.gaps.is_empty();
        self.faults.extend(row.gaps);
        let Some(span) = row.span else { return };
        if let Some((last, file)) = &self.last {
            let next = last.last.saturating_add(1);
            if span.first > next && is_sound {
                let (first, behind) = (next, span.first - 1);
                self.faults.push(Gap {
                    file: file.clone(),
                    byte: 0,
                    what: format!(
                        "rounds {first} to {behind} are missing between this file and {}",
                        row.file
                    ),
                    after: last.last,
                });
            } else if span.first <= last.last {
                self.faults.push(Gap {
                    file: row.file.clone(),
                    byte: 0,
                    what: format!("it begins with round {}, which an earlier file holds too", span.first),
                    after: last.last,
                });
            } else if span.first == next && span.before != last.hash {
                self.faults.push(Gap {
                    file: row.file.clone(),
                    byte: 0,
                    what: format!("its first round does not follow the last one of {file}: one of them was changed"),
                    after: last.last,
                });
            }
        }
        self.first.get_or_insert_with(|| span.clone());
        self.last = Some((span, row.file));
    }

    fn end(&mut self) {
        let last = self.last.as_ref().map_or(0, |(last, _)| last.last);
        if last < self.through {
            self.faults.push(Gap {
                file: "journal".to_owned(),
                byte: 0,
                what: format!(
                    "rounds {} to {} are missing at the end",
                    last.saturating_add(1),
                    self.through
                ),
                after: last,
            });
        }
    }

    fn compare(&self, anchor: &Anchor) -> Compared {
        let (first, last) = (
            self.first.as_ref().map_or(0, |span| span.first),
            self.last.as_ref().map_or(0, |(span, _)| span.last),
        );
        let round = anchor.round;
        // The oldest round that is kept says what stood before it.
        let before = self.first.as_ref().filter(|span| span.first == round.saturating_add(1));
        let hash = self.hash_of_round.or(before.map(|span| span.before));
        let time = self.time_of_round.filter(|at| *at != anchor.at.0);
        let (outcome, text) = match (hash, time) {
            (Some(hash), Some(at)) if hash == anchor.hash => (
                "other time",
                format!(
                    "round {round} is the one of the anchor, but was decided at {} UTC and not at {} UTC, as the anchor says: it is \
                     the anchor's text that was changed",
                    date(Some(Timestamp(at))),
                    date(Some(anchor.at))
                ),
            ),
            (Some(hash), _) if hash == anchor.hash => (
                "same",
                format!("round {round} is the one of the anchor: nothing up to it was changed since"),
            ),
            (Some(_), _) => (
                "differs",
                format!("round {round} is NOT the one of the anchor: it, or something before it, was changed"),
            ),
            (None, _) if round < first => (
                "not kept",
                format!(
                    "round {round} is no longer kept ({} of its server's time), so nothing can be said of the anchor: what is \
                     kept begins with round {first}; take anchors more often than what is kept goes back",
                    date(Some(anchor.at))
                ),
            ),
            (None, _) if round > last => (
                "ahead",
                format!(
                    "round {round} of the anchor is not there: the log ends with round {last}, so its end was lost or taken \
                     away, or an older backup was restored"
                ),
            ),
            (None, _) => (
                "damaged",
                format!("round {round} cannot be read, so the anchor cannot be compared"),
            ),
        };
        Compared { round, outcome, text }
    }
}

fn tell(global: &Global, found: &Found, compared: Option<Compared>) -> Result<(), CliError> {
    let is_same = compared.as_ref().is_none_or(|compared| compared.outcome == "same");
    let holds = found.faults.is_empty();
    let failure = match (holds, &compared) {
        (false, _) => Some(format!("the event log is damaged: {}", count_of_faults(found))),
        (true, Some(compared)) if !is_same => Some(compared.text.clone()),
        (true, _) => None,
    };
    if global.json {
        output::json(&printed(found, holds, compared))?;
    } else {
        if let (Some(first), Some((last, _))) = (&found.first, &found.last) {
            output::line(&format!(
                "rounds {} to {}, from {} to {} UTC: {}, {} in {}",
                first.first,
                last.last,
                date(Some(Timestamp(first.first_at))),
                date(Some(Timestamp(last.last_at))),
                count(found.rounds, "round"),
                count(found.events, "event"),
                count(found.segments, "file")
            ))?;
            let begins = match first.first {
                1 => "from the server's first round on".to_owned(),
                later => format!("from round {later} on, the oldest that is kept"),
            };
            if holds {
                output::line(&format!("the chain holds {begins}, up to {}", output::hex(&last.hash)))?;
            }
        }
        for fault in found.faults.iter().take(FAULTS_SHOWN) {
            output::line(&format!("DAMAGED {}", told(fault)))?;
        }
        if let Some(compared) = &compared {
            output::line(&compared.text)?;
        }
    }
    failure.map_or(Ok(()), |failure| Err(CliError::failed(failure)))
}

fn count_of_faults(found: &Found) -> String {
    let places = found.faults.len() as u64;
    format!("{} named above; the rest of it was read", count(places, "place"))
}

fn printed(found: &Found, holds: bool, anchor: Option<Compared>) -> Printed {
    let first = found.first.as_ref();
    let last = found.last.as_ref().map(|(last, _)| last);
    let fault = |gap: &Gap| Fault {
        file: gap.file.clone(),
        byte: gap.byte,
        after_round: gap.after,
        text: gap.what.clone(),
    };
    Printed {
        holds,
        first_round: first.map(|span| span.first),
        first_time: first.and_then(|span| rfc3339(Some(Timestamp(span.first_at)))),
        last_round: last.map(|span| span.last),
        last_time: last.and_then(|span| rfc3339(Some(Timestamp(span.last_at)))),
        hash: last.map(|span| output::hex(&span.hash)),
        rounds: found.rounds,
        events: found.events,
        segments: found.segments,
        faults: found.faults.iter().take(FAULTS_SHOWN).map(fault).collect(),
        anchor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ServerId;

    fn segment(first: u64, before: u8, last: u64, hash: u8) -> SegmentRow {
        SegmentRow {
            file: format!("history/{first}"),
            span: Some(Span {
                first,
                before: [before; 32],
                last,
                hash: [hash; 32],
                ..Span::default()
            }),
            rounds: last + 1 - first,
            ..SegmentRow::default()
        }
    }

    fn found(rows: Vec<SegmentRow>, through: u64) -> Found {
        let mut found = Found {
            through,
            ..Found::default()
        };
        for row in rows {
            found.add(row);
        }
        found.end();
        found
    }

    #[test]
    fn segments_that_follow_one_another_hold_and_others_are_named() {
        let whole = found(
            vec![segment(4, 3, 9, 9), SegmentRow::default(), segment(10, 9, 12, 12)],
            12,
        );
        assert!(whole.faults.is_empty(), "{:?}", whole.faults);
        for (rows, through, told) in [
            (
                vec![segment(1, 0, 9, 9), segment(11, 10, 12, 12)],
                12,
                "rounds 10 to 10 are missing",
            ),
            (vec![segment(1, 0, 9, 9), segment(10, 8, 12, 12)], 12, "does not follow"),
            (
                vec![segment(1, 0, 9, 9), segment(9, 8, 12, 12)],
                12,
                "an earlier file holds too",
            ),
            (vec![segment(1, 0, 9, 9)], 12, "rounds 10 to 12 are missing at the end"),
        ] {
            let broken = found(rows, through);
            assert!(
                broken.faults.iter().any(|fault| fault.what.contains(told)),
                "{told}: {:?}",
                broken.faults
            );
        }
    }

    #[test]
    fn an_anchor_is_the_same_or_differs_or_is_not_kept_or_is_ahead() {
        let anchor = |round, hash| Anchor {
            server: ServerId([0; 16]),
            round,
            hash: [hash; 32],
            at: Timestamp(0),
        };
        let mut kept = found(vec![segment(4, 3, 9, 9)], 9);
        for (round, hash, outcome) in [
            (3, 3, "same"),
            (3, 4, "differs"),
            (2, 2, "not kept"),
            (10, 1, "ahead"),
            (7, 7, "damaged"),
        ] {
            assert_eq!(kept.compare(&anchor(round, hash)).outcome, outcome, "{round}");
        }
        kept.hash_of_round = Some([7; 32]);
        assert_eq!(kept.compare(&anchor(7, 7)).outcome, "same");
        assert_eq!(kept.compare(&anchor(7, 8)).outcome, "differs");
    }
}
