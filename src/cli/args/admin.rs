//! What administrators and viewers type.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::lists::AdminFilter;
use super::note::label;
use super::whose::Whose;
use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductId, Serial, VendorId};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum VendorCommand {
    /// Trust a vendor's public key: its catalogue and license keys count from now on.
    Trust {
        /// The vendor's public key, a PEM file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CatalogueCommand {
    /// Import a signed catalogue, and tell what it changes.
    Import {
        /// The catalogue as the vendor sent it; `-` is standard input.
        file: PathBuf,
        /// Only tell what it would change, and for how many live seats; import nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BlacklistCommand {
    /// Import a vendor's signed list of serials that do not serve any more.
    Import {
        /// The list as the vendor sent it; `-` is standard input.
        file: PathBuf,
        /// Only tell how many licenses it would name, and seats on them; import nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ClockCommand {
    /// Tell how the server's time stands.
    Show,
    /// Accept the jump of the server's clock that is pending. Says first what that does, and asks.
    Accept(Consent),
    /// Make what the server's clock says the time that counts, forwards or backwards. Mend the clock first.
    ///
    /// Says first what that does, and asks.
    Reset(Consent),
}

/// How a command that says first what it will do comes to do it.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Consent {
    /// Do it without asking back.
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Only say what it would do.
    #[arg(long, conflicts_with = "yes")]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ImportKeys {
    /// The keys, `SK1-...`.
    #[arg(required = true)]
    pub(in crate::cli) keys: Vec<String>,
    /// Only tell what would become of each; import nothing.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ImportFile {
    /// A file with keys in it: a text in UTF-8, UTF-16, UTF-32 or Windows-1252, or a mail as your mail program saves it (.eml),
    /// with what is attached to it, or several of them in a mailbox file; `-` is standard input. What is not a key is passed over.
    pub(in crate::cli) file: PathBuf,
    /// Only tell what would become of each key; import nothing.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExplainTarget {
    /// The machine.
    pub(in crate::cli) mac: Mac,
    /// The product.
    pub(in crate::cli) product: ProductId,
    /// The component; without it the one that was refused here last, else one that holds the machine's seat, else one that
    /// needs a seat.
    pub(in crate::cli) component: Option<ComponentId>,
    /// The product's vendor, where two vendors have a product of this id.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) vendor: Option<VendorId>,
    /// Whose checkout; without it that of the identity which was refused here last, as long as that is remembered, else of
    /// the one that waits for approval, else of the one that is bound, else of one that is new. Its first digits, 8 at least, name
    /// one that holds, waits for or asked for a seat of this machine.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(in crate::cli) by: Option<Whose>,
    /// With which continuation number; without it the one that is accepted.
    #[arg(long, value_name = "NUMBER", requires = "by")]
    pub(in crate::cli) continuation: Option<u64>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ResolveTarget {
    /// The machine.
    pub(in crate::cli) mac: Mac,
    /// Only this product's seat; without it those of all.
    #[arg(long)]
    pub(in crate::cli) product: Option<ProductId>,
    /// The product's vendor, where two vendors have a product of this id.
    #[arg(long, value_name = "ID", requires = "product")]
    pub(in crate::cli) vendor: Option<VendorId>,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RemoveTarget {
    /// The license.
    pub(in crate::cli) serial: Serial,
    /// End the seats, and give up the reservations, that find no room on other licenses.
    #[arg(long)]
    pub(in crate::cli) end_seats: bool,
}

/// A role that can be given.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum GivenRole {
    /// Reserves and commits deployments.
    Deployer,
    /// Sees everything, changes nothing.
    Viewer,
    /// Everything.
    Administrator,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AdminCommand {
    /// Give an identity a role.
    Add {
        /// The identity, as `seatkeeper identity show` prints it.
        fingerprint: Fingerprint,
        /// What it may do.
        #[arg(long, value_enum)]
        role: GivenRole,
        /// Whose it is, for people; it keeps the label that it has if absent. '' takes that away.
        #[arg(long, value_parser = label)]
        label: Option<String>,
    },
    /// List the identities with a role.
    List(AdminFilter),
    /// Take away an identity's role.
    Remove {
        /// The identity.
        fingerprint: Fingerprint,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IdentityCommand {
    /// Print the fingerprint of the identity that your commands act with; made if there is none.
    Show,
    /// Give the server of this host another identity, from its next start on.
    ///
    /// The old one signs that the new one takes its place: agents and administrators that know it follow by themselves, also
    /// those that sleep over seven further rotations.
    Rotate {
        /// The old private key was stolen: nobody follows, and everybody has to be told of the new identity.
        #[arg(long)]
        compromised: bool,
    },
    /// Forget the servers elsewhere that showed your commands this fingerprint, as when one of them was given another identity
    /// that nobody follows to.
    ///
    /// Whoever answers at their addresses is then met for the first time, and its fingerprint told.
    Forget {
        /// The fingerprint that they showed.
        fingerprint: Fingerprint,
    },
}
