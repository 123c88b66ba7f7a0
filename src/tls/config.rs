use std::sync::Arc;

use rustls::client::{Resumption, TicketRequest};
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::ServerName;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, CommonState, HandshakeKind, ServerConfig};

use super::public_key::{PublicKey, provider};
use super::verify::{ClientVerifier, PinRule, ServerVerifier};
use super::{Identity, TlsError};

/// The protocol that both sides must agree on in the handshake.
pub const ALPN: &[u8] = b"seatkeeper/1";

/// What a client says that has no use for tickets, so that the server makes none.
pub(super) const NO_TICKETS: TicketRequest = TicketRequest {
    new_session_count: 0,
    resumption_count: 0,
};

/// What a server that is `identity` takes connections with: TLS 1.3, a certificate from each client or a ticket that it
/// got for one, no early data. Each call makes keys of its own for tickets.
///
/// # Errors
/// [`TlsError::Setup`] if the operating system has no randomness to give.
pub fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Setup)?
        .with_client_cert_verifier(Arc::new(ClientVerifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.max_early_data_size = 0;
    // What a resumed session rests on is in the ticket, the client's certificate among it, under keys that are in this
    // process alone, change every six hours and go after another six: nothing is kept of a peer.
    config.ticketer = Ticketer::new().map_err(TlsError::Setup)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // One for who does not say how many, and none for who says so (RFC 9149).
    config.send_tls13_tickets = 1;
    config.max_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// What a client that is `identity` connects with once: TLS 1.3, the servers that `pins` admits, no early data, no ticket.
/// [`Sessions`](super::Sessions) is for those that connect again.
///
/// # Errors
/// [`TlsError::Setup`] if rustls refuses, which no valid identity makes it do.
pub fn client_config(identity: &Identity, pins: PinRule) -> Result<Arc<ClientConfig>, TlsError> {
    client_settings(identity, pins).map(Arc::new)
}

pub(super) fn client_settings(identity: &Identity, pins: PinRule) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ServerVerifier::new(pins)))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = false;
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    config.send_ticket_request = Some(NO_TICKETS);
    Ok(config)
}

/// The name that rustls wants of every server. It is neither sent nor checked.
#[must_use]
pub fn server_name() -> ServerName<'static> {
    ServerName::IpAddress(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED).into())
}

/// Who the peer of a finished handshake is; of a resumed one, who proved itself in the first. Either side must ask this
/// before it believes anything: a peer that did not agree on [`ALPN`] is refused here.
///
/// # Errors
/// [`TlsError::OtherProtocol`] or [`TlsError::NoPeerIdentity`]: close the connection.
pub fn peer(connection: &CommonState) -> Result<PublicKey, TlsError> {
    if connection.alpn_protocol() != Some(ALPN) {
        return Err(TlsError::OtherProtocol);
    }
    let certificate = connection
        .peer_certificates()
        .and_then(<[_]>::first)
        .ok_or(TlsError::NoPeerIdentity)?;
    PublicKey::of_certificate(certificate)
}

/// The fingerprint of [`peer`].
///
/// # Errors
/// As [`peer`].
pub fn peer_fingerprint(connection: &CommonState) -> Result<[u8; 32], TlsError> {
    peer(connection).map(|key| key.fingerprint())
}

/// Whether the session goes on from an earlier one, in which both sides had proven their keys.
#[must_use]
pub fn is_resumed(connection: &CommonState) -> bool {
    connection.handshake_kind() == Some(HandshakeKind::Resumed)
}
