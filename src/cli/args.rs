//! What can be typed: subcommands, options and their help.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::client::ways::Way;
use crate::config::Listen;
use crate::domain::ids::ProductId;
use crate::sockets::interfaces::Choice;

mod admin;
mod agent;
mod backup;
mod deploy;
mod enrol;
mod events;
mod lists;
mod note;
mod release;
#[cfg(test)]
mod tests;
mod views;
mod whose;

pub(super) use admin::{
    AdminCommand, BlacklistCommand, CatalogueCommand, ClockCommand, Consent, ExplainTarget, GivenRole, IdentityCommand,
    ImportFile, ImportKeys, RemoveTarget, ResolveTarget, VendorCommand,
};
pub(super) use agent::{AgentCommand, Licensed, RunProgram};
pub(super) use backup::{BackupOptions, ExportOptions, RestoreOptions};
#[cfg(test)]
pub(super) use backup::{CoverOptions, OpenerOptions};
pub(super) use deploy::{CommitOptions, Named, ReserveOptions, SettleOptions};
pub(super) use enrol::{EnrolCommand, TokenText};
pub(super) use events::{DenialsOptions, EventsCommand, EventsOptions, Shown, Who, typed};
pub(super) use lists::{AdminFilter, ProductFilter, ReservationFilter};
pub(super) use release::{NewSeats, OneSeat, ReleaseTarget};
pub(super) use views::{LicenseFilter, SeatFilter};
pub(super) use whose::Whose;

/// A license server for a local network.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server, 4 refused by the licensing rules, 5 not authorized.
#[derive(Debug, Parser)]
#[command(name = "seatkeeper", version, propagate_version = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(super) everywhere: Everywhere,
    /// The command.
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Cli {
    /// Whether JSON was asked for instead of text.
    #[must_use]
    pub const fn wants_json(&self) -> bool {
        self.everywhere.json
    }
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub(super) struct Everywhere {
    /// Print JSON instead of text (documented in tools/guide/json.md).
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// The data directory: /var/lib/seatkeeper for root, else below the XDG state directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// What may also stand behind the command.
    #[command(flatten)]
    front: Front,
}

/// The options of [`Reach`] for those who write them in front of the command.
#[derive(Args, Clone, Debug)]
struct Front {
    #[arg(long = "server", id = "front_server", hide = true)]
    server: Vec<String>,
    #[arg(long = "paths", id = "front_paths", hide = true, value_parser = Way::list)]
    paths: Option<BTreeSet<Way>>,
    #[arg(long = "identity", id = "front_identity", hide = true)]
    identity: Option<PathBuf>,
    #[arg(long = "timeout", id = "front_timeout", hide = true, value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: Option<u32>,
}

/// Seconds after which a command gives up.
const TIMEOUT_SECS: u32 = 3;

/// Options of commands that look for a server or talk to it.
#[derive(Args, Clone, Debug)]
pub(super) struct Reach {
    /// The server to ask, HOST, HOST:PORT or [ADDRESS%INTERFACE]:PORT; given several times, another one where the first does not
    /// answer. Without it an administrator's command asks the server of the local data directory, then looks for one by the
    /// paths.
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    server: Vec<String>,
    /// Look for servers by these paths alone: remembered, servers, lan, dns; commas between them. All that the site has not switched
    /// off if absent; with --server, servers.
    #[arg(long, global = true, value_name = "PATHS", value_parser = Way::list)]
    paths: Option<BTreeSet<Way>>,
    /// The identity to act with, a PEM file; the data directory's administrator, or your own, if absent.
    #[arg(long, global = true, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Give up after so many seconds; 3 if absent.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: Option<u32>,
}

/// A command that asks a server, with options of its own.
#[derive(Args, Debug)]
pub(super) struct Asking<A: Args> {
    #[command(flatten)]
    pub(super) reach: Reach,
    #[command(flatten)]
    pub(super) options: A,
}

/// Commands that ask a server, below one word.
#[derive(Args, Debug)]
pub(super) struct AskingBelow<C: Subcommand> {
    #[command(flatten)]
    pub(super) reach: Reach,
    #[command(subcommand)]
    pub(super) command: C,
}

/// What the options of a command that asks a server come to.
#[derive(Clone, Debug)]
pub(super) struct Global {
    pub(super) json: bool,
    /// Never empty.
    pub(super) server: Option<Vec<String>>,
    pub(super) paths: Option<BTreeSet<Way>>,
    pub(super) data: Option<PathBuf>,
    pub(super) identity: Option<PathBuf>,
    pub(super) timeout: u32,
}

impl Everywhere {
    /// These options and those of a command that asks a server.
    pub(super) fn reaching(self, reach: Reach) -> Global {
        let Reach {
            server,
            paths,
            identity,
            timeout,
        } = reach;
        let given = |servers: Vec<String>| Some(servers).filter(|servers| !servers.is_empty());
        Global {
            json: self.json,
            server: given(server).or(given(self.front.server)),
            paths: paths.or(self.front.paths),
            data: self.data,
            identity: identity.or(self.front.identity),
            timeout: timeout.or(self.front.timeout).unwrap_or(TIMEOUT_SECS),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server until SIGTERM or SIGINT.
    Serve(ServeOptions),
    /// Show the main job from end to end, on this machine alone.
    #[cfg(feature = "demo")]
    Demo(DemoOptions),
    /// List the servers that answer on the network.
    List(Asking<ListOptions>),
    /// Tell how a server is: first what needs somebody, then its health, then how much there is.
    Status(Asking<StatusTarget>),
    /// Trust a vendor's keys.
    Vendor(AskingBelow<VendorCommand>),
    /// Import a vendor's list of products.
    Catalogue(AskingBelow<CatalogueCommand>),
    /// Import a vendor's list of licenses that do not serve any more.
    Blacklist(AskingBelow<BlacklistCommand>),
    /// Import license keys.
    Import(Asking<ImportKeys>),
    /// Import the license keys of a mail or a text file.
    ImportFile(Asking<ImportFile>),
    /// Show the licenses: what was bought, what is used, what is available.
    Licenses(Asking<LicenseFilter>),
    /// Show the seats: which machine holds which license, since when, until when.
    Seats(Asking<SeatFilter>),
    /// Show the products of the catalogues and how many seats of each there are.
    Products(Asking<ProductFilter>),
    /// Show what happened: who got, gave up or lost a seat, what was imported, who was refused, and by whom.
    ///
    /// The oldest first. Refusals of a machine for a product and a reason are one event an hour, with a count, and the time of the
    /// last of them; those of this hour stand among the rest by that, as far as they have come.
    Events(Asking<EventsOptions>),
    /// Sum up refusals by day (UTC), product and reason, and tell how many seats more would have been enough.
    ///
    /// Seats more: the machines that were refused that day for want of a seat (seats-exhausted) and engaged none later on the
    /// same day. With so many seats more, each machine that was refused would have had one by the end of the day. Days do not
    /// add up: the same machine may be among those of each.
    Denials(Asking<DenialsOptions>),
    /// Say how a machine's checkout would be decided, rule by rule, and what to do. Changes nothing.
    ///
    /// It says why a machine is refused: which licenses were looked at and why each serves or does not, who holds the
    /// seats, what the site's configuration has to do with it.
    Explain(Asking<ExplainTarget>),
    /// Take a seat back from a machine, or one component of it; or all that were engaged lately from one address.
    ///
    /// With `--new --from ADDRESS` it says first which seats it would end, and asks. Harmless to repeat.
    Release(Asking<ReleaseTarget>),
    /// Have the server read its configuration file again, and say what that changed and what needs a restart.
    ///
    /// The server reads the file that it was started with; what its command line says goes before it, as at its start. A file
    /// that is wrong changes nothing, and is told as check-config does. SIGHUP does the same, and the log says what came of it.
    Reload(Asking<ReloadOptions>),
    /// Take a license off the server; its seats move to other licenses that have room.
    Remove(Asking<RemoveTarget>),
    /// Approve the identities that wait on a machine, and forget those of its components that have a conflict.
    ///
    /// It first says what it will do. The seats stay. A component on which an identity waits is bound to that one; one
    /// that only has a conflict is bound anew by its next checkout, whoever it comes from.
    Resolve(Asking<ResolveTarget>),
    /// Set seats or units aside for a rollout: all or none.
    ///
    /// It prints the reservation's name and the commands that come next. What is neither committed nor aborted lapses.
    Reserve(Asking<ReserveOptions>),
    /// Say that machines of a reservation were deployed.
    ///
    /// Exit code 4 if any machine was refused. Harmless to repeat: a machine that was committed stays so, and pays once.
    Commit(Asking<CommitOptions>),
    /// Give back what a reservation has for machines, or all of it.
    Abort(Asking<SettleOptions>),
    /// Show the reservations: what is set aside, for whom, until when.
    Reservations(Asking<ReservationFilter>),
    /// See and mend how the server takes its clock.
    Clock(AskingBelow<ClockCommand>),
    /// Say who may administer the server.
    Admin(AskingBelow<AdminCommand>),
    /// Hand out tokens that enrol components, where a server has `enrol = "token"`.
    Enrol(AskingBelow<EnrolCommand>),
    /// Show who you are to a server; give the server of this host another identity.
    Identity(AskingBelow<IdentityCommand>),
    /// What an installer's script calls: check out, check, renew, release a seat for this machine.
    ///
    /// What components remember, their identities and the servers that they trust, is below /var/lib/seatkeeper-agent for root,
    /// else seatkeeper/agent in your XDG state directory, or where the variable `SEATKEEPER_STATE_DIR` says.
    Agent(AskingBelow<AgentCommand>),
    /// Run a program only while it is licensed.
    ///
    /// What its component remembers is where `seatkeeper agent` keeps it: see there of `SEATKEEPER_STATE_DIR`.
    Run(Asking<RunProgram>),
    /// Write all that a server knows into one file, while it serves or when it does not; on the server's host.
    ///
    /// Everything that was durable when it began is in it, and it was read back and loaded as a start would before FILE gets
    /// its name. FILE is a tar archive with a list of what is in it; the server's identities are encrypted (age). The
    /// configuration file is not in it. `restore` makes a data directory of it.
    Backup(BackupOptions),
    /// Make a server's data directory from a backup, in a directory that is empty or not there.
    ///
    /// All of the backup is checked before the directory gets anything. The server's epoch becomes the time of the restore:
    /// whoever has met it at the new place refuses the old one, and any that was restored earlier; those must not run any
    /// more.
    Restore(RestoreOptions),
    /// Write how everything stands that a viewer may see as one JSON document, for other programs (documented in
    /// tools/guide/json.md).
    ///
    /// How the server is, vendors, products, licenses, seats, reservations, administrators, and what happened; tokens are in
    /// `enrol list --json`. It is no backup: nothing can be restored from it. Pages are read one after the other, so what changes
    /// meanwhile may be in it or not.
    Export(Asking<ExportOptions>),
    /// Examine a data directory that no server runs on; give up what follows damage.
    ///
    /// Without an option it changes nothing: it says what holds, what is damaged and where, and whether a server starts
    /// with it. Exit code 1 if none does.
    Repair(RepairOptions),
    /// Check a configuration file for what a server would not start with. Exit code 2 if there is any, with place and remedy.
    ///
    /// It reads the file alone: whether this host has the addresses of `listen`, the port is free and the data directory can
    /// be written to shows at the start.
    CheckConfig(CheckConfig),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages.
    Man {
        /// The directory to write them to.
        directory: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(super) struct ServeOptions {
    /// A TOML configuration file; see tools/dist/seatkeeper.toml.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Listen on this address only; may be given several times. 127.0.0.1 serves this host alone.
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(super) listen: Vec<Listen>,
    /// The server's name in offers; the host's name if absent.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Make a new administrator identity in the data directory: for when the last one is lost.
    #[arg(long)]
    pub(super) recover_admin: bool,
}

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct ReloadOptions {
    /// Only say what it would change.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Args, Debug)]
pub(super) struct CheckConfig {
    /// The file, as `serve --config` takes it.
    #[arg(value_name = "FILE", default_value = "/etc/seatkeeper/seatkeeper.toml")]
    pub(super) file: PathBuf,
}

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct RepairOptions {
    /// Give up every round behind the damage, so that a server starts again. What was answered in them is lost: seats that
    /// were granted may be granted to others, seats that were released are held again. A backup is better. The journal as
    /// it was is kept in a directory of its own.
    #[arg(long)]
    pub(super) cut_tail: bool,
    #[command(flatten)]
    pub(super) consent: Consent,
}

#[cfg(feature = "demo")]
#[derive(Args, Debug)]
pub(super) struct DemoOptions {
    /// Leave the server running at the end, and say what to try next.
    #[arg(long)]
    pub(super) keep: bool,
}

#[derive(Args, Debug)]
pub(super) struct ListOptions {
    /// Ask everybody on this network interface alone; may be given several times, and end with '*'.
    #[arg(long, value_name = "NAME", value_parser = interface_name)]
    pub(super) interface: Vec<String>,
    /// Ask nobody on this network interface; likewise.
    #[arg(long, value_name = "NAME", value_parser = interface_name)]
    pub(super) not_interface: Vec<String>,
    /// Say which of them have a license of this product.
    #[arg(long, requires = "vendor_key")]
    pub(super) product: Option<ProductId>,
    /// The product's vendor, a public key file.
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_key: Option<PathBuf>,
}

fn interface_name(text: &str) -> Result<String, &'static str> {
    if Choice::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("not the name of an interface; write one such as eth0, or veth*")
    }
}

#[derive(Args, Debug)]
pub(super) struct StatusTarget {
    /// The server, HOST or HOST:PORT; the same as --server.
    pub(super) target: Option<String>,
    /// End with exit code 1 where there is a warning, for cron and monitoring; everything is printed as without it. A product
    /// that is used up is one only where somebody was refused for want of it within the last day.
    #[arg(long)]
    pub(super) check: bool,
}
