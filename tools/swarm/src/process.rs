//! What a process takes of the machine.

use std::time::Duration;

use procfs::process::Process;

/// What a process has in memory, in bytes; nothing where that cannot be seen.
pub(crate) fn resident_len(pid: u32) -> Option<u64> {
    let status = Process::new(i32::try_from(pid).ok()?).ok()?.status().ok()?;
    status.vmrss.map(|kib| kib * 1_024)
}

/// The processor time that a process has taken; nothing where that cannot be seen.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()?;
    let ticks = stat.utime + stat.stime;
    Some(Duration::from_millis(ticks * 1_000 / procfs::ticks_per_second().max(1)))
}
