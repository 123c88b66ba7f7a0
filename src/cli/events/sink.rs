//! How events are printed, a page at a time: a log may be longer than memory.

use std::io::IsTerminal;

use super::row::{HEAD, Row, cells};
use super::sentence::sentence;
use crate::cli::args::Shown;
use crate::cli::error::CliError;
use crate::cli::output::{self, date};
use crate::client::harmless;
use crate::domain::time::Timestamp;
use crate::wire::messages::events::EventRow;

/// Columns of the time and the kind, with what separates them.
const FRONT: usize = 19 + 2 + 20 + 2;

/// A terminal narrower than this gets the sentence on a line of its own.
const NARROW: usize = FRONT + 40;

/// Where events go.
pub(super) struct Sink {
    form: Form,
    is_begun: bool,
    is_closed: bool,
}

#[derive(Clone, Copy)]
enum Form {
    /// Columns, fitted to a terminal of this width if there is one.
    Columns(Option<usize>),
    Csv,
    JsonLines,
    JsonList,
}

impl Sink {
    pub(super) fn new(json: bool, shown: &Shown) -> Self {
        let form = match (json, shown.csv) {
            (true, _) if shown.follow => Form::JsonLines,
            (true, _) => Form::JsonList,
            (false, true) => Form::Csv,
            (false, false) => Form::Columns(width()),
        };
        Self {
            form,
            is_begun: false,
            is_closed: false,
        }
    }

    /// Prints rows; false once nobody reads any more, as behind `head`.
    pub(super) fn rows(&mut self, rows: &[EventRow]) -> Result<bool, CliError> {
        let text = match self.form {
            Form::Columns(width) => {
                let head =
                    (!self.is_begun && !rows.is_empty()).then(|| format!("{:19}  {:20}  event\n", "time", "kind"));
                let lines: String = rows.iter().map(|row| columns(row, width)).collect();
                head.unwrap_or_default() + &lines
            }
            Form::Csv => {
                let head = if self.is_begun { None } else { Some(HEAD.as_slice()) };
                output::csv_text(
                    head.map(|head| head.iter().map(|name| (*name).to_owned()).collect()),
                    rows.iter().map(cells),
                )?
            }
            Form::JsonLines => {
                let lines: Result<String, CliError> = rows
                    .iter()
                    .map(|row| output::json_text(&Row::from(row), false).map(|text| text + "\n"))
                    .collect();
                lines?
            }
            Form::JsonList => self.list_items(rows)?,
        };
        if matches!(self.form, Form::JsonLines | Form::JsonList) {
            output::json_begins();
        }
        self.is_begun |= !rows.is_empty() || matches!(self.form, Form::Csv);
        self.is_closed |= !text.is_empty() && {
            output::write(&text)?;
            !output::is_read()
        };
        Ok(!self.is_closed)
    }

    fn list_items(&self, rows: &[EventRow]) -> Result<String, CliError> {
        let mut text = String::new();
        for (place, row) in rows.iter().enumerate() {
            text.push_str(if place == 0 && !self.is_begun { "[\n" } else { ",\n" });
            let item = output::json_text(&Row::from(row), true)?;
            text.extend(item.lines().flat_map(|line| ["  ", line, "\n"]));
            // Whether a comma follows is known only when another one comes.
            text.pop();
        }
        Ok(text)
    }

    /// Whether nobody reads any more.
    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Prints what ends it.
    pub(super) fn end(self) -> Result<(), CliError> {
        match self.form {
            Form::JsonList if self.is_begun => output::write("\n]\n"),
            Form::JsonList => {
                output::json_begins();
                output::write("[]\n")
            }
            Form::Columns(_) if !self.is_begun => output::line("no such event"),
            Form::Columns(_) | Form::Csv | Form::JsonLines => Ok(()),
        }
    }
}

fn width() -> Option<usize> {
    let table = comfy_table::Table::new();
    std::io::stdout()
        .is_terminal()
        .then(|| table.width().map(usize::from))
        .flatten()
}

fn columns(row: &EventRow, width: Option<usize>) -> String {
    let front = format!("{}  {:20}  ", date(Some(Timestamp(row.at))), super::row::kind(row.kind));
    let text = harmless::text(&sentence(row));
    match width {
        None => format!("{front}{text}\n"),
        Some(width) if width < NARROW => {
            let lines = wrapped(&text, width.saturating_sub(2).max(10));
            format!("{}\n  {}\n", front.trim_end(), lines.join("\n  "))
        }
        Some(width) => {
            let lines = wrapped(&text, width - FRONT);
            format!("{front}{}\n", lines.join(&format!("\n{:FRONT$}", "")))
        }
    }
}

/// A text in lines of so many characters, broken between words where that can be.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let taken = lines.last().map_or(0, |line| line.chars().count());
        if taken > 0 && taken + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if taken > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_fitted_to_its_terminal() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("overlong two", 4), ["overlong", "two"]);
        let row = EventRow {
            host_name: Some("a\u{1b}[2J".to_owned()),
            kind: crate::wire::EventKind::REFUSED,
            mac: Some([0, 0, 0x5e, 0, 0x53, 1]),
            ..EventRow::default()
        };
        let wide = columns(&row, Some(100));
        assert!(wide.lines().all(|line| line.chars().count() <= 100), "{wide}");
        assert!(
            wide.starts_with("1970-01-01 00:00:00  refused  ") && !wide.contains('\u{1b}'),
            "{wide:?}"
        );
        let narrow = columns(&row, Some(40));
        assert!(
            narrow.lines().count() > 1 && narrow.lines().all(|line| line.chars().count() <= 40),
            "{narrow}"
        );
        assert_eq!(columns(&row, None).lines().count(), 1);
    }
}
