//! `run`: a program only while it is licensed.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::agent;
use super::args::{Global, RunProgram};
use super::error::CliError;
use super::output;
use crate::client::Standing;

/// Added to a signal's number for the exit code of a program that it ended, as shells do.
pub(super) const SIGNALLED: i32 = 128;

pub(super) async fn run(global: &Global, options: RunProgram) -> Result<(), CliError> {
    let agent = agent::agent(global, &options.licensed)?;
    let standing = agent.acquire().await;
    if !standing.may_run() {
        return agent::tell(global, &standing);
    }
    standing
        .warnings()
        .iter()
        .for_each(|warning| output::note(&format!("seatkeeper: warning: {warning}")));
    let listen = |kind| signal(kind).map_err(|error| CliError::because("cannot listen for signals", error));
    let signals = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let keeper = agent.keep(standing);
    let mut child = start(&options.program)?;
    let status = wait(&mut child, keeper.standing(), signals, options.stop_on_refusal).await?;
    drop(keeper);
    let code = status
        .code()
        .unwrap_or_else(|| SIGNALLED + status.signal().unwrap_or(0));
    match u8::try_from(code) {
        Ok(0) => Ok(()),
        Ok(code) => Err(CliError::Program(code)),
        Err(_) => Err(CliError::Program(1)),
    }
}

fn start(program: &[OsString]) -> Result<Child, CliError> {
    let Some((name, arguments)) = program.split_first() else {
        return Err(CliError::Usage("say which program to run behind --".to_owned()));
    };
    Command::new(name)
        .args(arguments)
        .spawn()
        .map_err(|error| CliError::because(format!("cannot run {}", name.to_string_lossy()), error))
}

/// Waits for the program. Signals go on to it; it then ends as it wants to.
async fn wait(
    child: &mut Child,
    mut standing: watch::Receiver<Standing>,
    (mut terminate, mut interrupt): (Signal, Signal),
    stop_on_refusal: bool,
) -> Result<ExitStatus, CliError> {
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map_err(|error| CliError::because("cannot wait for the program", error)),
            _ = terminate.recv() => end(child, nix::sys::signal::Signal::SIGTERM),
            // A terminal sends its interrupt to the program as well: here there is nothing to do but to wait.
            _ = interrupt.recv() => {}
            Ok(()) = standing.changed() => {
                let standing = standing.borrow_and_update().clone();
                if !standing.is_answered() {
                    output::note(&format!("seatkeeper: {standing}"));
                }
                if stop_on_refusal && !standing.may_run() {
                    end(child, nix::sys::signal::Signal::SIGTERM);
                }
            }
        }
    }
}

fn end(child: &Child, signal: nix::sys::signal::Signal) {
    let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) else {
        return;
    };
    if let Err(error) = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal) {
        output::note(&format!("seatkeeper: cannot end the program: {error}"));
    }
}
