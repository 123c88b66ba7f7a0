//! All licenses and seats: the pure aggregate. [`Ledger::apply`] decides, [`Ledger::evolve`] records.

mod administer;
mod allocate;
mod audit;
mod binding;
mod blacklist;
mod catalogue;
mod checkout;
mod clock;
mod dates;
mod due;
mod ending;
mod ends;
mod enrol;
mod explain;
mod import;
mod index;
mod keep;
mod left;
mod outlook;
mod query;
mod reclaim;
mod release;
mod remove;
mod reserve;
mod resolve;
mod seats;
mod settle;
mod units;
mod visits;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use audit::AuditError;

use super::blacklist::Blacklist;
use super::catalogue::{Catalogue, Product, Vendor};
use super::change::{Admin, Change, Event, EventKind, Fact, Server};
use super::command::{Actor, Checkout, Command, ProductName, Role};
use super::denial::{Denial, Denied, Subject};
use super::enrolment::{Enrolled, Token};
use super::ids::{Fingerprint, ProductKey, ReservationId, Serial, TokenHash, VendorId};
use super::license::{License, Tombstone};
use super::reply::Reply;
use super::reservation::Reservation;
use super::seat::{FormerSeat, LeftBehind, SeatKey, SpentUnit};
use super::time::Now;
use super::timekeeper::ClockState;
use explain::Unheard;
use index::Index;
use seats::Seats;

/// Everything the server knows, with the indexes that make each decision cheap.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    server: Option<Server>,
    admins: BTreeMap<Fingerprint, Admin>,
    vendors: BTreeMap<VendorId, Vendor>,
    catalogues: BTreeMap<VendorId, Catalogue>,
    blacklists: BTreeMap<VendorId, Blacklist>,
    licenses: BTreeMap<Serial, License>,
    tombstones: BTreeMap<Serial, Tombstone>,
    seats: Seats,
    former: BTreeMap<SeatKey, FormerSeat>,
    left: BTreeMap<SeatKey, LeftBehind>,
    spent: BTreeMap<(Serial, u32), SpentUnit>,
    reservations: BTreeMap<ReservationId, Reservation>,
    clock: Option<ClockState>,
    tokens: BTreeMap<TokenHash, Token>,
    enrolled: BTreeMap<Fingerprint, Enrolled>,
    index: Index,
}

/// An answer and the facts that make it true.
struct Decided {
    reply: Reply,
    changes: Vec<Change>,
}

impl Decided {
    const fn unchanged(reply: Reply) -> Self {
        Self {
            reply,
            changes: Vec::new(),
        }
    }

    fn refused(denial: Denial) -> Self {
        Self::refused_about(denial, Subject::default())
    }

    const fn refused_about(denial: Denial, subject: Subject) -> Self {
        Self::unchanged(Reply::Denied(Denied {
            denial,
            subject,
            seats: None,
            former: None,
            contact: None,
            lacked: None,
        }))
    }
}

/// Who asked and when: what every event tells.
#[derive(Clone, Copy)]
struct Occasion {
    actor: Actor,
    now: Now,
}

impl Occasion {
    fn event(self, kind: EventKind) -> Event {
        Event {
            at: self.now.latest(),
            actor: self.actor,
            kind,
        }
    }

    fn change(self, fact: Fact, kind: EventKind) -> Change {
        Change {
            fact,
            events: vec![self.event(kind)],
        }
    }
}

impl Ledger {
    /// Decides a command and records what was decided.
    ///
    /// The caller has had everything reclaimed that is due at `now` (rule S6): see [`Ledger::next_due`].
    pub fn apply(&mut self, actor: Actor, command: &Command, now: Now) -> (Reply, Vec<Change>) {
        let Decided { reply, changes } = self.decide(actor, command, now);
        for change in &changes {
            self.evolve(change);
        }
        (reply, changes)
    }

    /// Records one fact. Infallible, the only place where the ledger is written, and all that recovery uses.
    pub fn evolve(&mut self, change: &Change) {
        self.record(&change.fact);
    }

    /// Records one fact as it comes from the disk, where events are not kept.
    pub fn record(&mut self, fact: &Fact) {
        match fact {
            Fact::AdminPut(fingerprint, admin) => drop(self.admins.insert(*fingerprint, admin.clone())),
            Fact::AdminRemoved(fingerprint) => drop(self.admins.remove(fingerprint)),
            Fact::BlacklistPut(list) => drop(self.blacklists.insert(list.vendor, Blacklist::clone(list))),
            Fact::CataloguePut(catalogue) => {
                drop(self.catalogues.insert(catalogue.vendor, Catalogue::clone(catalogue)));
            }
            Fact::ClockPut(clock) => self.clock = Some(*clock),
            Fact::EnrolledPut(identity, enrolled) => self.put_enrolled(*identity, *enrolled),
            Fact::FormerDropped(key) => self.put_former(key, None),
            Fact::FormerPut(key, former) => self.put_former(key, Some(*former)),
            Fact::LeftDropped(key) => self.put_left(key, None),
            Fact::LeftPut(key, left) => self.put_left(key, Some(LeftBehind::clone(left))),
            Fact::LicensePut(license) => self.put_license(license.claims.serial, Some(License::clone(license))),
            Fact::LicenseRemoved(serial) => self.put_license(*serial, None),
            Fact::ReservationEnded(id) => self.put_reservation(*id, None),
            Fact::ReservationPut(id, reservation) => self.put_reservation(*id, Some(Reservation::clone(reservation))),
            Fact::SeatEnded(key) => self.put_seat(key, None),
            Fact::SeatPut(key, seat) => self.put_seat(key, Some(Arc::clone(seat))),
            Fact::ServerPut(server) => self.server = Some(*server),
            Fact::SpentPut(serial, unit, spent) => self.put_spent(*serial, *unit, *spent),
            Fact::TokenDropped(hash) => drop(self.tokens.remove(hash)),
            Fact::TokenPut(hash, token) => drop(self.tokens.insert(*hash, token.clone())),
            Fact::TombstonePut(serial, tombstone) => drop(self.tombstones.insert(*serial, *tombstone)),
            Fact::VendorPut(id, vendor) => drop(self.vendors.insert(*id, vendor.clone())),
        }
    }

    /// What an identity may do. Whoever connects is an agent (rule: roles are given by an administrator).
    #[must_use]
    pub fn role_of(&self, identity: &Fingerprint) -> Role {
        self.admins.get(identity).map_or(Role::Agent, |admin| admin.role)
    }

    /// Whether this checkout would engage a seat that the machine does not hold, if one is available.
    #[must_use]
    pub fn would_engage(&self, checkout: &Checkout) -> bool {
        !self.seats.contains_key(&checkout.key)
            && self
                .product(&checkout.key.product_key())
                .and_then(|product| product.components.get(&checkout.component))
                .is_some_and(|component| component.counted)
    }

    /// The server's facts about itself, once it was founded.
    #[must_use]
    pub const fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// How many licenses there are, those that do not serve included.
    #[must_use]
    pub fn license_count(&self) -> u64 {
        self.licenses.len() as u64
    }

    /// How many seats are engaged.
    #[must_use]
    pub fn seat_count(&self) -> u64 {
        self.seats.len() as u64
    }

    /// The trusted vendors' keys.
    pub fn vendors(&self) -> impl Iterator<Item = (&VendorId, &Vendor)> {
        self.vendors.iter()
    }

    /// The products that at least one license was imported for.
    pub fn licensed_products(&self) -> impl Iterator<Item = ProductKey> {
        self.index.products()
    }

    /// The identities with a role.
    pub fn roles(&self) -> impl Iterator<Item = (Fingerprint, Role)> {
        self.admins
            .iter()
            .map(|(fingerprint, admin)| (*fingerprint, admin.role))
    }

    /// Whether somebody may administer this server.
    #[must_use]
    pub fn has_administrator(&self) -> bool {
        self.admins.values().any(|admin| admin.role == Role::Administrator)
    }

    /// Whether who asks has a role for it.
    #[must_use]
    pub fn may(&self, actor: Actor, command: &Command) -> bool {
        match actor {
            Actor::Peer { identity, .. } => {
                let role = self.role_of(&identity);
                command.roles().iter().any(|asked| role.includes(*asked))
            }
            Actor::Server => true,
        }
    }

    fn decide(&self, actor: Actor, command: &Command, now: Now) -> Decided {
        if !self.may(actor, command) {
            return Decided::refused(Denial::NotAuthorized);
        }
        let occasion = Occasion { actor, now };
        match command {
            Command::Abort(settle) => self.settle(occasion, settle, false),
            Command::AddAdmin {
                fingerprint,
                role,
                label,
            } => self.add_admin(occasion, *fingerprint, *role, label),
            Command::AddToken {
                token,
                label,
                secs,
                uses,
            } => self.add_token(occasion, *token, label, (*secs, *uses)),
            Command::Admins(page) => Decided::unchanged(self.admins_page(page)),
            Command::Availability(name) => self.availability(*name, now),
            Command::Checkout(checkout) => self.checkout(occasion, checkout, &mut Unheard),
            Command::ClockAccept => self.accept_jump(occasion),
            Command::ClockReset => Self::reset_clock(occasion),
            Command::Commit(settle) => self.settle(occasion, settle, true),
            Command::EndSeat {
                mac,
                product,
                component,
                reason,
            } => self.end_seat(occasion, *mac, *product, *component, reason),
            Command::Enrol { token } => self.enrol(occasion, *token),
            Command::EnrolledIdentities(page) => Decided::unchanged(self.enrolled_page(page)),
            Command::Explain(ask) => self.explain(occasion, ask),
            // The writer fills in what it knows: events are no part of the ledger.
            Command::Events(_) => Decided::unchanged(Reply::Events(Box::default())),
            Command::EventsVerify(_) => Decided::unchanged(Reply::EventsVerified(Box::default())),
            Command::Found { id } => self.found(occasion, *id),
            Command::Import(keys) => self.import(occasion, keys),
            Command::ImportBlacklist { list, dry_run } => self.import_blacklist(occasion, list, *dry_run),
            Command::ImportCatalogue { catalogue, dry_run } => self.import_catalogue(occasion, catalogue, *dry_run),
            Command::JudgeKeys(keys) => Decided::unchanged(self.import(occasion, keys).reply),
            Command::KeepTime(age_secs) => self.keep_time(occasion, *age_secs),
            Command::Licenses(page) => Decided::unchanged(self.licenses_page(page, now)),
            Command::MendDates => self.mend_dates(occasion),
            Command::NoteBackup(backup) => self.note_backup(occasion, *backup),
            Command::NoteClock(change) => self.note_clock(occasion, *change),
            Command::NoteIdentity { from, to } => self.note_identity(occasion, *from, *to),
            Command::NoteReload { applied, dry_run } => self.note_reload(occasion, *applied, *dry_run),
            Command::Products(page) => Decided::unchanged(self.products_page(page, now)),
            Command::Reclaim => self.reclaim(occasion),
            Command::Release(release) => self.release(occasion, release),
            Command::RemoveAdmin { fingerprint } => self.remove_admin(occasion, *fingerprint),
            Command::RemoveEnrolled { identity } => self.remove_enrolled(occasion, *identity),
            Command::RemoveLicense { serial, end_seats } => self.remove_license(occasion, *serial, *end_seats),
            Command::Reservations(page) => Decided::unchanged(self.reservations_page(page)),
            Command::Reserve(reserve) => self.reserve(occasion, reserve),
            Command::Resolve { mac, product } => self.resolve_bindings(occasion, *mac, *product),
            Command::Restore { made_at, epoch } => self.restore(occasion, *made_at, *epoch),
            Command::RevokeToken { id, also_identities } => self.revoke_token(occasion, *id, *also_identities),
            Command::Seats(page) => Decided::unchanged(self.seats_page(page)),
            Command::Status => Decided::unchanged(self.status(now)),
            Command::Tokens(page) => Decided::unchanged(self.tokens_page(page)),
            Command::TrustVendor { public_key, vendor } => self.trust_vendor(occasion, *vendor, *public_key),
        }
    }

    /// The catalogue's entry of a product.
    fn product(&self, key: &ProductKey) -> Option<&Product> {
        self.catalogues.get(&key.vendor)?.products.get(&key.product)
    }

    /// The one product that an administrator's name means (rule K2).
    ///
    /// # Errors
    /// No vendor or more than one has a product of this id, and the name does not say whose is meant.
    pub fn resolve(&self, name: ProductName) -> Result<ProductKey, Denial> {
        if let Some(vendor) = name.vendor {
            return Ok(ProductKey {
                vendor,
                product: name.product,
            });
        }
        let offered = self
            .catalogues
            .values()
            .filter(|one| one.products.contains_key(&name.product));
        // A product that a newer catalogue dropped still has licenses and seats.
        let licensed = self.index.products().filter(|key| key.product == name.product);
        let vendors: BTreeSet<VendorId> = offered
            .map(|one| one.vendor)
            .chain(licensed.map(|key| key.vendor))
            .collect();
        let mut vendors = vendors.into_iter();
        match (vendors.next(), vendors.next()) {
            (Some(vendor), None) => Ok(ProductKey {
                vendor,
                product: name.product,
            }),
            (Some(_), Some(_)) => Err(Denial::AmbiguousProduct),
            (None, _) => Err(Denial::UnknownProduct),
        }
    }
}
