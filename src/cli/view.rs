//! Lists as administrators ask for them (rule V1): columns chosen and ordered, rows found and sorted, as table, CSV or
//! JSON.
//!
//! Rows are printed as their pages come. Only what is to be sorted is held, and so many rows at most.

use std::cmp::Reverse;
use std::net::IpAddr;

use serde::Serialize;

use super::error::CliError;
use super::grid::{Grid, Head};
use super::output::{self, date};
use crate::domain::time::Timestamp;

/// Rows that are held to be sorted, at most.
const HELD_MAX: usize = 1_000_000;

/// From so many on it is said that they are held.
const HELD_TOLD: usize = 100_000;

/// Rows of a table that are measured together; a longer list becomes several tables, so that none has to be held whole.
const TABLE_ROWS: usize = 2_048;

/// A column of a list.
#[derive(Debug)]
pub(super) struct Column<R> {
    /// As it is typed; shown with blanks for hyphens.
    pub(super) name: &'static str,
    shown: Shown,
    /// Which columns stay on a narrow terminal: the lowest ranks; those of 0 always.
    rank: u8,
    /// Whether its cells may be broken into lines.
    wraps: bool,
    cell: fn(&R) -> Cell,
}

impl<R> Column<R> {
    /// A column that is shown unless others were chosen.
    pub(super) const fn new(name: &'static str, rank: u8, cell: fn(&R) -> Cell) -> Self {
        Self {
            name,
            shown: Shown::Always,
            rank,
            wraps: false,
            cell,
        }
    }

    /// Its cells may be broken into lines.
    pub(super) const fn wrapping(mut self) -> Self {
        self.wraps = true;
        self
    }

    pub(super) const fn shown(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }
}

/// When a column is shown where nobody chose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    Always,
    Asked,
    /// In CSV; in a table only where it was asked for.
    Csv,
    /// In a table only where some row has something in it.
    Filled,
}

/// What a row has in a column. Sorts as what it is; nothing comes behind everything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cell {
    Address(IpAddr),
    Date(Timestamp),
    /// All digits of an identity's fingerprint; a table has as many as tell it from others, where all would break its lines.
    Identity(String),
    Nothing,
    Number(u64),
    Text(String),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn number(number: impl Into<u64>) -> Self {
        Self::Number(number.into())
    }

    /// As it is shown.
    fn shown(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Date(at) => date(Some(*at)),
            Self::Nothing => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Identity(text) | Self::Text(text) => text.clone(),
        }
    }

    /// As a table shows it.
    fn in_table(&self) -> String {
        match self {
            Self::Identity(digits) => digits.chars().take(output::IDENTITY_DIGITS).collect(),
            other => other.shown(),
        }
    }

    /// Texts by their letters, large or small; those that differ in nothing else by their bytes.
    fn order(&self) -> Order {
        match self {
            Self::Address(address) => Order::Address(*address),
            Self::Date(at) => Order::Date(*at),
            Self::Number(number) => Order::Number(*number),
            Self::Text(text) if text.is_empty() => Order::Nothing,
            Self::Identity(text) | Self::Text(text) => Order::Text(text.to_lowercase(), text.clone()),
            Self::Nothing => Order::Nothing,
        }
    }
}

/// What a cell sorts by.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Order {
    Address(IpAddr),
    Date(Timestamp),
    Number(u64),
    Text(String, String),
    Nothing,
}

/// What a row sorts by in one column.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Directed {
    Up(Order),
    Down(Reverse<Order>),
}

/// A row that is listed.
pub(super) trait Listed: Sized + 'static {
    /// The row of `--json`.
    type Json: Serialize;
    /// Every column that there is.
    const COLUMNS: &'static [Column<Self>];

    fn json(&self) -> Self::Json;
}

/// A column to sort by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct SortBy {
    column: usize,
    descending: bool,
}

impl SortBy {
    /// Reads `name`, or `-name` for descending.
    pub(super) fn parse<R>(columns: &[Column<R>], typed: &str) -> Option<Self> {
        let name = typed.strip_prefix('-').unwrap_or(typed);
        Some(Self {
            column: columns.iter().position(|column| column.name == name)?,
            descending: typed.starts_with('-'),
        })
    }
}

/// The form of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Csv,
    Json,
    Table,
}

/// How rows are listed.
#[derive(Debug)]
pub(super) struct View<R: 'static> {
    form: Form,
    columns: Vec<&'static Column<R>>,
    /// Whether somebody chose the columns: then none is left out.
    chosen: bool,
    sort: Vec<SortBy>,
    /// In small letters.
    search: Option<String>,
}

impl<R: Listed> View<R> {
    /// The usual columns, or those named; names of no column were refused when they were typed.
    pub(super) fn new(form: Form, columns: &[String], sort: &[String], search: Option<&str>) -> Self {
        let named = |name: &String| R::COLUMNS.iter().find(|column| column.name == name.as_str());
        let is_usual = |column: &&Column<R>| match column.shown {
            Shown::Always | Shown::Filled => true,
            Shown::Asked => false,
            Shown::Csv => form == Form::Csv,
        };
        Self {
            form,
            chosen: !columns.is_empty(),
            columns: match columns {
                [] => R::COLUMNS.iter().filter(is_usual).collect(),
                some => some.iter().filter_map(named).collect(),
            },
            sort: sort
                .iter()
                .filter_map(|typed| SortBy::parse(R::COLUMNS, typed))
                .collect(),
            search: search.map(str::to_lowercase),
        }
    }

    /// Sorted so where nobody said how.
    pub(super) fn sorted_by(mut self, usual: &[&str]) -> Self {
        if self.sort.is_empty() {
            self.sort = usual
                .iter()
                .filter_map(|name| SortBy::parse(R::COLUMNS, name))
                .collect();
        }
        self
    }

    pub(super) const fn form(&self) -> Form {
        self.form
    }

    pub(super) const fn is_sorted(&self) -> bool {
        !self.sort.is_empty()
    }

    pub(super) const fn is_search(&self) -> bool {
        self.search.is_some()
    }

    /// Whether the text that is looked for stands in what is shown of the row; for JSON, in any column.
    pub(super) fn finds(&self, row: &R) -> bool {
        let Some(search) = &self.search else { return true };
        let has = |column: &Column<R>| (column.cell)(row).shown().to_lowercase().contains(search);
        if self.form == Form::Json {
            R::COLUMNS.iter().any(has)
        } else {
            self.columns.iter().copied().any(has)
        }
    }

    fn order(&self, row: &R) -> Vec<Directed> {
        let by = |sort: &SortBy| {
            let order = (R::COLUMNS.get(sort.column)?.cell)(row).order();
            Some(if sort.descending {
                Directed::Down(Reverse(order))
            } else {
                Directed::Up(order)
            })
        };
        self.sort.iter().filter_map(by).collect()
    }

    /// Sorts the rows that were held for it.
    pub(super) fn sort(&self, rows: &mut [R]) {
        if rows.len() >= HELD_TOLD {
            let rows = rows.len();
            output::note(&format!(
                "{rows} rows are held in memory to be sorted; without --sort none is"
            ));
        }
        rows.sort_by_cached_key(|row| self.order(row));
    }

    pub(super) fn cells(&self, row: &R) -> Vec<String> {
        let cell = |cell: Cell| {
            if self.form == Form::Table {
                cell.in_table()
            } else {
                cell.shown()
            }
        };
        self.columns.iter().map(|column| cell((column.cell)(row))).collect()
    }

    /// The names of the columns: as words for people, in CSV as `--columns` takes them.
    pub(super) fn heads(&self) -> Vec<String> {
        let head = |column: &Column<R>| match self.form {
            Form::Csv => column.name.to_owned(),
            Form::Json | Form::Table => column.name.replace('-', " "),
        };
        self.columns.iter().map(|column| head(column)).collect()
    }
}

/// Refuses to hold more rows than `max` to sort them.
pub(super) fn may_hold(rows: usize, max: usize) -> Result<(), CliError> {
    if rows <= max {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "sorting holds every row in memory, at most {max}, and there are more; ask for fewer with --product, --search or \
         another filter, or have another program sort: --csv | sort"
    )))
}

/// Prints rows as they come, or sorted once all are there.
#[derive(Debug)]
pub(super) struct Lister<R: Listed> {
    view: View<R>,
    /// Rows that wait: to be sorted, or for their table to be full.
    held: Vec<R>,
    held_max: usize,
    listed: usize,
    begun: bool,
}

impl<R: Listed> Lister<R> {
    pub(super) const fn new(view: View<R>) -> Self {
        Self {
            view,
            held: Vec::new(),
            held_max: HELD_MAX,
            listed: 0,
            begun: false,
        }
    }

    /// Takes a page, without the rows that are not looked for. Whether anybody reads on.
    pub(super) fn take(&mut self, page: impl IntoIterator<Item = R>) -> Result<bool, CliError> {
        let view = &self.view;
        let before = self.held.len();
        self.held.extend(page.into_iter().filter(|row| view.finds(row)));
        self.listed += self.held.len() - before;
        if !self.view.is_sorted() {
            let is_full = self.view.form != Form::Table || self.held.len() >= TABLE_ROWS;
            if is_full && !self.held.is_empty() {
                self.print_held()?;
            }
            return Ok(output::is_read());
        }
        may_hold(self.held.len(), self.held_max)?;
        Ok(true)
    }

    /// Prints what is left; how many rows were listed.
    pub(super) fn finish(mut self) -> Result<usize, CliError> {
        if self.view.is_sorted() {
            self.view.sort(&mut self.held);
        }
        if !self.held.is_empty() || !self.begun {
            self.print_held()?;
        }
        if self.view.form == Form::Json {
            output::json_list_end(self.listed == 0)?;
        }
        Ok(self.listed)
    }

    fn print_held(&mut self) -> Result<(), CliError> {
        let rows = std::mem::take(&mut self.held);
        let is_first = !std::mem::replace(&mut self.begun, true);
        match self.view.form {
            Form::Json => output::json_list(is_first, rows.iter().map(R::json)),
            Form::Csv => {
                let heads = is_first.then(|| self.view.heads());
                output::csv_rows(heads, rows.iter().map(|row| self.view.cells(row)))
            }
            Form::Table => rows
                .chunks(TABLE_ROWS)
                .chain(rows.is_empty().then_some(&[][..]))
                .try_for_each(|rows| self.view.print_table(rows)),
        }
    }
}

impl<R: Listed> View<R> {
    /// Prints rows as a table.
    pub(super) fn print_table(&self, rows: &[R]) -> Result<(), CliError> {
        let names = self.heads();
        let mut cells: Vec<Vec<String>> = rows.iter().map(|row| self.cells(row)).collect();
        let is_shown = |place: usize, column: &Column<R>| {
            let has = |row: &Vec<String>| row.get(place).is_some_and(|cell| !cell.is_empty());
            self.chosen || column.shown != Shown::Filled || cells.iter().any(has)
        };
        let columns = self.columns.iter().enumerate();
        let shown: Vec<bool> = columns.map(|(place, column)| is_shown(place, column)).collect();
        for row in &mut cells {
            let mut of = shown.iter();
            row.retain(|_| of.next().copied().unwrap_or_default());
        }
        let heads = names.iter().zip(&self.columns).zip(&shown).filter(|(_, shown)| **shown);
        let heads = heads.map(|((name, column), _)| Head {
            name,
            rank: column.rank,
            wraps: column.wraps,
        });
        let fitted = Grid::new(heads.collect(), cells, !self.chosen).on_stdout();
        output::line(&fitted.text)?;
        if !fitted.dropped.is_empty() {
            output::note(&format!(
                "no room for {}: see them in a wider terminal, or choose with --columns",
                fitted.dropped.join(", ")
            ));
        }
        Ok(())
    }

    /// The usual columns, as a table.
    #[cfg(feature = "demo")]
    pub(super) fn usual() -> Self {
        Self::new(Form::Table, &[], &[], None)
    }
}

#[cfg(test)]
mod tests;
