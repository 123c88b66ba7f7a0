use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, PeerIncompatible, SignatureScheme,
};
use thiserror::Error as ThisError;

use super::public_key::{PublicKey, SCHEME, algorithms};

/// Pins of one client, at most.
pub const PINS_MAX: usize = 4;

/// Which servers a client talks to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PinRule {
    /// Whichever proves to own the key of its certificate; who it is decides the caller.
    Any,
    /// Only these, by fingerprint; an empty list is nobody.
    OneOf(Vec<[u8; 32]>),
}

impl PinRule {
    fn admits(&self, fingerprint: &[u8; 32]) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(pins) => pins.contains(fingerprint),
        }
    }
}

/// The server is not one of those that are pinned.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ThisError)]
#[error("the server's identity is not pinned: {}", data_encoding::HEXLOWER.encode(.fingerprint))]
pub struct WrongPin {
    /// What it showed. Nobody proved yet to own it.
    pub fingerprint: [u8; 32],
}

/// The refused identity, if a handshake failed because the server is not pinned.
#[must_use]
pub fn wrong_pin(error: &io::Error) -> Option<WrongPin> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => cause.downcast_ref().copied(),
        _ => None,
    }
}

/// Checks servers for a client: the certificate's own signature over the handshake, and the pin.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pins: PinRule,
}

impl ServerVerifier {
    pub(super) const fn new(pins: PinRule) -> Self {
        Self { pins }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fingerprint = key_of(end_entity)?.fingerprint();
        if self.pins.admits(&fingerprint) {
            Ok(ServerCertVerified::assertion())
        } else {
            let cause = OtherError(Arc::new(WrongPin { fingerprint }));
            Err(Error::InvalidCertificate(CertificateError::Other(cause)))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_refused())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_handshake(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}

/// Checks clients for a server: each must own the key of its certificate; what it may do is decided by its role.
#[derive(Debug)]
pub(super) struct ClientVerifier;

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        key_of(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_refused())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_handshake(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}

fn key_of(certificate: &CertificateDer<'_>) -> Result<PublicKey, Error> {
    PublicKey::of_certificate(certificate).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}

/// This is what makes a certificate worth anything: its key must have signed this very handshake.
fn verify_handshake(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if signed.scheme != SCHEME {
        return Err(PeerIncompatible::NoSignatureSchemesInCommon.into());
    }
    verify_tls13_signature(message, certificate, signed, algorithms())
}

fn tls12_refused() -> Error {
    PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig.into()
}

impl fmt::Display for PinRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any server"),
            Self::OneOf(pins) => write!(f, "one of {} pinned servers", pins.len()),
        }
    }
}
