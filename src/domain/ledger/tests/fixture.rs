//! A site to try the rules on: one vendor with a catalogue of every kind of product, a clock moved by hand.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use crate::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use crate::domain::change::{Change, EventKind};
use crate::domain::command::{Actor, Checkout, Command, Page, ProductName, Rebind, Release, SeatsPage};
use crate::domain::denial::{Denial, Denied};
use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductId, ProductKey, Serial, VendorId};
use crate::domain::ledger::Ledger;
use crate::domain::license::{Claims, Kind, Usage, Validity, VerifiedKey};
use crate::domain::reply::{Counts, Grant, ImportOutcome, LicenseRow, RECLAIM_MAX, Reply};
use crate::domain::seat::{MachineNote, Seat, SeatKey};
use crate::domain::time::{Now, Timestamp};

/// When a site begins: 2026-01-01 00:00 UTC.
pub(super) const START: u64 = 1_767_225_600;
pub(super) const DAY: u64 = 86_400;
/// The idle period of the fixture's products unless their name says otherwise.
pub(super) const IDLE: u64 = 30 * DAY;

pub(super) fn mac(number: u16) -> Mac {
    let [high, low] = number.to_be_bytes();
    Mac::new([2, 0, 0, 0, high, low]).unwrap()
}

pub(super) const fn identity(number: u8) -> Fingerprint {
    Fingerprint([number; 32])
}

pub(super) const fn vendor(number: u8) -> VendorId {
    VendorId([number; 16])
}

pub(super) fn serial(number: u8) -> Serial {
    Serial::from_random([number; 10])
}

pub(super) fn product_of(vendor_number: u8, product: &str) -> ProductKey {
    ProductKey {
        vendor: vendor(vendor_number),
        product: id(product),
    }
}

pub(super) fn seat_key(machine: u16, product: &str) -> SeatKey {
    SeatKey {
        vendor: vendor(1),
        product: id(product),
        mac: mac(machine),
    }
}

fn id(product: &str) -> ProductId {
    product.parse().unwrap()
}

pub(super) fn component(name: &str) -> ComponentId {
    name.parse().unwrap()
}

pub(super) fn named(product: &str) -> ProductName {
    ProductName {
        vendor: None,
        product: id(product),
    }
}

pub(super) const fn peer(number: u8) -> Actor {
    Actor::Peer {
        identity: identity(number),
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)),
    }
}

/// `SERVER`: the plain case. `FOREVER` never idles out. `WIPE` is single-use. `WORK` is another product like `SERVER`.
pub(super) fn catalogue(vendor_number: u8) -> Catalogue {
    let product = |idle_days, single_use| Product {
        name: "A product".to_owned(),
        idle_days,
        single_use,
        offline_days: 0,
        offers: Offers::default(),
        required: None,
        on_conflict: OnConflict::default(),
        components: [
            ("agent", true, false),
            ("cli", true, false),
            ("console", false, false),
            ("disc", true, true),
        ]
        .map(|(name, counted, ephemeral)| {
            let flags = Component {
                counted,
                lenient: false,
                ephemeral,
            };
            (component(name), flags)
        })
        .into(),
        signed_entry: Bytes::from_static(b"entry"),
    };
    Catalogue {
        vendor: vendor(vendor_number),
        vendor_name: format!("Vendor {vendor_number}"),
        version: 1,
        issued_at: Timestamp(START),
        products: [
            ("SERVER", product(30, false)),
            ("WORK", product(30, false)),
            ("FOREVER", product(0, false)),
            ("WIPE", product(30, true)),
        ]
        .map(|(name, product)| (id(name), product))
        .into(),
        signed: Bytes::from(vec![vendor_number, 1]),
    }
}

pub(super) fn importing(catalogue: Catalogue) -> Command {
    Command::ImportCatalogue {
        catalogue: Box::new(catalogue),
        dry_run: false,
    }
}

/// The first vendor's next catalogue, with another entry for `SERVER`.
pub(super) fn changed(change: impl FnOnce(&mut Product)) -> Catalogue {
    let mut next = catalogue(1);
    next.version = 2;
    next.signed = Bytes::from_static(b"changed");
    change(next.products.get_mut(&id("SERVER")).unwrap());
    next
}

/// A key of `seats` machine seats without end; its serial and certificate follow from `number`.
pub(super) fn key(number: u8, product: &str, seats: u32) -> VerifiedKey {
    VerifiedKey {
        claims: Claims {
            vendor: vendor(1),
            serial: serial(number),
            product: id(product),
            seats,
            kind: Kind::Commercial,
            usage: Usage::Machine,
            issued_at: Timestamp(START),
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        },
        certificate: Bytes::from(vec![number]),
    }
}

pub(super) fn key_for(number: u8, product: &str, seats: u32, days: u32) -> VerifiedKey {
    let mut key = key(number, product, seats);
    key.claims.validity = Validity::Days(days);
    key
}

pub(super) fn deployment_key(number: u8, product: &str, units: u32) -> VerifiedKey {
    let mut key = key(number, product, units);
    key.claims.usage = Usage::Deployment;
    key
}

/// A ledger, what it recorded, and the time. Before each command what is due is reclaimed, as the writer does.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) ledger: Ledger,
    pub(super) log: Vec<Change>,
    pub(super) now: Now,
}

impl Site {
    /// A site that trusts the first vendor, has its catalogue and the given keys.
    pub(super) fn with(keys: &[VerifiedKey]) -> Self {
        let mut site = Self {
            ledger: Ledger::default(),
            log: Vec::new(),
            now: Now::at(START),
        };
        site.trust(1);
        for key in keys {
            site.import(key);
        }
        site
    }

    pub(super) fn trust(&mut self, number: u8) {
        self.serve(&Command::TrustVendor {
            public_key: [number; 32],
            vendor: vendor(number),
        });
        self.serve(&importing(catalogue(number)));
    }

    /// Moves both times to `secs` after the start.
    pub(super) fn at(&mut self, secs: u64) -> &mut Self {
        self.now = Now::at(START + secs);
        self
    }

    pub(super) fn ask(&mut self, actor: Actor, command: &Command) -> Reply {
        while let Reply::Reclaimed(RECLAIM_MAX) = self.apply(Actor::Server, &Command::Reclaim) {}
        let reply = self.apply(actor, command);
        assert_eq!(self.ledger.audit(), Ok(()), "after {command:?}");
        reply
    }

    fn apply(&mut self, actor: Actor, command: &Command) -> Reply {
        let (reply, changes) = self.ledger.apply(actor, command, self.now);
        self.log.extend(changes);
        reply
    }

    /// Asks as the server itself, which may do everything.
    pub(super) fn serve(&mut self, command: &Command) -> Reply {
        self.ask(Actor::Server, command)
    }

    pub(super) fn import(&mut self, key: &VerifiedKey) -> ImportOutcome {
        let reply = self.serve(&Command::Import(vec![key.clone()]));
        let Reply::Imported(outcomes) = &reply else {
            panic!("{reply:?}");
        };
        outcomes[0].clone()
    }

    pub(super) fn checkout(&mut self, ask: Ask<'_>) -> Reply {
        self.ask(peer(ask.identity), &Command::Checkout(ask.checkout()))
    }

    pub(super) fn grant(&mut self, ask: Ask<'_>) -> Grant {
        match self.checkout(ask) {
            Reply::Seat(grant) => *grant,
            other => panic!("{ask:?}: {other:?}"),
        }
    }

    pub(super) fn denied(&mut self, ask: Ask<'_>) -> Denied {
        match self.checkout(ask) {
            Reply::Denied(denied) => denied,
            other => panic!("{ask:?}: {other:?}"),
        }
    }

    pub(super) fn release(&mut self, ask: Ask<'_>) -> Reply {
        let release = Release {
            key: seat_key(ask.machine, ask.product),
            component: component(ask.component),
        };
        self.ask(peer(ask.identity), &Command::Release(release))
    }

    pub(super) fn end_seat(&mut self, machine: u16, product: &str) -> Reply {
        self.serve(&Command::EndSeat {
            mac: mac(machine),
            product: named(product),
            component: None,
            reason: "the machine is gone".to_owned(),
        })
    }

    pub(super) fn remove(&mut self, number: u8, end_seats: bool) -> Reply {
        self.serve(&Command::RemoveLicense {
            serial: serial(number),
            end_seats,
        })
    }

    pub(super) fn counts(&self, product: &str) -> Counts {
        self.ledger.counts(product_of(1, product), Usage::Machine, self.now)
    }

    /// The units of its deployment licenses.
    pub(super) fn units(&self, product: &str) -> Counts {
        self.ledger.counts(product_of(1, product), Usage::Deployment, self.now)
    }

    pub(super) fn available(&self, product: &str) -> u64 {
        self.counts(product).available
    }

    /// The view's row of a license.
    pub(super) fn license(&mut self, number: u8) -> LicenseRow {
        let page = Page {
            after: None,
            limit: 256,
        };
        let Reply::Licenses(listing) = self.serve(&Command::Licenses(page)) else {
            panic!("no listing");
        };
        let mut rows = listing.rows.into_iter();
        rows.find(|row| row.license.claims.serial == serial(number)).unwrap()
    }

    /// The seat as the view shows it.
    pub(super) fn seat(&mut self, machine: u16, product: &str) -> Option<Seat> {
        let key = seat_key(machine, product);
        let page = SeatsPage {
            mac: Some(key.mac),
            product: None,
            page: Page {
                after: None,
                limit: 256,
            },
        };
        let Reply::Seats(listing) = self.serve(&Command::Seats(page)) else {
            panic!("no listing");
        };
        let mut rows = listing.rows.into_iter();
        rows.find(|row| row.key == key).map(|row| row.seat)
    }

    /// The events since the start for which `wanted` answers something.
    pub(super) fn events<T>(&self, wanted: impl Fn(&EventKind) -> Option<T>) -> Vec<T> {
        let events = self.log.iter().flat_map(|change| &change.events);
        events.filter_map(|event| wanted(&event.kind)).collect()
    }
}

/// A machine's component that asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) machine: u16,
    pub(super) identity: u8,
    pub(super) product: &'a str,
    pub(super) component: &'a str,
    pub(super) continuation: u64,
}

/// The `agent` of `SERVER` on a machine, under an identity of the machine's number.
pub(super) fn agent(machine: u16) -> Ask<'static> {
    Ask {
        machine,
        identity: machine.to_be_bytes()[1],
        product: "SERVER",
        component: "agent",
        continuation: 0,
    }
}

impl<'a> Ask<'a> {
    pub(super) const fn of(self, product: &'a str) -> Self {
        Self { product, ..self }
    }

    pub(super) const fn part(self, component: &'a str) -> Self {
        Self { component, ..self }
    }

    pub(super) const fn under(self, identity: u8) -> Self {
        Self { identity, ..self }
    }

    pub(super) const fn with(self, continuation: u64) -> Self {
        Self { continuation, ..self }
    }

    pub(super) fn checkout(self) -> Checkout {
        Checkout {
            key: seat_key(self.machine, self.product),
            component: component(self.component),
            continuation: self.continuation,
            machine: MachineNote {
                host_name: format!("host-{}", self.machine).into(),
                address: None,
                other_macs: [mac(self.machine + 1_000)].into(),
            },
            rebind: Rebind::Honour,
        }
    }
}

/// The reason of a refusal.
pub(super) fn denial(reply: &Reply) -> Denial {
    match reply {
        Reply::Denied(denied) => denied.denial,
        other => panic!("{other:?}"),
    }
}
