//! How results are shown: tables for people, JSON and CSV for programs. Whatever a peer named is made harmless on its way
//! out.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::error::CliError;
use super::grid::Grid;
use crate::client::{harmless, with_causes};
use crate::domain::time::Timestamp;

/// Whether standard output has its JSON value: it holds one at most.
static JSON_PRINTED: AtomicBool = AtomicBool::new(false);

/// Whether whoever read standard output has seen enough, as `head` does.
static OUTPUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Tells why a command failed, on standard error and, with `json`, on standard output unless the result is there
/// already; how to exit.
#[expect(clippy::print_stderr, reason = "the place where a command's failure is told")]
#[must_use]
pub fn fail(error: &CliError, json: bool) -> ExitCode {
    let exit_code = error.exit_code();
    if error.is_silent() {
        return ExitCode::from(exit_code);
    }
    if json && !JSON_PRINTED.load(Ordering::Relaxed) {
        let told = serde_json::json!({ "error": { "message": with_causes(error), "exit_code": exit_code } });
        // Standard error tells it all the same.
        drop(write(&harmless::json(&format!("{told:#}\n"))));
    }
    eprintln!("seatkeeper: {}", harmless::lines(&error.to_string()));
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        eprintln!("  because: {}", harmless::lines(&below.to_string()));
        cause = below.source();
    }
    ExitCode::from(exit_code)
}

/// Prints one line.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    write(&format!("{}\n", harmless::lines(text)))
}

/// Says something beside the result, on standard error.
#[expect(clippy::print_stderr, reason = "the place where commands speak beside their result")]
pub(super) fn note(text: &str) {
    eprintln!("{}", harmless::lines(text));
}

/// Prints a value as JSON, as `tools/guide/json.md` documents it.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = json_text(value, true)?;
    json_begins();
    write(&format!("{text}\n"))
}

/// A value as JSON, on many lines or on one.
pub(super) fn json_text(value: &impl Serialize, is_pretty: bool) -> Result<String, CliError> {
    let text = if is_pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    let text = text.map_err(|error| CliError::because("cannot make JSON", error))?;
    Ok(harmless::json(&text))
}

/// The JSON on standard output begins: no failure is put behind it.
pub(super) fn json_begins() {
    JSON_PRINTED.store(true, Ordering::Relaxed);
}

/// Prints a part of a list as JSON, the first one or another, in the form of [`json`]. A list that a failure cuts off is
/// not closed, so that nobody takes it for the whole.
pub(super) fn json_list<T: Serialize>(is_first: bool, rows: impl Iterator<Item = T>) -> Result<(), CliError> {
    JSON_PRINTED.store(true, Ordering::Relaxed);
    let mut text = String::from(if is_first { "[" } else { "" });
    for (place, row) in rows.enumerate() {
        let row = serde_json::to_string_pretty(&row).map_err(|error| CliError::because("cannot make JSON", error))?;
        let comma = if is_first && place == 0 { "" } else { "," };
        text.push_str(comma);
        for line in row.lines() {
            text.push_str("\n  ");
            text.push_str(line);
        }
    }
    write(&harmless::json(&text))
}

/// Ends the list.
pub(super) fn json_list_end(is_empty: bool) -> Result<(), CliError> {
    write(if is_empty { "]\n" } else { "\n]\n" })
}

/// Prints rows as a table fitted to the terminal.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
    line(&table_text(head, rows))
}

/// A table as text.
pub(super) fn table_text(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    Grid::whole(head, rows).on_stdout().text
}

/// Prints rows as CSV.
pub(super) fn csv(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
    // Names are one word, as where columns can be chosen.
    csv_rows(Some(head.iter().map(|name| name.replace(' ', "-")).collect()), rows)
}

/// Prints a part of a list as CSV, the first one with its head.
pub(super) fn csv_rows(head: Option<Vec<String>>, rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
    write(&csv_text(head, rows)?)
}

/// Rows as CSV, below their head where there is one.
pub(super) fn csv_text(
    head: Option<Vec<String>>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<String, CliError> {
    let failed = |error| CliError::because("cannot make CSV", error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in head.into_iter().chain(rows) {
        writer
            .write_record(row.iter().map(|cell| harmless::cell(cell)))
            .map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| CliError::failed(format!("cannot make CSV: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A point in time for people, UTC; `never` where there is none.
pub(super) fn date(time: Option<Timestamp>) -> String {
    let Some(time) = time.filter(|time| *time != Timestamp::MAX) else {
        return "never".to_owned();
    };
    i64::try_from(time.0)
        .ok()
        .and_then(|secs| jiff::Timestamp::from_second(secs).ok())
        .map_or_else(
            || time.to_string(),
            |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
}

/// A point in time for programs: RFC 3339, UTC; nothing where there is none.
pub(super) fn rfc3339(time: Option<Timestamp>) -> Option<String> {
    let time = time.filter(|time| *time != Timestamp::MAX)?;
    let secs = i64::try_from(time.0).ok()?;
    jiff::Timestamp::from_second(secs).ok().map(|time| time.to_string())
}

/// A code's name as people read it; `unknown` where this version does not know the code.
pub(super) fn code(name: Option<&str>) -> String {
    name.unwrap_or("unknown").to_lowercase().replace('_', " ")
}

/// A number and what is counted, in its plural unless it is one.
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Digits of an identity's fingerprint that tables and sentences show; JSON and CSV have all 64.
pub(super) const IDENTITY_DIGITS: usize = 16;

/// A length of time for people, in its two largest units.
pub(super) fn lasting(secs: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let parts = UNITS.iter().scan(secs, |rest, (unit, name)| {
        let number = *rest / unit;
        *rest %= unit;
        Some((number, *name))
    });
    let told: Vec<String> = parts
        .skip_while(|(number, _)| *number == 0)
        .take(2)
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {name}"))
        .collect();
    if told.is_empty() {
        return "0 s".to_owned();
    }
    told.join(" ")
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A MAC address as people write it.
pub(super) fn mac(bytes: [u8; 6]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(":")
}

/// Whether anybody still reads standard output.
pub(super) fn is_read() -> bool {
    !OUTPUT_CLOSED.load(Ordering::Relaxed)
}

/// Prints text as it is.
pub(super) fn write(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            OUTPUT_CLOSED.store(true, Ordering::Relaxed);
            Ok(())
        }
        Err(error) => Err(CliError::because("cannot write to standard output", error)),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_told_in_their_two_largest_units() {
        for (secs, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_601, "1 h"),
            (90_061, "1 d 1 h"),
            (40 * 86_400, "40 d"),
        ] {
            assert_eq!(lasting(secs), told);
        }
        assert_eq!(
            (count(1, "seat"), count(2, "seat")),
            ("1 seat".to_owned(), "2 seats".to_owned())
        );
    }

    #[test]
    fn dates_are_utc_and_never_is_said() {
        assert_eq!(date(Some(Timestamp(86_399))), "1970-01-01 23:59:59");
        assert_eq!(date(None), "never");
        assert_eq!(date(Some(Timestamp::MAX)), "never");
        assert_eq!(rfc3339(Some(Timestamp(0))), Some("1970-01-01T00:00:00Z".to_owned()));
    }
}
