//! Addresses to listen on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// An address to listen on, with or without a port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listen {
    /// The address; unspecified (`0.0.0.0`, `[::]`) for every one of its family.
    pub address: IpAddr,
    /// The port; the site's port if absent, any free one if 0.
    pub port: Option<u16>,
}

/// Not an address to listen on.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("'{0}' is not an address to listen on; write 192.168.1.10, 192.168.1.10:17328, [fd00::1]:17328 or 0.0.0.0")]
pub struct ListenError(String);

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None => self.address.fmt(f),
        }
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(Self { address, port: None });
        }
        let with_port: SocketAddr = text.parse().map_err(|_| ListenError(text.to_owned()))?;
        Ok(Self {
            address: with_port.ip(),
            port: Some(with_port.port()),
        })
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
