//! Which MAC address names this machine (rule I5).
//!
//! [`rules`] decides and is pure; one file per operating system lists the adapters; [`machine`] keeps the choice, so
//! that it is made once per machine and not once per start.

pub mod machine;
pub mod rules;

#[cfg(target_os = "linux")]
#[path = "adapter/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "adapter/portable.rs"]
mod system;
#[cfg(target_os = "linux")]
mod wireless;

#[cfg(test)]
mod tests;

use std::io;

use thiserror::Error;

use crate::domain::ids::Mac;
use machine::Places;
pub use rules::{Adapter, Choice, choose};

/// What a user said about the address of this machine.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Wish {
    /// Nothing: rule I5 decides.
    #[default]
    Automatic,
    /// `--mac`: this address, whether an adapter has it or not.
    Mac(Mac),
    /// `--interface`: the address of this interface, whatever its kind.
    Interface(String),
}

/// This machine has no address to be counted by.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The operating system could not list its adapters.
    #[error("the network adapters of this machine cannot be listed; name its address with --mac ADDRESS")]
    List(#[source] io::Error),
    /// No adapter has a device behind it, as in a container.
    #[error(
        "NO_MAC: no network adapter of this machine has a device behind it, so nothing tells which machine it is; \
         give its address with --mac ADDRESS or name an interface with --interface NAME"
    )]
    NoMac,
    /// `--interface` names none.
    #[error("there is no interface {name}; name another with --interface NAME, or give an address with --mac ADDRESS")]
    NoInterface {
        /// The name that was given.
        name: String,
    },
    /// `--interface` names one that has no MAC address, such as a tunnel.
    #[error("interface {name} has no MAC address; name another with --interface NAME, or give one with --mac ADDRESS")]
    NoAddress {
        /// The name that was given.
        name: String,
    },
}

/// The adapters of this machine, virtual ones included, in the operating system's order.
///
/// # Errors
/// The operating system could not list them.
pub fn list() -> Result<Vec<Adapter>, AdapterError> {
    system::list().map_err(AdapterError::List)
}

/// The address of this machine: what the user wishes, else what was chosen before, else a new choice, which is kept.
///
/// It reads and writes files and asks the kernel; it takes milliseconds.
///
/// # Errors
/// [`AdapterError`]; the texts say what to do.
pub fn of_this_machine(wish: &Wish, places: &Places) -> Result<Choice, AdapterError> {
    let adapters = match (list(), wish) {
        // Whoever gives the address must not depend on what the kernel tells.
        (Err(_), Wish::Mac(_)) => Vec::new(),
        (listed, _) => listed?,
    };
    match wish {
        Wish::Automatic => machine::stored_choice(&adapters, places),
        Wish::Mac(mac) => Ok(rules::given(*mac, "given by --mac".to_owned(), &adapters)),
        Wish::Interface(name) => rules::of_interface(name, &adapters),
    }
}
