//! What deployers type.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args};

use crate::domain::ids::{IdError, Mac, ProductId, ReservationId, VendorId};
use crate::domain::reservation::RESERVE_SECS_MAX;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("for whom").args(["macs", "count"]).required(true))]
pub(in crate::cli) struct ReserveOptions {
    /// The product.
    pub(in crate::cli) product: ProductId,
    /// The machines to be deployed: a file with a MAC address a line, `#` before comments; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) macs: Option<PathBuf>,
    /// Hold so many seats for machines that are not known yet; each takes one when it checks out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) count: Option<u32>,
    /// For how long, as 90s, 30m, 48h or 7d; at most 30 days.
    #[arg(long = "for", value_name = "TIME", default_value = "48h", value_parser = lasting)]
    pub(in crate::cli) secs: u32,
    /// Fail instead of using the kind of license, machine or deployment, that the product prefers less.
    #[arg(long, conflicts_with = "count")]
    pub(in crate::cli) preferred_only: bool,
    /// The product's vendor, where two vendors have a product of this id.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) vendor: Option<VendorId>,
    /// The name of a reservation whose answer was lost: what it has is told, and nothing is reserved twice.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) reservation: Option<ReservationId>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct SettleOptions {
    /// The reservation, as `reserve` printed it.
    pub(in crate::cli) reservation: ReservationId,
    /// Its product; can be left out as long as `seatkeeper reservations` lists the reservation.
    #[arg(value_name = "PRODUCT")]
    pub(in crate::cli) named: Option<Named>,
    /// The machines; without any, all that the reservation still has.
    #[arg(value_name = "MAC")]
    pub(in crate::cli) macs: Vec<Mac>,
    /// More machines: a file as `reserve` takes it.
    #[arg(long = "macs", value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// The product's vendor, where two vendors have a product of this id.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) vendor: Option<VendorId>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct CommitOptions {
    #[command(flatten)]
    pub(in crate::cli) settle: SettleOptions,
    /// Refuse a machine whose unit lapsed rather than use the kind of license that the product prefers less.
    #[arg(long)]
    pub(in crate::cli) preferred_only: bool,
}

/// What stands behind a reservation: its product, or, where that is left out, the first machine already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Named {
    Machine(Mac),
    Product(ProductId),
}

impl FromStr for Named {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.parse() {
            Ok(mac) => Ok(Self::Machine(mac)),
            Err(_) => text.parse().map(Self::Product),
        }
    }
}

/// Reads for how long something is reserved, in seconds (rule X4).
pub(super) fn lasting(text: &str) -> Result<u32, String> {
    lasting_up_to(text, RESERVE_SECS_MAX)
}

/// Reads a time, in seconds: one at least, `max` at most.
pub(super) fn lasting_up_to(text: &str, max: u64) -> Result<u32, String> {
    const FORM: &str = "write it as 90s, 30m, 48h or 7d";
    let span: jiff::Span = text.parse().map_err(|_| FORM.to_owned())?;
    // Years and months have no length of their own.
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| FORM.to_owned())?;
    match duration.as_secs() {
        ..1 => Err("it must be one second at least".to_owned()),
        secs => match u32::try_from(secs) {
            Ok(secs) if u64::from(secs) <= max => Ok(secs),
            Ok(_) | Err(_) => Err(format!("it must be {} days at most", max / 86_400)),
        },
    }
}
