//! Who holds a port, so that "port taken" can say by whom.

use std::fmt;
use std::fs;
use std::path::Path;

/// A process that holds a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// Its process id.
    pub pid: u32,
    /// Its short name.
    pub name: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Which of a port's two name spaces is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// Listening TCP sockets.
    Tcp,
    /// UDP sockets.
    Udp,
}

/// The process that holds `port`. None if it cannot be told: another user's processes show their sockets to root
/// only, and other operating systems than Linux not at all.
#[must_use]
pub fn of_port(transport: Transport, port: u16) -> Option<Owner> {
    let tables = match transport {
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let inode = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| inode_in(&table, transport, port))?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if holds(&process.path(), &wanted) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(Owner {
                pid,
                name: name.trim().to_owned(),
            });
        }
    }
    None
}

fn holds(process: &Path, wanted: &str) -> bool {
    fs::read_dir(process.join("fd")).is_ok_and(|files| {
        files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == wanted))
    })
}

/// The inode of the socket that holds `port`, from a table such as `/proc/net/udp`.
fn inode_in(table: &str, transport: Transport, port: u16) -> Option<u64> {
    const LISTENING: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let (_, local_port) = fields.nth(1)?.rsplit_once(':')?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        let matches =
            u16::from_str_radix(local_port, 16) == Ok(port) && (transport == Transport::Udp || state == LISTENING);
        matches.then(|| inode.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  641: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 21001 2 000000 0
 2417: 00000000:43B0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21002 2 000000 0
 2418: 0100007F:43B1 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 21003 2 000000 0
";

    #[test]
    fn a_port_is_found_in_the_kernels_table() {
        assert_eq!(inode_in(TABLE, Transport::Udp, 17_328), Some(21_002));
        assert_eq!(inode_in(TABLE, Transport::Udp, 17_330), None);
        assert_eq!(
            inode_in(TABLE, Transport::Tcp, 17_329),
            None,
            "connected, not listening"
        );
        assert_eq!(inode_in("", Transport::Udp, 17_328), None);
    }
}
