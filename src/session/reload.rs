//! What became of a configuration that was read again, as whoever read it tells it.

use crate::wire::ConfigEffect;

/// A configuration that was read again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reloaded {
    /// The file.
    pub file: String,
    /// The keys whose values in the file are not those in force; or what is wrong with the file, as people read it: then
    /// nothing was taken over.
    pub outcome: Result<Vec<ChangedKey>, String>,
}

/// A key whose value in the file is not the one in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangedKey {
    /// The key, with its table's name before it.
    pub key: String,
    /// The value that was in force; nothing where that was the program's own choice.
    pub before: Option<String>,
    /// The value in the file, likewise.
    pub after: Option<String>,
    /// What becomes of it.
    pub effect: ConfigEffect,
    /// What goes before the file, where something does.
    pub by: Option<String>,
}
