//! Rounds as a seed chooses them and a ledger decides them: of one sector and of many, of few keys that are put and
//! deleted again and again. What is loaded after any harm can be audited, as a server does it at its start.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use seatkeeper::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use seatkeeper::domain::change::Change;
use seatkeeper::domain::command::{
    Actor, Checkout, Command, ProductName, Rebind, Release, Reserve, Role, Settle, Wanted,
};
use seatkeeper::domain::ids::{ComponentId, Fingerprint, Mac, ProductId, ReservationId, Serial, VendorId};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity, VerifiedKey};
use seatkeeper::domain::seat::{MachineNote, SeatKey};
use seatkeeper::domain::time::{Now, Timestamp};
use seatkeeper::store::{DiskStore, Round, Store, StoreError};
use seatkeeper_model::Random;

/// Who signs everything.
const VENDOR: VendorId = VendorId([1; 16]);

/// Sold by machine licenses: its seats come and go.
const SEATS: &str = "BKSRV";

/// Sold by deployment licenses: units of it are set aside for many machines at a time.
const UNITS: &str = "BKDEP";

/// The components that hold seats.
const COMPONENTS: [&str; 2] = ["agent", "console"];

/// Machines that hold seats: more than there ever are seats.
const MACHINES: u32 = 24;

/// Reservations at a time.
const RESERVATIONS: u32 = 6;

/// Machine licenses, of few seats each.
const LICENSES: u32 = 5;

/// So many units has the deployment license.
const UNITS_MAX: u32 = 20_000;

/// Machines that a reservation is for mostly: up to two sectors of them.
const RESERVED: u32 = 30;

/// Machines that make a record longer than a common segment is.
const RESERVED_MOST: u32 = 400;

/// Who asks the ledger what.
#[derive(Clone, Debug)]
pub struct Decided(Random);

impl Decided {
    /// The rounds of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// The changes of the next round, which follows what `ledger` holds: what it makes of a few commands. There is one at
    /// least. With them the ledger as it is then.
    pub fn next(&mut self, ledger: &Ledger, now: Now) -> (Vec<Change>, Ledger) {
        let mut ledger = ledger.clone();
        let (_, mut changes) = ledger.apply(Actor::Server, &Command::Reclaim, now);
        if ledger.vendors().next().is_none() {
            for command in founding() {
                changes.extend(ledger.apply(Actor::Server, &command, now).1);
            }
        }
        let mut wanted = 1 + self.0.below(3);
        while wanted > 0 || changes.is_empty() {
            let (actor, command) = self.command();
            changes.extend(ledger.apply(actor, &command, now).1);
            wanted = wanted.saturating_sub(1);
        }
        (changes, ledger)
    }

    /// Has a store take the next round, decided at the second of its number; `ledger` is what the store holds, and then holds.
    ///
    /// # Errors
    /// The store fails: the ledger is as it was.
    pub fn commit(&mut self, store: &mut DiskStore, ledger: &mut Ledger, number: u64) -> Result<(), StoreError> {
        let now = Now::at(number);
        let (changes, after) = self.next(ledger, now);
        store.commit(&Round {
            number,
            now,
            changes: &changes,
        })?;
        *ledger = after;
        Ok(())
    }

    /// As [`Decided::next`], with a round that is as short as one can be: of one sector.
    #[must_use]
    pub fn short(ledger: &Ledger, now: Now) -> (Vec<Change>, Ledger) {
        let mut ledger = ledger.clone();
        let fingerprint = Fingerprint([9; 32]);
        let role = match ledger.role_of(&fingerprint) {
            Role::Viewer => Role::Deployer,
            _ => Role::Viewer,
        };
        let add = Command::AddAdmin {
            fingerprint,
            role,
            label: String::new(),
        };
        let (_, changes) = ledger.apply(Actor::Server, &add, now);
        (changes, ledger)
    }

    fn command(&mut self) -> (Actor, Command) {
        let mac = mac(self.0.small(MACHINES));
        let key = SeatKey {
            vendor: VENDOR,
            product: id(SEATS),
            mac,
        };
        let component: ComponentId = self.0.pick(&COMPONENTS).parse().expect("a component");
        let agent = Actor::Peer {
            identity: identity(mac),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        match self.0.below(20) {
            0..11 => (agent, Command::Checkout(self.checkout(key, component))),
            11..13 => (agent, Command::Release(Release { key, component })),
            13 => (Actor::Server, self.end_seat(mac)),
            14..16 => (Actor::Server, Command::Import(vec![self.machine_key()])),
            16 => (
                Actor::Server,
                Command::RemoveLicense {
                    serial: serial(1 + self.0.small(LICENSES)),
                    end_seats: true,
                },
            ),
            17 => (Actor::Server, Command::Reserve(self.reserve())),
            18 => (Actor::Server, Command::Abort(self.settle())),
            _ => (Actor::Server, self.settle_some()),
        }
    }

    fn checkout(&mut self, key: SeatKey, component: ComponentId) -> Checkout {
        Checkout {
            key,
            component,
            continuation: 0,
            machine: MachineNote {
                host_name: self.text(250).into(),
                ..MachineNote::default()
            },
            rebind: Rebind::Honour,
        }
    }

    fn end_seat(&mut self, mac: Mac) -> Command {
        Command::EndSeat {
            mac,
            product: name(SEATS),
            component: None,
            reason: self.text(250),
        }
    }

    fn machine_key(&mut self) -> VerifiedKey {
        let number = 1 + self.0.small(LICENSES);
        key(number, SEATS, Usage::Machine, 1 + number)
    }

    /// Units for many machines, or, now and then, a few seats for whoever comes.
    fn reserve(&mut self) -> Reserve {
        let (product, wanted) = if self.0.percent(15) {
            (SEATS, Wanted::Seats(1 + self.0.small(3)))
        } else {
            let most = if self.0.percent(8) { RESERVED_MOST } else { RESERVED };
            let machines = 1 + self.0.small(most);
            (UNITS, Wanted::Machines((0..machines).map(mac).collect()))
        };
        Reserve {
            id: self.reservation(),
            product: name(product),
            secs: 1 + self.0.small(200_000),
            wanted,
            preferred_only: false,
        }
    }

    /// All of a reservation.
    fn settle(&mut self) -> Settle {
        Settle {
            id: self.reservation(),
            product: name(UNITS),
            macs: BTreeSet::new(),
            preferred_only: false,
        }
    }

    /// A few machines of a reservation are deployed, or not.
    fn settle_some(&mut self) -> Command {
        let settle = Settle {
            macs: (0..=self.0.small(2)).map(mac).collect(),
            ..self.settle()
        };
        if self.0.percent(20) {
            Command::Commit(settle)
        } else {
            Command::Abort(settle)
        }
    }

    fn reservation(&mut self) -> ReservationId {
        ReservationId([u8::try_from(self.0.small(RESERVATIONS)).unwrap_or(0); 16])
    }

    /// 1 to so many letters.
    fn text(&mut self, most: u32) -> String {
        let letter = self.0.pick(&["a", "b", "c"]);
        letter.repeat(1 + self.0.small(most) as usize)
    }
}

/// What a server has before the first license: whom it trusts, what they sell, and units enough.
fn founding() -> [Command; 3] {
    let vendor = Command::TrustVendor {
        public_key: [1; 32],
        vendor: VENDOR,
    };
    let products = [(SEATS, Offers::MachineOnly), (UNITS, Offers::DeploymentOnly)];
    let catalogue = Catalogue {
        vendor: VENDOR,
        vendor_name: "A vendor".to_owned(),
        version: 1,
        issued_at: Timestamp(0),
        products: products
            .into_iter()
            .map(|(name, offers)| (id(name), product(offers)))
            .collect(),
        signed: b"catalogue".to_vec().into(),
    };
    let catalogue = Command::ImportCatalogue {
        catalogue: Box::new(catalogue),
        dry_run: false,
    };
    let units = key(0, UNITS, Usage::Deployment, UNITS_MAX);
    [vendor, catalogue, Command::Import(vec![units])]
}

fn product(offers: Offers) -> Product {
    let counted = Component {
        counted: true,
        lenient: false,
        ephemeral: false,
    };
    Product {
        name: "A product".to_owned(),
        idle_days: 5,
        single_use: false,
        offline_days: 0,
        offers,
        required: None,
        on_conflict: OnConflict::Flag,
        components: COMPONENTS
            .iter()
            .map(|component| (component.parse().expect("a component"), counted))
            .collect(),
        signed_entry: b"entry".to_vec().into(),
    }
}

/// License keys of one number are always the same key.
fn key(number: u32, product: &str, usage: Usage, seats: u32) -> VerifiedKey {
    VerifiedKey {
        claims: Claims {
            vendor: VENDOR,
            serial: serial(number),
            product: id(product),
            seats,
            kind: Kind::Commercial,
            usage,
            issued_at: Timestamp(0),
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        },
        certificate: vec![u8::try_from(number).unwrap_or(0); 150].into(),
    }
}

fn id(product: &str) -> ProductId {
    product.parse().expect("a product")
}

fn name(product: &str) -> ProductName {
    ProductName {
        vendor: Some(VENDOR),
        product: id(product),
    }
}

fn serial(number: u32) -> Serial {
    let [_, _, high, low] = number.to_be_bytes();
    Serial::from_random([7, 7, 7, 7, 7, 7, 7, 7, high, low])
}

fn mac(number: u32) -> Mac {
    let [_, _, high, low] = number.to_be_bytes();
    Mac::new([2, 0, 0, 0, high, low]).expect("a machine's address")
}

fn identity(mac: Mac) -> Fingerprint {
    let [.., low] = mac.bytes();
    Fingerprint([low; 32])
}
