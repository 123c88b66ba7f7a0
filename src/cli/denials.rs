//! `denials`: refusals summed up, and how many seats more would have been enough.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::{DenialsOptions, Global};
use super::error::CliError;
use super::events::{Pages, reason_name};
use super::output;
use super::session::Session;
use super::view::{Cell, Column, Form, Listed, Lister, Shown, View};
use crate::domain::time::{DAY_SECS, Timestamp};
use crate::wire::messages::events::{EventRow, Events};
use crate::wire::{EventKind, Status};

/// Machines that are held in memory, at most: of a day, a product and a reason each.
const MACHINES_MAX: usize = 500_000;

/// A row of `denials --json`.
#[derive(Clone, Serialize)]
pub(super) struct Row {
    day: String,
    vendor: Option<String>,
    product: Option<String>,
    status: String,
    count: u64,
    machines: u64,
    seats_more: Option<u64>,
}

impl Listed for Row {
    type Json = Self;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("day", 0, |row| Cell::text(&row.day)),
        Column::<Self>::new("product", 0, |row| {
            row.product.as_ref().map_or(Cell::Nothing, Cell::text)
        }),
        Column::<Self>::new("vendor", 5, |row| row.vendor.as_ref().map_or(Cell::Nothing, Cell::text))
            .shown(Shown::Asked),
        Column::<Self>::new("reason", 1, |row| Cell::text(&row.status)),
        Column::<Self>::new("refused", 3, |row| Cell::number(row.count)),
        Column::<Self>::new("machines", 4, |row| Cell::number(row.machines)),
        Column::<Self>::new("seats-more", 2, |row| {
            row.seats_more.map_or(Cell::Nothing, Cell::number)
        }),
    ];

    fn json(&self) -> Self {
        self.clone()
    }
}

/// What is summed up together.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    day: u64,
    product: Option<String>,
    vendor: Option<[u8; 16]>,
    status: Status,
}

#[derive(Debug, Default)]
struct Sum {
    count: u64,
    /// When each machine was refused last.
    machines: BTreeMap<[u8; 6], u64>,
    /// Machines that engaged a seat later on the same day.
    served: u64,
    /// The most seats that a reservation lacked.
    lacked: u64,
    /// Whether a request named no machine, and no seats that it lacked.
    has_unnamed: bool,
}

impl Sum {
    /// Takes another one in.
    fn take(&mut self, other: Self) {
        self.count += other.count;
        self.served += other.served;
        self.lacked = self.lacked.max(other.lacked);
        self.has_unnamed |= other.has_unnamed;
        for (mac, at) in other.machines {
            let last = self.machines.entry(mac).or_default();
            *last = at.max(*last);
        }
    }

    /// With so many more each machine would have had a seat, and each reservation would have been made. Never 0 where a
    /// request that named neither was refused too: that would say that it lacked nothing.
    fn seats_more(&self) -> Option<u64> {
        let more = self.machines.len() as u64 - self.served + self.lacked;
        (more > 0 || !self.has_unnamed).then_some(more)
    }
}

/// Refusals by day, product and reason.
#[derive(Debug, Default)]
struct Sums {
    sums: BTreeMap<Key, Sum>,
    machines: usize,
}

pub(super) async fn run(global: &Global, options: DenialsOptions) -> Result<(), CliError> {
    let view = options.view(global.json);
    let mut session = Session::open(global).await?;
    let now = session.server_time();
    let refused = Events {
        since: Some(options.since.at(now).0),
        until: options.until.map(|until| until.at(now).0),
        product: options.product.map(|product| product.as_str().to_owned()),
        kinds: vec![EventKind::REFUSED],
        ..Events::default()
    };
    let mut sums = Sums::default();
    let mut pages = Pages::new(refused.clone(), false);
    while let Some(page) = pages.next(&mut session).await? {
        let rows = page
            .rows
            .iter()
            .filter(|row| options.reason.is_none() || row.status == options.reason);
        for row in rows {
            sums.add(row)?;
        }
    }
    sums.fold();
    if let Some((since, until)) = sums.days_of_want() {
        let engaged = Events {
            since: Some(since),
            until: Some(until),
            kinds: vec![EventKind::SEAT_ENGAGED],
            ..refused
        };
        let mut pages = Pages::new(engaged, false);
        while let Some(page) = pages.next(&mut session).await? {
            for row in &page.rows {
                sums.serve(row);
            }
        }
    }
    list(view, sums.rows())
}

fn list(view: View<Row>, mut rows: Vec<Row>) -> Result<(), CliError> {
    if view.form() == Form::Table {
        if rows.is_empty() {
            return output::line("nothing was refused");
        }
        rows.retain(|row| view.finds(row));
        if rows.is_empty() {
            return output::line("no refusal has this text in what is shown of it");
        }
    }
    let mut lister = Lister::new(view);
    lister.take(rows)?;
    lister.finish().map(drop)
}

impl Sums {
    fn add(&mut self, row: &EventRow) -> Result<(), CliError> {
        let key = Key {
            day: row.at / DAY_SECS,
            product: row.product.clone(),
            vendor: row.vendor,
            status: row.status.unwrap_or_default(),
        };
        let sum = self.sums.entry(key).or_default();
        sum.count += u64::from(row.count.unwrap_or(1));
        if let Some(lacked) = row.lacked {
            sum.lacked = sum.lacked.max(lacked.into());
        } else if let Some(mac) = row.mac {
            let at = sum.machines.entry(mac).or_insert_with(|| {
                self.machines += 1;
                0
            });
            *at = row.at.max(*at);
        } else {
            sum.has_unnamed = true;
        }
        if self.machines > MACHINES_MAX {
            return Err(CliError::failed(format!(
                "more than {MACHINES_MAX} machines were refused; ask for less with --since, --until, --product or --reason"
            )));
        }
        Ok(())
    }

    /// Takes what was told without a vendor to the only one that the same was told of that day: whoever left the vendor out
    /// meant that one's product.
    fn fold(&mut self) {
        let is_unnamed = |key: &&Key| key.vendor.is_none() && key.product.is_some();
        let unnamed: Vec<Key> = self.sums.keys().filter(is_unnamed).cloned().collect();
        for key in unnamed {
            let mut named = self
                .sums
                .range(&key..)
                .map(|(other, _)| other)
                .take_while(|other| (other.day, &other.product) == (key.day, &key.product))
                .filter(|other| other.vendor.is_some() && other.status == key.status);
            if let (Some(only), None) = (named.next().cloned(), named.next())
                && let Some(sum) = self.sums.remove(&key)
                && let Some(whole) = self.sums.get_mut(&only)
            {
                whole.take(sum);
            }
        }
    }

    /// From when to when seats may have been engaged by machines that were refused for want of one.
    fn days_of_want(&self) -> Option<(u64, u64)> {
        let mut days = self.sums.keys().filter(|key| is_want(key.status)).map(|key| key.day);
        let first = days.next()?;
        let last = days.next_back().unwrap_or(first);
        Some((first * DAY_SECS, (last + 1) * DAY_SECS))
    }

    /// A machine engaged a seat.
    fn serve(&mut self, row: &EventRow) {
        let Some(mac) = row.mac else { return };
        let key = Key {
            day: row.at / DAY_SECS,
            product: row.product.clone(),
            vendor: row.vendor,
            status: Status::SEATS_EXHAUSTED,
        };
        if let Some(sum) = self.sums.get_mut(&key)
            && let Some(refused_at) = sum.machines.get_mut(&mac)
            && *refused_at <= row.at
        {
            // Once: it may give the seat back and engage another one.
            *refused_at = u64::MAX;
            sum.served += 1;
        }
    }

    fn rows(&self) -> Vec<Row> {
        let row = |(key, sum): (&Key, &Sum)| {
            let machines = sum.machines.len() as u64;
            Row {
                day: day(key.day),
                vendor: key.vendor.map(|vendor| output::hex(&vendor)),
                product: key.product.clone(),
                status: reason_name(key.status),
                count: sum.count,
                machines,
                seats_more: is_want(key.status).then(|| sum.seats_more()).flatten(),
            }
        };
        self.sums.iter().map(row).collect()
    }
}

fn is_want(status: Status) -> bool {
    status == Status::SEATS_EXHAUSTED
}

fn day(day: u64) -> String {
    let date = output::date(Some(Timestamp(day * DAY_SECS)));
    date.split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(at: u64, mac: u8, status: Status, count: u32) -> EventRow {
        EventRow {
            status: Some(status),
            count: Some(count),
            ..engaged(at, mac)
        }
    }

    fn engaged(at: u64, mac: u8) -> EventRow {
        EventRow {
            at,
            product: Some("BKSRV".into()),
            mac: Some([0, 0, 0, 0, 0, mac]),
            ..EventRow::default()
        }
    }

    // proves V3
    #[test]
    fn seats_more_are_the_machines_that_were_refused_and_engaged_none_later_that_day() {
        let mut sums = Sums::default();
        let short = Status::SEATS_EXHAUSTED;
        for row in [
            refused(100, 1, short, 3),
            refused(4_000, 1, short, 2),
            refused(100, 2, short, 1),
            refused(5_000, 3, short, 1),
            refused(5_000, 4, Status::NO_LICENSE, 1),
            refused(DAY_SECS + 1, 2, short, 1),
        ] {
            sums.add(&row).expect("few");
        }
        assert_eq!(sums.days_of_want(), Some((0, 2 * DAY_SECS)));
        // 1 got one between its refusals and none after; 2 got one, twice; 3's came before it was refused.
        for row in [
            engaged(3_000, 1),
            engaged(200, 2),
            engaged(900, 2),
            engaged(4_999, 3),
            engaged(7, 4),
        ] {
            sums.serve(&row);
        }
        let rows: Vec<_> = sums
            .rows()
            .into_iter()
            .map(|row| (row.day, row.status, row.count, row.machines, row.seats_more))
            .collect();
        assert_eq!(
            rows,
            [
                ("1970-01-01".to_owned(), "no-license".to_owned(), 1, 1, None),
                ("1970-01-01".to_owned(), "seats-exhausted".to_owned(), 7, 3, Some(2)),
                ("1970-01-02".to_owned(), "seats-exhausted".to_owned(), 1, 1, Some(1)),
            ]
        );
    }

    // proves V3
    #[test]
    fn what_was_told_without_a_vendor_counts_with_the_only_one_that_it_can_be_of() {
        let (unknown, vendor) = (Status::UNKNOWN_PRODUCT, Some([7; 16]));
        let of = |vendor, mac| EventRow {
            vendor,
            ..refused(100, mac, unknown, 2)
        };
        let rows = |told: &[EventRow]| {
            let mut sums = Sums::default();
            for row in told {
                sums.add(row).expect("few");
            }
            sums.fold();
            let row = |row: Row| (row.vendor.is_some(), row.count, row.machines);
            sums.rows().into_iter().map(row).collect::<Vec<_>>()
        };
        assert_eq!(rows(&[of(vendor, 1), of(None, 1), of(None, 2)]), [(true, 6, 2)]);
        let another = Some([8; 16]);
        assert_eq!(
            rows(&[of(vendor, 1), of(None, 1), of(another, 1)]).len(),
            3,
            "whose it is nobody knows"
        );
        let other_reason = EventRow {
            vendor,
            ..refused(100, 1, Status::NO_LICENSE, 1)
        };
        assert_eq!(rows(&[of(None, 1), other_reason]).len(), 2);
        assert_eq!(rows(&[of(None, 1)]), [(false, 2, 1)]);
    }

    // proves V3
    #[test]
    fn how_many_seats_more_is_not_told_where_neither_a_machine_nor_what_was_lacking_was_named() {
        let short = Status::SEATS_EXHAUSTED;
        let unnamed = || EventRow {
            mac: None,
            ..refused(100, 0, short, 1)
        };
        let mut sums = Sums::default();
        sums.add(&unnamed()).expect("few");
        let row = |sums: &Sums| sums.rows().pop().map(|row| (row.count, row.machines, row.seats_more));
        assert_eq!(row(&sums), Some((1, 0, None)));
        sums.add(&refused(200, 1, short, 1)).expect("few");
        assert_eq!(
            row(&sums),
            Some((2, 1, Some(1))),
            "what is known of the machines is told"
        );
        sums.serve(&engaged(300, 1));
        assert_eq!(row(&sums), Some((2, 1, None)), "not that nothing was lacking");
    }

    // proves V3
    #[test]
    fn what_the_largest_reservation_lacked_is_among_the_seats_more() {
        let short = Status::SEATS_EXHAUSTED;
        let reservation = |at, lacked| EventRow {
            mac: None,
            lacked: Some(lacked),
            ..refused(at, 0, short, 1)
        };
        let mut sums = Sums::default();
        for row in [
            reservation(100, 7),
            reservation(200, 9),
            reservation(300, 4),
            refused(400, 1, short, 1),
            reservation(DAY_SECS, 2),
        ] {
            sums.add(&row).expect("few");
        }
        let rows: Vec<_> = sums
            .rows()
            .into_iter()
            .map(|row| (row.count, row.machines, row.seats_more))
            .collect();
        assert_eq!(rows, [(4, 1, Some(10)), (1, 0, Some(2))]);
    }
}
