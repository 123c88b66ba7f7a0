//! What a licensed component embeds: discovery, connection, agent.

pub mod adapter;
pub mod connect;
pub mod deadline;
pub mod discover;
pub mod state;

pub use connect::{ConnectError, Connection, Target, connect};
pub use deadline::Deadline;
