//! What a process takes of the machine.

use std::time::Duration;

use procfs::process::{ClearRefs, Process, Status, Task};

/// The threads of a server that answer: those of its connections, and its writer.
const ANSWERING: [&str; 2] = ["tokio-rt-worker", "writer"];

/// What a process has in memory, in bytes; nothing where that cannot be seen.
pub(crate) fn resident_len(pid: u32) -> Option<u64> {
    status(pid)?.vmrss.map(|kib| kib * 1_024)
}

/// The most that it ever had in memory, in bytes; nothing where that cannot be seen.
pub(crate) fn most_resident_len(pid: u32) -> Option<u64> {
    status(pid)?.vmhwm.map(|kib| kib * 1_024)
}

/// Forgets the most that it ever had in memory: from now on [`most_resident_len`] tells of what comes. Nothing where that
/// cannot be done.
pub(crate) fn forget_most_resident(pid: u32) -> Option<()> {
    process(pid)?.clear_refs(ClearRefs::PeakRSS).ok()
}

/// Bytes that a process wrote to files, sockets and pipes since it was started, by its system calls; nothing where that cannot be
/// seen. What it is said to have had written to disks is no use: where the system keeps files in large pages, a sync of 512 bytes
/// counts as 2 MiB there.
pub(crate) fn put_len(pid: u32) -> Option<u64> {
    Some(process(pid)?.io().ok()?.wchar)
}

fn status(pid: u32) -> Option<Status> {
    process(pid)?.status().ok()
}

fn process(pid: u32) -> Option<Process> {
    Process::new(i32::try_from(pid).ok()?).ok()
}

/// The processor time that a process takes from a moment on.
#[derive(Debug)]
pub(crate) struct Meter {
    pid: Option<u32>,
    before: Option<Duration>,
    time_of: fn(u32) -> Option<Duration>,
}

impl Meter {
    /// Of a process, those of its threads included that end meanwhile; to a hundredth of a second or so.
    pub(crate) fn start(pid: Option<u32>) -> Self {
        Self::with(pid, cpu_time)
    }

    /// Of the threads that live all the while, to a microsecond or so: for what takes little.
    pub(crate) fn start_fine(pid: Option<u32>) -> Self {
        Self::with(pid, time_of_threads)
    }

    /// Likewise, of those threads of a server that answer: not of what it does besides, as a checkpoint.
    pub(crate) fn start_answering(pid: Option<u32>) -> Self {
        Self::with(pid, time_of_answering)
    }

    fn with(pid: Option<u32>, time_of: fn(u32) -> Option<Duration>) -> Self {
        Self {
            pid,
            before: pid.and_then(time_of),
            time_of,
        }
    }

    /// What it took since; nothing where that cannot be seen.
    pub(crate) fn read(&self) -> Option<Duration> {
        let now = self.pid.and_then(self.time_of)?;
        self.before.map(|before| now.saturating_sub(before))
    }
}

fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = process(pid)?.stat().ok()?;
    let ticks = stat.utime + stat.stime;
    Some(Duration::from_millis(ticks * 1_000 / procfs::ticks_per_second().max(1)))
}

fn time_of_threads(pid: u32) -> Option<Duration> {
    time_of_those(pid, |_| true)
}

fn time_of_answering(pid: u32) -> Option<Duration> {
    time_of_those(pid, |thread| {
        let name = thread.stat().map(|stat| stat.comm);
        name.is_ok_and(|name| ANSWERING.contains(&name.as_str()))
    })
}

fn time_of_those(pid: u32, is_wanted: fn(&Task) -> bool) -> Option<Duration> {
    let threads = process(pid)?.tasks().ok()?;
    // One that ends while it is looked at has no more to tell.
    let times = threads
        .flatten()
        .filter(is_wanted)
        .filter_map(|thread| thread.schedstat().ok());
    Some(Duration::from_nanos(times.map(|stat| stat.sum_exec_runtime).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_takes_is_seen() {
        let own = std::process::id();
        let (coarse, fine) = (Meter::start(Some(own)), Meter::start_fine(Some(own)));
        let mut digest = 1_u64;
        // Until it shows, however fast this machine is.
        while coarse.read() < Some(Duration::from_millis(50)) {
            digest = std::hint::black_box(digest.wrapping_mul(31).rotate_left(7));
        }
        assert!(fine.read() > Some(Duration::from_millis(10)), "{:?}", fine.read());
        let now = resident_len(own);
        assert!(now > Some(100_000));
        // Looked at later: other tests take more meanwhile.
        assert!(most_resident_len(own) >= now);
        assert_eq!(Meter::start(None).read(), None);
    }

    #[test]
    fn what_is_done_besides_is_not_taken_for_answering() {
        let meter = Meter::start_answering(Some(std::process::id()));
        let (mut done, mut ends) = (Vec::new(), Vec::new());
        let mut work = |name: &str| {
            let (tell, told) = std::sync::mpsc::channel();
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let working = move || {
                let digest =
                    (0..20_000_000_u64).fold(1, |digest: u64, by| std::hint::black_box(digest ^ by).rotate_left(7));
                tell.send(digest).unwrap();
                // One that has ended is not seen.
                let _ended = ended.recv();
            };
            let thread = std::thread::Builder::new().name(name.to_owned());
            done.push(thread.spawn(working).unwrap());
            ends.push(end);
            told.recv().unwrap();
        };
        work("checkpoint");
        assert_eq!(meter.read(), Some(Duration::ZERO));
        work("writer");
        assert!(meter.read() > Some(Duration::from_micros(100)), "{:?}", meter.read());
        drop(ends);
        for thread in done {
            thread.join().unwrap();
        }
    }
}
