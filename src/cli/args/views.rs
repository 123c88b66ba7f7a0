//! How lists are asked for (rule V1).

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, ValueEnum};

use super::deploy::lasting_up_to;
use crate::cli::view::{Column, Form, Listed, View};
use crate::domain::ids::{Mac, ProductId};
use crate::domain::time::DAY_SECS;
use crate::wire;
use crate::wire::messages::views::{LicenseRow, SeatRow};

/// How long ago a seat may be engaged to be called new: ten years and more.
const NEW_SECS_MAX: u64 = 3_660 * DAY_SECS;

#[derive(Args, Debug)]
pub(in crate::cli) struct LicenseFilter {
    /// Only the licenses of this product.
    #[arg(long)]
    pub(in crate::cli) product: Option<ProductId>,
    #[command(flatten)]
    bought: Bought,
    /// Only licenses that somebody uses.
    #[arg(long, conflicts_with = "unused")]
    pub(in crate::cli) used: bool,
    /// Only licenses that nobody uses.
    #[arg(long)]
    pub(in crate::cli) unused: bool,
    /// Show these columns, in this order: names separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(LicenseRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = Sorting::by(LicenseRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct SeatFilter {
    /// Only the seats of this product.
    #[arg(long)]
    pub(in crate::cli) product: Option<ProductId>,
    /// Only the seats of this machine.
    #[arg(long)]
    pub(in crate::cli) mac: Option<Mac>,
    #[command(flatten)]
    pub(in crate::cli) bought: Bought,
    /// Only seats with a conflict on them.
    #[arg(long)]
    pub(in crate::cli) conflicts: bool,
    /// Only seats on which a new identity waits for approval.
    #[arg(long)]
    pub(in crate::cli) waiting: bool,
    /// Only seats engaged lately, those from one address together.
    #[arg(long)]
    pub(in crate::cli) new: bool,
    /// How lately: 90s, 30m, 24h or 7d.
    #[arg(long = "since", value_name = "TIME", requires = "new", default_value = "24h", value_parser = lately)]
    pub(in crate::cli) since_secs: u32,
    /// Show these columns, in this order: names separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(SeatRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest. The rows are
    /// held in memory for it.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = Sorting::by(SeatRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

/// What is asked of licenses, or of those that seats are of.
#[derive(Args, Debug)]
pub(in crate::cli) struct Bought {
    /// Only licenses bought so, or their seats: one or several, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    kind: Vec<Kind>,
    /// Only licenses of this status, or their seats: one or several, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    status: Vec<Status>,
    /// Only licenses that their vendors renew by themselves, or their seats.
    #[arg(long)]
    auto_renew: bool,
}

/// What every list has.
#[derive(Args, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// Only rows with this text in what is shown of them; large and small letters are the same.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// How a license was bought.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Kind {
    /// For good.
    Commercial,
    /// For a period.
    Subscription,
    /// To try the product.
    Trial,
}

/// Whether a license serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Status {
    /// It serves.
    Valid,
    /// Its time is over.
    Expired,
    /// Its vendor has taken it back.
    Blacklisted,
    /// Another one has taken its place.
    Superseded,
}

impl LicenseFilter {
    /// Whether a row is asked for.
    pub(in crate::cli) fn wants(&self, row: &LicenseRow) -> bool {
        self.product.is_none_or(|product| row.product == product.as_str())
            && self.bought.wants(row)
            && (!self.used || row.used > 0)
            && (!self.unused || row.used == 0)
    }

    /// Whether not every license of a product is asked for.
    pub(in crate::cli) const fn narrows(&self) -> bool {
        self.bought.narrows() || self.used || self.unused || self.shape.search.is_some()
    }

    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<LicenseRow> {
        let Self {
            columns, sort, shape, ..
        } = self;
        shape.view(json, columns, sort)
    }
}

impl Bought {
    /// Whether a license is asked for.
    pub(in crate::cli) fn wants(&self, row: &LicenseRow) -> bool {
        (self.kind.is_empty() || self.kind.iter().any(|kind| kind.code() == row.kind))
            && (self.status.is_empty() || self.status.iter().any(|status| status.code() == row.status))
            && (!self.auto_renew || row.auto_renew)
    }

    /// Whether not every license is.
    pub(in crate::cli) const fn narrows(&self) -> bool {
        !self.kind.is_empty() || !self.status.is_empty() || self.auto_renew
    }
}

impl SeatFilter {
    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<SeatRow> {
        let Self {
            columns, sort, shape, ..
        } = self;
        shape.view(json, columns, sort)
    }
}

impl Shape {
    /// How rows are listed with it.
    pub(super) fn view<R: Listed>(&self, json: bool, columns: &[String], sort: &[String]) -> View<R> {
        View::new(self.form(json), columns, sort, self.search.as_deref())
    }

    const fn form(&self, json: bool) -> Form {
        match (json, self.csv) {
            (true, _) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::Table,
        }
    }
}

impl Kind {
    const fn code(self) -> wire::Kind {
        match self {
            Self::Commercial => wire::Kind::COMMERCIAL,
            Self::Subscription => wire::Kind::SUBSCRIPTION,
            Self::Trial => wire::Kind::TRIAL,
        }
    }
}

impl Status {
    const fn code(self) -> wire::LicenseStatus {
        match self {
            Self::Valid => wire::LicenseStatus::VALID,
            Self::Expired => wire::LicenseStatus::EXPIRED,
            Self::Blacklisted => wire::LicenseStatus::BLACKLISTED,
            Self::Superseded => wire::LicenseStatus::SUPERSEDED,
        }
    }
}

/// Reads how lately something happened, in seconds.
pub(super) fn lately(text: &str) -> Result<u32, String> {
    lasting_up_to(text, NEW_SECS_MAX)
}

/// The names of columns: others are refused with all of these, and with the nearest one.
pub(super) fn names<R>(columns: &[Column<R>]) -> PossibleValuesParser {
    PossibleValuesParser::new(columns.iter().map(|column| PossibleValue::new(column.name)))
}

/// The names of columns, each perhaps with a hyphen in front.
#[derive(Clone, Debug)]
pub(super) struct Sorting(PossibleValuesParser);

impl Sorting {
    pub(super) fn by<R>(columns: &[Column<R>]) -> Self {
        Self(names(columns))
    }
}

impl TypedValueParser for Sorting {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let typed = value.to_string_lossy();
        let name = typed.strip_prefix('-').unwrap_or(&typed);
        self.0.parse_ref(command, arg, OsStr::new(name))?;
        Ok(typed.into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}
