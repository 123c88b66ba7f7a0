//! How events are printed, a page at a time: a log may be longer than memory.

use std::io::IsTerminal;

use super::row::Row;
use crate::cli::args::Shown;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::view::{self, Listed, View, may_hold};
use crate::client::harmless;
use crate::wire::messages::events::EventRow;

/// A terminal that has less room than this beside the other columns gets the last one on a line of its own.
const LAST_WIDTH: usize = 40;

/// Rows that are held to be sorted, at most: an event is larger than a row of other lists.
const HELD_MAX: usize = 200_000;

/// Sorted rows that are printed at once.
const PRINTED_ROWS: usize = 2_048;

/// Where events go.
pub(super) struct Sink {
    form: Form,
    view: View<EventRow>,
    /// Rows that wait to be sorted.
    held: Vec<EventRow>,
    /// How wide the columns of lines were so far: later ones stand below earlier ones.
    widths: Vec<usize>,
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
        let view = shown.view(json);
        let form = match view.form() {
            view::Form::Json if shown.follow => Form::JsonLines,
            view::Form::Json => Form::JsonList,
            view::Form::Csv => Form::Csv,
            view::Form::Table => Form::Columns(width()),
        };
        Self {
            form,
            view,
            held: Vec::new(),
            widths: Vec::new(),
            is_begun: false,
            is_closed: false,
        }
    }

    /// Leaves the rows that have the text that is looked for.
    pub(super) fn keep_found(&self, rows: &mut Vec<EventRow>) {
        rows.retain(|row| self.view.finds(row));
    }

    /// Whether a text is looked for.
    pub(super) const fn searches(&self) -> bool {
        self.view.is_search()
    }

    /// Prints rows, or holds them to be sorted; false once nobody reads any more, as behind `head`.
    pub(super) fn rows(&mut self, rows: Vec<EventRow>) -> Result<bool, CliError> {
        if !self.view.is_sorted() {
            return self.print(&rows);
        }
        self.held.extend(rows);
        may_hold(self.held.len(), HELD_MAX)?;
        Ok(true)
    }

    fn print(&mut self, rows: &[EventRow]) -> Result<bool, CliError> {
        let text = match self.form {
            Form::Columns(width) => self.lines(rows, width),
            Form::Csv => {
                let heads = (!self.is_begun).then(|| self.view.heads());
                output::csv_text(heads, rows.iter().map(|row| self.view.cells(row)))?
            }
            Form::JsonLines => {
                let lines: Result<String, CliError> = rows
                    .iter()
                    .map(|row| output::json_text(&row.json(), false).map(|text| text + "\n"))
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

    /// Rows as lines, below the names of their columns where they are the first ones.
    fn lines(&mut self, rows: &[EventRow], width: Option<usize>) -> String {
        let shown = |row: &EventRow| -> Vec<String> {
            let cells = self.view.cells(row).into_iter();
            cells.map(|cell| harmless::text(&cell)).collect()
        };
        let heads = (!self.is_begun && !rows.is_empty()).then(|| self.view.heads());
        let lines: Vec<Vec<String>> = heads.into_iter().chain(rows.iter().map(shown)).collect();
        for cells in &lines {
            self.widths.resize(cells.len(), 0);
            for (widest, cell) in self.widths.iter_mut().zip(cells) {
                *widest = cell.chars().count().max(*widest);
            }
        }
        lines.iter().map(|cells| columns(cells, &self.widths, width)).collect()
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

    /// Prints what was held, and what ends it.
    pub(super) fn end(mut self) -> Result<(), CliError> {
        let mut held = std::mem::take(&mut self.held);
        self.view.sort(&mut held);
        for rows in held.chunks(PRINTED_ROWS) {
            if !self.print(rows)? {
                return Ok(());
            }
        }
        match self.form {
            Form::JsonList if self.is_begun => output::write("\n]\n"),
            Form::JsonList => {
                output::json_begins();
                output::write("[]\n")
            }
            Form::Columns(_) if !self.is_begun => output::line("no such event"),
            Form::Csv if !self.is_begun => self.print(&[]).map(drop),
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

/// Cells in columns that are so wide; the last one is broken into lines where the terminal is narrower.
fn columns(cells: &[String], widths: &[usize], width: Option<usize>) -> String {
    let Some((last, cells)) = cells.split_last() else {
        return String::new();
    };
    let padded = cells.iter().zip(widths).map(|(cell, &wide)| format!("{cell:wide$}  "));
    let front: String = padded.collect();
    let taken = front.chars().count();
    let Some(width) = width else {
        return format!("{}\n", format!("{front}{last}").trim_end());
    };
    if width < taken + LAST_WIDTH {
        let lines = wrapped(last, width.saturating_sub(2).max(10));
        return format!("{}\n  {}\n", front.trim_end(), lines.join("\n  "));
    }
    let lines = wrapped(last, width - taken).join(&format!("\n{:taken$}", ""));
    format!("{}\n", format!("{front}{lines}").trim_end())
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
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::wire::EventKind;

    fn sink(line: &str) -> Sink {
        let Command::Events(asked) = Cli::try_parse_from(line.split(' ')).expect("good").command else {
            panic!("another command")
        };
        Sink::new(false, &asked.options.shown)
    }

    fn refused(host_name: &str) -> EventRow {
        EventRow {
            host_name: Some(host_name.to_owned()),
            kind: EventKind::REFUSED,
            mac: Some([0, 0, 0x5e, 0, 0x53, 1]),
            ..EventRow::default()
        }
    }

    #[test]
    fn a_sentence_is_fitted_to_its_terminal() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("overlong two", 4), ["overlong", "two"]);
        let lines =
            |width| sink("seatkeeper events").lines(&[refused("a\u{1b}[2J-of-the-accounting-department")], width);
        let wide = lines(Some(80));
        assert!(
            wide.lines().count() > 2 && wide.lines().all(|line| line.chars().count() <= 80),
            "{wide}"
        );
        assert!(
            wide.contains("\n1970-01-01 00:00:00  refused  ") && !wide.contains('\u{1b}'),
            "{wide:?}"
        );
        let narrow = lines(Some(40));
        assert!(
            narrow.lines().count() > 3 && narrow.lines().all(|line| line.chars().count() <= 40),
            "{narrow}"
        );
        assert_eq!(lines(None).lines().count(), 2);
    }

    #[test]
    fn later_lines_stand_below_earlier_ones() {
        let mut sink = sink("seatkeeper events --columns host,mac,count");
        let mut all = sink.lines(&[refused("a-long-name"), refused("b")], None);
        sink.is_begun = true;
        all.push_str(&sink.lines(&[refused("c")], None));
        let lines: Vec<_> = all.lines().collect();
        assert_eq!(
            lines,
            [
                "host         mac                count",
                "a-long-name  00:00:5e:00:53:01",
                "b            00:00:5e:00:53:01",
                "c            00:00:5e:00:53:01"
            ]
        );
    }

    // proves V1
    #[test]
    fn what_is_sorted_has_a_bound() {
        let mut sorted = sink("seatkeeper events --sort host");
        let rows = vec![EventRow::default(); HELD_MAX];
        assert!(sorted.rows(rows).is_ok_and(|reads_on| reads_on) && !sorted.is_begun);
        let refused = sorted
            .rows(vec![refused("one more")])
            .expect_err("too many")
            .to_string();
        assert!(
            refused.contains("at most 200000") && refused.contains("--csv | sort"),
            "{refused}"
        );
    }
}
