//! Everything that the views show, against what the rules say that is here.

use std::collections::BTreeMap;
use std::fmt::Debug;

use seatkeeper::domain::command::{Actor, Command, Page, SeatsPage};
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::seat::SeatKey;
use seatkeeper::domain::time::{Monotonic, Now, Timestamp};
use seatkeeper::session::translate::{Context, respond};
use seatkeeper::session::{Answer, SessionConfig};
use seatkeeper::wire::Opcode;
use seatkeeper::wire::messages::Response;

use crate::hidden;
use crate::judge::State;
use crate::request::Speaker;
use crate::seen::{Seen, fingerprint};
use crate::views::Expected;
use crate::words::serial;

/// What the server shows at one moment.
#[derive(Debug)]
pub(crate) struct Shown {
    hidden: Vec<(SeatKey, String)>,
    pages: [Response; 4],
}

impl Shown {
    /// What a ledger shows at a time. Nothing is overdue in it, or it is another time.
    pub(crate) fn of(ledger: &Ledger, config: &SessionConfig, now: Now) -> Result<Self, String> {
        let mut ledger = ledger.clone();
        let (_, changes) = ledger.apply(Actor::Server, &Command::Reclaim, now);
        if !changes.is_empty() {
            return Err(format!("overdue behind a round at {now:?}: {changes:?}"));
        }
        let seats = SeatsPage {
            mac: None,
            product: None,
            page: all(),
        };
        let commands = [
            (Opcode::LICENSES, Command::Licenses(all())),
            (Opcode::SEATS, Command::Seats(seats)),
            (Opcode::RESERVATIONS, Command::Reservations(all())),
            (Opcode::PRODUCTS, Command::Products(all())),
        ];
        let pages = commands.map(|(opcode, command)| {
            let (reply, changes) = ledger.apply(Actor::Server, &command, now);
            assert!(changes.is_empty(), "a view changes something: {changes:?}");
            let context = Context {
                config,
                opcode,
                server_time: Timestamp::default(),
                at: Monotonic::default(),
                lease: None,
            };
            respond(Answer::Reply(Box::new(reply)), &context)
        });
        Ok(Self {
            hidden: hidden::of_ledger(&ledger),
            pages,
        })
    }

    /// Whether this is what a state says.
    pub(crate) fn is_of(&self, state: &State, seen: &Seen) -> Result<(), String> {
        let seats = state.model.seats();
        let holds = seats.iter().flat_map(|seat| &seat.holds);
        let identities = holds.flat_map(|hold| hold.identity().into_iter().chain(hold.waiting.map(|one| one.identity)));
        let agents = identities.map(|number| (number, fingerprint(Speaker::Agent(number)).0));
        let expected = Expected {
            model: &state.model,
            now: state.time(),
            vendors: &seen.vendors,
            catalogues: &state.catalogues,
            fingerprints: agents.collect::<BTreeMap<_, _>>(),
        };
        let known = "the model holds what can be told";
        let [
            Response::Licenses(licenses),
            Response::Seats(seats),
            Response::Reservations(reservations),
            Response::Products(products),
        ] = &self.pages
        else {
            return Err(format!("no views: {:?}", self.pages));
        };
        let mut seats = seats.rows.clone();
        for row in &mut seats {
            // The model knows neither hosts nor when an identity took another one's place.
            row.address = None;
            row.components.iter_mut().for_each(|holder| holder.rebound_at = None);
        }
        let mut reservations = reservations.rows.clone();
        for row in &mut reservations {
            row.by = None;
        }
        agree("LICENSES", &expected.licenses().expect(known), &licenses.rows)?;
        agree("SEATS", &expected.seats().expect(known), &seats)?;
        agree("RESERVATIONS", &expected.reservations().expect(known), &reservations)?;
        agree("PRODUCTS", &expected.products().expect(known), &products.rows)?;
        agree(
            "what no view shows",
            &hidden::of_model(&state.model, seen),
            &self.hidden,
        )
    }
}

/// How much of each license is used and free, and how many seats there are (rule S2).
#[derive(Debug)]
pub(crate) struct Sums {
    licenses: Vec<Sum>,
    seats: u64,
}

/// Of a license: its serial, used, free.
type Sum = (Serial, u32, u32);

impl Sums {
    /// Those of a ledger.
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let (reply, _) = ledger
            .clone()
            .apply(Actor::Server, &Command::Licenses(all()), Now::default());
        let Reply::Licenses(listing) = reply else {
            panic!("no licenses: {reply:?}");
        };
        let rows = listing.rows.iter();
        Self {
            licenses: rows
                .map(|row| (row.license.claims.serial, row.used, row.free()))
                .collect(),
            seats: ledger.seat_count(),
        }
    }

    /// Whether they are what a state says.
    pub(crate) fn are_of(&self, state: &State) -> Result<(), String> {
        let rows = state.model.licenses(state.time()).into_iter();
        let mut licenses: Vec<Sum> = rows.map(|one| (serial(one.key.serial), one.used, one.free)).collect();
        licenses.sort_unstable();
        agree("used and free of the licenses", &licenses, &self.licenses)?;
        agree("seats", &[state.model.seats().len() as u64], &[self.seats])
    }
}

const fn all<K>() -> Page<K> {
    Page {
        after: None,
        limit: 256,
    }
}

fn agree<T: Debug + PartialEq>(view: &str, expected: &[T], shown: &[T]) -> Result<(), String> {
    if expected == shown {
        return Ok(());
    }
    // Only what differs: nobody reads whole listings.
    let place = expected.iter().zip(shown).position(|(one, other)| one != other);
    let place = place.unwrap_or_else(|| expected.len().min(shown.len()));
    Err(format!(
        "{view}, row {place}\n  the model says:  {:?}, {} rows\n  the server says: {:?}, {} rows",
        expected.get(place),
        expected.len(),
        shown.get(place),
        shown.len()
    ))
}
