//! The commands of `seatkeeper`: one file each; tables and JSON in one place.

mod admin;
mod agent;
mod args;
mod catalogue;
#[cfg(feature = "demo")]
mod demo;
mod error;
mod files;
mod generate;
mod identity;
mod import;
mod known;
mod licenses;
mod list;
mod local;
mod output;
mod products;
mod release;
mod remove;
mod run;
mod seats;
mod serve;
mod server;
mod session;
mod status;
mod vendor;
mod vendor_keys;

pub use args::Cli;
pub use error::CliError;
pub use output::fail;

use args::Command;

/// Runs one command to its end.
///
/// # Errors
/// The command could not do what it should; [`CliError::exit_code`] tells how.
pub async fn run(cli: Cli) -> Result<(), CliError> {
    let Cli { global, command } = cli;
    match command {
        Command::Admin(command) => admin::run(&global, command).await,
        Command::Agent(command) => agent::run(&global, command).await,
        Command::Catalogue(command) => catalogue::run(&global, command).await,
        Command::Completions { shell } => generate::completions(shell),
        #[cfg(feature = "demo")]
        Command::Demo(options) => Box::pin(demo::run(&global, options)).await,
        Command::Identity(command) => identity::run(&global, &command),
        Command::Import(keys) => import::keys(&global, keys).await,
        Command::ImportFile(file) => import::file(&global, file).await,
        Command::Licenses(filter) => licenses::run(&global, filter).await,
        Command::List(options) => list::run(&global, options).await,
        Command::Man { directory } => generate::man(&directory),
        Command::Products => products::run(&global).await,
        Command::Release(target) => release::run(&global, target).await,
        Command::Remove(target) => remove::run(&global, target).await,
        Command::Run(program) => run::run(&global, program).await,
        Command::Seats(filter) => seats::run(&global, filter).await,
        Command::Serve(options) => serve::run(&global, options).await,
        Command::Status(target) => status::run(&global, target).await,
        Command::Vendor(command) => vendor::run(&global, command).await,
    }
}
