//! Refusals that are still counted stand among the durable events by when they were last. They have no place of their own yet:
//! the server tells all of them behind the others, or before those with the newest first.

use std::collections::VecDeque;

use super::{Pages, is_counted};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::wire::messages::events::{EventRow, Events};

/// What was still counted at the beginning, in the order in which events are listed.
#[derive(Debug)]
pub(super) struct Counting {
    rows: VecDeque<EventRow>,
    newest_first: bool,
}

/// All that is still counted, and the last round that was durable then: what is durable later is no part of this list, or a
/// refusal would stand in it twice.
pub(super) async fn all(
    session: &mut Session,
    wanted: Events,
    newest_first: bool,
) -> Result<(Counting, u64), CliError> {
    let mut pages = Pages::new(wanted, true);
    let (mut rows, mut through) = (VecDeque::new(), None);
    while let Some(page) = pages.next(session).await? {
        through.get_or_insert(page.through);
        let (asked, is_over) = (page.rows.len(), !is_counted(&page.next));
        rows.extend(page.rows.into_iter().filter(|row| is_counted(&row.place)));
        if is_over || asked > rows.len() {
            break;
        }
    }
    if !newest_first {
        rows.make_contiguous().reverse();
    }
    Ok((Counting { rows, newest_first }, through.unwrap_or_default()))
}

impl Counting {
    /// The next durable events with those that were last refused before each.
    pub(super) fn merged(&mut self, durable: impl Iterator<Item = EventRow>) -> Vec<EventRow> {
        let mut merged = Vec::new();
        for row in durable {
            let comes_first = |counted: &&EventRow| {
                if self.newest_first {
                    counted.at >= row.at
                } else {
                    counted.at < row.at
                }
            };
            let count = self.rows.iter().take_while(comes_first).count();
            merged.extend(self.rows.drain(..count));
            merged.push(row);
        }
        merged
    }

    /// Those that come behind every durable event.
    pub(super) fn rest(&mut self) -> Vec<EventRow> {
        std::mem::take(&mut self.rows).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: u64) -> EventRow {
        EventRow {
            at,
            ..EventRow::default()
        }
    }

    // proves V3
    #[test]
    fn what_is_counted_stands_among_the_durable_events_of_every_page_by_when_it_was_last() {
        let listed = |newest_first, counted: &[u64], pages: [&[u64]; 2]| -> Vec<u64> {
            let mut counting = Counting {
                rows: counted.iter().map(|at| row(*at)).collect(),
                newest_first,
            };
            let mut rows: Vec<EventRow> = pages
                .iter()
                .flat_map(|page| counting.merged(page.iter().map(|at| row(*at))))
                .collect();
            rows.extend(counting.rest());
            rows.iter().map(|row| row.at).collect()
        };
        assert_eq!(
            listed(false, &[1, 4, 6, 9], [&[2, 3], &[5, 8]]),
            [1, 2, 3, 4, 5, 6, 8, 9]
        );
        assert_eq!(
            listed(true, &[9, 6, 4, 1], [&[8, 5], &[3, 2]]),
            [9, 8, 6, 5, 4, 3, 2, 1]
        );
        assert_eq!(listed(false, &[7], [&[], &[]]), [7]);
        // Refusals are written after their hour, so that durable ones need not be in the order of time themselves.
        assert_eq!(listed(false, &[4], [&[5, 2], &[6]]), [4, 5, 2, 6]);
    }
}
