//! Who was refused for want of what is scarce: that a product is used up is a fact, and only then a fault.

use std::collections::BTreeMap;

use crate::cli::error::CliError;
use crate::cli::events::Pages;
use crate::cli::session::Session;
use crate::domain::time::DAY_SECS;
use crate::wire::messages::events::{EventRow, Events};
use crate::wire::messages::views::StatusOk;
use crate::wire::{EventKind, Status};

/// A refusal counts for so long.
pub(super) const LATELY_SECS: u64 = DAY_SECS;

/// Scarce products, each with when somebody was last refused for want of it within [`LATELY_SECS`].
#[derive(Debug, Default)]
pub(in crate::cli) struct Wanting(BTreeMap<([u8; 16], String), Option<u64>>);

impl Wanting {
    /// Asks for the refusals where something is scarce.
    pub(in crate::cli) async fn ask(session: &mut Session, status: &StatusOk) -> Result<Self, CliError> {
        let mut wanting = Self::of(status);
        if wanting.0.is_empty() {
            return Ok(wanting);
        }
        let lately = Events {
            since: Some(status.server_time.saturating_sub(LATELY_SECS)),
            kinds: vec![EventKind::REFUSED],
            ..Events::default()
        };
        let mut pages = Pages::new(lately, true);
        while let Some(page) = pages.next(session).await? {
            page.rows.iter().for_each(|row| wanting.note(row));
            if wanting.0.values().all(Option::is_some) {
                break;
            }
        }
        Ok(wanting)
    }

    fn of(status: &StatusOk) -> Self {
        let scarce = status.scarce.iter();
        Self(scarce.map(|row| ((row.vendor, row.product.clone()), None)).collect())
    }

    fn note(&mut self, row: &EventRow) {
        if row.status != Some(Status::SEATS_EXHAUSTED) {
            return;
        }
        for ((vendor, product), at) in &mut self.0 {
            let is_of_it = row.product.as_ref() == Some(product) && row.vendor.is_none_or(|named| named == *vendor);
            if is_of_it {
                *at = (*at).max(Some(row.at));
            }
        }
    }

    /// When somebody was last refused for want of this product.
    pub(super) fn since(&self, vendor: [u8; 16], product: &str) -> Option<u64> {
        self.0.get(&(vendor, product.to_owned())).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::views::ScarceRow;

    #[test]
    fn the_last_refusal_for_want_of_a_scarce_product_is_noted_and_no_other_one() {
        let scarce = |vendor| ScarceRow {
            vendor: [vendor; 16],
            product: "BKSRV".to_owned(),
            ..ScarceRow::default()
        };
        let status = StatusOk {
            scarce: vec![scarce(1), scarce(2)],
            ..StatusOk::default()
        };
        let refused = |vendor: Option<u8>, product: &str, status, at| EventRow {
            vendor: vendor.map(|vendor| [vendor; 16]),
            product: Some(product.to_owned()),
            status: Some(status),
            at,
            ..EventRow::default()
        };
        let short = Status::SEATS_EXHAUSTED;
        let mut wanting = Wanting::of(&status);
        wanting.note(&refused(Some(1), "BKWKS", short, 9));
        wanting.note(&refused(Some(1), "BKSRV", Status::CONFLICT, 9));
        assert_eq!(wanting.since([1; 16], "BKSRV"), None);
        wanting.note(&refused(Some(1), "BKSRV", short, 7));
        wanting.note(&refused(Some(1), "BKSRV", short, 5));
        assert_eq!(
            [1, 2].map(|vendor| wanting.since([vendor; 16], "BKSRV")),
            [Some(7), None]
        );
        wanting.note(&refused(None, "BKSRV", short, 8));
        assert_eq!(
            [1, 2].map(|vendor| wanting.since([vendor; 16], "BKSRV")),
            [Some(8); 2],
            "it may be either's"
        );
    }
}
