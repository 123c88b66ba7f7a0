//! What a datagram says, with who asked and who answered put together. Pure: time is handed in.

use std::collections::VecDeque;
use std::net::SocketAddr;

use jiff::Timestamp as Calendar;
use seatkeeper::domain::ids::{ServerId, VendorId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::wire::discovery::{Offer, Question};
use seatkeeper::wire::dissect;
use serde::Serialize;

use crate::output::millis;

/// Questions that are remembered until they are answered, and datagrams that may come a second time, at most.
const REMEMBERED_MAX: usize = 1_024;

/// A host that sends to itself or to its own group sees a datagram twice, within so many microseconds.
const TWICE_MICROS: u64 = 50_000;

/// A datagram on its way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    /// Where it goes; without the address where that is not known.
    pub(super) to: SocketAddr,
    pub(super) payload: Vec<u8>,
}

/// What was heard.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Heard {
    /// RFC 3339, UTC.
    at: String,
    from: SocketAddr,
    to: SocketAddr,
    what: &'static str,
    product: Option<String>,
    vendor: Option<String>,
    server: Option<String>,
    name: Option<String>,
    /// Whether the server has a license for the product.
    holds: Option<bool>,
    /// Since the question that it answers.
    answer_micros: Option<u64>,
    /// Why it is malformed.
    fault: Option<String>,
}

/// Who asked what lately.
#[derive(Debug)]
pub(super) struct Log {
    port: u16,
    asked: VecDeque<([u8; 16], u64)>,
    recent: VecDeque<(Datagram, u64)>,
}

impl Log {
    pub(super) const fn new(port: u16) -> Self {
        Self {
            port,
            asked: VecDeque::new(),
            recent: VecDeque::new(),
        }
    }

    /// What the datagram says; nothing where it is none of discovery, or one that was heard a moment ago.
    pub(super) fn hear(&mut self, datagram: &Datagram, at_micros: u64, now: Timestamp) -> Option<Heard> {
        if datagram.from.port() != self.port && datagram.to.port() != self.port {
            return None;
        }
        if self.is_repeated(datagram, at_micros) {
            return None;
        }
        let blank = Heard {
            at: rfc3339(now),
            from: datagram.from,
            to: datagram.to,
            what: "malformed",
            product: None,
            vendor: None,
            server: None,
            name: None,
            holds: None,
            answer_micros: None,
            fault: None,
        };
        if let Ok(question) = Question::decode(&datagram.payload) {
            remember(&mut self.asked, (question.nonce, at_micros));
            let (vendor, product) = question.wanted.map(|wanted| (wanted.vendor, wanted.product)).unzip();
            return Some(Heard {
                what: "question",
                product,
                vendor: vendor.map(|vendor| VendorId(vendor).to_string()),
                ..blank
            });
        }
        if let Ok(offer) = Offer::decode(&datagram.payload) {
            let asked = self.asked.iter().rev().find(|(nonce, _)| *nonce == offer.nonce);
            return Some(Heard {
                what: "offer",
                server: Some(ServerId(offer.server).to_string()),
                name: Some(offer.name),
                holds: offer.holds,
                answer_micros: asked.map(|(_, asked_at)| at_micros.saturating_sub(*asked_at)),
                ..blank
            });
        }
        let fault = dissect::datagram(&datagram.payload).fault;
        Some(Heard { fault, ..blank })
    }

    fn is_repeated(&mut self, datagram: &Datagram, at_micros: u64) -> bool {
        let since = at_micros.saturating_sub(TWICE_MICROS);
        while self.recent.front().is_some_and(|(_, at)| *at < since) {
            self.recent.pop_front();
        }
        if self.recent.iter().any(|(known, _)| known == datagram) {
            return true;
        }
        remember(&mut self.recent, (datagram.clone(), at_micros));
        false
    }
}

fn remember<T>(kept: &mut VecDeque<T>, one: T) {
    if kept.len() >= REMEMBERED_MAX {
        kept.pop_front();
    }
    kept.push_back(one);
}

fn rfc3339(time: Timestamp) -> String {
    let second = i64::try_from(time.0)
        .ok()
        .and_then(|secs| Calendar::from_second(secs).ok());
    second.map_or_else(|| time.to_string(), |at| at.to_string())
}

impl Heard {
    /// For people.
    pub(super) fn line(&self) -> String {
        let told = match (self.what, &self.name, &self.product) {
            ("question", _, Some(product)) => {
                format!(
                    "asks for {product} of vendor {}",
                    self.vendor.as_deref().unwrap_or_default()
                )
            }
            ("question", _, None) => "asks for any server".to_owned(),
            ("offer", Some(name), _) => {
                let holds = match self.holds {
                    None => "",
                    Some(true) => ", has licenses for the product",
                    Some(false) => ", has no license for the product",
                };
                let after = self.answer_micros.map_or_else(
                    || ", to a question that was not heard".to_owned(),
                    |micros| format!(", after {}", millis(micros)),
                );
                format!("{name} ({}){holds}{after}", self.server.as_deref().unwrap_or_default())
            }
            _ => self.fault.clone().unwrap_or_default(),
        };
        format!("{}  {:<9}  {} -> {}  {told}", self.at, self.what, self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use seatkeeper::wire::discovery::Wanted;

    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600);

    fn datagram(from: &str, to: &str, payload: &[u8]) -> Datagram {
        Datagram {
            from: from.parse().expect("an address"),
            to: to.parse().expect("an address"),
            payload: payload.to_vec(),
        }
    }

    fn question(wanted: Option<Wanted>) -> Datagram {
        let question = Question { nonce: [7; 16], wanted };
        datagram(
            "192.0.2.7:40000",
            "192.0.2.255:17328",
            &question.encode().expect("in bounds"),
        )
    }

    fn offer() -> Datagram {
        let offer = Offer {
            nonce: [7; 16],
            server: [1; 16],
            fingerprint: [2; 32],
            port: 17_328,
            epoch: 0,
            priority: 100,
            server_time: 0,
            version_min: 1,
            version_max: 1,
            holds: Some(false),
            name: "office".to_owned(),
            server_version: "0.1.0".to_owned(),
        };
        datagram(
            "192.0.2.1:17328",
            "192.0.2.7:40000",
            &offer.encode().expect("in bounds"),
        )
    }

    #[test]
    fn who_asks_and_who_answers_are_put_together() {
        let mut log = Log::new(17_328);
        let wanted = Wanted {
            vendor: [3; 16],
            product: "BKSRV".to_owned(),
        };
        let asked = log.hear(&question(Some(wanted)), 1_000, NOW).expect("heard").line();
        assert!(
            asked.starts_with(
                "2026-01-01T00:00:00Z  question   192.0.2.7:40000 -> 192.0.2.255:17328  asks for BKSRV of"
            ),
            "{asked}"
        );
        let answered = log.hear(&offer(), 43_000, NOW).expect("heard");
        assert_eq!(answered.answer_micros, Some(42_000));
        assert!(answered.line().contains("office (01010101"), "{}", answered.line());
        assert!(
            answered
                .line()
                .ends_with("has no license for the product, after 42.000 ms"),
            "{}",
            answered.line()
        );
        let mut late = Log::new(17_328);
        assert!(
            late.hear(&offer(), 1, NOW)
                .expect("heard")
                .line()
                .ends_with("not heard")
        );
    }

    #[test]
    fn what_is_malformed_is_told_with_its_reason() {
        let mut log = Log::new(17_328);
        let mut damaged = question(None);
        damaged.payload.pop();
        let heard = log.hear(&damaged, 1, NOW).expect("heard");
        assert_eq!(
            (heard.what, heard.fault.as_deref()),
            ("malformed", Some("Question: not 512 bytes"))
        );
        damaged.payload = b"GET / HTTP/1.1".to_vec();
        assert!(log.hear(&damaged, 1, NOW).expect("heard").fault.is_some());
    }

    #[test]
    fn other_ports_are_passed_over_and_the_same_datagram_twice_at_once_is_one() {
        let mut log = Log::new(17_329);
        assert!(log.hear(&question(None), 1, NOW).is_none());
        let mut log = Log::new(17_328);
        assert!(log.hear(&question(None), 1, NOW).is_some());
        assert!(log.hear(&question(None), 2, NOW).is_none());
        assert!(log.hear(&question(None), 250_000, NOW).is_some(), "asked again");
    }
}
