//! What a licensed component embeds: discovery, connection, agent.
//!
//! ```no_run
//! use seatkeeper::client::Agent;
//! use seatkeeper::vendor::VendorKey;
//!
//! # async fn run_the_program() {}
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! # let vendor_pem = String::new();
//! // In a real program: include_str!("vendor.pub"), so that nobody can put another vendor in its place.
//! let agent = Agent::new(VendorKey::from_pem(&vendor_pem)?, "BKSRV".parse()?, "agent".parse()?);
//! let standing = agent.acquire().await;
//! if !standing.may_run() {
//!     return Err(standing.to_string().into()); // "invalid license: ...", with cause and remedy
//! }
//! let keeper = agent.keep(standing); // renews daily until it is dropped
//! run_the_program().await;
//! drop(keeper);
//! # Ok(())
//! # }
//! ```
//!
//! A deployment tool embeds [`deploy::Deployer`]. An uninstaller calls [`Agent::release`]. One exchange takes at most 3 seconds unless [`Agent::deadline`] says
//! otherwise, whatever servers do.

/// What `tools/guide/vendor.md` shows of embedding, compiled as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../tools/guide/vendor.md")]
#[derive(Debug)]
pub struct VendorGuide;

pub mod adapter;
pub mod address;
pub mod agent;
mod causes;
pub mod connect;
pub mod deadline;
pub mod deploy;
pub mod discover;
pub mod find;
pub mod harmless;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;
pub mod token;
pub mod ways;

pub use address::{Address, AddressError};
pub use agent::{Agent, AgentError, Keeper, Standing};
pub use causes::with_causes;
pub use connect::{ConnectError, Connection, Target, connect, connect_again};
pub use deadline::Deadline;
pub use token::EnrolmentToken;
