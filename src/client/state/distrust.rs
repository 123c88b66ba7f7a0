//! Servers that no component of this machine is to trust any more: taken out of every state and of the machine's list.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Memory, Owner, StateError, file, record, trusted};
use crate::domain::ids::{Fingerprint, ProductKey, VendorId};
use crate::tls::PINS_MAX;

/// Which servers are trusted no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whom {
    /// Every other one than this: whoever stole an identity may have had machines follow from it to one of their own.
    AllBut(Fingerprint),
    /// This one.
    One(Fingerprint),
}

impl Whom {
    /// Whether it stays trusted.
    fn spares(self, server: Fingerprint) -> bool {
        match self {
            Self::AllBut(only) => server == only,
            Self::One(gone) => server != gone,
        }
    }
}

/// How servers are taken out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Distrust {
    /// Also where a component trusts no other one, which takes any server then that shows a genuine license: a thief's too.
    pub even_last: bool,
    /// Only to tell what that would change.
    pub dry_run: bool,
    /// How long to wait for each process that is at work with a state.
    pub wait: Duration,
}

/// What trusted servers and does no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Distrusted {
    /// The components, each with the servers that it still trusts, by the names of their files.
    pub components: Vec<(Owner, Vec<Fingerprint>)>,
    /// Where the machine's list named one: the servers that it still names.
    pub machine: Option<Vec<Fingerprint>>,
}

/// A component's state while nobody else may use it.
struct Held {
    owner: Owner,
    path: PathBuf,
    memory: Memory,
    identity: Fingerprint,
    /// Held for as long as this value lives.
    _lock: File,
}

/// Has no component of this machine trust these servers any more, and tells which of them did. A lease of such a server
/// goes with its pin. Every state is held and judged before the first one is written; where a write fails or is interrupted,
/// the same again does the rest.
///
/// # Errors
/// [`StateError`]: none of them trusts the one that is named, or one would trust none, or a state cannot be read or is in use
/// for too long: nothing changed. One cannot be written: those before it are.
pub async fn distrust_on_this_machine(directory: &Path, whom: Whom, how: Distrust) -> Result<Distrusted, StateError> {
    let (Whom::AllBut(fingerprint) | Whom::One(fingerprint)) = whom;
    let unknown = || StateError::NotTrusted {
        fingerprint,
        directory: directory.to_owned(),
    };
    if !directory.exists() {
        return Err(unknown());
    }
    let _list = trusted::lock(directory, how.wait).await?;
    let listed = trusted::trusted_on_this_machine(directory)?;
    let left: Vec<_> = listed.iter().copied().filter(|one| whom.spares(*one)).collect();
    let mut states = Vec::new();
    for (owner, path) in owners(directory)? {
        states.extend(held(directory, owner, path, how.wait).await?);
    }
    let mut told = Distrusted {
        components: Vec::new(),
        machine: (left != listed).then(|| left.clone()),
    };
    let names = |trusted: &[Fingerprint]| trusted.contains(&fingerprint);
    if !names(&listed) && !states.iter().any(|state| names(&trusts(&state.memory, &[]))) {
        return Err(unknown());
    }
    let mut changed = Vec::new();
    for mut state in states {
        if trusts(&state.memory, &listed).into_iter().all(|one| whom.spares(one)) {
            continue;
        }
        let is_pinned = !state.memory.pins.iter().all(|pin| whom.spares(pin.fingerprint));
        forget(&mut state.memory, whom);
        told.components.push((state.owner, trusts(&state.memory, &left)));
        if is_pinned {
            changed.push(state);
        }
    }
    if !how.even_last {
        refuse_last(directory, &told)?;
    }
    if !how.dry_run {
        // The list first: a component that is new meanwhile must not take from it what goes.
        if told.machine.is_some() {
            trusted::write(directory, &left)?;
        }
        for state in &changed {
            file::replace(&state.path, record::encode(&state.memory, state.identity).as_bytes())?;
        }
    }
    Ok(told)
}

fn forget(memory: &mut Memory, whom: Whom) {
    // The one that granted last stands first: its number is the newest.
    let gone: Vec<_> = memory.pins.iter().rev().cloned().collect();
    for pin in gone.iter().filter(|pin| !whom.spares(pin.fingerprint)) {
        memory.keep_numbers(pin);
    }
    memory.pins.retain(|pin| whom.spares(pin.fingerprint));
    if memory.lease.as_ref().is_some_and(|lease| !whom.spares(lease.server)) {
        memory.lease = None;
    }
}

/// What a component trusts together with the machine's list, as it does at its next start.
fn trusts(memory: &Memory, list: &[Fingerprint]) -> Vec<Fingerprint> {
    let mut trusts: Vec<_> = memory.pins.iter().map(|pin| pin.fingerprint).collect();
    for one in list {
        if !trusts.contains(one) {
            trusts.push(*one);
        }
    }
    trusts.truncate(PINS_MAX);
    trusts
}

fn refuse_last(directory: &Path, told: &Distrusted) -> Result<(), StateError> {
    let last = |who| Err(StateError::LastTrusted { who });
    if let Some((owner, _)) = told.components.iter().find(|(_, left)| left.is_empty()) {
        return last(owner.path(directory, "json"));
    }
    match &told.machine {
        Some(left) if left.is_empty() => last(trusted::path(directory)),
        _ => Ok(()),
    }
}

/// The components that have a state here, by the names of their files and in their order.
fn owners(directory: &Path) -> Result<Vec<(Owner, PathBuf)>, StateError> {
    let fault = |source: io::Error| StateError::File {
        path: directory.to_owned(),
        action: "listed",
        source,
    };
    let mut owners = Vec::new();
    for entry in fs::read_dir(directory).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if let Some(owner) = owner_of(&path) {
            owners.push((owner, path));
        }
    }
    owners.sort_by(|one, other| one.1.cmp(&other.1));
    Ok(owners)
}

/// Whose state a file is, by its name.
fn owner_of(path: &Path) -> Option<Owner> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    let mut parts = name.split('~');
    let (vendor, product, component) = (parts.next()?, parts.next()?, parts.next()?);
    let vendor: VendorId = vendor.parse().ok()?;
    let owner = Owner {
        product: ProductKey {
            vendor,
            product: product.parse().ok()?,
        },
        component: component.parse().ok()?,
    };
    parts.next().is_none().then_some(owner)
}

/// The state of a component, once nobody else uses it; nothing where it is gone meanwhile.
async fn held(directory: &Path, owner: Owner, path: PathBuf, wait: Duration) -> Result<Option<Held>, StateError> {
    let lock = file::lock(owner.path(directory, "lock"), wait).await?;
    let Some(text) = file::read(&path)? else {
        return Ok(None);
    };
    let (memory, identity) = record::decode(&path, &text)?;
    Ok(Some(Held {
        owner,
        path,
        memory,
        identity,
        _lock: lock,
    }))
}
