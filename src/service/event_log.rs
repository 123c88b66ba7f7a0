//! Reads the event log beside the writer: on threads that may wait for the disk, few at a time.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::Semaphore;

use crate::domain::event_log::{ChainPage, ChainRead, EventPlace, EventsPage, EventsRead};
use crate::store::{Chronicle, StoreError};

/// Pages that are read at the same time, at most: each takes a segment's memory and a processor.
const AT_A_TIME: usize = 2;

/// The disk does not give the directories of the event log. The log says why.
#[derive(Clone, Copy, Debug, Error)]
#[error("the events cannot be read; the server's log says why")]
pub struct EventsUnreadable;

/// The events that are durable. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventLog {
    /// Nothing where the store keeps no events.
    chronicle: Option<Chronicle>,
    turns: Arc<Semaphore>,
}

impl EventLog {
    pub(super) fn new(chronicle: Option<Chronicle>) -> Self {
        Self {
            chronicle,
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Adds what is on disk to what the writer told of a page.
    ///
    /// # Errors
    /// The disk does not give the directories.
    pub async fn read(&self, page: EventsPage, told: EventsRead) -> Result<EventsRead, EventsUnreadable> {
        let through = told.through;
        let counted_first = page.newest_first;
        if counted_first && (told.more || told.rows.len() >= page.limit) {
            // There is no room for more, or none was asked for yet: the rest comes behind these.
            return Ok(EventsRead { more: true, ..told });
        }
        let mut rest = page;
        if counted_first {
            rest.limit -= told.rows.len();
        } else if rest.after.is_some_and(|after| after.round == EventPlace::COUNTED) {
            return Ok(told);
        }
        let limit = rest.limit;
        let read = self.ask(move |chronicle| chronicle.page(&rest, through)).await?;
        Ok(match read {
            None => told,
            Some(read) if counted_first => {
                let rows = told.rows.into_iter().chain(read.rows).collect();
                EventsRead { rows, ..read }
            }
            Some(read) if read.more => read,
            Some(mut read) => {
                let room = limit.saturating_sub(read.rows.len());
                read.more = told.more || told.rows.len() > room;
                let counted: Vec<_> = told.rows.into_iter().take(room).collect();
                // Whoever comes back later goes on behind what is durable: these will have places of their own.
                if read.more {
                    read.next = counted.last().map(|(place, _)| *place).or(read.next);
                }
                read.rows.extend(counted);
                read
            }
        })
    }

    /// Checks a portion of the chain.
    ///
    /// # Errors
    /// As of [`EventLog::read`].
    pub async fn check(&self, page: ChainPage, told: ChainRead) -> Result<ChainRead, EventsUnreadable> {
        let through = told.through;
        let read = self.ask(move |chronicle| chronicle.check(&page, through)).await?;
        Ok(read.unwrap_or(told))
    }

    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Chronicle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, EventsUnreadable> {
        let Some(chronicle) = self.chronicle.clone() else {
            return Ok(None);
        };
        // It is never closed.
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| EventsUnreadable)?;
        let reading = move || {
            let _turn = turn;
            ask(&chronicle)
        };
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok(read)) => Ok(Some(read)),
            Ok(Err(error)) => {
                tracing::error!("events cannot be read: {}", error.with_cause());
                Err(EventsUnreadable)
            }
            Err(_) => Err(EventsUnreadable),
        }
    }
}
