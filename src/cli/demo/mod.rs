//! `demo`: the main job from end to end on this machine alone. Nothing in it is played: the vendor signs, the server
//! keeps its ledger on disk, machines find it by UDP and talk to it over TLS. Only the clock is moved by hand.

mod machine;
mod story;
mod vendor;

use super::args::{DemoOptions, Global};
use super::error::CliError;
use super::server::{Options, Server};
use super::{licenses, output, seats, session::Session};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::time::Timestamp;
use std::path::Path;
use story::Story;

/// When the demonstration begins by its own clock: 2026-01-01 00:00 UTC.
const BEGIN: Timestamp = Timestamp(1_767_225_600);

/// How long its commands wait for an answer, in seconds: a busy machine must not break it.
const TIMEOUT_SECS: u32 = 10;

pub(super) async fn run(options: DemoOptions) -> Result<(), CliError> {
    let directory = tempfile::Builder::new()
        .prefix("seatkeeper-demo-")
        .tempdir()
        .map_err(|error| CliError::because("cannot make a temporary directory", error))?;
    let mut stage = Stage::build(directory.path()).await?;
    let told = Story::new(&mut stage).tell().await;
    let shown = match told {
        Ok(()) => show(&mut stage).await,
        Err(error) => Err(error),
    };
    if options.keep && shown.is_ok() {
        keep(&stage).await?;
    }
    stage.stop().await?;
    shown?;
    directory
        .close()
        .map_err(|error| CliError::because("cannot remove the temporary directory", error))?;
    if options.keep {
        Ok(())
    } else {
        output::line("\nDone. Nothing is left behind.")
    }
}

/// Everything that the demonstration plays on.
struct Stage {
    root: std::path::PathBuf,
    vendor: vendor::Vendor,
    clock: Clock,
    /// Nothing between a stop and the next start.
    server: Option<Server>,
    global: Global,
}

impl Stage {
    async fn build(root: &Path) -> Result<Self, CliError> {
        let clock = Clock::manual(BEGIN);
        let data = root.join("server");
        let server = Some(start(&data, "demo-server", clock.clone()).await?);
        let global = Global {
            json: false,
            server: None,
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
        })
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
        site_port: 0,
        clock,
        recover_admin: false,
    })
    .await
}

async fn show(stage: &mut Stage) -> Result<(), CliError> {
    let mut session = stage.administrator().await?;
    output::line("\nThe licenses, as `seatkeeper licenses` shows them:")?;
    output::line(&licenses::table(&licenses::all(&mut session).await?))?;
    output::line("The seats, as `seatkeeper seats` shows them:")?;
    output::line(&seats::table(&seats::all(&mut session, None).await?))
}

async fn keep(stage: &Stage) -> Result<(), CliError> {
    let data = stage.root.join("server");
    let vendor = stage.vendor.public_key_file();
    let (data, vendor) = (data.display(), vendor.display());
    let port = stage.port();
    output::line(&format!(
        "\nThe server goes on until Ctrl-C. In another terminal:\n\
         \n  seatkeeper --data {data} status\
         \n  seatkeeper --data {data} seats --json\
         \n  seatkeeper --data {data} release 00:00:5e:00:53:01 BKSRV --reason \"trying it\"\
         \n  SEATKEEPER_PORT={port} seatkeeper list\
         \n  SEATKEEPER_PORT={port} SEATKEEPER_STATE_DIR=/tmp/my-agent seatkeeper agent checkout BKWKS agent --vendor-key {vendor}"
    ))?;
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| CliError::because("cannot wait for Ctrl-C", error))
}
