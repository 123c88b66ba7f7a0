//! Rule I5: which adapters can name a machine, and which of them does.

use std::cmp::Ordering;

use super::AdapterError;
use crate::domain::ids::Mac;

/// The most other addresses that travel along as information.
pub const OTHERS_MAX: usize = 16;

/// Buses whose devices are pulled out while the machine runs.
const REMOVABLE_BUSES: [&str; 5] = ["bluetooth", "gadget", "pcmcia", "thunderbolt", "usb"];

/// A network adapter as the operating system describes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Adapter {
    /// Its name, e.g. `eth0`.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// Whether its frames are Ethernet's and it is no loopback: Ethernet, Wi-Fi and what imitates them.
    pub ethernet: bool,
    /// The kind of a virtual link, e.g. `bridge`; none for a device.
    pub kind: Option<String>,
    /// The name of the device behind it, e.g. `0000:00:1f.6`.
    pub device: Option<String>,
    /// The bus of that device, e.g. `pci`.
    pub bus: Option<String>,
    /// Whether it is a Wi-Fi adapter.
    pub wireless: bool,
    /// The address it uses now, which may be random or its bond's.
    pub current: Option<Mac>,
    /// The address it was made with, where the device tells one.
    pub permanent: Option<Mac>,
}

impl Adapter {
    /// The address that names it: the permanent one, or the current one where the device tells none.
    #[must_use]
    pub fn address(&self) -> Option<Mac> {
        self.permanent.or(self.current)
    }

    fn is_removable(&self) -> bool {
        self.bus.as_deref().is_some_and(|bus| REMOVABLE_BUSES.contains(&bus))
    }

    fn description(&self) -> String {
        let mut text = format!(
            "{}: {} {}",
            self.name,
            if self.is_removable() { "removable" } else { "built-in" },
            if self.wireless { "Wi-Fi" } else { "Ethernet" },
        );
        if let Some(device) = &self.device {
            text.push_str(" on ");
            text.push_str(self.bus.as_deref().unwrap_or("device"));
            text.push(' ');
            text.push_str(device);
        }
        text.push_str(match (self.permanent, self.current) {
            (Some(permanent), Some(current)) if permanent != current => ", permanent address (it uses another now)",
            (Some(_), _) => ", permanent address",
            (None, _) => ", current address (it tells no permanent one)",
        });
        text
    }
}

/// The address that names this machine, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The address.
    pub mac: Mac,
    /// The machine's other addresses, best first, at most [`OTHERS_MAX`], for information.
    pub others: Vec<Mac>,
    /// Why this one, for people.
    pub why: String,
}

/// The adapters that can name a machine, best first: built-in before removable, Ethernet before Wi-Fi, universally
/// before locally administered, then the lowest address.
#[must_use]
pub fn candidates(adapters: &[Adapter]) -> Vec<(Mac, &Adapter)> {
    // Kernels before 5.14 name no device. There a link without a kind is taken for one: every virtual link that Linux
    // itself makes has a kind.
    let devices_are_told = adapters.iter().any(|adapter| adapter.device.is_some());
    let is_candidate = |adapter: &&Adapter| {
        adapter.ethernet && adapter.kind.is_none() && (adapter.device.is_some() || !devices_are_told)
    };
    let mut found: Vec<(Mac, &Adapter)> = adapters
        .iter()
        .filter(is_candidate)
        .filter_map(|adapter| Some((adapter.address()?, adapter)))
        .collect();
    found.sort_by(order);
    found
}

fn order(one: &(Mac, &Adapter), other: &(Mac, &Adapter)) -> Ordering {
    let rank = |&(mac, adapter): &(Mac, &Adapter)| {
        (
            adapter.is_removable(),
            adapter.wireless,
            mac.is_locally_administered(),
            mac,
        )
    };
    rank(one).cmp(&rank(other))
}

/// Chooses the address that names this machine.
///
/// # Errors
/// [`AdapterError::NoMac`]: no adapter has a device behind it.
pub fn choose(adapters: &[Adapter]) -> Result<Choice, AdapterError> {
    let &(mac, adapter) = candidates(adapters).first().ok_or(AdapterError::NoMac)?;
    Ok(given(mac, adapter.description(), adapters))
}

/// The choice of `mac`, together with the other addresses of this machine.
#[must_use]
pub fn given(mac: Mac, why: String, adapters: &[Adapter]) -> Choice {
    let mut others = addresses(adapters);
    others.retain(|&other| other != mac);
    others.truncate(OTHERS_MAX);
    Choice { mac, others, why }
}

/// The address of the interface called `name`, whatever its kind.
///
/// # Errors
/// There is no such interface, or it has no address.
pub fn of_interface(name: &str, adapters: &[Adapter]) -> Result<Choice, AdapterError> {
    let fault = || name.to_owned();
    let adapter = adapters
        .iter()
        .find(|adapter| adapter.name == name)
        .ok_or_else(|| AdapterError::NoInterface { name: fault() })?;
    let mac = adapter
        .address()
        .ok_or_else(|| AdapterError::NoAddress { name: fault() })?;
    Ok(given(mac, format!("{name}: named by --interface"), adapters))
}

/// The addresses of all candidates, best first, each once: a virtual function and the adapter it speeds up share one.
#[must_use]
pub fn addresses(adapters: &[Adapter]) -> Vec<Mac> {
    let mut macs: Vec<Mac> = Vec::new();
    for (mac, _) in candidates(adapters) {
        if !macs.contains(&mac) {
            macs.push(mac);
        }
    }
    macs
}
