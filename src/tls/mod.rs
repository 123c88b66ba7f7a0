//! Identities and mutual TLS 1.3: the only user of rustls and rcgen.
