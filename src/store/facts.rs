//! The facts that a generation and the journal hold: what a start hands out, and what `repair` looks at.

use super::snapshot::{Snapshot, each_row, unreadable};
use super::{StoreError, round, rows};
use crate::domain::change::Fact;
use crate::domain::time::Now;

/// Gets each fact.
pub(super) type VisitFact<'a> = &'a mut dyn FnMut(Fact);

/// Hands out the facts of a generation; how many bytes its rows have.
pub(super) fn of_snapshot(snapshot: &mut dyn Snapshot, place: &str, visit: VisitFact<'_>) -> Result<u64, StoreError> {
    let mut bytes = 0;
    each_row(snapshot, &mut |key, record| {
        bytes += (key.len() + record.len()) as u64;
        let fact = rows::stored(key, record).map_err(|source| unreadable(place, key, source))?;
        fact.into_iter().for_each(&mut *visit);
        Ok(())
    })?;
    Ok(bytes)
}

/// Hands out the facts of round `number`; its time.
pub(super) fn of_round(number: u64, payload: &[u8], place: &str, visit: VisitFact<'_>) -> Result<Now, StoreError> {
    let read = round::read(payload).map_err(|source| StoreError::RoundUnreadable {
        place: place.to_owned(),
        number,
        source,
    })?;
    for &(key, record) in &read.rows {
        visit(rows::told(key, record).map_err(|source| unreadable(place, key, source))?);
    }
    Ok(read.now)
}
