//! Processes that a run needs beside it: a server, a floor, an assault. Each ends when it is dropped.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::Command;

use crate::error::SwarmError;

/// How long a process has to become ready: a server with millions of seats reads them first.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// How long a process has to end in good order.
const ENDED_WITHIN: Duration = Duration::from_mins(1);

/// Where a process says that it is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// On its standard output.
    Out,
    /// On its standard error.
    Err,
}

/// How much is told of what a process said that did not become ready, in lines: an error and what it comes from.
const LINES_TOLD: usize = 4;

/// A process that runs beside this one.
#[derive(Debug)]
pub(crate) struct Child {
    child: tokio::process::Child,
    pid: u32,
}

impl Child {
    /// Starts `program`, hands it `input`, and waits for the line in which it says that it is ready: the first of which
    /// `ready` makes something.
    pub(crate) async fn start<T>(
        program: &Path,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: &[u8],
        says: Says,
        ready: impl FnMut(&str) -> Option<T>,
    ) -> Result<(Self, T), SwarmError> {
        let mut command = Command::new(program);
        command.args(args).kill_on_drop(true).stdin(Stdio::piped());
        match says {
            Says::Out => command.stdout(Stdio::piped()),
            Says::Err => command.stdout(Stdio::null()).stderr(Stdio::piped()),
        };
        let mut child = command.spawn().map_err(|source| SwarmError::Start {
            program: program.to_owned(),
            source,
        })?;
        let name = program.display().to_string();
        if let Some(mut stdin) = child.stdin.take() {
            // A process that wants no input may have closed it: whether it is ready is what counts.
            drop(stdin.write_all(input).await);
        }
        let said = match (says, child.stdout.take(), child.stderr.take()) {
            (Says::Out, Some(stream), _) => await_line(stream, ready).await,
            (Says::Err, _, Some(stream)) => await_line(stream, ready).await,
            _ => Err("it has no output".to_owned()),
        };
        let pid = child.id().unwrap_or_default();
        match said {
            Ok(told) => Ok((Self { child, pid }, told)),
            Err(said) => Err(SwarmError::NotReady { program: name, said }),
        }
    }

    /// Its number.
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks it to end, and waits until it has, in good order.
    pub(crate) async fn stop(mut self) -> Result<(), SwarmError> {
        let doing = "ending the server in good order";
        // One that has ended already has no number that could be another's by now.
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(|error| SwarmError::of(doing)(&error))?;
        }
        match tokio::time::timeout(ENDED_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(SwarmError::because(doing, status.to_string())),
            Ok(Err(error)) => Err(SwarmError::of(doing)(&error)),
            Err(_) => Err(SwarmError::because(doing, "it does not end")),
        }
    }

    /// Ends it at once and waits until it has ended.
    pub(crate) async fn end(mut self) -> Result<(), SwarmError> {
        let ended = self.child.kill().await;
        ended.map_err(|error| SwarmError::of("ending a process")(&error))
    }
}

/// Reads lines until one says what is waited for, then goes on reading, so that the process can go on writing.
async fn await_line<T>(
    stream: impl AsyncRead + Unpin + Send + 'static,
    mut ready: impl FnMut(&str) -> Option<T>,
) -> Result<T, String> {
    let mut lines = BufReader::new(stream).lines();
    let mut last = VecDeque::with_capacity(LINES_TOLD);
    let reading = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(told) = ready(&line) {
                return Some(told);
            }
            if last.len() == LINES_TOLD {
                last.pop_front();
            }
            last.push_back(line.trim().to_owned());
        }
        None
    };
    match tokio::time::timeout(READY_WITHIN, reading).await {
        Ok(Some(told)) => {
            tokio::spawn(drain(lines));
            Ok(told)
        }
        Ok(None) | Err(_) if last.is_empty() => Err("it said nothing".to_owned()),
        Ok(None) | Err(_) => Err(Vec::from(last).join("; ")),
    }
}

async fn drain(mut lines: Lines<BufReader<impl AsyncRead + Unpin>>) {
    while let Ok(Some(_)) = lines.next_line().await {}
}
