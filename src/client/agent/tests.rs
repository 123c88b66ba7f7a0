mod enrolling;
mod lease;
mod life;
#[cfg(target_os = "linux")]
mod offers;
mod servers;
mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::*;
use crate::client::state::LastStanding;
use crate::client::testing::{Stub, hello_ok, identities};
use crate::domain::catalogue::{Component, Offers, OnConflict};
use crate::domain::license::{Claims, Kind, Usage, Validity};
use crate::domain::time::Timestamp;
use crate::sockets::server::ServerSockets;
use crate::sockets::{Groups, interfaces};
use crate::tls::{Identity, Succession};
use crate::vendor::{CatalogueDraft, LicenseKey, ProductDraft, SignedCatalogue, SigningKey, sign_catalogue, sign_key};
use crate::wire::discovery::{Offer, Question};
use crate::wire::limits::{GROUP_V4, GROUP_V6};
use crate::wire::messages::hello::{self, HelloOk, Refusal};
use crate::wire::messages::seat::{AvailabilityOk, CheckoutOk, Counts, ReleaseOk};
use crate::wire::messages::{Request, Response};
use crate::wire::{Outcome, ReleaseOutcome, Status};

const MAC: [u8; 6] = [0, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];

/// A vendor whose product has a strict, a lenient and an uncounted component.
struct Vendor(SigningKey);

impl Vendor {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_seed([seed; 32]))
    }

    fn entry(&self, version: u64, lenient_counted: bool) -> Bytes {
        self.entry_offline(version, lenient_counted, 0)
    }

    fn entry_offline(&self, version: u64, lenient_counted: bool, offline_days: u8) -> Bytes {
        let flags = |counted, lenient| Component {
            counted,
            lenient,
            ephemeral: false,
        };
        let components = BTreeMap::from([
            ("strict".parse().unwrap(), flags(true, false)),
            ("lenient".parse().unwrap(), flags(true, true)),
            ("console".parse().unwrap(), flags(lenient_counted, false)),
        ]);
        let product = ProductDraft {
            name: "Backup Server".to_owned(),
            idle_days: 30,
            single_use: false,
            offline_days,
            components,
            required_product: None,
            on_conflict: OnConflict::Flag,
            offers: Offers::MachineFirst,
        };
        let draft = CatalogueDraft {
            vendor_name: "Example".to_owned(),
            version,
            issued_at: Timestamp(1),
            products: BTreeMap::from([("BKSRV".parse().unwrap(), product)]),
        };
        let text = sign_catalogue(&self.0, &draft).unwrap();
        let catalogue = SignedCatalogue::parse(&text).unwrap();
        let catalogue = catalogue.verify(&self.0.vendor_key()).unwrap();
        catalogue.products[&"BKSRV".parse().unwrap()].signed_entry.clone()
    }

    fn certificate(&self, product: &str) -> Bytes {
        let claims = Claims {
            vendor: self.0.vendor_key().id(),
            serial: "0123456789ABCDEF".parse().unwrap(),
            product: product.parse().unwrap(),
            seats: 3,
            kind: Kind::Commercial,
            usage: Usage::Machine,
            issued_at: Timestamp(1),
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        };
        let text = sign_key(&self.0, &claims.into(), [9; 16]).unwrap();
        let key = LicenseKey::parse(&text).unwrap();
        key.verify(&self.0.vendor_key()).unwrap().certificate
    }

    fn grant(&self, continuation: u64) -> Response {
        Response::Checkout(CheckoutOk {
            server_time: 1_000,
            outcome: Outcome::GRANTED,
            catalogue_entry: self.entry(1, false),
            serial: Some("0123456789ABCDEF".to_owned()),
            acquired_at: Some(900),
            renew_by: Some(2_000),
            continuation: Some(continuation),
            certificate: Some(self.certificate("BKSRV")),
            ..CheckoutOk::default()
        })
    }

    fn not_counted(entry: Bytes) -> Response {
        Response::Checkout(CheckoutOk {
            server_time: 1_000,
            outcome: Outcome::NOT_COUNTED,
            catalogue_entry: entry,
            counts: Some(Counts {
                total: 3,
                available: 2,
                ..Counts::default()
            }),
            ..CheckoutOk::default()
        })
    }

    fn agent(&self, directory: &tempfile::TempDir, component: &str) -> Agent {
        Agent::new(
            self.0.vendor_key(),
            "BKSRV".parse().unwrap(),
            component.parse().unwrap(),
        )
        .mac(Mac::new(MAC).unwrap())
        .state_dir(directory.path())
        .deadline(Duration::from_secs(10))
    }
}

fn refused(status: Status) -> Response {
    let text = "all 3 seats are in use; buy more or release one".to_owned();
    Response::Refused(
        status,
        Refusal {
            text,
            ..Refusal::default()
        },
    )
}

fn busy(retry_secs: u32) -> Response {
    let text = "the server is busy".to_owned();
    Response::Refused(
        Status::BUSY,
        Refusal {
            text,
            retry_secs: Some(retry_secs),
            ..Refusal::default()
        },
    )
}

fn of(stubs: &[&Stub]) -> Vec<String> {
    stubs.iter().map(|stub| stub.address.to_string()).collect()
}

async fn granting(vendor: &Arc<Vendor>, hello: HelloOk) -> Stub {
    let [identity] = identities();
    let vendor = vendor.clone();
    Stub::start(&identity, hello, move |_| Some(vendor.grant(7))).await
}

async fn answering(response: Response) -> Stub {
    let [identity] = identities();
    Stub::start(&identity, hello_ok(), move |_| Some(response.clone())).await
}

fn checkouts(stub: &Stub) -> Vec<u64> {
    stub.asked()
        .iter()
        .map(|request| match request {
            Request::Checkout(checkout) | Request::Renew(checkout) => checkout.continuation,
            other => panic!("{other:?}"),
        })
        .collect()
}
