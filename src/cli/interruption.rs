//! Commands that work on disk for a while, and leave nothing behind where somebody ends them in the midst of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::error::CliError;
use super::output;

/// How long the work may take to notice that its files are gone. What waits for a passphrase notices nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// Directories that are there only while something is made in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces(Arc<Mutex<Kept>>);

#[derive(Clone, Debug, Default)]
struct Kept {
    /// With all that is in them.
    places: Vec<PathBuf>,
    /// Those that had to be made around them, the outermost first: removed where they are empty.
    around: Vec<PathBuf>,
    /// What was made has its name.
    is_done: bool,
    /// Nothing is begun or finished any more.
    is_over: bool,
}

impl Traces {
    /// Begins to work in a directory that `make` makes, and tells with those around it that had to be made.
    pub(super) fn begin<R>(&self, make: impl FnOnce(&mut Noted<'_>) -> io::Result<R>) -> io::Result<R> {
        let mut kept = self.kept()?;
        let begun = make(&mut Noted(&mut kept));
        if kept.places.is_empty() {
            kept.remove_around();
        }
        begun
    }

    /// Does what gives the work its name, wholly or not at all: an interruption comes before it or after it.
    pub(super) fn finish<R>(&self, give_name: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        let mut kept = self.kept()?;
        let done = give_name();
        kept.is_done = done.is_ok();
        done
    }

    /// Removes a directory with what is in it, and those around it that were made for it and are empty.
    pub(super) fn remove(&self, place: &Path) {
        if let Ok(mut kept) = self.kept() {
            kept.remove(place);
        }
    }

    fn kept(&self) -> io::Result<MutexGuard<'_, Kept>> {
        let kept = self.locked();
        if kept.is_over {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "it was interrupted"));
        }
        Ok(kept)
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes everything; nothing is begun or finished from then on. What there was; nothing where what was made has its name.
    fn end(&self) -> Option<Kept> {
        let mut kept = self.locked();
        kept.is_over = true;
        let before = kept.clone();
        for place in &before.places {
            kept.remove(place);
        }
        (!kept.is_done).then_some(before)
    }
}

/// What is being begun.
pub(super) struct Noted<'a>(&'a mut Kept);

impl Noted<'_> {
    /// Makes a directory for its owner alone, and those above it that are missing.
    pub(super) fn make_dir(&mut self, dir: &Path) -> io::Result<()> {
        let missing = dir.ancestors().skip(1).take_while(|above| {
            let is_there = above.as_os_str().is_empty() || above.exists();
            !is_there
        });
        let mut missing: Vec<_> = missing.map(Path::to_owned).collect();
        missing.reverse();
        self.0.around.extend(missing);
        super::backup::make_dir(dir)
    }

    /// From now on `place` goes when the work ends, however it does.
    pub(super) fn goes(&mut self, place: &Path) {
        self.0.places.push(place.to_owned());
    }
}

impl Kept {
    fn remove(&mut self, place: &Path) {
        self.places.retain(|one| one != place);
        // What cannot be removed is removed by the next try.
        drop(fs::remove_dir_all(place));
        self.remove_around();
    }

    fn remove_around(&mut self) {
        for dir in self.around.drain(..).rev() {
            // What has something in it stays: that is what was made.
            drop(fs::remove_dir(dir));
        }
    }
}

/// Does `work` on a thread of its own. SIGINT and SIGTERM end the process, once everything is removed that the work would
/// have removed at its end.
pub(super) async fn guarded<F, R>(json: bool, what: &'static str, work: F) -> Result<R, CliError>
where
    F: FnOnce(&Traces) -> Result<R, CliError> + Send + 'static,
    R: Send + 'static,
{
    let listen = |kind| signal(kind).map_err(|error| CliError::because("cannot listen for signals", error));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let terminal = Terminal::now();
    let traces = Traces::default();
    let mut working = {
        let traces = traces.clone();
        tokio::task::spawn_blocking(move || work(&traces))
    };
    let outcome = |done: Result<_, tokio::task::JoinError>| {
        done.map_err(|error| CliError::because(format!("the {what} panicked"), error))?
    };
    tokio::select! {
        done = &mut working => return outcome(done),
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let Some(mut kept) = traces.end() else {
        return outcome(working.await);
    };
    // It fails now, unless it waits for something else: how it does is of no interest.
    drop(tokio::time::timeout(PATIENCE, working).await);
    // Nothing of it is there, unless something was just being made in it.
    for place in &kept.places {
        super::backup::clear(place);
    }
    kept.remove_around();
    terminal.put_back();
    let told = CliError::failed(format!(
        "the {what} was interrupted: nothing was made, and nothing is left of it"
    ));
    let _code = output::fail(&told, json);
    // The thread that was at work may wait for a passphrase that nobody types.
    std::process::exit(i32::from(told.exit_code()))
}

/// How the terminal was before somebody was asked for a passphrase, which it does not show.
struct Terminal(Option<Termios>);

impl Terminal {
    fn now() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }

    fn put_back(&self) {
        // Not touched unless it was left without its echo: a process in the background would be stopped for that.
        let flags = |terminal: &Termios| terminal.local_flags;
        if let (Some(before), Ok(now)) = (&self.0, tcgetattr(io::stdin()))
            && flags(before) != flags(&now)
            && let Err(error) = tcsetattr(io::stdin(), SetArg::TCSANOW, before)
        {
            tracing::debug!(%error, "the terminal stays as it is");
        }
    }
}
