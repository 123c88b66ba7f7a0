//! `serve`: the server, until SIGTERM or SIGINT. At SIGHUP it reads its configuration again.

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::args::ServeOptions;
use super::configuration::{Good, Source};
use super::error::CliError;
use super::local;
use super::ownership;
use super::server::{Options, Reloading, Server};
use super::supervision;
use crate::client::with_causes;
use crate::clock::Clock;
use crate::config::Overrides;
use crate::telemetry;

pub(super) async fn run(data: Option<PathBuf>, options: ServeOptions) -> Result<(), CliError> {
    let usage = |error: &dyn std::error::Error| CliError::Usage(error.to_string());
    let source = Source {
        file: options.config,
        overrides: Overrides {
            name: options.name,
            data,
            listen: options.listen,
            log_level: Source::log_level(),
        },
    };
    let Good { config, site_port, .. } = source.read().map_err(|error| usage(&error))?;
    let data = local::data_dir(config.data.as_deref())?;
    local::be_private();
    let log = telemetry::start(&config.log).map_err(|error| usage(&error))?;

    // Listened for before anything starts, so that no signal is lost.
    let listen = |kind| signal(kind).map_err(|error| CliError::because("cannot listen for signals", error));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut hangup = listen(SignalKind::hangup())?;
    let clock = Clock::system();
    let start = Options {
        data: data.clone(),
        config,
        reloading: Reloading { source, log },
        site_port,
        clock,
        recover_admin: options.recover_admin,
    };
    let started = Server::start(start).await;
    // Now, for whatever becomes of this process, and at the end.
    hand_over(&data);
    let mut server = started?;
    tracing::info!(
        addresses = ?server.addresses(),
        fingerprint = %server.fingerprint(),
        data = %data.display(),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    supervision::ready(server.addresses());
    let reloads = server.reloads().clone();
    let failure = loop {
        tokio::select! {
            _ = terminate.recv() => break None,
            _ = interrupt.recv() => break None,
            reason = server.failed() => break Some(reason),
            Some(()) = hangup.recv() => reloads.begin(),
        }
    };
    tracing::info!("stopping");
    supervision::stopping();
    let stopped = server.stop().await;
    hand_over(&data);
    match failure {
        Some(reason) => Err(CliError::failed(reason)),
        None => stopped,
    }
}

/// Root runs a server on another user's directory to mend something (`--recover-admin`): that user goes on with it.
fn hand_over(data: &Path) {
    if let Err(error) = ownership::hand_over(data) {
        tracing::warn!("{}", with_causes(&error));
    }
}
