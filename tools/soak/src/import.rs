//! Rule K8: many keys, imported as the command line does it, interrupted, and gone on with.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use seatkeeper::client::{Connection, Deadline, Target, connect};
use seatkeeper::clock::monotonic;
use seatkeeper::domain::command::Rebind;
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::tls::{Identity, PinRule};
use seatkeeper::vendor::{FoundKey, find_keys};
use seatkeeper::wire::ImportOutcome;
use seatkeeper::wire::limits::KEYS_MAX;
use seatkeeper::wire::messages::{Request, Response, admin, views};
use seatkeeper_model::{Key, Kind, ProductKey, Usage, Validity, base_catalogue};
use seatkeeper_world::words::{SIGNED_AT, Vendors};

use crate::error::SoakError;
use crate::server::{Server, Site};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long the frame is waited for whose answer gets lost: long enough to arrive, too short to be answered.
const INTERRUPTED_AFTER: Duration = Duration::from_millis(5);

const PRODUCT: ProductKey = ProductKey {
    vendor: 1,
    id: "SERVER",
};

/// What became of the keys.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) keys: u32,
    /// Answered before the interruption.
    pub(crate) added_before: u32,
    /// By the import that went on.
    pub(crate) added_after: u32,
    /// Found there by the import that went on.
    pub(crate) present_after: u32,
    secs: u64,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} keys: {} added before the interruption; the import that went on added {} and found {}; a third one added \
             none; the server has each once; the imports took {} s",
            self.keys, self.added_before, self.added_after, self.present_after, self.secs
        )
    }
}

/// Signs keys into a file, imports them into a new server, stops that half way, and imports all of them again, twice.
pub(crate) async fn run(dir: &Path, keys: u32) -> Result<Imported, SoakError> {
    let vendors = Vendors::default();
    let path = dir.join("keys.txt");
    sign(&path, &vendors, keys)?;
    let found = find_keys(&std::fs::read_to_string(path)?)?;
    let administrator = identity()?;
    let site = Site {
        identity: identity()?,
        administrator: Fingerprint(administrator.fingerprint()),
    };
    let data = dir.join("server");
    let mut server = Server::start(&data, &site, SIGNED_AT, Rebind::Honour).await?;
    let mut session = Session::open(&server, &site, &administrator).await?;
    session.found_vendor(&vendors).await?;
    let began_at = monotonic();
    let mut outcome = Imported {
        keys,
        ..Imported::default()
    };
    let half = found.len() / 2;
    let first = session.import(found.get(..half).unwrap_or_default()).await?;
    outcome.added_before = first.added;
    let unanswered = found.get(half..).unwrap_or_default().chunks(KEYS_MAX).next();
    session.lose_the_answer(unanswered.unwrap_or_default()).await;
    server.restart(&data, &site, SIGNED_AT, Rebind::Honour).await?;

    let mut session = Session::open(&server, &site, &administrator).await?;
    let second = session.import(&found).await?;
    (outcome.added_after, outcome.present_after) = (second.added, second.present);
    let third = session.import(&found).await?;
    let licenses = session.licenses().await?;
    outcome.secs = monotonic().millis_since(began_at) / 1_000;
    drop(session);
    server.end().await?;

    let lost = u32::try_from(KEYS_MAX).unwrap_or(u32::MAX);
    let checks = [
        ("every key is added or was there", second.added + second.present == keys),
        ("what was answered is there", second.present >= first.added),
        (
            "what was not answered is one frame",
            second.present <= first.added + lost,
        ),
        ("nothing is added again", (third.added, third.present) == (0, keys)),
        ("the server has each once", licenses == found.len()),
    ];
    match checks.into_iter().find(|(_, holds)| !holds) {
        None => Ok(outcome),
        Some((what, _)) => Err(SoakError::Impossible(format!(
            "not true that {what}: {first:?}, {second:?}, {third:?}, {licenses} licenses"
        ))),
    }
}

/// Writes the keys into a file, with a comment at its head.
fn sign(path: &Path, vendors: &Vendors, keys: u32) -> Result<(), SoakError> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "# {keys} keys for a soak")?;
    for number in 0..keys {
        let key = Key {
            serial: number,
            product: PRODUCT,
            seats: 1,
            usage: Usage::Machine,
            kind: Kind::Commercial,
            validity: Validity::Forever,
            certificate: u64::from(number),
        };
        writeln!(file, "{}", vendors.license_key(&key)?)?;
    }
    Ok(file.flush()?)
}

fn identity() -> Result<Identity, SoakError> {
    Identity::generate().map_err(|error| SoakError::server("making an identity", &error))
}

/// Added and found there.
#[derive(Debug, Default)]
struct Counted {
    added: u32,
    present: u32,
}

/// An administrator's connection.
struct Session {
    connection: Connection,
}

impl Session {
    async fn open(server: &Server, site: &Site, administrator: &Identity) -> Result<Self, SoakError> {
        let pin = PinRule::OneOf(vec![site.identity.fingerprint()]);
        let address: SocketAddr = server.address();
        let connection = connect(Target::from(address), administrator, pin, Deadline::after(PATIENCE)).await?;
        Ok(Self { connection })
    }

    async fn found_vendor(&mut self, vendors: &Vendors) -> Result<(), SoakError> {
        let public_key = vendors.key(PRODUCT.vendor)?.vendor_key().bytes();
        self.ask(&Request::VendorTrust(admin::VendorTrust { public_key }))
            .await?;
        let mut products = base_catalogue(PRODUCT.vendor);
        products.retain(|one| one.key == PRODUCT);
        let catalogue = vendors.catalogue(PRODUCT.vendor, 1, &products)?;
        let dry_run = None;
        self.ask(&Request::CatalogueImport(admin::CatalogueImport { catalogue, dry_run }))
            .await?;
        Ok(())
    }

    async fn import(&mut self, keys: &[FoundKey]) -> Result<Counted, SoakError> {
        let mut counted = Counted::default();
        for portion in keys.chunks(KEYS_MAX) {
            let Response::Import(reply) = self.ask(&import_of(portion)).await? else {
                return Err(SoakError::Impossible("no answer to an import".to_owned()));
            };
            for row in reply.rows {
                match row.outcome {
                    ImportOutcome::ADDED => counted.added += 1,
                    ImportOutcome::PRESENT => counted.present += 1,
                    _ => return Err(SoakError::Impossible(format!("a good key is refused: {row:?}"))),
                }
            }
        }
        Ok(counted)
    }

    /// Sends a frame and hangs up without hearing whether it was carried out.
    async fn lose_the_answer(mut self, keys: &[FoundKey]) {
        let request = import_of(keys);
        let waited = self.connection.request(&request, Deadline::after(INTERRUPTED_AFTER));
        // Either way nobody keeps the answer.
        drop(waited.await);
    }

    /// How many different licenses the server has.
    async fn licenses(&mut self) -> Result<usize, SoakError> {
        let mut serials = BTreeSet::new();
        let mut rows = 0;
        loop {
            let after = serials.last().cloned();
            let asked = Request::Licenses(views::Licenses { after, limit: None });
            let Response::Licenses(page) = self.ask(&asked).await? else {
                return Err(SoakError::Impossible("no page of licenses".to_owned()));
            };
            rows += page.rows.len();
            serials.extend(page.rows.into_iter().map(|row| row.serial));
            if rows != serials.len() {
                return Err(SoakError::Impossible("a license is listed twice".to_owned()));
            }
            if !page.more {
                return Ok(rows);
            }
        }
    }

    async fn ask(&mut self, request: &Request) -> Result<Response, SoakError> {
        let response = self.connection.request(request, Deadline::after(PATIENCE)).await?;
        match response {
            Response::Refused(status, refusal) => Err(SoakError::Impossible(format!("{status:?}: {}", refusal.text))),
            response => Ok(response),
        }
    }
}

fn import_of(keys: &[FoundKey]) -> Request {
    Request::Import(admin::Import {
        keys: keys.iter().map(|key| key.text.clone()).collect(),
        dry_run: None,
    })
}
