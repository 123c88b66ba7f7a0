//! What a licensed component embeds: discovery, connection, agent.

pub mod connect;
pub mod deadline;
pub mod state;

pub use connect::{ConnectError, Connection, Target, connect};
pub use deadline::Deadline;
