//! `serve`: the server, until SIGTERM or SIGINT.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use super::args::ServeOptions;
use super::error::CliError;
use super::local;
use super::server::{Options, Server};
use super::supervision;
use crate::clock::Clock;
use crate::config::{Config, site_port};
use crate::telemetry;

pub(super) async fn run(data: Option<PathBuf>, options: ServeOptions) -> Result<(), CliError> {
    let usage = |error: &dyn std::error::Error| CliError::Usage(error.to_string());
    let mut config = match &options.config {
        Some(path) => Config::read(path).map_err(|error| usage(&error))?,
        None => Config::default(),
    };
    if !options.listen.is_empty() {
        config.listen = options.listen;
    }
    config.name = options.name.or(config.name);
    config.check().map_err(|error| usage(&error))?;
    let asked = data.as_deref().or(config.data.as_deref());
    let data = local::data_dir(asked)?;
    let site_port = site_port().map_err(|error| usage(&error))?;
    telemetry::start(&config.log).map_err(|error| usage(&error))?;

    // Listened for before anything starts, so that no signal is lost.
    let listen = |kind| signal(kind).map_err(|error| CliError::because("cannot listen for signals", error));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let clock = Clock::system();
    let start = Options {
        data: data.clone(),
        config,
        site_port,
        clock,
        recover_admin: options.recover_admin,
    };
    let mut server = Server::start(start).await?;
    tracing::info!(
        addresses = ?server.addresses(),
        fingerprint = %server.fingerprint(),
        data = %data.display(),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    supervision::ready(server.addresses());
    let failure = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        reason = server.failed() => Some(reason),
    };
    tracing::info!("stopping");
    supervision::stopping();
    let stopped = server.stop().await;
    match failure {
        Some(reason) => Err(CliError::failed(reason)),
        None => stopped,
    }
}
