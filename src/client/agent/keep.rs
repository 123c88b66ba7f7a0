//! The daily renewal while a component runs (rule S5).

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Agent, Standing};
use crate::clock::{self, Clock};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

/// How long the task sleeps at a stretch. A machine that was suspended does not count the time in its sleep, so the
/// wall clock is looked at in between.
const NAP: Duration = Duration::from_mins(5);

/// Keeps renewing until it is dropped.
#[derive(Debug)]
pub struct Keeper {
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// How the component stands, and a way to wait until that changes. A refusal or a failure stops nothing: the
    /// component may tell it, and its next start decides.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Agent {
    /// Renews in the background, daily after success and hourly after failure, each give or take a tenth, from
    /// `standing` (as [`Agent::acquire`] returned it) on. Call it inside a tokio runtime and hold what it returns for
    /// as long as the component runs.
    #[must_use]
    pub fn keep(&self, standing: Standing) -> Keeper {
        self.keep_pausing(standing, |success| pause_after(success, random()))
    }

    /// `pause` is how long to wait after a success or a failure.
    pub(super) fn keep_pausing(&self, standing: Standing, pause_after: fn(bool) -> Duration) -> Keeper {
        let mut pause = pause_after(standing.is_answered());
        let (tell, receiver) = watch::channel(standing);
        let agent = self.clone();
        let task = tokio::spawn(async move {
            loop {
                rest(pause).await;
                let standing = agent.renew().await;
                pause = pause_after(standing.is_answered());
                if !standing.is_answered() {
                    tracing::warn!(%standing, "the license was not renewed; trying again in about an hour");
                }
                if tell.send(standing).is_err() {
                    return;
                }
            }
        });
        Keeper {
            standing: receiver,
            task,
        }
    }
}

/// A day after success, an hour after failure, each between 90 and 110 per cent of it.
fn pause_after(success: bool, random: u32) -> Duration {
    let full = if success { DAY } else { HOUR };
    full * 9 / 10 + (full / 5).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// Sleeps until `pause` has passed on the monotonic or on the wall clock.
async fn rest(pause: Duration) {
    let wall = Clock::system();
    let (since, awake_since) = (wall.calendar(), clock::monotonic());
    loop {
        let awake = Duration::from_millis(clock::monotonic().millis_since(awake_since));
        let passed = Duration::from_secs(wall.calendar().secs_since(since)).max(awake);
        match pause.checked_sub(passed) {
            None | Some(Duration::ZERO) => return,
            Some(left) => tokio::time::sleep(left.min(NAP)).await,
        }
    }
}

/// Spreads the renewals of many machines. Without randomness they come at the mean time, which is no worse.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves S5
    #[test]
    fn renewals_come_daily_and_after_failure_hourly_give_or_take_a_tenth() {
        let minutes = |success, random| pause_after(success, random).as_secs() / 60;
        assert_eq!([0, u32::MAX].map(|random| minutes(true, random)), [1_296, 1_584]);
        assert_eq!([0, u32::MAX].map(|random| minutes(false, random)), [54, 66]);
    }

    #[tokio::test]
    async fn a_rest_lasts_as_long_as_its_pause() {
        let before = clock::monotonic();
        rest(Duration::from_millis(30)).await;
        assert!(clock::monotonic().millis_since(before) >= 30);
    }
}
