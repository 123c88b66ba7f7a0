//! What administrators type to back a server up and to move it.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(in crate::cli) struct BackupOptions {
    /// The file to write.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// Replace FILE if it is there.
    #[arg(long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) cover: CoverOptions,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExportOptions {
    /// Write to this file, whole or not at all; to standard output if absent.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Replace FILE if it is there.
    #[arg(long, requires = "out")]
    pub(in crate::cli) force: bool,
    /// Leave out what happened: the event log may be large.
    #[arg(long)]
    pub(in crate::cli) without_events: bool,
}

/// How the identities in a backup are encrypted.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(in crate::cli) struct CoverOptions {
    /// Encrypt the server's identities with the passphrase in this file, its first line, of 8 characters or more; asked for
    /// on a terminal if absent.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
    /// Encrypt the server's identities for this key of age; may be given several times.
    #[arg(long, value_name = "age1...", value_parser = recipient)]
    pub(in crate::cli) recipient: Vec<age::x25519::Recipient>,
    /// Leave the server's identities out: agents have to be told to trust whatever is restored.
    #[arg(long)]
    pub(in crate::cli) without_identity: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RestoreOptions {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// Check everything, and change nothing.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Give the server a higher epoch than N: where machines refuse it because they have met it at epoch N, as they tell.
    ///
    /// Without it the epoch is the time of the restore, so that machines hold with the server that was restored last. N is
    /// needed only where the clock of this host, or of one where it was restored before, was wrong.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..i64::from(u32::MAX) - 1))]
    pub(in crate::cli) epoch_above: Option<u32>,
    #[command(flatten)]
    pub(in crate::cli) opener: OpenerOptions,
}

/// How the identities in a backup are decrypted.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(in crate::cli) struct OpenerOptions {
    /// Decrypt the identities with the passphrase in this file, its first line; asked for on a terminal if absent.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
    /// Decrypt the identities with the keys in this file, as age-keygen writes it.
    #[arg(long = "identity", value_name = "FILE")]
    pub(in crate::cli) key_file: Option<PathBuf>,
    /// Leave the identities out: the server gets a new one, which agents have to be told to trust.
    #[arg(long)]
    pub(in crate::cli) without_identity: bool,
}

fn recipient(text: &str) -> Result<age::x25519::Recipient, String> {
    text.parse()
        .map_err(|error| format!("{error}; write the public key that age-keygen printed, age1..."))
}
