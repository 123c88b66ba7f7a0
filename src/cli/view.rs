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
    /// In a table; in CSV only where it was asked for.
    Table,
}

/// What a row has in a column. Sorts as what it is; nothing comes behind everything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cell {
    Address(IpAddr),
    Date(Timestamp),
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
            Self::Text(text) => text.clone(),
        }
    }

    /// Texts by their letters, large or small; those that differ in nothing else by their bytes.
    fn order(&self) -> Order {
        match self {
            Self::Address(address) => Order::Address(*address),
            Self::Date(at) => Order::Date(*at),
            Self::Number(number) => Order::Number(*number),
            Self::Text(text) if text.is_empty() => Order::Nothing,
            Self::Text(text) => Order::Text(text.to_lowercase(), text.clone()),
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
            Shown::Table => form != Form::Csv,
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
        self.columns.iter().map(|column| (column.cell)(row).shown()).collect()
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.columns
            .iter()
            .map(|column| column.name.replace('-', " "))
            .collect()
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
mod tests {
    use super::*;

    struct Machine {
        name: &'static str,
        address: Option<&'static str>,
        seen: u64,
    }

    impl Listed for Machine {
        type Json = &'static str;

        const COLUMNS: &'static [Column<Self>] = &[
            Column::<Self>::new("name", 0, |row| Cell::text(row.name)).wrapping(),
            Column::<Self>::new("address", 1, |row| {
                row.address
                    .map_or(Cell::Nothing, |text| Cell::Address(text.parse().expect("good")))
            }),
            Column::<Self>::new("seen-times", 2, |row| Cell::number(row.seen)).shown(Shown::Asked),
        ];

        fn json(&self) -> &'static str {
            self.name
        }
    }

    const MACHINES: [Machine; 4] = [
        machine("b", Some("10.0.0.10"), 9),
        machine("A", Some("10.0.0.9"), 10),
        machine("c", None, 10),
        machine("a", Some("2001:db8::1"), 100),
    ];

    const fn machine(name: &'static str, address: Option<&'static str>, seen: u64) -> Machine {
        Machine { name, address, seen }
    }

    fn view(form: Form, columns: &[&str], sort: &[&str], search: Option<&str>) -> View<Machine> {
        let [columns, sort] =
            [columns, sort].map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        View::new(form, &columns, &sort, search)
    }

    fn sorted(by: &[&str]) -> String {
        let view = view(Form::Csv, &[], by, None);
        let mut rows: Vec<&Machine> = MACHINES.iter().collect();
        rows.sort_by_cached_key(|row| view.order(row));
        rows.iter().map(|row| row.name).collect()
    }

    // proves V1
    #[test]
    fn numbers_addresses_and_texts_sort_as_what_they_are_and_nothing_comes_last() {
        assert_eq!(sorted(&["seen-times", "name"]), "bAca");
        assert_eq!(sorted(&["-seen-times", "-name"]), "acAb");
        assert_eq!(sorted(&["address"]), "Abac");
        assert_eq!(sorted(&["name"]), "Aabc");
        assert!(
            Order::Date(Timestamp(5)) < Order::Date(Timestamp::MAX),
            "never comes last"
        );
    }

    // proves V1
    #[test]
    fn what_is_looked_for_is_looked_for_in_what_is_shown() {
        let found = |form, columns: &[&str], text| {
            let view = view(form, columns, &[], Some(text));
            let rows = MACHINES.iter().filter(|row| view.finds(row));
            rows.map(|row| row.name).collect::<String>()
        };
        assert_eq!(found(Form::Table, &[], "a"), "Aa");
        assert_eq!(found(Form::Table, &[], "10.0.0."), "bA");
        assert_eq!(found(Form::Csv, &["name"], "10"), "", "no name has it");
        assert_eq!(found(Form::Csv, &["seen-times"], "10"), "Aca");
        assert_eq!(found(Form::Json, &[], "100"), "a", "JSON has every column");
    }

    #[test]
    fn what_is_sorted_has_a_bound_and_what_is_not_is_not_held() {
        let lister = |sort: &[&str]| Lister {
            held_max: 3,
            ..Lister::new(view(Form::Table, &[], sort, None))
        };
        let refused = lister(&["name"]).take(MACHINES).expect_err("too many").to_string();
        assert!(
            refused.contains("at most 3") && refused.contains("--csv | sort"),
            "{refused}"
        );
        let mut all = lister(&[]);
        assert!(all.take(MACHINES).is_ok());
        assert_eq!(all.held.len(), MACHINES.len(), "until its table is full");
        let sorted = lister(&["name"]);
        let (mut found, rows) = (sorted, MACHINES.into_iter().take(3));
        assert!(found.take(rows).is_ok_and(|reads_on| reads_on));
    }

    // proves V1
    #[test]
    fn columns_stand_in_the_order_in_which_they_were_named() {
        assert_eq!(view(Form::Table, &[], &[], None).heads(), ["name", "address"]);
        let chosen = view(Form::Table, &["seen-times", "name"], &[], None);
        assert_eq!(chosen.heads(), ["seen times", "name"]);
        assert_eq!(chosen.cells(&MACHINES[0]), ["9", "b"]);
    }
}
