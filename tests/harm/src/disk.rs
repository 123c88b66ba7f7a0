//! A disk in memory that keeps what is synced and what is not apart, and can lose the power or fail at any call.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use seatkeeper::store::{Disk, DiskFile, StoreError};
use seatkeeper_model::Random;

use crate::event::Event;

/// A disk writes a sector whole or not at all.
const SECTOR_LEN: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Clone, Debug)]
struct State {
    files: BTreeMap<u64, Inode>,
    next_inode: u64,
    /// The names as a process sees them.
    names: BTreeMap<PathBuf, Entry>,
    /// The names on stable storage.
    durable: BTreeMap<PathBuf, Entry>,
    /// What was done to names since then, in order.
    unsynced: Vec<NameChange>,
    /// Calls so far.
    calls: u64,
    /// What happens at which call.
    plan: Option<(u64, Event)>,
    /// Whether it has happened.
    has_struck: bool,
    is_dead: bool,
    dice: Random,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Entry {
    Dir,
    File(u64),
}

#[derive(Clone, Debug)]
struct NameChange {
    /// The directory that must be synced.
    dirs: Vec<PathBuf>,
    gone: Vec<PathBuf>,
    made: Option<(PathBuf, Entry)>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    current: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl SimDisk {
    /// An empty disk; `seed` decides what a power cut leaves.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            next_inode: 1,
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            unsynced: Vec::new(),
            calls: 0,
            plan: None,
            has_struck: false,
            is_dead: false,
            dice: Random::new(seed),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another disk that is as this one is now, and whatever is planned for it.
    pub(crate) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    /// Has other dice decide from now on: copies have those of the disk that they are of.
    pub(crate) fn reseed(&self, seed: u64) {
        self.lock().dice = Random::new(seed);
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Whether what was planned has happened.
    pub(crate) fn has_struck(&self) -> bool {
        self.lock().has_struck
    }

    /// Has an event happen at a call from now on, the first being 1; instead of any other that was planned.
    pub fn plan(&self, after_calls: u64, event: Event) {
        let mut state = self.lock();
        state.plan = Some((state.calls + after_calls, event));
        state.has_struck = false;
    }

    /// Nothing more happens: the disk is well.
    pub fn no_plan(&self) {
        self.lock().plan = None;
    }

    /// Whatever the store failed by has to be what was planned.
    ///
    /// # Panics
    /// Nothing was planned, or it has not happened, or it does not cause this.
    pub fn blame(&self, error: &StoreError) {
        let state = self.lock();
        let Some((_, event)) = state.plan else {
            panic!("a disk that is well fails nobody: {}", told(error));
        };
        assert!(state.has_struck, "{event:?} has not happened yet: {}", told(error));
        assert!(event.causes(error), "{event:?} does not cause this: {}", told(error));
    }

    /// Whether the power went.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.lock().is_dead
    }

    /// The power is back: of what was not synced, the dice decide what is there.
    pub fn power_on(&self) {
        let mut state = self.lock();
        let state = &mut *state;
        let mode = state.dice.below(4);
        let kept = |dice: &mut Random| match mode {
            0 => false,
            1 => true,
            _ => dice.percent(50),
        };
        let mut names = std::mem::take(&mut state.durable);
        for change in std::mem::take(&mut state.unsynced) {
            if kept(&mut state.dice) {
                change.apply(&mut names);
            }
        }
        for inode in state.files.values_mut() {
            let mut bytes = std::mem::take(&mut inode.durable);
            for (at, written) in std::mem::take(&mut inode.unsynced) {
                // Sectors of one write may be lost alone, and in any order.
                let mut done = 0;
                while done < written.len() {
                    let place = at + done;
                    let len = (SECTOR_LEN - place % SECTOR_LEN).min(written.len() - done);
                    if kept(&mut state.dice) {
                        put(&mut bytes, place, &written[done..done + len]);
                    }
                    done += len;
                }
            }
            inode.current.clone_from(&bytes);
            inode.durable = bytes;
        }
        // A file whose directory was lost is lost with it.
        let dirs = names.clone();
        names.retain(|path, _| {
            path.ancestors()
                .skip(1)
                .all(|dir| dir.as_os_str().is_empty() || dirs.get(dir) == Some(&Entry::Dir) || is_outside(dir))
        });
        state.durable.clone_from(&names);
        state.names = names;
        state.is_dead = false;
        state.plan = None;
    }
}

/// The directories above the data directory were there before it, and stay.
fn is_outside(dir: &Path) -> bool {
    !dir.starts_with(ROOT)
}

/// Where the data directory stands on this disk.
pub(crate) const ROOT: &str = "/sim";

/// Where it has its name.
pub(crate) const ABOVE: &str = "/";

fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    let end = at + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(written);
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        for path in &self.gone {
            names.remove(path);
        }
        if let Some((path, entry)) = &self.made {
            names.insert(path.clone(), *entry);
        }
    }
}

/// An error with what caused it.
fn told(error: &StoreError) -> String {
    format!("{error}: {:?}", std::error::Error::source(error))
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

impl State {
    /// Counts a call. An error if it must not be done at all, an event if it is to fail half way.
    fn call(&mut self, needs_room: bool) -> io::Result<Option<Event>> {
        if self.is_dead {
            return Err(io::Error::other("the power is gone"));
        }
        self.calls += 1;
        let event = match self.plan {
            Some((at, Event::PowerCut)) if self.calls >= at => {
                self.is_dead = true;
                Some(Event::PowerCut)
            }
            Some((at, Event::Full)) if self.calls >= at && needs_room => Some(Event::Full),
            Some((at, Event::Gone)) if self.calls >= at => Some(Event::Gone),
            Some((at, event @ Event::Fail(_))) if self.calls == at => Some(event),
            _ => None,
        };
        self.has_struck |= event.is_some();
        Ok(event)
    }

    /// A call that is done whole or, at an event, not at all.
    fn whole(&mut self, needs_room: bool) -> io::Result<()> {
        self.call(needs_room)?.map_or(Ok(()), |event| Err(event.error()))
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced.push(change);
    }

    fn inode(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Entry::File(inode)) => Ok(*inode),
            Some(Entry::Dir) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What was written since the last sync, and no more: what that one lost is not tried again.
    fn sync_file(&mut self, inode: u64) {
        if let Some(Inode { durable, unsynced, .. }) = self.files.get_mut(&inode) {
            for (at, written) in unsynced.drain(..) {
                put(durable, at, &written);
            }
        }
    }

    /// A sync that failed: some of what was written is on stable storage, and what is not is not tried again.
    fn half_sync_file(&mut self, inode: u64) {
        let Some(inode) = self.files.get_mut(&inode) else {
            return;
        };
        for (at, written) in std::mem::take(&mut inode.unsynced) {
            if self.dice.percent(50) {
                put(&mut inode.durable, at, &written);
            }
        }
        let durable = inode.durable.clone();
        // What a process reads is still what it wrote, until the page is read from the disk again.
        if self.dice.percent(50) {
            inode.current = durable;
        }
    }

    fn sync_names(&mut self, is_meant: impl Fn(&Path) -> bool) {
        let unsynced = std::mem::take(&mut self.unsynced);
        for change in unsynced {
            if change.dirs.iter().any(|dir| is_meant(dir)) {
                change.apply(&mut self.durable);
            } else {
                self.unsynced.push(change);
            }
        }
    }
}

impl Disk for SimDisk {
    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.lock();
        state.whole(false)?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut state = self.lock();
        state.whole(false)?;
        let inode = state.inode(path)?;
        Ok(state
            .files
            .get(&inode)
            .map(|inode| inode.current.clone())
            .unwrap_or_default())
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let mut state = self.lock();
        state.whole(false)?;
        let inode = state.inode(path)?;
        Ok(state.files.get(&inode).map_or(0, |inode| inode.current.len() as u64))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.whole(true)?;
        let inode = state.next_inode;
        state.next_inode += 1;
        state.files.insert(inode, Inode::default());
        state.change(NameChange {
            dirs: vec![parent(path)],
            gone: Vec::new(),
            made: Some((path.to_owned(), Entry::File(inode))),
        });
        Ok(Box::new(SimFile {
            disk: self.clone(),
            inode,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.whole(false)?;
        let inode = state.inode(path)?;
        Ok(Box::new(SimFile {
            disk: self.clone(),
            inode,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.whole(false)?;
        let inode = state.inode(from)?;
        state.change(NameChange {
            dirs: vec![parent(from), parent(to)],
            gone: vec![from.to_owned()],
            made: Some((to.to_owned(), Entry::File(inode))),
        });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.whole(false)?;
        if state.inode(path).is_ok() {
            state.change(NameChange {
                dirs: vec![parent(path)],
                gone: vec![path.to_owned()],
                made: None,
            });
        }
        Ok(())
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.whole(true)?;
        if !state.names.contains_key(dir) {
            state.change(NameChange {
                dirs: vec![parent(dir)],
                gone: Vec::new(),
                made: Some((dir.to_owned(), Entry::Dir)),
            });
        }
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let event = state.call(false)?;
        let inside: Vec<_> = state
            .names
            .keys()
            .filter(|path| path.starts_with(dir))
            .cloned()
            .collect();
        // Its files go one after the other; the directory last.
        let done = if event.is_some() {
            state.dice.below(inside.len() as u64 + 1)
        } else {
            inside.len() as u64
        };
        for path in inside
            .into_iter()
            .rev()
            .take(usize::try_from(done).unwrap_or(usize::MAX))
        {
            state.change(NameChange {
                dirs: vec![parent(&path)],
                gone: vec![path],
                made: None,
            });
        }
        event.map_or(Ok(()), |event| Err(event.error()))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.whole(false)?;
        state.sync_names(|changed| changed == dir);
        Ok(())
    }

    fn sync_tree(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.whole(false)?;
        let inside: Vec<_> = state
            .names
            .iter()
            .filter(|(path, _)| path.starts_with(dir))
            .map(|(_, entry)| *entry)
            .collect();
        for entry in inside {
            if let Entry::File(inode) = entry {
                state.sync_file(inode);
            }
        }
        state.sync_names(|changed| changed.starts_with(dir));
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: u64,
}

impl DiskFile for SimFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let state = &mut *state;
        let at = usize::try_from(at).map_err(io::Error::other)?;
        let grows = state
            .files
            .get(&self.inode)
            .is_some_and(|inode| at + bytes.len() > inode.current.len());
        let event = state.call(grows)?;
        let len = match event {
            // What a cut leaves of it is decided when the power is back.
            None | Some(Event::PowerCut) => bytes.len(),
            // Whole sectors: a write goes through pages.
            Some(_) => {
                let end = at + usize::try_from(state.dice.below(bytes.len() as u64 + 1)).unwrap_or(0);
                (end / SECTOR_LEN * SECTOR_LEN).saturating_sub(at).min(bytes.len())
            }
        };
        if let Some(inode) = state.files.get_mut(&self.inode) {
            put(&mut inode.current, at, &bytes[..len]);
            inode.unsynced.push((at, bytes[..len].to_vec()));
        }
        event.map_or(Ok(()), |event| Err(event.error()))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.lock();
        match state.call(false)? {
            None => state.sync_file(self.inode),
            // What a cut leaves of it is decided when the power is back.
            Some(Event::PowerCut) => return Err(Event::PowerCut.error()),
            Some(event) => {
                state.half_sync_file(self.inode);
                return Err(event.error());
            }
        }
        Ok(())
    }
}
