//! What a server knows of itself beside its ledger.

/// What STATUS tells of the server's surroundings, as its caller knows them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// Its disk; nothing before it was looked at, or where that fails.
    pub disk: Option<Disk>,
    /// Connections that there are.
    pub connections: usize,
    /// Connections that there may be.
    pub connections_max: usize,
}

/// The disk of the data directory, in bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Disk {
    /// What is free on the file system.
    pub free: u64,
    /// What the file system has in all.
    pub total: u64,
    /// What the data directory takes.
    pub data: u64,
    /// What of that the journal takes.
    pub journal: u64,
}
