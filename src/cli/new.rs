//! Seats that were engaged lately, and where from: a burst from one address is somebody who takes seats for machines that
//! do not exist.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::error::CliError;
use super::output::{count, date};
use super::session::Session;
use super::status;
use crate::domain::source::source_of;
use crate::domain::time::Timestamp;
use crate::wire::messages::views::SeatRow;

/// Sources that are told, at most: those with the most seats.
const SOURCES_TOLD: usize = 8;

/// The moment from which on a seat counts as new. Acquire dates are set from the later of the server's two times, hence by
/// that (rule T1).
pub(super) async fn since(session: &mut Session, secs: u32) -> Result<Timestamp, CliError> {
    let status = status::ask(session).await?;
    let now = status.server_time.max(status.clock.mark);
    Ok(Timestamp(now.saturating_sub(secs.into())))
}

/// Whether a seat was engaged since then; each one was without a moment.
pub(super) fn is_since(row: &SeatRow, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| row.acquired_at >= since.0)
}

/// Whether the machine of a seat asked last from this source (an IPv4 address, an IPv6 /64).
pub(super) fn is_from(row: &SeatRow, source: IpAddr) -> bool {
    row.address
        .is_some_and(|address| source_of(address) == source_of(source))
}

/// How many seats came from where.
#[derive(Debug, Default)]
pub(super) struct Sources(BTreeMap<IpAddr, u64>);

impl Sources {
    pub(super) fn note(&mut self, rows: &[SeatRow]) {
        for address in rows.iter().filter_map(|row| row.address) {
            *self.0.entry(source_of(address)).or_default() += 1;
        }
    }

    /// The sources with more than one seat, those with the most first, and what ends them.
    pub(super) fn told(&self, since: Timestamp, since_secs: u32) -> Vec<String> {
        let mut sources: Vec<(IpAddr, u64)> = self.0.iter().map(|(source, seats)| (*source, *seats)).collect();
        sources.retain(|(_, seats)| *seats > 1);
        sources.sort_by_key(|(_, seats)| std::cmp::Reverse(*seats));
        let mut lines: Vec<String> = sources
            .iter()
            .take(SOURCES_TOLD)
            .map(|(source, seats)| {
                let network = if source.is_ipv6() { "/64" } else { "" };
                let at = date(Some(since));
                format!("{} from {source}{network} since {at} UTC", count(*seats, "new seat"))
            })
            .collect();
        if let Some((source, _)) = sources.first() {
            lines.push(format!(
                "to end those of one address: seatkeeper release --new --since {} --from {source} --reason TEXT",
                span(since_secs)
            ));
        }
        lines
    }
}

/// A length of time as `--since` takes it.
fn span(secs: u32) -> String {
    const UNITS: [(u32, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = UNITS.iter().find(|(unit, _)| secs.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{secs}s"), |(unit, name)| format!("{}{name}", secs / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str, acquired_at: u64) -> SeatRow {
        SeatRow {
            address: Some(address.parse().expect("an address")),
            acquired_at,
            ..SeatRow::default()
        }
    }

    #[test]
    fn a_burst_stands_first_and_an_ipv6_network_is_one_source() {
        let mut sources = Sources::default();
        let (one, home) = (from("10.0.0.1", 5), from("10.0.0.2", 5));
        let network = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|address| from(address, 5));
        sources.note(&network);
        sources.note(&[one, home.clone(), home]);
        let told = sources.told(Timestamp(0), 5_400);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].starts_with("3 new seats from 2001:db8::/64 since 1970-01-01"),
            "{told:?}"
        );
        assert!(told[1].starts_with("2 new seats from 10.0.0.2 since"), "{told:?}");
        assert!(told[2].contains("--since 90m --from 2001:db8:: --reason"), "{told:?}");
    }

    #[test]
    fn a_seat_is_new_from_the_very_moment_on() {
        let row = from("2001:db8::7", 100);
        let since = |secs| Some(Timestamp(secs));
        assert_eq!([99, 100, 101].map(|at| is_since(&row, since(at))), [true, true, false]);
        assert!(is_since(&row, None));
        assert!(is_from(&row, "2001:db8::1".parse().expect("good")));
        assert!(!is_from(&row, "2001:db8:0:1::7".parse().expect("good")));
    }
}
