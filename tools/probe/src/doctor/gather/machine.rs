//! This machine: its address, and what the components on it remember. Nothing is written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use seatkeeper::client::adapter::machine::{self, Places};
use seatkeeper::client::adapter::{self, AdapterError, Choice, Wish, rules};
use seatkeeper::client::state::{self, LastStanding, Memory, Owner, State};
use seatkeeper::client::with_causes;
use seatkeeper::domain::ids::ProductKey;
use seatkeeper::tls::Identity;
use seatkeeper::wire::Status;

use super::date;
use crate::doctor::Args;
use crate::doctor::facts::{AskedAs, Component, Denied, Gathered, Grant, Machine};
use crate::output::Failure;

/// Where components keep their state that every user of the machine starts.
const SHARED: &str = "/var/lib/seatkeeper-agent";

/// Components that are told of, at most.
const COMPONENTS_MAX: usize = 32;

/// The address that an agent of this machine would be counted by.
pub(super) fn mac(wish: &Wish) -> Gathered<Machine> {
    match choice(wish) {
        Ok((choice, kept)) => Gathered::Known(Machine {
            mac: Some(choice.mac),
            why: choice.why,
            kept,
        }),
        Err(error) => Gathered::Unknown(with_causes(&error)),
    }
}

/// The choice, and whether it was made before.
fn choice(wish: &Wish) -> Result<(Choice, bool), AdapterError> {
    let adapters = match (adapter::list(), wish) {
        (Err(_), Wish::Mac(_)) => Vec::new(),
        (listed, _) => listed?,
    };
    match wish {
        Wish::Mac(mac) => Ok((rules::given(*mac, "given by --mac".to_owned(), &adapters), false)),
        Wish::Interface(name) => rules::of_interface(name, &adapters).map(|choice| (choice, false)),
        Wish::Automatic => match machine::kept(&adapters, &Places::from_environment()) {
            Some(choice) => Ok((choice, true)),
            None => adapter::choose(&adapters).map(|choice| (choice, false)),
        },
    }
}

/// What the components of this machine remember, as far as this user may read it.
pub(super) fn components() -> Gathered<Vec<Component>> {
    let mut found = Vec::new();
    for directory in directories() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Gathered::Unknown(format!("{} cannot be read: {error}", directory.display())),
        };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let names: BTreeSet<_> = names.collect();
        let owners = names.iter().filter_map(|name| owner(name));
        found.extend(owners.map(|owner| component(&directory, owner)));
    }
    found.truncate(COMPONENTS_MAX);
    Gathered::Known(found)
}

/// The servers that every component of this machine trusts, as far as this user may read that.
pub(super) fn trusted() -> Vec<String> {
    let lists = directories()
        .into_iter()
        .filter_map(|directory| state::trusted_on_this_machine(&directory).ok());
    lists.flatten().map(|fingerprint| fingerprint.to_string()).collect()
}

/// The directories in which components keep their state.
fn directories() -> Vec<PathBuf> {
    let own = state::default_directory().ok();
    if std::env::var_os(state::STATE_DIR_VARIABLE).is_some_and(|value| !value.is_empty()) {
        return own.into_iter().collect();
    }
    let mut directories = vec![PathBuf::from(SHARED)];
    directories.extend(own.filter(|own| *own != Path::new(SHARED)));
    directories
}

/// Whose state file this is by its name, `VENDOR~PRODUCT~component.json`.
fn owner(name: &str) -> Option<Owner> {
    let mut parts = name.strip_suffix(".json")?.split('~');
    let (vendor, product, component) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Owner {
        product: ProductKey {
            vendor: vendor.parse().ok()?,
            product: product.parse().ok()?,
        },
        component: component.parse().ok()?,
    })
}

fn component(directory: &Path, owner: Owner) -> Component {
    let blank = Component {
        vendor: owner.product.vendor.to_string(),
        product: owner.product.product.to_string(),
        id: owner.component.to_string(),
        identity: State::peek_fingerprint(directory, owner)
            .ok()
            .map(|identity| identity.to_string()),
        ..Component::default()
    };
    let memory = match State::peek(directory, owner) {
        Ok(memory) => memory,
        Err(error) => {
            return Component {
                fault: Some(with_causes(&error)),
                ..blank
            };
        }
    };
    Component {
        pins: memory.pins.iter().map(|pin| pin.fingerprint.to_string()).collect(),
        addresses: memory.pins.iter().filter_map(|pin| pin.address).collect(),
        grant: memory.grant.map(|grant| Grant {
            mac: grant.mac,
            serial: grant.serial.to_string(),
            renew_by: grant.renew_by.map(date),
        }),
        denied: denied(&memory),
        ..blank
    }
}

fn denied(memory: &Memory) -> Option<Denied> {
    match &memory.standing {
        Some((LastStanding::Denied { status, text }, at)) => Some(Denied {
            status: format!("{:?}", Status(*status)),
            text: text.clone(),
            at: date(*at),
        }),
        _ => None,
    }
}

/// Who asks: whom the user named, else a component of the product on this machine, else somebody new.
pub(super) fn identity(args: &Args, components: &[Component]) -> Result<(Identity, AskedAs), Failure> {
    let failed = |error| Failure::Failed(format!("no identity to ask with: {}", with_causes(&error)));
    if let Some(path) = &args.identity {
        let identity = Identity::load(path).map_err(failed)?;
        return Ok((identity, AskedAs::Given));
    }
    let wanted = args.product.map(|product| product.to_string());
    let of_product = components
        .iter()
        .filter(|one| wanted.as_ref().is_none_or(|product| one.product == *product));
    for one in of_product {
        let name = format!("{}~{}~{}.pem", one.vendor, one.product, one.id);
        let mut paths = directories().into_iter().map(|directory| directory.join(&name));
        if let Some(identity) = paths.find_map(|path| Identity::load(&path).ok()) {
            return Ok((identity, AskedAs::component(one)));
        }
    }
    let identity = Identity::generate().map_err(failed)?;
    Ok((identity, AskedAs::Throwaway))
}
