//! Identities and mutual TLS 1.3: the only user of rustls and rcgen.
//!
//! An identity is an ECDSA P-256 key pair with a certificate that it signed itself. A peer is known by its
//! *fingerprint*: the SHA-256 of the DER `SubjectPublicKeyInfo` of the certificate whose key it proved to own in the
//! handshake, or in that of the session that is resumed. Names, dates and chains are not looked at: at customers' sites
//! clocks are wrong and nobody runs a CA.

mod config;
mod error;
mod identity;
mod key_file;
mod pem;
mod public_key;
mod refused;
mod sessions;
mod succession;
mod verify;

#[cfg(test)]
mod tests;

pub use config::{ALPN, client_config, is_resumed, peer, peer_fingerprint, server_config, server_name};
pub use error::TlsError;
pub use identity::Identity;
pub use public_key::{PublicKey, SPKI_LEN};
pub use refused::{HandshakeFault, handshake_fault};
pub use sessions::{RESUMED_MAX, SESSIONS_MAX, Sessions};
pub use succession::{SUCCESSIONS_MAX, Succession};
pub use verify::{PINS_MAX, PinRule, WrongPin, wrong_pin};
