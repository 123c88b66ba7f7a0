//! Why a handshake came to nothing, for whoever explains it to people.

use std::io;

use rustls::{AlertDescription, Error};

/// What kept two sides from a TLS session, besides a pin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HandshakeFault {
    /// What the peer sent is no TLS.
    NotTls,
    /// The peer speaks TLS, and not this protocol in it.
    OtherProtocol,
    /// The peer speaks only TLS older than 1.3.
    Version,
}

/// What the error of a failed handshake tells; nothing where it is something else, such as a connection that was closed.
#[must_use]
pub fn handshake_fault(error: &io::Error) -> Option<HandshakeFault> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity)
        | Error::PeerIncompatible(_) => Some(HandshakeFault::Version),
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) | Error::NoApplicationProtocol => {
            Some(HandshakeFault::OtherProtocol)
        }
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Some(HandshakeFault::NotTls),
        _ => None,
    }
}
