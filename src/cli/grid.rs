//! Tables as text, fitted to where they are shown: a pipe gets the whole width; a terminal what fits it, the most
//! important columns first.

use std::io::IsTerminal;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use crate::client::harmless;

/// Where a terminal is too narrow, a column of free text takes so many places and wraps.
const WRAPPED_WIDTH: u16 = 24;

/// What a column takes besides its content: two blanks and a line.
const FRAME: usize = 3;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    /// Which columns stay where there is no room for all: the lowest ranks.
    pub(super) rank: u8,
    /// Whether its cells may be broken into lines: serials and addresses must not.
    pub(super) wraps: bool,
}

/// Columns and rows, to be shown.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    heads: Vec<Head<'a>>,
    rows: Vec<Vec<String>>,
    /// Whether columns may be left out where there is no room.
    may_drop: bool,
}

/// A table, and the columns that it has no room for.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Fitted {
    pub(super) text: String,
    pub(super) dropped: Vec<String>,
}

impl<'a> Grid<'a> {
    /// A table of all its columns.
    pub(super) fn whole(names: &[&'a str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let head = |name: &&'a str| Head {
            name,
            rank: 0,
            wraps: false,
        };
        Self::new(names.iter().map(head).collect(), rows, false)
    }

    /// A table that leaves out columns on a narrow terminal, if that is allowed.
    pub(super) fn new(heads: Vec<Head<'a>>, rows: impl IntoIterator<Item = Vec<String>>, may_drop: bool) -> Self {
        let shown = |row: Vec<String>| row.iter().map(|cell| harmless::text(cell)).collect();
        Self {
            heads,
            rows: rows.into_iter().map(shown).collect(),
            may_drop,
        }
    }

    /// As standard output shows it.
    pub(super) fn on_stdout(&self) -> Fitted {
        let is_terminal = std::io::stdout().is_terminal();
        let width = is_terminal.then(|| Table::new().width()).flatten();
        self.fitted(width.map(usize::from))
    }

    /// Fitted to so many places; whole without a number.
    fn fitted(&self, width: Option<usize>) -> Fitted {
        let all: Vec<usize> = (0..self.heads.len()).collect();
        let Some(width) = width else {
            return Fitted {
                text: self.table(&all).to_string(),
                dropped: Vec::new(),
            };
        };
        let whole = self.table(&all);
        let widths: Vec<usize> = whole.column_max_content_widths().into_iter().map(usize::from).collect();
        if widths.iter().map(|content| content + FRAME).sum::<usize>() < width {
            return Fitted {
                text: whole.to_string(),
                dropped: Vec::new(),
            };
        }
        match self.chosen(&widths, width) {
            Some(chosen) => {
                let dropped = all.iter().filter(|column| !chosen.contains(column));
                let names = dropped.filter_map(|column| self.heads.get(*column));
                Fitted {
                    text: self.wrapped(&chosen, width).to_string(),
                    dropped: names.map(|head| head.name.to_owned()).collect(),
                }
            }
            None => Fitted {
                text: self.records(),
                dropped: Vec::new(),
            },
        }
    }

    /// The columns that fit, the most important ones first; nothing where too few do for a table.
    fn chosen(&self, widths: &[usize], width: usize) -> Option<Vec<usize>> {
        let mut ranked: Vec<(usize, &Head<'_>)> = self.heads.iter().enumerate().collect();
        ranked.sort_by_key(|(_, head)| head.rank);
        let mut left = width.checked_sub(1)?;
        let mut chosen = Vec::new();
        for (column, head) in ranked {
            let content = widths.get(column).copied().unwrap_or_default();
            let takes = FRAME
                + if head.wraps {
                    content.min(usize::from(WRAPPED_WIDTH))
                } else {
                    content
                };
            match left.checked_sub(takes) {
                Some(rest) => {
                    left = rest;
                    chosen.push(column);
                }
                // Without what a row is known by there is no table.
                None if !self.may_drop || head.rank == 0 => return None,
                None => {}
            }
        }
        chosen.sort_unstable();
        Some(chosen)
    }

    fn table(&self, columns: &[usize]) -> Table {
        let pick = |row: &Vec<String>| -> Vec<String> {
            let cells = columns.iter().filter_map(|column| row.get(*column));
            cells.cloned().collect()
        };
        let heads = columns.iter().filter_map(|column| self.heads.get(*column));
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_header(heads.map(|head| head.name))
            .add_rows(self.rows.iter().map(pick));
        table
    }

    fn wrapped(&self, columns: &[usize], width: usize) -> Table {
        let mut table = self.table(columns);
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        for (place, column) in columns.iter().enumerate() {
            let wraps = self.heads.get(*column).is_some_and(|head| head.wraps);
            let constraint = if wraps {
                ColumnConstraint::UpperBoundary(Width::Fixed(WRAPPED_WIDTH + 2))
            } else {
                ColumnConstraint::ContentWidth
            };
            if let Some(column) = table.column_mut(place) {
                column.set_constraint(constraint);
            }
        }
        table
    }

    /// What a terminal too narrow for a table shows: a line for each cell.
    fn records(&self) -> String {
        let width = self.heads.iter().map(|head| head.name.len()).max().unwrap_or(0);
        let record = |row: &Vec<String>| {
            let cells = self.heads.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            let lines = cells.map(|(head, cell)| format!("{:width$}  {cell}\n", head.name));
            lines.collect::<String>()
        };
        let records: Vec<String> = self.rows.iter().map(record).collect();
        if records.is_empty() {
            return "none".to_owned();
        }
        records.join("\n").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, rank: u8, wraps: bool) -> Head<'_> {
        Head { name, rank, wraps }
    }

    fn seats(host: &str, may_drop: bool) -> Grid<'static> {
        let heads = vec![
            head("product", 0, false),
            head("name", 4, true),
            head("host", 1, true),
            head("mac", 0, false),
            head("serial", 2, false),
            head("renew by", 3, false),
        ];
        let cells = [
            "BKSRV",
            "Backup for Servers",
            host,
            "00:00:5e:00:53:01",
            "2763Q3AVJ1959WJ7",
            "2026-03-02 00:00:00",
        ];
        Grid::new(heads, [cells.map(str::to_owned).to_vec()], may_drop)
    }

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    // proves V1
    #[test]
    fn a_terminal_of_80_columns_shows_the_most_important_columns_and_says_which_it_does_not() {
        let fitted = seats("srv-1", true).fitted(Some(80));
        assert!(widest(&fitted.text) <= 80, "{}", fitted.text);
        assert_eq!(fitted.dropped, ["name"]);
        assert_eq!(seats("srv-1", true).fitted(Some(79)).dropped, ["renew by"]);
        for shown in ["BKSRV", "srv-1", "00:00:5e:00:53:01", "2763Q3AVJ1959WJ7"] {
            assert!(fitted.text.contains(shown), "{shown} is broken: {}", fitted.text);
        }
        assert!(seats("srv-1", true).fitted(Some(200)).dropped.is_empty());
    }

    // proves V1
    #[test]
    fn a_long_name_wraps_and_breaks_no_serial() {
        let long = "h".repeat(253);
        let fitted = seats(&long, true).fitted(Some(80));
        assert!(widest(&fitted.text) <= 80, "{}", fitted.text);
        assert_eq!(
            fitted.text.matches('h').count(),
            253 + 1,
            "all of the name: {}",
            fitted.text
        );
        assert!(fitted.text.contains("00:00:5e:00:53:01"), "{}", fitted.text);
        // A pipe gets all of it on one line.
        assert!(seats(&long, true).fitted(None).text.contains(&long));
    }

    #[test]
    fn a_terminal_too_narrow_for_what_was_asked_for_gets_whole_cells_on_lines_of_their_own() {
        for grid in [
            seats("srv-1", false).fitted(Some(80)),
            seats("srv-1", true).fitted(Some(20)),
        ] {
            assert!(grid.text.contains("\nserial    2763Q3AVJ1959WJ7\n"), "{}", grid.text);
        }
        let rows = [["BKSRV", "", "3"], ["BKWKS", "4G79VFQKA5AEW1FX", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            Grid::whole(&["product", "serial", "total"], rows).records(),
            "product  BKSRV\ntotal    3\n\nproduct  BKWKS\nserial   4G79VFQKA5AEW1FX\ntotal    1"
        );
        assert_eq!(Grid::whole(&["product"], []).records(), "none");
    }
}
