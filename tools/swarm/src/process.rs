//! What a process takes of the machine.

use procfs::process::Process;

/// What a process has in memory, in bytes; nothing where that cannot be seen.
pub(crate) fn resident_len(pid: u32) -> Option<u64> {
    let status = Process::new(i32::try_from(pid).ok()?).ok()?.status().ok()?;
    status.vmrss.map(|kib| kib * 1_024)
}
