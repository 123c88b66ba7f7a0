//! The server that is measured: a fresh one of our own, or somebody's; and a vendor whose keys it holds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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
use seatkeeper::wire::messages::{Request, Response};
use tempfile::TempDir;

use crate::args::ServerArgs;
use crate::child::{Child, Says};
use crate::error::SwarmError;
use crate::line::Path as Way;

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
    process: Option<Child>,
    /// Behind the process: a server whose directory is gone fails in ways of its own.
    _dir: Option<TempDir>,
}

impl Site {
    /// The server of the arguments, or a fresh one with this configuration; with `seats` seats of our product.
    pub(crate) async fn open(args: &ServerArgs, config: &str, seats: u32) -> Result<Self, SwarmError> {
        let mut site = if let (Some(server), Some(admin)) = (args.server, &args.admin) {
            Self {
                server,
                vendor: VendorId([0; 16]),
                signer: None,
                admin: admin.clone(),
                pid: args.pid,
                process: None,
                _dir: None,
            }
        } else {
            Self::fresh(args, config).await?
        };
        let signer = site.stock(seats).await?;
        site.vendor = signer.vendor_key().id();
        site.signer = Some(signer);
        Ok(site)
    }

    async fn fresh(args: &ServerArgs, config: &str) -> Result<Self, SwarmError> {
        let doing = "making a directory for the server";
        let dir = match &args.scratch {
            Some(parent) => tempfile::tempdir_in(parent),
            None => tempfile::tempdir(),
        };
        let dir = dir.map_err(|error| SwarmError::of(doing)(&error))?;
        let (file, data) = (dir.path().join("seatkeeper.toml"), dir.path().join("data"));
        std::fs::write(&file, config).map_err(|error| SwarmError::of(doing)(&error))?;
        let program = program(args.seatkeeper.as_deref())?;
        let args = ["serve", "--listen", "127.0.0.1:0", "--data"].map(std::ffi::OsString::from);
        let args = args
            .into_iter()
            .chain([data.clone().into_os_string(), "--config".into(), file.into_os_string()]);
        let (process, server) = Child::start(&program, args, b"", Says::Err, serving).await?;
        Ok(Self {
            server,
            vendor: VendorId([0; 16]),
            signer: None,
            admin: data.join("admin.pem"),
            pid: Some(process.pid()),
            process: Some(process),
            _dir: Some(dir),
        })
    }

    /// Makes a vendor, has the server trust it, and imports licenses of it.
    async fn stock(&self, seats: u32) -> Result<SigningKey, SwarmError> {
        let signer = SigningKey::from_seed(random().map_err(|error| SwarmError::because("making a vendor", error))?);
        self.have(stock_of(&signer, seats)?).await?;
        Ok(signer)
    }

    /// Asks for all of this as the server's administrator; what each is, in words, stands before it.
    pub(crate) async fn have(&self, all: impl IntoIterator<Item = (&'static str, Request)>) -> Result<(), SwarmError> {
        let identity =
            Identity::load(&self.admin).map_err(|error| SwarmError::of("reading the administrator's key")(&error))?;
        let mut line = Way {
            server: self.server,
            from: None,
            tls: config_of(&identity)?,
        }
        .greeted()
        .await
        .map_err(|error| SwarmError::of(format!("connecting to {} as its administrator", self.server))(&error))?
        .0;
        for (asked, request) in all {
            let answer = line.request(&request).await;
            if let Response::Refused(status, refusal) = answer.map_err(|error| SwarmError::of(asked)(&error))? {
                return Err(SwarmError::Refused {
                    asked: asked.to_owned(),
                    text: format!("{status:?}: {}", refusal.text),
                });
            }
        }
        line.close().await;
        Ok(())
    }

    /// Ends a server that is ours.
    pub(crate) async fn end(self) -> Result<(), SwarmError> {
        match self.process {
            Some(process) => process.end().await,
            None => Ok(()),
        }
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

/// The server's program: the one that was named, or the one beside this program.
fn program(named: Option<&Path>) -> Result<PathBuf, SwarmError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let own = std::env::current_exe().map_err(|error| SwarmError::of("finding this program")(&error))?;
    Ok(own.with_file_name("seatkeeper"))
}

/// Where a server serves, in the line in which it says so.
fn serving(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("addresses=[")?;
    rest.split([']', ',']).next()?.parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_in_which_a_server_says_where_it_serves_is_understood() {
        let line =
            "2026-01-01T00:00:00Z  INFO seatkeeper::cli::serve: serving addresses=[127.0.0.1:56629] fingerprint=7c";
        assert_eq!(serving(line), Some("127.0.0.1:56629".parse().unwrap()));
        assert_eq!(serving("INFO first start id=1f"), None);
    }
}
