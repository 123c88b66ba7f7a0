//! A whole server, wired up: data directory, writer, sockets. `serve` runs one until a signal, the demonstration another.

mod gauge;
mod reload;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::backup;
use super::error::CliError;
use super::lease_key;
use super::local::{self, ADMIN_FILE, IDENTITY_FILE, LocalServer};
use super::rotate::Note;
use super::supervision;
use crate::client::with_causes;
use crate::clock::Clock;
use crate::config::{Config, one_port};
use crate::domain::command::{Actor, Command, Role};
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::time::DAY_SECS;
use crate::net::listen::{ListenFilter, Place};
use crate::net::udp::Discovery;
use crate::net::{Connections, OfferFacts, Shared, follow, listen, make_room};
use crate::service::{self, Request, Service, Writer};
use crate::session::LeaseKey;
use crate::sockets::server::ServerSockets;
use crate::store::{self, DiskStore, StoreError};
use crate::tls::Identity;
use crate::wire::limits::NAME_LEN_MAX;
use reload::{PRIORITY_DEFAULT, Reloader};
pub(super) use reload::{Reloading, Reloads};

/// What a server is started with.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) data: PathBuf,
    pub(super) config: Config,
    /// How it is read again.
    pub(super) reloading: Reloading,
    pub(super) site_port: u16,
    pub(super) clock: Clock,
    pub(super) recover_admin: bool,
}

/// A server that runs.
#[derive(Debug)]
pub(super) struct Server {
    data: PathBuf,
    addresses: Vec<SocketAddr>,
    fingerprint: Fingerprint,
    stop: CancellationToken,
    reloads: Reloads,
    connections: Connections,
    responder: tokio::task::JoinHandle<()>,
    ended: watch::Receiver<Option<End>>,
}

/// How the writer ended: in good order, or why not.
type End = Result<(), String>;

/// How long the store may take to end, once connections have ended, for which there are 10 seconds. A disk that hangs must not
/// keep the process: systemd would kill it after 20 (`TimeoutStopSec`).
const STORE_PATIENCE: Duration = Duration::from_secs(8);

impl Server {
    /// Loads what is on disk, frees what is overdue, and only then opens the port (rule S6).
    pub(super) async fn start(options: Options) -> Result<Self, CliError> {
        let Options {
            data,
            config,
            reloading,
            site_port,
            clock,
            recover_admin,
        } = options;
        let ((writer, identity, lease_key), looked) = {
            let (data, clock, config) = (data.clone(), clock.clone(), config.clone());
            let prepared =
                move || prepare(&data, &clock, &config, recover_admin).map(|ready| (ready, gauge::now(&data)));
            blocking(prepared).await?
        };
        let fingerprint = Fingerprint(identity.fingerprint());
        let sockets = Sockets::open(&config.listen_on(site_port))?;
        let addresses = sockets.addresses.clone();
        be_found_here(&data, &addresses, fingerprint, name_of(&config));

        let (service, thread) = service::spawn(writer, clock.clone())
            .map_err(|error| CliError::because("cannot start the writer", error))?;
        let ended = watch_writer(thread).map_err(|error| CliError::because("cannot start a thread", error))?;
        let offered = OfferFacts {
            fingerprint,
            name: name_of(&config),
            port: addresses.first().map_or(site_port, SocketAddr::port),
            priority: config.priority.unwrap_or(PRIORITY_DEFAULT),
        };
        let (offer, offered) = watch::channel(offered);
        let (answers, answering) = watch::channel(reload::answering(&config));
        let discovery = Discovery::new(sockets.udp, places(&config), follow(&service, offered), clock)
            .map_err(|error| CliError::because("cannot answer questions on the network", error))?
            .within(answering);
        let (time_service, alive_service) = (service.clone(), service.clone());
        let mut limits = config.net();
        limits.connections.total = make_room(limits.connections.total);
        let (ask, asks) = reload::channel();
        let (look, disk) = watch::channel(looked);
        let shared = Shared::new(service.clone(), &identity, lease_key, name_of(&config), limits)
            .map_err(|error| CliError::because("cannot set up TLS", error))?
            .reloading(ask.clone())
            .on_disk(disk);
        let stop = CancellationToken::new();
        tokio::spawn(gauge::watch_disk(data.clone(), look, stop.clone()));
        let reloader = Reloader {
            reloading,
            running: config,
            service,
            dials: shared.dials(),
            offered: offer,
            answers,
        };
        tokio::spawn(reloader.run(asks, stop.clone()));
        tokio::spawn(keep_time(time_service, stop.clone()));
        tokio::spawn(supervision::keep_alive(alive_service, stop.clone()));
        let responder = tokio::spawn(discovery.run(stop.clone()));
        let connections = Connections::start(sockets.tcp, shared, &stop);
        Ok(Self {
            data,
            addresses,
            fingerprint,
            stop,
            reloads: Reloads::new(ask),
            connections,
            responder,
            ended,
        })
    }

    /// Its TCP addresses.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What has its configuration read again.
    pub(super) const fn reloads(&self) -> &Reloads {
        &self.reloads
    }

    /// Its identity.
    pub(super) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Waits until the writer ends by itself, which it does only when the store has failed.
    pub(super) async fn failed(&mut self) -> String {
        match self.ended.wait_for(|end| matches!(end, Some(Err(_)))).await.as_deref() {
            Ok(Some(Err(reason))) => reason.clone(),
            _ => "the writer is gone".to_owned(),
        }
    }

    /// Takes nothing new, answers what was taken, closes everything.
    pub(super) async fn stop(self) -> Result<(), CliError> {
        self.stop.cancel();
        LocalServer::remove(&self.data);
        self.connections.finish().await;
        // The responder holds nothing that is waited for; a panic in it would have been told by its own message.
        drop(self.responder.await);
        end_of(self.ended, STORE_PATIENCE).await.map_err(CliError::failed)
    }
}

/// Lets commands on this host find the server by its data directory.
fn be_found_here(data: &std::path::Path, addresses: &[SocketAddr], fingerprint: Fingerprint, name: String) {
    let local = LocalServer {
        listen: addresses.to_vec(),
        fingerprint: fingerprint.to_string(),
        name: Some(name),
    };
    if let Err(error) = local.write(data) {
        // A full disk must not keep a server from starting; commands then need to be told where it is.
        tracing::warn!(
            "commands on this host do not find this server by themselves, give them --server: {}",
            with_causes(&error)
        );
    }
}

/// The sockets of a server: one UDP port on every address, a TCP listener for each address.
struct Sockets {
    udp: ServerSockets,
    tcp: Vec<tokio::net::TcpListener>,
    addresses: Vec<SocketAddr>,
}

/// Tries to find a port that is free for both transports, at most.
const FREE_PORT_TRIES: u32 = 16;

impl Sockets {
    fn open(wanted: &[SocketAddr]) -> Result<Self, CliError> {
        one_port(wanted).map_err(|error| CliError::Usage(error.to_string()))?;
        let any = wanted.iter().all(|address| address.port() == 0);
        let mut tries = if any { FREE_PORT_TRIES } else { 1 };
        loop {
            match Self::open_once(wanted, any) {
                Err(_) if tries > 1 => tries -= 1,
                outcome => return outcome,
            }
        }
    }

    /// Takes the UDP port first: it tells a second server on this host from a first one.
    fn open_once(wanted: &[SocketAddr], any: bool) -> Result<Self, CliError> {
        let udp_port = wanted.first().map_or(0, SocketAddr::port);
        let udp = ServerSockets::bind(udp_port)
            .map_err(|error| CliError::because("cannot be found by broadcast without its UDP port", error))?;
        let port = udp
            .port()
            .map_err(|error| CliError::because("cannot tell its own UDP port", error))?;
        let mut tcp = Vec::new();
        for address in wanted {
            let address = if any {
                SocketAddr::new(address.ip(), port)
            } else {
                *address
            };
            match listen(address) {
                Ok(listener) => tcp.push(listener),
                // A host without IPv6 still serves over IPv4.
                Err(error) if address.ip().is_unspecified() && wanted.len() > 1 && error.is_unavailable() => {
                    tracing::warn!(%address, "this address family is not available here");
                }
                Err(error) => return Err(CliError::because("cannot take connections", error)),
            }
        }
        let addresses: Result<Vec<_>, _> = tcp.iter().map(tokio::net::TcpListener::local_addr).collect();
        let addresses = addresses.map_err(|error| CliError::because("cannot tell its own addresses", error))?;
        if addresses.is_empty() {
            return Err(CliError::failed("there is no address to listen on; say --listen ADDR"));
        }
        Ok(Self { udp, tcp, addresses })
    }
}

/// Where questions are answered: where connections are taken.
fn places(config: &Config) -> ListenFilter {
    ListenFilter::on(
        config
            .listen
            .iter()
            .map(|listen| Place::Address(listen.address))
            .collect(),
    )
}

fn name_of(config: &Config) -> String {
    config.name.clone().unwrap_or_else(|| {
        let host = nix::unistd::gethostname()
            .ok()
            .and_then(|name| name.into_string().ok())
            .unwrap_or_default();
        match host.get(..host.floor_char_boundary(NAME_LEN_MAX)) {
            None | Some("") => "seatkeeper".to_owned(),
            Some(name) => name.to_owned(),
        }
    })
}

/// Opens the data directory and makes the ledger ready: loaded, checked, founded, with an administrator.
fn prepare(
    data: &std::path::Path,
    clock: &Clock,
    config: &Config,
    recover_admin: bool,
) -> Result<(Writer<DiskStore>, Identity, LeaseKey), CliError> {
    local::refuse_foreign(data)?;
    local::refuse_keys_without_store(data)?;
    let settings = reload::settings(config);
    let kept = store::Options {
        checkpoint_bytes: settings.checkpoint_bytes,
        retention: settings.retention,
        ..store::Options::default()
    };
    let store = DiskStore::open_with(data, kept)
        .map_err(|error| CliError::because(format!("cannot use the data directory {}", data.display()), error))?;
    let mut writer = Writer::load(store, settings.new_seats)
        .map_err(|error| CliError::because(format!("cannot load the ledger in {}", data.display()), error))?;
    writer.configure(&settings);
    let identity = |file: &str| {
        let path = data.join(file);
        Identity::load_or_create(&path)
            .map_err(|error| CliError::because(format!("cannot use the identity {}", path.display()), error))
    };
    let founded = writer.ledger().server().is_some();
    let missing = |file: &str| founded && !data.join(file).exists();
    if missing(IDENTITY_FILE) {
        tracing::warn!(
            "{IDENTITY_FILE} is missing: the server gets a new identity, which agents that trusted the old one refuse; \
             restore the file from a backup, or run `seatkeeper agent trust FINGERPRINT` on the machines"
        );
    }
    if missing(ADMIN_FILE) && !recover_admin {
        tracing::warn!(
            "{ADMIN_FILE} is missing: commands on this host do not act as its administrator; restore the file from a \
             backup, or start once with --recover-admin"
        );
    }
    let server = identity(IDENTITY_FILE)?;
    let lease_key = lease_key::load_or_create(data, founded)?;
    let committed = |error: StoreError| CliError::because(format!("cannot write to {}", data.display()), error);
    writer.reclaim(clock.reading()).map_err(committed)?;
    let mut requests = Vec::new();
    if !founded {
        requests.push(Command::Found {
            id: ServerId(random()?),
        });
    }
    requests.extend(noted(data, &server).filter(|_| founded));
    if recover_admin {
        set_aside(&data.join(ADMIN_FILE))?;
    }
    if recover_admin || !writer.ledger().has_administrator() {
        let fingerprint = Fingerprint(identity(ADMIN_FILE)?.fingerprint());
        let label = if recover_admin {
            "recovered on the server"
        } else {
            "made at the first start"
        }
        .to_owned();
        requests.push(Command::AddAdmin {
            fingerprint,
            role: Role::Administrator,
            label,
        });
    }
    let requests: Vec<_> = requests
        .into_iter()
        .map(|command| Request {
            actor: Actor::Server,
            command,
        })
        .collect();
    writer.round(&requests, clock.reading()).map_err(committed)?;
    forget_notes(data);
    Ok((writer, server, lease_key))
}

/// That the identity was replaced since the last start, if it was.
fn rotation(data: &std::path::Path, identity: &Identity) -> Option<Command> {
    let Note { from, to } = Note::read(data).filter(|note| note.to == Fingerprint(identity.fingerprint()))?;
    Some(Command::NoteIdentity { from, to })
}

/// What commands did to the directory since the last start, and left notes of.
fn noted(data: &std::path::Path, identity: &Identity) -> impl Iterator<Item = Command> {
    let backed_up = backup::noted(data).map(Command::NoteBackup);
    rotation(data, identity).into_iter().chain(backed_up)
}

/// Takes these notes away: what they tell is durable.
fn forget_notes(data: &std::path::Path) {
    Note::remove(data);
    backup::remove_note(data);
}

/// Keeps an administrator identity that is replaced: somebody may find its key again.
fn set_aside(path: &std::path::Path) -> Result<(), CliError> {
    match std::fs::rename(path, path.with_extension("pem.before-recovery")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::because(format!("cannot set {} aside", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], CliError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| CliError::failed(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

/// Turns the end of the writer's thread into something that can be awaited. By a thread of its own, which nothing waits for.
fn watch_writer(thread: std::thread::JoinHandle<Result<(), StoreError>>) -> io::Result<watch::Receiver<Option<End>>> {
    let (tell, ended) = watch::channel(None);
    let watch = move || {
        let end = match thread.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!(
                "the store failed, so the server stops; what was answered is safe: {}",
                with_causes(&error)
            )),
            Err(_) => Err("the writer panicked, so the server stops; please report the message above".to_owned()),
        };
        tell.send_replace(Some(end));
    };
    std::thread::Builder::new()
        .name("writer's end".to_owned())
        .spawn(watch)?;
    Ok(ended)
}

/// Waits for the writer's end.
async fn end_of(mut ended: watch::Receiver<Option<End>>, patience: Duration) -> End {
    match tokio::time::timeout(patience, ended.wait_for(Option::is_some)).await {
        Ok(Ok(end)) => end.clone().unwrap_or(Ok(())),
        Ok(Err(_)) => Err("the writer is gone".to_owned()),
        Err(_) => Err(format!(
            "the store has not ended in {} s: its disk hangs; what was answered is safe: check the disk",
            patience.as_secs()
        )),
    }
}

/// How often the writer looks at the clock when nobody asks it anything: a jump's 24 hours begin when it is seen.
const TIME_KEPT_EVERY: Duration = Duration::from_mins(1);

/// Has the writer look at the clock now and then, so that time is durable on a server that nobody asks (rule T2).
async fn keep_time(service: Service, stop: CancellationToken) {
    let mut due = tokio::time::interval(TIME_KEPT_EVERY);
    while stop.run_until_cancelled(due.tick()).await.is_some() {
        // A full queue or a stopped writer looks at the clock by itself, or not any more.
        drop(service.submit(Actor::Server, Command::KeepTime(DAY_SECS), 0));
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CliError::because("a part of the server panicked", error))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_that_hangs_does_not_keep_the_process() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let hanging = std::thread::spawn(move || {
            let _released = held.recv();
            Ok(())
        });
        let ended = watch_writer(hanging).expect("a thread");
        let gave_up = end_of(ended.clone(), Duration::from_millis(20)).await;
        assert!(gave_up.is_err_and(|reason| reason.contains("its disk hangs")));
        drop(release);
        assert_eq!(end_of(ended, STORE_PATIENCE).await, Ok(()));

        let failed = std::thread::spawn(|| Err(StoreError::Poisoned));
        let end = end_of(watch_writer(failed).expect("a thread"), STORE_PATIENCE).await;
        assert!(end.is_err_and(|reason| reason.contains("the store failed")));
    }

    #[tokio::test]
    async fn addresses_at_unlike_ports_are_refused_since_an_offer_names_one() {
        let wanted = ["127.0.0.1:0", "127.0.0.1:1"].map(|address| address.parse().expect("good"));
        let error = Sockets::open(&wanted).err().expect("refused");
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(error.to_string().contains("same port"), "{error}");
    }
}
