//! A whole server in this process, on free ports of the loopback, with its ledger in memory.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use seatkeeper::clock::Clock;
use seatkeeper::config::Config;
use seatkeeper::domain::catalogue::{Component, Offers, OnConflict};
use seatkeeper::domain::command::{Actor, Command, Role};
use seatkeeper::domain::ids::{Fingerprint, ServerId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::net::listen::ListenFilter;
use seatkeeper::net::udp::Discovery;
use seatkeeper::net::{Connections, OfferFacts, Shared, follow, listen};
use seatkeeper::service::{self, NewSeatLimits, Request, Writer};
use seatkeeper::session::LeaseKey;
use seatkeeper::sockets::server::ServerSockets;
use seatkeeper::store::MemoryStore;
use seatkeeper::tls::Identity;
use seatkeeper::vendor::{CatalogueDraft, ProductDraft, SignedCatalogue, SigningKey, sign_catalogue};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const HOUR_SECS: u64 = 3_600;

const ID: ServerId = ServerId([0x5e; 16]);

/// A server that runs until this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    fingerprint: Fingerprint,
    /// What its administrator keeps in files.
    files: TempDir,
    _stop: DropGuard,
    _connections: Connections,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        Self::with(name, Clock::system(), true)
    }

    /// A server whose clock is `secs` ahead of this machine's.
    pub(crate) fn start_ahead(name: &str, secs: u64) -> Self {
        let now = Clock::system().calendar();
        Self::with(name, Clock::manual(now.after_secs(secs)), true)
    }

    /// A server whose questions are lost on the way.
    pub(crate) fn start_without_udp(name: &str) -> Self {
        Self::with(name, Clock::system(), false)
    }

    fn with(name: &str, clock: Clock, discoverable: bool) -> Self {
        let files = TempDir::new().expect("a directory");
        let identity = Identity::generate().expect("an identity");
        let fingerprint = Fingerprint(identity.fingerprint());
        let (udp, tcp, port) = ports();
        let writer = ledger(&files, &clock);
        let (service, _thread) = service::spawn(writer, clock.clone()).expect("a thread");
        let offered = OfferFacts {
            fingerprint,
            name: name.to_owned(),
            port,
            priority: 100,
        };
        let facts = follow(&service, tokio::sync::watch::channel(offered).1);
        let shared = Shared::new(
            service,
            &identity,
            LeaseKey::from_seed([7; 32]),
            name.to_owned(),
            Config::default().net(),
        )
        .expect("TLS");
        let stop = CancellationToken::new();
        if discoverable {
            let discovery = Discovery::new(udp, ListenFilter::default(), facts, clock).expect("randomness");
            tokio::spawn(discovery.run(stop.clone()));
        }
        let connections = Connections::start(vec![tcp], shared, &stop);
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            fingerprint,
            files,
            _stop: stop.drop_guard(),
            _connections: connections,
        }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn port(&self) -> String {
        self.address.port().to_string()
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.fingerprint.to_string()
    }

    #[expect(
        clippy::unused_self,
        reason = "all have the same id, and tests ask the server for it"
    )]
    pub(crate) fn id(&self) -> String {
        ID.to_string()
    }

    /// The file of its administrator's identity.
    pub(crate) fn administrator(&self) -> String {
        self.file("admin.pem")
    }

    /// The file of its vendor's public key.
    pub(crate) fn vendor_key(&self) -> String {
        self.file("vendor.pub")
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).to_str().expect("UTF-8").to_owned()
    }
}

/// A UDP port that hears questions and answers none, and whose TCP port is closed.
pub(crate) fn silent_port() -> (ServerSockets, u16) {
    let udp = ServerSockets::bind(0).expect("a UDP port");
    let port = udp.port().expect("its number");
    (udp, port)
}

/// A port that is free for both transports.
fn ports() -> (ServerSockets, tokio::net::TcpListener, u16) {
    for _ in 0..16 {
        let (udp, port) = silent_port();
        if let Ok(tcp) = listen((Ipv4Addr::UNSPECIFIED, port).into()) {
            return (udp, tcp, port);
        }
    }
    panic!("no port is free for both transports");
}

/// A ledger with an administrator and one product, of which nothing was bought.
fn ledger(files: &TempDir, clock: &Clock) -> Writer<MemoryStore> {
    let mut writer = Writer::load(MemoryStore::new(), NewSeatLimits::default()).expect("an empty ledger");
    let admin = Identity::load_or_create(&files.path().join("admin.pem")).expect("an identity");
    let signer = SigningKey::from_seed([7; 32]);
    let key = signer.vendor_key();
    std::fs::write(files.path().join("vendor.pub"), key.to_pem()).expect("written");
    let text = sign_catalogue(&signer, &catalogue()).expect("a catalogue");
    let catalogue = SignedCatalogue::parse(&text)
        .and_then(|signed| signed.verify(&key))
        .expect("genuine");
    let commands = [
        Command::Found { id: ID },
        Command::AddAdmin {
            fingerprint: Fingerprint(admin.fingerprint()),
            role: Role::Administrator,
            label: "Ada".to_owned(),
        },
        Command::TrustVendor {
            public_key: key.bytes(),
            vendor: key.id(),
        },
        Command::ImportCatalogue {
            catalogue: Box::new(catalogue),
            dry_run: false,
        },
    ];
    let requests = commands.map(|command| Request {
        actor: Actor::Server,
        command,
    });
    writer.round(&requests, clock.reading()).expect("committed");
    writer
}

fn catalogue() -> CatalogueDraft {
    let agent = Component {
        counted: true,
        lenient: false,
        ephemeral: false,
    };
    let product = ProductDraft {
        name: "Backup for servers".to_owned(),
        idle_days: 30,
        single_use: false,
        offline_days: 0,
        components: BTreeMap::from([("agent".parse().expect("an id"), agent)]),
        required_product: None,
        on_conflict: OnConflict::Flag,
        offers: Offers::MachineFirst,
    };
    CatalogueDraft {
        vendor_name: "Acme".to_owned(),
        version: 1,
        issued_at: Timestamp(1_700_000_000),
        products: BTreeMap::from([("BKSRV".parse().expect("an id"), product)]),
    }
}
