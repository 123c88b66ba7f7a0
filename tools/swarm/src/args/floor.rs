use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, Subcommand};

use super::TimeArgs;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Floor {
    /// Answer frames over the server's TLS: HELLO with a welcome, everything else with a grant, always the same bytes.
    Tls(FloorTls),
    /// Take TLS connections, have both sides prove who they are, and close.
    Accept(ListenArgs),
    /// Echo datagrams of a question's length.
    Udp(ListenArgs),
    /// Append bytes to a file that is there already and sync them, again and again, and tell how many times a second: what a
    /// server that makes renewals durable one round after the other cannot pass.
    Sync(FloorSync),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct FloorTls {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    /// Answer what standard input says: JSON with the bodies `hello` and `other` in hexadecimal. Without it the bodies are of the
    /// usual length.
    #[arg(long)]
    pub(crate) answers: bool,
    /// Append as many bytes as were asked to a file without a name in this directory, and sync them, before anything but HELLO is
    /// answered: all that were asked meanwhile together.
    #[arg(long, value_name = "DIR")]
    pub(crate) sync_in: Option<PathBuf>,
}

/// Where a floor takes connections, or datagrams.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ListenArgs {
    /// Where; any free port of this host if absent. It says where in its first line, `ready ADDRESS:PORT`.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), hide_default_value = true)]
    pub(crate) listen: SocketAddr,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct FloorSync {
    /// Renewals in a round: as many bytes as their requests have are synced at once, in whole sectors of 512 bytes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1_024).map(usize::from))]
    pub(crate) renewals: usize,
    /// The directory of the file, on the disk that is to be measured; the system's temporary directory if absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
