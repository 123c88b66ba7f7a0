//! What a server is seen to do while it makes a checkpoint.

use std::time::Duration;

use super::writer::Trace;
use crate::clock::Moment;
use crate::error::SwarmError;
use crate::generations::{Due, Generations, len_of};
use crate::process::{forget_most_resident, most_resident_len, put_len, resident_len};
use crate::site::Site;

/// For how long renewals go on before a checkpoint is made: that tells what they wait and what is written without one.
pub(super) const QUIET: Duration = Duration::from_secs(5);

/// How often is looked what was written.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A checkpoint that was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// From when on there was none before it.
    pub(super) quiet_from: Moment,
    /// When it began, and when it was done.
    pub(super) begun: Moment,
    pub(super) done: Moment,
    /// What the server had in memory at most meanwhile, less what it had before, in bytes; nothing where that cannot be seen.
    pub(super) extra_memory: Option<u64>,
    /// What it wrote.
    pub(super) trace: Trace,
}

/// Waits for a while in which the server makes no checkpoint, then has it make one. Renewals go on at an even pace.
pub(super) async fn checkpoint(site: &Site) -> Result<Seen, SwarmError> {
    let mut generations = Generations::of(site).await?;
    let before = generations.made().await?;
    let pid = site.pid.unwrap_or_default();
    let (quiet_from, quiet_len) = (Moment::now(), put(pid)?);
    tokio::time::sleep(QUIET).await;
    let pace = Pace {
        len: put(pid)?.saturating_sub(quiet_len),
        time: quiet_from.ago(),
    };
    let resident = resident_len(pid);
    let forgotten = forget_most_resident(pid);
    site.reconfigure(&Due::Soon.config()).await?;
    let number = generations.begun_after(before).await?;
    let begun = Moment::now();
    let mut trace = Trace::default();
    tokio::select! {
        made = generations.made_up_to(number) => made?,
        error = follow(pid, begun, pace, &mut trace) => return Err(error),
    }
    let done = Moment::now();
    let most = forgotten.and_then(|()| most_resident_len(pid));
    site.reconfigure(&Due::Late.config()).await?;
    let kept = len_of(&generations.dir(number)).map_err(|error| SwarmError::of("looking at a generation")(&error))?;
    trace.keep(kept);
    generations.close().await;
    Ok(Seen {
        quiet_from,
        begun,
        done,
        extra_memory: most.zip(resident).map(|(most, before)| most.saturating_sub(before)),
        trace,
    })
}

/// Notes what the server writes beyond its renewals, until it is dropped or cannot see that any more.
async fn follow(pid: u32, begun: Moment, pace: Pace, trace: &mut Trace) -> SwarmError {
    let mut first = None;
    loop {
        match put(pid) {
            Ok(len) => {
                let len = len - *first.get_or_insert(len);
                trace.note(begun.ago(), len.saturating_sub(pace.of(begun.ago())));
            }
            Err(error) => return error,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What the server wrote so far, in bytes.
fn put(pid: u32) -> Result<u64, SwarmError> {
    put_len(pid).ok_or_else(|| SwarmError::because("looking at what the server writes", "it cannot be seen"))
}

/// What renewals alone have the server write.
#[derive(Clone, Copy, Debug)]
struct Pace {
    len: u64,
    time: Duration,
}

impl Pace {
    /// In so much time, in bytes.
    fn of(self, time: Duration) -> u64 {
        let len = u128::from(self.len) * time.as_nanos() / self.time.as_nanos().max(1);
        u64::try_from(len).unwrap_or(u64::MAX)
    }
}
