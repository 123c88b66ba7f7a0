//! Counts refusals until they become events: one for each machine, product and reason, and hour (rule V3).
//!
//! They are written with a change that is durable anyway, the first after their hour; until then they are here, and whoever
//! reads the events is told of them. A crash loses them.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;

use super::lately::Lately;
use super::writer::Request;
use crate::domain::change::{Event, EventKind};
use crate::domain::command::{Actor, Command, PAGE_ROWS_MAX, ProductName};
use crate::domain::denial::{Denied, Subject};
use crate::domain::event_log::{EventsPage, HOUR_SECS, Refused};
use crate::domain::explain::RefusedCheckout;
use crate::domain::ids::{ComponentId, Mac, ProductId, VendorId};
use crate::domain::ledger::Ledger;
use crate::domain::reason::Reason;
use crate::domain::reply::{Reply, Settled};
use crate::domain::seat::SeatKey;
use crate::domain::source::source_of;
use crate::domain::time::Timestamp;

/// Refusals that are counted apart at a time, at most. Of what one source (IPv4 address, IPv6 /64) has refused no more are than
/// a quarter of the places that are free, so that nobody's are hidden by somebody else's; the rest are counted together by
/// reason.
const APART_MAX: usize = 4_096;

/// One source may have this fraction of the free places.
const SHARE: usize = 4;

/// What is counted together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    hour: u64,
    vendor: Option<VendorId>,
    product: Option<ProductId>,
    mac: Option<Mac>,
    reason: Reason,
    /// Whether it stands for whatever found no place of its own.
    is_rest: bool,
}

#[derive(Debug)]
struct Tally {
    first: Timestamp,
    last: Timestamp,
    count: u32,
    /// The most that one of them lacked.
    lacked: Option<NonZeroU32>,
    actor: Actor,
    host_name: String,
    /// Whose place it takes.
    source: Option<IpAddr>,
}

/// The refusals of this hour, and of earlier ones that no commit has taken along yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counted: BTreeMap<Key, Tally>,
    /// Places that each source has taken.
    places: HashMap<IpAddr, usize>,
    /// Whose checkouts are among them.
    lately: Lately,
}

impl Refusals {
    /// Counts what a reply refuses to whoever asked.
    pub(super) fn note(&mut self, ledger: &Ledger, request: &Request, reply: &Reply, at: Timestamp) {
        match reply {
            Reply::Denied(denied) => self.add(ledger, request, denied, at),
            Reply::Settled { product, rows } => {
                for (mac, settled) in rows {
                    if let Settled::Refused(denial) = settled {
                        let subject = Subject {
                            product: Some(*product),
                            mac: Some(*mac),
                            ..Subject::default()
                        };
                        let denied = Denied {
                            subject,
                            ..(*denial).into()
                        };
                        self.add(ledger, request, &denied, at);
                    }
                }
            }
            Reply::Seat(_) | Reply::NotCounted { .. } => {
                if let (Actor::Peer { identity, .. }, Command::Checkout(asked)) = (request.actor, &request.command) {
                    self.lately.granted(&asked.key, asked.component, identity);
                }
            }
            _ => {}
        }
    }

    /// The checkout of this machine that was refused last, as far as it is counted still and not granted since.
    pub(super) fn newest(&self, key: &SeatKey, component: Option<ComponentId>) -> Option<RefusedCheckout> {
        self.lately.newest(key, component)
    }

    fn add(&mut self, ledger: &Ledger, request: &Request, denied: &Denied, at: Timestamp) {
        let Actor::Peer { identity, address } = request.actor else {
            return;
        };
        let (vendor, product, mac) = about(&request.command, &denied.subject);
        // A reservation is for many: the one that it names must not be counted as if it had asked itself.
        let mac = mac.filter(|_| denied.lacked.is_none());
        // Whoever leaves the vendor out means the only one: it is the same product as where it is named, also where no
        // catalogue has it.
        let vendor = vendor.or_else(|| {
            let name = ProductName {
                vendor,
                product: product?,
            };
            ledger.resolve_for_explanation(name).ok().map(|key| key.vendor)
        });
        let key = Key {
            hour: at.0 / HOUR_SECS,
            vendor,
            product,
            mac,
            reason: denied.denial.reason(),
            is_rest: false,
        };
        let source = source_of(address);
        let (key, source) = if self.counted.contains_key(&key) || self.has_place(source) {
            (key, Some(source))
        } else {
            let rest = Key {
                vendor: None,
                product: None,
                mac: None,
                is_rest: true,
                ..key
            };
            (rest, None)
        };
        let is_new = !self.counted.contains_key(&key);
        if let Some(source) = source.filter(|_| is_new) {
            *self.places.entry(source).or_default() += 1;
        }
        let tally = self.counted.entry(key).or_insert_with(|| Tally {
            first: at,
            last: at,
            count: 0,
            lacked: None,
            actor: request.actor,
            host_name: String::new(),
            source,
        });
        tally.count = tally.count.saturating_add(1);
        (tally.last, tally.actor) = (at, request.actor);
        if !key.is_rest {
            tally.lacked = tally.lacked.max(denied.lacked);
        }
        if let (Command::Checkout(checkout), false) = (&request.command, key.is_rest) {
            tally.host_name = checkout.machine.host_name.to_string();
            let refused = RefusedCheckout {
                component: checkout.component,
                identity,
                address,
                continuation: checkout.continuation,
                at,
            };
            self.lately.note(checkout.key, refused);
        }
    }

    fn has_place(&self, source: IpAddr) -> bool {
        let free = APART_MAX.saturating_sub(self.counted.len());
        self.places.get(&source).copied().unwrap_or(0) < free.div_ceil(SHARE)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.counted.is_empty()
    }

    /// The events of those whose hour is over at `now`; they are here no more.
    pub(super) fn take_over(&mut self, now: Timestamp) -> Vec<Event> {
        let hour = now.0 / HOUR_SECS;
        self.take(|key| key.hour != hour)
    }

    /// The events of all; they are here no more.
    pub(super) fn take_all(&mut self) -> Vec<Event> {
        self.take(|_| true)
    }

    fn take(&mut self, is_taken: impl Fn(&Key) -> bool) -> Vec<Event> {
        let mut taken = Vec::new();
        let (places, lately) = (&mut self.places, &mut self.lately);
        self.counted.retain(|key, tally| {
            let stays = !is_taken(key);
            if !stays {
                taken.push(event(key, tally));
                if let (Some(vendor), Some(product), Some(mac)) = (key.vendor, key.product, key.mac) {
                    lately.forget(SeatKey { vendor, product, mac }, key.hour);
                }
                if let Some(source) = tally.source
                    && let Some(count) = places.get_mut(&source)
                {
                    *count -= 1;
                    if *count == 0 {
                        places.remove(&source);
                    }
                }
            }
            stays
        });
        taken
    }

    /// The events that they would be now, by when each was refused last, as far as a page wants them: those behind the first
    /// `skipped`, and whether there are more.
    pub(super) fn page(&self, page: &EventsPage, skipped: usize) -> (Vec<Event>, bool) {
        let (filter, limit) = (&page.filter, page.limit.min(PAGE_ROWS_MAX));
        let mut counted: Vec<(&Key, &Tally)> = self.counted.iter().collect();
        counted.sort_by_key(|(_, tally)| tally.last);
        if page.newest_first {
            counted.reverse();
        }
        let mut wanted = counted
            .into_iter()
            .map(|(key, tally)| event(key, tally))
            .filter(|event| filter.admits(event))
            .skip(skipped);
        let page = wanted.by_ref().take(limit).collect();
        (page, wanted.next().is_some())
    }
}

/// What a request that was refused is about: what it names, or else what the refusal does.
fn about(command: &Command, subject: &Subject) -> (Option<VendorId>, Option<ProductId>, Option<Mac>) {
    let (vendor, product, mac) = match command {
        Command::Checkout(asked) => (Some(asked.key.vendor), Some(asked.key.product), Some(asked.key.mac)),
        Command::Release(asked) => (Some(asked.key.vendor), Some(asked.key.product), Some(asked.key.mac)),
        Command::EndSeat { mac, product, .. } => (product.vendor, Some(product.product), Some(*mac)),
        Command::Reserve(asked) => (asked.product.vendor, Some(asked.product.product), None),
        Command::Commit(asked) | Command::Abort(asked) => (asked.product.vendor, Some(asked.product.product), None),
        _ => (None, None, None),
    };
    (vendor, product.or(subject.product), mac.or(subject.mac))
}

fn event(key: &Key, tally: &Tally) -> Event {
    Event {
        at: tally.last,
        actor: tally.actor,
        kind: EventKind::Refused {
            refused: Box::new(Refused {
                vendor: key.vendor,
                product: key.product,
                mac: key.mac,
                host_name: tally.host_name.clone(),
                reason: key.reason,
                count: tally.count,
                since: tally.first,
            }),
            lacked: tally.lacked,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::domain::denial::Denial;
    use crate::domain::ids::Fingerprint;
    use crate::domain::seat::SeatKey;

    const START: u64 = 1_700_000_000;

    fn asked(source: u8, mac: u16) -> Request {
        let [high, low] = mac.to_be_bytes();
        Request {
            actor: Actor::Peer {
                identity: Fingerprint([source; 32]),
                address: Ipv4Addr::new(10, 0, 0, source).into(),
            },
            command: Command::Release(crate::domain::command::Release {
                key: SeatKey {
                    vendor: VendorId([7; 16]),
                    product: "BKSRV".parse().expect("good"),
                    mac: Mac::new([2, 0, 0, 0, high, low]).expect("unicast"),
                },
                component: "agent".parse().expect("good"),
            }),
        }
    }

    fn refused(denial: Denial) -> Reply {
        Reply::Denied(denial.into())
    }

    fn counts(events: &[Event]) -> Vec<(Option<Mac>, u32)> {
        let count = |event: &Event| match &event.kind {
            EventKind::Refused { refused, .. } => (refused.mac, refused.count),
            other => panic!("{other:?}"),
        };
        events.iter().map(count).collect()
    }

    // proves V3
    #[test]
    fn refusals_of_a_machine_for_a_reason_in_an_hour_are_one_event_with_a_count() {
        let mut refusals = Refusals::default();
        let begun = START - START % HOUR_SECS;
        for at in [begun, begun + 5, begun + HOUR_SECS - 1] {
            refusals.note(
                &Ledger::default(),
                &asked(1, 1),
                &refused(Denial::SeatsExhausted),
                Timestamp(at),
            );
        }
        refusals.note(
            &Ledger::default(),
            &asked(1, 1),
            &refused(Denial::NoLicense),
            Timestamp(begun + 9),
        );
        refusals.note(
            &Ledger::default(),
            &asked(1, 2),
            &refused(Denial::SeatsExhausted),
            Timestamp(begun + 9),
        );
        refusals.note(
            &Ledger::default(),
            &asked(1, 1),
            &refused(Denial::SeatsExhausted),
            Timestamp(begun + HOUR_SECS),
        );
        assert!(refusals.take_over(Timestamp(begun)).len() == 1, "only another hour's");
        let events = refusals.take_over(Timestamp(begun + HOUR_SECS));
        assert_eq!(
            counts(&events).iter().map(|(_, count)| count).collect::<Vec<_>>(),
            [&1, &3, &1]
        );
        let longest = events.iter().max_by_key(|event| event.at).expect("some");
        assert_eq!(longest.at, Timestamp(begun + HOUR_SECS - 1));
        assert!(
            matches!(&longest.kind, EventKind::Refused { refused: one, .. } if one.since == Timestamp(begun) && one.count == 3)
        );
        assert!(refusals.take_all().is_empty() && refusals.places.is_empty());
    }

    // proves V3
    #[test]
    fn the_most_that_a_reservation_lacked_is_told() {
        let mut refusals = Refusals::default();
        let request = Request {
            command: Command::Reserve(crate::domain::command::Reserve {
                id: crate::domain::ids::ReservationId([5; 16]),
                product: ProductName {
                    vendor: None,
                    product: "BKSRV".parse().expect("good"),
                },
                secs: 60,
                wanted: crate::domain::command::Wanted::Seats(9),
                preferred_only: false,
            }),
            ..asked(1, 1)
        };
        for lacked in [3, 8, 5] {
            let denied = Denied {
                lacked: NonZeroU32::new(lacked),
                subject: Subject {
                    mac: Mac::new([2, 0, 0, 0, 0, 1]).ok(),
                    ..Subject::default()
                },
                ..Denial::SeatsExhausted.into()
            };
            refusals.note(&Ledger::default(), &request, &Reply::Denied(denied), Timestamp(START));
        }
        // The machine that it named asks itself.
        refusals.note(
            &Ledger::default(),
            &asked(1, 1),
            &refused(Denial::SeatsExhausted),
            Timestamp(START),
        );
        let events = refusals.take_all();
        let told = events.iter().map(|event| match &event.kind {
            EventKind::Refused { refused, lacked } => {
                (refused.mac.is_some(), refused.count, lacked.map(NonZeroU32::get))
            }
            other => panic!("{other:?}"),
        });
        let told: std::collections::BTreeSet<_> = told.collect();
        assert_eq!(told, [(false, 3, Some(8)), (true, 1, None)].into());
    }

    #[test]
    fn what_is_granted_or_asked_by_the_server_is_not_counted() {
        let mut refusals = Refusals::default();
        refusals.note(&Ledger::default(), &asked(1, 1), &Reply::Done, Timestamp(START));
        let of_server = Request {
            actor: Actor::Server,
            ..asked(1, 1)
        };
        refusals.note(
            &Ledger::default(),
            &of_server,
            &refused(Denial::NoLicense),
            Timestamp(START),
        );
        assert!(refusals.take_all().is_empty());
    }

    #[test]
    fn whoever_is_refused_for_many_machines_leaves_places_to_others_and_is_counted_all_the_same() {
        let mut refusals = Refusals::default();
        for mac in 0..10_000 {
            refusals.note(
                &Ledger::default(),
                &asked(1, mac),
                &refused(Denial::SeatsExhausted),
                Timestamp(START),
            );
        }
        assert_eq!(
            refusals.counted.len(),
            APART_MAX / 5 + 2,
            "a fifth, and the rest together"
        );
        refusals.note(
            &Ledger::default(),
            &asked(2, 1),
            &refused(Denial::SeatsExhausted),
            Timestamp(START),
        );
        refusals.note(
            &Ledger::default(),
            &asked(2, 20_000),
            &refused(Denial::SeatsExhausted),
            Timestamp(START),
        );
        let events = refusals.take_all();
        assert!(events.len() <= APART_MAX);
        let all: u32 = counts(&events).iter().map(|(_, count)| count).sum();
        assert_eq!(all, 10_002);
        let other = Mac::new([2, 0, 0, 0, 0x4e, 0x20]).expect("unicast");
        assert!(
            counts(&events).contains(&(Some(other), 1)),
            "the other source's stands apart"
        );
        assert!(
            counts(&events)
                .iter()
                .any(|(mac, count)| mac.is_none() && *count > 9_000)
        );
    }
}
