//! What is shown: pure, from what each round saw.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp as Calendar;
use seatkeeper::client::harmless;
use seatkeeper::domain::time::Timestamp;
use serde::Serialize;

use crate::output::{self, millis};

/// Comings and goings that are kept.
const EVENTS_MAX: usize = 100;

/// Those of them that are shown.
const EVENTS_SHOWN: usize = 10;

/// A server as a round saw it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Seen {
    /// Its id, in hexadecimal.
    pub(super) server: String,
    pub(super) name: String,
    pub(super) address: String,
    /// From the question to the offer.
    pub(super) round_trip_micros: u64,
    /// From the beginning of the connection to its last answer.
    pub(super) answer_micros: Option<u64>,
    /// Of the product.
    pub(super) total: Option<u64>,
    pub(super) used: Option<u64>,
    pub(super) available: Option<u64>,
    /// Requests that it has refused to anybody since the watch began; viewers are told.
    pub(super) refused: Option<u64>,
    /// The last of them.
    pub(super) last_refusal: Option<String>,
    /// Why it was not asked to the end, or what it refused to this program.
    pub(super) fault: Option<String>,
}

/// A server that came or went.
#[derive(Clone, Debug, Serialize)]
struct Event {
    /// RFC 3339, UTC.
    at: String,
    text: String,
}

/// What `watch --json` prints at the end, and what is drawn.
#[derive(Debug, Serialize)]
pub(super) struct Board {
    port: u16,
    product: Option<String>,
    rounds: u32,
    /// Those that are there.
    servers: Vec<Seen>,
    events: VecDeque<Event>,
    #[serde(skip)]
    gone: BTreeMap<String, Seen>,
}

impl Board {
    pub(super) const fn new(port: u16, product: Option<String>) -> Self {
        Self {
            port,
            product,
            rounds: 0,
            servers: Vec::new(),
            events: VecDeque::new(),
            gone: BTreeMap::new(),
        }
    }

    /// Takes what a round saw.
    pub(super) fn take(&mut self, mut seen: Vec<Seen>, now: Timestamp) {
        seen.sort_by(|one, other| (&one.name, &one.server).cmp(&(&other.name, &other.server)));
        self.rounds += 1;
        let before = std::mem::take(&mut self.servers);
        for one in &seen {
            let was_there = before.iter().any(|known| known.server == one.server);
            if self.gone.remove(&one.server).is_some() {
                self.note(format!("{} is back at {}", one.name, one.address), now);
            } else if !was_there {
                self.note(format!("{} is there at {}", one.name, one.address), now);
            }
        }
        for known in before {
            if seen.iter().all(|one| one.server != known.server) {
                self.note(format!("{} at {} answers no more", known.name, known.address), now);
                self.gone.insert(known.server.clone(), known);
            }
        }
        self.servers = seen;
    }

    fn note(&mut self, text: String, now: Timestamp) {
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        let second = i64::try_from(now.0)
            .ok()
            .and_then(|secs| Calendar::from_second(secs).ok());
        let at = second.map_or_else(|| now.to_string(), |at| at.to_string());
        self.events.push_back(Event { at, text });
    }

    /// The picture.
    pub(super) fn text(&self) -> String {
        let product = self
            .product
            .as_ref()
            .map_or_else(String::new, |product| format!(", seats of {product}"));
        let mut text = format!(
            "UDP port {}{product}, round {}; Ctrl-C ends it\n",
            self.port, self.rounds
        );
        let head = [
            "server",
            "address",
            "UDP",
            "TCP, TLS, answers",
            "seats",
            "refused since the start",
        ];
        let rows = self.servers.iter().map(Seen::cells);
        let gone = self.gone.values().map(|one| {
            let mut cells = vec![
                harmless::text(&one.name),
                one.address.clone(),
                "answers no more".to_owned(),
            ];
            cells.resize(head.len(), String::new());
            cells
        });
        text += &output::table(&head, rows.chain(gone));
        text.push('\n');
        for event in self.events.iter().rev().take(EVENTS_SHOWN) {
            text += &harmless::text(&format!("{}  {}", event.at, event.text));
            text.push('\n');
        }
        text
    }
}

impl Seen {
    fn cells(&self) -> Vec<String> {
        let answers = match (&self.fault, self.answer_micros) {
            (Some(fault), _) => harmless::text(fault),
            (None, Some(micros)) => millis(micros),
            (None, None) => String::new(),
        };
        let seats = match (self.used, self.total, self.available) {
            (Some(used), Some(total), Some(available)) => format!("{used} of {total}, {available} available"),
            _ => String::new(),
        };
        let refused = match (self.refused, &self.last_refusal) {
            (Some(count), Some(last)) => format!("{count}, the last: {}", harmless::text(last)),
            (Some(count), None) => count.to_string(),
            (None, _) => "told to viewers".to_owned(),
        };
        vec![
            harmless::text(&self.name),
            self.address.clone(),
            millis(self.round_trip_micros),
            answers,
            seats,
            refused,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600);

    fn server(number: u8) -> Seen {
        Seen {
            server: number.to_string(),
            name: format!("office-{number}"),
            address: format!("192.0.2.{number}:17328"),
            round_trip_micros: 1_500,
            answer_micros: Some(4_200),
            total: Some(5),
            used: Some(3),
            available: Some(2),
            refused: Some(7),
            last_refusal: Some("SEATS_EXHAUSTED of BKSRV".to_owned()),
            fault: None,
        }
    }

    #[test]
    fn servers_that_come_and_go_are_told_once_each_time() {
        let mut board = Board::new(17_328, None);
        for seen in [
            vec![server(1)],
            vec![server(1), server(2)],
            vec![server(2)],
            vec![server(2)],
            vec![server(1), server(2)],
        ] {
            board.take(seen, NOW);
        }
        let told: Vec<_> = board.events.iter().map(|event| event.text.as_str()).collect();
        assert_eq!(
            told,
            [
                "office-1 is there at 192.0.2.1:17328",
                "office-2 is there at 192.0.2.2:17328",
                "office-1 at 192.0.2.1:17328 answers no more",
                "office-1 is back at 192.0.2.1:17328",
            ]
        );
        assert!(board.gone.is_empty());
    }

    #[test]
    fn the_picture_shows_latency_seats_refusals_and_who_is_gone() {
        let mut board = Board::new(17_328, Some("BKSRV".to_owned()));
        board.take(vec![server(1), server(2)], NOW);
        board.take(vec![server(2)], NOW);
        let text = board.text();
        for shown in [
            "seats of BKSRV, round 2",
            "1.500 ms",
            "4.200 ms",
            "3 of 5, 2 available",
            "7, the last: SEATS_EXHAUSTED of BKSRV",
            "answers no more",
            "2026-01-01T00:00:00Z  office-1 at 192.0.2.1:17328 answers no more",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }

    #[test]
    fn comings_and_goings_are_kept_up_to_a_bound_and_names_move_no_cursor() {
        let mut board = Board::new(17_328, None);
        let mut hostile = server(1);
        hostile.name = "a\u{1b}[2J".to_owned();
        for round in 0..300 {
            board.take(
                if round % 2 == 0 {
                    vec![hostile.clone()]
                } else {
                    Vec::new()
                },
                NOW,
            );
        }
        assert_eq!(board.events.len(), EVENTS_MAX);
        assert!(!board.text().contains('\u{1b}'));
    }
}
