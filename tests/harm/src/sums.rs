//! Rule S2, of whatever was loaded.

use std::collections::BTreeMap;

use seatkeeper::domain::change::Fact;
use seatkeeper::domain::command::{Actor, Command, PAGE_ROWS_MAX, Page};
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::Now;

/// More facts than any ledger of a campaign has.
const FACTS_MAX: usize = 1 << 12;

/// The ledger is one that a server starts with, and for every license Total = Free + Used, where Used is what stands in
/// the ledger: its seats, its spent units and what is set aside of it (rule S2). Counted here one by one, not by the
/// ledger's own sums.
///
/// # Panics
/// It is not.
pub fn assert_sums(ledger: &Ledger) {
    assert_eq!(ledger.audit(), Ok(()), "a server does not start with this");
    let facts = ledger.facts_after(None, FACTS_MAX);
    assert!(facts.len() < FACTS_MAX, "not all of them are counted");
    let mut used: BTreeMap<Serial, u32> = BTreeMap::new();
    for fact in facts {
        match fact {
            Fact::SeatPut(_, seat) => *used.entry(seat.serial).or_default() += 1,
            Fact::SpentPut(serial, ..) => *used.entry(serial).or_default() += 1,
            Fact::ReservationPut(_, reservation) => {
                for (serial, count) in reservation.units() {
                    *used.entry(serial).or_default() += count;
                }
            }
            _ => {}
        }
    }
    let all = Page {
        after: None,
        limit: PAGE_ROWS_MAX,
    };
    let (reply, _) = ledger
        .clone()
        .apply(Actor::Server, &Command::Licenses(all), Now::default());
    let Reply::Licenses(listing) = reply else {
        panic!("no licenses: {reply:?}");
    };
    assert!(!listing.more, "not all of them are counted");
    for row in listing.rows {
        let serial = row.license.claims.serial;
        let counted = used.remove(&serial).unwrap_or(0);
        let shown = (row.used, row.free() + row.used);
        assert_eq!(shown, (counted, row.license.claims.seats), "used and total of {serial}");
    }
}
