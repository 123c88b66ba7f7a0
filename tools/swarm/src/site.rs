//! The server that is measured: a fresh one of our own, or somebody's; and a vendor whose keys it holds.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::ClientConfig;
use seatkeeper::domain::catalogue::{Component, Offers, OnConflict};
use seatkeeper::domain::ids::{Serial, VendorId};
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::tls::{self, Identity, PinRule};
use seatkeeper::vendor::{
    CatalogueDraft, KeyDraft, ProductDraft, SignedCatalogue, SigningKey, sign_catalogue, sign_key,
};
use seatkeeper::wire::messages::admin::{CatalogueImport, Import, VendorTrust};
use seatkeeper::wire::messages::reload::Reload;
use seatkeeper::wire::messages::{Request, Response};

use crate::args::ServerArgs;
use crate::error::SwarmError;
use crate::line::{Line, Path as Way};
use crate::own::{Home, Own};

/// The product that machines check out here.
pub(crate) const PRODUCT: &str = "SWARM";

/// Its component.
pub(crate) const COMPONENT: &str = "agent";

/// What lets one host be many machines, and connections be silent while another is measured; all else is as it is by
/// default.
pub(crate) const MANY_MACHINES: &str = "[limits]
new_macs_per_identity_and_day = 4000000000
new_seats_per_source_and_minute = 4000000000
agent_silence_secs = 86400
";

/// When everything is signed: 2026-01-01.
pub(crate) const SIGNED_AT: Timestamp = Timestamp(1_767_225_600);

/// A server with licenses of a vendor that was made for it.
#[derive(Debug)]
pub(crate) struct Site {
    /// Where it takes connections.
    pub(crate) server: SocketAddr,
    /// The vendor.
    pub(crate) vendor: VendorId,
    /// What the vendor signs with; nothing before there is one.
    pub(crate) signer: Option<SigningKey>,
    /// Its administrator's key.
    pub(crate) admin: PathBuf,
    /// The process, if it can be looked at.
    pub(crate) pid: Option<u32>,
    /// Where it is ours.
    own: Option<Own>,
}

impl Site {
    /// The server of the arguments, or a fresh one with this configuration; with `seats` seats of our product.
    pub(crate) async fn open(args: &ServerArgs, config: &str, seats: u32) -> Result<Self, SwarmError> {
        let (Some(server), Some(admin)) = (args.server, &args.admin) else {
            return Self::own(Home::new(&args.own, config)?, seats).await;
        };
        let site = Self {
            server,
            vendor: VendorId([0; 16]),
            signer: None,
            admin: admin.clone(),
            pid: args.pid,
            own: None,
        };
        site.stocked(seats).await
    }

    /// A fresh server over these files; with `seats` seats of our product.
    pub(crate) async fn own(home: Home, seats: u32) -> Result<Self, SwarmError> {
        let admin = home.data().join("admin.pem");
        let (own, server) = home.serve().await?;
        let site = Self {
            server,
            vendor: VendorId([0; 16]),
            signer: None,
            admin,
            pid: Some(own.pid()),
            own: Some(own),
        };
        site.stocked(seats).await
    }

    async fn stocked(mut self, seats: u32) -> Result<Self, SwarmError> {
        let signer = self.stock(seats).await?;
        self.vendor = signer.vendor_key().id();
        self.signer = Some(signer);
        Ok(self)
    }

    /// Makes a vendor, has the server trust it, and imports licenses of it.
    async fn stock(&self, seats: u32) -> Result<SigningKey, SwarmError> {
        let signer = SigningKey::from_seed(random().map_err(|error| SwarmError::because("making a vendor", error))?);
        self.have(stock_of(&signer, seats)?).await?;
        Ok(signer)
    }

    /// A connection as the server's administrator.
    pub(crate) async fn administrator(&self) -> Result<Line, SwarmError> {
        let identity =
            Identity::load(&self.admin).map_err(|error| SwarmError::of("reading the administrator's key")(&error))?;
        let way = Way {
            server: self.server,
            from: None,
            tls: config_of(&identity)?,
        };
        let greeted = way.greeted().await;
        let connecting = || format!("connecting to {} as its administrator", self.server);
        Ok(greeted.map_err(|error| SwarmError::of(connecting())(&error))?.0)
    }

    /// Asks for all of this as the server's administrator; what each is, in words, stands before it.
    pub(crate) async fn have(&self, all: impl IntoIterator<Item = (&'static str, Request)>) -> Result<(), SwarmError> {
        let mut line = self.administrator().await?;
        for (asked, request) in all {
            granted(asked, line.request(&request).await)?;
        }
        line.close().await;
        Ok(())
    }

    /// Has a server that is ours go by another configuration.
    pub(crate) async fn reconfigure(&self, config: &str) -> Result<(), SwarmError> {
        let Some(own) = &self.own else { return Ok(()) };
        own.configure(config)?;
        let mut line = self.administrator().await?;
        let doing = "having the server read its configuration";
        let answer = granted(doing, line.request(&Request::Reload(Reload { dry_run: None })).await)?;
        line.close().await;
        match answer {
            Response::Reload(reloaded) if reloaded.wrong.is_empty() => Ok(()),
            other => Err(SwarmError::because(doing, format!("{other:?}"))),
        }
    }

    /// The data directory, if it can be seen: where the administrator's key is, unless that was taken elsewhere.
    pub(crate) fn data(&self) -> Option<PathBuf> {
        let data = self.admin.parent()?;
        data.join("FORMAT").exists().then(|| data.to_owned())
    }

    /// The files of a server that is ours.
    pub(crate) fn home(&self) -> Option<&Home> {
        self.own.as_ref().map(Own::home)
    }

    /// Has a server that is ours end in good order: its files.
    pub(crate) async fn stop(self) -> Result<Option<Home>, SwarmError> {
        match self.own {
            Some(own) => own.stop().await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends a server that is ours.
    pub(crate) async fn end(self) -> Result<(), SwarmError> {
        match self.own {
            Some(own) => own.end().await,
            None => Ok(()),
        }
    }
}

/// An answer that is no refusal.
pub(crate) fn granted(asked: &str, answer: io::Result<Response>) -> Result<Response, SwarmError> {
    match answer.map_err(|error| SwarmError::of(asked)(&error))? {
        Response::Refused(status, refusal) => Err(SwarmError::Refused {
            asked: asked.to_owned(),
            text: format!("{status:?}: {}", refusal.text),
        }),
        answer => Ok(answer),
    }
}

/// What a client with this identity connects with; it takes any server.
pub(crate) fn config_of(identity: &Identity) -> Result<std::sync::Arc<ClientConfig>, SwarmError> {
    tls::client_config(identity, PinRule::Any).map_err(|error| SwarmError::of("setting up TLS")(&error))
}

/// A new identity.
pub(crate) fn identity() -> Result<Identity, SwarmError> {
    Identity::generate().map_err(|error| SwarmError::of("making an identity")(&error))
}

/// So many new identities.
pub(crate) fn identities(count: usize) -> Result<Vec<Identity>, SwarmError> {
    (0..count).map(|_| identity()).collect()
}

pub(crate) fn random() -> Result<[u8; 32], String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
    Ok(seed)
}

fn stock_of(signer: &SigningKey, seats: u32) -> Result<[(&'static str, Request); 3], SwarmError> {
    let vendor = signer.vendor_key();
    let impossible = |error: &dyn std::fmt::Display| SwarmError::because("signing for the server", error.to_string());
    let product = PRODUCT.parse().map_err(|error| impossible(&error))?;
    let agent = Component {
        counted: true,
        lenient: false,
        ephemeral: false,
    };
    let draft = ProductDraft {
        name: "Swarm".to_owned(),
        idle_days: 30,
        single_use: false,
        offline_days: 0,
        components: [(COMPONENT.parse().map_err(|error| impossible(&error))?, agent)].into(),
        required_product: None,
        on_conflict: OnConflict::Flag,
        offers: Offers::MachineFirst,
    };
    let catalogue = CatalogueDraft {
        vendor_name: "Swarm".to_owned(),
        version: 1,
        issued_at: SIGNED_AT,
        products: [(product, draft)].into(),
    };
    let catalogue = sign_catalogue(signer, &catalogue).map_err(|error| impossible(&error))?;
    let catalogue = SignedCatalogue::parse(&catalogue).map_err(|error| impossible(&error))?;
    let claims = Claims {
        vendor: vendor.id(),
        serial: Serial::from_random([7; 10]),
        product,
        seats,
        kind: Kind::Commercial,
        usage: Usage::Machine,
        issued_at: SIGNED_AT,
        validity: Validity::Forever,
        support_until_day: None,
        auto_renew: false,
    };
    let secret = random().map_err(|error| impossible(&error))?;
    let mut half = [0; 16];
    half.copy_from_slice(secret.first_chunk::<16>().unwrap_or(&[0; 16]));
    let key = sign_key(signer, &KeyDraft::from(claims), half).map_err(|error| impossible(&error))?;
    Ok([
        (
            "trusting a vendor",
            Request::VendorTrust(VendorTrust {
                public_key: vendor.bytes(),
            }),
        ),
        (
            "importing a catalogue",
            Request::CatalogueImport(CatalogueImport {
                catalogue: catalogue.bytes().clone(),
                dry_run: None,
            }),
        ),
        (
            "importing a license key",
            Request::Import(Import {
                keys: vec![key],
                dry_run: None,
            }),
        ),
    ])
}
