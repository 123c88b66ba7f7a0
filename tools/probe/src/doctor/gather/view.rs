//! What a server tells viewers and administrators.

use seatkeeper::client::{Connection, Deadline};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::wire::messages::explain::ExplainOk;
use seatkeeper::wire::messages::views::{SeatRow, WarningRow};
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper::wire::{Check, Status, Warning};

use super::ask::Query;
use super::date;
use crate::doctor::facts::{Explained, Seat, Seen};

/// Pages of licenses that are read, at most: 1,024 licenses.
const PAGES_MAX: usize = 4;

/// What there is to see; nothing where the server stops answering.
pub(super) async fn see(connection: &mut Connection, query: Query, deadline: Deadline) -> Option<Seen> {
    let mut seen = Seen::default();
    if let Response::Status(status) = ask(connection, &Query::status(), deadline).await? {
        seen.warnings = status.warnings.iter().map(warning).collect();
    }
    if let Some(request) = query.seats()
        && let Response::Seats(page) = ask(connection, &request, deadline).await?
    {
        seen.seats = Some(page.rows.iter().map(seat).collect());
    }
    if let Some(request) = query.explain()
        && let Response::Explain(reply) = ask(connection, &request, deadline).await?
    {
        seen.explained = Some(explained(&reply));
    }
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let Response::Licenses(page) = ask(connection, &Query::licenses(after), deadline).await? else {
            break;
        };
        seen.serials.extend(page.rows.iter().map(|row| row.serial.clone()));
        after = page.rows.last().map(|row| row.serial.clone());
        if !page.more {
            break;
        }
    }
    Some(seen)
}

async fn ask(connection: &mut Connection, request: &Request, deadline: Deadline) -> Option<Response> {
    connection.request(request, deadline).await.ok()
}

/// A warning's name, and what it is about.
fn warning(row: &WarningRow) -> (String, String) {
    let code = format!("{:?}", row.code);
    let number = row.number.unwrap_or_default();
    let product = row.product.as_deref().unwrap_or("a product");
    let serial = row.serial.as_deref().unwrap_or("?");
    let text = match row.code {
        Warning::DISK_FULL => "its disk is full: no new seat is given".to_owned(),
        Warning::DISK_LOW => format!("{} MiB are left on its disk", number >> 20),
        Warning::CHECKPOINT_FAILED => "its last checkpoint failed: its next start takes longer".to_owned(),
        Warning::CLOCK_SET_BACK => format!("its clock was set back by {number} s: time stands still there"),
        Warning::CLOCK_JUMPED => format!("its clock jumped ahead by {number} s, and nobody has accepted that"),
        Warning::LICENSE_ENDS_AT_ONCE | Warning::LICENSE_ENDS_SOON => {
            format!("license {serial} of {product} ends in {number} days")
        }
        Warning::NONE_AVAILABLE => format!("nothing of {product} is available, {number} are in use"),
        Warning::NEARLY_USED_UP => format!("{product} is nearly used up, {number} are available"),
        Warning::CONFLICTS => format!("{number} seats have a conflict, a copied machine"),
        Warning::IDENTITIES_WAIT => format!("new identities wait for approval on {number} seats"),
        Warning::LICENSES_BLACKLISTED => format!("the vendor took back {number} licenses"),
        Warning::LICENSES_SUPERSEDED => format!("others took the place of {number} licenses"),
        Warning::LICENSES_EXPIRED => format!("{number} licenses have expired"),
        Warning::CONNECTIONS_NEARLY_USED_UP => format!("{number} connections are taken, nearly as many as may be"),
        Warning::NO_VENDOR => "it trusts no vendor yet: nothing can be imported".to_owned(),
        Warning::NO_RECENT_BACKUP => format!("no backup of it that agents would follow was made for {number} days"),
        Warning::GENERATION_LOST => {
            format!("its checkpoint {number} was gone or damaged when it started: check its disk")
        }
        Warning(_) => "a warning that this program does not know; upgrade it".to_owned(),
    };
    (code, text)
}

fn seat(row: &SeatRow) -> Seat {
    let holders = |is: fn(&seatkeeper::wire::messages::views::Holder) -> bool| {
        let holders = row.components.iter().filter(|holder| is(holder));
        holders.map(|holder| holder.component.clone()).collect()
    };
    Seat {
        product: row.product.clone(),
        serial: row.serial.clone(),
        renew_by: row.renew_by.map(|at| date(Timestamp(at))),
        conflicts: holders(|holder| holder.conflict.is_some()),
        waiting: holders(|holder| holder.waiting.is_some()),
    }
}

fn explained(reply: &ExplainOk) -> Explained {
    let holders = reply.steps.iter().filter(|step| step.check == Check::HOLDER);
    let next_free = holders.filter_map(|step| step.at).min();
    Explained {
        status: format!("{:?}", reply.status),
        granted: reply.status == Status::OK,
        text: reply.text.clone(),
        remedy: reply.remedy.clone(),
        next_free: next_free.map(|at| date(Timestamp(at))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_of_the_registry_is_told_in_words_of_its_own() {
        let told = |code| {
            let row = WarningRow {
                code,
                ..WarningRow::default()
            };
            warning(&row).1
        };
        let mut texts: Vec<_> = Warning::TABLE.iter().map(|(code, _)| told(*code)).collect();
        assert!(texts.iter().all(|text| !text.contains("does not know")), "{texts:?}");
        texts.sort();
        texts.dedup();
        // That a license ends is said alike, whether soon or at once: the code tells.
        assert_eq!(texts.len(), Warning::TABLE.len() - 1);
        assert!(told(Warning(250)).contains("upgrade"));
    }
}
