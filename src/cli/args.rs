//! What can be typed: subcommands, options and their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Listen;
use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductId, Serial, VendorId};

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
    server: Option<String>,
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
    /// The server to ask, HOST or HOST:PORT; without it an administrator's command asks the server of the local data
    /// directory, then searches the network.
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    server: Option<String>,
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
    pub(super) server: Option<String>,
    pub(super) data: Option<PathBuf>,
    pub(super) identity: Option<PathBuf>,
    pub(super) timeout: u32,
}

impl Everywhere {
    /// These options and those of a command that asks a server.
    pub(super) fn reaching(self, reach: Reach) -> Global {
        let Reach {
            server,
            identity,
            timeout,
        } = reach;
        Global {
            json: self.json,
            server: server.or(self.front.server),
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
    /// Tell how a server is.
    Status(Asking<StatusTarget>),
    /// Trust a vendor's keys.
    Vendor(AskingBelow<VendorCommand>),
    /// Import a vendor's list of products.
    Catalogue(AskingBelow<CatalogueCommand>),
    /// Import license keys.
    Import(Asking<ImportKeys>),
    /// Import the license keys of a text file.
    ImportFile(Asking<ImportFile>),
    /// Show the licenses: what was bought, what is used, what is available.
    Licenses(Asking<LicenseFilter>),
    /// Show the seats: which machine holds which license, since when, until when.
    Seats(Asking<SeatFilter>),
    /// Show the products of the catalogues and how many seats of each there are.
    Products(Reach),
    /// Take a seat back from a machine, or one component of it.
    Release(Asking<ReleaseTarget>),
    /// Take a license off the server.
    Remove(Asking<RemoveTarget>),
    /// Say who may administer the server.
    Admin(AskingBelow<AdminCommand>),
    /// Show who you are to a server.
    Identity(AskingBelow<IdentityCommand>),
    /// What an installer's script calls: check out, check, renew, release a seat for this machine.
    Agent(AskingBelow<AgentCommand>),
    /// Run a program only while it is licensed.
    Run(Asking<RunProgram>),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages.
    #[command(hide = true)]
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

#[cfg(feature = "demo")]
#[derive(Args, Debug)]
pub(super) struct DemoOptions {
    /// Leave the server running at the end, and say what to try next.
    #[arg(long)]
    pub(super) keep: bool,
}

#[derive(Args, Debug)]
pub(super) struct ListOptions {
    /// Say which of them have a license of this product.
    #[arg(long, requires = "vendor_key")]
    pub(super) product: Option<ProductId>,
    /// The product's vendor, a public key file.
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_key: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct StatusTarget {
    /// The server, HOST or HOST:PORT; the same as --server.
    pub(super) target: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum VendorCommand {
    /// Trust a vendor's public key: its catalogue and license keys count from now on.
    Trust {
        /// The vendor's public key, a PEM file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum CatalogueCommand {
    /// Import a signed catalogue.
    Import {
        /// The catalogue as the vendor sent it; `-` is standard input.
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(super) struct ImportKeys {
    /// The keys, `SK1-...`.
    #[arg(required = true)]
    pub(super) keys: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct ImportFile {
    /// A text file with keys in it, UTF-8; `-` is standard input.
    pub(super) file: PathBuf,
}

#[derive(Args, Debug, Default)]
pub(super) struct LicenseFilter {
    /// Only the licenses of this product.
    #[arg(long)]
    pub(super) product: Option<ProductId>,
    /// Only licenses that somebody uses.
    #[arg(long, conflicts_with = "unused")]
    pub(super) used: bool,
    /// Only licenses that nobody uses.
    #[arg(long)]
    pub(super) unused: bool,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

#[derive(Args, Debug, Default)]
pub(super) struct SeatFilter {
    /// Only the seats of this product.
    #[arg(long)]
    pub(super) product: Option<ProductId>,
    /// Only the seats of this machine.
    #[arg(long)]
    pub(super) mac: Option<Mac>,
    /// Only seats with a conflict on them.
    #[arg(long)]
    pub(super) conflicts: bool,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

#[derive(Args, Debug)]
pub(super) struct ReleaseTarget {
    /// The machine.
    pub(super) mac: Mac,
    /// The product.
    pub(super) product: ProductId,
    /// Only this component; without it the whole seat ends.
    pub(super) component: Option<ComponentId>,
    /// Why; it becomes part of the event.
    #[arg(long)]
    pub(super) reason: String,
    /// The product's vendor, where two vendors have a product of this id.
    #[arg(long, value_name = "ID")]
    pub(super) vendor: Option<VendorId>,
}

#[derive(Args, Debug)]
pub(super) struct RemoveTarget {
    /// The license.
    pub(super) serial: Serial,
    /// End the seats that are in use.
    #[arg(long)]
    pub(super) end_seats: bool,
}

/// A role that can be given.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum GivenRole {
    /// Reserves and commits deployments.
    Deployer,
    /// Sees everything, changes nothing.
    Viewer,
    /// Everything.
    Administrator,
}

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Give an identity a role.
    Add {
        /// The identity, as `seatkeeper identity show` prints it.
        fingerprint: Fingerprint,
        /// What it may do.
        #[arg(long, value_enum)]
        role: GivenRole,
        /// Whose it is, for people.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// List the identities with a role.
    List,
    /// Take away an identity's role.
    Remove {
        /// The identity.
        fingerprint: Fingerprint,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum IdentityCommand {
    /// Print the fingerprint of the identity that your commands act with; made if there is none.
    Show,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Licensed {
    /// The product.
    pub(super) product: ProductId,
    /// The component of it.
    pub(super) component: ComponentId,
    /// The machine's MAC address; chosen from its adapters if absent.
    #[arg(long, conflicts_with = "interface")]
    pub(super) mac: Option<Mac>,
    /// Use the MAC address of this network interface.
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Option<String>,
    /// The vendor's public key, a PEM file; known from the last checkout if absent.
    #[arg(long, value_name = "FILE", env = "SEATKEEPER_VENDOR_KEY")]
    pub(super) vendor_key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AgentCommand {
    /// Check out a seat for this machine, or renew the one that it holds.
    Checkout(Licensed),
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
}

#[derive(Args, Debug)]
pub(super) struct RunProgram {
    #[command(flatten)]
    pub(super) licensed: Licensed,
    /// End the program when a renewal is refused; by default it goes on and the next start decides.
    #[arg(long)]
    pub(super) stop_on_refusal: bool,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub(super) program: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parses(line: &str) -> bool {
        Cli::try_parse_from(line.split(' ')).is_ok()
    }

    #[test]
    fn what_a_command_asks_with_is_offered_behind_it_and_only_where_it_asks() {
        const REACH: &str = "--server license:99 --identity me.pem --timeout 5";
        for command in [
            "list",
            "status",
            "vendor trust v.pub",
            "catalogue import c",
            "import SK1-X",
            "import-file -",
            "licenses",
            "seats",
            "products",
            "release 00:1a:2b:3c:4d:5e A --reason sold",
            "remove 0123456789ABCDEF",
            "admin list",
            "identity show",
            "agent checkout A b",
        ] {
            assert!(
                parses(&format!("seatkeeper {command} --json --data d {REACH}")),
                "{command}"
            );
        }
        assert!(parses(&format!("seatkeeper run A b {REACH} -- program")));
        for command in ["serve", "completions bash", "man d"] {
            assert!(parses(&format!("seatkeeper {command} --data d")), "{command}");
            for option in ["--server license", "--identity me.pem", "--timeout 5"] {
                assert!(!parses(&format!("seatkeeper {command} {option}")), "{command} {option}");
            }
        }
    }

    #[test]
    fn what_stands_in_front_of_the_command_counts_unless_it_stands_behind_it_too() {
        let reach = |line: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).expect("good");
            let Command::Products(reach) = cli.command else {
                panic!("another command")
            };
            let global = cli.everywhere.reaching(reach);
            (global.server.unwrap_or_default(), global.timeout)
        };
        assert_eq!(reach("seatkeeper products"), (String::new(), 3));
        assert_eq!(
            reach("seatkeeper --server one --timeout 9 products"),
            ("one".to_owned(), 9)
        );
        assert_eq!(
            reach("seatkeeper --server one products --server two"),
            ("two".to_owned(), 3)
        );
    }
}
