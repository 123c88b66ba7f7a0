//! What the writer is asked, in the model's words. Whatever bytes a command came from, the model is asked the same.

use std::collections::BTreeMap;

use bytes::Bytes;
use seatkeeper::domain::command::{Actor, Checkout, Command, ProductName, Rebind, Reserve, Settle, Wanted};
use seatkeeper::domain::ids::{Fingerprint, Mac, ProductKey, Serial, VendorId};
use seatkeeper::domain::reservation::RESERVE_SECS_DEFAULT;
use seatkeeper::domain::seat::SeatKey;
use seatkeeper::vendor::LicenseKey;
use seatkeeper::wire::messages::Request;
use seatkeeper_model as model;
use seatkeeper_model::{Ask, History, Identity, Model, Rollout};

use crate::request::{Speaker, request};
use crate::words::{Vendors, serial_number};

/// The administrator and the deployer as the model's identities, where damage has them ask what agents ask.
const ADMINISTRATOR: Identity = 60_001;
const DEPLOYER: Identity = 60_002;

/// A command in the model's words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meant {
    /// The rules decide it.
    Rules(Identity, Ask),
    /// No rule of the model says which product is meant, or nobody asks this: it must be refused.
    Unclear,
    /// It shows something, or keeps the time: nothing that the model knows of changes.
    Nothing,
}

/// Everything that was ever signed, and names that were seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) vendors: Vendors,
    ids: BTreeMap<VendorId, model::Vendor>,
    keys: BTreeMap<Bytes, model::Key>,
    /// Catalogues and blacklists.
    lists: BTreeMap<Bytes, Ask>,
    names: BTreeMap<String, &'static str>,
}

/// The identity that a speaker shows.
pub(crate) fn fingerprint(speaker: Speaker) -> Fingerprint {
    let number = match speaker {
        Speaker::Agent(number) => number,
        Speaker::Administrator => ADMINISTRATOR,
        Speaker::Deployer => DEPLOYER,
    };
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Fingerprint(bytes)
}

fn identity(actor: Actor) -> Identity {
    match actor {
        Actor::Peer { identity, .. } => Identity::from_be_bytes([identity.0[0], identity.0[1]]),
        Actor::Server => 0,
    }
}

impl Seen {
    pub(crate) fn new() -> Self {
        let vendors = Vendors::default();
        let known = (1..=3).map(|number| (VendorId(vendors.id(number).expect("one of three")), number));
        Self {
            ids: known.collect(),
            vendors,
            keys: BTreeMap::new(),
            lists: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// The request that asks this. What is signed for it is known again from then on.
    pub(crate) fn request(&mut self, ask: &Ask) -> Request {
        let can = "what histories sell can be signed";
        let request = request(ask, &self.vendors).expect(can);
        match (&request, ask) {
            (Request::Import(import), Ask::Import(key)) => {
                let signer = self.vendors.key(key.product.vendor).expect("a vendor");
                let text = LicenseKey::parse(&import.keys[0]).expect(can);
                let verified = text.verify(&signer.vendor_key()).expect(can);
                self.keys.insert(verified.certificate, *key);
            }
            (Request::CatalogueImport(import), _) => drop(self.lists.insert(import.catalogue.clone(), ask.clone())),
            (Request::BlacklistImport(import), _) => drop(self.lists.insert(import.list.clone(), ask.clone())),
            _ => {}
        }
        request
    }

    /// What a command means, as `model` stands.
    pub(crate) fn meant(&mut self, actor: Actor, command: &Command, model: &Model) -> Meant {
        let ask = match command {
            Command::Checkout(asked) => Some(Ask::Checkout(self.checkout(asked))),
            Command::Release(asked) => Some(Ask::Release {
                seat: self.seat(asked.key),
                component: self.name(asked.component.as_str()),
            }),
            Command::Reserve(asked) => self.reserve(asked, model),
            Command::Commit(asked) => self.settle(asked, true, model),
            Command::Abort(asked) => self.settle(asked, false, model),
            Command::Availability(name) => self.named(*name, model).map(Ask::Availability),
            Command::Admins(_)
            | Command::ImportCatalogue { dry_run: true, .. }
            | Command::JudgeKeys(_)
            | Command::KeepTime(_)
            | Command::Licenses(_)
            | Command::Products(_)
            | Command::Reservations(_)
            | Command::Seats(_)
            | Command::Status => return Meant::Nothing,
            Command::Import(keys) if keys.is_empty() => return Meant::Nothing,
            other => self.administration(other, model),
        };
        ask.map_or(Meant::Unclear, |ask| Meant::Rules(identity(actor), ask))
    }

    /// What an administrator asks.
    fn administration(&mut self, command: &Command, model: &Model) -> Option<Ask> {
        Some(match command {
            Command::EndSeat {
                mac,
                product,
                component,
                ..
            } => Ask::EndSeat {
                seat: model::SeatKey {
                    product: self.named(*product, model)?,
                    mac: mac.bytes(),
                },
                component: component.as_ref().map(|id| self.name(id.as_str())),
            },
            Command::Resolve { mac, product } => Ask::Resolve {
                mac: mac.bytes(),
                product: match product {
                    Some(name) => Some(self.named(*name, model)?),
                    None => None,
                },
            },
            Command::Import(keys) => match keys.as_slice() {
                [key] => {
                    let known = self.keys.get(&key.certificate);
                    Ask::Import(*known.unwrap_or_else(|| panic!("nobody signed {:?}", key.claims)))
                }
                _ => panic!("nobody imports several keys: {keys:?}"),
            },
            Command::RemoveLicense { serial, end_seats } => Ask::Remove {
                serial: number(*serial),
                end_seats: *end_seats,
            },
            Command::ImportCatalogue { catalogue, .. } => self.list(&catalogue.signed),
            Command::ImportBlacklist { list, .. } => self.list(&list.signed),
            Command::ClockAccept => Ask::ClockAccept,
            Command::ClockReset => Ask::ClockReset,
            // Only damage asks this, and has no role for it.
            Command::AddAdmin { .. } | Command::RemoveAdmin { .. } | Command::TrustVendor { .. } => return None,
            other => panic!("nobody asks this: {other:?}"),
        })
    }

    fn list(&self, bytes: &Bytes) -> Ask {
        let known = self.lists.get(bytes).cloned();
        known.unwrap_or_else(|| panic!("nobody signed this list: {bytes:?}"))
    }

    fn checkout(&mut self, asked: &Checkout) -> model::Checkout {
        model::Checkout {
            seat: self.seat(asked.key),
            component: self.name(asked.component.as_str()),
            continuation: asked.continuation,
            approve: asked.rebind == Rebind::Approve,
        }
    }

    fn reserve(&mut self, asked: &Reserve, model: &Model) -> Option<Ask> {
        Some(Ask::Reserve {
            id: u128::from_be_bytes(asked.id.0),
            product: self.named(asked.product, model)?,
            for_secs: Some(asked.secs.into()),
            what: match &asked.wanted {
                Wanted::Machines(macs) => Rollout::Machines(macs.iter().map(|mac| mac.bytes()).collect()),
                Wanted::Seats(count) => Rollout::Count(*count),
            },
            preferred_only: asked.preferred_only,
        })
    }

    fn settle(&mut self, asked: &Settle, went_well: bool, model: &Model) -> Option<Ask> {
        let id = u128::from_be_bytes(asked.id.0);
        let product = self.named(asked.product, model)?;
        let macs = asked.macs.iter().copied().map(Mac::bytes).collect();
        Some(if went_well {
            Ask::Commit {
                id,
                product,
                macs,
                preferred_only: asked.preferred_only,
            }
        } else {
            Ask::Abort { id, product, macs }
        })
    }

    fn seat(&mut self, key: SeatKey) -> model::SeatKey {
        model::SeatKey {
            product: self.product(key.product_key()),
            mac: key.mac.bytes(),
        }
    }

    /// The same in the server's words.
    pub(crate) fn seat_key(&self, seat: model::SeatKey) -> SeatKey {
        let vendor = self.ids.iter().find(|(_, number)| **number == seat.product.vendor);
        SeatKey {
            vendor: *vendor.expect("it was seen").0,
            product: seat.product.id.parse().expect("it was seen"),
            mac: Mac::new(seat.mac).expect("it was seen"),
        }
    }

    fn product(&mut self, key: ProductKey) -> model::ProductKey {
        model::ProductKey {
            vendor: self.vendor(key.vendor),
            id: self.name(key.product.as_str()),
        }
    }

    /// The product of this name; nothing where it is not clear which.
    fn named(&mut self, name: ProductName, model: &Model) -> Option<model::ProductKey> {
        let id = self.name(name.product.as_str());
        if let Some(vendor) = name.vendor {
            let vendor = self.vendor(vendor);
            return Some(model::ProductKey { vendor, id });
        }
        match model.products_named(id).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Vendors that damage made up get numbers of their own.
    fn vendor(&mut self, id: VendorId) -> model::Vendor {
        let next = model::Vendor::try_from(self.ids.len() + 1).unwrap_or(model::Vendor::MAX);
        *self.ids.entry(id).or_insert(next)
    }

    fn name(&mut self, text: &str) -> &'static str {
        if let Some(known) = self.names.get(text) {
            return known;
        }
        let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
        self.names.insert(text.to_owned(), kept);
        kept
    }
}

/// Serials that damage made up are no numbers: nobody has such a license.
fn number(serial: Serial) -> model::Serial {
    serial_number(serial.as_str()).unwrap_or(model::Serial::MAX)
}

/// An ask as it arrives: lists in their order and once each, what is not said as it is understood.
pub(crate) fn as_understood(ask: &Ask, history: &History) -> Ask {
    let sorted = |macs: &[model::Mac]| {
        let mut macs = macs.to_vec();
        macs.sort_unstable();
        macs.dedup();
        macs
    };
    let mut ask = ask.clone();
    match &mut ask {
        Ask::Checkout(asked) => asked.approve = history.approve(),
        Ask::Reserve { for_secs, what, .. } => {
            let secs = for_secs.unwrap_or(RESERVE_SECS_DEFAULT.into());
            *for_secs = Some(secs.min(u32::MAX.into()));
            if let Rollout::Machines(macs) = what {
                *macs = sorted(macs);
            }
        }
        Ask::Commit { macs, .. } | Ask::Abort { macs, .. } => *macs = sorted(macs),
        _ => {}
    }
    ask
}
