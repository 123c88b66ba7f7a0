//! Peers that mean harm, over real sockets: each attack runs while an agent that keeps the protocol is served, and
//! afterwards nothing of it is left.

mod discovery;
mod flood;
mod idle;
mod memory;
mod slow;
mod unread;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use seatkeeper::net::bounds::{CONNECTION_LEN_MAX, HELD_LEN_MIN};
use seatkeeper::tls::{self, Identity, PinRule};
use seatkeeper::wire::messages::{Request, Response};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::process::ServerProcess;
use crate::site::Site;
use crate::wire::{Wire, checkout, hello, mac};

/// What takes longer than this hangs. The server's own limits are several times as short.
const WATCHDOG: Duration = Duration::from_mins(1);

/// How often what cannot be awaited is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The address of the `number`th attacker; agents come from 127.0.0.1.
fn attacker(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, number)
}

/// Connects from an address of this host.
async fn connect_from(source: Ipv4Addr, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Connections that are reset leave no port behind, and those that end here must not use the ports up.
    socket.set_reuseaddr(true)?;
    socket.bind((source, 0).into())?;
    socket.connect(server).await
}

/// One identity for all connections of an attack: making thousands is not what is tested.
fn config_of_attackers() -> Arc<ClientConfig> {
    config_of(&Identity::generate().unwrap())
}

fn config_of(identity: &Identity) -> Arc<ClientConfig> {
    tls::client_config(identity, PinRule::Any).unwrap()
}

/// Connections of an attacker that have said HELLO.
async fn greeted(source: Ipv4Addr, server: SocketAddr, count: usize) -> Vec<Wire> {
    greeted_as(&Identity::generate().unwrap(), source, server, count).await
}

async fn greeted_as(identity: &Identity, source: Ipv4Addr, server: SocketAddr, count: usize) -> Vec<Wire> {
    let config = config_of(identity);
    let mut opening = JoinSet::new();
    for _ in 0..count {
        let config = Arc::clone(&config);
        opening.spawn(async move {
            let tcp = connect_from(source, server).await?;
            let mut wire = Wire::connect_over(tcp, config).await?;
            wire.ask(&hello()).await?;
            Ok::<_, std::io::Error>(wire)
        });
    }
    let opened = opening.join_all().await;
    opened.into_iter().collect::<Result<_, _>>().expect("connections")
}

/// A site with seats for the agent that keeps the protocol, and how many sockets its server has without connections.
struct Besieged {
    site: Site,
    sockets: usize,
    memory: usize,
}

impl Besieged {
    #[track_caller]
    fn new(limits: &str) -> Self {
        let site = Site::open_with(&format!("[limits]\n{limits}"));
        site.buy(1, "BKSRV", 10_000);
        let sockets = settled_sockets(site.server());
        let memory = resident(site.server());
        Self { site, sockets, memory }
    }

    fn server(&self) -> SocketAddr {
        self.site.server().address()
    }

    fn checkout(&self, number: u16) -> Request {
        checkout(self.site.vendor.id(), "BKSRV", "agent", mac(number))
    }

    /// An agent that keeps the protocol connects, engages its seat, and renews it over a second connection.
    async fn serves(&self, number: u16) {
        let identity = Identity::generate().unwrap();
        let ask = self.checkout(number);
        let Request::Checkout(fields) = ask.clone() else {
            unreachable!()
        };
        for request in [ask, Request::Renew(fields)] {
            let asked = async {
                let (mut wire, _) = Wire::hello(self.server(), &identity).await?;
                wire.ask(&request).await
            };
            let answer = tokio::time::timeout(WATCHDOG, asked).await.expect("served in time");
            let answer = answer.unwrap_or_else(|error| panic!("{error}: {}", self.site.server().log()));
            assert!(matches!(answer, Response::Checkout(_)), "{answer:?}");
        }
    }

    /// Waits until the server has let go of every connection, and stops it. Never meanwhile did it take more memory than what
    /// `most` connections may hold at a time, with what is under way in all of them.
    async fn ends_sound(self, most: usize) {
        let took = peak(self.site.server()).saturating_sub(self.memory);
        let bound = most * CONNECTION_LEN_MAX + HELD_LEN_MIN;
        assert!(took <= bound, "{took} bytes, and {bound} for {most} connections");
        self.ends().await;
    }

    /// Waits until the server has let go of every connection, and stops it.
    async fn ends(mut self) {
        await_sockets(self.site.server(), "gone", |sockets| sockets <= self.sockets).await;
        self.serves(9_999).await;
        self.site.stop();
    }
}

/// The sockets that a process has open.
fn sockets(server: &ServerProcess) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("its files");
    // A file that is closed meanwhile is none.
    let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

/// The sockets of a server whose last commands have hung up.
fn settled_sockets(server: &ServerProcess) -> usize {
    // A listener, two sockets for questions, and what the runtime has; connections of commands end within a moment.
    let mut least = sockets(server);
    for _ in 0..10 {
        std::thread::sleep(LOOK_EVERY);
        least = least.min(sockets(server));
    }
    least
}

/// Waits until the number of the server's sockets is `right`.
async fn await_sockets(server: &ServerProcess, what: &str, right: impl Fn(usize) -> bool) {
    let looking = async {
        while !right(sockets(server)) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let looked = tokio::time::timeout(WATCHDOG, looking).await;
    assert!(
        looked.is_ok(),
        "{} sockets, never {what}: {}",
        sockets(server),
        server.log()
    );
}

/// Whether what this machine cannot try is a failure, as in continuous integration.
fn is_required() -> bool {
    std::env::var_os("SEATKEEPER_LAN").is_some_and(|value| value == "require")
}

/// What a process has in memory, in bytes.
fn resident(server: &ServerProcess) -> usize {
    memory(server, "VmRSS:")
}

/// The most that it had since its start.
fn peak(server: &ServerProcess) -> usize {
    memory(server, "VmHWM:")
}

fn memory(server: &ServerProcess, what: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("its status");
    let line = status.lines().find(|line| line.starts_with(what)).expect("its memory");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse::<usize>().expect("a number") * 1_024
}
