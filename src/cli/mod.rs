//! The commands of `seatkeeper`: one file each; tables and JSON in one place.

mod admin;
mod agent;
mod aim;
mod args;
mod backup;
mod blacklist;
mod catalogue;
mod check_config;
mod clock;
mod configuration;
mod consent;
#[cfg(feature = "demo")]
mod demo;
mod denials;
mod enrol;
mod error;
mod events;
mod explain;
mod export;
mod files;
mod generate;
mod grid;
mod identity;
mod import;
mod interruption;
mod keys;
mod known;
mod lease_key;
mod licenses;
mod list;
mod local;
mod macs;
mod new;
mod output;
mod ownership;
mod products;
mod progress;
mod release;
mod reload;
mod remove;
mod repair;
mod reservations;
mod reserve;
mod resolve;
mod restore;
mod rotate;
mod run;
mod seats;
mod serve;
mod server;
mod session;
mod settle;
mod status;
mod supervision;
mod vendor;
mod vendor_keys;
mod view;

pub use args::Cli;
pub use error::CliError;
pub use output::fail;

use args::Command;

/// Runs one command to its end.
///
/// # Errors
/// The command could not do what it should; [`CliError::exit_code`] tells how.
pub async fn run(cli: Cli) -> Result<(), CliError> {
    let Cli { everywhere, command } = cli;
    let with = |reach| everywhere.clone().reaching(reach);
    match command {
        Command::Abort(asked) => settle::abort(&with(asked.reach), asked.options).await,
        Command::Admin(asked) => admin::run(&with(asked.reach), asked.command).await,
        Command::Agent(asked) => agent::run(&agent::of_a_machine(with(asked.reach))?, asked.command).await,
        Command::Backup(options) => backup::run(everywhere, options).await,
        Command::Blacklist(asked) => blacklist::run(&with(asked.reach), asked.command).await,
        Command::Catalogue(asked) => catalogue::run(&with(asked.reach), asked.command).await,
        Command::CheckConfig(asked) => check_config::run(&everywhere, &asked),
        Command::Clock(asked) => clock::run(&with(asked.reach), asked.command).await,
        Command::Commit(asked) => settle::commit(&with(asked.reach), asked.options).await,
        Command::Completions { shell } => generate::completions(shell),
        #[cfg(feature = "demo")]
        Command::Demo(options) => Box::pin(demo::run(options)).await,
        Command::Denials(asked) => denials::run(&with(asked.reach), asked.options).await,
        Command::Enrol(asked) => enrol::run(&with(asked.reach), asked.command).await,
        Command::Explain(asked) => explain::run(&with(asked.reach), asked.options).await,
        Command::Export(asked) => Box::pin(export::run(&with(asked.reach), asked.options)).await,
        Command::Events(asked) => Box::pin(events::run(&with(asked.reach), asked.options)).await,
        Command::Identity(asked) => identity::run(&with(asked.reach), &asked.command),
        Command::Import(asked) => import::keys(&with(asked.reach), asked.options).await,
        Command::ImportFile(asked) => import::file(&with(asked.reach), asked.options).await,
        Command::Licenses(asked) => licenses::run(&with(asked.reach), asked.options).await,
        Command::List(asked) => list::run(&with(asked.reach), asked.options).await,
        Command::Man { directory } => generate::man(&directory),
        Command::Products(asked) => products::run(&with(asked.reach), asked.options).await,
        Command::Reload(asked) => reload::run(&with(asked.reach), asked.options).await,
        Command::Release(asked) => release::run(&with(asked.reach), asked.options).await,
        Command::Remove(asked) => remove::run(&with(asked.reach), asked.options).await,
        Command::Repair(options) => repair::run(everywhere, options).await,
        Command::Reservations(asked) => reservations::run(&with(asked.reach), asked.options).await,
        Command::Reserve(asked) => reserve::run(&with(asked.reach), asked.options).await,
        Command::Resolve(asked) => resolve::run(&with(asked.reach), asked.options).await,
        Command::Restore(options) => restore::run(everywhere, options).await,
        Command::Run(asked) => run::run(&agent::of_a_machine(with(asked.reach))?, asked.options).await,
        Command::Seats(asked) => seats::run(&with(asked.reach), asked.options).await,
        Command::Serve(options) => serve::run(everywhere.data, options).await,
        Command::Status(asked) => status::run(&with(asked.reach), asked.options).await,
        Command::Vendor(asked) => vendor::run(&with(asked.reach), asked.command).await,
    }
}
