//! How the shorter lists are asked for: columns, order and search as of the others.

use clap::Args;

use super::views::{Shape, Sorting, names};
use crate::cli::view::{Form, Listed, View};
use crate::domain::ids::{ProductId, ReservationId};
use crate::wire::messages::deploy::ReservationRow;
use crate::wire::messages::views::{AdminRow, ProductRow};

#[derive(Args, Debug)]
pub(in crate::cli) struct ProductFilter {
    /// Show these columns, in this order: names separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(ProductRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = Sorting::by(ProductRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ReservationFilter {
    /// What this one has for each machine, or on each license.
    #[arg(conflicts_with_all = ["product", "columns", "sort", "search"])]
    pub(in crate::cli) reservation: Option<ReservationId>,
    /// Only the reservations of this product.
    #[arg(long)]
    pub(in crate::cli) product: Option<ProductId>,
    /// Show these columns, in this order: names separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(ReservationRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = Sorting::by(ReservationRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AdminFilter {
    /// Show these columns, in this order: names separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(AdminRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = Sorting::by(AdminRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

impl ProductFilter {
    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<ProductRow> {
        self.shape.view(json, &self.columns, &self.sort)
    }
}

impl ReservationFilter {
    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<ReservationRow> {
        self.shape.view(json, &self.columns, &self.sort)
    }

    /// The form in which a single one is shown.
    pub(in crate::cli) fn form(&self, json: bool) -> Form {
        self.view(json).form()
    }
}

impl AdminFilter {
    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<AdminRow> {
        self.shape.view(json, &self.columns, &self.sort)
    }
}
