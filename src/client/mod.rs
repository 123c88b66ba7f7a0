//! What a licensed component embeds: discovery, connection, agent.

pub mod adapter;
pub mod discover;
pub mod state;
