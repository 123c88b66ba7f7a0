//! Rounds as a seed chooses them: of one sector and of many, of few keys that are put and deleted again and again. No
//! ledger made them: they are for what is read of rounds, not for what a start makes of them.

use std::collections::BTreeMap;

use seatkeeper::domain::change::{Change, Event, EventKind, Fact};
use seatkeeper::domain::command::Actor;
use seatkeeper::domain::ids::{Mac, ProductKey, ReservationId, VendorId};
use seatkeeper::domain::reservation::{Hold, Reservation, Reserved};
use seatkeeper::domain::seat::{EndCause, FormerSeat, SeatKey};
use seatkeeper::domain::time::Timestamp;
use seatkeeper_model::Random;

/// What rounds are made of.
#[derive(Clone, Debug)]
pub struct Rounds(Random);

impl Rounds {
    /// The rounds of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// The next round's changes.
    pub fn next(&mut self, number: u64) -> Vec<Change> {
        let facts = 1 + self.0.below(6);
        (0..facts)
            .map(|_| Change {
                fact: self.fact(number),
                events: vec![Event {
                    at: Timestamp(number),
                    actor: Actor::Server,
                    kind: EventKind::VendorTrusted {
                        vendor: VendorId([1; 16]),
                    },
                }],
            })
            .collect()
    }

    fn fact(&mut self, number: u64) -> Fact {
        let key = self.key();
        match self.0.below(10) {
            0..4 => Fact::FormerPut(
                key,
                FormerSeat {
                    ended_at: Timestamp(number),
                    cause: EndCause::Idle,
                },
            ),
            4..6 => Fact::FormerDropped(key),
            6..9 => Fact::ReservationPut(self.name(), Box::new(self.reservation(key, number))),
            _ => Fact::ReservationEnded(self.name()),
        }
    }

    fn key(&mut self) -> SeatKey {
        SeatKey {
            vendor: VendorId([1; 16]),
            product: "BKSRV".parse().expect("a product"),
            mac: mac(self.0.small(60)),
        }
    }

    fn name(&mut self) -> ReservationId {
        ReservationId([u8::try_from(self.0.small(6)).unwrap_or(0); 16])
    }

    /// Up to four sectors of it.
    fn reservation(&mut self, key: SeatKey, number: u64) -> Reservation {
        let machines = 1 + self.0.small(300);
        let machines: BTreeMap<_, _> = (0..machines).map(|n| (mac(n), Reserved::Covered)).collect();
        Reservation {
            product: ProductKey {
                vendor: key.vendor,
                product: key.product,
            },
            reserved_at: Timestamp(number),
            lapses_at: Timestamp(number + 1),
            by: None,
            hold: Hold::Machines(machines),
        }
    }
}

fn mac(n: u32) -> Mac {
    let [_, _, high, low] = n.to_be_bytes();
    Mac::new([2, 0, 0, 0, high, low]).expect("a machine's address")
}
