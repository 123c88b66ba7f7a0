use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};

use super::*;

mod resumption;

fn shake_hands(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let client = ClientConnection::new(client, server_name()).unwrap();
    carry(client, ServerConnection::new(server).unwrap())
}

/// Carries bytes between the two until neither has more to say, or one refuses the other.
fn carry(
    mut client: ClientConnection,
    mut server: ServerConnection,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    loop {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut to_server = bytes.as_slice();
        let mut moved = !to_server.is_empty();
        while !to_server.is_empty() {
            server.read_tls(&mut to_server).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut to_client = bytes.as_slice();
        moved |= !to_client.is_empty();
        while !to_client.is_empty() {
            client.read_tls(&mut to_client).unwrap();
            client.process_new_packets()?;
        }
        if !moved {
            assert!(!client.is_handshaking() && !server.is_handshaking());
            return Ok((client, server));
        }
    }
}

fn refusal(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> rustls::Error {
    shake_hands(client, server).map(|_| ()).unwrap_err()
}

/// The victim's certificate with the thief's key: what an eavesdropper can put together.
fn stolen(victim: &Identity, thief: &Identity) -> Arc<SingleCertAndKey> {
    let stolen = CertifiedKey::new(victim.certified_key().cert, thief.certified_key().key);
    assert!(stolen.keys_match().is_err());
    Arc::new(SingleCertAndKey::from(stolen))
}

#[test]
fn both_sides_learn_the_identity_of_the_other() {
    let (alice, bob) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let pins = PinRule::OneOf(vec![bob.fingerprint()]);
    let (client, server) = shake_hands(client_config(&alice, pins).unwrap(), server_config(&bob).unwrap()).unwrap();
    assert_eq!(peer_fingerprint(&client).unwrap(), bob.fingerprint());
    assert_eq!(peer_fingerprint(&server).unwrap(), alice.fingerprint());
    assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
}

#[test]
fn a_servers_certificate_with_another_key_is_refused() {
    let [client, victim, thief] = [(); 3].map(|()| Identity::generate().unwrap());
    let mut config = ServerConfig::clone(&server_config(&thief).unwrap());
    config.cert_resolver = stolen(&victim, &thief);
    for pins in [PinRule::Any, PinRule::OneOf(vec![victim.fingerprint()])] {
        let error = refusal(client_config(&client, pins).unwrap(), Arc::new(config.clone()));
        assert!(matches!(
            error,
            rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature)
        ));
    }
}

#[test]
fn a_clients_certificate_with_another_key_is_refused() {
    let [server, victim, thief] = [(); 3].map(|()| Identity::generate().unwrap());
    let mut config = ClientConfig::clone(&client_config(&thief, PinRule::Any).unwrap());
    config.client_auth_cert_resolver = stolen(&victim, &thief);
    let error = refusal(Arc::new(config), server_config(&server).unwrap());
    assert!(matches!(
        error,
        rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature)
    ));
}

#[test]
fn a_server_that_is_not_pinned_is_refused_and_named() {
    let [client, pinned, other] = [(); 3].map(|()| Identity::generate().unwrap());
    for pins in [vec![pinned.fingerprint()], Vec::new()] {
        let config = client_config(&client, PinRule::OneOf(pins)).unwrap();
        let error = refusal(config, server_config(&other).unwrap());
        let error = std::io::Error::other(error);
        assert_eq!(
            wrong_pin(&error),
            Some(WrongPin {
                fingerprint: other.fingerprint()
            })
        );
    }
}

#[test]
fn a_client_without_certificate_is_refused() {
    let server = Identity::generate().unwrap();
    let mut config = ClientConfig::builder_with_provider(public_key::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verify::ServerVerifier::new(PinRule::Any)))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    let error = refusal(Arc::new(config), server_config(&server).unwrap());
    assert_eq!(error, rustls::Error::NoCertificatesPresented);
}

#[test]
fn an_identity_of_another_kind_is_refused() {
    let (client, server) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    for kind in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P384_SHA384] {
        let key = rcgen::KeyPair::generate_for(kind).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let der = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let signing_key = rustls::crypto::ring::sign::any_supported_type(&der).unwrap();
        let foreign = CertifiedKey::new(vec![certificate.der().clone()], signing_key);
        let foreign = Arc::new(SingleCertAndKey::from(foreign));
        let mut foreign_client = ClientConfig::clone(&client_config(&client, PinRule::Any).unwrap());
        foreign_client.client_auth_cert_resolver = foreign.clone();
        refusal(Arc::new(foreign_client), server_config(&server).unwrap());
        let mut foreign_server = ServerConfig::clone(&server_config(&server).unwrap());
        foreign_server.cert_resolver = foreign;
        refusal(client_config(&client, PinRule::Any).unwrap(), Arc::new(foreign_server));
        assert!(Identity::from_pem(&format!("{}{}", key.serialize_pem(), certificate.pem())).is_err());
    }
}

#[test]
fn a_peer_of_another_protocol_is_refused() {
    let (alice, bob) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let mut client = ClientConfig::clone(&client_config(&alice, PinRule::Any).unwrap());
    let mut server = ServerConfig::clone(&server_config(&bob).unwrap());
    client.alpn_protocols = Vec::new();
    let (_, seen) = shake_hands(Arc::new(client), server_config(&bob).unwrap()).unwrap();
    assert!(matches!(peer_fingerprint(&seen), Err(TlsError::OtherProtocol)));
    server.alpn_protocols = Vec::new();
    let (seen, _) = shake_hands(client_config(&alice, PinRule::Any).unwrap(), Arc::new(server)).unwrap();
    assert!(matches!(peer_fingerprint(&seen), Err(TlsError::OtherProtocol)));
}

#[test]
fn an_identity_survives_its_pem_and_does_not_show_its_key() {
    let identity = Identity::generate().unwrap();
    let again = Identity::from_pem(&identity.to_pem()).unwrap();
    assert_eq!(again.fingerprint(), identity.fingerprint());
    let shown = format!("{identity:?}");
    assert_eq!(
        shown,
        format!("Identity({})", data_encoding::HEXLOWER.encode(&identity.fingerprint()))
    );
}

#[test]
fn a_key_with_the_certificate_of_another_is_no_identity() {
    let (one, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let (one, other) = (one.to_pem(), other.to_pem());
    let at = |pem: &str| pem.find("-----BEGIN CERTIFICATE").unwrap();
    let mixed = format!("{}{}", &one[..at(&one)], &other[at(&other)..]);
    assert!(matches!(Identity::from_pem(&mixed), Err(TlsError::Identity { .. })));
    assert!(Identity::from_pem(&one[..at(&one)]).is_err());
    assert!(Identity::from_pem(&one[at(&one)..]).is_err());
    assert!(Identity::from_pem("").is_err());
}

#[test]
fn an_identity_file_is_made_once_and_kept_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("identity.pem");
    assert!(matches!(Identity::load(&path), Err(TlsError::File { .. })));
    let made = Identity::load_or_create(&path).unwrap();
    let bits = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(bits & 0o777, 0o600);
    assert_eq!(
        Identity::load_or_create(&path).unwrap().fingerprint(),
        made.fingerprint()
    );
    assert!(!key_file::create(&path, "another").unwrap());
    assert_eq!(Identity::load(&path).unwrap().fingerprint(), made.fingerprint());
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        1,
        "a draft was left behind"
    );
}

#[test]
fn an_identity_file_open_to_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("identity.pem");
    Identity::load_or_create(&path).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o601] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = Identity::load_or_create(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(&format!("run: chmod 600 {}", path.display()))
        );
    }
}

#[test]
fn a_damaged_identity_file_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("identity.pem");
    let good = Identity::generate().unwrap().to_pem();
    for damaged in [&good.as_bytes()[..good.len() / 2], b"", b"\xff\xfe"] {
        std::fs::write(&path, damaged).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = Identity::load_or_create(&path).unwrap_err();
        assert!(matches!(error, TlsError::FileDamaged { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn no_flipped_bit_of_an_identity_is_another_identity() {
    let good = Identity::generate().unwrap();
    let pem = good.to_pem();
    let mut refused = 0;
    for bit in 0..pem.len() * 8 {
        let mut bytes = pem.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // What is no text is refused before.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        match Identity::from_pem(&text) {
            // What nobody reads of a certificate, and line ends.
            Ok(read) => assert_eq!(read.fingerprint(), good.fingerprint(), "bit {bit}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > pem.len(), "{refused}");
}

#[test]
fn a_succession_names_the_old_identity() {
    let (old, new) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let statement = Succession::sign(&old, new.public_key()).unwrap();
    assert_eq!(statement.verify(new.public_key()).unwrap(), old.fingerprint());
}

#[test]
fn a_succession_that_the_old_identity_did_not_sign_is_refused() {
    let [old, new, thief] = [(); 3].map(|()| Identity::generate().unwrap());
    let good = Succession::sign(&old, new.public_key()).unwrap();
    assert!(good.verify(thief.public_key()).is_err(), "signed for another one");
    for place in 0..good.signature.len() {
        let mut changed = good.clone();
        changed.signature[place] ^= 1;
        assert!(changed.verify(new.public_key()).is_err(), "byte {place} changed");
        changed.signature.truncate(place);
        assert!(changed.verify(new.public_key()).is_err(), "cut at {place}");
    }
    for place in 0..good.old_spki.len() {
        let mut changed = good.clone();
        changed.old_spki[place] ^= 1;
        assert!(changed.verify(new.public_key()).is_err(), "key byte {place} changed");
    }
    let mut forged = Succession::sign(&thief, new.public_key()).unwrap();
    forged.old_spki = good.old_spki;
    assert!(forged.verify(new.public_key()).is_err());
}

#[test]
fn what_an_identity_signed_for_another_purpose_names_no_successor() {
    let (old, new) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let spki = new.public_key().spki().to_vec();
    let signed = |before: &[u8]| Succession {
        old_spki: old.public_key().spki().to_vec(),
        signature: old.sign(&[before, &spki].concat()).unwrap(),
    };
    signed(b"seatkeeper/1 succession\0").verify(new.public_key()).unwrap();
    // What the same key signs in every handshake, what others sign of the vendor's and the server's texts, and nothing.
    let handshake = |side: &str| {
        [
            &[b' '; 64][..],
            format!("TLS 1.3, {side} CertificateVerify\0").as_bytes(),
        ]
        .concat()
    };
    for other in [
        handshake("server").as_slice(),
        &handshake("client"),
        b"seatkeeper v1 license certificate\0",
        b"seatkeeper v1 catalogue\0",
        b"seatkeeper v1 catalogue entry\0",
        b"seatkeeper v1 blacklist\0",
        b"seatkeeper v1 lease\0",
        b"seatkeeper/1 succession",
        b"",
    ] {
        let told = String::from_utf8_lossy(other);
        assert!(signed(other).verify(new.public_key()).is_err(), "{told}");
    }
}

#[test]
fn a_successor_shows_the_chain_of_those_before_it_and_no_more_than_are_kept() {
    let first = Identity::generate().unwrap();
    let mut all = vec![first];
    for _ in 0..SUCCESSIONS_MAX + 2 {
        let next = all.last().unwrap().successor().unwrap();
        all.push(next);
    }
    for (number, identity) in all.iter().enumerate() {
        let before = Succession::follow(identity.succession().iter().cloned(), *identity.public_key());
        let expected: Vec<_> = all[..number]
            .iter()
            .rev()
            .take(SUCCESSIONS_MAX)
            .map(Identity::fingerprint)
            .collect();
        assert_eq!(before, expected, "the {number}th");
        // It stands in the file, and counts for this key alone.
        let read = Identity::from_pem(&identity.to_pem()).unwrap();
        assert_eq!(read.succession(), identity.succession());
    }
    let last = all.last().unwrap();
    let other = Identity::generate().unwrap();
    let follow = |statements: Vec<Succession>, key: &Identity| Succession::follow(statements, *key.public_key()).len();
    assert_eq!(follow(last.succession().to_vec(), &other), 0);
    let mut broken = last.succession().to_vec();
    broken[2].signature[10] ^= 1;
    assert_eq!(
        follow(broken, last),
        2,
        "what follows one that does not hold counts for nothing"
    );
    let mut missing = last.succession().to_vec();
    missing.remove(1);
    assert_eq!(follow(missing, last), 1);
    let moved = [
        other.to_pem().as_str(),
        last.to_pem().split_once("-----END CERTIFICATE-----\n").unwrap().1,
    ]
    .concat();
    assert!(Identity::from_pem(&moved).is_err(), "statements of another identity");
}
