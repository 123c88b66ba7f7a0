//! Calendar dates for people, and the only place of this tool that reads the clock.

use jiff::civil::{Date, date};
use seatkeeper::domain::license::Validity;
use seatkeeper::domain::time::{DAY_SECS, Timestamp};

const EPOCH: Date = date(1970, 1, 1);

/// The present, in whole seconds.
pub(crate) fn now() -> Timestamp {
    Timestamp(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default())
}

/// Reads `YYYY-MM-DD` as a number of days since 1970-01-01.
pub(crate) fn parse_day(text: &str) -> Result<u32, String> {
    let fault = || "write a date from 1970-01-01 on as YYYY-MM-DD".to_owned();
    let well_formed = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !well_formed {
        return Err(fault());
    }
    let day: Date = text.parse().map_err(|_| fault())?;
    let since = day.since((jiff::Unit::Day, EPOCH)).map_err(|_| fault())?;
    u32::try_from(since.get_days()).map_err(|_| fault())
}

/// `YYYY-MM-DD` of a number of days since 1970-01-01.
pub(crate) fn show_day(day: u32) -> String {
    let span = jiff::Span::new().try_days(i64::from(day));
    span.and_then(|span| EPOCH.checked_add(span))
        .map_or_else(|_| format!("day {day}"), |date| date.to_string())
}

/// `YYYY-MM-DDTHH:MM:SSZ`.
pub(crate) fn show_time(at: Timestamp) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|secs| jiff::Timestamp::from_second(secs).ok())
        .map_or_else(|| at.to_string(), |time| time.to_string())
}

/// The day on which `at` falls, in days since 1970-01-01.
pub(crate) fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.0 / DAY_SECS).unwrap_or(u32::MAX)
}

/// Until when a license serves, for people.
pub(crate) fn show_validity(validity: Validity) -> String {
    match validity {
        Validity::Days(1) => "1 day from first import".to_owned(),
        Validity::Days(days) => format!("{days} days from first import"),
        Validity::Forever => "without end".to_owned(),
        Validity::ThroughDay(day) => format!("through {} (UTC)", show_day(day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_back_and_nothing_else_is_one() {
        for (text, day) in [
            ("1970-01-01", 0),
            ("2026-01-01", 20_454),
            ("2028-02-29", 21_243),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(parse_day(text), Ok(day));
            assert_eq!(show_day(day), text);
        }
        for text in [
            "",
            "1969-12-31",
            "2027-02-29",
            "2026-1-1",
            "01.01.2026",
            "2026-01-01T00",
            "tomorrow",
        ] {
            assert!(parse_day(text).is_err(), "{text}");
        }
        assert_eq!(show_time(Timestamp(1_767_225_600)), "2026-01-01T00:00:00Z");
    }
}
