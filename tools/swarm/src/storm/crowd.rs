//! All machines of a storm.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;

use super::start::{Aim, Starter, places};
use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::Latencies;
use crate::line::Path;
use crate::machine::Machine;
use crate::report::{Counts, sum};
use crate::site::{config_of, identity};
use crate::sources::{MACHINES_PER_SOURCE, source};

/// Machines, each with an identity of its own.
pub(super) struct Crowd {
    starters: Vec<Starter>,
}

/// How they come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How many start in a second; all at once if absent.
    pub(super) rate: Option<u32>,
    /// How many are connected at a time, at most.
    pub(super) open: usize,
}

/// What came of a storm.
#[derive(Debug)]
pub(super) struct Stormed {
    /// From when each start was due.
    pub(super) waited: Latencies,
    /// From when each first connected.
    pub(super) served: Latencies,
    /// From the first that was due until the last was done.
    pub(super) took: Duration,
    /// How often somebody was told to ask again later, by the status.
    pub(super) put_off: Counts,
    /// What went wrong, by its words.
    pub(super) failed: Counts,
    /// Who was not served in the end.
    pub(super) lost: u64,
}

impl Stormed {
    /// Starts a second.
    pub(super) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
        let count = self.served.summary().count as f64;
        count / self.took.as_secs_f64()
    }
}

impl Crowd {
    /// Makes so many machines and their identities, spread over as many addresses of this host as that takes.
    pub(super) fn new(count: u32, server: SocketAddr) -> Result<Self, SwarmError> {
        let mut starters = Vec::new();
        for number in 0..count {
            let way = Path {
                server,
                from: Some(source(number as usize / MACHINES_PER_SOURCE)),
                tls: config_of(&identity()?)?,
            };
            starters.push(Starter {
                machine: Machine::new(number),
                way,
            });
        }
        Ok(Self { starters })
    }

    /// Gives everybody another machine, which never had a seat: the `first` and on.
    pub(super) fn renumber(&mut self, first: u32) {
        for (number, starter) in (first..).zip(&mut self.starters) {
            starter.machine = Machine::new(number);
        }
    }

    /// All of them start at `to`.
    pub(super) async fn start(&mut self, to: SocketAddr, aim: Aim, pace: Pace) -> Result<Stormed, SwarmError> {
        let places = places(pace.open);
        let apart = pace.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
        let mut starting = JoinSet::new();
        let begun = Moment::now();
        let mut due = begun;
        for mut starter in self.starters.drain(..) {
            if !apart.is_zero() {
                due.reached().await;
            }
            let places = places.clone();
            starting.spawn(async move {
                let started = starter.start(to, aim, &places, due).await;
                (starter, started)
            });
            due = due.after(apart);
        }
        let mut stormed = Stormed {
            waited: Latencies::new(),
            served: Latencies::new(),
            took: Duration::ZERO,
            put_off: Counts::new(),
            failed: Counts::new(),
            lost: 0,
        };
        while let Some(joined) = starting.join_next().await {
            let (starter, outcome) = joined.map_err(|error| SwarmError::of("starting a machine")(&error))?;
            if outcome.is_served {
                stormed.waited.note(outcome.waited);
                stormed.served.note(outcome.served);
            } else {
                stormed.lost += 1;
            }
            if !outcome.put_off.is_empty() {
                stormed.put_off = sum([&stormed.put_off, &outcome.put_off]);
            }
            if !outcome.failed.is_empty() {
                stormed.failed = sum([&stormed.failed, &outcome.failed]);
            }
            self.starters.push(starter);
        }
        stormed.took = begun.ago();
        Ok(stormed)
    }
}
