//! Open files: each connection takes one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::error::SwarmError;

/// Lets this process open as many files as the system allows it.
pub(crate) fn allow_files() -> Result<u64, SwarmError> {
    let doing = "raising the limit of open files";
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| SwarmError::of(doing)(&error))?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(|error| SwarmError::of(doing)(&error))?;
    }
    Ok(hard)
}
