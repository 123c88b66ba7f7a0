//! Attacks, each in a process of its own until that is killed. They come from other addresses than the agent that is served
//! meanwhile: 127.0.1.1 and on.

mod drip;
mod flood;
mod hold;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::ValueEnum;
use rustls::ClientConfig;
use seatkeeper::domain::ids::VendorId;
use serde::Serialize;

use crate::child::{Child, Says};
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::floor::{READY, this};
use crate::line::Path;
use crate::site::{config_of, identity};

/// What hostile peers do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Assault {
    /// Nothing: what the figures are without an attack.
    None,
    /// 10,000 TCP connections from 50 addresses that say nothing, each opened again when it is closed.
    Idle,
    /// TCP connections opened and closed as fast as one thread can, from 8 addresses.
    Connect,
    /// TLS handshakes as fast as one thread can, 64 at once, each broken off when it is complete.
    Handshake,
    /// 500 handshakes that drip, a byte each 100 ms.
    DripHandshake,
    /// 250 sessions whose requests drip, half of them in the header and half in the body.
    DripFrame,
    /// 128 sessions that ask and never read.
    Unread,
    /// 128 sessions that keep 64 requests in flight, without end.
    Pipeline,
    /// 128 connections at once that ask before HELLO, opened again when they are refused.
    Early,
    /// Questions of discovery as fast as one thread can send them.
    Discovery,
}

/// Where the numbers of attackers' machines begin: an attack on agents' own seats is another thing.
const OTHERS: u32 = 1_000_000;

/// Whom to attack, with what.
pub(super) struct Attacker {
    server: SocketAddr,
    /// One identity for all: making thousands is no attack on the server.
    tls: Arc<ClientConfig>,
    vendor: VendorId,
}

impl Attacker {
    /// The way from the `number`th address.
    fn way(&self, number: u8) -> Path {
        Path {
            server: self.server,
            from: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 1, number))),
            tls: Arc::clone(&self.tls),
        }
    }
}

/// Attacks `server` until this process is killed.
pub(crate) async fn run(assault: Assault, server: SocketAddr, vendor: VendorId) -> Result<(), SwarmError> {
    allow_files()?;
    let attacker = Arc::new(Attacker {
        server,
        tls: config_of(&identity()?)?,
        vendor,
    });
    match assault {
        Assault::None => {}
        Assault::Idle => hold::idle(&attacker).await,
        Assault::Connect => flood::connect(&attacker),
        Assault::Handshake => flood::handshake(&attacker),
        Assault::DripHandshake => drip::handshake(&attacker).await,
        Assault::DripFrame => drip::frame(&attacker).await?,
        Assault::Unread => hold::unread(&attacker).await?,
        Assault::Pipeline => flood::pipeline(&attacker).await?,
        Assault::Early => flood::early(&attacker)?,
        Assault::Discovery => flood::discovery(server)?,
    }
    writeln!(std::io::stdout(), "{READY}").map_err(SwarmError::Output)?;
    std::future::pending().await
}

/// Starts an attack as a process of its own, and waits until it is under way.
pub(crate) async fn start(assault: Assault, server: SocketAddr, vendor: VendorId) -> Result<Child, SwarmError> {
    let name = assault.to_possible_value().map(|value| value.get_name().to_owned());
    let args = [
        "assault".to_owned(),
        name.unwrap_or_default(),
        server.to_string(),
        vendor.to_string(),
    ];
    let ready = |line: &str| line.starts_with(READY.trim()).then_some(());
    let (child, ()) = Child::start(&this()?, args, b"", Says::Out, ready).await?;
    Ok(child)
}
