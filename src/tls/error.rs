use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an identity could not be made, read or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// An identity could not be made.
    #[error("no identity could be made")]
    Generate(#[source] rcgen::Error),
    /// The text is not an identity.
    #[error("this is no identity: {reason}")]
    Identity {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file holds something else than an identity.
    #[error(
        "the identity file {path} is damaged ({reason}); restore it from a backup, or move it away to get a new identity \
         that the other side does not know"
    )]
    FileDamaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file cannot be read or written.
    #[error("the identity file {path} cannot be {action}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read or write the file.
    #[error("the identity file {path} is open to others (mode {mode:04o}); run: chmod 600 {path}")]
    FileExposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The peer does not speak this protocol.
    #[error("the peer did not agree on the protocol seatkeeper/1")]
    OtherProtocol,
    /// The peer showed no certificate, or one whose key is not ECDSA P-256.
    #[error("the peer showed no ECDSA P-256 identity")]
    NoPeerIdentity,
    /// rustls refused the configuration.
    #[error("TLS 1.3 could not be set up")]
    Setup(#[source] rustls::Error),
    /// The succession statement is not one, or nobody signed it.
    #[error("the succession statement is refused: {reason}")]
    Succession {
        /// What is wrong with it.
        reason: &'static str,
    },
}
