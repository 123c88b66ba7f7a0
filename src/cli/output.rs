//! How results are shown: tables for people, JSON and CSV for programs. Everything a peer named is made harmless here.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::error::CliError;
use crate::client::with_causes;
use crate::domain::time::Timestamp;

/// The width of tables where there is no terminal to fit, in columns.
const WIDTH_WITHOUT_TERMINAL: u16 = 200;

/// Whether standard output has its JSON value: it holds one at most.
static JSON_PRINTED: AtomicBool = AtomicBool::new(false);

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
        drop(write(&format!("{told:#}\n")));
    }
    eprintln!("seatkeeper: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        eprintln!("  because: {below}");
        cause = below.source();
    }
    ExitCode::from(exit_code)
}

/// Prints one line.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    write(&format!("{text}\n"))
}

/// Says something beside the result, on standard error.
#[expect(clippy::print_stderr, reason = "the place where commands speak beside their result")]
pub(super) fn note(text: &str) {
    eprintln!("{text}");
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
    text.map_err(|error| CliError::because("cannot make JSON", error))
}

/// The JSON on standard output begins: no failure is put behind it.
pub(super) fn json_begins() {
    JSON_PRINTED.store(true, Ordering::Relaxed);
}

/// Prints rows as a table fitted to the terminal.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
    write(&format!("{}\n", table_text(head, rows)))
}

/// A table as text.
pub(super) fn table_text(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.iter().map(|cell| printable(cell)).collect())
        .collect();
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(head.to_vec())
        .add_rows(rows.clone());
    let whole = table.to_string();
    if !std::io::stdout().is_terminal() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(WIDTH_WITHOUT_TERMINAL);
        return table.to_string();
    }
    let columns = whole.lines().next().map_or(0, |border| border.chars().count());
    if table.width().is_some_and(|width| columns > usize::from(width)) {
        records(head, &rows)
    } else {
        whole
    }
}

/// What a terminal too narrow for a table shows: a line for each cell. Serials and addresses must not be broken.
fn records(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = head.iter().map(|name| name.len()).max().unwrap_or(0);
    let record = |row: &Vec<String>| {
        let cells = head.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let lines = cells.map(|(name, cell)| format!("{name:width$}  {cell}\n"));
        lines.collect::<String>()
    };
    let records: Vec<String> = rows.iter().map(record).collect();
    if records.is_empty() {
        return "none".to_owned();
    }
    records.join("\n").trim_end().to_owned()
}

/// Prints rows as CSV. A cell that a spreadsheet would take for a formula gets an apostrophe in front.
pub(super) fn csv(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
    write(&csv_text(Some(head), rows)?)
}

/// Rows as CSV, below their head where there is one.
pub(super) fn csv_text(head: Option<&[&str]>, rows: impl IntoIterator<Item = Vec<String>>) -> Result<String, CliError> {
    let failed = |error| CliError::because("cannot make CSV", error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(head) = head {
        writer.write_record(head).map_err(failed)?;
    }
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| no_formula(&printable(cell))))
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

/// Text without control characters: what a machine calls itself must not move the cursor of who reads it.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn no_formula(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// Prints text as it is.
pub(super) fn write(text: &str) -> Result<(), CliError> {
    write_if_read(text).map(drop)
}

/// Prints text as it is; false where nobody reads any more.
pub(super) fn write_if_read(text: &str) -> Result<bool, CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::because("cannot write to standard output", error)),
        Ok(()) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_calls_itself_moves_no_cursor_and_calculates_nothing() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(no_formula("=1+1"), "'=1+1");
        assert_eq!(no_formula("host"), "host");
    }

    #[test]
    fn a_narrow_terminal_gets_whole_cells_on_lines_of_their_own() {
        let rows = [["BKSRV", "", "3"], ["BKWKS", "4G79VFQKA5AEW1FX", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            records(&["product", "serial", "total"], &rows),
            "product  BKSRV\ntotal    3\n\nproduct  BKWKS\nserial   4G79VFQKA5AEW1FX\ntotal    1"
        );
        assert_eq!(records(&["product"], &[]), "none");
    }

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
