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
use crate::client::token::TOKEN_VARIABLE;

/// Added to a signal's number for the exit code of a program that it ended, as shells do.
pub(super) const SIGNALLED: i32 = 128;

/// The signals that end programs.
struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

pub(super) async fn run(global: &Global, options: RunProgram) -> Result<(), CliError> {
    let agent = agent::agent(global, &options.licensed)?;
    let standing = agent.acquire().await;
    if !standing.may_run() {
        return agent::tell(global, &standing);
    }
    // A program that runs without its server must not do so unseen.
    if standing.is_answered() {
        standing
            .warnings()
            .iter()
            .for_each(|warning| output::note(&format!("seatkeeper: warning: {warning}")));
    } else {
        output::note(&format!("seatkeeper: {}", agent::describe(&standing)));
    }
    // Before the program starts, so that no signal ends this process and leaves the program alone.
    let signals = signals()?;
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

fn signals() -> Result<Signals, CliError> {
    let listen = |kind| signal(kind).map_err(|error| CliError::because("cannot listen for signals", error));
    Ok(Signals {
        hangup: listen(SignalKind::hangup())?,
        interrupt: listen(SignalKind::interrupt())?,
        terminate: listen(SignalKind::terminate())?,
    })
}

fn start(program: &[OsString]) -> Result<Child, CliError> {
    let Some((name, arguments)) = program.split_first() else {
        return Err(CliError::Usage("say which program to run behind --".to_owned()));
    };
    // The token is for the server, and a bearer's secret: no business of the program, nor of what that one starts.
    Command::new(name)
        .args(arguments)
        .env_remove(TOKEN_VARIABLE)
        .spawn()
        .map_err(|error| CliError::because(format!("cannot run {}", name.to_string_lossy()), error))
}

/// Waits for the program. Signals go on to it; it then ends as it wants to.
async fn wait(
    child: &mut Child,
    mut standing: watch::Receiver<Standing>,
    mut signals: Signals,
    stop_on_refusal: bool,
) -> Result<ExitStatus, CliError> {
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map_err(|error| CliError::because("cannot wait for the program", error)),
            _ = signals.terminate.recv() => end(child, nix::sys::signal::Signal::SIGTERM),
            _ = signals.hangup.recv() => end(child, nix::sys::signal::Signal::SIGHUP),
            // A terminal sends its interrupt to the program as well: here there is nothing to do but to wait.
            _ = signals.interrupt.recv() => {}
            Ok(()) = standing.changed() => {
                let standing = standing.borrow_and_update().clone();
                if !standing.is_answered() {
                    output::note(&format!("seatkeeper: {}", agent::describe(&standing)));
                }
                // Silence is no refusal: a server that is down for a night ends no work.
                if stop_on_refusal && matches!(standing, Standing::Denied(_)) {
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

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::client::Target;
    use crate::client::agent::{Denied, NoServer, Offline, ServerSeen};
    use crate::domain::ids::{Fingerprint, ServerId};
    use crate::domain::time::Timestamp;
    use crate::wire::Status;
    use crate::wire::messages::hello::Refusal;

    const SIGTERM: i32 = nix::sys::signal::Signal::SIGTERM as i32;

    fn no_answer() -> Standing {
        Standing::NoServer(NoServer {
            may_run: false,
            faults: Vec::new(),
            paths: Vec::new(),
            offline: Offline::NoLease,
        })
    }

    fn refusal() -> Standing {
        Standing::Denied(Box::new(Denied {
            text: "invalid license: all seats are in use".to_owned(),
            status: Status::SEATS_EXHAUSTED,
            refusal: Refusal::default(),
            server: ServerSeen {
                id: ServerId([1; 16]),
                name: "office".to_owned(),
                fingerprint: Fingerprint([2; 32]),
                target: Target::from(std::net::SocketAddr::from(([192, 0, 2, 1], 17_328))),
                version: "0.1.0".to_owned(),
                epoch: 0,
                time: Timestamp(0),
                lease_key: None,
            },
            warnings: Vec::new(),
        }))
    }

    /// How a program ends that goes on until its input ends, then ends with 5, when a renewal comes to `standing`.
    async fn end_after(standing: Standing, stop_on_refusal: bool) -> ExitStatus {
        let mut program = Command::new("sh")
            .args(["-c", "read nothing; exit 5"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh");
        let input = program.stdin.take().expect("piped");
        let (tell, told) = watch::channel(no_answer());
        tell.send(standing).expect("heard");
        let signals = signals().expect("signals");
        // The first is polled first, and what a renewal came to is there by then.
        let waiting = wait(&mut program, told, signals, stop_on_refusal);
        let (status, ()) = tokio::join!(waiting, async { drop(input) });
        status.expect("it ends")
    }

    #[tokio::test]
    async fn a_refusal_ends_the_program_where_that_was_asked_for() {
        assert_eq!(end_after(refusal(), true).await.signal(), Some(SIGTERM));
        assert_eq!(end_after(refusal(), false).await.code(), Some(5));
    }

    #[tokio::test]
    async fn silence_is_no_refusal() {
        assert_eq!(end_after(no_answer(), true).await.code(), Some(5));
    }
}
