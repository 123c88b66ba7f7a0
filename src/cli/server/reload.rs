//! A running server reads its configuration again: for administrators who ask for it, and for SIGHUP. One at a time, by the
//! one task that knows what is in force.

use std::path::Path;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::name_of;
use crate::cli::configuration::{Good, Source, Wrong};
use crate::cli::supervision;
use crate::config::{Config, ConfigChange, Effect};
use crate::domain::command::{Actor, Command};
use crate::domain::reply::Reply;
use crate::net::udp::Answering;
use crate::net::{Dials, OfferFacts, ReloadAsk, make_room};
use crate::service::{Service, Settings, SubmitError};
use crate::session::{Answer, ChangedKey, Reloaded};
use crate::telemetry::LogFilter;
use crate::wire::ConfigEffect;

/// Which server agents prefer that is not configured: others can be put before and behind it.
pub(super) const PRIORITY_DEFAULT: u16 = 100;

/// What asks wait for their turn, at most.
const ASKS_MAX: usize = 8;

/// What a server needs to read its configuration again.
#[derive(Debug, Default)]
pub(in crate::cli) struct Reloading {
    /// Where the configuration came from.
    pub(in crate::cli) source: Source,
    /// What changes the log.
    pub(in crate::cli) log: LogFilter,
}

/// What the configuration in force is applied to.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) reloading: Reloading,
    /// What is in force.
    pub(super) running: Config,
    pub(super) service: Service,
    pub(super) dials: Dials,
    pub(super) offered: watch::Sender<OfferFacts>,
    pub(super) answers: watch::Sender<Answering>,
}

/// Asks for the configuration to be read again.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Reloads(mpsc::Sender<ReloadAsk>);

/// The way to a [`Reloader`], and its end of it.
pub(super) fn channel() -> (mpsc::Sender<ReloadAsk>, mpsc::Receiver<ReloadAsk>) {
    mpsc::channel(ASKS_MAX)
}

impl Reloads {
    pub(super) const fn new(asks: mpsc::Sender<ReloadAsk>) -> Self {
        Self(asks)
    }

    /// Has it read again in the server's own name, without waiting for that; the log says what came of it.
    pub(in crate::cli) fn begin(&self) {
        let ask = ReloadAsk {
            actor: Actor::Server,
            dry_run: false,
            answer: oneshot::channel().0,
        };
        // Where so many wait, what is read then is read for this one too.
        drop(self.0.try_send(ask));
    }
}

impl Reloader {
    /// Does what is asked, until the server stops.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<ReloadAsk>, stop: CancellationToken) {
        while let Some(Some(ask)) = stop.run_until_cancelled(asks.recv()).await {
            let answer = self.reload(ask.actor, ask.dry_run).await;
            // Who asked may have hung up; what was taken over stays.
            drop(ask.answer.send(answer));
        }
    }

    async fn reload(&mut self, actor: Actor, dry_run: bool) -> Answer {
        let Some(path) = self.reloading.source.file.clone() else {
            tracing::warn!(
                "the server was started without a configuration file, so there is nothing to read again; start it with \
                 --config FILE"
            );
            return Answer::NoConfiguration;
        };
        let source = self.reloading.source.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || source.read()).await else {
            return Answer::Failed;
        };
        let changes = match &read {
            Ok(good) => self.running.changes(&good.file, &self.reloading.source.overrides),
            Err(_) => Vec::new(),
        };
        // Whether who asks may is decided before anything is told or taken over. Where nothing can be, nothing is noted.
        let only_asked = dry_run || read.is_err();
        if let Some(refused) = self.note(actor, &changes, only_asked).await {
            return refused;
        }
        let outcome = match read {
            Ok(good) => {
                if !dry_run {
                    self.take_over(&path, good, &changes).await;
                }
                Ok(changes.into_iter().map(told).collect())
            }
            Err(wrong) => Err(refuse(&wrong)),
        };
        let file = path.display().to_string();
        Answer::Reloaded(Box::new(Reloaded { file, outcome }))
    }

    /// Has the ledger decide, and note what is about to be done; what else than yes it says.
    async fn note(&self, actor: Actor, changes: &[ConfigChange], dry_run: bool) -> Option<Answer> {
        let applied = changes.iter().filter(|change| change.effect == Effect::Applied);
        let applied = u32::try_from(applied.count()).unwrap_or(u32::MAX);
        match self.service.submit(actor, Command::NoteReload { applied, dry_run }, 0) {
            Ok(reply) => match reply.await {
                Ok(Reply::Done) => None,
                Ok(other) => Some(Answer::Reply(Box::new(other))),
                Err(_) => Some(Answer::Failed),
            },
            Err(SubmitError::Busy) => Some(Answer::Busy),
            Err(SubmitError::Stopped) => Some(Answer::Stopping),
        }
    }

    async fn take_over(&mut self, path: &Path, good: Good, changes: &[ConfigChange]) {
        supervision::reloading();
        let config = self.running.taking_over(good.config);
        // Before the level that it may change.
        tell(path, changes);
        if self.service.configure(settings(&config)).await.is_ok() {
            let mut limits = config.net();
            // Raising the limit of open files again costs nothing, and warns where it cannot be.
            limits.connections.total = make_room(limits.connections.total);
            self.dials.set(name_of(&config), limits);
            self.offered.send_modify(|offered| {
                offered.name = name_of(&config);
                offered.priority = config.priority.unwrap_or(PRIORITY_DEFAULT);
            });
            self.answers.send_replace(answering(&config));
            if let Err(error) = self.reloading.log.set(&config.log) {
                // It was checked when the file was read.
                tracing::warn!("{error}");
            }
            self.running = config;
        }
        supervision::reloaded();
    }
}

fn refuse(wrong: &Wrong) -> String {
    let text = wrong.to_string();
    tracing::error!("the configuration was not read again, and what was in force stays: {text}");
    text
}

/// What of a configuration the writer goes by.
pub(super) fn settings(config: &Config) -> Settings {
    Settings {
        new_seats: config.limits.new_seats(),
        enrolment: config.enrol.into(),
        wrong_tokens: config.limits.wrong_tokens_per_source_and_minute,
        checkpoint_bytes: u64::from(config.journal.checkpoint_kib) << 10,
        retention: config.events.retention(),
    }
}

/// What of a configuration discovery goes by.
pub(super) fn answering(config: &Config) -> Answering {
    Answering {
        limits: config.limits.offers(),
        heard: config.discovery.heard(),
    }
}

fn tell(path: &Path, changes: &[ConfigChange]) {
    let file = path.display();
    if changes.is_empty() {
        tracing::info!(%file, "the configuration was read again: nothing in it has changed");
    }
    for ConfigChange {
        key,
        before,
        after,
        effect,
    } in changes
    {
        let (before, after) = (before.as_deref(), after.as_deref());
        match effect {
            Effect::Applied => tracing::info!(%file, key, before, after, "taken over from the configuration"),
            Effect::NeedsRestart => {
                tracing::warn!(%file, key, before, after, "changed in the configuration, and in force after a restart only");
            }
            Effect::Overruled(by) => {
                tracing::warn!(%file, key, before, after, by, "set in the configuration, and overruled");
            }
        }
    }
}

fn told(change: ConfigChange) -> ChangedKey {
    let (effect, by) = match change.effect {
        Effect::Applied => (ConfigEffect::APPLIED, None),
        Effect::NeedsRestart => (ConfigEffect::NEEDS_RESTART, None),
        Effect::Overruled(by) => (ConfigEffect::OVERRULED, Some(by.to_owned())),
    };
    ChangedKey {
        key: change.key.to_owned(),
        before: change.before,
        after: change.after,
        effect,
        by,
    }
}
