//! Interfaces, and UDP sockets that know where a datagram came in.
