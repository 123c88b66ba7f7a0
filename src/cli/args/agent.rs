//! What installers and scripts type on a machine with a licensed component.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::enrol::TokenText;
use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductId};

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Licensed {
    /// The product.
    pub(in crate::cli) product: ProductId,
    /// The component of it.
    pub(in crate::cli) component: ComponentId,
    /// The machine's MAC address; without it and `--interface` that of the variable `SEATKEEPER_MAC`, as for a container,
    /// else chosen from its adapters.
    #[arg(long, conflicts_with = "interface")]
    pub(in crate::cli) mac: Option<Mac>,
    /// The variable's: apart from `--mac`, so that `--interface` goes ahead of it.
    #[arg(long, hide = true, value_name = "SEATKEEPER_MAC", env = "SEATKEEPER_MAC")]
    pub(in crate::cli) mac_if_absent: Option<Mac>,
    /// Use the MAC address of this network interface.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) interface: Option<String>,
    /// The vendor's public key, a PEM file; known from the last checkout if absent.
    #[arg(long, value_name = "FILE", env = "SEATKEEPER_VENDOR_KEY")]
    pub(in crate::cli) vendor_key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AgentCommand {
    /// Check out a seat for this machine, or renew the one that it holds.
    ///
    /// Where the server serves only what is enrolled, the token in `SEATKEEPER_ENROL_TOKEN` is brought to it first, if it is
    /// for that server.
    Checkout(Licensed),
    /// Enrol a component at the server that a token is for; a checkout is still to come.
    Enrol {
        #[command(flatten)]
        licensed: Licensed,
        /// The token; `-` is standard input. `SEATKEEPER_ENROL_TOKEN` if absent, so that it need not stand on a command line.
        token: Option<TokenText>,
    },
    /// Tell how this machine's seat stands, without asking for one.
    Check(Licensed),
    /// Renew this machine's seat; as checkout.
    Renew(Licensed),
    /// Give up a component's hold on this machine's seat: at uninstall.
    Release(Licensed),
    /// Have every component of this machine use the server with this fingerprint, besides those used already.
    Trust {
        /// The server's fingerprint, as `seatkeeper status` prints it.
        fingerprint: Fingerprint,
    },
    /// Have no component of this machine use the server with this fingerprint any more: its key was stolen, or it is gone.
    ///
    /// Trust the one that takes its place first. Harmless to repeat.
    Distrust {
        /// The fingerprint that the server had.
        fingerprint: Fingerprint,
    },
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RunProgram {
    #[command(flatten)]
    pub(in crate::cli) licensed: Licensed,
    /// End the program when a renewal is refused; by default it goes on and the next start decides.
    #[arg(long)]
    pub(in crate::cli) stop_on_refusal: bool,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub(in crate::cli) program: Vec<std::ffi::OsString>,
}
