//! The single writer: commands in rounds, durable before they are answered.
