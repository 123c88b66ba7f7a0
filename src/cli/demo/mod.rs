//! `demo`: the main job from end to end on this machine alone. Nothing in it is played: the vendor signs, the server
//! keeps its ledger on disk, machines find it by UDP and talk to it over TLS. Only the clock is moved by hand.

mod machine;
mod story;
mod vendor;

use super::args::{DemoOptions, Global};
use super::error::CliError;
use super::run::SIGNALLED;
use super::server::{Options, Reloading, Server};
use super::view::View;
use super::{licenses, output, seats, session::Session};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::time::Timestamp;
use std::path::Path;
use story::Story;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// When the demonstration begins by its own clock: 2026-01-01 00:00 UTC.
const BEGIN: Timestamp = Timestamp(1_767_225_600);

/// How long its commands wait for an answer, in seconds: a busy machine must not break it.
const TIMEOUT_SECS: u32 = 10;

pub(super) async fn run(options: DemoOptions) -> Result<(), CliError> {
    // Listened for before anything is made, so that an interrupted demonstration leaves nothing behind either.
    let interrupted = interruption()?;
    let directory = tempfile::Builder::new()
        .prefix("seatkeeper-demo-")
        .tempdir()
        .map_err(|error| CliError::because("cannot make a temporary directory", error))?;
    let mut stage = Stage::build(directory.path(), interrupted).await?;
    let played = play(&mut stage, options.keep).await;
    stage.stop().await?;
    directory
        .close()
        .map_err(|error| CliError::because("cannot remove the temporary directory", error))?;
    played?;
    if options.keep {
        Ok(())
    } else {
        output::line("\nDone. Nothing is left behind.")
    }
}

async fn play(stage: &mut Stage, stays: bool) -> Result<(), CliError> {
    Story::new(stage).tell().await?;
    show(stage).await?;
    if stays {
        keep(stage).await?;
    }
    Ok(())
}

/// Tells of the first SIGTERM or SIGINT: its number.
fn interruption() -> Result<watch::Receiver<Option<SignalKind>>, CliError> {
    let listen = |kind| signal(kind).map_err(|error| CliError::because("cannot listen for signals", error));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (tell, interrupted) = watch::channel(None);
    tokio::spawn(async move {
        let kind = tokio::select! {
            _ = terminate.recv() => SignalKind::terminate(),
            _ = interrupt.recv() => SignalKind::interrupt(),
        };
        tell.send_replace(Some(kind));
    });
    Ok(interrupted)
}

/// Everything that the demonstration plays on.
struct Stage {
    root: std::path::PathBuf,
    vendor: vendor::Vendor,
    clock: Clock,
    /// Nothing between a stop and the next start.
    server: Option<Server>,
    global: Global,
    interrupted: watch::Receiver<Option<SignalKind>>,
}

impl Stage {
    async fn build(root: &Path, interrupted: watch::Receiver<Option<SignalKind>>) -> Result<Self, CliError> {
        let clock = Clock::manual(BEGIN);
        let data = root.join("server");
        let server = Some(start(&data, "demo-server", clock.clone()).await?);
        let global = Global {
            json: false,
            server: None,
            paths: None,
            data: Some(data),
            identity: None,
            timeout: TIMEOUT_SECS,
        };
        let vendor = vendor::Vendor::new(root, "vendor", BEGIN)?;
        Ok(Self {
            root: root.to_owned(),
            vendor,
            clock,
            server,
            global,
            interrupted,
        })
    }

    /// Ends the demonstration if a signal came, with the exit code that shells give to it.
    fn go_on(&self) -> Result<(), CliError> {
        match *self.interrupted.borrow() {
            None => Ok(()),
            Some(signal) => Err(CliError::Program(
                u8::try_from(SIGNALLED + signal.as_raw_value()).unwrap_or(1),
            )),
        }
    }

    /// Stops the server and starts it again on what is on disk.
    async fn restart(&mut self) -> Result<(), CliError> {
        self.stop().await?;
        self.server = Some(start(&self.root.join("server"), "demo-server", self.clock.clone()).await?);
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), CliError> {
        match self.server.take() {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }

    /// The server's address, for a machine that is told it.
    fn address(&self) -> Option<String> {
        self.server.as_ref()?.addresses().first().map(ToString::to_string)
    }

    fn port(&self) -> u16 {
        let address = self.server.as_ref().and_then(|server| server.addresses().first());
        address.map_or(0, std::net::SocketAddr::port)
    }

    async fn administrator(&self) -> Result<Session, CliError> {
        Session::open(&self.global).await
    }
}

/// Starts a server for this host alone, on a port that is free.
async fn start(data: &Path, name: &str, clock: Clock) -> Result<Server, CliError> {
    let listen = "127.0.0.1:0"
        .parse()
        .map_err(|error| CliError::because("cannot listen", error))?;
    let config = Config {
        name: Some(name.to_owned()),
        listen: vec![listen],
        ..Config::default()
    };
    Server::start(Options {
        data: data.to_owned(),
        config,
        reloading: Reloading::default(),
        site_port: 0,
        clock,
        recover_admin: false,
    })
    .await
}

async fn show(stage: &mut Stage) -> Result<(), CliError> {
    let mut session = stage.administrator().await?;
    output::line("\nThe licenses, as `seatkeeper licenses` shows them:")?;
    View::usual().print_table(&licenses::all(&mut session).await?)?;
    output::line("The seats, as `seatkeeper seats` shows them:")?;
    View::usual().print_table(&seats::all(&mut session).await?)
}

async fn keep(stage: &mut Stage) -> Result<(), CliError> {
    let data = stage.root.join("server");
    let vendor = stage.vendor.public_key_file();
    // Inside the temporary directory, so that it goes with it.
    let agent = stage.root.join("my-agent");
    let (data, vendor, agent) = (data.display(), vendor.display(), agent.display());
    let port = stage.port();
    // As it was called: who comes from `cargo run` has no `seatkeeper` on the path.
    let program = std::env::current_exe().map_or_else(|_| "seatkeeper".to_owned(), |file| file.display().to_string());
    output::line(&format!(
        "\nThe server goes on until Ctrl-C. In another terminal:\n\
         \n  {program} --data {data} status\
         \n  {program} --data {data} seats --json\
         \n  {program} --data {data} release 00:00:5e:00:53:01 BKSRV --reason \"trying it\"\
         \n  SEATKEEPER_PORT={port} {program} list\
         \n  SEATKEEPER_PORT={port} SEATKEEPER_STATE_DIR={agent} {program} agent checkout BKWKS agent --vendor-key {vendor}"
    ))?;
    // It is an error only if nobody listens for signals any more; then there is nothing to wait for.
    drop(stage.interrupted.wait_for(Option::is_some).await);
    Ok(())
}
