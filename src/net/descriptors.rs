//! The system's bound on open files, which every connection counts against.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files that a server has open besides its connections: the store, listeners, the runtime, files being written.
const OTHERS: u64 = 256;

/// Raises this process's own limit of open files to what `connections` need, as far as the system allows; how many
/// connections there is room for. Fewer than asked for are told, with the remedy.
#[must_use]
pub fn make_room(connections: usize) -> usize {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be read; it may be too low for all connections");
            return connections;
        }
    };
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let mut limit = soft;
    if soft < needed {
        match setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard) {
            Ok(()) => limit = needed.min(hard),
            Err(error) => tracing::debug!(%error, "the limit of open files stays as it is"),
        }
    }
    let room = room(connections, limit);
    if room < connections {
        tracing::warn!(
            open_files = limit,
            needed,
            connections = room,
            "the system allows too few open files for limits.connections, so fewer are taken; raise the limit \
             (LimitNOFILE= of a systemd unit, `ulimit -n` of a shell), or lower limits.connections"
        );
    }
    room
}

/// How many of `connections` a limit of so many files has room for; at least one.
fn room(connections: usize, limit: u64) -> usize {
    // A limit below the reserve is shared: better few connections than none.
    let left = limit.saturating_sub(OTHERS).max(limit / 2).max(1);
    connections.min(usize::try_from(left).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest_of_the_server() {
        assert_eq!(room(20_000, 1 << 20), 20_000);
        assert_eq!(room(20_000, 20_000), 19_744);
        assert_eq!(room(20_000, 1_024), 768);
        assert_eq!(room(20_000, 64), 32);
        assert_eq!(room(100, 1_024), 100);
    }
}
